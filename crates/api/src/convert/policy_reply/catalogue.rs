//! Inspection catalogues as they go out.

use doudi_domain::catalogue::{Catalogue, Item, Officer, Qualification};

use super::frequency::of_grounds;
use crate::{
    convert::{common, inspection::words},
    proto::{self as pb, inspection_catalogue::Qualification as Given},
};

pub(super) fn of_catalogue(catalogue: &Catalogue) -> pb::InspectionCatalogue {
    let qualification = match &catalogue.qualification {
        Qualification::Organ => Given::Organ(pb::OrganUnit {}),
        Qualification::Authorised { basis } => {
            Given::Authorised(pb::AuthorisedUnit { basis: basis.to_string() })
        }
        Qualification::Entrusted { by, until } => Given::Entrusted(pb::EntrustedUnit {
            by: by.to_string(),
            until: Some(common::of_date(*until)),
        }),
    };
    pb::InspectionCatalogue {
        unit: catalogue.unit.to_string(),
        level: words::of_level(catalogue.level).into(),
        qualification: Some(qualification),
        officers: catalogue.officers.iter().map(of_officer).collect(),
        items: catalogue.items.iter().map(of_item).collect(),
        triggers: of_grounds(&catalogue.triggers),
    }
}

fn of_officer(officer: &Officer) -> pb::CatalogueOfficer {
    pb::CatalogueOfficer {
        certificate: officer.certificate.to_string(),
        valid_from: Some(common::of_date(officer.valid_from)),
        valid_until: Some(common::of_date(officer.valid_until)),
    }
}

fn of_item(item: &Item) -> pb::CatalogueItem {
    pb::CatalogueItem {
        id: item.id.to_string(),
        title: item.title.to_string(),
        field: item.field.to_string(),
        legal_basis: item.legal_basis.to_string(),
        modes: item.modes.iter().map(|mode| words::of_mode(*mode).into()).collect(),
        trigger_only: item.trigger_only,
        checklist: item.checklist.iter().map(ToString::to_string).collect(),
    }
}
