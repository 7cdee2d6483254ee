//! Who may call what: one table of rpc path and roles. An rpc that is not in the table is served to
//! nobody. Which enterprises, units and areas a caller reaches within an rpc is [`scope`]'s business,
//! and what of an appeal it is shown is [`sight`]'s.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) mod scope;
pub(crate) mod sight;

/// What a caller is (角色). One account may hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Handles the appeals of a unit (承办单位经办人).
    AgencyHandler,
    /// Heads a unit and approves its visits (单位负责人).
    UnitHead,
    /// Inspects for a unit (执法检查人员).
    Inspector,
    /// Accepts, dispatches and closes appeals of its areas (诉求专席).
    Dispatcher,
    /// Watches over its areas (监督人员); changes nothing.
    Supervisor,
    /// Speaks for one enterprise (企业).
    Enterprise,
    /// Reads everything (审计人员); changes nothing.
    Auditor,
    /// Keeps policies and registers (系统管理员).
    Admin,
    /// Holds the token of one case, and no account (持编号诉求人).
    CaseHolder,
}

impl Role {
    /// Every role, in the order of the authorization matrix.
    pub const ALL: [Self; 9] = [
        Self::AgencyHandler,
        Self::UnitHead,
        Self::Inspector,
        Self::Dispatcher,
        Self::Supervisor,
        Self::Enterprise,
        Self::Auditor,
        Self::Admin,
        Self::CaseHolder,
    ];

    /// The roles that accounts have. The one of case holders comes with a case token only.
    pub const OF_ACCOUNTS: RoleSet = RoleSet::ALL.without(Self::CaseHolder);

    /// The roles that act for one unit; their tokens must name it.
    pub const OF_UNIT: RoleSet =
        RoleSet::of(&[Self::AgencyHandler, Self::UnitHead, Self::Inspector]);

    /// The roles that act in areas; their tokens must name at least one, or `*` for all.
    pub const OF_AREAS: RoleSet = RoleSet::of(&[Self::Dispatcher, Self::Supervisor]);

    /// The roles that read everything.
    pub const OF_ALL: RoleSet = RoleSet::of(&[Self::Auditor, Self::Admin]);

    /// The role as the claim `roles` spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgencyHandler => "agency_handler",
            Self::UnitHead => "unit_head",
            Self::Inspector => "inspector",
            Self::Dispatcher => "dispatcher",
            Self::Supervisor => "supervisor",
            Self::Enterprise => "enterprise",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::CaseHolder => "case_holder",
        }
    }

    /// The role as officials call it.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::AgencyHandler => "承办单位经办人",
            Self::UnitHead => "单位负责人",
            Self::Inspector => "执法检查人员",
            Self::Dispatcher => "诉求专席",
            Self::Supervisor => "监督人员",
            Self::Enterprise => "企业",
            Self::Auditor => "审计人员",
            Self::Admin => "系统管理员",
            Self::CaseHolder => "持编号诉求人",
        }
    }

    /// Reads the spelling of the claim `roles`; none for any other text, and for the role that no
    /// account has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::OF_ACCOUNTS.iter().find(|role| role.as_str() == text)
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoleSet(u16);

impl RoleSet {
    /// Every role.
    pub const ALL: Self = Self::of(&Role::ALL);

    /// The set of `roles`.
    #[must_use]
    pub const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < roles.len() {
            bits |= roles[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Whether `role` is in the set.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether the two sets share a role.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The roles in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn without(self, role: Role) -> Self {
        Self(self.0 & !role.bit())
    }

    /// Whether there is no role in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles in it, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl fmt::Display for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Role::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

/// One row of the table: who may call an rpc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The rpc's path, `/<package>.<Service>/<Method>`.
    pub rpc: &'static str,
    /// The roles that may call it.
    pub roles: RoleSet,
}

use Role::{
    Admin, AgencyHandler, Auditor, CaseHolder, Dispatcher, Enterprise, Inspector, Supervisor,
    UnitHead,
};

const fn row(rpc: &'static str, roles: &[Role]) -> Permission {
    Permission { rpc, roles: RoleSet::of(roles) }
}

const fn every_account(rpc: &'static str) -> Permission {
    Permission { rpc, roles: Role::OF_ACCOUNTS }
}

const fn everybody(rpc: &'static str) -> Permission {
    Permission { rpc, roles: RoleSet::ALL }
}

/// Who works in a unit that handles appeals.
const UNITS: &[Role] = &[AgencyHandler, UnitHead];

/// Who speaks for the enterprise in its own case.
const OWN_CASE: &[Role] = &[Enterprise, CaseHolder];

/// Who takes part in a case.
const PARTIES: &[Role] = &[AgencyHandler, UnitHead, Dispatcher, Enterprise, CaseHolder];

/// The authorization matrix. Queries are open to every account because the data scope decides there.
pub const TABLE: &[Permission] = &[
    row(
        "/doudi.v1.EnterpriseService/RegisterEnterprise",
        &[Admin, Dispatcher, AgencyHandler, UnitHead, Inspector, Enterprise],
    ),
    // Limits depend on them, so no unit that they limit says them.
    row("/doudi.v1.EnterpriseService/AssessCreditGrade", &[Admin]),
    row("/doudi.v1.EnterpriseService/ClassifyEnterprise", &[Admin]),
    row("/doudi.v1.EnterpriseService/ChangeArea", &[Dispatcher, Admin]),
    every_account("/doudi.v1.EnterpriseService/GetEnterprise"),
    row("/doudi.v1.InspectionService/PlanVisit", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/ApproveVisit", &[UnitHead]),
    row("/doudi.v1.InspectionService/CheckIn", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/CheckOut", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/ReportResult", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/CancelVisit", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/NotifyVisit", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/MergeVisits", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/CheckInUrgently", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/BackfillCheckIn", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/TellEnterprise", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/ReportRectification", &[Enterprise]),
    row("/doudi.v1.InspectionService/AcceptRectification", &[Inspector, UnitHead]),
    row("/doudi.v1.InspectionService/RecordOffSiteCheck", &[Inspector, UnitHead]),
    row("/doudi.v1.CodeService/IssueEnterpriseCode", &[Enterprise, Dispatcher, Admin]),
    row("/doudi.v1.CodeService/RevokeEnterpriseCode", &[Enterprise, Dispatcher, Admin]),
    row("/doudi.v1.CodeService/GetEnterpriseCode", &[Enterprise, Dispatcher, Admin]),
    row("/doudi.v1.CodeService/ShowEnterpriseCode", &[Enterprise]),
    row("/doudi.v1.CodeService/ShowTaskCode", &[Inspector, UnitHead]),
    row("/doudi.v1.CodeService/ReadTaskCode", &[Enterprise]),
    row("/doudi.v1.CodeService/AdmitVisit", &[Enterprise]),
    row("/doudi.v1.CodeService/RefuseVisit", &[Enterprise]),
    every_account("/doudi.v1.VisitListService/ListVisits"),
    every_account("/doudi.v1.VisitListService/CountVisits"),
    row("/doudi.v1.VisitListService/ListNearVisits", &[Inspector, UnitHead]),
    every_account("/doudi.v1.VisitListService/ListUnitLedger"),
    every_account("/doudi.v1.InspectionService/GetVisit"),
    every_account("/doudi.v1.InspectionService/GetQuota"),
    // The answer would warn an enterprise of the visits that it was not told of.
    Permission {
        rpc: "/doudi.v1.InspectionService/ExplainPlan",
        roles: Role::OF_ACCOUNTS.without(Enterprise),
    },
    row("/doudi.v1.CampaignService/ProposeCampaign", &[UnitHead]),
    row("/doudi.v1.CampaignService/ApproveCampaign", &[UnitHead, Admin]),
    row("/doudi.v1.CampaignService/FileCampaign", &[UnitHead]),
    row("/doudi.v1.CampaignService/PublishCampaign", &[UnitHead]),
    row("/doudi.v1.CampaignService/WithdrawCampaign", &[UnitHead]),
    every_account("/doudi.v1.CampaignService/GetCampaign"),
    row("/doudi.v1.DrawService/OpenDraw", &[UnitHead]),
    row("/doudi.v1.DrawService/AddCandidates", &[UnitHead]),
    row("/doudi.v1.DrawService/MakeDraw", &[UnitHead]),
    every_account("/doudi.v1.DrawService/GetDraw"),
    every_account("/doudi.v1.DrawService/ListDrawn"),
    row("/doudi.v1.DeviceService/EnrolDevice", &[UnitHead]),
    row("/doudi.v1.DeviceService/RevokeDevice", &[UnitHead, Admin]),
    row("/doudi.v1.DeviceService/ReleaseRecords", &[UnitHead, Admin]),
    every_account("/doudi.v1.DeviceService/GetDevice"),
    row("/doudi.v1.DeviceService/AnchorTime", &[Inspector, UnitHead]),
    row("/doudi.v1.DeviceService/UploadRecords", &[Inspector, UnitHead]),
    row("/doudi.v1.RatingService/RateVisit", &[Enterprise]),
    row("/doudi.v1.RatingService/GetRating", &[Enterprise]),
    every_account("/doudi.v1.RatingService/GetUnitRatings"),
    every_account("/doudi.v1.AlertService/ListAlerts"),
    every_account("/doudi.v1.AlertService/CountAlerts"),
    row("/doudi.v1.AppealService/SubmitAppeal", &[Enterprise, AgencyHandler, Dispatcher]),
    row("/doudi.v1.AppealService/AcceptAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/RedirectAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/ReclassifyAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/DispatchAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/SignForAppeal", UNITS),
    row("/doudi.v1.AppealService/ContestDispatch", UNITS),
    row("/doudi.v1.AppealService/RuleOnContest", &[Dispatcher]),
    row("/doudi.v1.AppealService/RecordContact", UNITS),
    row("/doudi.v1.AppealService/ResolveAppeal", UNITS),
    row("/doudi.v1.AppealService/ConfirmResolution", OWN_CASE),
    row("/doudi.v1.AppealService/ObjectToResolution", &[Dispatcher, Enterprise, CaseHolder]),
    row("/doudi.v1.AppealService/RecordCallback", &[Dispatcher]),
    row("/doudi.v1.AppealService/RateAppeal", OWN_CASE),
    row("/doudi.v1.AppealService/CloseAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/ReopenAppeal", OWN_CASE),
    row("/doudi.v1.AppealService/MergeAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/SplitAppeal", &[Dispatcher]),
    row("/doudi.v1.AppealService/ErasePersonalData", &[Admin]),
    every_account("/doudi.v1.AppealService/GetAppeal"),
    every_account("/doudi.v1.AppealService/ListAppeals"),
    row("/doudi.v1.HandlingService/AskExtension", UNITS),
    row("/doudi.v1.HandlingService/AnswerExtension", &[Dispatcher]),
    row("/doudi.v1.HandlingService/PauseHandling", UNITS),
    row("/doudi.v1.HandlingService/ResumeHandling", UNITS),
    row("/doudi.v1.HandlingService/RequestCoHandling", UNITS),
    row("/doudi.v1.HandlingService/AnswerCoHandling", UNITS),
    row("/doudi.v1.HandlingService/OpenMediation", UNITS),
    row("/doudi.v1.HandlingService/EndMediation", UNITS),
    row("/doudi.v1.HandlingService/AddNote", PARTIES),
    row("/doudi.v1.HandlingService/UploadFile", PARTIES),
    everybody("/doudi.v1.HandlingService/DownloadFile"),
    row("/doudi.v1.DiagnosisService/ConveneDiagnosis", UNITS),
    row("/doudi.v1.DiagnosisService/GiveOpinion", UNITS),
    row("/doudi.v1.DiagnosisService/ConcludeDiagnosis", UNITS),
    every_account("/doudi.v1.DiagnosisService/GetDiagnosis"),
    every_account("/doudi.v1.CaseService/ListInbox"),
    every_account("/doudi.v1.CaseService/CountInbox"),
    every_account("/doudi.v1.CaseService/ListStuck"),
    everybody("/doudi.v1.CaseService/ExplainDeadline"),
    everybody("/doudi.v1.CaseService/GetTimeLedger"),
    everybody("/doudi.v1.CaseService/GetAllowedActions"),
    row("/doudi.v1.CaseService/FollowCase", &[CaseHolder]),
    row("/doudi.v1.CaseService/IssueCaseToken", &[Dispatcher]),
    every_account("/doudi.v1.CaseService/SuggestTopics"),
    every_account("/doudi.v1.CaseService/SuggestDuplicates"),
    every_account("/doudi.v1.CaseService/GetFlow"),
    every_account("/doudi.v1.CaseService/GetRates"),
    row("/doudi.v1.PolicyService/DraftPolicy", &[Admin]),
    row("/doudi.v1.PolicyService/PublishPolicy", &[Admin]),
    row("/doudi.v1.PolicyService/RetirePolicy", &[Admin]),
    every_account("/doudi.v1.PolicyService/GetPolicy"),
    every_account("/doudi.v1.TimelineService/ListTimeline"),
    every_account("/doudi.v1.TimelineService/WatchTimeline"),
    every_account("/doudi.v1.FeedService/StreamEvents"),
    every_account("/doudi.v1.SupervisionService/GetEnterprisePage"),
    every_account("/doudi.v1.BoardService/GetBoard"),
    every_account("/doudi.v1.BoardService/ListBoardRows"),
    every_account("/doudi.v1.BoardService/ExportBoard"),
    // A webhook gets what an account of its areas would get of the feed; only who keeps the registers sends it out.
    row("/doudi.v1.WebhookService/RegisterWebhook", &[Admin]),
    row("/doudi.v1.WebhookService/PauseWebhook", &[Admin]),
    row("/doudi.v1.WebhookService/ResumeWebhook", &[Admin]),
    row("/doudi.v1.WebhookService/RotateSecret", &[Admin]),
    row("/doudi.v1.WebhookService/RetireWebhook", &[Admin]),
    row("/doudi.v1.WebhookService/GetWebhook", &[Auditor, Admin]),
    row("/doudi.v1.WebhookService/ListWebhooks", &[Auditor, Admin]),
    row("/doudi.v1.WebhookService/ListDeadLetters", &[Auditor, Admin]),
    row("/doudi.v1.WebhookService/RedriveDeadLetters", &[Admin]),
    row("/doudi.v1.WhatIfService/TryPolicy", &[Supervisor, Admin]),
];

/// The row of an rpc; none when it is served to nobody.
#[must_use]
pub fn permission(rpc: &str) -> Option<&'static Permission> {
    TABLE.iter().find(|row| row.rpc == rpc)
}

#[cfg(test)]
mod tests;
