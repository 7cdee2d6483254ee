//! `CodeService`: codes are issued and shown here, and opened for whoever scanned one.

use doudi_domain::{
    CodeId, EnterpriseId, VisitId,
    calendar::civil_date,
    enterprise::{self, IssuedCode},
    visits::{Command, Phase, Proof, Visit, Visits},
};
use doudi_engine::streams;
use doudi_scan::{
    codes::{self, Code, CodeError, EnterpriseCode, Form, VisitCode},
    picture,
};
use jiff::{SignedDuration, Timestamp, ToSpan, tz};
use uuid::{Uuid, uuid};

use super::{Api, inspection::no_visit};
use crate::{
    call::Call,
    convert::{
        Order, common,
        inspection::{self, code::Hung, scan::Scanned},
    },
    error::{Explain, Failure, Reason, Refusal},
    proto as pb,
};

mod read;
mod rpcs;

/// How long a code that an enterprise shows lives.
const ROTATING_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// The size of a module in pictures, in pixels.
const PIXELS: u32 = 8;
/// Names codes that the log does not know.
const SHOWN: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a0b");

impl Api {
    /// Opens a code that was scanned, and says whether its time is over.
    fn open(&self, text: &str) -> Result<(Code, bool), Failure> {
        if text.is_empty() {
            return Err(about_code(Reason::CodeMissing));
        }
        let ring = self.0.settings.codes.as_ref().ok_or(Reason::CodesUnavailable)?;
        let now = self.0.clock.now().as_second();
        match ring.open(text, now) {
            Ok(code) => Ok((code, false)),
            // Whoever repeats a command repeats its code, which may have ended meanwhile.
            Err(CodeError::Expired { at }) => ring
                .open(text, at - 1)
                .map(|code| (code, true))
                .map_err(|error| error.explain().into()),
            Err(error) => Err(error.explain().into()),
        }
    }

    /// What the officers scanned at the door of that enterprise.
    pub(super) async fn proof(&self, order: &Order<Scanned>) -> Result<Proof, Failure> {
        let (code, over) = self.open(&order.command.code)?;
        let Code::Enterprise(code) = code else {
            return Err(about_code(Reason::CodeOtherKind));
        };
        if code.enterprise != order.enterprise.as_str() {
            return Err(about_code(Reason::CodeOfOther));
        }
        if over {
            self.said_before(&order.enterprise, order.command.visit, code.expires_at, came).await?;
        }
        let id = CodeId(code.id);
        Ok(match code.form {
            Form::Printed => Proof::PrintedCode { code: id },
            Form::Rotating => Proof::RotatingCode { code: id },
        })
    }

    /// A code whose time is over is good only for saying again what was recorded.
    async fn said_before(
        &self,
        enterprise: &EnterpriseId,
        visit: VisitId,
        expires_at: i64,
        said: impl FnOnce(&Visit) -> bool,
    ) -> Result<(), Failure> {
        let folded = self.read::<Visits>(&streams::visits(enterprise)?).await?;
        if folded.state.get(visit).is_some_and(said) {
            Ok(())
        } else {
            Err(CodeError::Expired { at: expires_at }.explain().into())
        }
    }

    async fn issue(
        &self,
        call: &Call,
        request: &pb::IssueEnterpriseCodeRequest,
    ) -> Result<pb::IssueEnterpriseCodeResponse, Failure> {
        let order = inspection::code::issue(request)?;
        self.keeps_codes(call, &order.enterprise).await?;
        let now = self.0.clock.now();
        let code = CodeId(Uuid::new_v5(&SHOWN, order.command_id.as_bytes()));
        let &Hung { days, place } = &order.command;
        // On a retry the code is there, with the end that it was given first.
        let known = self.hung(&order.enterprise, code).await?;
        let ends = now.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
        let expires_at = known.map_or(ends.unwrap_or(Timestamp::MAX), |known| known.expires_at);
        let command = enterprise::Command::IssueCode { code, expires_at, place };
        let order = order.map(|_| command);
        let receipt = Some(self.on_profile(call, &order).await?);
        let code = Some(self.printed(&order.enterprise, code).await?.0);
        Ok(pb::IssueEnterpriseCodeResponse { receipt, code })
    }

    async fn hung(
        &self,
        enterprise: &EnterpriseId,
        code: CodeId,
    ) -> Result<Option<IssuedCode>, Failure> {
        let folded = self.profile(enterprise).await?;
        let registered = folded.state.registered();
        Ok(registered.and_then(|registered| registered.code(code)).cloned())
    }

    /// A code that hangs at the enterprise, as it can be printed now, and since when it is revoked.
    async fn printed(
        &self,
        enterprise: &EnterpriseId,
        id: CodeId,
    ) -> Result<(pb::CodePicture, Option<Timestamp>), Failure> {
        let known = self.hung(enterprise, id).await?;
        let known = known.ok_or_else(|| Refusal::new(Reason::CodeUnknown).with("code", id))?;
        let place = known.place.map(|place| doudi_scan::Place {
            latitude_e6: place.latitude_e6,
            longitude_e6: place.longitude_e6,
            accuracy_m: place.accuracy_m,
        });
        let now = self.0.clock.now().as_second();
        let code = Code::Enterprise(EnterpriseCode {
            id: id.0,
            enterprise: enterprise.to_string(),
            form: Form::Printed,
            place,
            issued_at: now.min(known.expires_at.as_second() - 1),
            expires_at: known.expires_at.as_second(),
        });
        Ok((self.picture(&code, known.expires_at)?, known.revoked_at))
    }

    /// A code of the enterprise that lives for a minute. It is nowhere recorded until it is scanned.
    fn rotating(&self, enterprise: &EnterpriseId) -> Result<pb::CodePicture, Failure> {
        let now = self.0.clock.now();
        let expires_at = now.checked_add(ROTATING_LIFE).unwrap_or(Timestamp::MAX);
        let code = Code::Enterprise(EnterpriseCode {
            id: Uuid::new_v5(&SHOWN, format!("{enterprise}/{}", now.as_nanosecond()).as_bytes()),
            enterprise: enterprise.to_string(),
            form: Form::Rotating,
            place: None,
            issued_at: now.as_second(),
            expires_at: expires_at.as_second(),
        });
        self.picture(&code, expires_at)
    }

    async fn task_code(
        &self,
        call: &Call,
        (enterprise, id): (EnterpriseId, VisitId),
    ) -> Result<pb::ShowTaskCodeResponse, Failure> {
        let unit = call.unit()?;
        let folded = self.read::<Visits>(&streams::visits(&enterprise)?).await?;
        let visit = folded.state.get(id).filter(|visit| visit.takes_part(&unit));
        let visit = visit.ok_or_else(|| no_visit(id))?;
        let now = self.0.clock.now();
        if visit.phase != Phase::Approved || civil_date(now) < visit.plan.on {
            return Err(Reason::TaskCodeNotYet.into());
        }
        let midnight = civil_date(now).saturating_add(1.day()).at(0, 0, 0, 0);
        let expires_at = tz::offset(8).to_timestamp(midnight).unwrap_or(Timestamp::MAX);
        let code = Code::Visit(VisitCode {
            id: Uuid::new_v5(&SHOWN, format!("{id}/{}", now.as_nanosecond()).as_bytes()),
            enterprise: enterprise.to_string(),
            visit: id.0,
            issued_at: now.as_second(),
            expires_at: expires_at.as_second(),
        });
        Ok(pb::ShowTaskCodeResponse { code: Some(self.picture(&code, expires_at)?) })
    }

    fn picture(&self, code: &Code, expires_at: Timestamp) -> Result<pb::CodePicture, Failure> {
        let ring = self.0.settings.codes.as_ref().ok_or(Reason::CodesUnavailable)?;
        let text = ring.seal(code).map_err(|error| match error {
            codes::SealError::NoPrivateKey => Failure::from(Reason::CodesUnavailable),
            _ => Failure::fault("a code could not be sealed"),
        })?;
        let drawn = || Failure::fault("a code could not be drawn");
        Ok(pb::CodePicture {
            code_id: code.id().to_string(),
            svg: picture::svg(&text).map_err(|_| drawn())?,
            png: picture::png(&text, PIXELS).map_err(|_| drawn())?,
            text,
            expires_at: Some(common::of_timestamp(expires_at)),
        })
    }

    /// Lets the officers in, with the code that the enterprise scanned.
    async fn admit(
        &self,
        call: &Call,
        request: &pb::AdmitVisitRequest,
    ) -> Result<pb::AdmitVisitResponse, Failure> {
        let order = inspection::code::admit(request)?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        let (scanned, over) = self.task_of(&order.enterprise, &request.code)?;
        let visit = VisitId(scanned.visit);
        if over {
            self.said_before(&order.enterprise, visit, scanned.expires_at, came).await?;
        }
        let code = CodeId(scanned.id);
        let folded = self.read::<Visits>(&streams::visits(&order.enterprise)?).await?;
        let known = folded.state.get(visit).into_iter().flat_map(|known| known.shares.keys());
        let units = known.cloned().collect();
        let order = order.map(|place| Command::Admit { visit, code, place, units });
        let receipt = self.on_visits(call, &order, None).await?;
        Ok(pb::AdmitVisitResponse { receipt })
    }

    /// Does not let the officers in. The code that was scanned, if one was, must be the visit's.
    async fn turn_away(
        &self,
        call: &Call,
        request: &pb::RefuseVisitRequest,
    ) -> Result<pb::RefuseVisitResponse, Failure> {
        let order = inspection::code::refuse(request)?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        if !request.code.is_empty() {
            let (scanned, over) = self.task_of(&order.enterprise, &request.code)?;
            if order.command.visit() != Some(VisitId(scanned.visit)) {
                return Err(about_code(Reason::CodeOfOther));
            }
            if over {
                let visit = VisitId(scanned.visit);
                let left = |known: &Visit| known.phase == Phase::Refused;
                self.said_before(&order.enterprise, visit, scanned.expires_at, left).await?;
            }
        }
        let receipt = self.on_visits(call, &order, None).await?;
        Ok(pb::RefuseVisitResponse { receipt })
    }

    /// The visit's code that the enterprise scanned, and whether its time is over.
    fn task_of(&self, enterprise: &EnterpriseId, text: &str) -> Result<(VisitCode, bool), Failure> {
        let (Code::Visit(code), over) = self.open(text)? else {
            return Err(about_code(Reason::CodeOtherKind));
        };
        if code.enterprise == enterprise.as_str() {
            Ok((code, over))
        } else {
            Err(about_code(Reason::CodeOfOther))
        }
    }

    async fn keeps_codes(&self, call: &Call, enterprise: &EnterpriseId) -> Result<(), Failure> {
        let caller = &call.caller;
        if caller.is_enterprise(enterprise) || caller.is_admin() {
            return Ok(());
        }
        self.hands_over(call, enterprise).await
    }
}

fn about_code(reason: Reason) -> Failure {
    Refusal::new(reason).about("code").into()
}

/// Whether the officers' coming was recorded.
fn came(visit: &Visit) -> bool {
    visit.arrival.is_some()
}
