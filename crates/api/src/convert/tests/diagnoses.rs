//! Requests and answers about joint diagnoses.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{
    AreaCode, DiagnosisId, Sealed, TopicId,
    diagnosis::{
        Concluded, Conclusion, Convening, Diagnosis, Discontinued, Opinion, Order as Task, Panel,
        Stance,
    },
};
use doudi_engine::Folded;

use super::{bad::check, sound::ID, *};

const ENTERPRISE: &str = "91512081MA62K0260E";

fn convene() -> pb::ConveneDiagnosisRequest {
    pb::ConveneDiagnosisRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: ID.to_owned(),
        units: vec!["tax".to_owned(), "fire".to_owned()],
        quorum: 2,
        question: "如何处理？".to_owned(),
        expected_version: Some(7),
    }
}

fn give_opinion() -> pb::GiveOpinionRequest {
    pb::GiveOpinionRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        diagnosis_id: ID.to_owned(),
        stance: pb::Stance::Dissent.into(),
        text: "不同意".to_owned(),
        expected_version: None,
    }
}

fn conclude() -> pb::ConcludeDiagnosisRequest {
    let order = |unit: &str| pb::DiagnosisOrder {
        unit: unit.to_owned(),
        task: "十日内办结".to_owned(),
        working_days: 10,
    };
    let rule = pb::StandingRuleProposal { unit: "tax".to_owned(), only_in_area: true };
    pb::ConcludeDiagnosisRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        diagnosis_id: ID.to_owned(),
        conclusion: "由税务部门牵头".to_owned(),
        orders: vec![order("tax"), order("fire")],
        standing_rule: Some(rule),
        expected_version: None,
    }
}

#[test]
fn sound_requests_say_what_they_say() {
    let order = diagnosis::convene(&convene()).unwrap();
    let (_, called) = order.command;
    assert_eq!((order.expected_version, called.quorum), (Some(Version(7)), 2));
    assert_eq!(called.units.len(), 2);
    let (_, (stance, text)) = diagnosis::give_opinion(&give_opinion()).unwrap().command;
    assert_eq!((stance, text.as_str()), (Stance::Dissent, "不同意"));
    let (_, found) = diagnosis::conclude(&conclude()).unwrap().command;
    assert_eq!(found.orders[1].working_days, 10);
    assert!(found.standing_lead.unwrap().same_area_only);
    let without = pb::ConcludeDiagnosisRequest { standing_rule: None, ..conclude() };
    assert!(diagnosis::conclude(&without).unwrap().command.1.standing_lead.is_none());
}

#[test]
fn each_malformed_field_is_named() {
    check(
        convene,
        diagnosis::convene,
        &[
            (|r| r.appeal_id = "7".into(), "appeal_id", Reason::FieldNotUuid),
            (|r| r.units.clear(), "units", Reason::ListSize),
            (|r| r.units = vec!["u".into(); 21], "units", Reason::ListSize),
            (|r| r.units[1] = "tax".into(), "units[1]", Reason::ListDuplicate),
            (|r| r.units[0] = "Tax".into(), "units[0]", Reason::FieldCharacter),
            (|r| r.quorum = 0, "quorum", Reason::NumberRange),
            (|r| r.quorum = 21, "quorum", Reason::NumberRange),
            (|r| r.question = " ".into(), "question", Reason::FieldRequired),
            (|r| r.question = "长".repeat(4001), "question", Reason::FieldTooLong),
        ],
    );
    check(
        give_opinion,
        diagnosis::give_opinion,
        &[
            (|r| r.diagnosis_id.clear(), "diagnosis_id", Reason::FieldRequired),
            (|r| r.diagnosis_id = "7".into(), "diagnosis_id", Reason::FieldNotUuid),
            (|r| r.stance = 0, "stance", Reason::EnumUnspecified),
            (|r| r.stance = 4, "stance", Reason::EnumUnknown),
            (|r| r.text.clear(), "text", Reason::FieldRequired),
        ],
    );
    check(
        conclude,
        diagnosis::conclude,
        &[
            (|r| r.command_id.clear(), "command_id", Reason::FieldRequired),
            (|r| r.conclusion.clear(), "conclusion", Reason::FieldRequired),
            (|r| r.orders.clear(), "orders", Reason::ListSize),
            (|r| r.orders[1].unit.clear(), "orders[1].unit", Reason::FieldRequired),
            (|r| r.orders[1].task.clear(), "orders[1].task", Reason::FieldRequired),
            (|r| r.orders[0].working_days = 0, "orders[0].working_days", Reason::NumberRange),
            (|r| r.orders[0].working_days = 251, "orders[0].working_days", Reason::NumberRange),
            (
                |r| r.standing_rule = Some(pb::StandingRuleProposal::default()),
                "standing_rule.unit",
                Reason::FieldRequired,
            ),
        ],
    );
    let get = pb::GetDiagnosisRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        diagnosis_id: ID.to_owned(),
        min_position: "17".to_owned(),
        as_of: Some(pb::AsOf { moment: Some(Moment::Position("18".to_owned())) }),
    };
    let invalid = |path: &str| (path.to_owned(), Reason::PositionInvalid);
    let paths = ["min_position", "as_of.position"].map(invalid);
    assert_eq!(refused(diagnosis::get(&get)), paths);
}

fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

/// A text by which its place is known.
fn sealed(text: &str) -> Sealed {
    let text = text.to_owned();
    Sealed { subject: "s".into(), algorithm: "a".into(), nonce: "n".into(), ciphertext: text }
}

fn concluded() -> Diagnosis {
    let opinion = |text, stance| Opinion { stance, text: sealed(text) };
    let task = |id, text| Task { unit: unit(id), task: sealed(text), working_days: 3 };
    Diagnosis::Concluded(Box::new(Concluded {
        convening: Convening {
            appeal: AppealId::parse(ID).unwrap(),
            convener: unit("guarantee"),
            area: AreaCode::parse("210212").unwrap(),
            topic: TopicId::parse("T06").unwrap(),
            panel: Panel { units: BTreeSet::from([unit("fire"), unit("tax")]), quorum: 1 },
            question: sealed("question"),
        },
        opinions: BTreeMap::from([
            (unit("fire"), opinion("of fire", Stance::Abstain)),
            (unit("tax"), opinion("of tax", Stance::Support)),
        ]),
        late: BTreeSet::from([unit("tax")]),
        conclusion: Conclusion {
            text: sealed("conclusion"),
            orders: vec![task("fire", "first"), task("tax", "second")],
            standing_lead: None,
        },
        dissenting: BTreeSet::new(),
        without_quorum: false,
        delivered: true,
        rule_version: Some(4),
    }))
}

#[test]
fn every_text_comes_back_in_its_place() {
    let mut folded = Folded::<Diagnosis>::default();
    folded.state = concluded();
    let texts = diagnosis::sealed(&folded.state);
    let opened = texts.iter().map(|sealed| Some(sealed.ciphertext.clone())).collect();
    let (enterprise, id) =
        (EnterpriseId::parse(ENTERPRISE).unwrap(), DiagnosisId::parse(ID).unwrap());
    let answer = diagnosis::answer(&enterprise, id, &folded, opened).unwrap();
    let found = answer.diagnosis.unwrap();
    assert_eq!((found.question.as_str(), found.conclusion.as_str()), ("question", "conclusion"));
    let opinions: Vec<_> =
        found.opinions.iter().map(|o| (o.unit.as_str(), o.text.as_str(), o.late)).collect();
    assert_eq!(opinions, [("fire", "of fire", false), ("tax", "of tax", true)]);
    let tasks: Vec<&str> = found.orders.iter().map(|order| order.task.as_str()).collect();
    assert_eq!(tasks, ["first", "second"]);
    assert_eq!((found.concluded, found.routing_version), (true, 4));
    assert!(diagnosis::answer(&enterprise, id, &Folded::default(), vec![]).is_none());
}

#[test]
fn one_that_ended_without_a_conclusion_says_so_and_owes_nothing() {
    let Diagnosis::Concluded(known) = concluded() else { panic!() };
    let Concluded { convening, opinions, late, .. } = *known;
    let mut folded = Folded::<Diagnosis>::default();
    folded.state =
        Diagnosis::Discontinued(Some(Box::new(Discontinued { convening, opinions, late })));
    let opened = vec![None; diagnosis::sealed(&folded.state).len()];
    assert_eq!(opened.len(), 3, "the question and the opinions");
    let (enterprise, id) =
        (EnterpriseId::parse(ENTERPRISE).unwrap(), DiagnosisId::parse(ID).unwrap());
    let found = diagnosis::answer(&enterprise, id, &folded, opened).unwrap().diagnosis.unwrap();
    assert_eq!((found.discontinued, found.concluded), (true, false));
    assert_eq!((found.opinions.len(), found.clocks.len()), (2, 0));
    folded.state = Diagnosis::Discontinued(None);
    assert!(diagnosis::answer(&enterprise, id, &folded, vec![]).is_none(), "it never began");
}

#[test]
fn what_was_erased_is_empty() {
    let mut folded = Folded::<Diagnosis>::default();
    folded.state = concluded();
    let opened = vec![None; diagnosis::sealed(&folded.state).len()];
    let (enterprise, id) =
        (EnterpriseId::parse(ENTERPRISE).unwrap(), DiagnosisId::parse(ID).unwrap());
    let found = diagnosis::answer(&enterprise, id, &folded, opened).unwrap().diagnosis.unwrap();
    assert!(found.question.is_empty() && found.conclusion.is_empty());
    assert_eq!(found.opinions[1].stance(), pb::Stance::Support, "facts are not erased");
}
