//! Least-recently-used cache with a bound on its entries and on their total weight.
//!
//! Owns its lock, which is held for a lookup or a change and never while a value is computed. A cache
//! takes memory for the entries that it has, not for its bound.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;

use lru::LruCache;
use parking_lot::Mutex;

/// Values by their keys, shared between threads. The least recently used entries are evicted once the
/// cache is over a bound.
pub struct BoundedCache<K, V> {
    state: Mutex<State<K, V>>,
    max_entries: usize,
    max_weight: usize,
    weigh: fn(&K, &V) -> usize,
}

struct State<K, V> {
    entries: LruCache<K, V>,
    /// Sum of the entries' weights.
    weight: usize,
}

impl<K: Hash + Eq, V> BoundedCache<K, V> {
    /// A cache that is bounded by the number of its entries alone.
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        Self::weighted(max_entries, usize::MAX, |_, _| 0)
    }

    /// A cache that is also bounded by the sum of what `weigh` says of each entry, which must not
    /// change while the entry is in the cache. An entry heavier than the bound is not kept.
    #[must_use]
    pub fn weighted(max_entries: usize, max_weight: usize, weigh: fn(&K, &V) -> usize) -> Self {
        // `LruCache::new` would allocate its bound at once.
        let state = State { entries: LruCache::unbounded(), weight: 0 };
        Self { state: Mutex::new(state), max_entries, max_weight, weigh }
    }

    /// The value of a key, which becomes the most recently used one.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        V: Clone,
    {
        self.state.lock().entries.get(key).cloned()
    }

    /// The value of a key if it is still valid. A value that is not is removed.
    pub fn get_if<Q>(&self, key: &Q, is_valid: impl FnOnce(&V) -> bool) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        V: Clone,
    {
        let mut state = self.state.lock();
        match state.entries.get(key) {
            Some(value) if is_valid(value) => Some(value.clone()),
            Some(_) => {
                state.remove(key, self.weigh);
                None
            }
            None => None,
        }
    }

    /// Inserts a value, or replaces the one of the same key.
    pub fn insert(&self, key: K, value: V) {
        self.insert_locked(&mut self.state.lock(), key, value);
    }

    /// Changes the value of a key, beginning with the default if there is none.
    pub fn update(&self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        let mut state = self.state.lock();
        let mut value = state.remove(&key, self.weigh).unwrap_or_default();
        change(&mut value);
        self.insert_locked(&mut state, key, value);
    }

    fn insert_locked(&self, state: &mut State<K, V>, key: K, value: V) {
        let weight = (self.weigh)(&key, &value);
        // It would evict all others before itself.
        if weight > self.max_weight {
            state.remove(&key, self.weigh);
            return;
        }
        state.weight += weight;
        if let Some((key, replaced)) = state.entries.push(key, value) {
            state.weight -= (self.weigh)(&key, &replaced);
        }
        while state.entries.len() > self.max_entries || state.weight > self.max_weight {
            let Some((key, value)) = state.entries.pop_lru() else { break };
            state.weight -= (self.weigh)(&key, &value);
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.state.lock().entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the entries' weights.
    pub fn weight(&self) -> usize {
        self.state.lock().weight
    }
}

impl<K: Hash + Eq, V> State<K, V> {
    fn remove<Q>(&mut self, key: &Q, weigh: fn(&K, &V) -> usize) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (key, value) = self.entries.pop_entry(key)?;
        self.weight -= weigh(&key, &value);
        Some(value)
    }
}

/// Keys and values are left out: they may be secret, and they are many.
impl<K: Hash + Eq, V> fmt::Debug for BoundedCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("BoundedCache");
        debug.field("len", &self.len()).field("weight", &self.weight()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_entry_is_evicted() {
        let cache = BoundedCache::new(2);
        for number in 0..10 {
            cache.insert(number, number);
            assert_eq!(cache.get(&0), Some(0));
        }
        assert_eq!((cache.len(), cache.get(&8), cache.get(&9)), (2, None, Some(9)));
    }

    #[test]
    fn the_weight_of_all_entries_is_bounded() {
        let cache =
            BoundedCache::weighted(10, 10, |key: &String, value: &&str| key.len() + value.len());
        cache.insert("a".to_owned(), "1234");
        cache.insert("b".to_owned(), "1234");
        assert_eq!((cache.len(), cache.weight()), (2, 10));
        cache.insert("a".to_owned(), "1");
        assert_eq!((cache.len(), cache.weight()), (2, 7));
        cache.insert("c".to_owned(), "123");
        assert_eq!((cache.get("b"), cache.weight()), (None, 6));
    }

    #[test]
    fn an_entry_heavier_than_the_bound_evicts_only_its_predecessor() {
        let cache = BoundedCache::weighted(10, 4, |_: &u8, value: &String| value.len());
        cache.insert(1, "12".to_owned());
        cache.insert(2, "12".to_owned());
        cache.insert(2, "12345".to_owned());
        assert_eq!((cache.get(&1), cache.get(&2)), (Some("12".to_owned()), None));
        assert_eq!(cache.weight(), 2);
    }

    #[test]
    fn a_value_that_is_no_longer_valid_is_removed() {
        let cache = BoundedCache::weighted(10, 10, |_: &u8, _: &u8| 1);
        cache.insert(1, 7);
        assert_eq!(cache.get_if(&1, |value| *value == 7), Some(7));
        assert_eq!(cache.get_if(&1, |value| *value == 8), None);
        assert_eq!((cache.get(&1), cache.weight()), (None, 0));
        assert_eq!(cache.get_if(&1, |_| true), None);
    }

    #[test]
    fn an_update_begins_with_the_default() {
        let cache = BoundedCache::weighted(10, 10, |_: &u8, value: &Vec<u8>| value.len());
        for number in 0..3 {
            cache.update(1, |value| value.push(number));
        }
        assert_eq!((cache.get(&1), cache.weight()), (Some(vec![0, 1, 2]), 3));
    }

    #[test]
    fn what_it_holds_is_not_printed() {
        let cache = BoundedCache::new(2);
        cache.insert("key", "value");
        assert_eq!(format!("{cache:?}"), "BoundedCache { len: 1, weight: 0, .. }");
    }
}
