//! What a caller reaches within an rpc that its role opens: units, areas, one enterprise, everything.
//!
//! Commands look only at the roles that the table names for them, so a second role that reads more
//! never widens what the first one changes. Reads add up everything that the roles may see.

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, UnitId,
    appeal::{self, Submission},
    campaign::Campaign,
    clock::Owner,
    policy,
};
use doudi_views::{Scope, inbox};

use super::{Role, RoleSet, sight::Sight};
use crate::identity::{Areas, Caller};

/// The units that were asked for a part of an appeal by name: those with a task, those called together
/// about it.
fn asked(case: &appeal::Case) -> impl Iterator<Item = &UnitId> {
    let tasks = case.tasks.values().map(|task| &task.unit);
    let called = case.diagnosis.iter().flat_map(|diagnosis| &diagnosis.units);
    tasks.chain(called)
}

/// The units that take part in an appeal without leading it: co-units, and those asked by name.
fn beside(case: &appeal::Case) -> Vec<UnitId> {
    let co_units = case.phase.route().into_iter().flat_map(|route| &route.co_units);
    co_units.chain(asked(case)).cloned().collect()
}

/// Whether the unit owes something in an appeal; one that no longer leads it may still.
fn owes(unit: &UnitId, case: &appeal::Case) -> bool {
    case.clocks.values().any(|clock| matches!(&clock.owner, Owner::Unit(owner) if owner == unit))
}

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

    /// Whether the caller is an enterprise's account.
    pub(crate) fn is_enterprises(&self) -> bool {
        self.is(Role::Enterprise)
    }

    /// Whether nothing but one enterprise's own matters are open to the caller.
    fn is_only_enterprise(&self) -> bool {
        self.roles == RoleSet::of(&[Role::Enterprise])
    }

    /// Whether the caller speaks for that enterprise in that appeal, as its account or with the
    /// token of the case.
    pub(crate) fn speaks_for(&self, id: &EnterpriseId, appeal: AppealId) -> bool {
        self.is_enterprise(id) || (self.holds(appeal) && self.enterprise.as_ref() == Some(id))
    }

    /// Whether what the caller says is the enterprise's own word, in whichever of its appeals.
    pub(crate) fn is_side_of(&self, id: &EnterpriseId) -> bool {
        let own = RoleSet::of(&[Role::Enterprise, Role::CaseHolder]);
        self.is_any(own) && self.enterprise.as_ref() == Some(id)
    }

    fn holds(&self, appeal: AppealId) -> bool {
        self.is(Role::CaseHolder) && self.appeal == Some(appeal)
    }

    /// What the caller may see in lists and on timelines.
    pub(crate) fn scope(&self) -> Scope {
        match self.scope_of_office() {
            Scope::All => Scope::All,
            Scope::Within { units, areas, desk, .. } => {
                let enterprise = self.enterprise.clone().filter(|_| self.is(Role::Enterprise));
                Scope::Within { enterprise, units, areas, desk }
            }
        }
    }

    /// What the caller may see apart from its own enterprise's matters. Of who acts in every area only
    /// the city desk sees every level: the others see what somebody in one area sees of it.
    fn scope_of_office(&self) -> Scope {
        if self.is_any(Role::OF_ALL) || self.dispatches_everywhere() {
            return Scope::All;
        }
        let by_area = self.is_any(Role::OF_AREAS) || self.is_any(Role::OF_UNIT);
        let areas = if by_area { self.areas.clone() } else { Areas::Some(vec![]) };
        Scope::Within {
            enterprise: None,
            units: self.unit.iter().filter(|_| self.is_any(Role::OF_UNIT)).cloned().collect(),
            areas,
            desk: self.is(Role::Dispatcher),
        }
    }

    /// Whether the caller may ask about that enterprise at all, as far as the request alone tells.
    pub(crate) fn may_ask_about(&self, id: &EnterpriseId) -> bool {
        !self.is_only_enterprise() || self.is_enterprise(id)
    }

    /// Within what an enterprise must lie whose profile the caller may see, and how it stands against its
    /// limits.
    ///
    /// Units see every enterprise here: nobody can plan a visit without its area, its credit
    /// grade and the places left.
    pub(crate) fn scope_of_enterprises(&self) -> Scope {
        if self.is_any(Role::OF_UNIT) { Scope::All } else { self.scope() }
    }

    /// Whether an enterprise in `area` lies within that.
    pub(crate) fn sees_enterprise(&self, id: &EnterpriseId, area: Option<&AreaCode>) -> bool {
        self.scope_of_enterprises().covers(id, None, area)
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

    /// Whether the caller may see an appeal, from whichever side.
    pub(crate) fn sees_appeal(&self, id: &EnterpriseId, case: &appeal::Case) -> bool {
        self.is_enterprise(id) || self.sees_inside(id, case)
    }

    /// Whether the caller sees an appeal as those do who handle it and watch over it: with internal
    /// notes and what the units ask of each other.
    pub(crate) fn sees_inside(&self, id: &EnterpriseId, case: &appeal::Case) -> bool {
        let Submission { confidentiality, area, .. } = &case.submission;
        let lead = case.phase.route().map(|route| &route.unit);
        let scope = self.scope_of_office();
        scope.covers_appeal(*confidentiality, id, lead, &beside(case), Some(area))
    }

    /// From which side the caller sees an appeal, if at all. Whoever sees it from several sees it
    /// from the one that shows most.
    pub(crate) fn sight(
        &self,
        id: &EnterpriseId,
        appeal: AppealId,
        case: &appeal::Case,
    ) -> Option<Sight> {
        if self.sees_inside(id, case) {
            Some(Sight::Inside)
        } else if self.speaks_for(id, appeal) {
            Some(Sight::Enterprise)
        } else {
            self.part_of(case)
        }
    }

    /// The part of an appeal that is the business of the caller's unit, whatever the appeal's level: what
    /// it was asked for by name, or owes.
    pub(crate) fn part_of(&self, case: &appeal::Case) -> Option<Sight> {
        let concerned =
            |unit: &&UnitId| asked(case).any(|asked| asked == *unit) || owes(unit, case);
        self.of_unit().filter(concerned).cloned().map(Sight::Task)
    }

    /// From which side the caller sees the appeal of an inbox entry: as [`Caller::sight`] says of the
    /// appeal itself, as of now. Who owes something and takes no part otherwise sees its part alone.
    pub(crate) fn sight_of(&self, entry: &inbox::Entry) -> Sight {
        let inbox::Entry { row, lead, beside, .. } = entry;
        let (scope, level) = (self.scope_of_office(), row.confidentiality);
        if scope.covers_appeal(level, &row.enterprise, lead.as_ref(), beside, Some(&row.area)) {
            Sight::Inside
        } else if self.is_enterprise(&row.enterprise) {
            Sight::Enterprise
        } else {
            self.of_unit().cloned().map_or(Sight::Progress, Sight::Task)
        }
    }

    /// Whether the caller may see a special campaign: whoever holds an office, and everybody once it was
    /// published.
    pub(crate) fn sees_campaign(&self, campaign: &Campaign) -> bool {
        !self.is_only_enterprise() || campaign.document().is_some()
    }

    /// Whether the caller may see how `unit` works, its draws, its devices, the ratings of its visits: the
    /// unit itself, and whoever watches over units.
    pub(crate) fn sees_workings_of(&self, unit: &UnitId) -> bool {
        let watches = self.is(Role::Supervisor) || self.is_any(Role::OF_ALL);
        watches || self.of_unit() == Some(unit)
    }

    /// The unit that the caller acts for.
    fn of_unit(&self) -> Option<&UnitId> {
        self.unit.as_ref().filter(|_| self.is_any(Role::OF_UNIT))
    }

    /// Whether the caller's unit leads an appeal.
    pub(crate) fn leads(&self, case: &appeal::Case) -> bool {
        let lead = case.phase.route().map(|route| &route.unit);
        self.is_any(Role::OF_UNIT) && lead.is_some() && lead == self.unit.as_ref()
    }

    /// Whether the caller's unit does a part of an appeal for the lead.
    pub(crate) fn helps(&self, case: &appeal::Case) -> bool {
        self.of_unit().is_some_and(|unit| beside(case).contains(unit))
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

    /// Whether the caller may register an enterprise whose code is not in order, or that has none: a unit that
    /// inspects could make itself a second one with fresh limits.
    pub(crate) fn registers_whatever(&self, id: &EnterpriseId) -> bool {
        self.is(Role::Admin) || self.is(Role::Dispatcher) || self.is_enterprise(id)
    }

    /// Whether the caller dispatches in every area, so that nobody need ask where a thing is.
    pub(crate) fn dispatches_everywhere(&self) -> bool {
        self.is(Role::Dispatcher) && self.areas == Areas::All
    }

    /// Whether the caller learns the token of a case that it submits: the enterprise itself, and a desk,
    /// which hands it over. A unit would confirm its own work with it.
    pub(crate) fn learns_token_of(&self, id: &EnterpriseId) -> bool {
        self.is_enterprise(id) || self.is(Role::Dispatcher)
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

    /// Whether the caller may complain about a visit for that enterprise: itself, or a desk on its behalf.
    pub(crate) fn complains_for(&self, id: &EnterpriseId) -> bool {
        self.is_enterprise(id) || self.is(Role::Dispatcher)
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
    use doudi_domain::appeal::Confidentiality;

    use super::*;
    use crate::sample;

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
    fn how_a_unit_works_is_for_the_unit_and_for_those_who_watch() {
        let of_tax = |roles: &[Role]| {
            let caller = Caller { unit: Some(unit("tax")), ..caller(roles) };
            (caller.sees_workings_of(&unit("tax")), caller.sees_workings_of(&unit("fire")))
        };
        for role in Role::OF_UNIT.iter() {
            assert_eq!(of_tax(&[role]), (true, false), "{role}");
        }
        for role in [Role::Supervisor, Role::Auditor, Role::Admin] {
            assert_eq!(of_tax(&[role]), (true, true), "{role}");
        }
        for role in [Role::Enterprise, Role::Dispatcher, Role::CaseHolder] {
            assert_eq!(of_tax(&[role]), (false, false), "{role}");
        }
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
    fn the_more_confidential_a_case_is_the_fewer_see_it_and_who_is_asked_sees_its_part() {
        let local = || Areas::Some(vec![area(sample::AREA)]);
        let of = |id: &str| Caller { unit: Some(unit(id)), ..caller(&[Role::AgencyHandler]) };
        let watching = |role: Role| Caller { areas: local(), ..caller(&[role]) };
        let everywhere = |role| Caller { areas: Areas::All, ..caller(&[role]) };
        let city = everywhere(Role::Dispatcher);
        let holder = Caller {
            enterprise: Some(sample::enterprise()),
            appeal: Some(sample::appeal()),
            ..caller(&[Role::CaseHolder])
        };
        let own =
            Caller { appeal: None, roles: RoleSet::of(&[Role::Enterprise]), ..holder.clone() };
        let other = Caller { appeal: Some(AppealId(uuid::Uuid::nil())), ..holder.clone() };
        let see = |who: &Caller, level| {
            who.sight(&sample::enterprise(), sample::appeal(), &sample::case(level))
        };
        let rows = [
            (of("power"), [const { Some(Sight::Inside) }; 4]),
            (city, [const { Some(Sight::Inside) }; 4]),
            (caller(&[Role::Auditor]), [const { Some(Sight::Inside) }; 4]),
            (own, [const { Some(Sight::Enterprise) }; 4]),
            (holder, [const { Some(Sight::Enterprise) }; 4]),
            (
                watching(Role::Dispatcher),
                [Some(Sight::Inside), Some(Sight::Inside), Some(Sight::Inside), None],
            ),
            (watching(Role::Supervisor), [Some(Sight::Inside), Some(Sight::Inside), None, None]),
            (everywhere(Role::Supervisor), [Some(Sight::Inside), Some(Sight::Inside), None, None]),
            (everywhere(Role::UnitHead), [Some(Sight::Inside), Some(Sight::Inside), None, None]),
            (of("water"), [Some(Sight::Inside), Some(Sight::Inside), None, None]),
            (
                of("fire"),
                [
                    Some(Sight::Inside),
                    Some(Sight::Inside),
                    Some(Sight::Task(unit("fire"))),
                    Some(Sight::Task(unit("fire"))),
                ],
            ),
            (of("desk"), [const { None }; 4]),
            (other, [const { None }; 4]),
        ];
        let levels = [
            Confidentiality::Public,
            Confidentiality::Internal,
            Confidentiality::Confidential,
            Confidentiality::Strict,
        ];
        for (who, expected) in rows {
            assert_eq!(levels.map(|level| see(&who, level)), expected, "{who:?}");
        }
    }

    #[test]
    fn an_inbox_shows_each_caller_what_the_appeal_itself_shows() {
        let of = |id: &str| Caller { unit: Some(unit(id)), ..caller(&[Role::AgencyHandler]) };
        let watching =
            |role| Caller { areas: Areas::Some(vec![area(sample::AREA)]), ..caller(&[role]) };
        let own = Caller { enterprise: Some(sample::enterprise()), ..caller(&[Role::Enterprise]) };
        let callers = [
            of("power"),
            of("water"),
            of("fire"),
            of("desk"),
            own,
            watching(Role::Supervisor),
            watching(Role::Dispatcher),
            caller(&[Role::Auditor]),
        ];
        for level in [Confidentiality::Internal, Confidentiality::Strict] {
            let mut case = sample::case(level);
            // What a unit that led before is late with still climbs, and is in its inbox.
            let late = case.clocks.values_mut().next().expect("something is owed");
            late.owner = Owner::Unit(unit("desk"));
            let late = late.clone();
            for who in &callers {
                let entry = sample::entry(&case, &late);
                let sight = who.sight(&sample::enterprise(), sample::appeal(), &case);
                // Nobody else finds it in its inbox.
                if let Some(sight) = sight {
                    assert_eq!(who.sight_of(&entry), sight, "{who:?}");
                }
            }
            let former = of("desk").sight_of(&sample::entry(&case, &late));
            assert_eq!(former, Sight::Task(unit("desk")));
        }
    }

    #[test]
    fn only_the_enterprise_and_a_desk_learn_the_token_of_a_case() {
        let own = enterprise("L-1");
        let learns = |caller: &Caller| caller.learns_token_of(&own);
        let account = Caller { enterprise: Some(own.clone()), ..caller(&[Role::Enterprise]) };
        assert!(learns(&account) && learns(&caller(&[Role::Dispatcher])));
        let other = Caller { enterprise: Some(enterprise("L-2")), ..account };
        let unit = Caller { unit: Some(unit("tax")), ..caller(&[Role::AgencyHandler]) };
        assert!(!learns(&other) && !learns(&unit));
    }

    #[test]
    fn a_unit_leads_or_helps() {
        let of = |id: &str| Caller { unit: Some(unit(id)), ..caller(&[Role::UnitHead]) };
        let case = sample::case(Confidentiality::Internal);
        assert!(of("power").leads(&case) && !of("power").helps(&case));
        for helper in ["water", "fire"] {
            assert!(of(helper).helps(&case) && !of(helper).leads(&case));
        }
        let desk = Caller { unit: Some(unit("power")), ..caller(&[Role::Dispatcher]) };
        assert!(!desk.leads(&case), "a dispatcher does not act for a unit");
        assert_eq!(desk.part_of(&case), None);
        let owed = Some(Sight::Task(unit("power")));
        assert_eq!(of("power").part_of(&case), owed, "whoever owes something is asked for it");
    }
}
