//! Quotas of what clients hold open at once: in total, per address and network, and per key.
//!
//! A permit is counted from its acquisition until it is dropped. An acquisition never waits: it fails
//! where a quota is used up.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::filter::IpBlock;
use crate::domain::throttle::{address, network};

/// Quota of a network (IPv4 /24, IPv6 /48) as a multiple of the quota of an address. One client may
/// own every address of such a network.
const ADDRESSES_PER_NETWORK: usize = 4;

/// Quota in total and per client address.
#[derive(Debug)]
pub(super) struct Quota {
    max_total: usize,
    max_per_address: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    total: usize,
    sources: Counts<IpBlock>,
}

/// One unit of a [`Quota`], returned on drop.
#[derive(Debug)]
pub(super) struct Permit {
    quota: Arc<Quota>,
    ip: Option<IpAddr>,
}

impl Quota {
    pub(super) fn new(max_total: usize, max_per_address: usize) -> Self {
        Self { max_total, max_per_address, used: Mutex::default() }
    }

    /// Acquires a permit for a client at this address; without an address only the total counts.
    /// `None` where the quota of the total, the address or its network is used up.
    pub(super) fn acquire(self: &Arc<Self>, ip: Option<IpAddr>) -> Option<Permit> {
        let mut used = self.used.lock();
        if used.total >= self.max_total {
            return None;
        }
        if let Some(ip) = ip {
            let max_per_network = self.max_per_address.saturating_mul(ADDRESSES_PER_NETWORK);
            used.sources.add(address(ip), self.max_per_address)?;
            if used.sources.add(network(ip), max_per_network).is_none() {
                used.sources.remove(&address(ip));
                return None;
            }
        }
        used.total += 1;
        Some(Permit { quota: Arc::clone(self), ip })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.quota.used.lock();
        used.total -= 1;
        if let Some(ip) = self.ip {
            used.sources.remove(&address(ip));
            used.sources.remove(&network(ip));
        }
    }
}

/// Quota per key, such as a user.
#[derive(Debug)]
pub(super) struct KeyQuota<K: Copy + Hash + Eq> {
    max_per_key: usize,
    used: Mutex<Counts<K>>,
}

/// One unit of a [`KeyQuota`], returned on drop.
#[derive(Debug)]
pub(super) struct KeyPermit<K: Copy + Hash + Eq> {
    quota: Arc<KeyQuota<K>>,
    key: K,
}

impl<K: Copy + Hash + Eq> KeyQuota<K> {
    pub(super) fn new(max_per_key: usize) -> Self {
        Self { max_per_key, used: Mutex::default() }
    }

    /// `None` where the quota of this key is used up.
    pub(super) fn acquire(self: &Arc<Self>, key: K) -> Option<KeyPermit<K>> {
        self.used.lock().add(key, self.max_per_key)?;
        Some(KeyPermit { quota: Arc::clone(self), key })
    }
}

impl<K: Copy + Hash + Eq> Drop for KeyPermit<K> {
    fn drop(&mut self) {
        self.quota.used.lock().remove(&self.key);
    }
}

/// Count per key. Keys of count 0 are not stored, so the map does not grow with past clients.
#[derive(Debug)]
struct Counts<K>(HashMap<K, usize>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Counts<K> {
    /// Increments the count of `key`; `None` where it is `max` already.
    fn add(&mut self, key: K, max: usize) -> Option<()> {
        let count = self.0.get(&key).copied().unwrap_or(0);
        if count >= max {
            return None;
        }
        self.0.insert(key, count + 1);
        Some(())
    }

    fn remove(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_has_its_share_leaves_the_rest_to_others() {
        let quota = Arc::new(Quota::new(5, 2));
        let from = |text: &str| quota.acquire(Some(ip(text)));
        let (first, _second) = (from("192.0.2.1").unwrap(), from("192.0.2.1").unwrap());
        assert!(from("192.0.2.1").is_none());
        // Two addresses of one IPv6 /64 count as one address.
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
        let quota = Arc::new(Quota::new(100, 2));
        let from = |text: String| quota.acquire(Some(ip(&text)));
        let mut permits: Vec<_> = (0..10).map(|n| from(format!("2001:db8:0:{n}::1"))).collect();
        permits.extend((0..10).map(|n| from(format!("192.0.2.{n}"))));
        permits.extend((0..10).map(|n| from(format!("64:ff9b::198.51.100.{n}"))));
        assert_eq!(permits.iter().filter(|permit| permit.is_some()).count(), 24);
        assert!(from("2001:db8:1::1".to_owned()).is_some());
        drop(permits);
        assert!(quota.used.lock().sources.0.is_empty());
    }

    #[test]
    fn without_an_address_only_the_total_counts() {
        let quota = Arc::new(Quota::new(3, 1));
        let permits: Vec<_> = (0..4).map(|_| quota.acquire(None)).collect();
        assert_eq!(permits.iter().filter(|permit| permit.is_some()).count(), 3);
    }

    #[test]
    fn each_key_has_its_own_quota() {
        let quota = Arc::new(KeyQuota::new(1));
        let first = quota.acquire("ada").unwrap();
        assert!(quota.acquire("ada").is_none() && quota.acquire("bob").is_some());
        drop(first);
        assert!(quota.acquire("ada").is_some());
        assert!(quota.used.lock().0.is_empty());
    }
}
