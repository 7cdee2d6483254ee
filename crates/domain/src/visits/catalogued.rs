//! What a unit's inspection catalogue says to a plan (清单之外无检查).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Plan, Rejection};
use crate::{
    catalogue::{Catalogue, Mode},
    decider::{Context, Published},
    ids::{CertificateNumber, UnitId},
};

/// The catalogue at hand, if it is that unit's.
pub(super) fn catalogue_of<'a>(
    context: &Context<'a>,
    unit: &UnitId,
) -> Option<Published<'a, Catalogue>> {
    context.catalogue.filter(|published| published.document.unit == *unit)
}

/// The first certificate that is none of the unit's or not valid on that day.
pub(super) fn invalid_officer<'a>(
    catalogue: &Catalogue,
    officers: &'a BTreeSet<CertificateNumber>,
    on: Date,
) -> Option<&'a CertificateNumber> {
    officers.iter().find(|certificate| !catalogue.is_valid(certificate, on))
}

/// Whether the unit may inspect those items with those officers on that day.
pub(super) fn check(catalogue: &Catalogue, plan: &Plan) -> Result<(), Rejection> {
    if !catalogue.is_qualified(plan.on) {
        return Err(Rejection::UnitUnqualified { unit: plan.unit.clone(), on: plan.on });
    }
    for id in &plan.items {
        let item = || id.clone();
        let Some(listed) = catalogue.item(id) else {
            return Err(Rejection::ItemUnpublished { item: item() });
        };
        if listed.trigger_only && !catalogue.triggers.contains(&plan.ground) {
            return Err(Rejection::TriggerOnly { item: item() });
        }
        if !listed.modes.contains(&Mode::OnSite) {
            return Err(Rejection::OffSiteOnly { item: item() });
        }
        if listed.modes.contains(&Mode::OffSite) && plan.on_site_reason.is_none() {
            return Err(Rejection::OffSitePossible { item: item() });
        }
    }
    match invalid_officer(catalogue, &plan.officers, plan.on) {
        Some(certificate) => Err(Rejection::OfficerInvalid { certificate: certificate.clone() }),
        None => Ok(()),
    }
}
