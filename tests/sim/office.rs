//! What somebody wants next of a joint diagnosis, or of the documents that are in force.

use doudi_domain::{
    diagnosis::{self, Conclusion, Diagnosis, Opinion, Order, Stance, StandingLead},
    policy::{self, Document, Policy},
};

use super::{
    network::Chance,
    people::{some_unit, text},
};

/// What somebody wants of a joint diagnosis; none before it was convened.
pub(super) fn diagnosis(chance: &Chance, seen: &Diagnosis) -> Option<diagnosis::Command> {
    let convening = seen.convening()?;
    let panel: Vec<_> = convening.panel.units.iter().cloned().collect();
    if chance.percent(60) {
        let stances = [Stance::Support, Stance::Dissent, Stance::Abstain];
        let opinion = Opinion { stance: chance.one_of(&stances)?, text: text() };
        return Some(diagnosis::Command::GiveOpinion { unit: chance.one_of(&panel)?, opinion });
    }
    let order = Order { unit: some_unit(chance), task: text(), working_days: 2 };
    let lead = StandingLead { unit: some_unit(chance), same_area_only: chance.percent(50) };
    let standing_lead = chance.percent(50).then_some(lead);
    let conclusion = Conclusion { text: text(), orders: vec![order], standing_lead };
    Some(diagnosis::Command::Conclude { unit: convening.convener.clone(), conclusion })
}

/// What somebody wants of the document of that name: its newest draft in force, or another draft.
pub(super) fn document(seen: &Policy, other: Document) -> policy::Command {
    let newest = (1..).take_while(|version| seen.document(*version).is_some()).last();
    let in_force = seen.published().map(|(version, _)| version);
    match newest {
        Some(version) if newest > in_force => policy::Command::Publish { version },
        Some(_) | None => policy::Command::Draft(other),
    }
}
