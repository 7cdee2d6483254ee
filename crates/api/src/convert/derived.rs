//! Ids that follow from a command, so that a repeated command names the same visit or appeal.
//!
//! The enterprise is part of it: one command id used at two enterprises must not make one id, or
//! erasing the one appeal would make the other unreadable.

use doudi_domain::{
    AppealId, CampaignId, DeviceId, DiagnosisId, DrawId, EnterpriseId, Invalid, NoteId, VisitId,
    WebhookId,
};
use sha2::{Digest, Sha256};
use uuid::{Uuid, uuid};

const VISITS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a01");
const APPEALS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a02");
const PARTS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a03");
const NOTES: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a04");
const DIAGNOSES: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a05");
const CAMPAIGNS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a06");
const DRAWS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a07");
const DEVICES: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a09");
const UPLOADS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a0a");
const WEBHOOKS: Uuid = uuid!("6b3c7c2e-3f0e-5c57-9d2b-8f1d3f6f0a0b");

/// The special campaign that a command proposes.
pub(crate) fn campaign(command_id: Uuid) -> CampaignId {
    CampaignId(Uuid::new_v5(&CAMPAIGNS, command_id.as_bytes()))
}

/// The random draw that a command opens.
pub(crate) fn draw(command_id: Uuid) -> DrawId {
    DrawId(Uuid::new_v5(&DRAWS, command_id.as_bytes()))
}

/// The device that a command enrols.
pub(crate) fn device(command_id: Uuid) -> DeviceId {
    DeviceId(Uuid::new_v5(&DEVICES, command_id.as_bytes()))
}

/// The webhook that a command registers.
pub(crate) fn webhook(command_id: Uuid) -> WebhookId {
    WebhookId(Uuid::new_v5(&WEBHOOKS, command_id.as_bytes()))
}

/// The command that takes in these records, by their hashes: whoever hands in the same ones again needs
/// to remember nothing.
pub(crate) fn upload<'a>(hashes: impl Iterator<Item = &'a [u8; 32]>) -> Uuid {
    Uuid::new_v5(&UPLOADS, &hashes.flatten().copied().collect::<Vec<u8>>())
}

/// The visit that a command at an enterprise plans.
pub(crate) fn visit(enterprise: &EnterpriseId, command_id: Uuid) -> VisitId {
    VisitId(derive(&VISITS, enterprise, command_id))
}

/// The appeal that a command of an enterprise submits.
pub(crate) fn appeal(enterprise: &EnterpriseId, command_id: Uuid) -> AppealId {
    AppealId(derive(&APPEALS, enterprise, command_id))
}

/// The joint diagnosis that a command on an appeal of an enterprise convenes.
pub(crate) fn diagnosis(enterprise: &EnterpriseId, command_id: Uuid) -> DiagnosisId {
    DiagnosisId(derive(&DIAGNOSES, enterprise, command_id))
}

/// The appeal that a command on another one of an enterprise splits from it.
pub(crate) fn part(enterprise: &EnterpriseId, command_id: Uuid) -> AppealId {
    AppealId(derive(&PARTS, enterprise, command_id))
}

/// The note or file that a command on an appeal of an enterprise adds.
pub(crate) fn note(enterprise: &EnterpriseId, command_id: Uuid) -> NoteId {
    NoteId(derive(&NOTES, enterprise, command_id))
}

/// What an anonymous appeal is kept under: a local id that tells nothing of who submitted it.
pub(crate) fn anonymous(command_id: Uuid) -> Result<EnterpriseId, Invalid> {
    /// The alphabet of RFC 4648 section 6.
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::new().chain_update(b"doudi anonymous\0").chain_update(command_id);
    let hash = hash.finalize();
    let bits = hash.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let letter = |at: u32| char::from(BASE32[(bits >> (5 * at) & 31) as usize]);
    let letters: String = (0..16).rev().map(letter).collect();
    EnterpriseId::parse(&format!("L-{letters}"))
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
        assert_ne!(part(&one, first), appeal(&one, first));
        assert_eq!((campaign(first), draw(first)), (campaign(first), draw(first)));
        assert_ne!((campaign(first), draw(first)), (campaign(second), draw(second)));
        assert_ne!(campaign(first).0, draw(first).0);
    }

    #[test]
    fn an_anonymous_appeal_has_an_enterprise_of_its_own() {
        let (one, two) = (anonymous(Uuid::from_u128(1)), anonymous(Uuid::from_u128(2)));
        assert_ne!(one, two);
        let one = one.unwrap();
        assert_eq!(Ok(one.clone()), anonymous(Uuid::from_u128(1)));
        assert!(one.as_str().len() == 18 && one.uscc().is_none(), "{one}");
    }
}
