//! Suspected false closures, also when a stream was parked meanwhile and however the log comes in batches.

use doudi_domain::appeal::{Command, Confidentiality, Outcome};
use doudi_journal::{Position, StreamName};
use doudi_views::{Fresh, Scope, ViewName, appeals};

use super::{
    super::{Fixture, Running, log::*},
    City, internal, of,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_matter_again_marks_the_close_before_it_also_when_that_was_parked() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    for n in 0..3 {
        let topic = if n == 1 { "T07" } else { "T06" };
        city.dispatched(n, 1, of(topic, AREA, Confidentiality::Internal)).await;
        city.resolved(n, if n == 1 { "tax" } else { "power" }).await;
        city.tell(n, Command::Confirm).await;
        if n < 2 {
            city.tell(n, Command::Close).await;
        }
    }
    // Closed, taken up again and closed once more.
    city.later(24 * 10);
    city.tell(0, Command::Reopen { reason: sealed() }).await;
    let parked = format!("ev.L-1.appeal.{}", appeal(0));
    city.later(24 * 3);
    city.submit(3, 1, internal()).await;
    // Another enterprise; the same one too late; the same one on another topic.
    city.submit(4, 2, of("T07", AREA, Confidentiality::Internal)).await;
    city.tell(2, Command::Close).await;
    city.later(24 * 91);
    city.submit(5, 1, internal()).await;
    // As if an older program had not known the first event of the first stream.
    let version = ViewName::Appeals.version();
    let park = format!(
        "INSERT INTO doudi.parked VALUES ('appeals', {version}, '{parked}', 1, 1, 0, 'new')"
    );
    fixture.run(&park).await;
    let running = Running::start(&fixture.views, &city.log.journal);
    fixture.reach(city.last).await;
    let suspected = async || {
        let query = appeals::Query::all(Scope::All, 500);
        let rows = fixture.views.appeals(&query, Fresh::ANY).await.unwrap().appeals;
        let marked = rows.iter().filter(|row| row.suspected_false_closure);
        marked.map(|row| row.appeal).collect::<Vec<_>>()
    };
    assert_eq!(suspected().await, vec![]);
    let stream = StreamName::parse(&parked).unwrap();
    fixture.views.retry(&city.log.journal, ViewName::Appeals, &stream).await.unwrap();
    assert_eq!(suspected().await, vec![appeal(0)], "appealed again 13 days after its first close");
    fixture.assert_as_replayed(&city.log.journal).await;
    let (own, topic) = (enterprise(1), internal().topic);
    let of_topic = fixture.views.appeals_of_topic(&own, &topic, 2, Fresh::ANY).await.unwrap();
    let found: Vec<_> = of_topic.appeals.iter().map(|row| row.appeal).collect();
    assert_eq!(found, [appeal(5), appeal(3)], "newest first");
    assert!(of_topic.next.is_some());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_log_is_cut_into_batches_a_close_has_the_same_past() {
    let mut city = City::new();
    city.dispatched(0, 1, internal()).await;
    city.resolved(0, "power").await;
    city.tell(0, Command::Confirm).await;
    city.tell(0, Command::Close).await;
    let closed = usize::try_from(city.last.0).unwrap();
    city.later(24);
    city.submit(1, 1, internal()).await;
    city.tell(0, Command::Reopen { reason: sealed() }).await;
    let (unit, outcome, reply) = (unit("power"), Outcome::Solved, sealed());
    city.tell(0, Command::Resolve { unit, outcome, reply }).await;
    city.tell(0, Command::Confirm).await;
    city.tell(0, Command::Close).await;
    city.later(24);
    city.submit(2, 1, internal()).await;
    city.tell(1, Command::Accept).await;
    let records = city.log.journal.read(Position::START, 100).await.unwrap();
    // Cut once, anywhere from before the first close on; then after every record.
    for cut in (closed - 1..=records.len()).map(Some).chain([None]) {
        let (fixture, mut log) = (Fixture::start().await, Log::new());
        for (at, record) in (1..).zip(&records) {
            log.put(&record.stream, record.payload.to_vec()).await;
            if at == records.len() || cut.is_none_or(|cut| cut == at) {
                let said = &mut |_, _| {};
                fixture.views.catch_up(&log.journal, ViewName::Appeals, said).await.unwrap();
            }
        }
        let query = appeals::Query::all(Scope::All, 10);
        let rows = fixture.views.appeals(&query, Fresh::ANY).await.unwrap().appeals;
        let marked = rows.iter().filter(|row| row.suspected_false_closure);
        let marked: Vec<_> = marked.map(|row| row.appeal).collect();
        assert_eq!(marked, [appeal(0)], "cut at {cut:?}");
        fixture.assert_as_replayed(&log.journal).await;
    }
}
