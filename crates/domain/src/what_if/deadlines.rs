//! Deadlines of appeals under other case types or another work calendar: each clock derived again from its start,
//! with the pauses and extensions that it had, and compared with when it really ended.
//!
//! Another allowance moves no other event: who would have answered earlier or later under it, nobody
//! knows. A clock whose length was not its terms' (a task with days of its own) keeps that length. The
//! bound of a pause is no deadline of anybody's. A clock that still runs is compared as of the end.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use jiff::Timestamp;

use super::{Change, Instance, Key, Look, Matter, versions::Versions};
use crate::{
    appeal::{ClockChange, Confidentiality, Event, Pinned},
    calendar::Calendar,
    cases::{CaseType, CaseTypes},
    clock::{Clock, ClockKind, Owner, Terms},
    decider::Published,
    ids::{AppealId, AreaCode, CaseTypeId, ClassId, EnterpriseId},
    policy::{self, Document},
};

/// The events that carry clocks and move the due instant of none.
const UNWANTED: [&str; 4] =
    ["AppealSignedFor", "ClockStepsTaken", "DiagnosisConvened", "AppealSplit"];

enum Candidate {
    Types(CaseTypes),
    Calendar(Calendar),
}

pub(super) struct Deadlines {
    candidate: Candidate,
    calendars: Versions<Calendar>,
    /// What counts where no calendar was published.
    weekdays: Calendar,
    /// The terms of appeals, each kept once.
    terms: BTreeMap<TermsKey, CaseType>,
    appeals: HashMap<AppealId, Known>,
}

/// Terms by the version of the case types, and the type.
type TermsKey = (u32, CaseTypeId);

/// An appeal with the clocks that run on it.
struct Known {
    enterprise: EnterpriseId,
    area: AreaCode,
    confidentiality: Confidentiality,
    terms: TermsKey,
    class: ClassId,
    clocks: Vec<Running>,
}

struct Running {
    clock: Clock,
    /// The class whose terms gave it its length; none where its length is its own.
    class: Option<ClassId>,
}

impl Deadlines {
    pub(super) fn of_types(types: CaseTypes) -> Self {
        Self::under(Candidate::Types(types))
    }

    pub(super) fn by(calendar: Calendar) -> Self {
        Self::under(Candidate::Calendar(calendar))
    }

    fn under(candidate: Candidate) -> Self {
        Self {
            candidate,
            calendars: Versions::default(),
            weekdays: Calendar::default(),
            terms: BTreeMap::new(),
            appeals: HashMap::new(),
        }
    }

    pub(super) fn wants(name: &str) -> bool {
        !UNWANTED.contains(&name)
    }

    pub(super) fn published(&mut self, events: &[policy::Event]) {
        self.calendars.see(events, |document| match document {
            Document::Calendar(calendar) => Some(calendar),
            Document::Frequency(_)
            | Document::Routing(_)
            | Document::CaseTypes(_)
            | Document::Catalogue(_) => None,
        });
    }

    pub(super) fn appeal(
        &mut self,
        look: &mut Look<'_>,
        enterprise: &EnterpriseId,
        id: AppealId,
        events: Vec<Event>,
    ) {
        for event in events {
            if let Event::AppealSubmitted { submission, terms, .. } = &event {
                let Pinned { version, case_type } = terms;
                let key = (*version, case_type.id.clone());
                let named = submission.class.as_ref().and_then(|class| case_type.class(class));
                let Some(class) = named.or_else(|| case_type.classes.first()) else { continue };
                let known = Known {
                    enterprise: enterprise.clone(),
                    area: submission.area.clone(),
                    confidentiality: submission.confidentiality,
                    class: class.id.clone(),
                    terms: key.clone(),
                    clocks: vec![],
                };
                self.terms.entry(key).or_insert_with(|| case_type.clone());
                self.appeals.insert(id, known);
            }
            let Some(mut known) = self.appeals.remove(&id) else { continue };
            if let Event::AppealReclassified { class, .. } = &event {
                known.class = class.clone();
            }
            if let (Some(change), Some(terms)) = (event.clocks(), self.terms.get(&known.terms)) {
                for ended in known.wind(change, terms) {
                    self.compare(look, (id, &known), &ended, change.at);
                }
            }
            self.appeals.insert(id, known);
        }
    }

    /// Compares what still runs.
    pub(super) fn end(mut self, mut look: Look<'_>) {
        let mut appeals: Vec<_> = mem::take(&mut self.appeals).into_iter().collect();
        appeals.sort_by_key(|(id, _)| *id);
        let now = look.recorded_at;
        for (id, known) in &appeals {
            for running in &known.clocks {
                self.compare(&mut look, (*id, known), running, now);
            }
        }
    }

    fn compare(
        &self,
        look: &mut Look<'_>,
        (id, known): (AppealId, &Known),
        ended: &Running,
        at: Timestamp,
    ) {
        let clock = &ended.clock;
        let unit = match &clock.owner {
            Owner::Unit(unit) => Some(unit),
            Owner::CityDesk => None,
        };
        let matter = Matter {
            enterprise: &known.enterprise,
            unit,
            area: Some(&known.area),
            confidentiality: known.confidentiality,
        };
        if clock.kind == ClockKind::Pause || !look.days.hold(clock.start) || !(look.sees)(&matter) {
            return;
        }
        let Some(other) = self.derived(known, ended) else {
            look.report.skipped += 1;
            return;
        };
        look.report.compared += 1;
        let change = match (clock.is_overdue(at), other.is_overdue(at)) {
            (false, true) => Change::Missed,
            (true, false) => Change::Kept,
            (true, true) | (false, false) if other.due < clock.due => Change::Earlier,
            (true, true) | (false, false) if other.due > clock.due => Change::Later,
            (true, true) | (false, false) => return,
        };
        let of_class = clock.kind == ClockKind::Resolve;
        let class = of_class.then(|| Key::Class(known.terms.1.clone(), known.class.clone()));
        let keys =
            [Key::Unit(unit.cloned()), Key::Area(Some(known.area.clone())), Key::Owed(clock.kind)];
        let instance = (&known.enterprise, Instance::Appeal(id));
        look.report.note(change, instance, keys.into_iter().chain(class));
    }

    /// The clock as the candidate would have had it; none where that says nothing of such a case.
    fn derived(&self, known: &Known, running: &Running) -> Option<Clock> {
        let clock = &running.clock;
        let version = clock.derivation.calendar_version;
        let (days, calendar) = match &self.candidate {
            Candidate::Calendar(calendar) => (clock.working_days, calendar),
            Candidate::Types(types) => {
                let calendar = match version {
                    0 => &self.weekdays,
                    _ => self.calendars.get(version)?,
                };
                let case_type = types.get(&known.terms.1)?;
                let days = match &running.class {
                    Some(class) => case_type.allowance(clock.kind, class)?,
                    None => clock.working_days,
                };
                (days, calendar)
            }
        };
        let terms = Terms {
            warnings: self.terms.get(&known.terms)?.warnings,
            ladder: &[],
            version: clock.derivation.terms_version,
            calendar: Published { version, document: calendar },
        };
        Some(clock.under(days, terms))
    }
}

impl Known {
    /// Follows a change of its clocks; answers those that it ended.
    fn wind(&mut self, change: &ClockChange, terms: &CaseType) -> Vec<Running> {
        for clock in &change.set {
            let at = self.clocks.iter().position(|known| known.clock.id == clock.id);
            let same = at.filter(|at| self.clocks[*at].clock.working_days == clock.working_days);
            let class = match same {
                Some(at) => self.clocks[at].class.clone(),
                None => {
                    let allowed = terms.allowance(clock.kind, &self.class);
                    (allowed == Some(clock.working_days)).then(|| self.class.clone())
                }
            };
            let running = Running { clock: clock.clone(), class };
            match at {
                Some(at) => self.clocks[at] = running,
                None => self.clocks.push(running),
            }
        }
        let stopped = |known: &mut Running| change.stopped.contains(&known.clock.id);
        self.clocks.extract_if(.., stopped).collect()
    }
}
