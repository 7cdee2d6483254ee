//! What a caller reaches within an rpc that its role opens: units, areas, one enterprise, everything.
//!
//! Commands look only at the roles that the table names for them, so a second role that reads more
//! never widens what the first one changes. Reads add up everything that the roles may see.

use doudi_domain::{AreaCode, EnterpriseId, UnitId, appeal, policy};
use doudi_views::Scope;

use super::{Role, RoleSet};
use crate::identity::{Areas, Caller};

impl Caller {
    fn is(&self, role: Role) -> bool {
        self.roles.contains(role)
    }

    fn is_any(&self, roles: RoleSet) -> bool {
        self.roles.intersects(roles)
    }

    /// Whether the caller speaks for that enterprise.
    pub(crate) fn is_enterprise(&self, id: &EnterpriseId) -> bool {
        self.is(Role::Enterprise) && self.enterprise.as_ref() == Some(id)
    }

    /// Whether nothing but one enterprise's own matters are open to the caller.
    fn is_only_enterprise(&self) -> bool {
        self.roles == RoleSet::of(&[Role::Enterprise])
    }

    /// What the caller may see in lists and on timelines.
    pub(crate) fn scope(&self) -> Scope {
        let by_area = self.is_any(Role::OF_AREAS) || self.is_any(Role::OF_UNIT);
        if self.is_any(Role::OF_ALL) || (by_area && self.areas == Areas::All) {
            return Scope::All;
        }
        let areas = match &self.areas {
            Areas::Some(areas) if by_area => areas.clone(),
            Areas::Some(_) | Areas::All => vec![],
        };
        Scope::Within {
            enterprise: self.enterprise.clone().filter(|_| self.is(Role::Enterprise)),
            units: self.unit.iter().filter(|_| self.is_any(Role::OF_UNIT)).cloned().collect(),
            areas,
        }
    }

    /// Whether the caller may ask about that enterprise at all, as far as the request alone tells.
    pub(crate) fn may_ask_about(&self, id: &EnterpriseId) -> bool {
        !self.is_only_enterprise() || self.is_enterprise(id)
    }

    /// Whether the caller may see an enterprise's profile and how it stands against its limits.
    ///
    /// Units see every enterprise here: nobody can plan a visit without its area, its credit
    /// grade and the places left.
    pub(crate) fn sees_enterprise(&self, id: &EnterpriseId, area: Option<&AreaCode>) -> bool {
        self.is_any(Role::OF_UNIT) || self.sees(id, &[], area)
    }

    /// Whether the caller may see a thing of an enterprise that is with `units` in `area`.
    pub(crate) fn sees(
        &self,
        id: &EnterpriseId,
        units: &[&UnitId],
        area: Option<&AreaCode>,
    ) -> bool {
        let scope = self.scope();
        scope.covers(id, None, area) || units.iter().any(|unit| scope.covers(id, Some(unit), None))
    }

    /// Whether the caller may see an appeal: as its enterprise, its unit or co-unit, or in its area.
    pub(crate) fn sees_appeal(&self, id: &EnterpriseId, case: &appeal::Case) -> bool {
        let route = case.phase.route();
        let units: Vec<&UnitId> = route
            .map(|route| std::iter::once(&route.unit).chain(&route.co_units).collect())
            .unwrap_or_default();
        self.sees(id, &units, Some(&case.submission.area))
    }

    /// Whether the caller may register an enterprise in `area`.
    pub(crate) fn may_register(&self, id: &EnterpriseId, area: &AreaCode) -> bool {
        let unit = self.is_any(Role::OF_UNIT)
            && (self.areas == Areas::Some(vec![]) || self.areas.contain(area));
        self.is(Role::Admin)
            || self.is_enterprise(id)
            || unit
            || (self.is(Role::Dispatcher) && self.areas.contain(area))
    }

    /// Whether the caller may record a grade that `issuer` gave.
    pub(crate) fn may_grade_as(&self, issuer: &UnitId) -> bool {
        let handles = RoleSet::of(&[Role::AgencyHandler, Role::UnitHead]);
        self.is(Role::Admin) || (self.is_any(handles) && self.unit.as_ref() == Some(issuer))
    }

    /// Whether the caller dispatches in every area, so that nobody need ask where a thing is.
    pub(crate) fn dispatches_everywhere(&self) -> bool {
        self.is(Role::Dispatcher) && self.areas == Areas::All
    }

    /// Whether the caller may accept, dispatch and close appeals of `area`, and hand its
    /// enterprises over.
    pub(crate) fn dispatches(&self, area: &AreaCode) -> bool {
        self.is(Role::Dispatcher) && self.areas.contain(area)
    }

    /// Whether the caller keeps the registers of the whole city.
    pub(crate) fn is_admin(&self) -> bool {
        self.is(Role::Admin)
    }

    /// Whether the caller may read a version of a policy document: everybody what is in force, and
    /// drafts and retired versions only who reads everything.
    pub(crate) fn reads_policy(&self, status: policy::Status) -> bool {
        status == policy::Status::Published || self.is_any(Role::OF_ALL)
    }

    /// Whether the caller may submit an appeal of that enterprise: as itself, or on its behalf from
    /// any desk, wherever it plays, so that nobody is sent away.
    pub(crate) fn may_submit_for(&self, id: &EnterpriseId) -> bool {
        let desks = RoleSet::of(&[Role::AgencyHandler, Role::Dispatcher]);
        self.is_enterprise(id) || self.is_any(desks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(roles: &[Role]) -> Caller {
        Caller { roles: RoleSet::of(roles), ..Caller::for_tests() }
    }

    fn unit(id: &str) -> UnitId {
        UnitId::parse(id).unwrap()
    }

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    fn enterprise(id: &str) -> EnterpriseId {
        EnterpriseId::parse(id).unwrap()
    }

    #[test]
    fn a_second_role_that_reads_more_does_not_widen_what_the_first_one_changes() {
        let both = Caller {
            areas: Areas::Some(vec![area("210212")]),
            ..caller(&[Role::Auditor, Role::Dispatcher])
        };
        assert_eq!(both.scope(), Scope::All);
        assert!(both.dispatches(&area("210212")));
        assert!(!both.dispatches(&area("210203")));
        assert!(!both.may_register(&enterprise("L-1"), &area("210203")));
    }

    #[test]
    fn a_unit_sees_its_own_and_its_areas_and_every_profile() {
        let tax = Caller { unit: Some(unit("tax")), ..caller(&[Role::Inspector]) };
        let id = enterprise("L-1");
        assert!(tax.sees(&id, &[&unit("fire"), &unit("tax")], None));
        assert!(!tax.sees(&id, &[&unit("fire")], Some(&area("210212"))));
        assert!(tax.sees_enterprise(&id, None));
        let local = Caller { areas: Areas::Some(vec![area("210212")]), ..tax };
        assert!(local.sees(&id, &[], Some(&area("210212"))));
        assert!(local.may_register(&id, &area("210212")));
        assert!(!local.may_register(&id, &area("210203")));
    }

    #[test]
    fn an_enterprise_sees_and_registers_itself_alone() {
        let own = Caller { enterprise: Some(enterprise("L-1")), ..caller(&[Role::Enterprise]) };
        assert!(own.sees(&enterprise("L-1"), &[], None));
        assert!(own.may_ask_about(&enterprise("L-1")));
        assert!(!own.may_ask_about(&enterprise("L-2")));
        assert!(!own.sees_enterprise(&enterprise("L-2"), Some(&area("210212"))));
        assert!(own.may_register(&enterprise("L-1"), &area("210212")));
        assert!(!own.may_register(&enterprise("L-2"), &area("210212")));
        assert!(own.may_submit_for(&enterprise("L-1")));
        assert!(!own.may_submit_for(&enterprise("L-2")));
    }

    #[test]
    fn areas_of_a_role_without_areas_open_nothing() {
        let odd = Caller {
            enterprise: Some(enterprise("L-1")),
            areas: Areas::All,
            ..caller(&[Role::Enterprise])
        };
        assert!(!odd.sees(&enterprise("L-2"), &[], Some(&area("210212"))));
    }

    #[test]
    fn only_the_unit_itself_or_an_administrator_records_its_grade() {
        let head = Caller { unit: Some(unit("tax")), ..caller(&[Role::UnitHead]) };
        assert!(head.may_grade_as(&unit("tax")));
        assert!(!head.may_grade_as(&unit("fire")));
        assert!(caller(&[Role::Admin]).may_grade_as(&unit("fire")));
        let inspector = Caller { unit: Some(unit("tax")), ..caller(&[Role::Inspector]) };
        assert!(!inspector.may_grade_as(&unit("tax")));
    }
}
