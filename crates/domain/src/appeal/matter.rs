//! What the facts of an appeal are made of. Part of the storage format: names and fields here may only
//! be added to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    cases::{CaseType, Level},
    clock::{Clock, ClockId, ClockKind},
    ids::{
        AppealId, AreaCode, CaseTypeId, ClassId, Name, NoteId, Reference, TopicId, UnitId, VisitId,
    },
    sealed::Sealed,
};

pub use crate::diagnosis::Order;

/// Where an appeal came in (受理渠道).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Who speaks (诉求人).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applicant {
    /// The enterprise itself.
    #[default]
    Enterprise,
    /// Somebody on its behalf (代为提出).
    OnBehalf,
    /// Somebody who does not say who they are (匿名).
    Anonymous,
}

/// Who may know of it (保密等级). Reads of the upper two are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidentiality {
    /// Anybody may know that it exists (公开).
    Public,
    /// Those who handle and watch over it (内部).
    #[default]
    Internal,
    /// The lead unit, the desks and who reads everything; not co-units and other units of the area (保密).
    Confidential,
    /// The lead unit and the city desk only (严格保密).
    Strict,
}

/// How the unit says it resolved the appeal (办理结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Where a matter belongs that is no appeal (法定途径).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawfulChannel {
    /// A court (诉讼).
    Litigation,
    /// Administrative reconsideration (行政复议).
    Review,
    /// Discipline inspection (纪检监察).
    Discipline,
    /// Petition (信访).
    Petition,
}

/// What brought the guarantee in (兜底触发).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// No rule named an owner (无主).
    NoOwner,
    /// The bounce budget was spent (退单超限).
    BouncesSpent,
    /// A clock went red (超期).
    Overdue,
    /// The enterprise was dissatisfied too often (两次不满意).
    Dissatisfied,
}

/// How an appeal came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// Both sides agree.
    Confirmed,
    /// The enterprise said on the phone that it is satisfied (回访满意).
    CalledBack,
    /// The enterprise said nothing within the time, or could not be reached (逾期未反馈).
    Silent,
    /// Its personal data were erased, so nobody can go on with it.
    Erased,
}

/// What an independent look found wrong with an open appeal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// No clock is running.
    NoClock,
    /// Its unit is abolished or nobody is on its desk.
    OwnerGone,
}

/// For whom a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only for those who handle it (内部备注).
    Internal,
    /// Also for the enterprise (公开答复).
    Public,
}

/// What an event does to the clocks of its appeal, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChange {
    /// The instant of the event, cut to the whole second.
    pub at: Timestamp,
    /// Clocks that were started or changed, as they are from now on.
    pub set: Vec<Clock>,
    /// Clocks that no longer run.
    pub stopped: Vec<ClockId>,
}

impl ClockChange {
    /// Whether something of that kind is owed by it. Older records of a second handling owe no contact.
    #[must_use]
    pub fn starts(&self, kind: ClockKind) -> bool {
        self.set.iter().any(|clock| clock.kind == kind)
    }
}

/// The terms that a case was submitted under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The version of the case types; 0 for the ones shipped.
    pub version: u32,
    /// The case type as it was then.
    pub case_type: CaseType,
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
    /// The kind of case that was asked for; the first published one if none.
    #[serde(default)]
    pub case_type: Option<CaseTypeId>,
    /// The class that was asked for; the type's first if none.
    #[serde(default)]
    pub class: Option<ClassId>,
    /// The level of the body complained of, where the case type asks for it.
    #[serde(default)]
    pub about_level: Option<Level>,
    /// Who speaks.
    #[serde(default)]
    pub applicant: Applicant,
    /// Who may know of it.
    #[serde(default)]
    pub confidentiality: Confidentiality,
    /// The appeal that this one was split from.
    #[serde(default)]
    pub split_from: Option<AppealId>,
}

impl Submission {
    /// What the enterprise itself says of a matter, for those who handle and watch over it, with nothing else given.
    #[must_use]
    pub fn new(channel: Channel, topic: TopicId, area: AreaCode, description: Sealed) -> Self {
        Self {
            channel,
            topic,
            area,
            description,
            contact: None,
            about_visit: None,
            case_type: None,
            class: None,
            about_level: None,
            applicant: Applicant::Enterprise,
            confidentiality: Confidentiality::Internal,
            split_from: None,
        }
    }

    /// The area whose desk may know of the matter and owes its next steps; none leaves both to the
    /// city desk.
    #[must_use]
    pub fn desk_area(&self) -> Option<&AreaCode> {
        match self.confidentiality {
            Confidentiality::Public | Confidentiality::Internal | Confidentiality::Confidential => {
                Some(&self.area)
            }
            Confidentiality::Strict => None,
        }
    }
}

/// Which side adds something to an appeal; each has room of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The enterprise, and a desk without a unit where it writes for the enterprise to see.
    Enterprise,
    /// Units and desks.
    Units,
}

impl Side {
    /// The enterprise acts for no unit and adds nothing that it may not see itself.
    pub(super) fn of(unit: Option<&UnitId>, visibility: Visibility) -> Self {
        match (unit, visibility) {
            (None, Visibility::Public) => Self::Enterprise,
            (Some(_), _) | (None, Visibility::Internal) => Self::Units,
        }
    }
}

/// A note (备注).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its name.
    pub id: NoteId,
    /// The unit that wrote it; none for the enterprise and the desks without one.
    pub unit: Option<UnitId>,
    /// For whom it is.
    pub visibility: Visibility,
    /// The text.
    pub text: Sealed,
}

/// An attached file (附件), kept outside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name on this appeal.
    pub id: NoteId,
    /// The unit that attached it; none for the enterprise and the desks without one.
    pub unit: Option<UnitId>,
    /// For whom it is.
    pub visibility: Visibility,
    /// The SHA-256 of its content in hexadecimal, a space, and the file's own name. Sealed together: a
    /// plain hash would confirm a guess at the content, also after an erasure.
    pub name: Sealed,
    /// Its media type.
    pub media_type: Name,
    /// Its size in bytes.
    pub bytes: u64,
    /// Where its sealed content is kept.
    pub object: Reference,
}

/// What the enterprise says of the handling (评价).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Whether somebody spoke with it in time.
    pub responded: bool,
    /// Whether the matter is resolved.
    pub resolved: bool,
    /// Whether it is satisfied.
    pub satisfied: bool,
}

/// What came of a callback (回访).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Whether the enterprise was reached.
    pub reached: bool,
    /// Whether it says that the matter is resolved; none when it did not say.
    pub resolved: Option<bool>,
    /// Whether it is satisfied; none when it did not say.
    pub satisfied: Option<bool>,
    /// What else it said.
    pub note: Option<Sealed>,
}

impl Callback {
    /// Whether the enterprise was reached and said how things stand.
    pub(super) fn says_something(&self) -> bool {
        self.reached && (self.satisfied.is_some() || self.resolved.is_some())
    }
}
