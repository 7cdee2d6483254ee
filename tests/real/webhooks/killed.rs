//! kill -9 of the servers that deliver, two of them, in the midst of it.

use std::net::SocketAddr;

use doudi_api::identity::Claims;
use doudi_server::{config::Config, token};
use doudi_tests::{program, until, world};
use tokio::process::{Child, Command};

use super::*;

const APPEALS: usize = 40;

/// A server that delivers quickly, as a process of its own.
fn role(config: &Config, name: &str, listen: SocketAddr) -> Child {
    quickly(config, name, listen).spawn().unwrap()
}

/// The command that starts it.
pub(super) fn quickly(config: &Config, name: &str, listen: SocketAddr) -> Command {
    let mut command = program::command();
    program::configure(&mut command, config, listen);
    for (key, value) in [
        ("ALLOW_HTTP", "true"),
        ("TIMEOUT", "500ms"),
        ("RETRY_MIN", "100ms"),
        ("RETRY_MAX", "200ms"),
        ("POSITION_INTERVAL", "100ms"),
        ("IN_FLIGHT_MAX", "2"),
    ] {
        command.env(format!("DOUDI_WEBHOOKS__{key}"), value);
    }
    command.arg(name);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_are_killed_in_turn_lose_nothing_and_keep_the_order() {
    let ground = Ground::start().await;
    let listen = program::free_address();
    let mut served = role(&ground.config, "all", listen);
    let mut reacts = role(&ground.config, "react", listen);
    let up = until(BOUND, || async { tokio::net::TcpStream::connect(listen).await.ok() });
    assert!(up.await.is_some());
    let channel = world::connect(listen).await;
    let client = |claims: Claims| Client::new(&channel, &ground.token(&claims)).unwrap();
    let admin = client(token::claims(Role::Admin));
    let routing = doudi_server::catalogue::Plan::published().unwrap().routing();
    admin.publish(routing).await.unwrap();
    for enterprise in ALL {
        admin.enterprises.clone().register_enterprise(register(enterprise)).await.unwrap();
    }
    for enterprise in ALL {
        let own = Some(enterprise.to_owned());
        let own = client(Claims { enterprise: own, ..token::claims(Role::Enterprise) });
        appeals(&own, enterprise, APPEALS).await;
    }
    let count = ALL.len() * (APPEALS + 1);
    let fed = client(token::claims(Role::Supervisor));
    let fed = feed(&fed, StreamEventsRequest::default(), count).await;

    // Each event is refused now and then, so that it takes a while.
    let receiver = Receiver::start().await;
    let asked = std::sync::atomic::AtomicU32::new(0);
    receiver.answer(Box::new(move |_| {
        let asked = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (if asked.is_multiple_of(4) { 503 } else { 204 }, None)
    }));
    let webhook = registered(&admin, &receiver).await.webhook_id;
    for kill in 1..=4 {
        accepted(&receiver, kill * count / 6).await;
        if kill % 2 == 1 {
            served.kill().await.unwrap();
            served = role(&ground.config, "all", listen);
        } else {
            reacts.kill().await.unwrap();
            reacts = role(&ground.config, "react", listen);
        }
    }
    let whole = until(2 * BOUND, || async {
        let posts = first_ones(receiver.accepted());
        (posts.len() == count).then_some(posts)
    });
    let posts = whole.await.unwrap_or_else(|| panic!("{} of {count}", receiver.accepted().len()));
    assert_eq!(of_posts(&posts), of_feed(&fed));

    // All of it is on record, too.
    stands(&admin, &webhook, |found| found.pending_count == 0).await;

    // Of two that deliver one stands by in the end: it is enough that the other one is there.
    served.kill().await.unwrap();
    reacts.kill().await.unwrap();
    let before = receiver.accepted().len();
    let mut last = role(&ground.config, "all", listen);
    let up = until(BOUND, || async { tokio::net::TcpStream::connect(listen).await.ok() });
    assert!(up.await.is_some());
    let channel = world::connect(listen).await;
    let own = Claims { enterprise: Some(ONE.to_owned()), ..token::claims(Role::Enterprise) };
    let own = Client::new(&channel, &ground.token(&own)).unwrap();
    appeals(&own, ONE, 1).await;
    let came = until(BOUND, || async {
        (first_ones(receiver.accepted()).len() == count + 1).then_some(())
    });
    assert!(came.await.is_some());
    let again = receiver.accepted().len() - before - 1;
    assert_eq!(again, 0, "what was recorded is not sent again");
    last.kill().await.unwrap();
}
