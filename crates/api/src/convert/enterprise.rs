//! Requests and answers about profiles.

use doudi_domain::{
    CheckDigit, EnterpriseId, TagId,
    enterprise::{Assessment, Command, Registered},
};
use doudi_engine::Folded;

use super::{Fields, Order, Reflect, common, inspection::words, token};
use crate::{error::Failure, proto as pb, text};

/// The most tags of an enterprise.
const TAGS_MAX: usize = 50;

pub(crate) fn register(
    request: &pb::RegisterEnterpriseRequest,
    refuse_bad_check_digit: bool,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.new_enterprise(&request.enterprise_id, refuse_bad_check_digit);
    let name = fields.parse("name", &request.name, text::name);
    let area = fields.area("area", &request.area);
    let order = || {
        let (enterprise, check_digit) = enterprise?;
        Some(Order {
            command_id: command_id?,
            expected_version: common::version(request.expected_version),
            enterprise,
            command: Command::Register { name: name?, area: area?, check_digit },
        })
    };
    fields.finish(order())
}

pub(crate) fn assess(request: &pb::AssessCreditGradeRequest) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let default = pb::CreditAssessment::default();
    let given = request.assessment.as_ref().unwrap_or(&default);
    let grade = fields.choice("assessment.grade", given.grade, words::credit_grade);
    let issuer = fields.unit("assessment.issuer", &given.issuer);
    let assessed_on = fields.date("assessment.assessed_on", given.assessed_on.as_ref());
    let valid_until = fields.optional_date("assessment.valid_until", given.valid_until.as_ref());
    let order = || {
        Some(Order {
            command_id: command_id?,
            expected_version: common::version(request.expected_version),
            enterprise: enterprise?,
            command: Command::AssessCreditGrade {
                grade: grade?,
                issuer: issuer?,
                assessed_on: assessed_on?,
                valid_until: valid_until?,
            },
        })
    };
    fields.finish(order())
}

pub(crate) fn classify(request: &pb::ClassifyEnterpriseRequest) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let risk_class = fields.filter("risk_class", request.risk_class, words::risk_class);
    let tags = fields.set("tags", &request.tags, (0, TAGS_MAX), TagId::parse);
    let issuer = fields.unit("issuer", &request.issuer);
    let basis = fields.parse("basis", &request.basis, text::reference);
    let command = || {
        let (risk_class, tags) = risk_class.zip(tags)?;
        Some(Command::Classify { risk_class, tags, basis: basis?, issuer: issuer? })
    };
    fields.order(command_id, enterprise, request.expected_version, command())
}

pub(crate) fn change_area(request: &pb::ChangeAreaRequest) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let to = fields.area("area", &request.area);
    let basis = fields.parse("basis", &request.basis, text::reference);
    let command = to.zip(basis).map(|(to, basis)| Command::ChangeArea { to, basis });
    fields.order(command_id, enterprise, request.expected_version, command)
}

/// The enterprise, and the position that the answer must reflect.
pub(crate) fn get(request: &pb::GetEnterpriseRequest) -> Result<(EnterpriseId, Reflect), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    fields.finish(enterprise.zip(reflect))
}

pub(crate) fn answer<D>(
    id: &EnterpriseId,
    registered: &Registered,
    folded: &Folded<D>,
) -> pb::GetEnterpriseResponse {
    pb::GetEnterpriseResponse {
        enterprise: Some(of_registered(id, registered)),
        version: folded.version.0,
        position: token::of_position(folded.position),
    }
}

pub(crate) fn of_registered(id: &EnterpriseId, registered: &Registered) -> pb::Enterprise {
    pb::Enterprise {
        enterprise_id: id.to_string(),
        name: registered.name.to_string(),
        area: registered.area.to_string(),
        check_digit_correct: is_correct(registered.check_digit),
        credit: registered.credit.as_ref().map(of_assessment),
        risk_class: registered.risk_class.map_or(0, |class| words::of_risk_class(class).into()),
        tags: registered.tags.iter().map(ToString::to_string).collect(),
    }
}

/// A local id has no check digit that could be wrong.
pub(crate) fn is_correct(digit: CheckDigit) -> bool {
    match digit {
        CheckDigit::Correct | CheckDigit::None => true,
        CheckDigit::Wrong { .. } => false,
    }
}

fn of_assessment(assessment: &Assessment) -> pb::CreditAssessment {
    let grade = words::of_credit_grade(assessment.grade);
    pb::CreditAssessment {
        grade: grade.into(),
        issuer: assessment.issuer.to_string(),
        assessed_on: Some(common::of_date(assessment.assessed_on)),
        valid_until: assessment.valid_until.map(common::of_date),
    }
}
