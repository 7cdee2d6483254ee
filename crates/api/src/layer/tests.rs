//! What the access layer lets through, and how it answers the rest.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic_types::StatusExt;
use tower::{ServiceExt, service_fn};

use super::*;
use crate::{identity, permission::Role, proto::FILE_DESCRIPTOR_SET};

const GET: &str = "/doudi.v1.PolicyService/GetPolicy";
const DRAFT: &str = "/doudi.v1.PolicyService/DraftPolicy";

fn layer(requests_in_flight_max: usize) -> AccessLayer {
    let bounds = Bounds {
        requests_in_flight_max,
        requests_per_caller_max: 10,
        message_bytes_in_flight_max: 400_000,
        request_timeout_max: Duration::from_secs(30),
        message_bytes_max: 1000,
    };
    let clock = Clock::new(|| Timestamp::from_second(identity::tests::NOW).unwrap());
    AccessLayer::new(identity::tests::authenticator(), clock, bounds)
}

fn request(path: &str, headers: &[(&'static str, String)]) -> Request<Body> {
    let mut request = Request::builder().uri(format!("http://doudi{path}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Body::empty()).unwrap()
}

fn bearer_of(role: Role) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", identity::tests::token_of(role)))
}

/// The status of what a service behind the layer answers.
async fn ask<F>(
    layer: AccessLayer,
    request: Request<Body>,
    answer: fn(Request<Body>) -> F,
) -> Status
where
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let response = layer.layer(service_fn(answer)).oneshot(request).await.unwrap();
    Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok(""))
}

async fn fine(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let admitted = request.extensions().get::<Call>().is_some();
    let open = OPEN.iter().any(|open| request.uri().path().starts_with(open));
    assert!(admitted != open, "a call is known exactly where a token was asked for");
    Ok(Status::ok("").into_http())
}

async fn large(bytes: usize) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::new(Full::new(Bytes::from(vec![7; bytes])))))
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn only_a_known_rpc_with_a_sound_token_of_the_right_role_is_served() {
    let junk = || ("authorization", "Bearer junk".to_owned());
    let basic = || ("authorization", "Basic YTpi".to_owned());
    let table = [
        (GET, vec![], Code::Unauthenticated, "TOKEN_MISSING"),
        (GET, vec![basic()], Code::Unauthenticated, "TOKEN_MISSING"),
        (GET, vec![junk()], Code::Unauthenticated, "TOKEN_MALFORMED"),
        (GET, vec![bearer_of(Role::Auditor)], Code::Ok, ""),
        (
            GET,
            vec![bearer_of(Role::Auditor), bearer_of(Role::Admin)],
            Code::Unauthenticated,
            "TOKEN_MALFORMED",
        ),
        (DRAFT, vec![bearer_of(Role::Auditor)], Code::PermissionDenied, "ROLE_MISSING"),
        (DRAFT, vec![bearer_of(Role::Admin)], Code::Ok, ""),
        ("/doudi.v1.X/Y", vec![bearer_of(Role::Admin)], Code::Unimplemented, "RPC_UNKNOWN"),
        ("/doudi.v1.X/Y", vec![], Code::Unauthenticated, "TOKEN_MISSING"),
        ("/grpc.health.v1.Health/Check", vec![], Code::Ok, ""),
    ];
    for (path, headers, code, why) in table {
        let status = ask(layer(1), request(path, &headers), fine).await;
        assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{path} {headers:?}");
    }
}

#[tokio::test]
async fn load_is_shed_time_is_bounded_and_a_panic_stays_with_its_call() {
    let token = bearer_of(Role::Auditor);
    let full = ask(layer(0), request(GET, std::slice::from_ref(&token)), fine).await;
    assert_eq!((full.code(), reason(&full).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(full.get_error_details().retry_info().is_some());

    let hurried = [token.clone(), ("grpc-timeout", "1m".to_owned())];
    let late = ask(layer(1), request(GET, &hurried), |_| std::future::pending()).await;
    assert_eq!(reason(&late), "DEADLINE_EXCEEDED");
    assert_eq!(late.code(), Code::DeadlineExceeded);

    let broken = ask(layer(1), request(GET, &[token]), |_| async { panic!("a bug") }).await;
    assert_eq!((broken.code(), reason(&broken).as_str()), (Code::Internal, "FAULT"));
    assert!(!broken.message().contains("a bug"));
}

#[tokio::test]
async fn a_call_whose_time_is_over_is_not_begun() {
    let hurried = [bearer_of(Role::Auditor), ("grpc-timeout", "0m".to_owned())];
    let late = ask(layer(1), request(GET, &hurried), |_| async { panic!("it was begun") }).await;
    assert_eq!(
        (late.code(), reason(&late).as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_keeps_its_place_until_it_was_read_or_others_need_the_room() {
    const BYTES: usize = 70_000;
    let layer = layer(1);
    let large = |_| large(BYTES);
    let of = |subject: &str| {
        let token = format!("Bearer {}", identity::tests::token_of_account(Role::Auditor, subject));
        request(GET, &[("authorization", token)])
    };
    let answer = || layer.layer(service_fn(large)).oneshot(of("one"));
    let other = || ask(layer.clone(), of("other"), fine);

    let mut body = answer().await.unwrap().into_body();
    let mut read = 0;
    for _ in 0..2 {
        read += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
        assert_eq!(reason(&other().await), "OVERLOADED", "the rest is unread");
    }
    read += body.collect().await.unwrap().to_bytes().len();
    assert_eq!(read, BYTES);
    assert_eq!(other().await.code(), Code::Ok);

    let mut left = answer().await.unwrap().into_body();
    let first = left.frame().await.unwrap().unwrap();
    assert!(first.data_ref().unwrap().len() < BYTES / 2);
    assert_eq!(reason(&other().await), "OVERLOADED");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(other().await.code(), Code::Ok, "who does not read makes room");
    let ended = left.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(reason(&Status::from_header_map(&ended).unwrap()), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn messages_of_all_calls_are_bounded_by_their_bytes() {
    const BYTES: usize = 60_000;
    let layer = layer(3);
    let token = bearer_of(Role::Auditor);
    let large = |_| large(BYTES);
    let asked =
        || layer.layer(service_fn(large)).oneshot(request(GET, std::slice::from_ref(&token)));
    let mut first = asked().await.unwrap().into_body();
    first.frame().await.unwrap().unwrap();
    let second = asked().await.unwrap().into_body().collect().await.unwrap();
    let status = Status::from_header_map(second.trailers().unwrap()).unwrap();
    assert_eq!(reason(&status), "OVERLOADED");
    drop(first);
    assert_eq!(asked().await.unwrap().into_body().collect().await.unwrap().to_bytes().len(), BYTES);

    let echo = |request: Request<Body>| async {
        let read = request.into_body().collect().await;
        Ok(read.map_or_else(Status::into_http, |_| Status::ok("").into_http()))
    };
    let mut sent = request(GET, &[token]);
    *sent.body_mut() = Body::new(Full::new(Bytes::from(vec![7; 2 * BYTES])));
    assert_eq!(reason(&ask(layer, sent, echo).await), "OVERLOADED");
}

#[test]
fn every_stream_of_the_contract_is_known_as_one() {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let mut streams = vec![];
    for file in &files.file {
        for service in &file.service {
            for rpc in &service.method {
                if rpc.client_streaming() || rpc.server_streaming() {
                    streams.push(format!("/{}.{}/{}", file.package(), service.name(), rpc.name()));
                }
            }
        }
    }
    streams.sort_unstable();
    let mut known = STREAMS;
    known.sort_unstable();
    assert_eq!(streams, known);
}

#[test]
fn nothing_that_takes_a_command_counts_as_reading() {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let messages = files.file.iter().flat_map(|file| &file.message_type);
    let commands = messages.filter(|it| it.field.iter().any(|field| field.name() == "command_id"));
    let mut found = 0;
    for message in commands {
        let Some(rpc) = message.name().strip_suffix("Request") else { continue };
        assert!(!reads(&format!("/doudi.v1.X/{rpc}")), "{rpc}");
        found += 1;
    }
    assert!(found > 50 && reads(GET) && !reads("/doudi.v1.DeviceService/UploadRecords"));
}

#[tokio::test]
async fn what_the_transport_refuses_is_said_in_our_words() {
    let token = bearer_of(Role::Admin);
    let asked = || request(GET, std::slice::from_ref(&token));
    let large = |_| async { Ok(Status::out_of_range("too large").into_http()) };
    let large = ask(layer(1), asked(), large).await;
    assert_eq!(
        (large.code(), reason(&large).as_str()),
        (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")
    );
    let garbled = |_| async { Ok(Status::internal("invalid tag").into_http()) };
    let garbled = ask(layer(1), asked(), garbled).await;
    assert_eq!(
        (garbled.code(), reason(&garbled).as_str()),
        (Code::InvalidArgument, "MESSAGE_MALFORMED")
    );
    let fault = |_| async { Ok(refused(Failure::fault("a fault"))) };
    assert_eq!(reason(&ask(layer(1), asked(), fault).await), "FAULT");
}

#[tokio::test]
async fn an_unknown_path_is_repeated_in_part() {
    let path = format!("/doudi.v1.X/{}", "y".repeat(4000));
    let status = ask(layer(1), request(&path, &[bearer_of(Role::Admin)]), fine).await;
    let rpc = status.get_error_details().error_info().unwrap().metadata["rpc"].clone();
    assert_eq!(rpc, path[..PATH_CHARS_MAX]);
    assert!(status.message().len() < 300 && status.details().len() < 1500, "{status:?}");
}

#[test]
fn a_granted_time_is_read_as_the_protocol_spells_it() {
    for (text, granted) in [
        ("1H", Some(Duration::from_secs(3600))),
        ("2M", Some(Duration::from_secs(120))),
        ("99999999S", Some(Duration::from_secs(99_999_999))),
        ("250m", Some(Duration::from_millis(250))),
        ("7u", Some(Duration::from_micros(7))),
        ("7n", Some(Duration::from_nanos(7))),
        ("", None),
        ("S", None),
        ("1", None),
        ("-1S", None),
        ("123456789S", None),
        ("1长", None),
    ] {
        assert_eq!(timeout(text), granted, "{text}");
    }
}
