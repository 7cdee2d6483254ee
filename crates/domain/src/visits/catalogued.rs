//! What the units' inspection catalogues say to a plan (清单之外无检查).

use jiff::civil::Date;

use super::{OFFICERS_MIN, Plan, Rejection, Share};
use crate::{
    FewSet,
    catalogue::{Catalogue, Mode},
    decider::Context,
    frequency::Ground,
    ids::{CertificateNumber, UnitId},
};

/// The first certificate that is none of the unit's or not valid on that day.
pub(super) fn invalid_officer<'a>(
    catalogue: &Catalogue,
    officers: &'a FewSet<CertificateNumber>,
    on: Date,
) -> Option<&'a CertificateNumber> {
    officers.iter().find(|certificate| !catalogue.is_valid(certificate, on))
}

pub(super) fn enough_officers(officers: &FewSet<CertificateNumber>) -> Result<(), Rejection> {
    if officers.len() < OFFICERS_MIN {
        return Err(Rejection::TooFewOfficers { found: officers.len() });
    }
    Ok(())
}

/// Whether each unit may inspect what it brings, with those officers, on the planned day.
pub(super) fn check_all(context: &Context<'_>, plan: &Plan) -> Result<(), Rejection> {
    let shares = plan.all_shares();
    for share in shares.values() {
        enough_officers(&share.officers)?;
        if share.items.is_empty() {
            return Err(Rejection::NoItems);
        }
    }
    shares.iter().try_for_each(|(unit, share)| check(context, plan, unit, share))
}

/// Whether the unit may inspect what it brings, with those officers, on the planned day.
pub(super) fn check(
    context: &Context<'_>,
    plan: &Plan,
    unit: &UnitId,
    share: &Share,
) -> Result<(), Rejection> {
    let Some(published) = context.catalogue(unit) else {
        return Err(Rejection::CatalogueUnpublished { unit: unit.clone() });
    };
    let catalogue = published.document;
    if !catalogue.is_qualified(plan.on) {
        return Err(Rejection::UnitUnqualified { unit: unit.clone(), on: plan.on });
    }
    for id in &share.items {
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
        // What cannot wait is a reason of its own.
        let reasoned = plan.on_site_reason.is_some() || plan.ground == Ground::Urgent;
        if listed.modes.contains(&Mode::OffSite) && !reasoned {
            return Err(Rejection::OffSitePossible { item: item() });
        }
    }
    match invalid_officer(catalogue, &share.officers, plan.on) {
        Some(certificate) => Err(Rejection::OfficerInvalid { certificate: certificate.clone() }),
        None => Ok(()),
    }
}
