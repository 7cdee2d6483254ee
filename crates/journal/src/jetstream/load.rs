//! Reading: batched direct gets, which any replica answers, for streams and pages of the log;
//! single gets from the stream's leader where only the newest truth will do.

use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message, Request, jetstream::ErrorCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{JetStream, config, proof::Seen};
use crate::{Entry, LoadError, Position, READ_RECORDS_MAX, Record, Source, StreamName};

/// The most bytes that the server sends for one page.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The shortest and the longest pause before a replica that answered stale is asked again.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Every subject.
pub(super) const ALL: &str = ">";

/// A batched direct get.
#[derive(Serialize)]
struct BatchRequest<'a> {
    seq: u64,
    batch: usize,
    max_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_by_subj: Option<&'a str>,
}

/// A get of one message from the leader.
#[derive(Serialize)]
#[serde(untagged)]
enum SingleRequest<'a> {
    FirstFrom { seq: u64, next_by_subj: &'a str },
    LastOf { last_by_subj: &'a str },
}

#[derive(Deserialize)]
struct SingleAnswer<T> {
    message: T,
}

#[derive(Deserialize)]
struct SinglePlace {
    seq: u64,
}

/// A message as the leader writes it.
#[derive(Deserialize)]
struct SingleWhole {
    seq: u64,
    #[serde(default)]
    data: String,
}

/// One answer to a batched direct get: messages in order, and whether there are more after them.
pub(super) struct Batch {
    pub(super) messages: Vec<Found>,
    pub(super) more: bool,
}

/// A message as some JetStream stream holds it.
pub(super) struct Found {
    pub(super) sequence: u64,
    pub(super) subject: String,
    /// Its own headers, and those that the reply adds.
    headers: HeaderMap,
    pub(super) payload: Bytes,
}

impl Found {
    fn position(&self) -> Position {
        Position(self.sequence)
    }

    fn record(self) -> Record {
        Record::new(self.position(), &self.subject, self.payload)
    }

    fn entry(self) -> Entry {
        let position = self.position();
        let Found { subject, headers, payload, .. } = self;
        Entry { position, subject, headers: own(&headers), payload }
    }
}

impl JetStream {
    pub(crate) async fn load(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<Vec<Record>, LoadError> {
        let unavailable = |source| LoadError::Unavailable { what: stream.to_string(), source };
        self.relied_on(unavailable, || self.all_of(stream, after, at_least)).await
    }

    /// The stream's records after `after`, and the last of them.
    async fn all_of(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<(Vec<Record>, Seen), LoadError> {
        let mut deadline = Instant::now() + self.timeout();
        let newest = self.newest(stream, after).await?;
        if at_least <= after && newest.is_some_and(|newest| newest <= after) {
            return Ok((Vec::new(), Seen::default()));
        }
        let at_least = at_least.max(newest.unwrap_or(Position::START));
        let mut records = Vec::new();
        let mut last = after;
        let mut pause = PAUSE_MIN;
        loop {
            let page = self.page(Some(stream), last, READ_RECORDS_MAX).await;
            let source = match page {
                Ok(page) => {
                    if let Some(newest) = page.messages.last() {
                        last = newest.position();
                        deadline = Instant::now() + self.timeout();
                    }
                    records.extend(page.messages.into_iter().map(Found::record));
                    if page.more {
                        continue;
                    }
                    if last >= at_least {
                        let seen = records
                            .last()
                            .map(|last: &Record| Seen::record(last.position, &last.payload));
                        return Ok((records, seen.unwrap_or_default()));
                    }
                    format!("the answer ends at position {last}, not {at_least}").into()
                }
                Err(source) if !self.linked() || self.proven().is_err() => {
                    let what = stream.to_string();
                    return Err(LoadError::Unavailable { what, source });
                }
                Err(source) => source,
            };
            if Instant::now() + pause >= deadline {
                return Err(LoadError::Unavailable { what: stream.to_string(), source });
            }
            tokio::time::sleep(pause).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    /// Where the stream ends, if that is worth asking before anything is read. With several replicas one that is
    /// behind may answer a batch, so the leader says it first. A single server answers for itself, but most
    /// streams of which something is known have not moved since, and to be told so costs less than an empty batch.
    async fn newest(
        &self,
        stream: &StreamName,
        after: Position,
    ) -> Result<Option<Position>, LoadError> {
        if self.shared.settings.replicas > 1 {
            let last = self.last_of(stream).await;
            let unavailable = |source| LoadError::Unavailable { what: stream.to_string(), source };
            return last.map_err(unavailable);
        }
        if after == Position::START {
            return Ok(None);
        }
        // What goes wrong here is tried again by the batch.
        Ok(self.last_here(stream).await.unwrap_or_default())
    }

    /// The position of the stream's last record, as the server that is asked knows it.
    async fn last_here(&self, stream: &StreamName) -> Result<Option<Position>, Source> {
        let log = &self.shared.settings.stream;
        let asked = format!("{}.{log}.{stream}", config::DIRECT_GET);
        let request = Request::new().timeout(None);
        let answer =
            self.while_connected(self.shared.client.send_request(asked, request)).await??;
        match answer.status.map_or(200, |status| status.as_u16()) {
            200 => {
                let headers = answer.headers.as_ref().ok_or("a reply has no headers")?;
                Ok(Some(Position(number(headers, "Nats-Sequence")?)))
            }
            404 => Ok(None),
            status => Err(format!("the NATS server answered with status {status}").into()),
        }
    }

    pub(crate) async fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LoadError> {
        Ok(self.whole_page(after, limit).await?.into_iter().map(Found::record).collect())
    }

    pub(crate) async fn entries(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LoadError> {
        Ok(self.whole_page(after, limit).await?.into_iter().map(Found::entry).collect())
    }

    /// Up to `limit` messages after the position `after`, without a gap; none at the end of the log.
    async fn whole_page(&self, after: Position, limit: usize) -> Result<Vec<Found>, LoadError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let unavailable = |source| LoadError::Unavailable {
            what: format!("the log after position {after}"),
            source,
        };
        let ask = || async move {
            let found = self.settled_page(after, limit).await.map_err(unavailable)??;
            let seen = found.last().map(|last| Seen::record(last.position(), &last.payload));
            Ok((found, seen.unwrap_or_default()))
        };
        self.relied_on(unavailable, ask).await
    }

    /// As [`JetStream::whole_page`], of the connection that there is.
    async fn settled_page(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Result<Vec<Found>, LoadError>, Source> {
        let deadline = Instant::now() + self.timeout();
        let mut pause = PAUSE_MIN;
        loop {
            let page = self.page(None, after, limit).await?;
            if !page.messages.is_empty() {
                return Ok(without_gap(after, page.messages));
            }
            // The end of the log, or a gap; else the log has grown since, or a replica is behind.
            match self.first_from(ALL, after.next()).await? {
                None => return Ok(Ok(Vec::new())),
                Some(found) if found > after.next() => {
                    return Ok(Err(LoadError::Gap { expected: after.next(), found }));
                }
                Some(_) => {}
            }
            if Instant::now() + pause >= deadline {
                return Err("a replica of the log is behind".into());
            }
            tokio::time::sleep(pause).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    /// The position of the first record of such a subject at or after `position`, as the leader knows it.
    pub(super) async fn first_from(
        &self,
        subject: &str,
        position: Position,
    ) -> Result<Option<Position>, Source> {
        let first = SingleRequest::FirstFrom { seq: position.0, next_by_subj: subject };
        let found = self.single(&first).await?;
        Ok(found.map(|SinglePlace { seq }| Position(seq)))
    }

    /// The first record at or after `position`, as the leader knows it.
    pub(super) async fn record_from(&self, position: Position) -> Result<Option<Seen>, Source> {
        let first = SingleRequest::FirstFrom { seq: position.0, next_by_subj: ALL };
        let Some(SingleWhole { seq, data }) = self.single(&first).await? else {
            return Ok(None);
        };
        let payload = BASE64_STANDARD.decode(data)?;
        Ok(Some(Seen { position: Position(seq), payload: Some(payload.into()) }))
    }

    /// The position of the stream's last record, as the leader knows it.
    pub(super) async fn last_of(&self, stream: &StreamName) -> Result<Option<Position>, Source> {
        let found = self.single(&SingleRequest::LastOf { last_by_subj: stream.as_str() }).await?;
        Ok(found.map(|SinglePlace { seq }| Position(seq)))
    }

    async fn single<T: DeserializeOwned>(
        &self,
        request: &SingleRequest<'_>,
    ) -> Result<Option<T>, Source> {
        use async_nats::jetstream::response::Response;
        let subject = format!("STREAM.MSG.GET.{}", self.shared.settings.stream);
        let asked = self.shared.context.request(subject, request);
        let answer: Response<SingleAnswer<T>> = self.while_connected(asked).await??;
        match answer {
            Response::Ok(answer) => Ok(Some(answer.message)),
            Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => {
                Ok(None)
            }
            Response::Err { error } => Err(error.into()),
        }
    }

    /// One batched direct get of up to `limit` records after `after`.
    async fn page(
        &self,
        stream: Option<&StreamName>,
        after: Position,
        limit: usize,
    ) -> Result<Batch, Source> {
        let log = &self.shared.settings.stream;
        self.batch(log, stream.map(StreamName::as_str), after.0, limit).await
    }

    /// One batched direct get of up to `limit` messages after the sequence `after`, of one
    /// `subject` or of all, from the JetStream stream called `from`.
    pub(super) async fn batch(
        &self,
        from: &str,
        subject: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Batch, Source> {
        let request = serde_json::to_vec(&BatchRequest {
            seq: after + 1,
            batch: limit,
            max_bytes: PAGE_BYTES_MAX,
            next_by_subj: subject,
        })?;
        let client = &self.shared.client;
        let collect = async {
            let inbox = client.new_inbox();
            let mut replies = client.subscribe(inbox.clone()).await?;
            let asked = format!("{}.{from}", config::DIRECT_GET);
            client.publish_with_reply(asked, inbox, request.into()).await?;
            let mut messages = Vec::new();
            loop {
                let reply = replies.next().await.ok_or("the subscription was closed")?;
                if let Some(more) = take(reply, &mut messages)? {
                    return Ok(Batch { messages, more });
                }
            }
        };
        self.while_connected(collect).await?
    }
}

/// The messages, if each follows the one before, the first of them `after`.
fn without_gap(after: Position, messages: Vec<Found>) -> Result<Vec<Found>, LoadError> {
    let mut expected = after.next();
    for message in &messages {
        if message.position() != expected {
            return Err(LoadError::Gap { expected, found: message.position() });
        }
        expected = expected.next();
    }
    Ok(messages)
}

/// Takes in one reply of a batch; at its end, says whether there is more to ask for.
fn take(reply: Message, messages: &mut Vec<Found>) -> Result<Option<bool>, Source> {
    let headers = reply.headers.ok_or("a reply has no headers")?;
    match reply.status.map_or(200, |status| status.as_u16()) {
        200 => {
            let sequence = number(&headers, "Nats-Sequence")?;
            let subject = headers.get("Nats-Subject").ok_or("a reply has no subject")?;
            let subject = subject.as_str().to_owned();
            messages.push(Found { sequence, subject, headers, payload: reply.payload });
            Ok(None)
        }
        204 => {
            // A reply that got lost on the way must not pass for a record that never was.
            let last = messages.last().map_or(0, |found| found.sequence);
            if last != number(&headers, "Nats-Last-Sequence")? {
                return Err("replies of the server are missing".into());
            }
            Ok(Some(number(&headers, "Nats-Num-Pending")? > 0))
        }
        404 => Ok(Some(false)),
        status => {
            let words = reply.description.unwrap_or_default();
            Err(format!("the NATS server answered with status {status}: {words}").into())
        }
    }
}

/// The headers of a message without those that the reply adds.
fn own(headers: &HeaderMap) -> Vec<(String, String)> {
    const ADDED: [&str; 7] = [
        "Nats-Stream",
        "Nats-Subject",
        "Nats-Sequence",
        "Nats-Time-Stamp",
        "Nats-Num-Pending",
        "Nats-Last-Sequence",
        "Nats-UpTo-Sequence",
    ];
    let mut own = Vec::new();
    for (name, values) in headers.iter() {
        let name = name.to_string();
        if !ADDED.contains(&name.as_str()) {
            own.extend(values.iter().map(|value| (name.clone(), value.as_str().to_owned())));
        }
    }
    // By name alone: the values of one name keep their order.
    own.sort_by(|one, other| one.0.cmp(&other.0));
    own
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, Source> {
    let value = headers.get(name).ok_or_else(|| format!("a reply has no {name}"))?;
    Ok(value.as_str().parse()?)
}
