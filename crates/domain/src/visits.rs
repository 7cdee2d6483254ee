//! The visits of one enterprise: one stream, hence one consistency boundary for all frequency limits.
//!
//! Invariants: the visits that hold a place never exceed a limit that refuses by decision, nor without a
//! justification one that asks for one; a place is held from plan to cancellation, refusal, merge or
//! expiry; what already happened is recorded whatever the rules say, with its irregularities and, where
//! it overshoots, a `CapExceeded`; a visit is closed only once everything is reported, told and rectified.

use crate::decider::{Context, Decider, Need};

mod agenda;
mod arrival;
mod catalogued;
mod command;
mod decide;
mod event;
mod evolve;
mod finding;
mod kept;
mod plan;
mod rejection;
mod share;
mod state;
pub(crate) mod upcast;
mod weight;

pub use arrival::{
    Assurance, CLOCK_AHEAD_MAX, CheckIn, Irregularity, LIVE_BEHIND_MAX, Manner, Place, Proof,
};
pub use command::{CancelReason, Command, RefusalReason};
pub(crate) use decide::raised;
pub use event::Event;
pub use finding::{ItemResult, OffSiteCheck, Outcome, Rectification, found_something};
pub use kept::{Kept, SetAside, What};
pub use plan::{Explanation, Near};
pub(crate) use plan::{lacks_evidence, withheld};
pub use rejection::{Justification, Rejection};
pub use share::{Plan, Share};
pub use state::{Phase, Visit, Visits};

/// The fewest officers that a unit sends to a visit (行政处罚法 第四十二条: 执法人员不得少于两人).
pub const OFFICERS_MIN: usize = 2;
/// How far ahead a visit may be planned, and a day to rectify by may lie, in days.
pub const PLANNED_AHEAD_MAX: i32 = 400;

impl Decider for Visits {
    const KIND: &'static str = "visits";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(command: &Command) -> Vec<Need> {
        command.needs()
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Plan(plan) => self.plan(context, plan),
            Command::Approve { visit, unit } => self.shared(*visit, unit)?.approve(unit),
            Command::Notify { visit, unit } => self.led(*visit, unit)?.notify(),
            Command::Merge { visit, into, unit } => {
                self.merge(context, self.led(*visit, unit)?, *into, unit)
            }
            Command::CheckIn { visit, unit, check_in, improvised } => {
                self.check_in(context, (*visit, unit), check_in, improvised.as_ref())
            }
            Command::Admit { visit, code, place, .. } => {
                self.admit(context, self.known(*visit)?, *code, *place)
            }
            Command::Refuse { visit, reason, shown } => {
                self.known(*visit)?.refuse(context, *reason, *shown)
            }
            Command::TakeIn { records } => Ok(self.take_in(context, records)),
            Command::CheckOut { visit, unit, occurred_at } => {
                self.shared(*visit, unit)?.check_out(context, *occurred_at)
            }
            Command::ReportResult { visit, unit, results } => {
                self.report(context, self.shared(*visit, unit)?, unit, results)
            }
            Command::Tell { visit, unit, document } => self.led(*visit, unit)?.tell(document),
            Command::ReportRectification { visit, item, document } => {
                let known = self.known(*visit)?;
                known.report_rectification(item, document)
            }
            Command::AcceptRectification { visit, unit, item } => {
                self.shared(*visit, unit)?.accept_rectification(unit, item)
            }
            Command::Cancel { visit, unit, reason } => {
                self.call_off(context, self.called_off(*visit, unit)?, unit, *reason)
            }
            Command::Expire { visit } => self.known(*visit)?.expire(context),
            Command::TakeSteps { clock } => Ok(self.take_steps(context, *clock)),
            Command::MarkOverdue { visit, unit, item } => {
                Ok(self.known(*visit)?.mark_overdue(context, unit, item))
            }
            Command::Hold { visit, appeal } => self.hold(*visit, *appeal),
            Command::LiftHold { appeal } => Ok(self.lift_hold(*appeal)),
            Command::RecordOffSite(check) => self.record_off_site(context, check),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        self.after(event)
    }

    fn weight(event: &Event, _stored: usize) -> usize {
        event.weight()
    }
}

#[cfg(test)]
pub(crate) mod tests;
