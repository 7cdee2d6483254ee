//! Why a command on visits is refused.

use std::fmt;

use jiff::{Timestamp, civil::Date};

use super::OFFICERS_MIN;
use crate::{
    campaign::Unfit,
    frequency::Standing,
    ids::{AppealId, CertificateNumber, ItemId, UnitId, VisitId},
};

/// What lets a visit pass a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Justification {
    /// An explanation.
    Explanation,
    /// An approval.
    Approval,
}

impl fmt::Display for Justification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Explanation => "an explanation",
            Self::Approval => "an approval",
        })
    }
}

/// Why a command on visits is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The enterprise is not registered, so nobody can say which rules apply.
    #[error("the enterprise is not registered")]
    EnterpriseUnregistered,
    /// No frequency policy is published, so no limit could be guaranteed.
    #[error("no frequency policy is published")]
    PolicyUnpublished,
    /// A limit leaves no place.
    #[error("the limit on inspection visits is reached under {} rule(s)", exhausted.len())]
    CapReached {
        /// Each rule without a place left and the visits that hold its places.
        exhausted: Vec<Standing>,
    },
    /// A limit may be passed only with a justification, and the plan gives none.
    #[error("the visit passes the limit of {} rule(s) and needs {wanted}", exceeded.len())]
    JustificationMissing {
        /// The strictest of what is asked for.
        wanted: Justification,
        /// Each rule whose maximum the visit would pass and the visits that count.
        exceeded: Vec<Standing>,
    },
    /// The unit has published no catalogue; what is in none is not inspected (清单之外无检查; 国办发〔2024〕54号
    /// 《关于严格规范涉企行政检查的意见》).
    #[error("the unit {unit} has published no inspection catalogue")]
    CatalogueUnpublished {
        /// The unit.
        unit: UnitId,
    },
    /// The unit may not inspect on the planned day (检查主体资格; 国办发〔2024〕54号
    /// 《关于严格规范涉企行政检查的意见》; an entrustment ends as 行政处罚法 第二十条 has it).
    #[error("the unit {unit} is not qualified to inspect on {on}")]
    UnitUnqualified {
        /// The unit.
        unit: UnitId,
        /// The planned day.
        on: Date,
    },
    /// The unit's catalogue does not have the item (清单之外无检查; 国办发〔2024〕54号
    /// 《关于严格规范涉企行政检查的意见》).
    #[error("the item {item} is not in the unit's published catalogue")]
    ItemUnpublished {
        /// The item.
        item: ItemId,
    },
    /// Only a trigger opens the item (触发式检查), and the ground is none; the unit's catalogue says so.
    #[error("the item {item} is inspected only on a trigger")]
    TriggerOnly {
        /// The item.
        item: ItemId,
    },
    /// The item is not inspected at the enterprise (非现场检查); the unit's catalogue says so.
    #[error("the item {item} is not inspected on site")]
    OffSiteOnly {
        /// The item.
        item: ItemId,
    },
    /// The item can be inspected from elsewhere, so going there needs a reason (非现场优先; 国办发〔2024〕54号
    /// 《关于严格规范涉企行政检查的意见》).
    #[error("the item {item} can be inspected off site, so the visit needs a reason")]
    OffSitePossible {
        /// The item.
        item: ItemId,
    },
    /// The officer has no certificate of the unit that is valid that day (行政处罚法 第四十二条: 由具有行政执法资格的
    /// 执法人员实施).
    #[error("the certificate {certificate} is none of the unit's that is valid that day")]
    OfficerInvalid {
        /// The certificate.
        certificate: CertificateNumber,
    },
    /// The ground is exempt from a limit, so it must be proved.
    #[error("the ground is exempt from a limit and needs a reference to its evidence")]
    EvidenceMissing,
    /// Fewer officers than [`OFFICERS_MIN`].
    #[error("a visit needs at least {OFFICERS_MIN} officers, {found} given")]
    TooFewOfficers {
        /// How many were given.
        found: usize,
    },
    /// No item is named.
    #[error("a visit needs at least one inspection item")]
    NoItems,
    /// The day is past or too far ahead.
    #[error("the day {on} must lie between {from} and {until}")]
    DateOutOfRange {
        /// The day given.
        on: Date,
        /// The first day allowed.
        from: Date,
        /// The last day allowed.
        until: Date,
    },
    /// The day to rectify by is past or too far ahead.
    #[error("the day {on} to rectify by must lie between {from} and {until}")]
    RectifyByOutOfRange {
        /// The day given.
        on: Date,
        /// The first day allowed.
        from: Date,
        /// The last day allowed.
        until: Date,
    },
    /// The id belongs to a visit with another plan.
    #[error("the visit {0} is already planned differently")]
    PlannedDifferently(VisitId),
    /// No such visit at this enterprise.
    #[error("the enterprise has no visit {0}")]
    VisitUnknown(VisitId),
    /// The visit belongs to another unit.
    #[error("the visit belongs to the unit {owner}")]
    OtherUnit {
        /// The unit that planned it.
        owner: UnitId,
    },
    /// The visit is not in the phase that the command needs.
    #[error("the visit is {found}, this needs it {wanted}")]
    WrongPhase {
        /// The phase it is in.
        found: &'static str,
        /// The phase or phases that would do.
        wanted: &'static str,
    },
    /// The moment given lies in the future, by more than [`CLOCK_AHEAD_MAX`](super::CLOCK_AHEAD_MAX).
    #[error("{occurred_at} lies in the future")]
    InFuture {
        /// The moment given.
        occurred_at: Timestamp,
    },
    /// A live scan before the planned day.
    #[error("the visit is planned for {on}")]
    BeforePlannedDay {
        /// The planned day.
        on: Date,
    },
    /// The officers cannot leave before they came.
    #[error("the check-out lies before the check-in at {checked_in_at}")]
    OutBeforeIn {
        /// When they came.
        checked_in_at: Timestamp,
    },
    /// Two units bring the same item, and their catalogues differ about it.
    #[error("the catalogues of the units differ about the item {item}")]
    ItemDisputed {
        /// The item.
        item: ItemId,
    },
    /// A recheck names no visit whose findings it looks at again.
    #[error("a recheck must name the visit that it looks at again")]
    RecheckMissing,
    /// Only a recheck names a visit that it looks at again.
    #[error("only a recheck names a visit that it looks at again")]
    RecheckNotAllowed,
    /// A recheck of what is not, or no longer, to be rectified for these units.
    #[error("the visit {visit} left nothing to rectify that this one would look at again")]
    RecheckUnfounded {
        /// The visit named.
        visit: VisitId,
    },
    /// A visit of a special campaign names none (专项检查; 国办发〔2024〕54号).
    #[error("a visit of a special campaign must name it")]
    CampaignMissing,
    /// A campaign is named for another ground.
    #[error("only a visit of a special campaign names one")]
    CampaignNotAllowed,
    /// The campaign is not published, or the visit does not fit into it.
    #[error(transparent)]
    CampaignUnfit(Unfit),
    /// The item is not inspected from elsewhere; the unit's catalogue says so.
    #[error("the item {item} is not inspected off site")]
    OnSiteOnly {
        /// The item.
        item: ItemId,
    },
    /// A visit that nobody planned cannot begin live, unless it cannot wait (紧急).
    #[error("only an urgent visit begins without a plan")]
    NotUrgent,
    /// A live scan without a code (扫码入企).
    #[error("a scan needs the code of the enterprise or of the visit")]
    CodeMissing,
    /// The code was revoked, has ended, or was never made for this enterprise.
    #[error("the code was revoked, has ended, or is none of this enterprise's")]
    CodeRevoked,
    /// The code is good for one scan and was used for one.
    #[error("the code was used for another scan")]
    CodeReplayed,
    /// A complaint about an earlier visit of the unit waits for its answer.
    #[error("the complaint {appeal} about an earlier visit is not answered yet")]
    VisitsHeld {
        /// The complaint.
        appeal: AppealId,
    },
    /// The two visits cannot become one: they lie too far apart, the unit takes part already, or a limit
    /// counts the one and lets the other pass.
    #[error("the visit cannot become part of the visit {into}")]
    NotMergeable {
        /// The visit that would go on.
        into: VisitId,
    },
    /// Nothing of that item is to be rectified.
    #[error("nothing of the item {item} is to be rectified")]
    NothingToRectify {
        /// The item.
        item: ItemId,
    },
    /// Lines that the checklist does not have, or a pass with lines that were not met.
    #[error("the checklist of {item} has {lines} line(s), and what passes meets all of them")]
    ChecklistDiffers {
        /// The item.
        item: ItemId,
        /// How many lines its checklist has.
        lines: u16,
    },
    /// The results do not name each planned item exactly once.
    #[error(
        "the results must name each planned item exactly once; {item} is missing, twice or not planned"
    )]
    ItemsDiffer {
        /// The first item in question.
        item: ItemId,
    },
    /// The planned day is not past.
    #[error("the visit expires only after {on}")]
    NotYetExpired {
        /// The planned day.
        on: Date,
    },
}
