//! Reads: one appeal with its texts, lists without them, and the record of who read what is
//! confidential, which comes before anything is shown.

use std::sync::atomic::{AtomicU64, Ordering};

use doudi_domain::{
    AppealId, EnterpriseId,
    appeal::{Appeal, Case, Confidentiality},
    reads::{Command, Read, Reads, What},
};
use doudi_engine::{Folded, Position, Version, streams};
use doudi_views::ViewName;
use uuid::{Uuid, uuid};

use super::goes_on_in;
use crate::{
    call::Call,
    convert::{Reflect, appeal as convert, token},
    error::{Failure, Reason},
    permission::sight::Sight,
    proto as pb,
    services::{Api, may_ask},
};

const READS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a06");

/// Counts the reads of this process, so that two at one instant are two.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// One appeal as somebody sees it.
#[derive(Debug)]
pub(in crate::services) struct Shown {
    pub(in crate::services) appeal: pb::Appeal,
    pub(in crate::services) version: Version,
    pub(in crate::services) position: Position,
}

impl Api {
    pub(super) async fn appeal(
        &self,
        call: &Call,
        request: &pb::GetAppealRequest,
    ) -> Result<pb::GetAppealResponse, Failure> {
        let (enterprise, appeal, reflect) = convert::get(request)?;
        may_ask(call, &enterprise)?;
        let Shown { appeal, version, position } =
            self.shown(call, &enterprise, appeal, reflect).await?;
        let position = token::of_position(position);
        Ok(pb::GetAppealResponse { appeal: Some(appeal), version: version.0, position })
    }

    /// An appeal with the texts that the caller may see, straight from the log.
    pub(in crate::services) async fn shown(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        reflect: impl Into<Reflect>,
    ) -> Result<Shown, Failure> {
        let reflect: Reflect = reflect.into();
        let stream = streams::appeal(enterprise, appeal)?;
        let now = self.read_at::<Appeal>(&stream, reflect.at_least).await?;
        let case = now.state.known().ok_or(Reason::AppealUnknown)?;
        // Who may see it is as of now, whatever it was.
        let sight = self.sight(call, enterprise, appeal, case).await?;
        let folded = self.folded_as_of(&stream, &now, reflect.as_of).await?;
        self.shown_as(call, enterprise, (appeal, &folded), case, &sight).await
    }

    /// From which side the caller sees an appeal; refuses one that it may not see, in the words for an
    /// unknown one. Whoever sees inside where a merged one goes on sees it inside as well.
    pub(in crate::services) async fn sight(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        case: &Case,
    ) -> Result<Sight, Failure> {
        let own = call.caller.sight(enterprise, appeal, case);
        let merged = own != Some(Sight::Inside) && goes_on_in(case).is_some();
        if merged && self.sees_inside_further_on(call, enterprise, appeal).await? {
            return Ok(Sight::Inside);
        }
        own.ok_or_else(|| Reason::AppealUnknown.into())
    }

    /// An appeal, as it is `now` or was, as who sees it like that is shown it. That it is read is recorded
    /// first. What is erased now is not read of an earlier time.
    pub(in crate::services) async fn shown_as(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        (appeal, folded): (AppealId, &Folded<Appeal>),
        now: &Case,
        sight: &Sight,
    ) -> Result<Shown, Failure> {
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        self.note_read(call, enterprise, appeal, case, What::Case).await?;
        let texts = match now.is_erased() {
            true => convert::Texts::default(),
            false => self.opened(case, sight).await?,
        };
        Ok(Shown {
            appeal: convert::of_case(enterprise, appeal, case, &texts, sight),
            version: folded.version,
            position: folded.position,
        })
    }

    async fn opened(&self, case: &Case, sight: &Sight) -> Result<convert::Texts, Failure> {
        let sealed = convert::sealed(case, sight);
        let opened = self.0.vault.open_all(&sealed).await?;
        Ok(convert::Texts::new(&sealed, opened))
    }

    /// Records that the caller reads something of a confidential appeal. What cannot be recorded is
    /// not shown.
    pub(in crate::services) async fn note_read(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        case: &Case,
        what: What,
    ) -> Result<(), Failure> {
        if case.submission.confidentiality < Confidentiality::Confidential {
            return Ok(());
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let (who, now) = (&call.caller.subject, self.0.engine.now());
        let id =
            Uuid::new_v5(&READS, format!("{enterprise}/{appeal}/{now}/{count}/{who}").as_bytes());
        let command = Command::Record(Read { id, what, unit: call.caller.unit.clone() });
        let stream = streams::reads(enterprise, appeal)?;
        self.execute::<Reads>(&stream, &command, &call.envelope(id, None)).await?;
        Ok(())
    }

    pub(super) async fn appeals(
        &self,
        call: &Call,
        request: &pb::ListAppealsRequest,
    ) -> Result<pb::ListAppealsResponse, Failure> {
        let list = convert::list(request, &call.caller, &self.0.pages)?;
        if let Some(enterprise) = &list.query.enterprise {
            may_ask(call, enterprise)?;
        }
        let fresh = self.reflecting(call, &[ViewName::Appeals], list.reflect).await?;
        let page = self.0.views.appeals(&list.query, fresh).await?;
        Ok(convert::page(&page, list.binding, &self.0.pages, self.page_bytes_max()))
    }
}
