//! Planning a visit: one function for the decision and for whoever asks beforehand.

use std::collections::BTreeMap;

use jiff::ToSpan;

use super::{
    Event, Justification, PLANNED_AHEAD_MAX, Plan, Rejection, Visit, Visits,
    catalogued::{catalogue_of, check},
    decide::enough_officers,
};
use crate::{
    catalogue::Catalogue,
    decider::{Context, Published},
    enterprise::Registered,
    frequency::{Assessment, FrequencyPolicy, Held, Party, Standing, Verdict, assess},
    ids::{FieldId, ItemId},
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
}

/// What a decision on a plan rests on.
struct Grounds<'a> {
    registered: &'a Registered,
    policy: Published<'a, FrequencyPolicy>,
    catalogue: Option<Published<'a, Catalogue>>,
}

impl<'a> Grounds<'a> {
    fn of(context: &Context<'a>, plan: &Plan) -> Result<Self, Rejection> {
        let Some(registered) = context.profile.and_then(|profile| profile.registered()) else {
            return Err(Rejection::EnterpriseUnregistered);
        };
        let policy = context.frequency.ok_or(Rejection::PolicyUnpublished)?;
        Ok(Self { registered, policy, catalogue: catalogue_of(context, &plan.unit) })
    }

    /// The visit as it would stand once planned.
    fn visit(&self, plan: &Plan) -> Visit {
        let catalogue = self.catalogue.map(|published| published.document);
        let lead =
            Party { unit: plan.unit.clone(), level: catalogue.map(|catalogue| catalogue.level) };
        let others = plan.co_units.iter().filter(|unit| **unit != plan.unit);
        let others = others.map(|unit| Party { unit: unit.clone(), level: None });
        let field = |item: &ItemId| -> Option<(ItemId, FieldId)> {
            Some((item.clone(), catalogue?.item(item)?.field.clone()))
        };
        let fields: BTreeMap<_, _> = plan.items.iter().filter_map(field).collect();
        Visit::planned(plan.clone(), std::iter::once(lead).chain(others).collect(), fields)
    }

    /// What must be in order before any limit is looked at.
    fn in_order(&self, context: &Context<'_>, plan: &Plan) -> Result<(), Rejection> {
        enough_officers(&plan.officers)?;
        if plan.items.is_empty() {
            return Err(Rejection::NoItems);
        }
        let from = context.today();
        let until = from.saturating_add(PLANNED_AHEAD_MAX.days());
        if plan.on < from || plan.on > until {
            return Err(Rejection::DateOutOfRange { on: plan.on, from, until });
        }
        let Some(catalogue) = self.catalogue else {
            return Err(Rejection::CatalogueUnpublished { unit: plan.unit.clone() });
        };
        check(catalogue.document, plan)?;
        let traits = self.registered.traits(plan.on);
        if plan.evidence.is_none() && self.policy.document.exempts(&traits, plan.ground, plan.on) {
            return Err(Rejection::EvidenceMissing);
        }
        Ok(())
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
        match Grounds::of(context, plan) {
            Ok(grounds) => self.weigh(context, plan, &grounds).0,
            Err(rejection) => Explanation::refused(rejection),
        }
    }

    pub(super) fn plan(&self, context: &Context<'_>, plan: &Plan) -> Result<Vec<Event>, Rejection> {
        if let Some(known) = self.get(plan.visit) {
            return Explanation::of_known(known, plan).rejection.map_or(Ok(vec![]), Err);
        }
        let grounds = Grounds::of(context, plan)?;
        let (found, visit) = self.weigh(context, plan, &grounds);
        if let Some(rejection) = found.rejection {
            return Err(rejection);
        }
        Ok(vec![Event::VisitPlanned {
            plan: visit.plan,
            area: Some(grounds.registered.area.clone()),
            policy_version: grounds.policy.version,
            catalogue_version: grounds.catalogue.map(|published| published.version),
            parties: visit.parties,
            fields: visit.fields,
            standings: found.assessment.map_or(vec![], |assessment| assessment.standings),
        }])
    }

    fn weigh(
        &self,
        context: &Context<'_>,
        plan: &Plan,
        grounds: &Grounds<'_>,
    ) -> (Explanation, Visit) {
        let visit = grounds.visit(plan);
        let asked = visit.as_entry(plan.on, Held::Reserved, plan.officers.clone());
        let traits = grounds.registered.traits(plan.on);
        let entries = self.entries(plan.visit);
        let found = assess(grounds.policy.document, &traits, &entries, &asked);
        let (verdict, rejection) = match grounds.in_order(context, plan) {
            Err(rejection) => (Verdict::Refused, Some(rejection)),
            Ok(()) => (found.verdict, withheld(&found, plan)),
        };
        (Explanation { verdict, rejection, assessment: Some(found) }, visit)
    }
}

impl Explanation {
    fn refused(rejection: Rejection) -> Self {
        Self { verdict: Verdict::Refused, rejection: Some(rejection), assessment: None }
    }

    /// The same plan again changes nothing; another one under the same id is refused.
    fn of_known(known: &Visit, plan: &Plan) -> Self {
        if known.plan == *plan {
            Self { verdict: Verdict::Allowed, rejection: None, assessment: None }
        } else {
            Self::refused(Rejection::PlannedDifferently(plan.visit))
        }
    }
}

/// What the limits refuse.
fn withheld(found: &Assessment, plan: &Plan) -> Option<Rejection> {
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
