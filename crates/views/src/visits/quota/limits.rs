//! What the tables say to one question, answered by the function that decides.

use doudi_domain::{
    VisitId,
    enterprise::Registered,
    frequency::{Assessment, Entry, FrequencyPolicy, Ground, Held, Party, assess},
};
use jiff::civil::Date;
use uuid::Uuid;

/// Everything that an answer rests on besides the visits.
#[derive(Debug)]
pub(in crate::visits) struct Limits {
    /// The limits in force.
    pub(in crate::visits) policy: FrequencyPolicy,
    /// The enterprise, if it is registered.
    pub(in crate::visits) profile: Option<Registered>,
}

impl Limits {
    /// The first day whose visits matter to an answer about `on`; none where no visit does. The last one
    /// is open: when a limit frees depends on everything that is planned.
    pub(in crate::visits) fn first_day(&self, on: Date) -> Option<Date> {
        let rules = self.policy.rules.iter().filter(|rule| rule.applies(on));
        let floors = self.policy.floors.iter().filter(|floor| floor.applies(on));
        let windows = rules.map(|rule| rule.window.reach(on).0);
        windows.chain(floors.map(|floor| floor.around(on).0)).min()
    }

    /// How the enterprise stands before a routine visit of the party alone, or of nobody in particular, on
    /// items and by officers that nobody has named yet.
    pub(in crate::visits) fn answer(
        &self,
        entries: &[Entry],
        party: Option<Party>,
        on: Date,
    ) -> Assessment {
        let asked = Entry {
            visit: VisitId(Uuid::nil()),
            parties: party.into_iter().collect(),
            items: [].into(),
            officers: [].into(),
            ground: Ground::Routine,
            on,
            held: Held::Reserved,
            finding: None,
        };
        self.weigh(entries, &asked)
    }

    /// What the limits say to `asked`.
    pub(in crate::visits) fn weigh(&self, entries: &[Entry], asked: &Entry) -> Assessment {
        let profile = self.profile.as_ref();
        let traits = profile.map(|profile| profile.traits(asked.on)).unwrap_or_default();
        assess(&self.policy, &traits, entries, asked)
    }
}
