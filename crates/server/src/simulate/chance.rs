//! Chance that begins at a seed: what people do or leave undone, and when.

use std::ops::Range;

use doudi_domain::calendar::{Calendar, WorkingTime};
use fastrand::Rng;
use jiff::Timestamp;
use uuid::Uuid;

/// A course of chance: the same seed makes the same one.
#[derive(Debug)]
pub(super) struct Chance(Rng);

impl Chance {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// The course of one thing at one turn, whatever happens to others meanwhile.
    pub(super) fn of(seed: u64, thing: Uuid, turn: &str) -> Self {
        let (high, low) = Uuid::new_v5(&thing, format!("{seed}/{turn}").as_bytes()).as_u64_pair();
        Self::from_seed(high ^ low)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, of_hundred: u32) -> bool {
        self.number(0..100) < of_hundred
    }

    /// True in so many of a thousand cases.
    pub(super) fn permille(&mut self, of_thousand: u32) -> bool {
        self.number(0..1000) < of_thousand
    }

    pub(super) fn number(&mut self, range: Range<u32>) -> u32 {
        self.0.u32(range)
    }

    pub(super) fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.0.u128(..))
    }

    pub(super) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill(&mut bytes);
        bytes
    }

    /// One of several, each as likely.
    pub(super) fn one_of<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        self.0.choice(several)
    }

    /// One of several, each with its share of all shares.
    pub(super) fn by_share<'a, T>(&mut self, several: &'a [(T, u32)]) -> Option<&'a T> {
        let all = several.iter().map(|(_, share)| share).sum();
        let mut drawn = self.number(0..all);
        let hit = |(_, share): &&(T, u32)| match drawn.checked_sub(*share) {
            None => true,
            Some(rest) => {
                drawn = rest;
                false
            }
        };
        several.iter().find(hit).map(|(one, _)| one)
    }

    /// So many of several, none twice.
    pub(super) fn some_of<T: Clone>(&mut self, several: &[T], count: usize) -> Vec<T> {
        self.0.choose_multiple(several.iter().cloned(), count)
    }

    pub(super) fn shuffle<T>(&mut self, several: &mut [T]) {
        self.0.shuffle(several);
    }

    /// An instant between so many hours of working time from `now`.
    pub(super) fn after(
        &mut self,
        calendar: &Calendar,
        now: Timestamp,
        hours: Range<u32>,
    ) -> Timestamp {
        let seconds = self.number(hours.start * 3600..hours.end * 3600);
        calendar.after(now, WorkingTime::from_seconds(seconds.into()))
    }
}
