//! The closed words of appeals, one for one in both directions.

use doudi_domain::appeal::{
    Applicant, Channel, Confidentiality, LawfulChannel, Outcome, PhaseName, Trigger, Visibility,
};

use crate::{convert::alike::alike, proto as pb};

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
