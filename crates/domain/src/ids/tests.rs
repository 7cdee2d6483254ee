//! What each identifier admits, and how a refused one is explained.

use super::*;

#[test]
fn texts_within_their_alphabet_and_bound() {
    let long = "x".repeat(65);
    for (text, expected) in [
        ("market-regulation", Ok(())),
        ("tax2", Ok(())),
        ("", Err(Invalid::Empty)),
        (long.as_str(), Err(Invalid::TooLong { max: 64 })),
        ("Tax", Err(Invalid::Character { allowed: "lower-case letters, digits and '-'" })),
        ("市税务局", Err(Invalid::Character { allowed: "lower-case letters, digits and '-'" })),
        ("a b", Err(Invalid::Character { allowed: "lower-case letters, digits and '-'" })),
    ] {
        assert_eq!(UnitId::parse(text).map(|_| ()), expected, "{text}");
    }
    assert!(UnitId::parse(&"x".repeat(64)).is_ok());
    assert!(AreaCode::parse("2102JP").is_ok() && AreaCode::parse("2102-JP").is_err());
    assert!(TopicId::parse("T06").is_ok() && TopicId::parse("T 06").is_err());
    assert!(Name::parse("旅顺口区").is_ok() && Name::parse("旅顺口区\n").is_err());
    let bound = "兜".repeat(200);
    assert!(Name::parse(&bound).is_ok(), "the bound counts characters, not bytes");
    assert!(Name::parse(&format!("{bound}底")).is_err());
}

#[test]
fn an_enterprise_is_named_by_its_code_or_a_local_id() {
    for (text, expected) in [
        ("91512081ma62k0260e", Ok("91512081MA62K0260E")),
        (" 9131000063159284XQ ", Ok("9131000063159284XQ")),
        ("91350211M0000XUF46", Ok("91350211M0000XUF46")),
        ("l-17", Ok("L-17")),
        ("L-0123456789ABCDEF", Ok("L-0123456789ABCDEF")),
        ("L-", Err(Invalid::EnterpriseId)),
        ("L-0123456789ABCDEF0", Err(Invalid::EnterpriseId)),
        ("L-1.2", Err(Invalid::EnterpriseId)),
        ("91512081MA62K0260", Err(Invalid::EnterpriseId)),
        ("_city", Err(Invalid::EnterpriseId)),
    ] {
        let found = EnterpriseId::parse(text);
        assert_eq!(found.as_ref().map(EnterpriseId::as_str), expected.as_ref().copied(), "{text}");
    }
    assert!(EnterpriseId::parse("91512081MA62K0260E").unwrap().uscc().is_some());
    assert!(EnterpriseId::parse("L-17").unwrap().uscc().is_none());
}

#[test]
fn what_is_read_from_storage_is_parsed_too() {
    assert!(serde_json::from_str::<UnitId>(r#""tax""#).is_ok());
    assert!(serde_json::from_str::<UnitId>(r#""Tax""#).is_err());
    assert!(serde_json::from_str::<EnterpriseId>(r#""L-""#).is_err());
    assert!(serde_json::from_str::<VisitId>(r#""not a uuid""#).is_err());
}

#[test]
fn uuids() {
    let text = "0198c0de-0000-7000-8000-000000000001";
    assert_eq!(VisitId::parse(text).unwrap().to_string(), text);
    assert_eq!(AppealId::parse("0198c0de"), Err(Invalid::Uuid));
}
