//! Sums of ratings as of earlier: what was said is said again, also by tables that were built anew, and what was
//! summed up together is told together or not at all.

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{AsOf, GetUnitRatingsRequest, GetUnitRatingsResponse, Satisfaction, as_of::Moment},
};
use doudi_server::{client::Client, clock::Ahead};
use doudi_tests::world::{Ground, World};
use jiff::{SignedDuration, Timestamp};
use tonic::Response;

use super::{ENTERPRISES, claims, rate, rated, visited};
use crate::real::{
    operator::well,
    requests::{at, between, now, reason, stamp},
};

/// Further sample enterprises.
const MORE: [&str; 5] = [
    "91210212DD00000083",
    "91210212DD00000096",
    "91210212DD0000010B",
    "91210212DD0000011E",
    "91210212DD0000012H",
];

/// What was said after a rating, and an instant before the next one.
struct Memory {
    rated: String,
    said: GetUnitRatingsResponse,
    after: Timestamp,
}

/// What the unit is told of itself, of the year in which it asks or as of which it asks; or why it is told nothing.
async fn said(
    unit: &Client,
    min_position: &str,
    as_of: Option<AsOf>,
) -> Result<GetUnitRatingsResponse, String> {
    let request =
        GetUnitRatingsRequest { min_position: min_position.to_owned(), as_of, ..<_>::default() };
    let said = unit.ratings.clone().get_unit_ratings(request).await;
    said.map(Response::into_inner).map_err(|status| reason(&status))
}

/// Asks as of each rating, as of what was reached when it was asked then, and as of the instant after it.
async fn is_said_again(unit: &Client, memories: &[Memory]) {
    for Memory { rated, said: then, after } in memories {
        for position in [rated, &then.position] {
            let again = said(unit, "", at(Moment::Position(position.clone()))).await.unwrap();
            assert_eq!((&again.sums, &again.position), (&then.sums, position));
        }
        for moment in [Moment::RecordedAt(stamp(*after)), Moment::OccurredAt(stamp(*after))] {
            let again = said(unit, "", at(moment.clone())).await.unwrap();
            assert_eq!(again.sums, then.sums, "{moment:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_ratings_is_said_again_and_no_earlier_time_parts_a_sum() {
    let ahead = Ahead::default();
    let world = World::start_at(Ground::start().await, &ahead).await;
    let unit = world.client(&claims(Role::UnitHead));
    let grades = [Satisfaction::Satisfied, Satisfaction::Dissatisfied];
    let mut memories = vec![];
    for enterprises in [ENTERPRISES, MORE] {
        let (visits, _) = visited(&world, &enterprises).await;
        for (n, (enterprise, visit)) in enterprises.iter().zip(&visits).enumerate() {
            let rating = rate(enterprise, visit, grades[n % 2]);
            let rated = rated(&world, rating).await.unwrap().position;
            let said = said(&unit, &rated, None).await.unwrap();
            memories.push(Memory { rated, said, after: between().await });
        }
    }
    let total = |memory: &Memory| memory.said.sums.iter().map(|sum| sum.total).sum::<u64>();
    let totals: Vec<u64> = memories.iter().map(total).collect();
    assert_eq!(totals, [0, 0, 0, 0, 5, 5, 5, 5, 5, 10]);
    is_said_again(&unit, &memories).await;

    // Both sums are made of one batch now, where each rating was one before.
    for arguments in [&["verify"][..], &["rebuild", "ratings"]] {
        well(&world.ground.config, arguments).await;
    }
    is_said_again(&unit, &memories).await;
    let tomorrow = stamp(now() + SignedDuration::from_hours(24));
    for moment in [Moment::RecordedAt(tomorrow), Moment::OccurredAt(tomorrow)] {
        assert_eq!(said(&unit, "", at(moment)).await, Err("IN_FUTURE".to_owned()));
    }

    // In a later year the year is the one as of which is asked.
    let later = now() + SignedDuration::from_hours(24 * 400);
    ahead.set(later);
    let (iat, exp) = (later.as_second() - 60, later.as_second() + 3600);
    let unit = world.client(&Claims { iat, exp, ..claims(Role::UnitHead) });
    assert_eq!(said(&unit, "", None).await.unwrap().sums, []);
    is_said_again(&unit, &memories).await;
    world.stop().await;
}
