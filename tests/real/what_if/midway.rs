//! A replay that takes a while: how far it is is told on the way, and who leaves midway ends it.

use std::time::Duration;

use bytes::Bytes;
use doudi_api::permission::Role;
use doudi_api::proto::{TryPolicyResponse, WhatIfProgress, try_policy_response::Step};
use doudi_journal::{Position, StreamName};
use doudi_server::parts::Parts;
use doudi_tests::{
    until,
    world::{Ground as Servers, World},
};
use doudi_views::ViewName;
use futures::future::join_all;
use tokio::time::timeout;
use tonic::Streaming;

use super::{
    super::{chaos::Link, requests::reason},
    BOUND, ask, of, once_by_all,
};

/// So many records that the log is read in four pages.
const RECORDS: usize = 3_100;
/// How long each part of what the log says is held up: a page comes in several, together in more than a second.
const SLOWLY: Duration = Duration::from_millis(200);
/// The same where nothing gets done any more.
const HARDLY: Duration = Duration::from_secs(2);
/// How soon who leaves has left: far sooner than the rest of a replay is read then.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Fills the log with records that no document has to do with, and lets the views pass them. Gives the end.
async fn filled(parts: &Parts) -> Position {
    let journal = &parts.journal;
    let append = |number: usize| async move {
        let stream = StreamName::new("L-0", "filler", Some(&number.to_string())).unwrap();
        journal.append(&stream, Bytes::from_static(b"{}"), Position::START).await.unwrap()
    };
    let end = join_all((0..RECORDS).map(append)).await.into_iter().max().unwrap();
    for view in ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
    end
}

/// What is told next.
async fn step(replay: &mut Streaming<TryPolicyResponse>) -> Step {
    let message = timeout(BOUND, replay.message()).await.expect("in time").unwrap();
    message.expect("it ends with a report").step.unwrap()
}

/// What is told on the way, until there is a report.
async fn followed(replay: &mut Streaming<TryPolicyResponse>) -> Vec<WhatIfProgress> {
    let mut told = vec![];
    while let Step::Progress(progress) = step(replay).await {
        told.push(progress);
    }
    assert!(replay.message().await.unwrap().is_none(), "the report is the last message");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_it_is_is_told_on_the_way_and_who_leaves_midway_ends_it() {
    let mut ground = Servers::start().await;
    let link = Link::to(&ground.nats.url()).await;
    ground.config.nats.urls = vec![format!("nats://{}", link.address)];
    // Longer than anything is held up here.
    ground.config.nats.ack_timeout = Duration::from_secs(28);
    let running = ground.run().await;
    let world = World { ground, running };
    let end = filled(&world.running.parts).await.0;
    let admin = world.role(Role::Admin);

    link.hold_up(SLOWLY);
    let mut replay = ask(&admin, of(once_by_all())).await.unwrap();
    let told = followed(&mut replay).await;
    assert!(told.len() >= 2, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].records < pair[1].records), "{told:?}");
    for WhatIfProgress { records, records_total } in told {
        assert!((1..=end).contains(&records) && records_total == end, "{records} of {end}");
    }

    let mut left = ask(&admin, of(once_by_all())).await.unwrap();
    let Step::Progress(midway) = step(&mut left).await else { panic!("it was done at once") };
    assert!(midway.records < end, "{midway:?}");
    link.hold_up(HARDLY);
    let second = ask(&admin, of(once_by_all())).await.unwrap();
    let busy = ask(&admin, of(once_by_all())).await.unwrap_err();
    assert_eq!(reason(&busy), "WHAT_IF_BUSY", "both are at work");
    drop(left);
    let third = until(AT_ONCE, async || ask(&admin, of(once_by_all())).await.ok()).await;
    let third = third.expect("who left midway left its place at once");
    link.hold_up(Duration::ZERO);
    for mut replay in [second, third] {
        followed(&mut replay).await;
    }
    world.stop().await;
}
