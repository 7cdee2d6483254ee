//! Requests and answers about ratings of visits.

use doudi_domain::{
    UnitId,
    ratings::{Command, Satisfaction},
};
use doudi_views::ratings::{Query, Sum, Sums};
use jiff::civil::Date;

use super::{
    Fields, Order, Reflect,
    alike::alike,
    common,
    inspection::{AskedOf, asked_of},
    token,
};
use crate::{
    error::{Failure, Reason},
    proto as pb,
};

alike! {
    Satisfaction = Satisfaction, satisfaction, of_satisfaction:
        VeryDissatisfied Dissatisfied Acceptable Satisfied VerySatisfied;
}

pub(crate) fn rate(request: &pb::RateVisitRequest) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = fields.visit(&request.visit_id);
    let satisfaction = fields.choice("satisfaction", request.satisfaction, satisfaction);
    let rated = visit.zip(satisfaction);
    let command = rated.map(|(visit, satisfaction)| Command::Rate { visit, satisfaction });
    fields.order(command_id, enterprise, None, command)
}

pub(crate) fn own(request: &pb::GetRatingRequest) -> Result<AskedOf, Failure> {
    asked_of(&request.enterprise_id, &request.visit_id, &request.min_position, None)
}

pub(crate) fn sums(
    request: &pb::GetUnitRatingsRequest,
    own: Option<&UnitId>,
    today: Date,
) -> Result<(Query, Reflect), Failure> {
    let mut fields = Fields::default();
    let unit = match (request.unit.as_str(), own) {
        ("", Some(own)) => Some(own.clone()),
        ("", None) => fields.refuse("unit", Reason::FieldRequired),
        (text, _) => fields.unit("unit", text),
    };
    let until = fields.optional_date("until", request.until.as_ref());
    let until = until.map(|until| until.unwrap_or(today));
    let from = fields.optional_date("from", request.from.as_ref());
    let from = from.zip(until).map(|(from, until)| from.unwrap_or(until.first_of_year()));
    fields.in_order("until", from, until);
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let asked = || Some((Query { unit: unit?, from: from?, until: until? }, reflect?));
    fields.finish(asked())
}

pub(crate) fn of_sums(sums: &Sums) -> pb::GetUnitRatingsResponse {
    let count = |(grade, count): (&Satisfaction, &u64)| pb::RatingCount {
        satisfaction: of_satisfaction(*grade).into(),
        count: *count,
    };
    let sum = |sum: &Sum| pb::RatingSum {
        month: Some(common::of_date(sum.month)),
        counts: sum.counts.iter().map(count).collect(),
        total: sum.counts.values().sum(),
    };
    pb::GetUnitRatingsResponse {
        sums: sums.sums.iter().map(sum).collect(),
        position: token::of_position(sums.position),
    }
}
