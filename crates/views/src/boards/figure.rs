//! What each figure is: its rows, what is counted of them, and by what they can be parted.

use crate::{
    ViewName, appeals,
    inbox::{self, StuckReason},
    predicate::{Own, Predicate, Scoped},
    visits,
};
use jiff::Timestamp;

/// A figure of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Open appeals by the level they have reached and the rung of the ladder they stand on (在办诉求预警).
    OpenAppeals,
    /// What is due on a day (当日到期).
    Due,
    /// Open appeals that are stuck, once for each reason that holds (滞留诉求).
    Stuck,
    /// How long appeals were in a state with a unit before they moved on (环节用时).
    Dwell,
    /// Of what units resolved: where they had spoken with the enterprise in time (响应率).
    Responded,
    /// Of what units resolved: where the enterprise says that it is (解决率).
    Resolved,
    /// Of what units resolved: where the enterprise is satisfied (满意率).
    Satisfied,
    /// Of what units resolved: what came back to be handled again (重办率).
    Reopened,
    /// Who said that it is not competent, and to whom it went on (退单流向).
    Returns,
    /// Visits that took place, by ground (入企检查事由).
    Visits,
    /// Of the visits that took place: those of several units together (综合查一次占比).
    JointVisits,
    /// Places under the limits that are held or used, by credit grade and month (频次热力图). Visits on
    /// exempt grounds hold none.
    Places,
    /// Visits that took place out of the ordinary: on an exempt ground, or by a scan that was not in order
    /// (例外检查). The condition is that of the scan.
    Exceptions,
}

/// By what the rows of a figure can be parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The unit: who has it, owes it, did it or leads it.
    Unit,
    /// The area.
    Area,
    /// The month in Asia/Shanghai, such as `2025-04`.
    Month,
    /// The topic of an appeal.
    Topic,
    /// The kind of case.
    CaseType,
    /// The class of a case.
    Class,
    /// How far an appeal or a visit is.
    State,
    /// blue, yellow or red; none before.
    Level,
    /// The rung of the ladder; none below it.
    Rung,
    /// What is owed.
    ClockKind,
    /// Why it is stuck.
    StuckReason,
    /// To whom a returned appeal went on; none where it did not.
    ToUnit,
    /// The ground of a visit.
    Ground,
    /// The credit grade of the enterprise; none where it has none.
    CreditGrade,
    /// The risk class of the enterprise; none where it has none.
    RiskClass,
}

/// What the rows of a figure are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Appeals.
    Appeal,
    /// Visits.
    Visit,
}

/// Which days a figure can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// None: it is about what is so at one time.
    Standing,
    /// Any; today where none is asked for.
    Today,
    /// Any that begin and end.
    Given,
}

/// How a figure is made.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) view: ViewName,
    rows: &'static str,
    /// Which of several that are about one subject a row is, besides its number.
    pub(super) part: &'static str,
    /// What a row must be besides; `true` for nothing.
    pub(super) only: &'static str,
    /// The column with the figure's condition.
    pub(super) hit: &'static str,
    /// The column with the time that it measures.
    pub(super) seconds: &'static str,
    pub(super) subject: Subject,
    pub(super) windows: Windows,
    /// The day that a row counts on where that is a column; else it is that of `at`.
    pub(super) day: Option<&'static str>,
    pub(super) scoped: Scoped,
    pub(super) dimensions: &'static [Dimension],
    pub(super) default: &'static [Dimension],
}

const NO_HIT: &str = "NULL::boolean";
const NO_SECONDS: &str = "NULL::double precision";

/// By which columns rows of handlings are within a scope. They are those of who handled, for ever.
pub(crate) const HANDLING: Scoped = Scoped {
    leads: &["unit"],
    co_units: None,
    secrecy: Some("secrecy"),
    own: Own::All,
    secret: None,
    past: None,
};
/// By which columns returns are: both units know of one.
pub(crate) const RETURNED: Scoped = Scoped { leads: &["unit", "to_unit"], ..HANDLING };
/// By which columns what is owed is: who owes it is its unit here.
const OWED: Scoped = Scoped { leads: &["unit", "lead"], ..inbox::SCOPED };
/// By which columns a stay is: its own, and those of who took part then.
const STAYED: Scoped = Scoped { past: None, ..appeals::SCOPED };

/// The rows of the handlings.
pub(crate) const HANDLINGS: &str = include_str!("handlings.sql");
/// The rows of the returns.
pub(crate) const RETURNS: &str = include_str!("returns.sql");

use Dimension::{
    Area, CaseType, Class, ClockKind, CreditGrade, Ground, Level, Month, RiskClass, Rung, State,
    StuckReason as Reason, ToUnit, Topic, Unit,
};

const APPEAL: Definition = Definition {
    view: ViewName::Appeals,
    rows: include_str!("open.sql"),
    part: "'00000000-0000-0000-0000-000000000000'::uuid",
    only: "true",
    hit: NO_HIT,
    seconds: NO_SECONDS,
    subject: Subject::Appeal,
    windows: Windows::Standing,
    day: None,
    scoped: appeals::SCOPED,
    dimensions: &[Level, Rung, State, Unit, Area, Topic, CaseType, Class, Month],
    default: &[Level, Rung],
};

const HANDLED: Definition = Definition {
    view: ViewName::Measures,
    rows: HANDLINGS,
    windows: Windows::Given,
    scoped: HANDLING,
    dimensions: &[Unit, Area, Topic, Month],
    default: &[Unit],
    ..APPEAL
};

const VISITED: Definition = Definition {
    view: ViewName::Visits,
    rows: include_str!("visits.sql"),
    only: "used",
    subject: Subject::Visit,
    windows: Windows::Given,
    day: Some("day"),
    scoped: visits::SCOPED,
    dimensions: &[Ground, State, Unit, Area, CreditGrade, RiskClass, Month],
    default: &[Ground],
    ..APPEAL
};

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 13] = [
        Self::OpenAppeals,
        Self::Due,
        Self::Stuck,
        Self::Dwell,
        Self::Responded,
        Self::Resolved,
        Self::Satisfied,
        Self::Reopened,
        Self::Returns,
        Self::Visits,
        Self::JointVisits,
        Self::Places,
        Self::Exceptions,
    ];

    pub(super) fn definition(self) -> Definition {
        match self {
            Self::OpenAppeals => APPEAL,
            Self::Due => Definition {
                rows: include_str!("owed.sql"),
                part: "diagnosis",
                windows: Windows::Today,
                scoped: OWED,
                dimensions: &[ClockKind, Level, Rung, Unit, Area],
                default: &[ClockKind, Level],
                ..APPEAL
            },
            Self::Stuck => Definition {
                rows: include_str!("stuck.sql"),
                dimensions: &[Reason, State, Unit, Area, Topic],
                default: &[Reason],
                ..APPEAL
            },
            Self::Dwell => Definition {
                rows: include_str!("stays.sql"),
                scoped: STAYED,
                seconds: "seconds",
                windows: Windows::Given,
                dimensions: &[State, Unit, Area, Topic, Month],
                default: &[State, Unit],
                ..APPEAL
            },
            Self::Responded => Definition { hit: "responded", ..HANDLED },
            Self::Resolved => Definition { hit: "resolved", ..HANDLED },
            Self::Satisfied => Definition { hit: "satisfied", ..HANDLED },
            Self::Reopened => Definition { hit: "reopened", ..HANDLED },
            Self::Returns => Definition {
                rows: RETURNS,
                hit: "upheld",
                scoped: RETURNED,
                dimensions: &[Unit, ToUnit, Area, Month],
                default: &[Unit, ToUnit],
                ..HANDLED
            },
            Self::Visits => VISITED,
            Self::JointVisits => Definition { hit: "joint", default: &[Unit], ..VISITED },
            Self::Places => Definition {
                only: "exempt IS NOT TRUE",
                hit: "used",
                default: &[CreditGrade, Month],
                ..VISITED
            },
            Self::Exceptions => {
                Definition { only: "used AND (exempt OR irregular)", hit: "irregular", ..VISITED }
            }
        }
    }

    /// The statement for its rows, with the values that it needs.
    pub(super) fn rows(self, predicate: &mut Predicate, idle_since: Timestamp) -> String {
        let rows = self.definition().rows;
        match self {
            Self::Stuck => rows.replace("{reasons}", &reasons(predicate, idle_since)),
            Self::OpenAppeals
            | Self::Due
            | Self::Dwell
            | Self::Responded
            | Self::Resolved
            | Self::Satisfied
            | Self::Reopened
            | Self::Returns
            | Self::Visits
            | Self::JointVisits
            | Self::Places
            | Self::Exceptions => rows.to_owned(),
        }
    }

    /// The view that has its rows.
    #[must_use]
    pub fn view(self) -> ViewName {
        self.definition().view
    }

    /// What its rows are about.
    #[must_use]
    pub fn subject(self) -> Subject {
        self.definition().subject
    }

    /// Which days it can be asked for.
    #[must_use]
    pub fn windows(self) -> Windows {
        self.definition().windows
    }

    /// By what its rows can be parted.
    #[must_use]
    pub fn dimensions(self) -> &'static [Dimension] {
        self.definition().dimensions
    }

    /// By what they are parted where nothing else is asked for.
    #[must_use]
    pub fn usual(self) -> &'static [Dimension] {
        self.definition().default
    }
}

impl Dimension {
    /// The value of a row.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Unit => "unit",
            Area => "area",
            // The offset of Asia/Shanghai, whatever the server's own time zone data say.
            Month => "to_char(at AT TIME ZONE INTERVAL '08:00', 'YYYY-MM')",
            Topic => "topic",
            CaseType => "case_type",
            Class => "class",
            State => "state",
            Level => "level",
            Rung => "rung",
            ClockKind => "kind",
            Reason => "reason",
            ToUnit => "to_unit",
            Ground => "ground",
            CreditGrade => "credit",
            RiskClass => "risk",
        }
    }
}

/// A row of values for each reason.
fn reasons(predicate: &mut Predicate, idle_since: Timestamp) -> String {
    let reason = |(number, reason): (i64, StuckReason)| {
        let (word, holds) = (reason.as_str(), reason.condition(predicate, idle_since));
        format!("({number}::bigint, '{word}', {holds})")
    };
    let reasons: Vec<String> = (0..).zip(StuckReason::ALL).map(reason).collect();
    reasons.join(", ")
}
