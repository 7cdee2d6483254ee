//! What is considered as of an earlier time: the stream and the documents as they were then.

use super::*;

/// A visit is planned, then another policy is in force, then the visit is called off, which is said to have been
/// so a day before all that.
#[tokio::test]
async fn what_is_considered_as_of_then_reads_stream_and_documents_as_of_then() {
    let (_, one, visits) = prepared().await;
    let planned = one.execute::<Visits>(&visits, &plan(9, "fire"), &envelope(9)).await.unwrap();
    let stream = streams::policy(&PolicyName::Frequency).unwrap();
    let publish = policy::Command::Publish { version: 2 };
    let another = [policy::Command::Draft(visits_by_all(2)), publish];
    for (n, command) in (2_000_000_u128..).zip(another) {
        one.execute::<Policy>(&stream, &command, &envelope(n)).await.unwrap();
    }
    let cancel = visits::Command::Cancel {
        visit: VisitId(id(9)),
        unit: unit("fire"),
        reason: CancelReason::TaskWithdrawn,
    };
    let the_day_before: Timestamp = "2025-04-24T01:00:00Z".parse().unwrap();
    let late = Envelope { occurred_at: Some(the_day_before), ..envelope(10) };
    let cancelled = one.execute::<Visits>(&visits, &cancel, &late).await.unwrap();

    let command = plan(11, "fire");
    let seen = |folded: &Folded<Visits>, context: &Context<'_>| {
        let policy = context.frequency.map(|published| published.version);
        (folded.version, folded.position, policy, context.now)
    };
    let as_of = async |until, now| {
        one.consider_until::<Visits, _>(&visits, &command, (until, now), seen).await.unwrap()
    };
    let now = one.consider::<Visits, _>(&visits, &command, seen).await.unwrap();
    assert_eq!(now, (Version(2), cancelled.position, Some(2), one.now()));
    let asked: Timestamp = "2025-04-25T00:30:00Z".parse().unwrap();
    let known = as_of(Until::Position(planned.position), asked).await;
    assert_eq!(known, (Version(1), planned.position, Some(1), asked));
    // By all that is known now, the visit had been called off, and nothing else had happened.
    let so = as_of(Until::Occurred(the_day_before), the_day_before).await;
    assert_eq!(so, (Version(1), cancelled.position, None, the_day_before));
    let all = as_of(Until::Occurred(one.now()), one.now()).await;
    assert_eq!(all, now);
}
