//! Ids that follow from a command, so that a repeated command names the same visit or appeal.
//!
//! The enterprise is part of it: one command id used at two enterprises must not make one id, or
//! erasing the one appeal would make the other unreadable.

use doudi_domain::{AppealId, EnterpriseId, VisitId};
use uuid::{Uuid, uuid};

const VISITS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a01");
const APPEALS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a02");

/// The visit that a command at an enterprise plans.
pub(crate) fn visit(enterprise: &EnterpriseId, command_id: Uuid) -> VisitId {
    VisitId(derive(&VISITS, enterprise, command_id))
}

/// The appeal that a command of an enterprise submits.
pub(crate) fn appeal(enterprise: &EnterpriseId, command_id: Uuid) -> AppealId {
    AppealId(derive(&APPEALS, enterprise, command_id))
}

/// Under whose key the texts of an appeal are sealed.
pub(crate) fn subject(appeal: AppealId) -> String {
    format!("appeal:{appeal}")
}

fn derive(namespace: &Uuid, enterprise: &EnterpriseId, command_id: Uuid) -> Uuid {
    Uuid::new_v5(namespace, format!("{enterprise}/{command_id}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_names_the_same_thing_and_any_other_another() {
        let (one, two) = (EnterpriseId::parse("L-1").unwrap(), EnterpriseId::parse("L-2").unwrap());
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(visit(&one, first), visit(&one, first));
        assert_ne!(visit(&one, first), visit(&two, first));
        assert_ne!(visit(&one, first), visit(&one, second));
        assert_ne!(visit(&one, first).0, appeal(&one, first).0);
    }
}
