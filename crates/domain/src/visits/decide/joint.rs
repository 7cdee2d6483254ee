//! Joint visits (综合查一次): a unit gives its own visit up to take part in another's.

use jiff::ToSpan;

use crate::{
    FewMap,
    decider::Context,
    frequency::{Held, Party, Rule},
    ids::{FieldId, ItemId, UnitId, VisitId},
    visits::{
        Event, Phase, Plan, Rejection, Visit, Visits,
        catalogued::check,
        plan::{Grounds, listed, terms, withheld},
    },
};

impl Visits {
    /// Both must be ahead and near each other, and the limits must allow what comes of it.
    pub(in crate::visits) fn merge(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        into: VisitId,
        unit: &UnitId,
    ) -> Result<Vec<Event>, Rejection> {
        if visit.phase == (Phase::Merged { into }) {
            return Ok(vec![]);
        }
        let joint = self.known(into)?;
        for one in [visit, joint] {
            if !one.is_ahead() {
                return Err(one.wrong_phase("planned or approved"));
            }
        }
        let apart = i32::from(terms(context).near_days).days();
        let near = visit.plan.on.saturating_sub(apart)..=visit.plan.on.saturating_add(apart);
        if joint.takes_part(unit) || visit.shares.len() > 1 || !near.contains(&joint.plan.on) {
            return Err(Rejection::NotMergeable { into });
        }
        // What the enterprise knows of must not lead it to what it does not.
        if visit.is_announced() && !joint.is_announced() {
            return Err(Rejection::NotMergeable { into });
        }
        let Some(share) = visit.shares.get(unit) else {
            return Err(Rejection::OtherUnit { owner: visit.plan.unit.clone() });
        };
        let grounds = Grounds::of(context)?;
        // What counts on its own does not go free under the ground of another.
        let traits = grounds.registered.traits(joint.plan.on);
        let frees = |rule: &Rule| rule.counts(visit.plan.ground) && !rule.counts(joint.plan.ground);
        let rules = grounds.policy.document.rules.iter();
        let mut rules = rules.filter(|rule| rule.applies(joint.plan.on));
        if rules.any(|rule| rule.enterprises.include(&traits) && frees(rule)) {
            return Err(Rejection::NotMergeable { into });
        }
        // Only what is in a campaign itself goes on under it.
        if visit.plan.campaign != joint.plan.campaign {
            return Err(Rejection::NotMergeable { into });
        }
        let (on, ground) = (joint.plan.on, joint.plan.ground);
        let moved = Plan { on, ground, ..visit.plan.clone() };
        check(context, &moved, unit, share)?;
        let level = context.catalogue(unit).map(|found| found.document.level);
        let party = Party { unit: unit.clone(), level };
        let mut joined = joint.clone();
        joined.shares.insert(unit.clone(), share.clone());
        joined.parties.push(party.clone());
        let (fields, lines) = listed(context, unit, &share.items);
        joined.agrees_on(&fields, &lines)?;
        joined.fields.extend(fields.clone());
        let asked = joined.as_entry(joint.plan.on, Held::Reserved, joined.officers());
        let found = grounds.assess(&self.entries(&[visit.plan.visit, into]), &asked);
        let justified = joint.plan.justification.clone().or(moved.justification);
        let plan = Plan { justification: justified, ..joint.plan.clone() };
        if let Some(rejection) = withheld(&found, &plan) {
            return Err(rejection);
        }
        Ok(vec![Event::VisitsMerged {
            visit: visit.plan.visit,
            into,
            party,
            share: share.clone(),
            fields,
            lines,
            approved: visit.approvals.contains(unit),
            standings: found.standings,
        }])
    }
}

impl Visit {
    /// That a unit that joins says of no item otherwise than those that brought it before.
    fn agrees_on(
        &self,
        fields: &FewMap<ItemId, FieldId>,
        lines: &FewMap<ItemId, u16>,
    ) -> Result<(), Rejection> {
        let brought = self.shares.values().flat_map(|share| &share.items).collect::<Vec<_>>();
        let differs = |item: &&ItemId| {
            let twice = brought.iter().filter(|other| *other == item).count() > 1;
            twice
                && (self.fields.get(*item) != fields.get(*item)
                    || self.lines.get(*item) != lines.get(*item))
        };
        let disputed = fields.keys().find(differs);
        disputed.map_or(Ok(()), |item| Err(Rejection::ItemDisputed { item: item.clone() }))
    }
}
