//! Requests and answers about what happens to an appeal while a unit handles it.

use doudi_domain::{
    AppealId, EnterpriseId, Invalid, Name, NoteId, Reference, UnitId,
    appeal::Visibility,
    clock::{ClockId, PauseGround},
};

use super::{
    Fields, Order,
    appeal::{PROSE_MAX, appeal_order, visibility},
    clock::pause_ground,
    given,
};
use crate::{
    error::{Failure, Reason},
    proto as pb, text,
};

/// The digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

appeal_order!(
    /// With how many working days, and the reason before it is sealed.
    ask_extension(request: AskExtensionRequest, fields) -> (u16, String) = {
        let days = fields.number("working_days", request.working_days, 1, u16::MAX.into());
        let days = days.and_then(|days| u16::try_from(days).ok());
        days.zip(fields.prose("reason", &request.reason, PROSE_MAX))
    }
);
appeal_order!(
    answer_extension(request: AnswerExtensionRequest, fields) -> bool = Some(request.granted)
);
appeal_order!(
    pause(request: PauseHandlingRequest, fields) -> (PauseGround, Reference) = {
        let ground = fields.choice("ground", request.ground, pause_ground);
        ground.zip(fields.parse("reference", &request.reference, text::reference))
    }
);
appeal_order!(resume(request: ResumeHandlingRequest, fields) -> () = Some(()));
appeal_order!(
    /// With the other unit, and what is asked before it is sealed.
    co_handling(request: RequestCoHandlingRequest, fields) -> (UnitId, String) = {
        let unit = fields.unit("unit", &request.unit);
        unit.zip(fields.prose("ask", &request.ask, PROSE_MAX))
    }
);
appeal_order!(
    /// With the task, and the answer before it is sealed.
    answer(request: AnswerCoHandlingRequest, fields) -> (ClockId, String) = {
        let task = fields.number("task_id", request.task_id, 1, u32::MAX).map(ClockId);
        task.zip(fields.prose("answer", &request.answer, PROSE_MAX))
    }
);
appeal_order!(open_mediation(request: OpenMediationRequest, fields) -> () = Some(()));
appeal_order!(end_mediation(request: EndMediationRequest, fields) -> bool = Some(request.agreed));
appeal_order!(
    /// With for whom it is, and the text before it is sealed.
    note(request: AddNoteRequest, fields) -> (Visibility, String) = {
        let visibility = fields.choice("visibility", request.visibility, visibility);
        visibility.zip(fields.prose("text", &request.text, PROSE_MAX))
    }
);

/// What a file is said to be, before its name is sealed and its content came.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) visibility: Visibility,
    pub(crate) name: String,
    pub(crate) media_type: Name,
    pub(crate) bytes: u64,
    /// The SHA-256 of the content, in lower-case hexadecimal digits.
    pub(crate) sha256: Reference,
}

/// The description of a file of at most `bytes_max` bytes.
pub(crate) fn announced(
    request: &pb::FileDescription,
    bytes_max: u64,
) -> Result<Order<(AppealId, Announced)>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let appeal = fields.appeal(&request.appeal_id);
    let visibility = fields.choice("visibility", request.visibility, visibility);
    let name = fields.parse("name", &request.name, text::name);
    let media_type = fields.parse("media_type", &request.media_type, text::name);
    let bytes = fields.size_of("bytes", request.bytes, bytes_max);
    let sha256 = fields.parse("sha256", &request.sha256, sha256);
    let announced = || {
        Some(Announced {
            visibility: visibility?,
            name: name?.to_string(),
            media_type: media_type?,
            bytes: bytes?,
            sha256: sha256?,
        })
    };
    let command = appeal.zip(announced());
    for violation in &mut fields.violations {
        violation.field = format!("description.{}", violation.field);
    }
    fields.order(command_id, enterprise, None, command)
}

impl Fields {
    /// A size of 1 to `bytes_max` bytes.
    fn size_of(&mut self, path: &str, bytes: u64, bytes_max: u64) -> Option<u64> {
        if (1..=bytes_max).contains(&bytes) {
            return Some(bytes);
        }
        let violation = crate::error::Violation::new(path, Reason::FileSize);
        self.note(violation.with("bytes_max", bytes_max));
        None
    }
}

/// What is sealed of a file: its hash and its name.
pub(crate) fn label(sha256: &Reference, name: &str) -> String {
    format!("{sha256} {name}")
}

fn sha256(text: &str) -> Result<Reference, Invalid> {
    const ALLOWED: &str = "64 hexadecimal digits";
    let sound = text.len() == SHA256_DIGITS && text.bytes().all(|c| c.is_ascii_hexdigit());
    match text {
        "" => Err(Invalid::Empty),
        text if sound => Reference::parse(&text.to_ascii_lowercase()),
        _ => Err(Invalid::Character { allowed: ALLOWED }),
    }
}

/// The file that is asked for.
pub(crate) fn download(
    request: &pb::DownloadFileRequest,
) -> Result<(EnterpriseId, AppealId, NoteId), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let appeal = fields.appeal(&request.appeal_id);
    let file = fields.parse("file_id", &request.file_id, given(NoteId::parse));
    let asked = || Some((enterprise?, appeal?, file?));
    fields.finish(asked())
}
