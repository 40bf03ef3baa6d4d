//! How many connections there may be: in all, from one address and from its network.
//!
//! Rule: neither takes so many that others find none left. A trusted proxy and this machine, where
//! one may run, are no addresses in that sense: everybody who comes through would share one number.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use crate::http::counts::BySource;

/// All places for connections.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_source: BySource,
}

/// A place, which is free again once this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    counted: Option<IpAddr>,
}

impl Places {
    /// A place for a connection from there; `None` where there is none left for it.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr, limits: &Limits) -> Option<Place> {
        let peer = peer.to_canonical();
        let is_shared = peer.is_loopback() || limits.is_shared(peer);
        let counted = (!is_shared).then_some(peer);
        let mut taken = self.lock();
        if taken.all >= limits.connections {
            return None;
        }
        if let Some(ip) = counted {
            taken.by_source.take(ip, limits.of_address)?;
        }
        taken.all += 1;
        Some(Place { places: Arc::clone(self), counted })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(ip) = self.counted {
            taken.by_source.free(ip);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::IpBlock;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_has_its_share_leaves_the_rest_to_others() {
        let places = Arc::new(Places::default());
        let limits = Limits { connections: 5, of_address: 2, ..Limits::default() };
        let from = |text: &str| places.take(ip(text), &limits);
        let (first, _second) = (from("192.0.2.1").unwrap(), from("192.0.2.1").unwrap());
        assert!(from("192.0.2.1").is_none() && from("::ffff:192.0.2.1").is_none());
        // The addresses of one household, and another's.
        let (_third, _fourth) = (from("2001:db8::1").unwrap(), from("2001:db8::ff:2").unwrap());
        assert!(from("2001:db8::3").is_none());
        let fifth = from("192.0.2.2").unwrap();
        assert!(from("192.0.2.3").is_none(), "there are five");
        drop(fifth);
        assert!(from("192.0.2.1").is_none());
        drop(first);
        assert!(from("192.0.2.1").is_some());
    }

    #[test]
    fn a_network_has_the_share_of_four_addresses() {
        let places = Arc::new(Places::default());
        let limits = Limits { connections: 100, of_address: 2, ..Limits::default() };
        let from = |text: String| places.take(ip(&text), &limits);
        let mut taken: Vec<_> = (0..10).map(|n| from(format!("2001:db8:0:{n}::1"))).collect();
        taken.extend((0..10).map(|n| from(format!("192.0.2.{n}"))));
        taken.extend((0..10).map(|n| from(format!("64:ff9b::198.51.100.{n}"))));
        assert_eq!(taken.iter().filter(|place| place.is_some()).count(), 24);
        assert!(from("2001:db8:1::1".to_owned()).is_some());
        drop(taken);
        assert!(places.lock().by_source.is_empty());
    }

    #[test]
    fn whoever_many_come_through_is_bounded_by_the_whole_alone() {
        let places = Arc::new(Places::default());
        let mut limits = Limits { connections: 10, of_address: 1, ..Limits::default() };
        limits.shared.push(IpBlock::parse("192.0.2.0/24").unwrap());
        let peers = ["192.0.2.1", "127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1"];
        let taken: Vec<_> = [peers, peers].concat().iter().map(|peer| ip(peer)).collect();
        let taken: Vec<_> = taken.into_iter().map(|peer| places.take(peer, &limits)).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(places.take(ip("127.0.0.1"), &limits).is_none());
    }
}
