//! A joint diagnosis of one appeal: the convened units give opinions, the convener concludes.
//!
//! Invariants: an open diagnosis always has a running clock, the convener's, and one more for each
//! unit that still owes its opinion; a silent unit blocks nothing once its time is over; a
//! conclusion is one, final and binding; who dissents when it is drawn stands in it for ever. One whose
//! appeal is erased or closed ends without any, also when it never began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    cases::CaseType,
    clock::{Clock, ClockId, Step},
    decider::{Context, Decider, Need},
    ids::{AppealId, AreaCode, DiagnosisId, TopicId, UnitId},
    routing::StandingRule,
    sealed::Sealed,
};

mod agenda;
mod decide;
mod rejection;

pub use rejection::Rejection;

/// Units that are convened at most.
pub const UNITS_MAX: usize = 20;
/// Orders that a conclusion issues at most.
pub const ORDERS_MAX: usize = 20;
/// Working days that an order allows at most, about a year.
pub const ORDER_DAYS_MAX: u16 = 250;

/// Who is asked, and how many of them must be heard (会诊单位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// The convened units, 1 to [`UNITS_MAX`]; the convener may be among them.
    pub units: BTreeSet<UnitId>,
    /// How many opinions a conclusion needs, 1 to the number of units.
    pub quorum: u16,
}

/// What is diagnosed, by whom (会诊召集).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convening {
    /// The appeal.
    pub appeal: AppealId,
    /// The unit that owns the appeal: it convenes and concludes.
    pub convener: UnitId,
    /// Where the appeal plays.
    pub area: AreaCode,
    /// What the appeal is about.
    pub topic: TopicId,
    /// Who is asked.
    pub panel: Panel,
    /// What they are asked: the difficulty and the handling that is proposed.
    pub question: Sealed,
}

/// Where a unit stands on the handling that is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// It supports it (同意).
    Support,
    /// It does not, and says why (不同意).
    Dissent,
    /// It has nothing to say to it, and counts as heard (弃权).
    Abstain,
}

/// What a unit says (会诊意见).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Where it stands.
    pub stance: Stance,
    /// In its words.
    pub text: Sealed,
}

/// What a unit must do now (会诊任务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The unit, convened or not.
    pub unit: UnitId,
    /// What it must do.
    pub task: Sealed,
    /// By when, in working days from delivery to the appeal, 1 to [`ORDER_DAYS_MAX`].
    pub working_days: u16,
}

/// Who leads later appeals on the same topic; makes a standing rule of the routing table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingLead {
    /// The unit that leads.
    pub unit: UnitId,
    /// True for appeals of the same area only.
    pub same_area_only: bool,
}

/// What was found and what follows from it (会诊结论).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// The finding.
    pub text: Sealed,
    /// Who must do what, 1 to [`ORDERS_MAX`].
    pub orders: Vec<Order>,
    /// Who leads later appeals on the same topic, if that is settled too.
    pub standing_lead: Option<StandingLead>,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The units were convened.
    DiagnosisConvened {
        /// What, who and by whom.
        convening: Convening,
        /// When, in whole seconds.
        at: Timestamp,
        /// The clocks started: one for each unit in the order of the units, then the convener's.
        clocks: Vec<Clock>,
        /// After how many working days the last rung of a ladder comes again, at least 1.
        #[serde(default = "daily")]
        repeat_days: u16,
    },
    /// A unit gave its opinion.
    OpinionGiven {
        /// The unit.
        unit: UnitId,
        /// What it says.
        opinion: Opinion,
        /// When, in whole seconds.
        at: Timestamp,
        /// True when its time was over.
        late: bool,
        /// The clock that stops.
        stopped: Vec<ClockId>,
    },
    /// A unit replaced its opinion before the conclusion.
    OpinionRevised {
        /// The unit.
        unit: UnitId,
        /// What it says now.
        opinion: Opinion,
        /// When, in whole seconds.
        at: Timestamp,
    },
    /// The convener concluded. No opinion is heard after it.
    DiagnosisConcluded {
        /// What was found.
        conclusion: Conclusion,
        /// The units whose last opinion was a dissent.
        dissenting: BTreeSet<UnitId>,
        /// True when fewer units than the quorum were heard, because the time of the others was over.
        without_quorum: bool,
        /// When, in whole seconds.
        at: Timestamp,
        /// The clocks that stop: the convener's, and those of units that stayed silent.
        stopped: Vec<ClockId>,
    },
    /// It ended without a conclusion, since its appeal was erased or closed.
    DiagnosisDiscontinued {
        /// When, in whole seconds.
        at: Timestamp,
        /// The clocks that stop.
        stopped: Vec<ClockId>,
    },
    /// Warnings or rungs of a clock fell due and were carried out.
    ClockStepsTaken {
        /// The clock.
        clock: ClockId,
        /// The steps in order.
        steps: Vec<Step>,
        /// When its next step falls due. Where none was planned the last one comes again then; none
        /// in older records, which end with the last.
        next: Option<Timestamp>,
    },
    /// The appeal has the conclusion with its orders.
    ConclusionDelivered {},
    /// The standing rule is in force.
    StandingRulePublished {
        /// The version of the routing table that holds it.
        version: u32,
    },
}

/// What holds for one that was convened before it was recorded.
fn daily() -> u16 {
    1
}

/// One joint diagnosis (联合问诊).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Diagnosis {
    /// Never convened.
    #[default]
    Absent,
    /// The units are heard (征求意见中).
    Open(Box<Open>),
    /// It has its conclusion (已出结论).
    Concluded(Box<Concluded>),
    /// It ended without one (已终止).
    Discontinued(Option<Box<Discontinued>>),
}

/// A diagnosis in which the units are heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// What, who and by whom.
    pub convening: Convening,
    /// The last opinion of each unit that gave one.
    pub opinions: BTreeMap<UnitId, Opinion>,
    /// The units whose first opinion came after their time.
    pub late: BTreeSet<UnitId>,
    /// The clocks that run.
    pub clocks: Vec<Clock>,
    /// After how many working days the last rung of a ladder comes again.
    pub repeat_days: u16,
}

/// A diagnosis that ended without a conclusion after it had begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discontinued {
    /// What, who and by whom.
    pub convening: Convening,
    /// The last opinion of each unit that gave one.
    pub opinions: BTreeMap<UnitId, Opinion>,
    /// The units whose first opinion came after their time.
    pub late: BTreeSet<UnitId>,
}

/// A diagnosis that has its conclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concluded {
    /// What, who and by whom.
    pub convening: Convening,
    /// The last opinion of each unit that gave one.
    pub opinions: BTreeMap<UnitId, Opinion>,
    /// The units whose first opinion came after their time.
    pub late: BTreeSet<UnitId>,
    /// What was found.
    pub conclusion: Conclusion,
    /// The units that dissented.
    pub dissenting: BTreeSet<UnitId>,
    /// Whether fewer units than the quorum were heard.
    pub without_quorum: bool,
    /// Whether the appeal has it.
    pub delivered: bool,
    /// The version of the routing table that holds its standing rule, once published.
    pub rule_version: Option<u32>,
}

/// What can be asked of a joint diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Convene the units, as the appeal asked for.
    Convene {
        /// What, who and by whom.
        convening: Convening,
        /// The terms that the appeal was submitted under.
        case_type: Box<CaseType>,
        /// The version of the case types that they come from; 0 for the ones shipped.
        terms_version: u32,
    },
    /// Give an opinion as `unit`, or replace it.
    GiveOpinion {
        /// The caller's unit.
        unit: UnitId,
        /// What it says.
        opinion: Opinion,
    },
    /// Conclude as `unit`.
    Conclude {
        /// The caller's unit.
        unit: UnitId,
        /// What was found.
        conclusion: Conclusion,
    },
    /// Carry out the steps of a clock that are due.
    TakeSteps {
        /// The clock.
        clock: ClockId,
    },
    /// End it without a conclusion, since its appeal was erased or closed.
    Discontinue,
    /// Record that the appeal has the conclusion.
    MarkDelivered,
    /// Record that the standing rule is in force.
    MarkRulePublished {
        /// The version of the routing table that holds it.
        version: u32,
    },
}

impl Panel {
    /// Whether such a panel can be convened, to be asked before an appeal calls for it.
    ///
    /// # Errors
    /// [`Rejection::PanelSize`] and [`Rejection::QuorumOutOfReach`].
    pub fn check(&self) -> Result<(), Rejection> {
        let units = self.units.len();
        if !(1..=UNITS_MAX).contains(&units) {
            return Err(Rejection::PanelSize { found: units });
        }
        if !(1..=units).contains(&usize::from(self.quorum)) {
            return Err(Rejection::QuorumOutOfReach { quorum: self.quorum, units });
        }
        Ok(())
    }
}

impl Diagnosis {
    /// What is diagnosed and by whom, once it was convened.
    #[must_use]
    pub fn convening(&self) -> Option<&Convening> {
        match self {
            Self::Absent => None,
            Self::Open(open) => Some(&open.convening),
            Self::Concluded(concluded) => Some(&concluded.convening),
            Self::Discontinued(known) => known.as_ref().map(|known| &known.convening),
        }
    }

    /// The phase's name, as in `WrongPhase`.
    #[must_use]
    pub fn phase(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Open(_) => "open",
            Self::Concluded(_) => "concluded",
            Self::Discontinued(_) => "discontinued",
        }
    }
}

impl Concluded {
    /// The standing rule that it makes as the diagnosis `id`, if it makes one.
    #[must_use]
    pub fn standing_rule(&self, id: DiagnosisId) -> Option<StandingRule> {
        let lead = self.conclusion.standing_lead.as_ref()?;
        let Convening { topic, area, .. } = &self.convening;
        Some(StandingRule {
            topic: topic.clone(),
            area: lead.same_area_only.then(|| area.clone()),
            unit: lead.unit.clone(),
            diagnosis: id,
        })
    }
}

impl Decider for Diagnosis {
    const KIND: &'static str = "diagnosis";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(_: &Command) -> Vec<Need> {
        vec![Need::Routing, Need::Calendar]
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Convene { convening, case_type, terms_version } => {
                self.convene(context, convening, case_type, *terms_version)
            }
            Command::GiveOpinion { unit, opinion } => self.give_opinion(context, unit, opinion),
            Command::Conclude { unit, conclusion } => self.conclude(context, unit, conclusion),
            Command::TakeSteps { clock } => self.take_steps(context, *clock),
            Command::Discontinue => Ok(self.discontinue(context)),
            Command::MarkDelivered => self.mark_delivered(),
            Command::MarkRulePublished { version } => self.mark_rule_published(*version),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::DiagnosisConvened { convening, clocks, repeat_days, .. }) => {
                let (convening, clocks) = (convening.clone(), clocks.clone());
                let (opinions, late, repeat_days) =
                    (BTreeMap::new(), BTreeSet::new(), *repeat_days);
                Self::Open(Box::new(Open { convening, opinions, late, clocks, repeat_days }))
            }
            (Self::Absent, Event::DiagnosisDiscontinued { .. }) => Self::Discontinued(None),
            (Self::Absent, _) => Self::Absent,
            (Self::Open(open), event) => open.evolve(event),
            (Self::Concluded(concluded), event) => {
                Self::Concluded(Box::new(concluded.evolve(event)))
            }
            (Self::Discontinued(known), _) => Self::Discontinued(known),
        }
    }
}

impl Open {
    fn evolve(mut self, event: &Event) -> Diagnosis {
        match event {
            Event::OpinionGiven { unit, opinion, late, stopped, .. } => {
                self.opinions.insert(unit.clone(), opinion.clone());
                self.late.extend(late.then(|| unit.clone()));
                self.clocks.retain(|clock| !stopped.contains(&clock.id));
            }
            Event::OpinionRevised { unit, opinion, .. } => {
                self.opinions.insert(unit.clone(), opinion.clone());
            }
            Event::ClockStepsTaken { clock, steps, next } => {
                for known in self.clocks.iter_mut().filter(|known| known.id == *clock) {
                    *known = known.taken_until(steps.len(), *next);
                }
            }
            Event::DiagnosisDiscontinued { .. } => {
                let Self { convening, opinions, late, .. } = self;
                let known = Discontinued { convening, opinions, late };
                return Diagnosis::Discontinued(Some(Box::new(known)));
            }
            Event::DiagnosisConcluded { conclusion, dissenting, without_quorum, .. } => {
                return Diagnosis::Concluded(Box::new(Concluded {
                    convening: self.convening,
                    opinions: self.opinions,
                    late: self.late,
                    conclusion: conclusion.clone(),
                    dissenting: dissenting.clone(),
                    without_quorum: *without_quorum,
                    delivered: false,
                    rule_version: None,
                }));
            }
            Event::DiagnosisConvened { .. }
            | Event::ConclusionDelivered {}
            | Event::StandingRulePublished { .. } => {}
        }
        Diagnosis::Open(Box::new(self))
    }
}

impl Concluded {
    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::ConclusionDelivered {} => self.delivered = true,
            Event::StandingRulePublished { version } => self.rule_version = Some(*version),
            Event::DiagnosisConvened { .. }
            | Event::OpinionGiven { .. }
            | Event::OpinionRevised { .. }
            | Event::DiagnosisConcluded { .. }
            | Event::DiagnosisDiscontinued { .. }
            | Event::ClockStepsTaken { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests;
