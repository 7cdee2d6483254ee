//! Requests and answers about appeals.

use doudi_domain::{
    AppealId, AreaCode, CaseTypeId, ClassId, TopicId, UnitId, VisitId,
    appeal::{Applicant, Channel, Confidentiality, LawfulChannel, Outcome, Rating},
    cases::Level,
};

use super::{Fields, Order, derived, given, policy::cases::level};
use crate::{
    error::{Failure, Reason},
    proto as pb,
};

mod list;
mod reply;
mod words;

pub(crate) use list::{get, list, page};
pub(crate) use reply::{
    Texts, number, number_of, of_case, of_file, of_row, of_row_as, of_rule, sealed,
};
use words::{applicant, channel, confidentiality, lawful_channel, outcome};
pub(crate) use words::{of_state, visibility};

/// The longest description, reply, reason or note, in characters.
pub(crate) const PROSE_MAX: usize = 4000;
/// The longest contact, in characters.
const CONTACT_MAX: usize = 200;

/// What an enterprise submits, before it is sealed.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) channel: Channel,
    pub(crate) topic: TopicId,
    pub(crate) area: AreaCode,
    pub(crate) description: String,
    pub(crate) contact: Option<String>,
    pub(crate) about_visit: Option<VisitId>,
    pub(crate) case_type: Option<CaseTypeId>,
    pub(crate) class: Option<ClassId>,
    pub(crate) about_level: Option<Level>,
    /// Who speaks; none where who calls decides.
    pub(crate) applicant: Option<Applicant>,
    /// Whether no enterprise is named, so that the appeal is kept under an id of its own.
    pub(crate) is_nameless: bool,
    pub(crate) confidentiality: Confidentiality,
}

pub(crate) fn submit(request: &pb::SubmitAppealRequest) -> Result<Order<Unsealed>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let applicant = fields.filter("applicant", request.applicant, applicant);
    let is_anonymous = applicant == Some(Some(Applicant::Anonymous));
    let is_nameless = is_anonymous && request.enterprise_id.is_empty();
    let enterprise = match (request.enterprise_id.as_str(), command_id) {
        (_, None) if is_nameless => None,
        (_, Some(id)) if is_nameless => {
            fields.parse("enterprise_id", "", |_| derived::anonymous(id))
        }
        (id, _) => fields.enterprise(id),
    };
    let channel = fields.choice("channel", request.channel, channel);
    let topic = fields.parse("topic", &request.topic, TopicId::parse);
    let area = fields.area("area", &request.area);
    let description = fields.prose("description", &request.description, PROSE_MAX);
    let contact = match request.contact.as_str() {
        "" => Some(None),
        _ if is_anonymous => fields.refuse("contact", Reason::FieldNotAllowed),
        text => fields.contact(text, CONTACT_MAX).map(Some),
    };
    let about_visit = fields.optional("about_visit_id", &request.about_visit_id, VisitId::parse);
    let case_type = fields.optional("case_type", &request.case_type, CaseTypeId::parse);
    let class = fields.optional("class", &request.class, ClassId::parse);
    let about_level = fields.filter("about_level", request.about_level, level);
    let confidentiality =
        fields.filter("confidentiality", request.confidentiality, confidentiality);
    let order = || {
        Some(Order {
            command_id: command_id?,
            expected_version: None,
            enterprise: enterprise?,
            command: Unsealed {
                channel: channel?,
                topic: topic?,
                area: area?,
                description: description?,
                contact: contact?,
                about_visit: about_visit?,
                case_type: case_type?,
                class: class?,
                about_level: about_level?,
                applicant: applicant?,
                is_nameless,
                confidentiality: confidentiality?.unwrap_or_default(),
            },
        })
    };
    fields.finish(order())
}

/// The fields that every command on a known appeal has; `command` gives what else it says.
macro_rules! appeal_order {
    ($(#[$doc:meta])* $name:ident($request:ident: $message:ident, $fields:ident) -> $out:ty
        = $command:expr) => {
        $(#[$doc])*
        pub(crate) fn $name(
            $request: &crate::proto::$message,
        ) -> Result<
            crate::convert::Order<(doudi_domain::AppealId, $out)>,
            crate::error::Failure,
        > {
            let mut $fields = crate::convert::Fields::default();
            let command_id = $fields.command_id(&$request.command_id);
            let enterprise = $fields.enterprise(&$request.enterprise_id);
            let appeal = $fields.appeal(&$request.appeal_id);
            let command = $command;
            let version = $request.expected_version;
            $fields.order(command_id, enterprise, version, appeal.zip(command))
        }
    };
}
pub(crate) use appeal_order;

appeal_order!(accept(request: AcceptAppealRequest, fields) -> () = Some(()));
appeal_order!(sign_for(request: SignForAppealRequest, fields) -> () = Some(()));
appeal_order!(contacted(request: RecordContactRequest, fields) -> () = Some(()));
appeal_order!(confirm(request: ConfirmResolutionRequest, fields) -> () = Some(()));
appeal_order!(close(request: CloseAppealRequest, fields) -> () = Some(()));
appeal_order!(erase(request: ErasePersonalDataRequest, fields) -> () = Some(()));
appeal_order!(
    /// With what the enterprise is told, before it is sealed.
    redirect(request: RedirectAppealRequest, fields) -> (LawfulChannel, String) = {
        let channel = fields.choice("channel", request.channel, lawful_channel);
        let guidance = fields.prose("guidance", &request.guidance, PROSE_MAX);
        channel.zip(guidance)
    }
);
appeal_order!(
    reclassify(request: ReclassifyAppealRequest, fields) -> ClassId
        = fields.parse("class", &request.class, ClassId::parse)
);
appeal_order!(
    /// With the unit chosen by hand, if one is.
    dispatch(request: DispatchAppealRequest, fields) -> Option<UnitId>
        = fields.optional("to_unit", &request.to_unit, UnitId::parse)
);
appeal_order!(
    /// With the other unit, if the objection is right.
    rule(request: RuleOnContestRequest, fields) -> Option<UnitId>
        = fields.optional("to_unit", &request.to_unit, UnitId::parse)
);
appeal_order!(
    /// With the reason, before it is sealed, and the unit that is proposed.
    contest(request: ContestDispatchRequest, fields) -> (String, Option<UnitId>) = {
        let reason = fields.prose("reason", &request.reason, PROSE_MAX);
        reason.zip(fields.optional("proposed_unit", &request.proposed_unit, UnitId::parse))
    }
);
appeal_order!(
    /// With the outcome and the reply, before it is sealed.
    resolve(request: ResolveAppealRequest, fields) -> (Outcome, String) = {
        let outcome = fields.choice("outcome", request.outcome, outcome);
        outcome.zip(fields.prose("reply", &request.reply, PROSE_MAX))
    }
);
appeal_order!(
    /// With the reason, before it is sealed.
    object(request: ObjectToResolutionRequest, fields) -> String
        = fields.prose("reason", &request.reason, PROSE_MAX)
);
appeal_order!(
    /// With the reason, before it is sealed.
    reopen(request: ReopenAppealRequest, fields) -> String
        = fields.prose("reason", &request.reason, PROSE_MAX)
);
appeal_order!(
    /// With what else was said, before it is sealed.
    called_back(request: RecordCallbackRequest, fields) -> CalledBack = {
        let note = match request.note.as_str() {
            "" => Some(None),
            text => fields.prose("note", text, PROSE_MAX).map(Some),
        };
        let &pb::RecordCallbackRequest { reached, resolved, satisfied, .. } = request;
        // Whoever was not reached said nothing.
        let resolved = heard(&mut fields, "resolved", reached, resolved);
        let satisfied = heard(&mut fields, "satisfied", reached, satisfied);
        let said = || {
            let (resolved, satisfied) = (resolved?, satisfied?);
            Some(CalledBack { reached, resolved, satisfied, note: note? })
        };
        said()
    }
);
appeal_order!(
    rate(request: RateAppealRequest, fields) -> Rating = match request.rating {
        Some(pb::Rating { responded, resolved, satisfied }) => {
            Some(Rating { responded, resolved, satisfied })
        }
        None => fields.refuse("rating", Reason::FieldRequired),
    }
);
appeal_order!(
    /// With the appeal that it goes on in.
    merge(request: MergeAppealRequest, fields) -> AppealId
        = fields.parse("into_appeal_id", &request.into_appeal_id, given(AppealId::parse))
);
appeal_order!(
    /// With what the part is about, where it plays, and its words before they are sealed.
    split(request: SplitAppealRequest, fields) -> (TopicId, AreaCode, String) = {
        let topic = fields.parse("topic", &request.topic, TopicId::parse);
        let area = fields.area("area", &request.area);
        let description = fields.prose("description", &request.description, PROSE_MAX);
        let part = || Some((topic?, area?, description?));
        part()
    }
);

fn heard(
    fields: &mut Fields,
    path: &str,
    reached: bool,
    said: Option<bool>,
) -> Option<Option<bool>> {
    if said.is_some() && !reached {
        return fields.refuse(path, Reason::FieldNotAllowed);
    }
    Some(said)
}

/// What came of a callback, before what was said is sealed.
#[derive(Debug)]
pub(crate) struct CalledBack {
    pub(crate) reached: bool,
    pub(crate) resolved: Option<bool>,
    pub(crate) satisfied: Option<bool>,
    pub(crate) note: Option<String>,
}
