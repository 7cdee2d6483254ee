//! The closed words of inspections and their rules, one for one in both directions.

use doudi_domain::{
    catalogue::{Level, Mode},
    enterprise::{CreditGrade, RiskClass},
    frequency::{Ground, OnExceeding, Subject, Verdict},
    visits::{Assurance, CancelReason, RefusalReason},
};

use crate::{convert::alike::alike, proto as pb};

alike! {
    Ground = Ground, ground, of_ground:
        Routine Random Special Complaint Assigned MonitoringLead EnterpriseRequest
        RectificationRecheck LicenceVerification Media Urgent DeployedCampaign;
    FrequencySubject = Subject, subject, of_subject:
        SameUnit SameLevel AllUnits SameField SameItem SameOfficer;
    OnExceeding = OnExceeding, on_exceeding, of_on_exceeding:
        Refuse NeedsApproval NeedsExplanation Warn;
    CreditGrade = CreditGrade, credit_grade, of_credit_grade: A B C D;
    RiskClass = RiskClass, risk_class, of_risk_class: A B C D;
    UnitLevel = Level, level, of_level: Nation Province City County Township;
    InspectionMode = Mode, mode, of_mode: OnSite OffSite;
}

/// Words that only come in.
macro_rules! incoming {
    ($($to:ident: $word:ident = $($name:ident)+;)+) => {$(
        pub(crate) fn $to(word: pb::$word) -> Option<$word> {
            match word {
                pb::$word::Unspecified => None,
                $(pb::$word::$name => Some($word::$name),)+
            }
        }
    )+};
}

incoming! {
    cancel_reason: CancelReason = TaskWithdrawn CoveredByOther EnterpriseGone OfficersUnavailable;
    refusal_reason: RefusalReason =
        OfficersUnidentified NotApproved ItemsDiffer TooOften CodeNotSound;
}

pub(crate) fn of_assurance(assurance: Assurance) -> pb::Assurance {
    match assurance {
        Assurance::Stated => pb::Assurance::Stated,
        Assurance::Place => pb::Assurance::Place,
        Assurance::Presence => pb::Assurance::Presence,
        Assurance::Admitted => pb::Assurance::Admitted,
    }
}

pub(crate) fn of_verdict(verdict: Verdict) -> pb::PlanVerdict {
    match verdict {
        Verdict::Allowed => pb::PlanVerdict::Allowed,
        Verdict::Marked => pb::PlanVerdict::Marked,
        Verdict::NeedsExplanation => pb::PlanVerdict::NeedsExplanation,
        Verdict::NeedsApproval => pb::PlanVerdict::NeedsApproval,
        Verdict::Refused => pb::PlanVerdict::Refused,
    }
}
