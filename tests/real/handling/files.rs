//! Files that are attached to appeals: taken in whole or not at all, and shown to whom they are for.

use doudi_api::proto::{
    DownloadFileRequest, ErasePersonalDataRequest, File, FileDescription, UploadFileRequest,
    UploadFileResponse, download_file_response, upload_file_request::Part,
};
use doudi_journal::Hash;
use futures::{StreamExt, stream};

use super::*;

/// A text of two chunks and a bit.
pub(super) fn content() -> Vec<u8> {
    "厂房照片说明。".repeat(6300).into_bytes()
}

fn hex(content: &[u8]) -> String {
    Hash::sha256(content).to_string().replace("sha256:", "")
}

pub(super) fn description(appeal: &str, visibility: Visibility, content: &[u8]) -> FileDescription {
    FileDescription {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        visibility: visibility.into(),
        name: "说明.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: content.len() as u64,
        sha256: hex(content),
    }
}

pub(super) async fn upload(
    client: &Client,
    description: FileDescription,
    content: &[u8],
) -> Result<Response<UploadFileResponse>, Status> {
    let chunks = content.chunks(65_536).map(|chunk| Part::Chunk(chunk.to_vec()));
    let parts = std::iter::once(Part::Description(description)).chain(chunks);
    let parts: Vec<_> = parts.map(|part| UploadFileRequest { part: Some(part) }).collect();
    client.handling.clone().upload_file(stream::iter(parts)).await
}

pub(super) async fn download(
    client: &Client,
    appeal: &str,
    file: &str,
) -> Result<(File, Vec<u8>), Status> {
    let request = DownloadFileRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        file_id: file.to_owned(),
    };
    let mut parts = client.handling.clone().download_file(request).await?.into_inner();
    let (mut file, mut content) = (None, Vec::new());
    while let Some(part) = parts.message().await? {
        match part.part.unwrap() {
            download_file_response::Part::File(said) => file = Some(said),
            download_file_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((file.unwrap(), content))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_out_as_it_went_in_for_those_it_is_for() {
    let world = World::start().await;
    let submitted = in_handling(&world, submit(ENTERPRISE, "T06", "")).await;
    let (appeal, content) = (&submitted.appeal_id, content());
    let unit = world.unit(LEAD);
    let internal = description(appeal, Visibility::Internal, &content);
    let first = upload(&unit, internal.clone(), &content).await.unwrap().into_inner();
    let again = upload(&unit, internal, &content).await.unwrap().into_inner();
    assert_eq!(first, again, "a repetition attaches nothing more");
    let holder = Client::new(&world.running.channel, &submitted.case_token).unwrap();
    let public = description(appeal, Visibility::Public, &content);
    let public = upload(&holder, public, &content).await.unwrap().into_inner().file_id;

    let (file, sent) = download(&unit, appeal, &first.file_id).await.unwrap();
    assert!(sent == content, "{} bytes", sent.len());
    assert_eq!((&*file.name, &*file.unit), ("说明.txt", LEAD));
    assert_eq!((file.bytes, &file.sha256), (content.len() as u64, &hex(&content)));
    for client in [&world.enterprise(ENTERPRISE), &holder] {
        let hidden = download(client, appeal, &first.file_id).await.unwrap_err();
        assert_eq!(reason(&hidden), "FILE_UNKNOWN");
        assert!(download(client, appeal, &public).await.unwrap().1 == content);
    }
    let stranger = download(&world.unit("tax"), appeal, &public).await.unwrap_err();
    assert_eq!(reason(&stranger), "APPEAL_UNKNOWN");
    assert_eq!(read(&unit, appeal).await.unwrap().files.len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_not_as_it_says_attaches_nothing() {
    let world = World::start().await;
    let appeal = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let (unit, content) = (world.unit(LEAD), content());
    let sound = || description(&appeal, Visibility::Internal, &content);
    let pdf = "application/pdf".to_owned();
    let page = "text/html".to_owned();
    let table = [
        (FileDescription { sha256: hex(b"other"), ..sound() }, "FILE_HASH_MISMATCH"),
        (FileDescription { bytes: 9, ..sound() }, "FILE_LENGTH"),
        (FileDescription { bytes: 1 << 20, ..sound() }, "FILE_LENGTH"),
        (FileDescription { bytes: 1 << 40, ..sound() }, "REQUEST_INVALID"),
        (FileDescription { media_type: pdf, ..sound() }, "FILE_TYPE_MISMATCH"),
        (FileDescription { media_type: page, ..sound() }, "FILE_TYPE_NOT_ALLOWED"),
        (FileDescription { appeal_id: command_id(), ..sound() }, "APPEAL_UNKNOWN"),
    ];
    for (description, expected) in table {
        assert_eq!(refused(upload(&unit, description, &content).await), expected);
    }
    let raw = async |parts: Vec<Part>| {
        let parts: Vec<_> =
            parts.into_iter().map(|part| UploadFileRequest { part: Some(part) }).collect();
        refused(unit.handling.clone().upload_file(stream::iter(parts)).await)
    };
    let chunk = |bytes: usize| Part::Chunk(content[..bytes].to_vec());
    assert_eq!(raw(vec![chunk(9)]).await, "UPLOAD_ORDER");
    assert_eq!(raw(vec![]).await, "UPLOAD_ORDER");
    let said = || Part::Description(sound());
    assert_eq!(raw(vec![said(), chunk(9), said()]).await, "UPLOAD_ORDER");
    assert_eq!(raw(vec![said(), chunk(65_537)]).await, "CHUNK_SIZE");
    let mine = description(&appeal, Visibility::Internal, &content);
    let by_enterprise = upload(&world.enterprise(ENTERPRISE), mine, &content).await;
    assert_eq!(refused(by_enterprise), "VISIBILITY_PUBLIC_ONLY");
    assert_eq!(read(&unit, &appeal).await.unwrap().files, []);
    world.stop().await;
}

/// What is asked of whoever says what a file is and then sends nothing.
fn idle(
    client: &Client,
    description: FileDescription,
) -> impl Future<Output = Result<Response<UploadFileResponse>, Status>> + Send + use<> {
    let mut handling = client.handling.clone();
    let said = UploadFileRequest { part: Some(Part::Description(description)) };
    async move { handling.upload_file(stream::iter([said]).chain(stream::pending())).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_rules_refuse_is_refused_before_its_content_comes() {
    let world = World::start().await;
    let appeal = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let file = description(&appeal, Visibility::Internal, &content());
    upload(&world.unit(LEAD), file.clone(), &content()).await.unwrap();
    let erase = on!(ErasePersonalDataRequest, appeal);
    world.role(Role::Admin).appeals.erase_personal_data(erase).await.unwrap();
    let other = description(&appeal, Visibility::Internal, &content());
    // Of one that waited for its content we would hear nothing but that it stalled.
    assert_eq!(refused(idle(&world.unit(LEAD), other).await), "PERSONAL_DATA_ERASED");
    upload(&world.unit(LEAD), file, &content()).await.expect("a repetition learns its outcome");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_nothing_keeps_nobody_else_from_sending_or_reading_files() {
    let world = World::start().await;
    let submitted = in_handling(&world, submit(ENTERPRISE, "T06", "")).await;
    let (appeal, content) = (&submitted.appeal_id, content());
    let (unit, file) = (world.unit(LEAD), description(appeal, Visibility::Internal, &content));
    let file = upload(&unit, file, &content).await.unwrap().into_inner().file_id;
    let holder = Client::new(&world.running.channel, &submitted.case_token).unwrap();
    let mut stalled = tokio::task::JoinSet::new();
    for _ in 0..32 {
        stalled.spawn(idle(&holder, description(appeal, Visibility::Public, &content)));
    }
    for _ in 0..16 {
        let beyond = stalled.join_next().await.unwrap().unwrap();
        assert_eq!(refused(beyond), "CALLER_TOO_BUSY", "half of them is its share");
    }
    let first = stalled.join_next().await.unwrap().unwrap();
    assert_eq!(refused(first), "UPLOAD_STALLED");
    // Those that waited for their turn idle now.
    let others = async {
        let next = description(appeal, Visibility::Internal, &content);
        upload(&unit, next, &content).await.unwrap();
        assert!(download(&holder, appeal, &file).await.is_err(), "it is not for the enterprise");
        download(&unit, appeal, &file).await.unwrap();
    };
    tokio::time::timeout(std::time::Duration::from_secs(8), others).await.expect("at once");
    stalled.shutdown().await;
    world.stop().await;
}
