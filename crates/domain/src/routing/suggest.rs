//! Suggests the topic of an appeal from its text. A suggestion only: a person confirms it.

use std::collections::{BTreeMap, BTreeSet};

use super::{RoutingTable, Topic};
use crate::ids::TopicId;

/// What a keyword found in the text weighs, for each of its characters.
const KEYWORD_WEIGHT: u32 = 10;
/// A pair of characters that more topics than this have in common tells nothing about any of them.
const TOPICS_WITH_PAIR_MAX: u32 = 2;

type Pair = (char, char);

impl RoutingTable {
    /// The topics that the text may be about with their scores, at most `limit`, best first; equal
    /// ones in the order of the table. A keyword found whole counts most; pairs of characters that
    /// the text shares with few titles and keywords count a little.
    #[must_use]
    pub fn suggest(&self, text: &str, limit: usize) -> Vec<(TopicId, u32)> {
        let text = text.to_lowercase();
        let in_text = pairs(&text);
        let of_topics: Vec<BTreeSet<Pair>> = self.topics.iter().map(topic_pairs).collect();
        let mut topics_with: BTreeMap<Pair, u32> = BTreeMap::new();
        for pair in of_topics.iter().flatten() {
            *topics_with.entry(*pair).or_default() += 1;
        }
        let rare = |pair: &&Pair| topics_with.get(pair).is_some_and(|n| *n <= TOPICS_WITH_PAIR_MAX);
        let mut found: Vec<(TopicId, u32)> = Vec::new();
        for (topic, own) in self.topics.iter().zip(&of_topics) {
            let shared = own.intersection(&in_text).filter(rare).count();
            let score = keyword_score(topic, &text).saturating_add(bounded(shared));
            if score > 0 {
                found.push((topic.id.clone(), score));
            }
        }
        // A stable sort keeps the order of the table among equals.
        found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
        found.truncate(limit);
        found
    }
}

fn keyword_score(topic: &Topic, text: &str) -> u32 {
    let words = topic.keywords.iter().map(|word| word.as_str().to_lowercase());
    let found = words.filter(|word| text.contains(word.as_str()));
    found.fold(0, |score, word| {
        let length = bounded(word.chars().count());
        score.saturating_add(length.saturating_mul(KEYWORD_WEIGHT))
    })
}

fn topic_pairs(topic: &Topic) -> BTreeSet<Pair> {
    let keywords = topic.keywords.iter().map(|word| pairs(&word.as_str().to_lowercase()));
    let title = pairs(&topic.title.as_str().to_lowercase());
    keywords.fold(title, |mut all, more| {
        all.extend(more);
        all
    })
}

/// Neighbouring letters or digits: Chinese is written without spaces between words.
fn pairs(text: &str) -> BTreeSet<Pair> {
    let both = |(a, b): &Pair| a.is_alphanumeric() && b.is_alphanumeric();
    text.chars().zip(text.chars().skip(1)).filter(both).collect()
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
