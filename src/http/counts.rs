//! How many of something each client has, up to a bound.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use crate::domain::filter::IpBlock;
use crate::domain::throttle::{address, network};

/// How many times as much as one address a network may have: an IPv4 /24 or an IPv6 /48, of which one
/// client may have every address.
const OF_NETWORK: usize = 4;

/// How many each address has, and each network.
#[derive(Debug, Default)]
pub(super) struct BySource(HashMap<IpBlock, usize>);

impl BySource {
    /// Counts one more for this address; `None` where it or its network has the most already.
    pub(super) fn take(&mut self, ip: IpAddr, most: usize) -> Option<()> {
        take(&mut self.0, address(ip), most)?;
        let taken = take(&mut self.0, network(ip), most.saturating_mul(OF_NETWORK));
        if taken.is_none() {
            free(&mut self.0, &address(ip));
        }
        taken
    }

    /// Counts one less.
    pub(super) fn free(&mut self, ip: IpAddr) {
        free(&mut self.0, &address(ip));
        free(&mut self.0, &network(ip));
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Counts one more under this key; `None` where it has the most already.
pub(super) fn take<K: Hash + Eq>(taken: &mut HashMap<K, usize>, key: K, most: usize) -> Option<()> {
    let count = taken.get(&key).copied().unwrap_or(0);
    if count >= most {
        return None;
    }
    taken.insert(key, count + 1);
    Some(())
}

/// Counts one less.
pub(super) fn free<K: Hash + Eq>(taken: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = taken.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            taken.remove(key);
        }
    }
}
