//! Places for connections: so many in all, and so many for one peer address.
//!
//! When they are all taken, who comes next gets the place of the connection that has been idle for longest. So any number of
//! connections that do nothing keeps nobody out, and a connection with a call under way is never given up for another.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Duration, Instant};

use super::{metrics, usage::Usage};

/// How long a connection must have been idle before it is given up for another, so that a new one can begin to speak.
const IDLE_MIN: Duration = Duration::from_secs(1);

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

    /// A place for a connection from `address`; none when all are taken by connections that are at work or have just
    /// begun.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let (address, now) = (peer(address), Instant::now());
        let mut taken = self.taken();
        let own = taken.of_address.get(&address).copied().unwrap_or_default();
        let of_own = own >= self.most_of_address;
        if of_own || taken.connections.len() >= self.most {
            let idle = |usage: &Arc<Usage>| Some((usage.idle_for(now)?, Arc::clone(usage)));
            let candidates = taken.connections.values().filter(|it| !of_own || it.peer == address);
            let longest = candidates.filter_map(idle).max_by_key(|(since, _)| *since);
            match longest.filter(|(since, _)| *since >= IDLE_MIN) {
                Some((_, idle)) => {
                    taken.remove(&idle);
                    idle.end();
                    metrics::ended("idle");
                }
                None => {
                    metrics::ended(if of_own { "address" } else { "full" });
                    return None;
                }
            }
        }
        let id = taken.next;
        taken.next += 1;
        let usage = Arc::new(Usage::new(id, address, now, self.resets_per_second_max));
        taken.connections.insert(id, Arc::clone(&usage));
        *taken.of_address.entry(address).or_default() += 1;
        metrics::OPEN.inc();
        Some(Place { usage, places: Arc::clone(self) })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn remove(&mut self, usage: &Usage) {
        if self.connections.remove(&usage.id).is_none() {
            return;
        }
        metrics::OPEN.dec();
        match self.of_address.get_mut(&usage.peer) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(self.of_address.remove(&usage.peer)),
        }
    }
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

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_makes_room_and_one_at_work_never_does() {
        let places = Places::new(3, 3, 10);
        let first = places.take(A).unwrap();
        let call = OpenCall::begin(&first.usage);
        pass(IDLE_MIN).await;
        let second = places.take(A).unwrap();
        pass(IDLE_MIN).await;
        let third = places.take(B).unwrap();
        assert!(places.taken().connections.len() == 3 && !second.usage.is_over());
        let fourth = places.take(B).unwrap();
        assert!(second.usage.is_over(), "idle for longest");
        assert!(!first.usage.is_over() && !third.usage.is_over());
        assert!(places.take(B).is_none(), "nobody else has been idle for long enough");
        drop(second);
        assert_eq!(places.taken().connections.len(), 3, "its place is another's");
        call.answered();
        drop((first, third, fourth));
        assert!(places.taken().of_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_takes_only_its_share_and_gives_up_its_own() {
        let places = Places::new(10, 2, 10);
        let other = places.take(B).unwrap();
        pass(IDLE_MIN).await;
        let (first, second) = (places.take(A).unwrap(), places.take(A).unwrap());
        assert!(places.take(A).is_none());
        pass(IDLE_MIN).await;
        let third = places.take(A).unwrap();
        assert!(first.usage.is_over() || second.usage.is_over());
        assert!(!other.usage.is_over() && !third.usage.is_over(), "others are left alone");
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
