//! Officers at the door: what must be in order, what is only marked, and what the supervision body is told.

use jiff::civil::Date;

use super::in_future;
use crate::{
    FewSet,
    calendar::{civil_date, cut},
    clock::{Clock, ClockKind, Owner, Terms},
    decider::Context,
    frequency::{
        Entry, FrequencyPolicy, Ground, Held, OnExceeding, Standing, Traits, VisitTerms, excessive,
        overshot,
    },
    ids::{CertificateNumber, CodeId, UnitId, VisitId},
    visits::{
        CheckIn, Event, Irregularity, LIVE_BEHIND_MAX, Manner, OFFICERS_MIN, Phase, Place, Plan,
        Proof, Rejection, Visit, Visits,
        arrival::counts_on,
        catalogued::check,
        plan::{Grounds, planned, terms, visit_of},
    },
};

impl Visits {
    /// A live scan must be in order. One that is entered later already happened: it is recorded, with
    /// what was not in order, and what it overshoots is raised.
    pub(in crate::visits) fn check_in(
        &self,
        context: &Context<'_>,
        (id, unit): (VisitId, &UnitId),
        check_in: &CheckIn,
        improvised: Option<&Plan>,
    ) -> Result<Vec<Event>, Rejection> {
        match (self.get(id), improvised) {
            (Some(_), _) => {
                let visit = self.shared(id, unit)?;
                // The same scan again changes nothing; another scan of the same visit neither.
                if visit.checked_in_at().is_some() {
                    let known = visit.arrival.as_ref().map(|(known, _)| known);
                    let live_or_same = !check_in.manner.is_late() || known == Some(check_in);
                    return if live_or_same {
                        Ok(vec![])
                    } else {
                        Err(visit.wrong_phase("approved"))
                    };
                }
                let came = self.arrive(context, visit, check_in, FewSet::new())?;
                Ok(self.and_left(context, id, came))
            }
            (None, Some(plan)) => {
                if !self.may_improvise(id, plan) {
                    return Err(Rejection::PlannedDifferently(id));
                }
                if plan.unit != *unit {
                    return Err(Rejection::OtherUnit { owner: plan.unit.clone() });
                }
                if !check_in.manner.is_late() && plan.ground != Ground::Urgent {
                    return Err(Rejection::NotUrgent);
                }
                let begun = self.improvise(context, plan, check_in, FewSet::new())?;
                Ok(self.and_left(context, id, begun))
            }
            (None, None) => Err(Rejection::VisitUnknown(id)),
        }
    }

    /// The enterprise scanned the visit's own code and lets in those who are to come.
    pub(in crate::visits) fn admit(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        code: CodeId,
        place: Option<Place>,
    ) -> Result<Vec<Event>, Rejection> {
        if visit.checked_in_at().is_some() {
            return Ok(vec![]);
        }
        let check_in = CheckIn {
            officers: visit.officers(),
            occurred_at: context.now,
            manner: Manner::Live,
            proof: Proof::TaskCode { code },
            place,
        };
        self.arrive(context, visit, &check_in, FewSet::new())
    }

    /// Whether the plan is that of a visit that nobody has recorded.
    pub(in crate::visits) fn may_improvise(&self, id: VisitId, plan: &Plan) -> bool {
        plan.visit == id && self.get(id).is_none() && !self.off_site.contains_key(&id)
    }

    /// A visit that is made on the spot: planned and begun in one commit, to be approved afterwards.
    pub(in crate::visits) fn improvise(
        &self,
        context: &Context<'_>,
        plan: &Plan,
        check_in: &CheckIn,
        doubts: FewSet<Irregularity>,
    ) -> Result<Vec<Event>, Rejection> {
        let visit = visit_of(context, plan);
        let mut irregularities = doubts;
        if plan.ground != Ground::Urgent {
            irregularities.insert(Irregularity::Unplanned);
        }
        irregularities.extend(unfit(context, plan));
        let happened = self.arrive(context, &visit, check_in, irregularities)?;
        let asked = visit.as_entry(plan.on, Held::Reserved, visit.officers());
        let standings = Grounds::of(context)
            .map(|grounds| grounds.assess(&self.entries(&[plan.visit]), &asked).standings);
        let begun = planned(context, visit, standings.unwrap_or_default());
        Ok([begun].into_iter().chain(happened).collect())
    }

    /// A clock of the unit that starts now, after so many others of the same commit.
    pub(in crate::visits) fn clock(
        &self,
        context: &Context<'_>,
        kind: ClockKind,
        unit: &UnitId,
        after: u32,
    ) -> Clock {
        let VisitTerms { approval_days, tell_days, warnings, .. } = terms(context);
        let days = if kind == ClockKind::Approval { approval_days } else { tell_days };
        let terms = Terms {
            warnings,
            ladder: &[],
            version: context.frequency.map_or(0, |policy| policy.version),
            calendar: context.calendar,
        };
        let owner = Owner::Unit(unit.clone());
        Clock::start(self.next_clock(after), kind, owner, days, cut(context.now), terms)
    }

    /// The officers came, with `found` known beforehand. Live, what is not in order is refused, but for
    /// what only marks, and for the plan of a visit that could not wait.
    pub(in crate::visits) fn arrive(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        check_in: &CheckIn,
        found: FewSet<Irregularity>,
    ) -> Result<Vec<Event>, Rejection> {
        if in_future(context, check_in.occurred_at) {
            return Err(Rejection::InFuture { occurred_at: check_in.occurred_at });
        }
        let late = check_in.manner.is_late();
        let improvised = self.get(visit.plan.visit).is_none();
        let mut irregularities = self.irregularities(context, visit, check_in, improvised);
        if !late && irregularities.iter().any(|found| !found.only_marks()) {
            return Err(self.refuse_live(context, visit, &irregularities, check_in));
        }
        irregularities.extend(found);
        let raised = match context.frequency {
            Some(policy) => self.raised(context, policy.document, visit, check_in),
            None if late || improvised => {
                irregularities.insert(Irregularity::LimitsUnchecked);
                vec![]
            }
            None => return Err(Rejection::PolicyUnpublished),
        };
        if !late && !improvised {
            let exhausted = raised.iter().filter_map(refused).cloned().collect::<Vec<_>>();
            if !exhausted.is_empty() {
                return Err(Rejection::CapReached { exhausted });
            }
        }
        let happened = Event::VisitCheckedIn {
            visit: visit.plan.visit,
            check_in: check_in.clone(),
            irregularities,
            tell: Some(self.clock(context, ClockKind::Tell, &visit.plan.unit, 0)),
            counts_on: Some(counts_on(visit.plan.on, check_in.occurred_at, context.today())),
        };
        let owed = self.approvals_owed(context, visit);
        Ok([happened].into_iter().chain(raised).chain(owed).collect())
    }

    /// Each unit that takes part owes the approval of its own head, where that is still missing.
    fn approvals_owed(&self, context: &Context<'_>, visit: &Visit) -> Vec<Event> {
        let missing = visit.shares.keys().filter(|unit| !visit.approvals.contains(unit));
        let owed = (1..).zip(missing).map(|(after, unit)| Event::ApprovalOwed {
            visit: visit.plan.visit,
            clock: self.clock(context, ClockKind::Approval, unit, after),
        });
        owed.collect()
    }

    /// What the supervision body is told once this visit counts as carried out.
    fn raised(
        &self,
        context: &Context<'_>,
        policy: &FrequencyPolicy,
        visit: &Visit,
        check_in: &CheckIn,
    ) -> Vec<Event> {
        let id = visit.plan.visit;
        let on = counts_on(visit.plan.on, check_in.occurred_at, context.today());
        let happened = visit.as_entry(on, Held::Used, check_in.officers.clone());
        let registered = context.profile.and_then(|profile| profile.registered());
        let traits = registered.map(|registered| registered.traits(on)).unwrap_or_default();
        let entries = self.entries(&[id]);
        // A scan that takes the very place that the plan held exceeds nothing new.
        let held = self
            .get(id)
            .and_then(Visit::entry)
            .is_some_and(|held| held.on == happened.on && held.officers == happened.officers);
        let unjustified = !held && visit.plan.justification.is_none();
        let exceeded = raised(policy, &traits, &entries, &happened, unjustified).into_iter();
        let excess = excessive(policy, &traits, &entries, &happened);
        let excess = excess.map(|(count, from, until)| Event::VisitsExcessive {
            visit: id,
            count,
            from,
            until,
        });
        exceeded.chain(excess).collect()
    }

    fn irregularities(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        check_in: &CheckIn,
        improvised: bool,
    ) -> FewSet<Irregularity> {
        let phase = match visit.phase {
            Phase::Planned => (!improvised).then_some(Irregularity::NotApproved),
            Phase::Cancelled => Some(Irregularity::AfterCancellation),
            Phase::Expired => Some(Irregularity::AfterExpiry),
            Phase::Refused => Some(Irregularity::AfterRefusal),
            Phase::Merged { .. } => Some(Irregularity::AfterMerge),
            Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Closed { .. } => None,
        };
        let on = civil_date(check_in.occurred_at);
        let early = (on < visit.plan.on).then_some(Irregularity::BeforePlannedDay);
        let few = (check_in.officers.len() < OFFICERS_MIN).then_some(Irregularity::TooFewOfficers);
        let invalid = visit.invalid_officer(context, check_in);
        let invalid = invalid.map(|_| Irregularity::OfficerInvalid);
        let held = self.held_by(visit).map(|_| Irregularity::Held);
        let late = backfilled_late(context, check_in).then_some(Irregularity::BackfilledLate);
        let code = self.code_irregularity(context, check_in);
        let place = misplaced(context, check_in).then_some(Irregularity::PlaceImplausible);
        let late_live = !check_in.manner.is_late()
            && context.now.duration_since(check_in.occurred_at) > LIVE_BEHIND_MAX;
        let clock = late_live.then_some(Irregularity::ClockSuspect);
        [phase, early, few, invalid, held, late, code, place, clock].into_iter().flatten().collect()
    }

    /// What is wrong with the code that was scanned, as far as the log knows it.
    fn code_irregularity(&self, context: &Context<'_>, check_in: &CheckIn) -> Option<Irregularity> {
        match check_in.proof {
            Proof::Nothing => match check_in.manner {
                Manner::Live | Manner::Kept { .. } => Some(Irregularity::CodeMissing),
                Manner::Backfilled { .. } | Manner::Stated => None,
            },
            Proof::PrintedCode { code } => {
                let registered = context.profile.and_then(|profile| profile.registered());
                let issued = registered.and_then(|registered| registered.code(code));
                // At the door it is our clock that counts.
                let late = check_in.manner.is_late();
                let at = if late { check_in.occurred_at } else { context.now };
                let good = issued.is_some_and(|issued| issued.is_good(at));
                (!good).then_some(Irregularity::CodeRevoked)
            }
            Proof::RotatingCode { code } | Proof::TaskCode { code } => {
                self.codes_used.contains(&code).then_some(Irregularity::CodeReplayed)
            }
        }
    }

    fn refuse_live(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        found: &FewSet<Irregularity>,
        check_in: &CheckIn,
    ) -> Rejection {
        if found.contains(&Irregularity::TooFewOfficers) {
            Rejection::TooFewOfficers { found: check_in.officers.len() }
        } else if found.contains(&Irregularity::BeforePlannedDay) {
            Rejection::BeforePlannedDay { on: visit.plan.on }
        } else if visit.phase != Phase::Approved && self.get(visit.plan.visit).is_some() {
            visit.wrong_phase("approved")
        } else if let Some(certificate) = visit.invalid_officer(context, check_in) {
            Rejection::OfficerInvalid { certificate: certificate.clone() }
        } else if let Some(appeal) = self.held_by(visit) {
            Rejection::VisitsHeld { appeal }
        } else if found.contains(&Irregularity::CodeMissing) {
            Rejection::CodeMissing
        } else if found.contains(&Irregularity::CodeReplayed) {
            Rejection::CodeReplayed
        } else {
            Rejection::CodeRevoked
        }
    }
}

impl Visit {
    /// An officer who has no certificate of a unit that takes part that is valid that day, as far as the
    /// catalogues are at hand: for the units of which none is, those planned will do.
    fn invalid_officer<'a>(
        &self,
        context: &Context<'_>,
        check_in: &'a CheckIn,
    ) -> Option<&'a CertificateNumber> {
        let on = civil_date(check_in.occurred_at);
        let others = self.shares.iter().filter(|(unit, _)| context.catalogue(unit).is_none());
        let theirs: FewSet<&CertificateNumber> =
            others.flat_map(|(_, share)| &share.officers).collect();
        let catalogue = self.shares.keys().filter_map(|unit| context.catalogue(unit));
        let catalogues: Vec<_> = catalogue.map(|published| published.document).collect();
        if catalogues.is_empty() {
            return None;
        }
        let valid = |certificate: &CertificateNumber| {
            theirs.contains(certificate)
                || catalogues.iter().any(|catalogue| catalogue.is_valid(certificate, on))
        };
        check_in.officers.iter().find(|certificate| !valid(certificate))
    }
}

/// What each limit raises that is exceeded with `happened`, which is carried out, beside `entries`.
pub(crate) fn raised(
    policy: &FrequencyPolicy,
    enterprise: &Traits,
    entries: &[Entry],
    happened: &Entry,
    unjustified: bool,
) -> Vec<Event> {
    let visit = happened.visit;
    let told = |standing: Standing| match standing.on_exceeding {
        OnExceeding::Refuse => Some(Event::CapExceeded { visit, standing }),
        OnExceeding::NeedsExplanation | OnExceeding::NeedsApproval => {
            unjustified.then_some(Event::CapExceeded { visit, standing })
        }
        OnExceeding::Warn => Some(Event::RepeatVisits { visit, standing }),
    };
    overshot(policy, enterprise, entries, happened).into_iter().filter_map(told).collect()
}

/// The limit that forbids a live scan to raise the event.
fn refused(raised: &Event) -> Option<&Standing> {
    let Event::CapExceeded { standing, .. } = raised else {
        return None;
    };
    (standing.on_exceeding == OnExceeding::Refuse).then_some(standing)
}

/// Whether a scan was entered by hand, or handed in by a device, later than the terms allow.
fn backfilled_late(context: &Context<'_>, check_in: &CheckIn) -> bool {
    let days = |since: Date| (context.today() - since).get_days();
    let allowed = i32::from(terms(context).backfill_days);
    matches!(check_in.manner, Manner::Backfilled { .. } | Manner::Kept { .. })
        && days(civil_date(check_in.occurred_at)) > allowed
}

/// Whether the device was farther from where the scanned code hangs than the terms allow.
fn misplaced(context: &Context<'_>, check_in: &CheckIn) -> bool {
    let Proof::PrintedCode { code } = check_in.proof else {
        return false;
    };
    let registered = context.profile.and_then(|profile| profile.registered());
    let hangs = registered.and_then(|registered| registered.code(code)?.place);
    let apart = hangs.zip(check_in.place).map(|(hangs, claimed)| hangs.apart_m(&claimed));
    apart.is_some_and(|metres| metres > terms(context).place_metres)
}

/// What is not in order with the plan of a visit that nobody could look at beforehand.
fn unfit(context: &Context<'_>, plan: &Plan) -> FewSet<Irregularity> {
    let mut found = FewSet::new();
    for (unit, share) in plan.all_shares() {
        match check(context, plan, &unit, &share) {
            Ok(()) => {}
            Err(Rejection::OfficerInvalid { .. }) => {
                found.insert(Irregularity::OfficerInvalid);
            }
            Err(_) => {
                found.insert(Irregularity::OutsideCatalogue);
            }
        }
    }
    // A campaign, or what is looked at again, is what proves these.
    let refers = match plan.ground {
        Ground::Special => plan.campaign.is_some(),
        Ground::RectificationRecheck => plan.recheck_of.is_some(),
        Ground::Routine
        | Ground::Random
        | Ground::Complaint
        | Ground::Assigned
        | Ground::MonitoringLead
        | Ground::EnterpriseRequest
        | Ground::LicenceVerification
        | Ground::Media
        | Ground::Urgent
        | Ground::DeployedCampaign => true,
    };
    match Grounds::of(context) {
        Ok(grounds) if !refers || grounds.lacks_evidence(plan) => {
            found.insert(Irregularity::EvidenceMissing);
        }
        Err(Rejection::EnterpriseUnregistered) => {
            found.insert(Irregularity::EnterpriseUnregistered);
        }
        Ok(_) | Err(_) => {}
    }
    found
}
