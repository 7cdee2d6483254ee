//! Which entries a live timeline is about: the same for a page from the table and for what the hub brings.

use doudi_domain::{AreaCode, EnterpriseId, UnitId};
use tokio_postgres::types::Type;

use super::{Kind, Known, SCOPED};
use crate::{
    Scope,
    predicate::{Predicate, Tense},
};

/// Which entries. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of this enterprise.
    pub enterprise: Option<EnterpriseId>,
    /// Of which this unit was in charge, or takes part beside the one in charge.
    pub unit: Option<UnitId>,
    /// In one of these areas then; none for all, and for what was in none.
    pub areas: Vec<AreaCode>,
    /// Only of these kinds; none for all.
    pub kinds: Vec<Kind>,
    /// What the caller may see.
    pub scope: Scope,
}

impl Selection {
    /// Everything within `scope`.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self { enterprise: None, unit: None, areas: vec![], kinds: vec![], scope }
    }

    /// Everything of an enterprise within `scope`.
    #[must_use]
    pub fn of(enterprise: EnterpriseId, scope: Scope) -> Self {
        Self { enterprise: Some(enterprise), ..Self::all(scope) }
    }

    /// Whether something of that enterprise may be meant.
    pub(super) fn may_mean(&self, enterprise: &EnterpriseId) -> bool {
        self.enterprise.as_ref().is_none_or(|wanted| wanted == enterprise)
            && self.scope.may_cover(enterprise)
    }

    /// Whether entries of that kind are meant.
    pub(super) fn means_kind(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether an entry is meant.
    pub(super) fn includes(&self, known: &Known) -> bool {
        let entry = &known.entry;
        let takes_part =
            |unit: &UnitId| entry.unit.as_ref() == Some(unit) || known.beside.contains(unit);
        let there = || entry.area.as_ref().is_some_and(|area| self.areas.contains(area));
        self.enterprise.as_ref().is_none_or(|wanted| *wanted == entry.enterprise)
            && self.unit.as_ref().is_none_or(takes_part)
            && (self.areas.is_empty() || there())
            && self.means_kind(entry.kind)
            && known.is_within(&self.scope)
    }

    /// The same as conditions on the table.
    pub(super) fn predicate(&self) -> Predicate {
        let mut predicate = Predicate::default();
        if let Some(enterprise) = &self.enterprise {
            predicate.is("enterprise", enterprise.as_str());
        }
        if let Some(unit) = &self.unit {
            let place = predicate.place(unit.as_str().to_owned(), Type::TEXT);
            predicate.holds(format!("(unit = {place} OR {place} = ANY(beside))"));
        }
        if !self.areas.is_empty() {
            predicate.is_any("area", self.areas.iter().map(ToString::to_string).collect());
        }
        if !self.kinds.is_empty() {
            predicate.is_any("kind", self.kinds.iter().map(ToString::to_string).collect());
        }
        predicate.within(&self.scope, &SCOPED, Tense::Present);
        predicate
    }
}
