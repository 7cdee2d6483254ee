//! What a caller may do with a case: each action as the rpc that takes it.

use doudi_domain::appeal::{Action, Allowed};

use crate::{
    error::{Explain, Refusal},
    identity::Caller,
    permission, proto as pb,
};

/// An action, and what refuses it now if it is not possible: a rule, or that it is not the caller's.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) action: Action,
    pub(crate) missing: Option<Refusal>,
}

impl From<&Allowed> for Tried {
    fn from(Allowed { action, missing }: &Allowed) -> Self {
        Self { action: *action, missing: missing.as_ref().map(Explain::explain) }
    }
}

/// Every action of the parties that the caller is, each rpc once and only those that the caller's
/// roles may call. What one of the parties may do is allowed, whatever stands in another's way.
pub(crate) fn of_allowed<T: Into<Tried>>(
    caller: &Caller,
    tried: impl IntoIterator<Item = T>,
) -> Vec<pb::AllowedAction> {
    let mut actions: Vec<pb::AllowedAction> = Vec::new();
    for one in tried {
        let action = of_action(&one.into());
        let path = format!("/{}", action.rpc);
        let open = permission::permission(&path);
        if open.is_none_or(|row| !row.roles.intersects(caller.roles)) {
            continue;
        }
        match actions.iter_mut().find(|known| known.rpc == action.rpc) {
            Some(known) if action.allowed => *known = action,
            Some(_) => {}
            None => actions.push(action),
        }
    }
    actions
}

fn of_action(tried: &Tried) -> pb::AllowedAction {
    let rpc = format!("doudi.v1.{}", rpc(tried.action));
    match &tried.missing {
        None => pb::AllowedAction { rpc, allowed: true, ..pb::AllowedAction::default() },
        Some(refusal) => {
            let (reason, words) = refusal.told();
            pb::AllowedAction {
                rpc,
                allowed: false,
                reason: reason.as_str().to_owned(),
                text_en: words.en.into_owned(),
                text_zh: words.zh.into_owned(),
            }
        }
    }
}

/// The rpc that takes an action.
fn rpc(action: Action) -> &'static str {
    match action {
        Action::Accept => "AppealService/AcceptAppeal",
        Action::Redirect => "AppealService/RedirectAppeal",
        Action::Dispatch => "AppealService/DispatchAppeal",
        Action::SignFor => "AppealService/SignForAppeal",
        Action::RecordContact => "AppealService/RecordContact",
        Action::Contest => "AppealService/ContestDispatch",
        Action::Rule => "AppealService/RuleOnContest",
        Action::Reclassify => "AppealService/ReclassifyAppeal",
        Action::AskExtension => "HandlingService/AskExtension",
        Action::AnswerExtension => "HandlingService/AnswerExtension",
        Action::Pause => "HandlingService/PauseHandling",
        Action::Resume => "HandlingService/ResumeHandling",
        Action::RequestCoHandling => "HandlingService/RequestCoHandling",
        Action::AnswerCoHandling => "HandlingService/AnswerCoHandling",
        Action::Resolve => "AppealService/ResolveAppeal",
        Action::Confirm => "AppealService/ConfirmResolution",
        Action::Object => "AppealService/ObjectToResolution",
        Action::RecordCallback => "AppealService/RecordCallback",
        Action::Rate => "AppealService/RateAppeal",
        Action::Close => "AppealService/CloseAppeal",
        Action::Reopen => "AppealService/ReopenAppeal",
        Action::AddNote => "HandlingService/AddNote",
        Action::Attach => "HandlingService/UploadFile",
        Action::Merge => "AppealService/MergeAppeal",
        Action::Split => "AppealService/SplitAppeal",
        Action::Convene => "DiagnosisService/ConveneDiagnosis",
        Action::OpenMediation => "HandlingService/OpenMediation",
        Action::EndMediation => "HandlingService/EndMediation",
        Action::ErasePersonalData => "AppealService/ErasePersonalData",
    }
}
