//! Codes: sound requests, what becomes of them, and each of their fields spoiled.

use doudi_domain::{
    CodeId, enterprise,
    visits::{Command, Place, RefusalReason},
};

use super::{bad::check, *};
use crate::convert::inspection::code;

fn code_id() -> CodeId {
    CodeId::parse(ID).unwrap()
}

pub(super) fn issue() -> pb::IssueEnterpriseCodeRequest {
    pb::IssueEnterpriseCodeRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        valid_days: 30,
        place: Some(place()),
        expected_version: None,
    }
}

fn revoke() -> pb::RevokeEnterpriseCodeRequest {
    pb::RevokeEnterpriseCodeRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        code_id: ID.to_owned(),
        expected_version: Some(3),
    }
}

fn get() -> pb::GetEnterpriseCodeRequest {
    pb::GetEnterpriseCodeRequest { enterprise_id: ENTERPRISE.to_owned(), code_id: ID.to_owned() }
}

fn show() -> pb::ShowEnterpriseCodeRequest {
    pb::ShowEnterpriseCodeRequest { enterprise_id: ENTERPRISE.to_owned() }
}

fn task() -> pb::ShowTaskCodeRequest {
    pb::ShowTaskCodeRequest { enterprise_id: ENTERPRISE.to_owned(), visit_id: ID.to_owned() }
}

fn read() -> pb::ReadTaskCodeRequest {
    pb::ReadTaskCodeRequest { enterprise_id: ENTERPRISE.to_owned(), code: "DD1:ABC".to_owned() }
}

fn admit() -> pb::AdmitVisitRequest {
    pb::AdmitVisitRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        code: "DD1:ABC".to_owned(),
        place: Some(place()),
    }
}

fn refuse() -> pb::RefuseVisitRequest {
    pb::RefuseVisitRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        reason: pb::RefusalReason::TooOften.into(),
        code: String::new(),
    }
}

fn spot(place: &mut Option<pb::Place>) -> &mut pb::Place {
    place.as_mut().unwrap()
}

#[test]
fn sound_requests_become_what_is_asked() {
    let hangs = Place { latitude_e6: 38_914_003, longitude_e6: 121_614_682, accuracy_m: 15 };
    let order = code::issue(&issue()).unwrap();
    assert_eq!((order.command.days, order.command.place), (30, Some(hangs)));
    let order = code::issue(&pb::IssueEnterpriseCodeRequest { valid_days: 0, ..issue() }).unwrap();
    assert_eq!(order.command.days, 365, "what is not said is a year");
    let order = code::revoke(&revoke()).unwrap();
    assert_eq!(order.command, enterprise::Command::RevokeCode { code: code_id() });
    assert_eq!(order.expected_version, Some(doudi_engine::Version(3)));
    assert_eq!(code::get(&get()).unwrap().1, code_id());
    assert_eq!(code::show(&show()).unwrap().as_str(), ENTERPRISE);
    assert_eq!(code::task(&task()).unwrap().1, VisitId::parse(ID).unwrap());
    assert_eq!(code::read(&read()).unwrap().as_str(), ENTERPRISE);
    assert_eq!(code::admit(&admit()).unwrap().command, Some(hangs));
    let order = code::refuse(&refuse()).unwrap();
    let (visit, reason) = (VisitId::parse(ID).unwrap(), RefusalReason::TooOften);
    assert_eq!(order.command, Command::Refuse { visit, reason, shown: false });
}

#[test]
fn malformed_fields_of_codes_that_hang_are_named() {
    check(
        issue,
        code::issue,
        &[
            (|r| r.command_id.clear(), "command_id", Reason::FieldRequired),
            (|r| r.valid_days = 1101, "valid_days", Reason::NumberRange),
            (|r| spot(&mut r.place).latitude_e6 = -90_000_001, "place", Reason::PlaceInvalid),
        ],
    );
    check(
        revoke,
        code::revoke,
        &[
            (|r| r.code_id.clear(), "code_id", Reason::FieldRequired),
            (|r| r.code_id = "7".into(), "code_id", Reason::FieldNotUuid),
        ],
    );
    check(
        get,
        code::get,
        &[
            (|r| r.enterprise_id = "L-".into(), "enterprise_id", Reason::EnterpriseIdMalformed),
            (|r| r.code_id = "7".into(), "code_id", Reason::FieldNotUuid),
        ],
    );
    check(
        show,
        code::show,
        &[(|r| r.enterprise_id.clear(), "enterprise_id", Reason::FieldRequired)],
    );
}

#[test]
fn malformed_fields_of_a_visits_code_are_named() {
    check(task, code::task, &[(|r| r.visit_id = "x".into(), "visit_id", Reason::FieldNotUuid)]);
    check(
        read,
        code::read,
        &[(|r| r.enterprise_id.clear(), "enterprise_id", Reason::FieldRequired)],
    );
    check(
        admit,
        code::admit,
        &[
            (|r| r.command_id = "7".into(), "command_id", Reason::FieldNotUuid),
            (|r| spot(&mut r.place).longitude_e6 = 180_000_001, "place", Reason::PlaceInvalid),
        ],
    );
    check(
        refuse,
        code::refuse,
        &[
            (|r| r.visit_id.clear(), "visit_id", Reason::FieldRequired),
            (|r| r.reason = 0, "reason", Reason::EnumUnspecified),
            (|r| r.reason = 9, "reason", Reason::EnumUnknown),
        ],
    );
}
