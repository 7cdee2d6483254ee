//! Inspection catalogues as they come in.

use doudi_domain::{
    CertificateNumber, FieldId, ItemId,
    catalogue::{Catalogue, Item, Officer, Qualification},
};

use super::{catalogue_unit, frequency::grounds};
use crate::{
    convert::{Fields, inspection::words},
    error::Reason,
    proto::{self as pb, inspection_catalogue::Qualification as Given},
    text,
};

const OFFICERS_MAX: usize = 5000;
const ITEMS_MAX: usize = 1000;
const MODES_MAX: usize = 10;
const CHECKLIST_MAX: usize = 100;
const PATH: &str = "document.catalogue";

pub(super) fn catalogue(fields: &mut Fields, given: &pb::InspectionCatalogue) -> Option<Catalogue> {
    let at = |name: &str| format!("{PATH}.{name}");
    let unit = catalogue_unit(fields, &at("unit"), &given.unit);
    let level = fields.choice(&at("level"), given.level, words::level);
    let qualification = qualification(fields, given.qualification.as_ref());
    let officers = fields.each(&at("officers"), &given.officers, (0, OFFICERS_MAX), officer);
    let items = fields.each(&at("items"), &given.items, (0, ITEMS_MAX), item);
    let triggers = grounds(fields, &at("triggers"), &given.triggers);
    Some(Catalogue {
        unit: unit?,
        level: level?,
        qualification: qualification?,
        officers: officers?,
        items: items?,
        triggers: triggers?,
    })
}

fn qualification(fields: &mut Fields, given: Option<&Given>) -> Option<Qualification> {
    match given {
        None => fields.refuse(&format!("{PATH}.qualification"), Reason::FieldRequired),
        Some(Given::Organ(pb::OrganUnit {})) => Some(Qualification::Organ),
        Some(Given::Authorised(given)) => {
            let basis =
                fields.parse(&format!("{PATH}.authorised.basis"), &given.basis, text::name)?;
            Some(Qualification::Authorised { basis })
        }
        Some(Given::Entrusted(given)) => {
            let by = fields.unit(&format!("{PATH}.entrusted.by"), &given.by);
            let until = fields.date(&format!("{PATH}.entrusted.until"), given.until.as_ref());
            Some(Qualification::Entrusted { by: by?, until: until? })
        }
    }
}

fn officer(fields: &mut Fields, path: &str, given: &pb::CatalogueOfficer) -> Option<Officer> {
    let at = |name: &str| format!("{path}.{name}");
    let certificate = &given.certificate;
    let certificate = fields.parse(&at("certificate"), certificate, CertificateNumber::parse);
    let valid_from = fields.date(&at("valid_from"), given.valid_from.as_ref());
    let valid_until = fields.date(&at("valid_until"), given.valid_until.as_ref());
    Some(Officer { certificate: certificate?, valid_from: valid_from?, valid_until: valid_until? })
}

fn item(fields: &mut Fields, path: &str, given: &pb::CatalogueItem) -> Option<Item> {
    let at = |name: &str| format!("{path}.{name}");
    let id = fields.parse(&at("id"), &given.id, ItemId::parse);
    let title = fields.parse(&at("title"), &given.title, text::name);
    let field = fields.parse(&at("field"), &given.field, FieldId::parse);
    let legal_basis = fields.parse(&at("legal_basis"), &given.legal_basis, text::name);
    // That there must be one, the document says itself.
    let modes = fields.each(&at("modes"), &given.modes, (0, MODES_MAX), |fields, path, mode| {
        fields.choice(path, *mode, words::mode)
    });
    let checklist = fields.each(
        &at("checklist"),
        &given.checklist,
        (0, CHECKLIST_MAX),
        |fields, path, line| fields.parse(path, line, text::name),
    );
    Some(Item {
        id: id?,
        title: title?,
        field: field?,
        legal_basis: legal_basis?,
        modes: modes?.into_iter().collect(),
        trigger_only: given.trigger_only,
        checklist: checklist?,
    })
}
