//! Places for connections: so many in all, and so many for one peer address.
//!
//! When they are all taken, who comes next gets the place of an idle connection: of one on which nobody has shown yet who
//! it is, else of one that has been idle for a while; from where most of these come, the one that has been idle for longest.
//! So any number of connections that do nothing keeps nobody out and drives away nobody who works. Where all are at work,
//! a few spare ones are taken all the same, on which the health can be asked for and all else is refused in words.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Duration, Instant};

use super::{
    metrics,
    usage::{Ending, Idle, Usage},
};

/// How long a connection must have been idle on which somebody has worked before it is given up for another.
const IDLE_MIN: Duration = Duration::from_secs(1);

/// How many connections there may be beyond the places.
const SPARE_MAX: usize = 16;

/// How many connections that were given up may be about to end gently; others end at once.
const LEAVING_MAX: usize = 64;

/// The places.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    most_of_address: usize,
    resets_per_second_max: u32,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    connections: HashMap<u64, Arc<Usage>>,
    of_address: HashMap<IpAddr, usize>,
    spare: usize,
    /// Which have lost their place and are not closed yet.
    leaving: HashSet<u64>,
}

/// A place, until it is dropped or given to another connection.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) usage: Arc<Usage>,
    places: Arc<Places>,
}

/// What counts as one peer: an address, or a network of IPv6 such as one customer gets.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

impl Places {
    pub(super) fn new(
        most: usize,
        most_of_address: usize,
        resets_per_second_max: u32,
    ) -> Arc<Self> {
        let taken = Mutex::default();
        Arc::new(Self { most, most_of_address, resets_per_second_max, taken })
    }

    /// A place for a connection from `address`, or a spare one; none when all that the address may have are at work.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let (address, now) = (peer(address), Instant::now());
        let mut taken = self.taken();
        let own = taken.of_address.get(&address).copied().unwrap_or_default();
        // Where one address may have them all, as a proxy, it is not too many that it has, but all that there are.
        let shared = self.most_of_address < self.most && own >= self.most_of_address;
        if shared && !taken.make_room(now, |it| it.peer == address) {
            metrics::ended("address");
            return None;
        }
        let full = taken.connections.len() - taken.spare >= self.most;
        let spare = full && !taken.make_room(now, |it| !it.spare);
        if spare && taken.spare >= SPARE_MAX {
            // Nobody works on these, so one of them always can.
            taken.make_room(now, |it| it.spare);
        }
        let id = taken.next;
        taken.next += 1;
        let usage = Arc::new(Usage::new(id, address, spare, self.resets_per_second_max));
        taken.connections.insert(id, Arc::clone(&usage));
        taken.spare += usize::from(spare);
        *taken.of_address.entry(address).or_default() += 1;
        metrics::OPEN.inc();
        Some(Place { usage, places: Arc::clone(self) })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Gives up the first of these to go, if any is idle.
    fn make_room(&mut self, now: Instant, among: impl Fn(&Usage) -> bool) -> bool {
        let among = self.connections.values().filter(|it| among(it));
        let idle = among.filter_map(|it| Some((it.idle(now)?, Arc::clone(it))));
        let (known, unknown): (Vec<_>, Vec<_>) = idle.partition(|(idle, _)| idle.known);
        let known = known.into_iter().filter(|(idle, _)| idle.since >= IDLE_MIN).collect();
        let Some((idle, usage)) = first_to_go(unknown).or_else(|| first_to_go(known)) else {
            return false;
        };
        self.remove(&usage);
        let gently = idle.known && self.leaving.len() < LEAVING_MAX;
        if gently {
            self.leaving.insert(usage.id);
        }
        usage.end(if gently { Ending::Gently } else { Ending::AtOnce });
        metrics::ended("idle");
        true
    }

    fn remove(&mut self, usage: &Usage) {
        self.leaving.remove(&usage.id);
        if self.connections.remove(&usage.id).is_none() {
            return;
        }
        metrics::OPEN.dec();
        self.spare -= usize::from(usage.spare);
        match self.of_address.get_mut(&usage.peer) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(self.of_address.remove(&usage.peer)),
        }
    }
}

/// The one that has been idle for longest, from where most come.
fn first_to_go(idle: Vec<(Idle, Arc<Usage>)>) -> Option<(Idle, Arc<Usage>)> {
    let mut from: HashMap<IpAddr, usize> = HashMap::new();
    for (_, usage) in &idle {
        *from.entry(usage.peer).or_default() += 1;
    }
    idle.into_iter().max_by_key(|(idle, usage)| (from.get(&usage.peer).copied(), idle.since))
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(&self.usage);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::usage::OpenCall, *};

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    async fn pass(time: Duration) {
        tokio::time::advance(time).await;
    }

    /// A connection on which somebody has worked.
    fn known(places: &Arc<Places>, address: IpAddr) -> Place {
        let place = places.take(address).unwrap();
        drop(OpenCall::begin(&place.usage).answered(true));
        place
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_known_makes_room_first_and_then_who_has_been_idle_for_longest() {
        let places = Places::new(3, 9, 10);
        let first = known(&places, A);
        pass(IDLE_MIN / 2).await;
        let (second, third) = (known(&places, A), places.take(B).unwrap());
        let fourth = places.take(B).unwrap();
        assert_eq!(third.usage.ending(), Some(Ending::AtOnce), "nobody knows who it is");
        let call = OpenCall::begin(&fourth.usage);
        pass(IDLE_MIN / 2).await;
        let fifth = places.take(B).unwrap();
        assert_eq!(first.usage.ending(), Some(Ending::Gently), "idle for longest");
        assert!(second.usage.ending().is_none() && fourth.usage.ending().is_none());
        drop((first, third));
        assert_eq!(places.taken().connections.len(), 3, "their places are others'");
        assert!(places.taken().leaving.is_empty());
        drop(call.answered(true));
        drop((second, fourth, fifth));
        assert!(places.taken().of_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn those_make_room_of_whom_there_are_most() {
        let places = Places::new(5, 9, 10);
        let mut few = vec![places.take(A).unwrap()];
        pass(IDLE_MIN).await;
        let mut many: Vec<_> = (0..100).map(|_| places.take(B).unwrap()).collect();
        few.push(places.take(A).unwrap());
        many.extend((0..100).map(|_| places.take(B).unwrap()));
        assert!(few.iter().all(|it| it.usage.ending().is_none()), "others are far more");
        assert_eq!(many.iter().filter(|it| it.usage.ending().is_none()).count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_takes_only_its_share_and_gives_up_its_own() {
        let places = Places::new(10, 2, 10);
        let other = places.take(B).unwrap();
        let (first, second) = (known(&places, A), known(&places, A));
        assert!(places.take(A).is_none(), "both have just been at work");
        pass(IDLE_MIN).await;
        let third = places.take(A).unwrap();
        assert!(first.usage.ending().is_some() || second.usage.ending().is_some());
        assert!(other.usage.ending().is_none() && third.usage.ending().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_places_at_work_there_are_a_few_spare_ones() {
        let places = Places::new(1, 100, 10);
        let first = places.take(A).unwrap();
        let call = OpenCall::begin(&first.usage);
        let spare: Vec<_> = (0..SPARE_MAX).map(|_| places.take(B).unwrap()).collect();
        assert!(spare.iter().all(|it| it.usage.spare && it.usage.ending().is_none()));
        let one_more = places.take(A).unwrap();
        assert!(one_more.usage.spare && first.usage.ending().is_none());
        assert_eq!(spare.iter().filter(|it| it.usage.ending().is_some()).count(), 1);
        drop(call.answered(true));
        drop(first);
        assert!(!places.take(A).unwrap().usage.spare);
        drop((spare, one_more));
        assert!(places.taken().connections.is_empty() && places.taken().spare == 0);
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer_and_an_ipv4_address_is_one_however_it_is_written() {
        let of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), A);
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
