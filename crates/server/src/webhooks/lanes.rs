//! One lane for each enterprise: its events go one after the other, while the lanes go side by side.
//!
//! Everything up to the mark was delivered or set aside. What lies beyond is in memory, a bounded number.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    ops::Not,
};

use doudi_domain::EnterpriseId;
use doudi_views::timeline::Point;
use tokio::time::Instant;

/// The most events between the mark and the last one taken in, before no more are read. Those that come
/// together may exceed it.
const WINDOW_MAX: usize = 1000;
/// The most events of an enterprise that are read to be sent again, before no more are.
const AGAIN_MAX: usize = 100;

/// The lanes of one webhook with events of type `E`.
#[derive(Debug)]
pub(super) struct Lanes<E> {
    lanes: HashMap<EnterpriseId, Lane<E>>,
    /// The lanes whose first event can be sent now, the one that waits longest first.
    ready: VecDeque<EnterpriseId>,
    /// The lanes whose first event is tried again at an instant.
    later: BTreeSet<(Instant, EnterpriseId)>,
    /// The events taken in since the mark, and whether each is done with.
    window: BTreeMap<Point, bool>,
    /// How many events were delivered.
    delivered: u64,
}

#[derive(Debug)]
struct Lane<E> {
    /// The events in their order; the first one may be on its way.
    events: VecDeque<Waiting<E>>,
    /// How often the first one was tried in vain.
    tries: Tries,
    /// How many events of all lanes were delivered when it was tried in vain first.
    delivered_before: Option<u64>,
}

#[derive(Debug)]
struct Waiting<E> {
    event: E,
    /// Its place in the window; none for what is sent again, which the mark has passed.
    place: Option<Point>,
}

/// How often an event was tried in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tries {
    /// Because of the receiver.
    pub(super) failed: u32,
    /// Because of the event.
    pub(super) refused: u32,
}

impl Tries {
    /// Together.
    pub(super) fn total(self) -> u32 {
        self.failed.saturating_add(self.refused)
    }
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            later: BTreeSet::new(),
            window: BTreeMap::new(),
            delivered: 0,
        }
    }
}

impl<E: Clone> Lanes<E> {
    /// Takes in an event of an enterprise at a place after all others of it, and after the mark.
    pub(super) fn push(&mut self, enterprise: &EnterpriseId, place: Point, event: E) {
        self.window.insert(place, false);
        self.line_up(enterprise, Waiting { event, place: Some(place) });
    }

    /// Takes in an event that is sent again. The mark does not wait for it.
    pub(super) fn push_again(&mut self, enterprise: &EnterpriseId, event: E) {
        self.line_up(enterprise, Waiting { event, place: None });
    }

    fn line_up(&mut self, enterprise: &EnterpriseId, waiting: Waiting<E>) {
        match self.lanes.get_mut(enterprise) {
            Some(lane) => lane.events.push_back(waiting),
            None => {
                let (events, tries) = ([waiting].into(), Tries::default());
                let lane = Lane { events, tries, delivered_before: None };
                self.lanes.insert(enterprise.clone(), lane);
                self.ready.push_back(enterprise.clone());
            }
        }
    }

    /// The next event to be sent; its lane rests until it is told what became of it.
    pub(super) fn next(&mut self, now: Instant) -> Option<(EnterpriseId, E)> {
        while self.later.first().is_some_and(|(at, _)| *at <= now) {
            self.ready.extend(self.later.pop_first().map(|(_, enterprise)| enterprise));
        }
        let enterprise = self.ready.pop_front()?;
        let event = self.lanes.get(&enterprise)?.events.front()?.event.clone();
        Some((enterprise, event))
    }

    /// The event that was sent was delivered; the next one of its lane follows.
    pub(super) fn done(&mut self, enterprise: &EnterpriseId) {
        let Some(lane) = self.lanes.get_mut(enterprise) else { return };
        let place = lane.events.pop_front().and_then(|waiting| waiting.place);
        (lane.tries, lane.delivered_before) = (Tries::default(), None);
        self.delivered = self.delivered.saturating_add(1);
        if lane.events.is_empty() {
            self.lanes.remove(enterprise);
        } else {
            self.ready.push_back(enterprise.clone());
        }
        self.settle(place);
    }

    /// The event that was sent is tried again at an instant.
    pub(super) fn retry(&mut self, enterprise: &EnterpriseId, tries: Tries, at: Instant) {
        if let Some(lane) = self.lanes.get_mut(enterprise) {
            lane.tries = tries;
            lane.delivered_before.get_or_insert(self.delivered);
            self.later.insert((at, enterprise.clone()));
        }
    }

    /// The event that was sent.
    pub(super) fn first(&self, enterprise: &EnterpriseId) -> Option<&E> {
        self.lanes.get(enterprise)?.events.front().map(|waiting| &waiting.event)
    }

    /// How often the event that was sent was tried in vain before.
    pub(super) fn tries(&self, enterprise: &EnterpriseId) -> Tries {
        self.lanes.get(enterprise).map(|lane| lane.tries).unwrap_or_default()
    }

    /// How many events of other lanes were delivered since the event that was sent was tried in vain first.
    pub(super) fn overtaken_by(&self, enterprise: &EnterpriseId) -> u64 {
        let before = self.lanes.get(enterprise).and_then(|lane| lane.delivered_before);
        before.map_or(0, |before| self.delivered - before)
    }

    /// A lane whose event was sent is set aside: all of it counts as done with.
    pub(super) fn set_aside(&mut self, enterprise: &EnterpriseId) {
        let lane = self.lanes.remove(enterprise);
        self.settle(lane.into_iter().flat_map(|lane| lane.events).filter_map(|event| event.place));
    }

    fn settle(&mut self, places: impl IntoIterator<Item = Point>) {
        for place in places {
            self.window.insert(place, true);
        }
        while self.window.first_key_value().is_some_and(|(_, done)| *done) {
            self.window.pop_first();
        }
    }

    /// Up to where everything is done with, if everything up to `read` was taken in.
    pub(super) fn mark(&self, read: Point) -> Point {
        self.window.first_key_value().map_or(read, |(first, _)| first.before())
    }

    /// When the next event can be tried again, if there is one that waits for it.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Whether more events are to be read.
    pub(super) fn has_room(&self) -> bool {
        self.window.len() < WINDOW_MAX
    }

    /// Whether more events of an enterprise are to be read that are sent again.
    pub(super) fn has_room_again(&self, enterprise: &EnterpriseId) -> bool {
        self.lanes.get(enterprise).is_none_or(|lane| lane.events.len() < AGAIN_MAX)
    }

    /// Whether an enterprise has no event left.
    pub(super) fn is_idle(&self, enterprise: &EnterpriseId) -> bool {
        self.lanes.contains_key(enterprise).not()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doudi_journal::Position;

    use super::*;

    fn enterprise(n: u8) -> EnterpriseId {
        EnterpriseId::parse(&format!("L-{n}")).unwrap()
    }

    fn place(position: u64) -> Point {
        Point { position: Position(position), ordinal: 0 }
    }

    /// Events `a1 b2 a3 c4 b5` at these positions.
    fn five() -> Lanes<u64> {
        let mut lanes = Lanes::default();
        for (position, of) in [(1, 0), (2, 1), (3, 0), (4, 2), (5, 1)] {
            lanes.push(&enterprise(of), place(position), position);
        }
        lanes
    }

    fn all(lanes: &mut Lanes<u64>, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| lanes.next(now)).map(|(_, event)| event).collect()
    }

    #[test]
    fn lanes_go_side_by_side_and_each_in_its_order() {
        let (mut lanes, now) = (five(), Instant::now());
        assert_eq!(all(&mut lanes, now), [1, 2, 4], "the first of each");
        lanes.done(&enterprise(1));
        assert_eq!(all(&mut lanes, now), [5]);
        lanes.done(&enterprise(0));
        assert_eq!(all(&mut lanes, now), [3]);
        assert!(lanes.is_idle(&enterprise(3)) && !lanes.is_idle(&enterprise(0)));
        lanes.done(&enterprise(0));
        assert!(lanes.is_idle(&enterprise(0)));
    }

    #[test]
    fn the_mark_passes_an_event_only_when_it_and_all_before_it_are_done_with() {
        let (mut lanes, now, read) = (five(), Instant::now(), place(9));
        all(&mut lanes, now);
        let end = |position| Point::end_of(Position(position));
        assert_eq!(lanes.mark(read), end(0));
        lanes.done(&enterprise(1));
        assert_eq!(lanes.mark(read), end(0));
        lanes.done(&enterprise(0));
        assert_eq!(lanes.mark(read), end(2));
        all(&mut lanes, now);
        for of in [2, 0, 1] {
            lanes.done(&enterprise(of));
        }
        assert_eq!(lanes.mark(read), read);
    }

    #[test]
    fn what_is_tried_again_holds_up_its_own_lane_only() {
        let (mut lanes, now) = (five(), Instant::now());
        all(&mut lanes, now);
        let (tries, later) = (Tries { failed: 1, refused: 2 }, now + Duration::from_secs(1));
        lanes.done(&enterprise(2));
        lanes.retry(&enterprise(0), tries, later);
        assert_eq!(lanes.overtaken_by(&enterprise(0)), 0);
        lanes.done(&enterprise(1));
        assert_eq!(
            (lanes.overtaken_by(&enterprise(0)), lanes.overtaken_by(&enterprise(1))),
            (1, 0)
        );
        assert_eq!(all(&mut lanes, now), [5]);
        assert_eq!((lanes.next_at(), lanes.tries(&enterprise(0)).total()), (Some(later), 3));
        assert_eq!(all(&mut lanes, later), [1]);
        assert_eq!(lanes.next_at(), None);
        lanes.retry(&enterprise(0), tries, later);
        lanes.done(&enterprise(1));
        assert_eq!(lanes.overtaken_by(&enterprise(0)), 2, "since the first try");
        lanes.done(&enterprise(0));
        assert_eq!(lanes.tries(&enterprise(0)), Tries::default(), "the next one begins anew");
    }

    #[test]
    fn what_is_set_aside_holds_up_nothing() {
        let (mut lanes, now) = (five(), Instant::now());
        all(&mut lanes, now);
        lanes.set_aside(&enterprise(0));
        assert!(lanes.is_idle(&enterprise(0)));
        for of in [1, 2] {
            lanes.done(&enterprise(of));
        }
        assert_eq!(all(&mut lanes, now), [5]);
        assert_eq!(lanes.mark(place(9)), Point::end_of(Position(4)));
    }

    #[test]
    fn the_mark_does_not_wait_for_what_is_sent_again() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        let of = enterprise(0);
        for event in 0..AGAIN_MAX as u64 {
            assert!(lanes.has_room_again(&of));
            lanes.push_again(&of, event);
        }
        assert!(!lanes.has_room_again(&of) && lanes.has_room());
        assert_eq!((lanes.mark(place(7)), lanes.next(now)), (place(7), Some((of.clone(), 0))));
        lanes.done(&of);
        assert!(lanes.has_room_again(&of));
    }

    #[test]
    fn one_event_that_is_not_done_with_stops_the_reading_in_the_end() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        let (stuck, other) = (enterprise(0), enterprise(1));
        lanes.push(&stuck, place(1), 1);
        lanes.next(now);
        for position in 2..=WINDOW_MAX as u64 {
            assert!(lanes.has_room());
            lanes.push(&other, place(position), position);
            lanes.next(now);
            lanes.done(&other);
        }
        assert!(!lanes.has_room());
        lanes.done(&stuck);
        assert!(lanes.has_room());
    }
}
