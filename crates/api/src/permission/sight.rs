//! From which side somebody sees an appeal, and what of it each side is shown: one table for every
//! answer about an appeal.
//!
//! Invariant: what is not shown to a side is neither converted nor opened for it.

use doudi_domain::{
    UnitId,
    appeal::{Case, Task, Visibility},
    clock::{Clock, Owner},
};

/// From which side somebody sees an appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// As those who handle it and watch over it.
    Inside,
    /// As the enterprise: without internal notes and what the units ask of each other.
    Enterprise,
    /// As a unit that was asked for a part of an appeal which it does not see otherwise: which one it
    /// is, what it is about, and its own part.
    Task(UnitId),
    /// As whoever speaks in an appeal that goes on in this one: how far it is, by when its next step
    /// is due, and what the unit replied.
    Progress,
}

/// A part of an appeal that is shown or not. Its number and how far it is are shown to every side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Its id, whose it is, what it is about and where.
    Matter,
    /// Who handles it and by which rule, its type and level, and what became of it so far.
    Summary,
    /// What the enterprise said and was told before a unit replied: description, contact,
    /// objection, guidance, rating; and which appeals and diagnoses belong to it.
    Words,
    /// What the unit said became of it.
    Reply,
    /// The clock of its next step.
    Due(&'a Clock),
    /// Another of its clocks.
    Clock(&'a Clock),
    /// A note or a file of that visibility.
    Entry(Visibility),
    /// What another unit does for the lead.
    Task(&'a Task),
    /// Why a unit objected to the dispatch or asked for an extension.
    Reasons,
    /// Who had it how long.
    Ledger,
}

impl<'a> Part<'a> {
    /// A clock of that case.
    pub(crate) fn clock(case: &Case, clock: &'a Clock) -> Self {
        let is_due = case.due().is_some_and(|due| due.id == clock.id);
        if is_due { Self::Due(clock) } else { Self::Clock(clock) }
    }
}

impl Sight {
    /// Whether who sees an appeal like that is shown that part of it.
    pub(crate) fn shows(&self, part: Part<'_>) -> bool {
        match self {
            Self::Inside => true,
            Self::Enterprise => match part {
                Part::Matter
                | Part::Summary
                | Part::Words
                | Part::Reply
                | Part::Due(_)
                | Part::Ledger => true,
                Part::Clock(clock) => !clock.kind.is_among_units(),
                Part::Entry(visibility) => visibility == Visibility::Public,
                Part::Task(_) | Part::Reasons => false,
            },
            Self::Task(unit) => match part {
                Part::Matter => true,
                Part::Due(clock) | Part::Clock(clock) => {
                    matches!(&clock.owner, Owner::Unit(owner) if owner == unit)
                }
                Part::Task(task) => task.unit == *unit,
                Part::Summary
                | Part::Words
                | Part::Reply
                | Part::Entry(_)
                | Part::Reasons
                | Part::Ledger => false,
            },
            Self::Progress => match part {
                Part::Reply | Part::Due(_) => true,
                Part::Matter
                | Part::Summary
                | Part::Words
                | Part::Clock(_)
                | Part::Entry(_)
                | Part::Task(_)
                | Part::Reasons
                | Part::Ledger => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::appeal::Confidentiality;

    use super::*;
    use crate::sample;

    /// The parts of the sample case that are shown, each by a name of its own.
    fn shown(sight: &Sight) -> Vec<String> {
        let case = sample::case(Confidentiality::Strict);
        let alone = [
            Part::Matter,
            Part::Summary,
            Part::Words,
            Part::Reply,
            Part::Entry(Visibility::Internal),
            Part::Entry(Visibility::Public),
            Part::Reasons,
            Part::Ledger,
        ];
        let alone = alone.into_iter().filter(|part| sight.shows(*part));
        let clocks = case.clocks.values().filter(|clock| sight.shows(Part::clock(&case, clock)));
        let tasks = case.tasks.values().filter(|task| sight.shows(Part::Task(task)));
        let mut shown: Vec<String> = alone.map(|part| format!("{part:?}")).collect();
        shown.extend(clocks.map(|clock| format!("{:?}", clock.kind)));
        shown.extend(tasks.map(|task| task.unit.to_string()));
        shown
    }

    #[test]
    fn each_side_is_shown_its_own_parts_and_no_other() {
        let everything = [
            "Matter",
            "Summary",
            "Words",
            "Reply",
            "Entry(Internal)",
            "Entry(Public)",
            "Reasons",
            "Ledger",
            "Contact",
            "Resolve",
            "CoHandling",
            "fire",
        ];
        assert_eq!(shown(&Sight::Inside), everything);
        let own = [
            "Matter",
            "Summary",
            "Words",
            "Reply",
            "Entry(Public)",
            "Ledger",
            "Contact",
            "Resolve",
        ];
        assert_eq!(shown(&Sight::Enterprise), own);
        let part = ["Matter", "CoHandling", "fire"];
        assert_eq!(shown(&Sight::Task(sample::unit("fire"))), part);
        let convened = ["Matter"];
        assert_eq!(shown(&Sight::Task(sample::unit("water"))), convened);
        assert_eq!(shown(&Sight::Progress), ["Reply", "Resolve"]);
    }
}
