//! How many of something each client has, up to a bound.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts one more under this key; `None` where it has the most already.
pub(super) fn take<K: Hash + Eq>(taken: &mut HashMap<K, usize>, key: K, most: usize) -> Option<()> {
    let count = taken.entry(key).or_default();
    if *count >= most {
        return None;
    }
    *count += 1;
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
