//! Records that devices kept: each is taken in, or set aside with its reason; none is dropped.
//!
//! They come in any order. A check-out that came before its check-in takes effect with it, and whatever
//! was set aside is looked at once more when it is handed in again.

use crate::{
    decider::Context,
    ids::VisitId,
    visits::{Event, Kept, Manner, Rejection, SetAside, Visit, Visits, What, decide::in_future},
};

impl Visits {
    /// Takes the records in one after the other, each on what those before it left.
    pub(in crate::visits) fn take_in(&self, context: &Context<'_>, records: &[Kept]) -> Vec<Event> {
        let mut state = self.clone();
        let mut events = Vec::new();
        for record in records {
            let new = state.take_in_one(context, record);
            state = new.iter().fold(state, Self::after);
            events.extend(new);
        }
        events
    }

    fn take_in_one(&self, context: &Context<'_>, record: &Kept) -> Vec<Event> {
        if self.is_in_effect(record) {
            return vec![];
        }
        let taken = match &record.what {
            What::CheckedIn { .. } => self.kept_check_in(context, record),
            What::CheckedOut { .. } => self.kept_check_out(context, record),
        };
        match taken {
            Ok(events) => self.and_left(context, record.visit, events),
            Err(_) if self.set_aside.iter().any(|known| known.is_same(record)) => vec![],
            Err(reason) => vec![Event::ScanSetAside { record: record.clone(), reason }],
        }
    }

    /// What happens once the officers came: they left, if a device said so before.
    pub(in crate::visits) fn and_left(
        &self,
        context: &Context<'_>,
        visit: VisitId,
        came: Vec<Event>,
    ) -> Vec<Event> {
        let is_out = |record: &&Kept| {
            record.visit == visit && matches!(record.what, What::CheckedOut { .. })
        };
        let mut waiting = self.set_aside.iter().filter(is_out).peekable();
        if waiting.peek().is_none() {
            return came;
        }
        let there = came.iter().fold(self.clone(), Self::after);
        let left = waiting.find_map(|record| there.kept_check_out(context, record).ok());
        came.into_iter().chain(left.unwrap_or_default()).collect()
    }

    /// Whether what the record says is what is known.
    fn is_in_effect(&self, record: &Kept) -> bool {
        let known = self.get(record.visit);
        match &record.what {
            What::CheckedIn { check_in, .. } => known.is_some_and(|visit| {
                visit.arrival.as_ref().is_some_and(|(known, _)| known == check_in)
            }),
            What::CheckedOut { occurred_at } => {
                known.is_some_and(|visit| visit.left_at == Some(*occurred_at))
            }
        }
    }

    fn kept_check_in(&self, context: &Context<'_>, record: &Kept) -> Result<Vec<Event>, SetAside> {
        let What::CheckedIn { check_in, improvised } = &record.what else {
            return Ok(vec![]);
        };
        debug_assert!(matches!(check_in.manner, Manner::Kept { .. }), "a record of a device");
        let doubts = record.doubts.clone();
        let outcome = match (self.of_unit(record)?, improvised) {
            (Some(visit), _) if visit.checked_in_at().is_some() => {
                return Err(SetAside::AlreadyCheckedIn);
            }
            (Some(visit), _) => self.arrive(context, visit, check_in, doubts),
            (None, Some(plan)) if plan.unit != record.unit => return Err(SetAside::OtherUnit),
            (None, Some(plan)) if self.may_improvise(record.visit, plan) => {
                self.improvise(context, plan, check_in, doubts)
            }
            (None, Some(_)) => return Err(SetAside::VisitUnknown),
            (None, None) => return Err(SetAside::VisitUnknown),
        };
        // A late scan is refused for nothing but a time that has not come.
        outcome.map_err(|_: Rejection| SetAside::InFuture)
    }

    fn kept_check_out(&self, context: &Context<'_>, record: &Kept) -> Result<Vec<Event>, SetAside> {
        let What::CheckedOut { occurred_at } = &record.what else {
            return Ok(vec![]);
        };
        let visit = self.of_unit(record)?.ok_or(SetAside::VisitUnknown)?;
        match (visit.checked_in_at(), visit.left_at) {
            (None, _) | (_, Some(_)) => Err(SetAside::NotCheckedIn),
            (Some(at), None) if *occurred_at < at => Err(SetAside::OutBeforeIn),
            (Some(_), None) if in_future(context, *occurred_at) => Err(SetAside::InFuture),
            (Some(_), None) => Ok(vec![Event::VisitCheckedOut {
                visit: record.visit,
                occurred_at: *occurred_at,
                irregularities: record.doubts.clone(),
            }]),
        }
    }

    fn of_unit(&self, record: &Kept) -> Result<Option<&Visit>, SetAside> {
        match self.get(record.visit) {
            Some(visit) if !visit.takes_part(&record.unit) => Err(SetAside::OtherUnit),
            known => Ok(known),
        }
    }
}
