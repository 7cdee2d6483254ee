//! Planning a visit: one function for the decision and for whoever asks beforehand.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};

use super::{
    Event, Justification, PLANNED_AHEAD_MAX, Plan, Rejection, Share, Visit, Visits,
    catalogued::check_all,
};
use crate::{
    FewMap,
    campaign::Campaign,
    decider::{Context, Published},
    enterprise::Registered,
    frequency::{
        Assessment, Entry, FrequencyPolicy, Ground, Held, Party, Standing, Traits, Verdict,
        VisitTerms, assess,
    },
    ids::{FieldId, ItemId, UnitId, VisitId},
};

/// What the rules say to a plan (查前说明).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The word on it: refused where anything but a missing justification stands in the way.
    pub verdict: Verdict,
    /// Why planning it would be refused; none where it would be accepted, or is planned already.
    pub rejection: Option<Rejection>,
    /// Every limit and floor that was looked at; none where it is not known which apply, and for a visit
    /// that is planned already.
    pub assessment: Option<Assessment>,
    /// Visits of other units that lie near, which it could be merged with (综合查一次), by day.
    pub near: Vec<Near>,
}

/// A visit of others that is near another one's day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// Its planned day.
    pub on: Date,
    /// The visit.
    pub visit: VisitId,
    /// The unit that leads it.
    pub unit: UnitId,
}

/// What a decision on a plan rests on.
pub(super) struct Grounds<'a> {
    pub(super) registered: &'a Registered,
    pub(super) policy: Published<'a, FrequencyPolicy>,
}

impl<'a> Grounds<'a> {
    pub(super) fn of(context: &Context<'a>) -> Result<Self, Rejection> {
        let Some(registered) = context.profile.and_then(|profile| profile.registered()) else {
            return Err(Rejection::EnterpriseUnregistered);
        };
        let policy = context.frequency.ok_or(Rejection::PolicyUnpublished)?;
        Ok(Self { registered, policy })
    }

    /// What the limits say to a visit beside those places.
    pub(super) fn assess(&self, entries: &[Entry], asked: &Entry) -> Assessment {
        assess(self.policy.document, &self.registered.traits(asked.on), entries, asked)
    }

    /// What must be in order before any limit is looked at.
    fn in_order(&self, context: &Context<'_>, plan: &Plan) -> Result<(), Rejection> {
        let from = context.today();
        // What cannot wait is not planned for later.
        let ahead = if plan.ground == Ground::Urgent { 1 } else { PLANNED_AHEAD_MAX };
        let until = from.saturating_add(ahead.days());
        if plan.on < from || plan.on > until {
            return Err(Rejection::DateOutOfRange { on: plan.on, from, until });
        }
        check_all(context, plan)?;
        undisputed(context, &plan.all_shares())?;
        self.campaigned(context, plan)?;
        if self.lacks_evidence(plan) {
            return Err(Rejection::EvidenceMissing);
        }
        Ok(())
    }

    /// A visit of a special campaign (专项检查) refers to one that is published and that it fits into
    /// (国办发〔2024〕54号: 专项检查须经批准、备案并公布).
    fn campaigned(&self, context: &Context<'_>, plan: &Plan) -> Result<(), Rejection> {
        match (plan.ground == Ground::Special, plan.campaign) {
            (false, None) => Ok(()),
            (false, Some(_)) => Err(Rejection::CampaignNotAllowed),
            (true, None) => Err(Rejection::CampaignMissing),
            (true, Some(_)) => {
                let (area, traits) = (&self.registered.area, self.registered.traits(plan.on));
                let absent = Campaign::default();
                let campaign = context.campaign.unwrap_or(&absent);
                let fits = |(unit, share): (UnitId, Share)| {
                    campaign.admits(&unit, &share.items, Some(area), &traits, plan.on)
                };
                let fitting = plan.all_shares().into_iter().try_for_each(fits);
                fitting.map_err(Rejection::CampaignUnfit)
            }
        }
    }

    pub(super) fn lacks_evidence(&self, plan: &Plan) -> bool {
        lacks_evidence(self.policy.document, &self.registered.traits(plan.on), plan)
    }
}

/// Whether the plan's ground passes some limit, and nothing proves it.
pub(crate) fn lacks_evidence(policy: &FrequencyPolicy, enterprise: &Traits, plan: &Plan) -> bool {
    plan.evidence.is_none() && policy.exempts(enterprise, plan.ground, plan.on)
}

/// What a visit is held to by the policy in force, or by default.
pub(super) fn terms(context: &Context<'_>) -> VisitTerms {
    context.frequency.map(|policy| policy.document.visits).unwrap_or_default()
}

/// The visit as it would stand once planned, with what the catalogues say of its units and items.
pub(super) fn visit_of(context: &Context<'_>, plan: &Plan) -> Visit {
    let level = |unit: &UnitId| context.catalogue(unit).map(|found| found.document.level);
    let party = |unit: &UnitId| Party { unit: unit.clone(), level: level(unit) };
    let others = plan.shares.keys().filter(|unit| **unit != plan.unit).map(party);
    let parties = std::iter::once(party(&plan.unit)).chain(others).collect();
    let (mut fields, mut lines) = (FewMap::new(), FewMap::new());
    for (unit, share) in plan.all_shares() {
        let (of_unit, long) = listed(context, &unit, &share.items);
        fields.extend(of_unit);
        lines.extend(long);
    }
    Visit::planned(plan.clone(), parties, fields, lines)
}

/// The fields of a unit's items and how long their checklists are, as its catalogue has them.
pub(super) fn listed<'a>(
    context: &Context<'_>,
    unit: &UnitId,
    items: impl IntoIterator<Item = &'a ItemId>,
) -> (FewMap<ItemId, FieldId>, FewMap<ItemId, u16>) {
    let Some(catalogue) = context.catalogue(unit).map(|found| found.document) else {
        return (FewMap::new(), FewMap::new());
    };
    let found: Vec<_> = items.into_iter().filter_map(|item| catalogue.item(item)).collect();
    let fields = found.iter().map(|item| (item.id.clone(), item.field.clone())).collect();
    let long = found.iter().filter(|item| !item.checklist.is_empty()).map(|item| {
        let lines = u16::try_from(item.checklist.len()).unwrap_or(u16::MAX);
        (item.id.clone(), lines)
    });
    (fields, long.collect())
}

/// That no two units bring an item of which one's catalogue says otherwise than the other's.
pub(super) fn undisputed(
    context: &Context<'_>,
    shares: &FewMap<UnitId, Share>,
) -> Result<(), Rejection> {
    let mut said = BTreeMap::new();
    for (unit, share) in shares {
        let Some(catalogue) = context.catalogue(unit).map(|found| found.document) else {
            continue;
        };
        for listed in share.items.iter().filter_map(|item| catalogue.item(item)) {
            let of_it = (&listed.field, listed.checklist.len());
            if *said.entry(&listed.id).or_insert(of_it) != of_it {
                return Err(Rejection::ItemDisputed { item: listed.id.clone() });
            }
        }
    }
    Ok(())
}

/// What is recorded of a visit that was planned.
pub(super) fn planned(context: &Context<'_>, visit: Visit, standings: Vec<Standing>) -> Event {
    let version = |unit: &UnitId| context.catalogue(unit).map(|found| found.version);
    let others = visit.plan.shares.keys();
    Event::VisitPlanned {
        area: context.area(),
        policy_version: context.frequency.map_or(0, |policy| policy.version),
        catalogue_version: version(&visit.plan.unit),
        co_catalogues: others.filter_map(|unit| Some((unit.clone(), version(unit)?))).collect(),
        parties: visit.parties,
        fields: visit.fields,
        lines: visit.lines,
        standings,
        plan: visit.plan,
    }
}

impl Visits {
    /// What planning the visit would come to: [`Command::Plan`](super::Command::Plan) is decided by
    /// this very function.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>, plan: &Plan) -> Explanation {
        if let Some(known) = self.get(plan.visit) {
            return Explanation::of_known(known, plan);
        }
        if self.off_site.contains_key(&plan.visit) {
            return Explanation::refused(Rejection::PlannedDifferently(plan.visit));
        }
        let found = match Grounds::of(context) {
            Ok(grounds) => self.weigh(context, plan, &grounds).0,
            Err(rejection) => Explanation::refused(rejection),
        };
        Explanation { near: self.near(context, plan), ..found }
    }

    pub(super) fn plan(&self, context: &Context<'_>, plan: &Plan) -> Result<Vec<Event>, Rejection> {
        if let Some(known) = self.get(plan.visit) {
            return Explanation::of_known(known, plan).rejection.map_or(Ok(vec![]), Err);
        }
        if self.off_site.contains_key(&plan.visit) {
            return Err(Rejection::PlannedDifferently(plan.visit));
        }
        let grounds = Grounds::of(context)?;
        let (found, visit) = self.weigh(context, plan, &grounds);
        if let Some(rejection) = found.rejection {
            return Err(rejection);
        }
        let standings = found.assessment.map_or(vec![], |assessment| assessment.standings);
        Ok(vec![planned(context, visit, standings)])
    }

    fn weigh(
        &self,
        context: &Context<'_>,
        plan: &Plan,
        grounds: &Grounds<'_>,
    ) -> (Explanation, Visit) {
        let visit = visit_of(context, plan);
        let asked = visit.as_entry(plan.on, Held::Reserved, visit.officers());
        let found = grounds.assess(&self.entries(&[plan.visit]), &asked);
        let in_order = grounds.in_order(context, plan).and_then(|()| self.founded(plan));
        let (verdict, rejection) = match in_order {
            Err(rejection) => (Verdict::Refused, Some(rejection)),
            Ok(()) => (found.verdict, withheld(&found, plan)),
        };
        let assessment = Some(found);
        (Explanation { verdict, rejection, assessment, near: vec![] }, visit)
    }

    /// A recheck (整改复核) names the visit that it looks at again, and looks at nothing but what is still to be
    /// rectified for the same unit; no other ground names one.
    fn founded(&self, plan: &Plan) -> Result<(), Rejection> {
        let visit = match (plan.ground == Ground::RectificationRecheck, plan.recheck_of) {
            (true, None) => return Err(Rejection::RecheckMissing),
            (false, Some(_)) => return Err(Rejection::RecheckNotAllowed),
            (false, None) => return Ok(()),
            (true, Some(visit)) => visit,
        };
        let known = self.get(visit);
        let open = |unit: &UnitId, item: &ItemId| {
            let key = (unit.clone(), item.clone());
            known.is_some_and(|known| known.rectifications.contains_key(&key))
        };
        let shares = plan.all_shares();
        let mut looked_at = shares
            .iter()
            .flat_map(|(unit, share)| share.items.iter().map(move |item| (unit, item)));
        let founded = looked_at.all(|(unit, item)| open(unit, item));
        if founded { Ok(()) } else { Err(Rejection::RecheckUnfounded { visit }) }
    }

    /// Visits of other units in the days around the plan's.
    fn near(&self, context: &Context<'_>, plan: &Plan) -> Vec<Near> {
        let days = i32::from(terms(context).near_days).days();
        let around = plan.on.saturating_sub(days)..=plan.on.saturating_add(days);
        let others = self.all().filter(|visit| {
            visit.is_ahead() && around.contains(&visit.plan.on) && !visit.takes_part(&plan.unit)
        });
        let near = others.map(|visit| Near {
            on: visit.plan.on,
            visit: visit.plan.visit,
            unit: visit.plan.unit.clone(),
        });
        let mut near: Vec<Near> = near.collect();
        near.sort();
        near
    }
}

impl Explanation {
    fn refused(rejection: Rejection) -> Self {
        Self {
            verdict: Verdict::Refused,
            rejection: Some(rejection),
            assessment: None,
            near: vec![],
        }
    }

    /// The same plan again changes nothing; another one under the same id is refused.
    fn of_known(known: &Visit, plan: &Plan) -> Self {
        if known.plan == *plan {
            Self { verdict: Verdict::Allowed, rejection: None, assessment: None, near: vec![] }
        } else {
            Self::refused(Rejection::PlannedDifferently(plan.visit))
        }
    }
}

/// What the limits refuse.
pub(crate) fn withheld(found: &Assessment, plan: &Plan) -> Option<Rejection> {
    let exceeded = |least: Verdict| -> Vec<Standing> {
        found
            .exceeded()
            .filter(|standing| Verdict::of(standing.on_exceeding) >= least)
            .cloned()
            .collect()
    };
    let wanted = match found.verdict {
        Verdict::Allowed | Verdict::Marked => return None,
        Verdict::Refused => {
            return Some(Rejection::CapReached { exhausted: exceeded(Verdict::Refused) });
        }
        Verdict::NeedsExplanation => Justification::Explanation,
        Verdict::NeedsApproval => Justification::Approval,
    };
    plan.justification.is_none().then(|| Rejection::JustificationMissing {
        wanted,
        exceeded: exceeded(Verdict::NeedsExplanation),
    })
}
