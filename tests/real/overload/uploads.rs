//! Uploads that wait for their place beside other calls of the same connection.

use std::time::Instant;

use doudi_api::proto::{FileDescription, UploadFileRequest, Visibility, upload_file_request::Part};
use futures::{StreamExt, stream::FuturesUnordered};

use super::{
    super::requests::submit,
    raw::{call, framed},
    *,
};

const UPLOAD: &str = "/doudi.v1.HandlingService/UploadFile";
/// How many may be one account's at once.
const OWN_MAX: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_wait_hold_up_no_other_call_of_their_connection_and_are_bounded() {
    let besieged = Besieged::start(&[]).await;
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let claims =
        Claims { enterprise: Some(enterprise_id.clone()), ..token::claims(Role::Enterprise) };
    let token = besieged.servers.token(&claims);
    let mut client = Client::new(&besieged.channel, &token).unwrap();
    let submitted = client.appeals.submit_appeal(submit(&enterprise_id, "T06", "")).await.unwrap();
    let description = Part::Description(FileDescription {
        command_id: command_id(),
        enterprise_id: enterprise_id.clone(),
        appeal_id: submitted.into_inner().appeal_id,
        visibility: Visibility::Public.into(),
        name: "a.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: 4 << 20,
        sha256: "0".repeat(64),
    });
    // More than the window of a call, and less than what was announced.
    let chunks = std::iter::repeat_n(Part::Chunk(vec![b'a'; 1 << 16]), 8);
    let parts: Vec<_> = std::iter::once(description)
        .chain(chunks)
        .map(|part| framed(&UploadFileRequest { part: Some(part) }))
        .collect();
    let mut hostile = besieged.hostile(65_535).await;
    let (mut ends, mut open) = (FuturesUnordered::new(), vec![]);
    for _ in 0..OWN_MAX {
        let (answer, body) = hostile.begin(call(UPLOAD, &token), &parts).await.unwrap();
        ends.push(answer);
        open.push(body);
    }
    let page = ListTimelineRequest { enterprise_id, page_size: 1, ..<_>::default() };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        tokio::select! {
            biased;
            listed = hostile.list(&token, &page) => assert_eq!(listed.unwrap()["grpc-status"], "0"),
            ended = ends.next() => panic!("it waited for an upload: {ended:?}"),
        }
    }
    let (answer, _body) = hostile.begin(call(UPLOAD, &token), &parts).await.unwrap();
    let refused = timeout(BOUND, answer).await.unwrap().unwrap();
    assert_eq!(refused.headers()["grpc-status"], "8", "its account has its share");
    besieged.end().await;
}
