//! The closed words of appeals, one for one in both directions.

use doudi_domain::appeal::{
    Applicant, Channel, Confidentiality, LawfulChannel, Outcome, PhaseName, Trigger, Visibility,
};

use crate::proto as pb;

/// Enums whose variants have the same names in the contract and in the domain.
macro_rules! alike {
    ($($theirs:ident = $ours:ident, $to:ident, $from:ident: $($name:ident)+;)+) => {$(
        pub(crate) fn $to(word: pb::$theirs) -> Option<$ours> {
            match word {
                pb::$theirs::Unspecified => None,
                $(pb::$theirs::$name => Some($ours::$name),)+
            }
        }

        pub(crate) fn $from(word: $ours) -> pb::$theirs {
            match word {
                $($ours::$name => pb::$theirs::$name,)+
            }
        }
    )+};
}

alike! {
    Channel = Channel, channel, of_channel:
        Hotline12345 Web App ServiceDesk VisitFeedback RoundTable LeadersContact;
    AppealState = PhaseName, state, of_state:
        Submitted Accepted Dispatched InHandling Contested Resolved Confirmed Closed Redirected
        Merged;
    ResolutionOutcome = Outcome, outcome, of_outcome: Solved Explained Unfounded LawfulChannel;
    Applicant = Applicant, applicant, of_applicant: Enterprise OnBehalf Anonymous;
    Confidentiality = Confidentiality, confidentiality, of_confidentiality:
        Public Internal Confidential Strict;
    LawfulChannel = LawfulChannel, lawful_channel, of_lawful_channel:
        Litigation Review Discipline Petition;
    GuaranteeTrigger = Trigger, trigger, of_trigger:
        NoOwner BouncesSpent Overdue Dissatisfied;
    Visibility = Visibility, visibility, of_visibility: Internal Public;
}
