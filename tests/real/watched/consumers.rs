//! Whoever follows over gRPC: each asks again from the position that it holds whenever its stream breaks, and
//! keeps all it was ever sent.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_api::proto::{
    StreamEventsRequest, StreamEventsResponse, WatchTimelineRequest, WatchTimelineResponse,
};
use doudi_server::client::Client;
use doudi_tests::until;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use tokio::sync::watch;
use tonic::Status;

use super::super::{
    load::{BOUND, Seen, Wish, open},
    views::killed::Chance,
};

/// One of so many messages makes a consumer leave by itself and come back.
const LEAVES: u64 = 40;

/// A message of either stream.
pub(super) struct Message {
    pub(super) seen: Option<Seen>,
    pub(super) position: String,
}

/// What somebody was sent, and how often its stream ended before.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) seen: Vec<Seen>,
    pub(super) broken: usize,
    pub(super) left: usize,
}

impl Wish {
    /// Follows from the beginning until it holds the position that is `end`.
    pub(super) async fn follow(
        self,
        client: Client,
        mut chance: Chance,
        end: watch::Receiver<String>,
    ) -> Followed {
        let mut followed = Followed::default();
        let mut position = String::new();
        loop {
            let mut live = self.resume(&client, &position).await;
            loop {
                match live.next().await {
                    Some(Ok(message)) => {
                        position = message.position;
                        followed.seen.extend(message.seen);
                        if position == *end.borrow() {
                            return followed;
                        }
                        if chance.up_to(LEAVES) == 1 {
                            followed.left += 1;
                            break;
                        }
                    }
                    Some(Err(status)) if open(&status) => {
                        followed.broken += 1;
                        break;
                    }
                    Some(Err(status)) => panic!("{}: {status:?}", self.name),
                    None => panic!("{}: the stream ended without a word", self.name),
                }
            }
        }
    }

    /// The stream from after `position`, once a server is there.
    async fn resume(
        &self,
        client: &Client,
        position: &str,
    ) -> BoxStream<'static, Result<Message, Status>> {
        let asked = until(BOUND, || async {
            let asked = self.ask(client, position.to_owned()).await;
            if asked.as_ref().is_err_and(open) { None } else { Some(asked) }
        });
        match asked.await {
            Some(Ok(live)) => live,
            Some(Err(status)) => panic!("{}: refused: {status:?}", self.name),
            None => panic!("{}: no server within {BOUND:?}", self.name),
        }
    }

    /// The stream from after that position, if a server grants it.
    pub(super) async fn ask(
        &self,
        client: &Client,
        after_position: String,
    ) -> Result<BoxStream<'static, Result<Message, Status>>, Status> {
        let kinds = self.kind.map(i32::from).into_iter().collect();
        let areas = self.area.map(str::to_owned).into_iter().collect();
        let enterprise_id = self.enterprise.unwrap_or_default().to_owned();
        if self.by_feed {
            let request = StreamEventsRequest { after_position, kinds, areas, enterprise_id };
            let live = client.feed.clone().stream_events(request).await?.into_inner();
            return Ok(live.map_ok(fed).boxed());
        }
        let unit = self.unit.unwrap_or_default().to_owned();
        let request = WatchTimelineRequest { after_position, kinds, areas, enterprise_id, unit };
        let live = client.timelines.clone().watch_timeline(request).await?.into_inner();
        Ok(live.map_ok(watched).boxed())
    }
}

fn fed(response: StreamEventsResponse) -> Message {
    let seen = response.event.map(|event| {
        let (position, ordinal) = place(&event.id);
        let event_type = event.r#type.rsplit('.').next().unwrap().to_owned();
        Seen { position, ordinal: ordinal.unwrap(), enterprise: event.partitionkey, event_type }
    });
    Message { seen, position: response.position }
}

fn watched(response: WatchTimelineResponse) -> Message {
    let seen = response.entry.map(|entry| Seen {
        position: place(&entry.position).0,
        ordinal: entry.ordinal,
        enterprise: entry.enterprise_id,
        event_type: entry.event_type,
    });
    Message { seen, position: response.position }
}

impl Followed {
    /// Holds what was seen against what should have been.
    pub(super) fn assert_is(&self, wish: &Wish, due: &[&Seen]) {
        let name = wish.name;
        let Self { seen, broken, left } = self;
        println!("{name}: {} seen, broken off {broken} times, left {left} times", seen.len());
        let differ = seen.iter().zip(due).find(|(seen, due)| seen != *due);
        assert!(differ.is_none(), "{name}: {differ:?}: lost, twice or out of order");
        assert_eq!(seen.len(), due.len(), "{name}: lost or twice at the end");
        assert!(*broken > 0 && !due.is_empty(), "{name}: nothing was tried");
    }
}

/// The position in a token, and the place inside its commit where it says one.
fn place(token: &str) -> (u64, Option<u32>) {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    let (position, ordinal) = bytes[1..].split_first_chunk().unwrap();
    let ordinal = ordinal.try_into().ok().map(u32::from_be_bytes);
    (u64::from_be_bytes(*position), ordinal)
}
