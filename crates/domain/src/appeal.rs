//! One appeal of an enterprise, from submission to a close that both sides know of.
//!
//! Invariants: every appeal that waits for an agency has a due date once a routing table is
//! published, and an owner from dispatch on; resolved by the unit is not confirmed by the enterprise;
//! the unit's time runs from dispatch, not from signing for it; free text and contacts are sealed.

use serde::{Deserialize, Serialize};

use crate::{
    calendar::{Calendar, DueDate},
    decider::{Context, Decider, Need},
    ids::{AreaCode, TopicId, UnitId, VisitId},
    routing::{Allowances, Route, RouteRule},
    sealed::Sealed,
};

mod decide;

/// Where an appeal came in (受理渠道).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The 12345 hotline (12345热线).
    Hotline12345,
    /// The web portal.
    Web,
    /// The app.
    App,
    /// A service desk (服务窗口).
    ServiceDesk,
    /// Feedback after a visit.
    VisitFeedback,
    /// A round table of foreign investors (外资企业圆桌会议).
    RoundTable,
    /// A leader's contact with enterprises (领导包联).
    LeadersContact,
}

/// How the unit says it resolved the appeal (办理结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Solved (已解决).
    Solved,
    /// Explained (已解释).
    Explained,
    /// Unfounded (不属实).
    Unfounded,
    /// Shown the lawful channel (引导法定途径).
    LawfulChannel,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The enterprise appealed.
    AppealSubmitted {
        /// What it says.
        submission: Submission,
        /// When acceptance is due; none while no routing table is published.
        due: Option<DueDate>,
    },
    /// A dispatcher took it on.
    AppealAccepted {
        /// When dispatch is due.
        due: Option<DueDate>,
    },
    /// It was sent to the unit that answers for it.
    AppealDispatched {
        /// The unit, its co-units and the rule that chose them.
        route: Route,
        /// The version of the routing table.
        routing_version: u32,
        /// When resolution is due.
        due: DueDate,
    },
    /// The unit signed for it (签收).
    AppealSignedFor {
        /// The unit.
        unit: UnitId,
    },
    /// The unit says it is resolved.
    AppealResolved {
        /// How.
        outcome: Outcome,
        /// The reply to the enterprise.
        reply: Sealed,
    },
    /// The enterprise agrees.
    ResolutionConfirmed {},
    /// The enterprise does not agree; the unit handles it again.
    ResolutionObjected {
        /// Why.
        reason: Sealed,
        /// When the second resolution is due.
        due: DueDate,
    },
    /// Nothing is open any more.
    AppealClosed {},
    /// The key of the personal data was ordered to be destroyed: it cannot be read from now on.
    PersonalDataErased {
        /// The subject whose key is destroyed.
        subject: String,
    },
}

/// What an enterprise submits (诉求内容).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Where it came in.
    pub channel: Channel,
    /// What it is about; a topic unknown to the routing table goes to a desk.
    pub topic: TopicId,
    /// Where it plays; an unknown area goes to the city desk.
    pub area: AreaCode,
    /// The matter in the enterprise's words.
    pub description: Sealed,
    /// Whom to call back.
    pub contact: Option<Sealed>,
    /// The visit it complains about.
    pub about_visit: Option<VisitId>,
}

/// One appeal (诉求).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Appeal {
    /// Not submitted.
    #[default]
    Absent,
    /// Submitted.
    Known(Box<Case>),
}

/// A submitted appeal as far as some rule reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What was submitted.
    pub submission: Submission,
    /// How far it is.
    pub phase: Phase,
    /// When the next step is due.
    pub due: Option<DueDate>,
    /// What the unit said last, also after the enterprise objected to it.
    pub resolution: Option<Resolution>,
    /// Why the enterprise objected last.
    pub objection: Option<Sealed>,
    /// How often the enterprise objected.
    pub objections: u32,
    /// Whether its personal data were erased.
    pub erased: bool,
}

/// What a unit says became of an appeal (办理结果与答复).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// How it was resolved.
    pub outcome: Outcome,
    /// The reply to the enterprise.
    pub reply: Sealed,
}

/// How far an appeal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Waits for acceptance (待受理).
    Submitted,
    /// Waits for dispatch (待分办).
    Accepted,
    /// Waits for the unit's signature (待签收).
    Dispatched(Route),
    /// The unit works on it (办理中).
    InHandling(Route),
    /// The unit says it is resolved; the enterprise has the word (已办结待确认).
    Resolved(Route),
    /// The enterprise agreed (企业已确认).
    Confirmed(Route),
    /// Closed (已办结归档).
    Closed(Option<Route>),
}

/// What can be asked of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Appeal.
    Submit(Submission),
    /// Take it on.
    Accept,
    /// Send it to the unit that the routing table names, or to `to`.
    Dispatch {
        /// A unit chosen by hand.
        to: Option<UnitId>,
    },
    /// Sign for it as `unit`.
    SignFor {
        /// The caller's unit.
        unit: UnitId,
    },
    /// Say that it is resolved, as `unit`.
    Resolve {
        /// The caller's unit.
        unit: UnitId,
        /// How.
        outcome: Outcome,
        /// The reply to the enterprise.
        reply: Sealed,
    },
    /// Agree, as the enterprise.
    Confirm,
    /// Do not agree, as the enterprise.
    Object {
        /// Why.
        reason: Sealed,
    },
    /// Close a confirmed appeal, or one whose personal data were erased at whatever stage.
    Close,
    /// Record that the key of its personal data is to be destroyed.
    ErasePersonalData {
        /// The subject whose key it is.
        subject: String,
    },
}

/// Why a command on an appeal is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such appeal.
    #[error("there is no such appeal")]
    AppealUnknown,
    /// The id belongs to an appeal that says something else.
    #[error("the appeal is already submitted with another content")]
    SubmittedDifferently,
    /// The appeal is not in the phase that the command needs.
    #[error("the appeal is {found}, this needs it {wanted}")]
    WrongPhase {
        /// The phase it is in.
        found: &'static str,
        /// The phase or phases that would do.
        wanted: &'static str,
    },
    /// The appeal is with another unit.
    #[error("the appeal is with the unit {owner}")]
    OtherUnit {
        /// The unit that leads.
        owner: UnitId,
    },
    /// No routing table is published.
    #[error("no routing table is published")]
    RoutingUnpublished,
    /// The routing table lists no such unit.
    #[error("the routing table lists no unit {0}")]
    UnitUnknown(UnitId),
    /// The personal data were erased, so nothing new can be sealed for it.
    #[error("the personal data of the appeal were erased")]
    Erased,
}

impl Phase {
    /// The phase's name, as in `WrongPhase`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Dispatched(_) => "dispatched",
            Self::InHandling(_) => "in handling",
            Self::Resolved(_) => "resolved",
            Self::Confirmed(_) => "confirmed",
            Self::Closed(_) => "closed",
        }
    }

    /// Who leads, once dispatched.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        match self {
            Self::Submitted | Self::Accepted => None,
            Self::Dispatched(route)
            | Self::InHandling(route)
            | Self::Resolved(route)
            | Self::Confirmed(route) => Some(route),
            Self::Closed(route) => route.as_ref(),
        }
    }
}

impl Appeal {
    /// The submitted appeal, if it is one.
    #[must_use]
    pub fn known(&self) -> Option<&Case> {
        match self {
            Self::Absent => None,
            Self::Known(case) => Some(case),
        }
    }
}

impl Decider for Appeal {
    const KIND: &'static str = "appeal";
    const NEEDS: &'static [Need] = &[Need::Routing, Need::Calendar];
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        if let Command::Submit(submission) = command {
            return self.submit(context, submission);
        }
        let case = self.known().ok_or(Rejection::AppealUnknown)?;
        match command {
            Command::Submit(_) => Ok(vec![]),
            Command::Accept => case.accept(context),
            Command::Dispatch { to } => case.dispatch(context, to.as_ref()),
            Command::SignFor { unit } => case.sign_for(unit),
            Command::Resolve { unit, outcome, reply } => case.resolve(unit, *outcome, reply),
            Command::Confirm => case.confirm(),
            Command::Object { reason } => case.object(context, reason),
            Command::Close => case.close(),
            Command::ErasePersonalData { subject } => case.erase(subject),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (event, self) {
            (Event::AppealSubmitted { submission, due }, _) => Self::Known(Box::new(Case {
                submission: submission.clone(),
                phase: Phase::Submitted,
                due: due.clone(),
                resolution: None,
                objection: None,
                objections: 0,
                erased: false,
            })),
            (_, Self::Absent) => Self::Absent,
            (event, Self::Known(case)) => Self::Known(Box::new(case.evolve(event))),
        }
    }
}

impl Case {
    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::AppealSubmitted { .. } => {}
            Event::AppealAccepted { due } => {
                self.phase = Phase::Accepted;
                self.due = due.clone();
            }
            Event::AppealDispatched { route, due, .. } => {
                self.phase = Phase::Dispatched(route.clone());
                self.due = Some(due.clone());
            }
            Event::AppealSignedFor { .. } => self.on_route(Phase::InHandling),
            Event::AppealResolved { outcome, reply } => {
                self.on_route(Phase::Resolved);
                self.resolution = Some(Resolution { outcome: *outcome, reply: reply.clone() });
                self.due = None;
            }
            Event::ResolutionConfirmed {} => self.on_route(Phase::Confirmed),
            Event::ResolutionObjected { reason, due } => {
                self.on_route(Phase::InHandling);
                self.due = Some(due.clone());
                self.objection = Some(reason.clone());
                self.objections += 1;
            }
            Event::AppealClosed {} => {
                self.phase = Phase::Closed(self.phase.route().cloned());
                self.due = None;
            }
            Event::PersonalDataErased { .. } => self.erased = true,
        }
        self
    }

    fn on_route(&mut self, phase: impl FnOnce(Route) -> Phase) {
        if let Some(route) = self.phase.route() {
            self.phase = phase(route.clone());
        }
    }
}

#[cfg(test)]
mod tests;
