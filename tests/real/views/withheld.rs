//! Live timelines while streams are parked: what follows of their enterprise waits and all else goes on; nothing is lost
//! and nothing comes twice, whoever follows from wherever, and however a stream is taken in.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doudi_domain::{EnterpriseId, appeal};
use doudi_journal::{Position, StreamName};
use doudi_views::{
    Scope, ViewName,
    timeline::{Entry, Kind, Point, Reached, Selection, Watch, WatchItem},
};
use tokio::time::timeout;

use super::{Fixture, Running, WITHIN, log::*};

/// How long a live timeline is silent at most.
const SHORT: Duration = Duration::from_millis(50);
/// More than two pages have, in commits that no page ends with.
const COMMITS: u64 = 13;
const EVENTS_EACH: u64 = 90;

/// Somebody who follows live, and somebody who leaves in the midst of whatever comes and comes back.
struct Follower {
    selection: Selection,
    live: Watch,
    away: Reached,
    /// What each of the two has seen.
    seen: [Vec<Arc<Entry>>; 2],
}

impl Follower {
    fn new(fixture: &Fixture, selection: Selection) -> Self {
        let live = fixture.views.watch_timeline(selection.clone(), Point::START);
        Self { selection, live, away: Point::START.into(), seen: [vec![], vec![]] }
    }

    /// Both follow until `is_there`; answers with how many entries came live, and of whom.
    async fn follow(
        &mut self,
        fixture: &Fixture,
        is_there: impl Fn(&Reached) -> bool,
    ) -> BTreeMap<EnterpriseId, usize> {
        let before = self.seen[0].len();
        self.seen[0].extend(live(&mut self.live, &is_there).await);
        let away = self.follow_away(fixture);
        timeout(WITHIN, away).await.expect("it gets there");
        assert!(is_there(&self.away), "{:?}", self.away);
        let mut came: BTreeMap<EnterpriseId, usize> = BTreeMap::new();
        for entry in &self.seen[0][before..] {
            *came.entry(entry.enterprise.clone()).or_default() += 1;
        }
        came
    }

    async fn follow_away(&mut self, fixture: &Fixture) {
        loop {
            let mut watch = fixture.views.watch_timeline(self.selection.clone(), self.away.clone());
            let (new, late) = match watch.next(SHORT).await.unwrap() {
                WatchItem::Entries(new) => (new, false),
                WatchItem::Late(new) => (new, true),
                WatchItem::Heartbeat(_) => {
                    self.away = watch.reached().clone();
                    return;
                }
            };
            let kept = new.len().div_ceil(2);
            self.away = watch.reached().after(&new[kept - 1], late);
            self.seen[1].extend(new.into_iter().take(kept));
        }
    }
}

/// What comes until `is_there`.
async fn live(watch: &mut Watch, is_there: impl Fn(&Reached) -> bool) -> Vec<Arc<Entry>> {
    let following = async {
        let mut seen = vec![];
        loop {
            match watch.next(SHORT).await.unwrap() {
                WatchItem::Entries(new) | WatchItem::Late(new) => seen.extend(new),
                WatchItem::Heartbeat(_) if is_there(watch.reached()) => return seen,
                WatchItem::Heartbeat(_) => {}
            }
        }
    };
    timeout(WITHIN, following).await.expect("it gets there")
}

/// Parks a stream of the timeline from a position on, as if this program could not read what comes there.
async fn park(fixture: &Fixture, stream: &StreamName, first: Position) {
    let version = ViewName::Timeline.version();
    let values = format!("'timeline', {version}, '{stream}', {first}, {first}, 0, 'unknown'");
    fixture.run(&format!("INSERT INTO doudi.parked VALUES ({values})")).await;
}

fn by_enterprise(entries: &[Arc<Entry>]) -> BTreeMap<EnterpriseId, Vec<Point>> {
    let mut points: BTreeMap<EnterpriseId, Vec<Point>> = BTreeMap::new();
    for entry in entries {
        points.entry(entry.enterprise.clone()).or_default().push(entry.point());
    }
    points
}

/// Whether somebody has got to a position, and something of the enterprise number 1 is withheld or not.
fn at(last: Position, withheld: bool) -> impl Fn(&Reached) -> bool {
    move |reached| {
        let now = reached.withheld.keys().eq(withheld.then(|| enterprise(1)).iter());
        reached.point.position == last && now
    }
}

/// So many events of an enterprise.
fn of(n: u64, count: usize) -> BTreeMap<EnterpriseId, usize> {
    [(enterprise(n), count)].into()
}

/// Whoever follows everything, one enterprise, visits alone and appeals alone, each with all that has happened.
async fn followers(fixture: &Fixture, last: Position) -> [Follower; 4] {
    let all = Selection::all(Scope::All);
    let mut followers = [
        all.clone(),
        Selection::of(enterprise(1), Scope::All),
        Selection { kinds: vec![Kind::Visit], ..all.clone() },
        Selection { kinds: vec![Kind::Appeal], ..all },
    ]
    .map(|selection| Follower::new(fixture, selection));
    for follower in &mut followers {
        follower.follow(fixture, at(last, false)).await;
    }
    followers
}

/// More visits of the enterprise number 1 than two pages have, and then an event of its appeal.
async fn parked_visits(fixture: &Fixture, log: &mut Log, parked: &StreamName, appeal: &StreamName) {
    park(fixture, parked, log.journal.last_position().await.unwrap().next()).await;
    for n in 0..COMMITS {
        let plan = |m| planned(visit(10_000 + n * EVENTS_EACH + m), "tax", "2026-05-04");
        let plans: Vec<_> = (0..EVENTS_EACH).map(plan).collect();
        log.append(parked.as_str(), &plans).await;
    }
    let erased = appeal::Event::PersonalDataErased { subject: "appeal:1".to_owned() };
    log.append(appeal.as_str(), &[erased]).await;
}

/// Each has seen what somebody sees who comes only now.
async fn assert_whole(fixture: &Fixture, last: Position, follower: &Follower) {
    let Follower { selection, seen, .. } = follower;
    let mut watch = fixture.views.watch_timeline(selection.clone(), Point::START);
    let whole = live(&mut watch, at(last, false)).await;
    assert!(whole.is_sorted_by_key(|entry| entry.point()));
    for seen in seen {
        assert_eq!(seen.len(), whole.len(), "lost or twice");
        assert_eq!(by_enterprise(seen), by_enterprise(&whole), "out of order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_parked_streams_comes_once_and_in_order_when_they_are_taken_in() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    log.history(1, "tax").await;
    let last = log.history(2, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let [mut all, mut own, mut visits, mut appeals] = followers(&fixture, last).await;
    let none: BTreeMap<EnterpriseId, usize> = BTreeMap::new();
    let many = usize::try_from(COMMITS * EVENTS_EACH).unwrap();
    let of_visits = StreamName::parse("ev.L-1.visits").unwrap();
    let of_appeal = StreamName::parse(&format!("ev.L-1.appeal.{}", appeal(1))).unwrap();

    parked_visits(&fixture, &mut log, &of_visits, &of_appeal).await;
    let first = log.append("ev.L-2.visits", &[planned(visit(9), "tax", "2026-05-04")]).await;
    fixture.reach(first).await;
    assert_eq!(all.follow(&fixture, at(first, true)).await, of(2, 1));
    assert_eq!(own.follow(&fixture, at(first, true)).await, none);
    assert_eq!(visits.follow(&fixture, at(first, true)).await, of(2, 1));
    assert_eq!(appeals.follow(&fixture, at(first, false)).await, of(1, 1));

    // Another stream of the same enterprise, further on.
    park(&fixture, &of_appeal, first.next()).await;
    log.append(of_appeal.as_str(), &[closed()]).await;
    let last = log.append(&format!("ev.L-1.appeal.{}", appeal(77)), &[submitted()]).await;
    fixture.reach(last).await;
    for follower in [&mut all, &mut own, &mut visits, &mut appeals] {
        assert_eq!(follower.follow(&fixture, at(last, true)).await, none);
    }

    // What lies between the two comes when the first one is taken in, and the rest with the other one.
    let journal = log.journal.clone();
    let taken = fixture.views.retry(&journal, ViewName::Timeline, &of_visits).await.unwrap();
    assert_eq!(taken, COMMITS);
    let until_first =
        |reached: &Reached| reached.withheld.get(&enterprise(1)) == Some(&Point::end_of(first));
    assert_eq!(all.follow(&fixture, until_first).await, of(1, many + 1));
    assert_eq!(own.follow(&fixture, until_first).await, of(1, many + 1));
    assert_eq!(visits.follow(&fixture, at(last, false)).await, of(1, many));
    assert_eq!(appeals.follow(&fixture, at(last, true)).await, none);
    fixture.rebuild(&journal, ViewName::Timeline).await;
    assert_eq!(fixture.views.parked().await.unwrap(), vec![]);
    for follower in [&mut all, &mut own, &mut appeals] {
        assert_eq!(follower.follow(&fixture, at(last, false)).await, of(1, 2));
    }
    assert_eq!(visits.follow(&fixture, at(last, false)).await, none);

    // All goes on.
    let last = log.append(of_visits.as_str(), &[planned(visit(10), "tax", "2026-05-05")]).await;
    fixture.reach(last).await;
    for mut follower in [all, own, visits, appeals] {
        follower.follow(&fixture, at(last, false)).await;
        assert_whole(&fixture, last, &follower).await;
    }
    running.stop().await;
    fixture.assert_as_replayed(&journal).await;
}
