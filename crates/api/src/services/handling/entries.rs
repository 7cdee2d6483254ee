//! Notes and files: who may add one, and where it goes when the appeal was merged.

use std::sync::Arc;

use doudi_domain::{
    AppealId, EnterpriseId, UnitId,
    appeal::{Appeal, Command, Event, Note, Visibility},
};
use doudi_engine::Folded;
use uuid::Uuid;

use crate::{
    call::Call,
    convert::{Order, common::receipt, derived, handling as convert},
    error::{Failure, Reason, Refusal},
    proto as pb,
    services::{
        Api,
        appeal::{As, Text, judge},
    },
};

/// Where a note or file goes, and for which unit it is written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) appeal: AppealId,
    pub(super) folded: Arc<Folded<Appeal>>,
    pub(super) unit: Option<UnitId>,
}

impl Api {
    /// Where an entry to the appeal `asked` goes. Whoever speaks for the enterprise there does so
    /// also where it goes on; everybody else must take part there. What an enterprise adds is public.
    pub(super) async fn entry(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        asked: AppealId,
        command_id: Uuid,
        (path, visibility): (&str, Visibility),
    ) -> Result<Entry, Failure> {
        let caller = &call.caller;
        let (appeal, folded) = self.destination(enterprise, asked, Some(command_id)).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        if let Err(refused) = judge(call, enterprise, asked, case, As::Party)
            && !self.recorded(enterprise, appeal, command_id).await?
        {
            return Err(refused);
        }
        let outside = caller.speaks_for(enterprise, asked) && !caller.sees_inside(enterprise, case);
        if outside && visibility == Visibility::Internal {
            return Err(Refusal::new(Reason::VisibilityPublicOnly).about(path).into());
        }
        Ok(Entry { appeal, folded, unit: caller.unit.clone().filter(|_| !outside) })
    }

    pub(super) async fn noted(
        &self,
        call: &Call,
        request: &pb::AddNoteRequest,
    ) -> Result<pb::AddNoteResponse, Failure> {
        let order = convert::note(request)?;
        let Order { enterprise, command_id, command: (asked, (visibility, _)), .. } = &order;
        let (id, visibility) = (derived::note(enterprise, *command_id), *visibility);
        let for_whom = ("visibility", visibility);
        let Entry { appeal, folded, unit } =
            self.entry(call, enterprise, *asked, *command_id, for_whom).await?;
        let order = order.map(|(_, (_, text))| (appeal, text));
        let text = Text {
            label: "note",
            text: &order.command.1,
            recorded: |event| {
                if let Event::NoteAdded { note, .. } = event { Some(&note.text) } else { None }
            },
        };
        let add = |text| Command::AddNote(Note { id, unit: unit.clone(), visibility, text });
        let outcome = self.sealed_order(call, &order, &folded, text, add).await?;
        Ok(pb::AddNoteResponse {
            receipt: Some(receipt(&outcome)),
            note_id: id.to_string(),
            appeal_id: appeal.to_string(),
        })
    }
}
