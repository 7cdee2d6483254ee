//! Whoever follows and leaves it unread is told so, and goes on where it was; nobody beside it waits for it.

use std::time::Duration;

use doudi_api::{permission::Role, proto::RegisterEnterpriseRequest};
use doudi_server::{client::Client, token};
use doudi_tests::world::World;
use futures::{StreamExt, future::join_all, stream::BoxStream};
use tokio::time::{self, timeout};
use tonic::{Code, Status, transport::Endpoint};
use tonic_types::StatusExt;

use super::{
    super::{
        chaos::pass,
        load::{BOUND, Seen, Wish},
        requests::{reason, register},
    },
    consumers::Message,
};

/// So many events of nearly a kilobyte each, far more than wait for one client.
const MANY: usize = 200;
/// How much of a stream a client that does not read takes in, in bytes.
const WINDOW: u32 = 1024;
/// How long a full buffer may be left unread.
const UNREAD_MAX: Duration = Duration::from_secs(30);
/// Longer than what was written needs to get to where it is left, and a task to find out how late it is.
const A_WHILE: Duration = Duration::from_secs(1);

type Live = BoxStream<'static, Result<Message, Status>>;

/// A client on a connection of its own that takes in very little of what it does not read.
async fn narrow(world: &World) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{}", world.running.address)).unwrap();
    let channel = endpoint.initial_stream_window_size(WINDOW).connect().await.unwrap();
    Client::new(&channel, &world.ground.token(&token::claims(Role::Supervisor))).unwrap()
}

/// Registers enterprises with the longest of names.
async fn registered(world: &World, count: usize) {
    let admin = world.role(Role::Admin).enterprises;
    let one = |number: usize| {
        let (mut admin, name) = (admin.clone(), "企".repeat(200));
        let request = RegisterEnterpriseRequest { name, ..register(&format!("L-{number}")) };
        async move { admin.register_enterprise(request).await.unwrap() }
    };
    join_all((0..count).map(one)).await;
}

/// The next so many events with the position after them, or as many as come until it ends, and why it does.
async fn read(live: &mut Live, count: usize) -> (Vec<Seen>, String, Option<Status>) {
    let (mut seen, mut position) = (vec![], String::new());
    while seen.len() < count {
        let next = timeout(BOUND, live.next()).await.expect("in time");
        match next.expect("it says why it ends") {
            Ok(message) => {
                seen.extend(message.seen);
                position = message.position;
            }
            Err(status) => return (seen, position, Some(status)),
        }
    }
    (seen, position, None)
}

/// Lets pass what a full buffer may be left unread, without waiting for it.
async fn left_unread() {
    pass(A_WHILE).await;
    time::pause();
    time::advance(UNREAD_MAX).await;
    time::resume();
    pass(A_WHILE).await;
}

/// On one thread, so that the time of all that runs here can be put forward.
#[tokio::test]
async fn who_leaves_it_unread_is_told_so_and_goes_on_where_it_was_and_nobody_waits_for_it() {
    let world = World::bare().await;
    let (slow, prompt) = (narrow(&world).await, world.role(Role::Supervisor));
    let wishes = [
        Wish { name: "a live timeline", ..Wish::default() },
        Wish { name: "the feed", by_feed: true, ..Wish::default() },
    ];
    let (mut unread, mut beside) = (vec![], vec![]);
    for wish in &wishes {
        unread.push(wish.ask(&slow, String::new()).await.unwrap());
        beside.push(wish.ask(&prompt, String::new()).await.unwrap());
    }
    registered(&world, MANY).await;
    let mut all = vec![];
    for live in &mut beside {
        let (seen, _, ended) = read(live, MANY).await;
        assert!(ended.is_none(), "{ended:?}");
        all.push(seen);
    }
    left_unread().await;

    for ((wish, mut live), all) in wishes.iter().zip(unread).zip(&all) {
        let (seen, position, ended) = read(&mut live, MANY).await;
        let name = wish.name;
        let ended = ended.unwrap_or_else(|| panic!("{name}: all of it waited to be read"));
        assert_eq!((ended.code(), &*reason(&ended)), (Code::ResourceExhausted, "WATCH_TOO_SLOW"));
        let details = ended.get_error_details();
        let seconds = details.error_info().and_then(|info| info.metadata.get("seconds"));
        assert_eq!(seconds.map(String::as_str), Some("30"), "{name}");
        assert!(live.next().await.is_none(), "{name}: that is the last of it");
        println!("{name}: {} of {MANY} before it was dropped", seen.len());
        assert!(!seen.is_empty() && seen[..] == all[..seen.len()], "{name}: lost or out of order");
        let mut resumed = wish.ask(&slow, position).await.unwrap();
        let (rest, _, ended) = read(&mut resumed, MANY - seen.len()).await;
        assert!(ended.is_none(), "{name}: {ended:?}");
        assert_eq!(rest, all[seen.len()..], "{name}: lost or twice");
    }
    let admin = world.role(Role::Admin);
    admin.enterprises.clone().register_enterprise(register("L-LAST")).await.unwrap();
    for live in &mut beside {
        let (seen, ..) = read(live, 1).await;
        assert_eq!(seen[0].enterprise, "L-LAST", "who reads goes on");
    }
    world.stop().await;
}
