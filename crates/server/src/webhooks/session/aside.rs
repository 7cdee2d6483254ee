//! What waits of single enterprises: what was refused, sent again when that is ordered, and what is withheld because
//! a stream is parked, sent by itself once that is taken in.

use std::{ops::Bound, sync::Arc};

use doudi_api::webhooks::{place, point};
use doudi_domain::{
    EnterpriseId,
    webhook::{Command, Rejection, SetAside, Trouble},
};
use doudi_views::timeline::{Entry, Point, Selection};

use super::{End, Redrive, Session};
use crate::webhooks::{reader::Reader, record::Written};

/// Of so many enterprises is put on record at once that something is withheld; the others wait for the next time.
const NOTED_AT_ONCE: usize = 16;

impl Session<'_> {
    /// Begins with one of the enterprises whose events are to be sent again and can be.
    pub(super) fn begin_redrive(&mut self) {
        if self.redrive.is_some() {
            return;
        }
        let Some(known) = self.record.known() else { return };
        // In turns, so that one that comes to nothing keeps none of the others waiting.
        let last = self.last_redriven.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let next = known.set_aside.range((last, Bound::Unbounded));
        let mut in_turns = next.chain(&known.set_aside);
        let due = in_turns.find(|(of, aside)| self.is_due(of, aside));
        let Some((enterprise, from)) =
            due.map(|(enterprise, aside)| (enterprise.clone(), point(aside.first).before()))
        else {
            return;
        };
        let own = Selection { enterprise: Some(enterprise.clone()), ..self.selection.clone() };
        let reader = Reader::new(self.shared.parts.views.watch_timeline(own, from));
        self.last_redriven = Some(enterprise.clone());
        self.redrive = Some(Redrive { enterprise, reader });
    }

    /// Whether something of it can be sent. What came before is on its way before.
    fn is_due(&self, enterprise: &EnterpriseId, aside: &SetAside) -> bool {
        let from = point(aside.first).before();
        aside.redriving
            && self.reader.has_read()
            && (!aside.withheld || from <= self.reader.point())
            && self.reader.ends().get(enterprise).is_none_or(|end| from < *end)
    }

    pub(super) async fn read_again(&mut self, entries: Vec<Arc<Entry>>) -> Option<End> {
        let Some(Redrive { enterprise, .. }) = &self.redrive else { return None };
        for entry in entries {
            self.lanes.push_again(enterprise, entry);
        }
        self.end_redrive().await
    }

    /// The enterprise that is sent again goes on with the others once it has got as far as they, or waits for the
    /// next stream of it that is parked.
    pub(super) async fn end_redrive(&mut self) -> Option<End> {
        let Some(Redrive { enterprise, reader }) = &self.redrive else { return None };
        let (enterprise, sent) = (enterprise.clone(), reader.point());
        if !self.lanes.is_idle(&enterprise) {
            return None;
        }
        if let Some(until) = reader.withheld().get(&enterprise).copied() {
            let (stored, end) = self.withhold(enterprise, until).await;
            self.redrive.take_if(|_| stored);
            return end;
        }
        let still = self.reader.withheld().contains_key(&enterprise);
        if !reader.has_read() || sent < self.reader.point() || still {
            return None;
        }
        let finish = Command::FinishRedrive { enterprise: enterprise.clone() };
        let (stored, end) = self.write(&finish).await;
        if stored {
            self.redriven.insert(enterprise, sent);
            self.redrive = None;
        }
        end
    }

    /// Puts on record what the reader withholds.
    pub(super) async fn note_withheld(&mut self) -> Option<End> {
        for (enterprise, until) in self.off_record().into_iter().take(NOTED_AT_ONCE) {
            let (stored, end) = self.withhold(enterprise, until).await;
            if !stored {
                return end;
            }
        }
        None
    }

    /// Up to where everything was delivered, set aside, or is on record as withheld.
    pub(super) fn mark(&self) -> Point {
        let read = self.lanes.mark(self.reader.point());
        self.off_record().into_iter().fold(read, |mark, (_, until)| mark.min(until))
    }

    /// What the reader withholds and is not on record, with up to where it was delivered.
    fn off_record(&self) -> Vec<(EnterpriseId, Point)> {
        let aside = self.record.known().map(|known| &known.set_aside);
        let is_new =
            |enterprise: &EnterpriseId| aside.is_none_or(|aside| !aside.contains_key(enterprise));
        let new = self.reader.withheld().iter().filter(|(enterprise, _)| is_new(enterprise));
        new.map(|(enterprise, until)| {
            let sent = self.redriven.get(enterprise).copied();
            (enterprise.clone(), sent.map_or(*until, |sent| sent.max(*until)))
        })
        .collect()
    }

    /// Puts on record that what an enterprise has after a point waits; and whether that ends it all.
    async fn withhold(&mut self, enterprise: EnterpriseId, until: Point) -> (bool, Option<End>) {
        let command = Command::Withhold { enterprise, first: place(until.after()) };
        match self.record.write(&command).await {
            Written::Stored => {
                self.progressed = true;
                (true, None)
            }
            Written::Refused(Rejection::TooManySetAside) => {
                (false, self.stall(Trouble::TooManySetAside).await)
            }
            Written::Stale => (false, self.look().await),
            Written::Refused(_) | Written::Unknown => (false, None),
        }
    }
}
