//! Suggestions to whoever takes an appeal in: what it may be about, and where it was said before.
//! Nothing of the text that they are made for is kept.

use doudi_domain::{
    Published, Sealed, TopicId,
    appeal::{Appeal, Confidentiality},
    policy::{Policy, PolicyName},
    similarity,
};
use doudi_engine::streams;
use doudi_views::{ViewName, appeals::Row};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    call::Call,
    convert::{appeal::of_row, case as convert, token},
    error::Failure,
    proto as pb,
    services::{Api, may_ask},
};

/// The most appeals of a topic that are compared, the newest ones.
const COMPARED_MAX: usize = 50;
/// The most of them that are read at once.
const READS_MAX: usize = 8;
/// From here on two texts are alike, in percent.
const ALIKE_PERCENT: u32 = 40;
/// The most that are suggested.
const SUGGESTED_MAX: usize = 10;

impl Api {
    pub(super) async fn topics(
        &self,
        request: &pb::SuggestTopicsRequest,
    ) -> Result<pb::SuggestTopicsResponse, Failure> {
        let (text, limit) = convert::topics(request)?;
        let folded = self.read::<Policy>(&streams::policy(&PolicyName::Routing)?).await?;
        let Some(Published { version, document }) = folded.state.routing() else {
            return Ok(pb::SuggestTopicsResponse::default());
        };
        let suggestion = |(id, score): (TopicId, u32)| pb::TopicSuggestion {
            title: document.topic(&id).map(|topic| topic.title.to_string()).unwrap_or_default(),
            unit: document.route(None, &id, None).unit.to_string(),
            topic: id.to_string(),
            score,
        };
        let suggestions = document.suggest(&text, limit).into_iter().map(suggestion).collect();
        Ok(pb::SuggestTopicsResponse { suggestions, routing_version: version })
    }

    pub(super) async fn duplicates(
        &self,
        call: &Call,
        request: &pb::SuggestDuplicatesRequest,
    ) -> Result<pb::SuggestDuplicatesResponse, Failure> {
        let draft = convert::duplicates(request)?;
        may_ask(call, &draft.enterprise)?;
        let fresh = self.reflecting(call, &[ViewName::Appeals], draft.at_least).await?;
        let newest =
            self.0.views.appeals_of_topic(&draft.enterprise, &draft.topic, COMPARED_MAX, fresh);
        let newest = newest.await?;
        let position = newest.position;
        let reads: Vec<_> =
            newest.appeals.into_iter().map(|row| self.comparable(call, row)).collect();
        let read: Vec<Option<(Row, Sealed)>> =
            stream::iter(reads).buffered(READS_MAX).try_collect().await?;
        let (rows, sealed): (Vec<Row>, Vec<Sealed>) = read.into_iter().flatten().unzip();
        let texts = self.0.vault.open_all(&sealed.iter().collect::<Vec<_>>()).await?;
        let percent =
            |text: Option<String>| text.map_or(0, |text| similarity::percent(&draft.text, &text));
        let compared = rows.iter().zip(texts.into_iter().map(percent));
        let mut alike: Vec<(&Row, u32)> =
            compared.filter(|(_, percent)| *percent >= ALIKE_PERCENT).collect();
        // A stable sort keeps the newest first among equals.
        alike.sort_by_key(|(_, percent)| std::cmp::Reverse(*percent));
        alike.truncate(SUGGESTED_MAX);
        let suggestion = |(row, percent): (&Row, u32)| pb::DuplicateSuggestion {
            appeal: Some(of_row(row)),
            similarity_percent: percent,
        };
        Ok(pb::SuggestDuplicatesResponse {
            suggestions: alike.into_iter().map(suggestion).collect(),
            position: token::of_position(position),
        })
    }

    /// An appeal with what it says, if the caller may see it. Reads of the upper two levels are
    /// recorded, and a comparison is not worth a record, so those are left out.
    async fn comparable(&self, call: &Call, row: Row) -> Result<Option<(Row, Sealed)>, Failure> {
        if row.confidentiality > Confidentiality::Internal {
            return Ok(None);
        }
        let stream = streams::appeal(&row.enterprise, row.appeal)?;
        let folded = self.read::<Appeal>(&stream).await?;
        let case = folded.state.known().filter(|case| !case.is_erased());
        let case = case.filter(|case| call.caller.sees_appeal(&row.enterprise, case));
        let description = case.map(|case| case.submission.description.clone());
        Ok(description.map(|description| (row, description)))
    }
}
