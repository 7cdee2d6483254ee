//! What units set out to do in the year: visits on all grounds, checks from elsewhere, what cannot wait,
//! random draws and special campaigns.

use std::collections::BTreeSet;

use doudi_domain::{
    CampaignId, CertificateNumber, CodeId, DrawId, FewMap, FewSet, Name, Reference, UnitId,
    VisitId,
    calendar::civil_date,
    campaign::{self, Approval, Capacity, Filing},
    catalogue::{Catalogue, Level, Mode},
    draw::{self, Candidate, Opening, RatioTable, Ratios, Seed},
    enterprise::CreditGrade,
    frequency::{Enterprises, Ground},
    visits::{CheckIn, Command, ItemResult, Manner, OffSiteCheck, Outcome, Plan, Proof, Share},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz};
use uuid::Uuid;

use super::{
    deeds::Deed,
    people::Next,
    register::{Enterprise, Register},
};
use crate::simulate::{SimulateError, chance::Chance, step};

/// The first day on which somebody sets out; the year's calendar is published.
pub(super) const FIRST: Date = jiff::civil::date(2025, 1, 2);
/// Days in which somebody may set out.
const DAYS: u32 = 352;
/// Why units come, with how many of a hundred visits each; draws, campaigns and rechecks aside.
const GROUNDS: [(Ground, u32); 8] = [
    (Ground::Routine, 58),
    (Ground::Complaint, 14),
    (Ground::Assigned, 5),
    (Ground::MonitoringLead, 7),
    (Ground::EnterpriseRequest, 3),
    (Ground::LicenceVerification, 7),
    (Ground::Media, 1),
    (Ground::Urgent, 5),
];
/// Days of the year on which draws are made, and of those how many units make one.
const DRAW_DAYS: [i32; 4] = [8, 98, 190, 281];
const DRAWING_UNITS: usize = 6;
/// Days of the year on which campaigns are proposed.
const CAMPAIGN_DAYS: [i32; 3] = [60, 150, 240];

/// What somebody is after.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    ground: Ground,
    recheck_of: Option<VisitId>,
    campaign: Option<(CampaignId, UnitId)>,
    officers: FewSet<CertificateNumber>,
}

impl Aim {
    fn on(ground: Ground) -> Self {
        Self { ground, recheck_of: None, campaign: None, officers: FewSet::new() }
    }

    /// To look again at what a visit left to be rectified.
    pub(super) fn again(visit: VisitId) -> Self {
        Self { recheck_of: Some(visit), ..Self::on(Ground::RectificationRecheck) }
    }
}

/// Half past eight on a day of the year.
fn morning(day: i32) -> Result<Timestamp, SimulateError> {
    let at = FIRST.saturating_add(day.days()).at(8, 30, 0, 0);
    at.to_zoned(tz::TimeZone::fixed(tz::offset(8))).map(|at| at.timestamp()).map_err(step)
}

/// The same text always makes the same id under one seed.
fn id(seed: u64, text: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{seed}/{text}").as_bytes())
}

/// What every unit means to do at an enterprise in the year.
pub(super) fn at(
    register: &Register,
    seed: u64,
    enterprise: &Enterprise,
) -> Result<Vec<Next>, SimulateError> {
    let mut chance = Chance::of(seed, id(seed, enterprise.id.as_str()), "intentions");
    let times = match enterprise.grade {
        Some(CreditGrade::A) => chance.number(0..2),
        Some(CreditGrade::B) | None => chance.number(0..4),
        Some(CreditGrade::C) => chance.number(1..5),
        Some(CreditGrade::D) => chance.number(2..8),
    };
    let mut next = vec![];
    for _ in 0..times {
        let day = i32::try_from(chance.number(0..DAYS)).unwrap_or(0);
        let at = chance.after(&register.calendar, morning(day)?, 0..7);
        if chance.percent(14) {
            next.extend(off_site(register, &mut chance, enterprise, at)?);
            continue;
        }
        let ground = chance.by_share(&GROUNDS).copied().unwrap_or(Ground::Routine);
        next.extend(set_out(register, &mut chance, enterprise, at, ground)?);
        // Now and then two units have the same idea at the same moment.
        if chance.percent(4) {
            next.extend(set_out(register, &mut chance, enterprise, at, Ground::Routine)?);
        }
    }
    Ok(next)
}

/// A few units come often.
fn some_unit<'a>(register: &'a Register, chance: &mut Chance) -> Option<&'a Catalogue> {
    let busy = if chance.percent(65) { 6 } else { register.catalogues.len() };
    chance.one_of(register.catalogues.get(..busy)?)
}

fn set_out(
    register: &Register,
    chance: &mut Chance,
    enterprise: &Enterprise,
    at: Timestamp,
    ground: Ground,
) -> Result<Option<Next>, SimulateError> {
    let (visit, unit) = (VisitId(chance.id()), some_unit(register, chance));
    let unit = unit.ok_or_else(|| step("no unit may inspect"))?;
    let plan = plan(register, chance, unit, visit, at, Aim::on(ground))?;
    let command = plan.map(|plan| {
        if ground == Ground::Urgent { urgent(chance, plan, at) } else { Command::Plan(plan) }
    });
    Ok(command.map(|command| (at, Deed::visits(&enterprise.id, command))))
}

/// What cannot wait begins with the scan.
fn urgent(chance: &mut Chance, plan: Plan, at: Timestamp) -> Command {
    let plan = Plan { on: civil_date(at), shares: [].into(), ..plan };
    let check_in = CheckIn {
        officers: plan.officers.clone(),
        occurred_at: at,
        manner: Manner::Live,
        proof: Proof::RotatingCode { code: CodeId(chance.id()) },
        place: None,
    };
    let (visit, unit) = (plan.visit, plan.unit.clone());
    Command::CheckIn { visit, unit, check_in, improvised: Some(plan) }
}

/// A plan for one of the next days; none where the unit has nothing to look at on that ground.
pub(super) fn plan(
    register: &Register,
    chance: &mut Chance,
    unit: &Catalogue,
    visit: VisitId,
    at: Timestamp,
    aim: Aim,
) -> Result<Option<Plan>, SimulateError> {
    let Some(own) = share(chance, unit, aim.ground, &aim.officers) else {
        return Ok(None);
    };
    let mut shares = FewMap::new();
    let joins = aim.ground == Ground::Routine && chance.percent(8);
    if let Some(other) = some_unit(register, chance).filter(|other| other.unit != unit.unit)
        && joins
        && let Some(share) = share(chance, other, aim.ground, &FewSet::new())
    {
        shares.insert(other.unit.clone(), share);
    }
    let also_off_site = |of: &Catalogue, items: &Share| {
        let both = |item| of.item(item).is_some_and(|item| item.modes.contains(&Mode::OffSite));
        items.items.iter().any(both)
    };
    let optional = also_off_site(unit, &own)
        || shares.iter().any(|(id, share)| {
            register.catalogue(id).is_some_and(|other| also_off_site(other, share))
        });
    let reference = |text: &str| Reference::parse(text).map_err(step);
    let proved = !matches!(aim.ground, Ground::Routine | Ground::Random | Ground::Special);
    let campaign = aim.campaign.filter(|(_, organiser)| *organiser == unit.unit);
    Ok(Some(Plan {
        visit,
        unit: unit.unit.clone(),
        officers: own.officers,
        items: own.items,
        shares,
        ground: aim.ground,
        evidence: (proved && chance.percent(98)).then(|| reference("依据（模拟）")).transpose()?,
        justification: None,
        on_site_reason: (optional && chance.percent(93))
            .then(|| reference("须实地核对（模拟）"))
            .transpose()?,
        campaign: campaign.map(|(campaign, _)| campaign),
        recheck_of: aim.recheck_of,
        on: civil_date(chance.after(&register.calendar, at, 8..64)),
    }))
}

/// One or two of the unit's items that are looked at on that ground, and two or three officers.
fn share(
    chance: &mut Chance,
    unit: &Catalogue,
    ground: Ground,
    officers: &FewSet<CertificateNumber>,
) -> Option<Share> {
    let opens = unit.triggers.contains(&ground);
    let fits = unit
        .items
        .iter()
        .filter(|item| item.modes.contains(&Mode::OnSite) && (opens || !item.trigger_only));
    let items: Vec<_> = fits.map(|item| item.id.clone()).collect();
    let count = if chance.percent(30) { 2 } else { 1 };
    let items: FewSet<_> = chance.some_of(&items, count).into_iter().collect();
    let count = if chance.percent(20) { 3 } else { 2 };
    let officers = if officers.is_empty() { drawn(chance, unit, count) } else { officers.clone() };
    (!items.is_empty()).then_some(Share { officers, items })
}

fn drawn(chance: &mut Chance, unit: &Catalogue, count: usize) -> FewSet<CertificateNumber> {
    let today = FIRST.saturating_add(365.days());
    let valid = unit.officers.iter().filter(|officer| officer.valid_until > today);
    let valid: Vec<_> = valid.map(|officer| officer.certificate.clone()).collect();
    chance.some_of(&valid, count).into_iter().collect()
}

/// A check by documents or data, where some unit has an item for it.
fn off_site(
    register: &Register,
    chance: &mut Chance,
    enterprise: &Enterprise,
    at: Timestamp,
) -> Result<Option<Next>, SimulateError> {
    let unit = some_unit(register, chance).ok_or_else(|| step("no unit may inspect"))?;
    let fits = unit.items.iter().filter(|item| item.modes.contains(&Mode::OffSite));
    let items: Vec<_> = fits.map(|item| item.id.clone()).collect();
    let Some(item) = chance.one_of(&items).cloned() else {
        return Ok(None);
    };
    let check = OffSiteCheck {
        check: VisitId(chance.id()),
        unit: unit.unit.clone(),
        occurred_at: at,
        basis: Reference::parse("网上数据（模拟）").map_err(step)?,
        results: vec![ItemResult { item, outcome: Outcome::Pass, unmet: [].into() }],
    };
    Ok(Some((at, Deed::visits(&enterprise.id, Command::RecordOffSite(check)))))
}

/// The random draws of the year and the visits that come of them.
pub(super) fn draws(
    register: &Register,
    seed: u64,
    table: RatioTable,
) -> Result<Vec<Next>, SimulateError> {
    let mut next = vec![];
    for day in DRAW_DAYS {
        for unit in register.catalogues.iter().take(DRAWING_UNITS) {
            let name = format!("draw/{day}/{}", unit.unit);
            let mut chance = Chance::of(seed, id(seed, &name), "draw");
            next.extend(draw(register, &mut chance, unit, day, table)?);
        }
    }
    Ok(next)
}

fn draw(
    register: &Register,
    chance: &mut Chance,
    unit: &Catalogue,
    day: i32,
    table: RatioTable,
) -> Result<Vec<Next>, SimulateError> {
    let at = chance.after(&register.calendar, morning(day)?, 0..7);
    let draw = DrawId(chance.id());
    let opening = Opening {
        title: Name::parse("双随机抽查（模拟）").map_err(step)?,
        unit: unit.unit.clone(),
        campaign: None,
        ratios: Ratios { a: table.a.max, b: table.b.min + 3, c: table.c.min, d: table.d.min },
        officers: drawn(chance, unit, 30).into_iter().collect(),
        per_visit: 2,
    };
    let count = (register.enterprises.len() / 12).clamp(1, draw::ADDED_MAX);
    let pool = chance.some_of(&register.enterprises, count).into_iter();
    let candidates: Vec<Candidate> = pool
        .map(|one| Candidate { enterprise: one.id, grade: one.grade, avoid: [].into() })
        .collect();
    let drawn_from = candidates.iter().map(|one| (one.enterprise.clone(), one.clone())).collect();
    let drawing = Seed(chance.bytes());
    let outcome = draw::outcome(&opening, &drawn_from, drawing);
    let unit_id = unit.unit.clone();
    let mut next = vec![
        (at, Deed::Draw(draw, draw::Command::Open { opening, table })),
        (at, Deed::Draw(draw, draw::Command::AddCandidates { unit: unit_id.clone(), candidates })),
        (at, Deed::Draw(draw, draw::Command::Make { unit: unit_id, seed: drawing })),
    ];
    for found in outcome.drawn {
        let at = chance.after(&register.calendar, at, 2..160);
        let officers = found.officers.into_iter().collect();
        let aim = Aim { officers, ..Aim::on(Ground::Random) };
        let visit = VisitId(chance.id());
        let planned = plan(register, chance, unit, visit, at, aim)?;
        let deed = |plan| (at, Deed::visits(&found.enterprise, Command::Plan(plan)));
        next.extend(planned.map(deed));
    }
    Ok(next)
}

/// The special campaigns of the year: each approved, filed and published before its visits.
pub(super) fn campaigns(register: &Register, seed: u64) -> Result<Vec<Next>, SimulateError> {
    let mut next = vec![];
    for (day, unit) in CAMPAIGN_DAYS.into_iter().zip(&register.catalogues) {
        let mut chance = Chance::of(seed, id(seed, &format!("campaign/{day}")), "campaign");
        next.extend(campaign(register, &mut chance, unit, day)?);
    }
    Ok(next)
}

fn campaign(
    register: &Register,
    chance: &mut Chance,
    unit: &Catalogue,
    day: i32,
) -> Result<Vec<Next>, SimulateError> {
    let reference = |text: &str| Reference::parse(text).map_err(step);
    let campaign = CampaignId(chance.id());
    let areas: Vec<_> = register.routing.areas.iter().map(|area| area.code.clone()).collect();
    let areas: BTreeSet<_> = chance.some_of(&areas, 3).into_iter().collect();
    let items = unit.items.iter().filter(|item| item.modes.contains(&Mode::OnSite));
    let from = FIRST.saturating_add((day + 12).days());
    let until = FIRST.saturating_add((day + 72).days());
    let plan = campaign::Plan {
        title: Name::parse("专项检查（模拟）").map_err(step)?,
        unit: unit.unit.clone(),
        co_units: [].into(),
        items: items.filter(|item| !item.trigger_only).map(|item| item.id.clone()).collect(),
        areas: areas.clone(),
        enterprises: Enterprises::default(),
        from,
        until,
        basis: reference("年度检查计划（模拟）")?,
    };
    let government = UnitId::parse("city-government").map_err(step)?;
    let approval = Approval {
        approver: government.clone(),
        capacity: Capacity::Government,
        level: Level::City,
        document: reference("批准文件（模拟）")?,
    };
    let filing = Filing { with: government, document: reference("备案回执（模拟）")? };
    let (organiser, document) = (unit.unit.clone(), reference("公告（模拟）")?);
    let course = [
        campaign::Command::Propose(plan),
        campaign::Command::Approve(approval),
        campaign::Command::File { unit: organiser.clone(), filing },
        campaign::Command::Publish { unit: organiser.clone(), document },
    ];
    let mut at = chance.after(&register.calendar, morning(day)?, 0..7);
    let mut next = vec![];
    for command in course {
        next.push((at, Deed::Campaign(campaign, command)));
        at = chance.after(&register.calendar, at, 4..12);
    }
    let begins = morning(day + 13)?.max(at + SignedDuration::from_hours(24));
    for enterprise in register.enterprises.iter().filter(|e| areas.contains(&e.area)) {
        if !chance.percent(6) {
            continue;
        }
        let at = chance.after(&register.calendar, begins, 0..160);
        let aim = Aim { campaign: Some((campaign, organiser.clone())), ..Aim::on(Ground::Special) };
        let visit = VisitId(chance.id());
        let planned = self::plan(register, chance, unit, visit, at, aim)?;
        next.extend(planned.map(|plan| (at, Deed::visits(&enterprise.id, Command::Plan(plan)))));
    }
    Ok(next)
}
