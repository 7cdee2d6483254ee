//! Files on their way in and out. A file comes in whole, checked against what was said of it, before
//! anything of it is stored; how many are in memory at once is bounded.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use doudi_domain::{
    AppealId, Context, Decider, Name, Reference, Sealed,
    appeal::{Appeal, Command, Event, File},
    reads::What,
};
use doudi_engine::{AttachmentError, Folded, Hash, ObjectName, Outcome, streams};
use futures::{Stream, StreamExt};
use tokio::time::timeout;
use tonic::Status;

use super::entries::Entry;
use crate::{
    call::Call,
    convert::{
        Order,
        appeal::of_file,
        common::receipt,
        derived,
        handling::{self as convert, Announced},
    },
    error::{Explain, Failure, Reason, Refusal, Words},
    permission::sight::Part as Seen,
    proto::{self as pb, download_file_response::Part as Sent, upload_file_request::Part},
    services::{
        Api,
        appeal::{Known, Text},
        may_ask,
        sending::{self, CHUNK_BYTES_MAX, Sending},
    },
};

/// The longest pause between two messages of an upload: whoever sends nothing holds a place in memory
/// that others wait for.
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Api {
    /// Nothing of the content is taken in before it is known that it may be attached, by the caller and
    /// by the rules.
    pub(super) async fn upload(
        &self,
        call: &Call,
        mut parts: impl Stream<Item = Result<pb::UploadFileRequest, Status>> + Unpin + Send,
    ) -> Result<pb::UploadFileResponse, Failure> {
        let _open = self.0.uploads.take(&call.caller)?;
        let Some(Part::Description(said)) = next(&mut parts).await? else {
            return Err(Reason::UploadOrder.into());
        };
        let files = &self.0.attachments;
        let bytes_max = u64::try_from(files.settings().bytes_max).unwrap_or(u64::MAX);
        let order = convert::announced(&said, bytes_max)?;
        let Order { enterprise, command_id, command: (asked, file), .. } = &order;
        let for_whom = ("description.visibility", file.visibility);
        let entry = self.entry(call, enterprise, *asked, *command_id, for_whom).await?;
        let appeal = entry.appeal;
        let order = order.map(|(_, file)| (appeal, file));
        self.may_attach(&order, &entry).await?;
        let _place = files.upload_place(&call.caller.subject).await.ok_or(Reason::ShuttingDown)?;
        let content = gathered(&mut parts, order.command.1.bytes).await?;
        let outcome = self.attach(call, &order, entry, content).await?;
        Ok(pb::UploadFileResponse {
            receipt: Some(receipt(&outcome)),
            file_id: derived::note(&order.enterprise, order.command_id).to_string(),
            appeal_id: appeal.to_string(),
        })
    }

    /// Refuses a file that the rules are going to refuse, before its object would be stored. One that is
    /// attached already passes.
    async fn may_attach(&self, order: &Known<Announced>, entry: &Entry) -> Result<(), Failure> {
        let Order { enterprise, command: (appeal, _), .. } = order;
        // What is sealed of it, and where it lies, is decided later and concerns no rule.
        let none = String::new;
        let name = Sealed { subject: none(), algorithm: none(), nonce: none(), ciphertext: none() };
        let nowhere = Reference::parse("-").map_err(Failure::fault)?;
        let media_type = order.command.1.media_type.clone();
        let command = attached(order, entry, (name, media_type, nowhere));
        let judge = |folded: &Folded<Appeal>, context: &Context<'_>| {
            folded.state.decide(context, &command).map(|_| ())
        };
        let stream = streams::appeal(enterprise, *appeal)?;
        let decided = self.0.engine.consider(&stream, &command, judge).await?;
        decided.map_err(|rejection| rejection.explain().into())
    }

    async fn attach(
        &self,
        call: &Call,
        order: &Known<Announced>,
        entry: Entry,
        content: Bytes,
    ) -> Result<Outcome<Appeal>, Failure> {
        let Order { enterprise, command_id, command: (appeal, file), .. } = order;
        let hash: Hash = format!("sha256:{}", file.sha256).parse().map_err(Failure::fault)?;
        let subject = derived::subject(*appeal);
        let media_type = file.media_type.as_str();
        let store =
            self.0.attachments.store(&subject, *command_id, media_type, content, Some(&hash));
        let recorded: fn(&Event) -> Option<&Sealed> = |event| {
            if let Event::FileAttached { file, .. } = event { Some(&file.name) } else { None }
        };
        let stored = match store.await {
            Ok(stored) => stored,
            Err(AttachmentError::Erased) => {
                let stream = streams::appeal(enterprise, *appeal)?;
                return self.first_outcome::<Appeal>(&stream, *command_id, recorded).await;
            }
            Err(error) => return Err(error.into()),
        };
        let media_type = Name::parse(stored.media_type.as_str()).map_err(Failure::fault)?;
        let object = Reference::parse(&stored.object.to_string()).map_err(Failure::fault)?;
        let label = convert::label(&file.sha256, &file.name);
        let text = Text { label: "name", text: &label, recorded };
        let attach = |name| attached(order, &entry, (name, media_type.clone(), object.clone()));
        self.sealed_order(call, order, &entry.folded, text, attach).await
    }

    pub(super) async fn download(
        &self,
        call: &Call,
        request: &pb::DownloadFileRequest,
    ) -> Result<Sending<pb::DownloadFileResponse>, Failure> {
        let (enterprise, appeal, id) = convert::download(request)?;
        may_ask(call, &enterprise)?;
        let folded = self.case(&enterprise, appeal).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        let sight = self.sight(call, &enterprise, appeal, case).await?;
        let asked = |file: &&File| file.id == id && sight.shows(Seen::Entry(file.visibility));
        let file = case.files.iter().find(asked).ok_or(Reason::FileUnknown)?;
        if case.is_erased() {
            return Err(Reason::FileErased.into());
        }
        let place = self.0.attachments.download_place(&call.caller.subject).await;
        let place = place.ok_or(Reason::ShuttingDown)?;
        self.note_read(call, &enterprise, appeal, case, What::File(id)).await?;
        let name = self.0.vault.open(&file.name).await?.ok_or(Reason::FileErased)?;
        let content = self.content(appeal, file).await?.ok_or(Reason::FileErased)?;
        let part = |part| pb::DownloadFileResponse { part: Some(part) };
        let head = Sent::File(of_file(file, &name));
        let chunks = sending::chunks(content).map(Sent::Chunk);
        let parts = std::iter::once(head).chain(chunks).map(part);
        Ok(sending::start(parts, place, call.deadline))
    }

    async fn content(&self, appeal: AppealId, file: &File) -> Result<Option<Bytes>, Failure> {
        let object: ObjectName = file.object.as_str().parse().map_err(Failure::fault)?;
        let fetched = self.0.attachments.fetch(&derived::subject(appeal), &object).await;
        Ok(fetched?)
    }
}

/// The command that attaches the file which an order announces, under that name and kind, from there.
fn attached(
    order: &Known<Announced>,
    entry: &Entry,
    (name, media_type, object): (Sealed, Name, Reference),
) -> Command {
    let Order { enterprise, command_id, command: (_, file), .. } = order;
    Command::Attach(File {
        id: derived::note(enterprise, *command_id),
        unit: entry.unit.clone(),
        visibility: file.visibility,
        name,
        media_type,
        bytes: file.bytes,
        object,
    })
}

/// What comes next; none at the end. A message that says nothing is not the end, and out of order
/// everywhere.
async fn next(
    parts: &mut (impl Stream<Item = Result<pb::UploadFileRequest, Status>> + Unpin),
) -> Result<Option<Part>, Failure> {
    let Ok(next) = timeout(PAUSE_MAX, parts.next()).await else {
        let stalled = Refusal::new(Reason::UploadStalled);
        return Err(stalled.with("seconds_max", PAUSE_MAX.as_secs()).into());
    };
    match next {
        None => Ok(None),
        Some(Ok(message)) => Ok(Some(message.part.ok_or(Reason::UploadOrder)?)),
        Some(Err(_)) => Err(Reason::MessageMalformed.into()),
    }
}

/// The content in chunks, which must have `bytes` bytes in all. Not more than that is ever kept.
async fn gathered(
    parts: &mut (impl Stream<Item = Result<pb::UploadFileRequest, Status>> + Unpin),
    bytes: u64,
) -> Result<Bytes, Failure> {
    let length = |en: String, zh: String| {
        let refusal = Refusal::new(Reason::FileLength).with("bytes", bytes);
        refusal.word("measure", Words::owned(en, zh))
    };
    // How much more there would be is not waited for.
    let more = || length("more than".to_owned(), "超过".to_owned());
    let fewer = |found: usize| {
        length(format!("only {found} of"), format!("仅有{found}字节，不足"))
            .fact("found", found.to_string())
    };
    let bytes_max = usize::try_from(bytes).map_err(|_| fewer(0))?;
    let mut content = BytesMut::new();
    while let Some(part) = next(parts).await? {
        let Part::Chunk(chunk) = part else {
            return Err(Reason::UploadOrder.into());
        };
        if !(1..=CHUNK_BYTES_MAX).contains(&chunk.len()) {
            return Err(Refusal::new(Reason::ChunkSize).with("bytes_max", CHUNK_BYTES_MAX).into());
        }
        if content.len() + chunk.len() > bytes_max {
            return Err(more().into());
        }
        content.extend_from_slice(&chunk);
    }
    if content.len() == bytes_max { Ok(content.freeze()) } else { Err(fewer(content.len()).into()) }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::stream;
    use tokio::time::interval;

    use super::*;

    fn chunks(sizes: &[usize]) -> Vec<Result<pb::UploadFileRequest, Status>> {
        let chunk = |size: &usize| Part::Chunk(vec![7; *size]);
        sizes.iter().map(|size| Ok(pb::UploadFileRequest { part: Some(chunk(size)) })).collect()
    }

    async fn gather(
        parts: Vec<Result<pb::UploadFileRequest, Status>>,
        bytes: u64,
    ) -> Result<usize, Reason> {
        let gathered = gathered(&mut stream::iter(parts), bytes).await;
        gathered.map(|content| content.len()).map_err(|failure| failure.refusal().reason())
    }

    #[tokio::test]
    async fn a_content_is_taken_only_in_the_size_that_was_said() {
        assert_eq!(gather(chunks(&[CHUNK_BYTES_MAX, 10]), 65_546).await, Ok(65_546));
        assert_eq!(gather(chunks(&[9]), 10).await, Err(Reason::FileLength));
        assert_eq!(gather(chunks(&[6, 6]), 10).await, Err(Reason::FileLength));
        assert_eq!(gather(chunks(&[]), 10).await, Err(Reason::FileLength));
        assert_eq!(gather(chunks(&[10, 0]), 10).await, Err(Reason::ChunkSize));
        let large = chunks(&[CHUNK_BYTES_MAX + 1]);
        assert_eq!(gather(large, 1 << 20).await, Err(Reason::ChunkSize));
    }

    #[tokio::test]
    async fn a_content_of_another_size_is_refused_by_what_is_known_of_it() {
        let said = async |sizes: &[usize], bytes| {
            let failure = gathered(&mut stream::iter(chunks(sizes)), bytes).await.unwrap_err();
            failure.refusal().told().1
        };
        let more = said(&[CHUNK_BYTES_MAX, 1], 65_536).await;
        assert_eq!(more.en, "the content has more than the 65536 bytes that were said");
        assert_eq!(more.zh, "文件内容超过所声明的65536字节");
        let fewer = said(&[9], 10).await;
        assert_eq!(fewer.en, "the content has only 9 of the 10 bytes that were said");
        assert_eq!(fewer.zh, "文件内容仅有9字节，不足所声明的10字节");
    }

    #[tokio::test]
    async fn a_second_description_or_a_broken_stream_ends_an_upload() {
        let said = Part::Description(pb::FileDescription::default());
        let mut parts = chunks(&[5]);
        parts.push(Ok(pb::UploadFileRequest { part: Some(said) }));
        assert_eq!(gather(parts, 10).await, Err(Reason::UploadOrder));
        let mut parts = chunks(&[5]);
        parts.push(Err(Status::internal("cut")));
        assert_eq!(gather(parts, 10).await, Err(Reason::MessageMalformed));
    }

    #[tokio::test]
    async fn a_message_that_says_nothing_is_not_the_end_of_an_upload() {
        let mut parts = chunks(&[10]);
        parts.push(Ok(pb::UploadFileRequest { part: None }));
        assert_eq!(gather(parts, 10).await, Err(Reason::UploadOrder));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_may_pause_for_a_while_and_not_for_long() {
        let slowly = |rhythm: Duration| async move {
            let parts = (interval(rhythm), chunks(&[5, 5]).into_iter());
            let parts = stream::unfold(parts, async |(mut rhythm, mut rest)| {
                rhythm.tick().await;
                Some((rest.next()?, (rhythm, rest)))
            });
            let gathered = gathered(&mut pin!(parts), 10).await;
            gathered.map(|content| content.len()).map_err(|failure| failure.refusal().reason())
        };
        assert_eq!(slowly(PAUSE_MAX - Duration::from_secs(1)).await, Ok(10));
        assert_eq!(slowly(PAUSE_MAX + Duration::from_secs(1)).await, Err(Reason::UploadStalled));
    }
}
