//! The caller's data scope: what of a view somebody may see. It is part of every predicate, never a
//! filter afterwards.

use doudi_domain::{AreaCode, EnterpriseId, UnitId, appeal::Confidentiality};

/// The areas that a caller is responsible for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Areas {
    /// Every area of the city, and what plays in none that is known.
    All,
    /// These.
    Some(Vec<AreaCode>),
}

impl Areas {
    /// Whether `area` is one of them.
    #[must_use]
    pub fn contain(&self, area: &AreaCode) -> bool {
        match self {
            Self::All => true,
            Self::Some(areas) => areas.contains(area),
        }
    }

    fn cover(&self, area: Option<&AreaCode>) -> bool {
        area.map_or(*self == Self::All, |area| self.contain(area))
    }
}

/// What a caller may see (数据范围).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// A row whose enterprise is `enterprise`, or whose unit or co-unit is one of `units`, or whose
    /// area is one of `areas`. With nothing given, nothing is seen.
    ///
    /// An appeal of level [`Confidentiality::Confidential`] is seen as its enterprise, its lead unit
    /// or the desk of its area; one of level [`Confidentiality::Strict`] as its enterprise or its
    /// lead unit. What is owed is in the inbox of who owes it at every level.
    Within {
        /// The enterprise that the caller belongs to.
        enterprise: Option<EnterpriseId>,
        /// The units that the caller acts for.
        units: Vec<UnitId>,
        /// The areas that the caller is responsible for.
        areas: Areas,
        /// Whether the caller dispatches there (诉求专席), and does not only watch or work there.
        desk: bool,
    },
}

impl Scope {
    /// Whether a row of no appeal is seen, or one of an appeal that is not confidential.
    #[must_use]
    pub fn covers(
        &self,
        enterprise: &EnterpriseId,
        unit: Option<&UnitId>,
        area: Option<&AreaCode>,
    ) -> bool {
        self.covers_appeal(Confidentiality::Internal, enterprise, unit, &[], area)
    }

    /// The enterprise that the caller belongs to, where that matters.
    pub(crate) fn enterprise(&self) -> Option<&EnterpriseId> {
        match self {
            Self::All => None,
            Self::Within { enterprise, .. } => enterprise.as_ref(),
        }
    }

    /// Whether something of that enterprise may be seen, as far as the enterprise alone tells.
    pub(crate) fn may_cover(&self, enterprise: &EnterpriseId) -> bool {
        match self {
            Self::All => true,
            Self::Within { enterprise: own, units, areas, .. } => {
                own.as_ref() == Some(enterprise)
                    || !units.is_empty()
                    || *areas != Areas::Some(vec![])
            }
        }
    }

    /// The same, without what is seen as the enterprise itself.
    #[must_use]
    pub(crate) fn without_enterprise(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Within { units, areas, desk, .. } => Self::Within {
                enterprise: None,
                units: units.clone(),
                areas: areas.clone(),
                desk: *desk,
            },
        }
    }

    /// Whether a row of an appeal of that level is seen, with its lead unit, the units that take part
    /// beside it, and its area.
    #[must_use]
    pub fn covers_appeal(
        &self,
        level: Confidentiality,
        enterprise: &EnterpriseId,
        unit: Option<&UnitId>,
        beside: &[UnitId],
        area: Option<&AreaCode>,
    ) -> bool {
        match self {
            Self::All => true,
            Self::Within { enterprise: own, units, areas, desk } => {
                own.as_ref() == Some(enterprise)
                    || unit.is_some_and(|unit| units.contains(unit))
                    || level <= BESIDE_MAX && beside.iter().any(|unit| units.contains(unit))
                    || level <= area_max(*desk) && areas.cover(area)
            }
        }
    }
}

/// The highest level of appeals that a unit sees because it shares the work.
pub(crate) const BESIDE_MAX: Confidentiality = Confidentiality::Internal;

/// The highest level of appeals that are seen because of their area.
pub(crate) fn area_max(desk: bool) -> Confidentiality {
    if desk { Confidentiality::Confidential } else { Confidentiality::Internal }
}

/// A level as it is stored, ascending (保密等级).
pub(crate) fn secrecy(level: Confidentiality) -> i16 {
    match level {
        Confidentiality::Public => 0,
        Confidentiality::Internal => 1,
        Confidentiality::Confidential => 2,
        Confidentiality::Strict => 3,
    }
}

/// A level as it was stored; the highest for what no program writes.
pub(crate) fn level(secrecy: i16) -> Confidentiality {
    match secrecy {
        0 => Confidentiality::Public,
        1 => Confidentiality::Internal,
        2 => Confidentiality::Confidential,
        _ => Confidentiality::Strict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enterprise() -> EnterpriseId {
        EnterpriseId::parse("L-1").unwrap()
    }

    fn unit(id: &str) -> UnitId {
        UnitId::parse(id).unwrap()
    }

    fn area() -> AreaCode {
        AreaCode::parse("210212").unwrap()
    }

    fn within(own: Option<&EnterpriseId>, units: &[&str], areas: &[&AreaCode]) -> Scope {
        Scope::Within {
            enterprise: own.cloned(),
            units: units.iter().map(|id| unit(id)).collect(),
            areas: Areas::Some(areas.iter().map(|area| (*area).clone()).collect()),
            desk: false,
        }
    }

    #[test]
    fn an_empty_scope_sees_nothing_and_each_part_is_enough() {
        let (enterprise, tax, area) = (enterprise(), unit("tax"), area());
        let sees = |scope: Scope| scope.covers(&enterprise, Some(&tax), Some(&area));
        assert!(sees(Scope::All));
        assert!(!sees(within(None, &[], &[])));
        assert!(sees(within(Some(&enterprise), &[], &[])));
        assert!(sees(within(None, &["tax"], &[])));
        assert!(sees(within(None, &[], &[&area])));
        let other = EnterpriseId::parse("L-2").unwrap();
        assert!(!sees(within(Some(&other), &[], &[])));
        assert!(!within(None, &["tax"], &[&area]).covers(&enterprise, None, None));
    }

    #[test]
    fn every_area_is_also_none_that_is_known_and_no_higher_level() {
        let Scope::Within { enterprise: none, units, .. } = within(None, &[], &[]) else {
            panic!("it is within");
        };
        let (enterprise, area) = (enterprise(), area());
        let city = Scope::Within { enterprise: none, units, areas: Areas::All, desk: false };
        assert!(
            city.covers(&enterprise, None, Some(&area)) && city.covers(&enterprise, None, None)
        );
        let sees = |level| city.covers_appeal(level, &enterprise, None, &[], Some(&area));
        assert!(sees(Confidentiality::Internal) && !sees(Confidentiality::Confidential));
    }

    #[test]
    fn the_higher_the_level_the_fewer_see_it() {
        let (enterprise, lead, area) = (enterprise(), unit("tax"), area());
        let watcher = within(None, &[], &[&area]);
        let Scope::Within { enterprise: none, units, areas, .. } = watcher.clone() else {
            panic!("it is within");
        };
        let desk = Scope::Within { enterprise: none, units, areas, desk: true };
        let parties = [
            Scope::All,
            within(Some(&enterprise), &[], &[]),
            within(None, &["tax"], &[]),
            desk,
            watcher,
            within(None, &["fire"], &[]),
        ];
        let seen = |level| {
            let co_units = [unit("fire")];
            let sees = |scope: &&Scope| {
                scope.covers_appeal(level, &enterprise, Some(&lead), &co_units, Some(&area))
            };
            parties.iter().filter(sees).count()
        };
        assert_eq!(seen(Confidentiality::Public), 6);
        assert_eq!(seen(Confidentiality::Internal), 6);
        assert_eq!(seen(Confidentiality::Confidential), 4);
        assert_eq!(seen(Confidentiality::Strict), 3);
    }

    #[test]
    fn levels_are_stored_in_their_order() {
        for stored in 0..4 {
            assert_eq!(secrecy(level(stored)), stored);
        }
        assert!(level(1) < level(2) && level(-1) == Confidentiality::Strict);
    }
}
