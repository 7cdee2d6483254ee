//! The storage format of a commit: round trips, its exact bytes, and what is refused.

use super::*;

fn event(data: &str) -> StoredEvent {
    StoredEvent {
        name: "profile.registered".into(),
        version: 1,
        data: RawValue::from_string(data.to_owned()).unwrap(),
    }
}

fn first() -> Commit {
    Commit {
        stream: StreamName::new("91210200MA0000000X", "profile", None).unwrap(),
        version: Version(1),
        previous: None,
        command_id: Uuid::from_u128(1),
        command_digest: Hash::sha256(b"command"),
        actor: Actor {
            principal: "u-1".into(),
            unit: Some("tax".into()),
            device: None,
            on_behalf_of: None,
        },
        occurred_at: "2026-03-02T01:02:03Z".parse().unwrap(),
        recorded_at: "2026-03-02T01:02:04.5Z".parse().unwrap(),
        causation: None,
        correlation: Uuid::from_u128(2),
        traceparent: None,
        events: vec![event(r#"{"name":"甲公司","n": 1.50}"#)],
    }
}

fn second() -> Commit {
    let first = first();
    Commit {
        version: Version(2),
        previous: Some(Hash::sha256(&first.encode().unwrap())),
        causation: Some(Uuid::from_u128(3)),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        events: vec![event("1"), event("[]")],
        ..first
    }
}

#[test]
fn commits_round_trip_and_keep_event_bytes_as_they_were() {
    for commit in [first(), second()] {
        let bytes = commit.encode().unwrap();
        let decoded = Commit::decode(&bytes).unwrap();
        assert_eq!(decoded, commit);
        assert_eq!(decoded.encode().unwrap(), bytes);
    }
    // Number formats and spaces of the content survive: hashes are over bytes.
    let stored = String::from_utf8(first().encode().unwrap().to_vec()).unwrap();
    assert!(stored.contains(r#""data":{"name":"甲公司","n": 1.50}"#), "{stored}");
}

#[test]
fn the_storage_format_is_this_one() {
    let stored = String::from_utf8(first().encode().unwrap().to_vec()).unwrap();
    let expected = concat!(
        r#"{"stream":"ev.91210200MA0000000X.profile","version":1,"#,
        r#""command_id":"00000000-0000-0000-0000-000000000001","#,
        r#""command_digest":"sha256:5d347fd948b66308f502c3f65c8f7e12ff1c5cf8c760bcdfb188ae1ec7b8b618","#,
        r#""actor":{"principal":"u-1","unit":"tax"},"#,
        r#""occurred_at":"2026-03-02T01:02:03Z","recorded_at":"2026-03-02T01:02:04.5Z","#,
        r#""correlation":"00000000-0000-0000-0000-000000000002","#,
        r#""events":[{"type":"profile.registered","v":1,"data":{"name":"甲公司","n": 1.50}}]}"#,
    );
    assert_eq!(stored, expected);
}

#[test]
fn unknown_fields_are_passed_over() {
    let stored = String::from_utf8(first().encode().unwrap().to_vec()).unwrap();
    let newer = stored.replacen('{', r#"{"added_later":true,"#, 1);
    assert_eq!(Commit::decode(newer.as_bytes()).unwrap(), first());
}

#[test]
fn broken_invariants_are_refused_both_ways() {
    let hash = Some(Hash::sha256(b"x"));
    let many = vec![event("1"); EVENTS_MAX + 1];
    let cases = [
        (Commit { version: Version(0), ..first() }, CommitFault::VersionZero),
        (Commit { previous: hash, ..first() }, CommitFault::PreviousAtFirst),
        (
            Commit { previous: None, ..second() },
            CommitFault::PreviousMissing { version: Version(2) },
        ),
        (Commit { events: vec![], ..first() }, CommitFault::EventCount { events: 0 }),
        (Commit { events: many, ..first() }, CommitFault::EventCount { events: EVENTS_MAX + 1 }),
    ];
    for (commit, fault) in cases {
        match commit.encode() {
            Err(EncodeError::Malformed(found)) => assert_eq!(found, fault),
            other => panic!("expected {fault:?}, got {other:?}"),
        }
        let bytes = serde_json::to_vec(&commit).unwrap();
        match Commit::decode(&bytes) {
            Err(DecodeError::Malformed(found)) => assert_eq!(found, fault),
            other => panic!("expected {fault:?}, got {other:?}"),
        }
    }
}

#[test]
fn the_size_bound_holds_both_ways() {
    let filling = |bytes: usize| format!("{:?}", "x".repeat(bytes));
    let fits = Commit { events: vec![event(&filling(COMMIT_BYTES_MAX - 1024))], ..first() };
    assert!(fits.encode().is_ok());
    let over = Commit { events: vec![event(&filling(COMMIT_BYTES_MAX))], ..first() };
    assert!(matches!(over.encode(), Err(EncodeError::TooLarge { .. })));
    let bytes = serde_json::to_vec(&over).unwrap();
    assert!(matches!(Commit::decode(&bytes), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn bytes_that_are_no_commit_are_refused() {
    for bytes in [&b""[..], b"null", b"{}", b"\xff\xfe", b"[1,2]"] {
        assert!(matches!(Commit::decode(bytes), Err(DecodeError::Json { .. })), "{bytes:?}");
    }
}
