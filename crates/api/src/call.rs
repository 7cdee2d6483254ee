//! One call as the access layer admitted it: who calls, until when, in which trace.

use std::{sync::Arc, time::Duration};

use doudi_domain::{EnterpriseId, UnitId};
use doudi_engine::{Actor, Envelope, Position, Version};
use doudi_views::Fresh;
use tokio::time::Instant;
use tonic::Request;
use uuid::Uuid;

use crate::{
    error::{Failure, Reason},
    identity::Caller,
    permission::Role,
};

/// What of a call's time is kept for carrying the answer back, so that the caller learns why it
/// waited in vain instead of giving up itself.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// One admitted call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// When the answer is due.
    pub(crate) deadline: Instant,
    /// When the caller itself has the call end, if it says so; what no other bound ends must end then.
    pub(crate) granted: Option<Instant>,
    /// The trace that the call belongs to (W3C Trace Context): what it causes goes below this span.
    pub(crate) traceparent: Option<String>,
}

impl Call {
    /// The call that a request belongs to. Without the access layer there is none, and nothing is
    /// served.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        request.extensions().get().cloned().ok_or_else(|| Reason::TokenMissing.into())
    }

    /// The unit that the caller acts for.
    pub(crate) fn unit(&self) -> Result<UnitId, Failure> {
        self.caller.unit.clone().ok_or_else(|| Reason::OutsideScope.into())
    }

    /// What a command by this caller carries.
    pub(crate) fn envelope(&self, command_id: Uuid, expected_version: Option<Version>) -> Envelope {
        let Caller { subject, unit, device, .. } = &*self.caller;
        let actor = Actor {
            principal: subject.clone(),
            unit: unit.as_ref().map(UnitId::to_string),
            device: device.clone(),
            on_behalf_of: None,
        };
        Envelope {
            traceparent: self.traceparent.clone(),
            expected_version,
            ..Envelope::new(command_id, actor)
        }
    }

    /// What a command carries that must not tell whose it is: of the caller only its roles.
    pub(crate) fn nameless_envelope(&self, command_id: Uuid) -> Envelope {
        let roles: Vec<&str> = self.caller.roles.iter().map(Role::as_str).collect();
        Envelope::new(command_id, Actor::of(format!("anonymous:{}", roles.join(","))))
    }

    /// Whom the caller stands in for: the enterprise, unless it speaks for it anyway.
    pub(crate) fn on_behalf_of(&self, enterprise: &EnterpriseId) -> Option<String> {
        (!self.caller.is_enterprise(enterprise)).then(|| enterprise.to_string())
    }

    /// An answer that reflects `at_least`, waited for as long as the call has time.
    pub(crate) fn fresh(&self, at_least: Position) -> Fresh {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Fresh::at(at_least, left.saturating_sub(ANSWER_TIME))
    }

    /// Refuses the call unless `within` its caller's scope.
    pub(crate) fn require(&self, within: impl FnOnce(&Caller) -> bool) -> Result<(), Failure> {
        if within(&self.caller) { Ok(()) } else { Err(Reason::OutsideScope.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::RoleSet;

    #[test]
    fn what_must_not_tell_whose_it_is_says_only_in_which_role() {
        let caller = Caller {
            roles: RoleSet::of(&[Role::Enterprise]),
            enterprise: EnterpriseId::parse("L-1").ok(),
            device: Some("phone-7".to_owned()),
            ..Caller::for_tests()
        };
        let traceparent =
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
        let (caller, deadline) = (Arc::new(caller), Instant::now());
        let call = Call { caller, deadline, granted: None, traceparent };
        let envelope = call.nameless_envelope(Uuid::from_u128(1));
        assert_eq!(envelope.actor, Actor::of("anonymous:enterprise"));
        assert_eq!((envelope.traceparent, envelope.correlation), (None, None));
    }
}
