//! How limits stand, as it goes out.

use doudi_domain::{
    VisitId,
    frequency::{FloorStanding, Key, Standing},
    visits::{Explanation, Near},
};
use doudi_engine::Position;
use doudi_views::visits::quota::Quota;

use super::{
    super::{common, token},
    words,
};
use crate::{
    error::{Explain, Words},
    proto as pb,
};

pub(crate) fn of_standing(standing: &Standing) -> pb::Quota {
    let unit = if let Key::Unit(unit) = &standing.key { unit.to_string() } else { String::new() };
    let (subject, key) = of_key(&standing.key);
    pb::Quota {
        rule: standing.rule.to_string(),
        source: standing.source.to_string(),
        unit,
        from: Some(common::of_date(standing.from)),
        until: Some(common::of_date(standing.until)),
        maximum: standing.maximum,
        reserved: standing.reserved,
        used: standing.used,
        exempt: standing.exempt,
        remaining: standing.remaining(),
        visit_ids: standing.visits.iter().map(VisitId::to_string).collect(),
        frees_on: standing.frees_on.map(common::of_date),
        subject: subject.into(),
        key,
        weight: standing.weight,
        on_exceeding: words::of_on_exceeding(standing.on_exceeding).into(),
        would_exceed: standing.would_exceed(),
    }
}

fn of_key(key: &Key) -> (pb::FrequencySubject, String) {
    match key {
        Key::Unit(unit) => (pb::FrequencySubject::SameUnit, unit.to_string()),
        Key::Level(level) => {
            let level = words::of_level(*level);
            (pb::FrequencySubject::SameLevel, level.as_str_name().to_owned())
        }
        Key::All => (pb::FrequencySubject::AllUnits, String::new()),
        Key::Field(field) => (pb::FrequencySubject::SameField, field.to_string()),
        Key::Item(item) => (pb::FrequencySubject::SameItem, item.to_string()),
        Key::Officer(officer) => (pb::FrequencySubject::SameOfficer, officer.to_string()),
    }
}

pub(crate) fn of_floor(floor: &FloorStanding) -> pb::FloorStanding {
    pb::FloorStanding {
        rule: floor.rule.to_string(),
        source: floor.source.to_string(),
        from: Some(common::of_date(floor.from)),
        until: Some(common::of_date(floor.until)),
        minimum: floor.minimum,
        carried_out: floor.carried_out,
        is_due: floor.is_due(),
    }
}

/// How an enterprise stands, for one unit.
pub(crate) fn of_quota(found: &Quota) -> pb::GetQuotaResponse {
    pb::GetQuotaResponse {
        quotas: found.standings.iter().map(of_standing).collect(),
        position: token::of_position(found.position),
        floors: found.floors.iter().map(of_floor).collect(),
        policy_version: found.policy_version.unwrap_or_default(),
    }
}

/// What planning would come to, with the versions of the documents that were looked at.
pub(crate) fn of_explanation(
    found: &Explanation,
    (policy_version, catalogue_version): (Option<u32>, Option<u32>),
    position: Position,
) -> pb::ExplainPlanResponse {
    let told = found.rejection.as_ref().map(|rejection| rejection.explain().told());
    let (reason, said) = match told {
        Some((reason, said)) => (reason.as_str(), said),
        None => ("", Words::pair("", "")),
    };
    let assessment = found.assessment.as_ref();
    let standings = assessment.map_or(&[][..], |found| &found.standings);
    let floors = assessment.map_or(&[][..], |found| &found.floors);
    pb::ExplainPlanResponse {
        verdict: words::of_verdict(found.verdict).into(),
        reason: reason.to_owned(),
        text_en: said.en.into_owned(),
        text_zh: said.zh.into_owned(),
        quotas: standings.iter().map(of_standing).collect(),
        floors: floors.iter().map(of_floor).collect(),
        policy_version: policy_version.unwrap_or_default(),
        catalogue_version: catalogue_version.unwrap_or_default(),
        position: token::of_position(position),
        near: found.near.iter().map(of_near).collect(),
    }
}

fn of_near(near: &Near) -> pb::NearVisit {
    pb::NearVisit {
        visit_id: near.visit.to_string(),
        unit: near.unit.to_string(),
        on: Some(common::of_date(near.on)),
    }
}
