//! Requests and answers about joint diagnoses.

use doudi_domain::{
    AppealId, DiagnosisId, EnterpriseId, Sealed, UnitId,
    diagnosis::{
        Concluded, Diagnosis, ORDER_DAYS_MAX, ORDERS_MAX, Opinion, Order as Task, Stance,
        StandingLead, UNITS_MAX,
    },
};
use doudi_engine::Folded;

use super::{Fields, Order, Reflect, appeal::PROSE_MAX, clock::of_clock, token};
use crate::{error::Failure, proto as pb};

/// What units are called together for, before it is sealed.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) units: Vec<UnitId>,
    pub(crate) quorum: u16,
    pub(crate) question: String,
}

/// What was found and what follows from it, before it is sealed.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) conclusion: String,
    pub(crate) orders: Vec<Ordered>,
    pub(crate) standing_lead: Option<StandingLead>,
}

/// What a unit has to do, before it is sealed.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) unit: UnitId,
    pub(crate) task: String,
    pub(crate) working_days: u16,
}

/// A command on a known joint diagnosis.
pub(crate) type Known<C> = Order<(DiagnosisId, C)>;

pub(crate) fn convene(
    request: &pb::ConveneDiagnosisRequest,
) -> Result<Order<(AppealId, Called)>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let appeal = fields.appeal(&request.appeal_id);
    let units = fields.set("units", &request.units, (1, UNITS_MAX), UnitId::parse);
    let quorum = fields.number("quorum", request.quorum, 1, bound(UNITS_MAX));
    let question = fields.prose("question", &request.question, PROSE_MAX);
    let called = || {
        let quorum = u16::try_from(quorum?).ok()?;
        Some((appeal?, Called { units: units?, quorum, question: question? }))
    };
    let called = called();
    fields.order(command_id, enterprise, request.expected_version, called)
}

pub(crate) fn give_opinion(
    request: &pb::GiveOpinionRequest,
) -> Result<Known<(Stance, String)>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let diagnosis = diagnosis(&mut fields, &request.diagnosis_id);
    let stance = fields.choice("stance", request.stance, stance);
    let text = fields.prose("text", &request.text, PROSE_MAX);
    let opinion = diagnosis.zip(stance.zip(text));
    fields.order(command_id, enterprise, request.expected_version, opinion)
}

pub(crate) fn conclude(request: &pb::ConcludeDiagnosisRequest) -> Result<Known<Found>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let diagnosis = diagnosis(&mut fields, &request.diagnosis_id);
    let conclusion = fields.prose("conclusion", &request.conclusion, PROSE_MAX);
    let orders = fields.each("orders", &request.orders, (1, ORDERS_MAX), ordered);
    let standing_lead = match &request.standing_rule {
        None => Some(None),
        Some(rule) => {
            let unit = fields.unit("standing_rule.unit", &rule.unit);
            unit.map(|unit| Some(StandingLead { unit, same_area_only: rule.only_in_area }))
        }
    };
    let found = || {
        let (conclusion, orders, standing_lead) = (conclusion?, orders?, standing_lead?);
        Some((diagnosis?, Found { conclusion, orders, standing_lead }))
    };
    let found = found();
    fields.order(command_id, enterprise, request.expected_version, found)
}

fn ordered(fields: &mut Fields, path: &str, given: &pb::DiagnosisOrder) -> Option<Ordered> {
    let unit = fields.unit(&format!("{path}.unit"), &given.unit);
    let task = fields.prose(&format!("{path}.task"), &given.task, PROSE_MAX);
    let at = format!("{path}.working_days");
    let days = fields.number(&at, given.working_days, 1, ORDER_DAYS_MAX.into());
    let working_days = days.and_then(|days| u16::try_from(days).ok());
    Some(Ordered { unit: unit?, task: task?, working_days: working_days? })
}

/// The enterprise, the joint diagnosis, and what the answer must reflect.
pub(crate) fn get(
    request: &pb::GetDiagnosisRequest,
) -> Result<(EnterpriseId, DiagnosisId, Reflect), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let diagnosis = diagnosis(&mut fields, &request.diagnosis_id);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let asked = || Some((enterprise?, diagnosis?, reflect?));
    fields.finish(asked())
}

fn diagnosis(fields: &mut Fields, text: &str) -> Option<DiagnosisId> {
    fields.parse("diagnosis_id", text, super::given(DiagnosisId::parse))
}

fn bound(max: usize) -> u32 {
    u32::try_from(max).unwrap_or(u32::MAX)
}

/// Every text of a joint diagnosis, in the order in which [`answer`] takes them opened.
pub(crate) fn sealed(state: &Diagnosis) -> Vec<&Sealed> {
    let (convening, opinions, concluded) = match state {
        Diagnosis::Absent | Diagnosis::Discontinued(None) => return vec![],
        Diagnosis::Discontinued(Some(known)) => (&known.convening, &known.opinions, None),
        Diagnosis::Open(open) => (&open.convening, &open.opinions, None),
        Diagnosis::Concluded(concluded) => {
            (&concluded.convening, &concluded.opinions, Some(&concluded.conclusion))
        }
    };
    let mut texts = vec![&convening.question];
    texts.extend(opinions.values().map(|opinion| &opinion.text));
    texts.extend(concluded.map(|conclusion| &conclusion.text));
    let orders = concluded.into_iter().flat_map(|conclusion| &conclusion.orders);
    texts.extend(orders.map(|order| &order.task));
    texts
}

/// The answer with its texts opened, in the order of [`sealed`]; what was erased is empty. None for
/// a joint diagnosis that was never convened.
pub(crate) fn answer(
    enterprise: &EnterpriseId,
    id: DiagnosisId,
    folded: &Folded<Diagnosis>,
    opened: Vec<Option<String>>,
) -> Option<pb::GetDiagnosisResponse> {
    let mut opened = opened.into_iter().map(Option::unwrap_or_default);
    let mut text = || opened.next().unwrap_or_default();
    let (convening, opinions, late) = match &folded.state {
        Diagnosis::Absent | Diagnosis::Discontinued(None) => return None,
        Diagnosis::Discontinued(Some(known)) => (&known.convening, &known.opinions, &known.late),
        Diagnosis::Open(open) => (&open.convening, &open.opinions, &open.late),
        Diagnosis::Concluded(known) => (&known.convening, &known.opinions, &known.late),
    };
    let question = text();
    let opinion = |(unit, opinion): (&UnitId, &Opinion)| pb::Opinion {
        unit: unit.to_string(),
        stance: of_stance(opinion.stance).into(),
        text: text(),
        late: late.contains(unit),
    };
    let mut diagnosis = pb::Diagnosis {
        diagnosis_id: id.to_string(),
        enterprise_id: enterprise.to_string(),
        appeal_id: convening.appeal.to_string(),
        convener: convening.convener.to_string(),
        units: convening.panel.units.iter().map(UnitId::to_string).collect(),
        quorum: convening.panel.quorum.into(),
        question,
        opinions: opinions.iter().map(opinion).collect(),
        ..pb::Diagnosis::default()
    };
    match &folded.state {
        Diagnosis::Absent => {}
        Diagnosis::Discontinued(_) => diagnosis.discontinued = true,
        Diagnosis::Open(open) => diagnosis.clocks = open.clocks.iter().map(of_clock).collect(),
        Diagnosis::Concluded(known) => concluded(&mut diagnosis, known, text),
    }
    Some(pb::GetDiagnosisResponse {
        diagnosis: Some(diagnosis),
        version: folded.version.0,
        position: token::of_position(folded.position),
    })
}

fn concluded(diagnosis: &mut pb::Diagnosis, known: &Concluded, mut text: impl FnMut() -> String) {
    diagnosis.concluded = true;
    diagnosis.conclusion = text();
    let order = |order: &Task| pb::DiagnosisOrder {
        unit: order.unit.to_string(),
        task: text(),
        working_days: order.working_days.into(),
    };
    diagnosis.orders = known.conclusion.orders.iter().map(order).collect();
    diagnosis.dissenting = known.dissenting.iter().map(UnitId::to_string).collect();
    diagnosis.without_quorum = known.without_quorum;
    diagnosis.routing_version = known.rule_version.unwrap_or_default();
}

fn stance(stance: pb::Stance) -> Option<Stance> {
    match stance {
        pb::Stance::Unspecified => None,
        pb::Stance::Support => Some(Stance::Support),
        pb::Stance::Dissent => Some(Stance::Dissent),
        pb::Stance::Abstain => Some(Stance::Abstain),
    }
}

fn of_stance(stance: Stance) -> pb::Stance {
    match stance {
        Stance::Support => pb::Stance::Support,
        Stance::Dissent => pb::Stance::Dissent,
        Stance::Abstain => pb::Stance::Abstain,
    }
}
