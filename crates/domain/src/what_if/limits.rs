//! Visits under another frequency policy: each plan and each arrival decided on again, beside the places
//! that were held just before.
//!
//! Plans are compared with the version that their event names, arrivals with the version in force. A visit
//! that takes the very place that its plan held was decided on with the plan, and one that was made at
//! the door is looked at there alone. A merge is not decided on again.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    mem,
};

use super::{Change, Instance, Key, Look, Matter, versions::Versions};
use crate::{
    FewMap,
    appeal::Confidentiality,
    calendar::civil_date,
    decider::Decider,
    enterprise::{self, Profile},
    frequency::{Assessment, Entry, FrequencyPolicy, Held, Standing, Traits, Verdict, assess},
    ids::{AreaCode, EnterpriseId, RuleId, VisitId},
    policy::{self, Document},
    visits::{Event, Visit, Visits, lacks_evidence, raised, withheld},
};

/// The events after which a place is held otherwise than before.
const WANTED: [&str; 9] = [
    "VisitPlanned",
    "VisitsMerged",
    "UnitWithdrew",
    "VisitCheckedIn",
    "ResultReported",
    "VisitClosed",
    "VisitCancelled",
    "VisitRefused",
    "VisitExpired",
];

pub(super) struct Limits {
    candidate: FrequencyPolicy,
    published: Versions<FrequencyPolicy>,
    enterprises: HashMap<EnterpriseId, Known>,
    /// The candidate's limits that applied to some visit.
    applied: BTreeSet<RuleId>,
}

/// What rules read of an enterprise.
#[derive(Default)]
struct Known {
    profile: Profile,
    /// The visits that something may still happen to.
    visits: Visits,
    /// The places of those that are closed.
    closed: Vec<Entry>,
    /// How many these were when they were lent out.
    closed_count: usize,
}

/// What a policy says to a plan, from the mildest to the strictest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Passes(Verdict),
    Unjustified,
    Unevidenced,
    Refused,
}

/// A plan or an arrival, with what it is decided on.
struct Decision<'a> {
    enterprise: &'a EnterpriseId,
    traits: &'a Traits,
    /// The places beside it.
    entries: &'a [Entry],
    asked: &'a Entry,
    visit: &'a Visit,
    area: Option<&'a AreaCode>,
}

/// What a policy says, and why.
struct Judged {
    word: Word,
    found: Assessment,
}

impl Limits {
    pub(super) fn under(candidate: FrequencyPolicy) -> Self {
        Self {
            candidate,
            published: Versions::default(),
            enterprises: HashMap::new(),
            applied: BTreeSet::new(),
        }
    }

    pub(super) fn wants(name: &str) -> bool {
        WANTED.contains(&name)
    }

    pub(super) fn published(&mut self, events: &[policy::Event]) {
        self.published.see(events, |document| match document {
            Document::Frequency(policy) => Some(policy),
            Document::Routing(_)
            | Document::Calendar(_)
            | Document::CaseTypes(_)
            | Document::Catalogue(_) => None,
        });
    }

    pub(super) fn profile(&mut self, of: &EnterpriseId, events: &[enterprise::Event]) {
        let known = self.known(of);
        known.profile = events.iter().fold(mem::take(&mut known.profile), Profile::evolve);
    }

    fn known(&mut self, of: &EnterpriseId) -> &mut Known {
        // Nearly always it is known already, and then its name need not be copied.
        if !self.enterprises.contains_key(of) {
            self.enterprises.insert(of.clone(), Known::default());
        }
        self.enterprises.entry(of.clone()).or_default()
    }

    /// The candidate's limits that applied to no visit.
    pub(super) fn idle(&self) -> BTreeSet<RuleId> {
        let rules = self.candidate.rules.iter().map(|rule| &rule.id);
        rules.filter(|rule| !self.applied.contains(*rule)).cloned().collect()
    }

    pub(super) fn visits(&mut self, look: &mut Look<'_>, of: &EnterpriseId, events: &[Event]) {
        // Taken out, so that the policies can be read meanwhile.
        let mut known = mem::take(self.known(of));
        let planned = events.iter().any(|event| matches!(event, Event::VisitPlanned { .. }));
        let came = events.iter().any(|event| matches!(event, Event::VisitCheckedIn { .. }));
        let improvised = planned && came;
        let counts = look.days.hold(look.recorded_at);
        for event in events {
            if counts && !improvised {
                self.plan(look, &mut known, of, event);
            }
            if counts {
                self.arrival(look, &mut known, of, event, improvised);
            }
            known.see(event);
        }
        *self.known(of) = known;
    }

    fn plan(
        &mut self,
        look: &mut Look<'_>,
        known: &mut Known,
        enterprise: &EnterpriseId,
        event: &Event,
    ) {
        let Event::VisitPlanned { plan, area, policy_version, parties, fields, .. } = event else {
            return;
        };
        let (plan, area) = (plan.clone(), area.as_ref());
        let visit = Visit::planned(plan, parties.clone(), fields.clone(), FewMap::new());
        let asked = visit.as_entry(visit.plan.on, Held::Reserved, visit.officers());
        let traits = known.traits(&asked);
        let entries = known.beside(visit.plan.visit);
        let decision = Decision {
            enterprise,
            traits: &traits,
            entries: &entries,
            asked: &asked,
            visit: &visit,
            area,
        };
        if look.sees(&decision) {
            match self.published.get(*policy_version) {
                None => look.report.skipped += 1,
                Some(policy) => {
                    look.report.compared += 1;
                    let (before, after) =
                        (decision.judged(policy), decision.judged(&self.candidate));
                    after.apply(&mut self.applied);
                    look.plan(&decision, &before, &after);
                }
            }
        }
        known.keep(entries);
    }

    fn arrival(
        &mut self,
        look: &mut Look<'_>,
        known: &mut Known,
        enterprise: &EnterpriseId,
        event: &Event,
        improvised: bool,
    ) {
        let Event::VisitCheckedIn { visit, check_in, counts_on, .. } = event else { return };
        let Some(visit) = known.visits.get(*visit).cloned() else { return };
        let usual = || civil_date(check_in.occurred_at).max(visit.plan.on);
        let on = counts_on.unwrap_or_else(usual);
        let asked = visit.as_entry(on, Held::Used, check_in.officers.clone());
        let same = |held: Entry| held.on == asked.on && held.officers == asked.officers;
        if !improvised && visit.entry().is_some_and(same) {
            return;
        }
        let traits = known.traits(&asked);
        let area = known.profile.registered().map(|registered| registered.area.clone());
        let area = area.as_ref();
        let entries = known.beside(visit.plan.visit);
        let decision = Decision {
            enterprise,
            traits: &traits,
            entries: &entries,
            asked: &asked,
            visit: &visit,
            area,
        };
        if look.sees(&decision) {
            match self.published.in_force() {
                None => look.report.skipped += 1,
                Some(policy) => {
                    look.report.compared += 1;
                    look.arrival(
                        &decision,
                        &decision.overshot(policy),
                        &decision.overshot(&self.candidate),
                    );
                }
            }
        }
        known.keep(entries);
    }
}

impl Known {
    fn traits(&self, asked: &Entry) -> Traits {
        self.profile.registered().map(|found| found.traits(asked.on)).unwrap_or_default()
    }

    /// Every place beside that of a visit, those of closed visits first. To be given back to `keep`, for
    /// copying them for each decision would take longer than the decision.
    fn beside(&mut self, visit: VisitId) -> Vec<Entry> {
        let mut entries = mem::take(&mut self.closed);
        self.closed_count = entries.len();
        entries.extend(self.visits.entries(&[visit]));
        entries
    }

    fn keep(&mut self, mut entries: Vec<Entry>) {
        entries.truncate(self.closed_count);
        self.closed = entries;
    }

    fn see(&mut self, event: &Event) {
        self.visits = mem::take(&mut self.visits).evolve(event);
        if let Event::VisitClosed { visit } = event {
            // Nothing happens to it any more, and its place alone is far smaller.
            self.closed.extend(self.visits.take(*visit).and_then(|visit| visit.entry()));
        }
    }
}

impl Decision<'_> {
    fn judged(&self, policy: &FrequencyPolicy) -> Judged {
        let found = assess(policy, self.traits, self.entries, self.asked);
        let plan = &self.visit.plan;
        let word = if found.verdict == Verdict::Refused {
            Word::Refused
        } else if lacks_evidence(policy, self.traits, plan) {
            Word::Unevidenced
        } else if withheld(&found, plan).is_some() {
            Word::Unjustified
        } else {
            Word::Passes(found.verdict)
        };
        Judged { word, found }
    }

    /// The limits that the arrival overshoots.
    fn overshot(&self, policy: &FrequencyPolicy) -> BTreeSet<RuleId> {
        let unjustified = self.visit.plan.justification.is_none();
        let raised = raised(policy, self.traits, self.entries, self.asked, unjustified);
        let over = raised.into_iter().filter_map(|event| {
            let Event::CapExceeded { standing, .. } = event else { return None };
            Some(standing.rule)
        });
        over.collect()
    }

    /// What the changes of such a visit are counted by, besides rules.
    fn keys(&self) -> [Key; 3] {
        let plan = &self.visit.plan;
        [
            Key::Unit(Some(plan.unit.clone())),
            Key::Area(self.area.cloned()),
            Key::Ground(plan.ground),
        ]
    }
}

impl Judged {
    /// The rules that say the strictest word.
    fn rules(&self) -> BTreeSet<RuleId> {
        let strictest = |s: &&Standing| Verdict::of(s.on_exceeding) == self.found.verdict;
        self.found.exceeded().filter(strictest).map(|standing| standing.rule.clone()).collect()
    }

    /// Notes which rules applied at all.
    fn apply(&self, applied: &mut BTreeSet<RuleId>) {
        for standing in &self.found.standings {
            if !applied.contains(&standing.rule) {
                applied.insert(standing.rule.clone());
            }
        }
    }
}

impl Look<'_> {
    fn sees(&self, decision: &Decision<'_>) -> bool {
        (self.sees)(&Matter {
            enterprise: decision.enterprise,
            unit: Some(&decision.visit.plan.unit),
            area: decision.area,
            confidentiality: Confidentiality::Internal,
        })
    }

    fn plan(&mut self, decision: &Decision<'_>, before: &Judged, after: &Judged) {
        let (change, rules) = match (after.word.cmp(&before.word), after.word) {
            (Ordering::Equal, _) => return,
            (Ordering::Less, _) => (Change::Milder, before.rules()),
            (Ordering::Greater, Word::Refused) => (Change::Refused, after.rules()),
            (Ordering::Greater, Word::Unevidenced) => (Change::Unevidenced, BTreeSet::new()),
            (Ordering::Greater, Word::Unjustified) => (Change::Unjustified, after.rules()),
            (Ordering::Greater, Word::Passes(_)) => (Change::Stricter, after.rules()),
        };
        self.visit(change, decision, rules);
    }

    fn arrival(
        &mut self,
        decision: &Decision<'_>,
        before: &BTreeSet<RuleId>,
        after: &BTreeSet<RuleId>,
    ) {
        match (before.is_empty(), after.is_empty()) {
            (true, false) => self.visit(Change::Overshot, decision, after.clone()),
            (false, true) => self.visit(Change::Within, decision, before.clone()),
            (true, true) | (false, false) => {}
        }
    }

    fn visit(&mut self, change: Change, decision: &Decision<'_>, rules: BTreeSet<RuleId>) {
        let keys = rules.into_iter().map(Key::Rule).chain(decision.keys());
        let instance = Instance::Visit(decision.visit.plan.visit);
        self.report.note(change, (decision.enterprise, instance), keys);
    }
}
