//! The caller's data scope: what of a view somebody may see. It is part of every predicate, never a
//! filter afterwards.

use doudi_domain::{AreaCode, EnterpriseId, UnitId};

/// What a caller may see (数据范围).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// A row whose enterprise is `enterprise`, or whose unit (of an appeal: or co-unit) is one of `units`, or whose area is one
    /// of `areas`. With nothing given, nothing is seen.
    Within {
        /// The enterprise that the caller belongs to.
        enterprise: Option<EnterpriseId>,
        /// The units that the caller acts for.
        units: Vec<UnitId>,
        /// The areas that the caller is responsible for.
        areas: Vec<AreaCode>,
    },
}

impl Scope {
    /// Whether a row is seen.
    #[must_use]
    pub fn covers(
        &self,
        enterprise: &EnterpriseId,
        unit: Option<&UnitId>,
        area: Option<&AreaCode>,
    ) -> bool {
        match self {
            Self::All => true,
            Self::Within { enterprise: own, units, areas } => {
                own.as_ref() == Some(enterprise)
                    || unit.is_some_and(|unit| units.contains(unit))
                    || area.is_some_and(|area| areas.contains(area))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_scope_sees_nothing_and_each_part_is_enough() {
        let enterprise = EnterpriseId::parse("L-1").unwrap();
        let unit = UnitId::parse("tax").unwrap();
        let area = AreaCode::parse("210212").unwrap();
        let within = |enterprise: Option<&EnterpriseId>, units: &[&UnitId], areas: &[&AreaCode]| {
            Scope::Within {
                enterprise: enterprise.cloned(),
                units: units.iter().map(|unit| (*unit).clone()).collect(),
                areas: areas.iter().map(|area| (*area).clone()).collect(),
            }
        };
        let sees = |scope: Scope| scope.covers(&enterprise, Some(&unit), Some(&area));
        assert!(sees(Scope::All));
        assert!(!sees(within(None, &[], &[])));
        assert!(sees(within(Some(&enterprise), &[], &[])));
        assert!(sees(within(None, &[&unit], &[])));
        assert!(sees(within(None, &[], &[&area])));
        let other = EnterpriseId::parse("L-2").unwrap();
        assert!(!sees(within(Some(&other), &[], &[])));
        assert!(!within(None, &[&unit], &[&area]).covers(&enterprise, None, None));
    }
}
