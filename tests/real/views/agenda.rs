//! The agenda: what is due, oldest first, however much is not.

use doudi_domain::{agenda::Duty, appeal, visits};
use doudi_views::{
    ViewName,
    agenda::{Due, Query},
};
use jiff::Timestamp;

use super::{Fixture, Running, WITHIN, log::*};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The same instant for every kind.
fn until(instant: Timestamp) -> Query {
    let until = Duty::KINDS.map(|kind| (kind, instant)).to_vec();
    Query { until, after: None, limit: 100 }
}

fn keys(due: &[Due]) -> Vec<(String, String)> {
    due.iter().map(|due| (due.point.stream.to_string(), due.point.key.clone())).collect()
}

fn erased() -> appeal::Event {
    appeal::Event::PersonalDataErased { subject: "appeal:1".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_comes_oldest_first_page_by_page_and_each_kind_in_its_time() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    for (n, on) in [(1, "2026-03-05"), (2, "2026-03-02"), (3, "2026-03-02"), (4, "2026-04-01")] {
        let stream = format!("ev.L-{n}.visits");
        log.append(&stream, &[planned(visit(n), "tax", on)]).await;
        log.append(&stream, &[planned(visit(n + 10), "tax", on)]).await;
        log.append(&stream, &[visits::Event::VisitExpired { visit: visit(n + 10) }]).await;
    }
    let appeals = format!("ev.L-1.appeal.{}", appeal(1));
    log.append(&appeals, &[submitted()]).await;
    let ordered = log.append(&appeals, &[erased()]).await;
    fixture.views.wait(ViewName::Agenda, ordered, WITHIN).await.unwrap();
    assert_eq!(fixture.rows(ViewName::Agenda, "duty").await, 6);

    let visit_key = |n: u64| (format!("ev.L-{n}.visits"), format!("visit/{}", visit(n)));
    let midnight = at("2026-03-06T00:00+08:00");
    let all = fixture.views.due(&until(midnight)).await.unwrap();
    let key = (appeals.clone(), "erase".to_owned());
    assert_eq!(keys(&all.due), [key.clone(), visit_key(2), visit_key(3), visit_key(1)]);
    assert_eq!((all.next, all.position), (None, ordered));
    assert_eq!(all.due[0].duty, Duty::DestroyKey { subject: "appeal:1".to_owned() });
    assert_eq!(all.due[0].position, ordered);
    assert_eq!(
        (all.due[3].point.at, &all.due[3].duty),
        (midnight, &Duty::ExpireVisit { visit: visit(1) })
    );
    let record =
        log.journal.read(doudi_journal::Position(ordered.0 - 1), 1).await.unwrap().remove(0);
    assert_eq!(all.due[0].cause, record.commit().unwrap().command_id);

    let just_before = midnight.checked_sub(jiff::SignedDuration::from_micros(1)).unwrap();
    let before = fixture.views.due(&until(just_before)).await.unwrap();
    assert_eq!(keys(&before.due), [key.clone(), visit_key(2), visit_key(3)]);
    let mut graced = until(midnight);
    let held = graced.until.iter_mut().find(|(kind, _)| *kind == "expire_visit").unwrap();
    held.1 = at("2026-03-03T00:00+08:00");
    assert_eq!(
        keys(&fixture.views.due(&graced).await.unwrap().due),
        [key, visit_key(2), visit_key(3)]
    );

    let mut seen = Vec::new();
    let mut query = Query { limit: 2, ..until(at("2027-01-01T00:00Z")) };
    loop {
        let page = fixture.views.due(&query).await.unwrap();
        seen.extend(keys(&page.due));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let all = fixture.views.due(&until(at("2027-01-01T00:00Z"))).await.unwrap();
    assert_eq!((seen.len(), seen), (6, keys(&all.due)));

    let done = log.append(&appeals, &[appeal::Event::KeyDestroyed {}]).await;
    fixture.views.wait(ViewName::Agenda, done, WITHIN).await.unwrap();
    let left = fixture.views.due(&until(midnight)).await.unwrap();
    assert_eq!(keys(&left.due), [visit_key(2), visit_key(3), visit_key(1)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agenda_that_is_built_again_is_the_same() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    for n in 1..=40 {
        log.history(n, "tax").await;
        let stream = format!("ev.{}.visits", enterprise(n));
        log.append(&stream, &[planned(visit(n + 100), "tax", "2026-05-04")]).await;
    }
    let stream = format!("ev.L-1.appeal.{}", appeal(1));
    let last = log.append(&stream, &[erased()]).await;
    fixture.reach(last).await;
    fixture.assert_as_replayed(&log.journal).await;
    let before = fixture.views.digest(ViewName::Agenda).await.unwrap();
    assert_eq!(fixture.rows(ViewName::Agenda, "duty").await, 81);
    assert_eq!(fixture.rebuild(&log.journal, ViewName::Agenda).await, last);
    assert_eq!(fixture.views.digest(ViewName::Agenda).await.unwrap(), before);
    running.stop().await;
}
