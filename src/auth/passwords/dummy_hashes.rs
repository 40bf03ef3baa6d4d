//! Dummy hashes, which no password matches, for names without an account.
//!
//! Invariant: a login by a name that nobody has costs what a login by an account's name costs. Accounts
//! keep the scheme and the parameters that they were hashed with until they log in, so after a move from another
//! system, or a change of the parameters, there are several kinds of hashes. A name that nobody has gets one of these kinds, as often as accounts
//! have it, and always the same one, so the duration does not tell whether the name has an account. As
//! accounts log in and are rehashed, such names get today's parameters as well.

use parking_lot::{Mutex, MutexGuard};

use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::PasswordHash;

/// Most kinds of hashes. A site that has had several versions of Django may have one kind for each.
const MAX_KINDS: usize = 32;

pub(super) struct DummyHashes {
    /// Of today's parameters.
    todays: PasswordHash,
    kinds: Mutex<Vec<Kind>>,
}

struct Kind {
    dummy: PasswordHash,
    accounts: u32,
}

impl DummyHashes {
    pub(super) fn new(todays: PasswordHash) -> Self {
        Self { todays, kinds: Mutex::default() }
    }

    pub(super) fn of(&self, key: &BlindIndexKey, name: &str) -> PasswordHash {
        // Rendezvous hashing by weight: as the share of a kind grows names move into it, and between
        // the others none does.
        let distance = |kind: &Kind| {
            let [a, b, c, d, ..] =
                key.of(&[b"dummy", name.as_bytes(), kind.dummy.as_str().as_bytes()]);
            let draw =
                (f64::from(u32::from_be_bytes([a, b, c, d])) + 1.0) / (f64::from(u32::MAX) + 2.0);
            -draw.ln() / f64::from(kind.accounts)
        };
        let kinds = self.kinds();
        let nearest = kinds.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or_else(|| self.todays.clone(), |kind| kind.dummy.clone())
    }

    /// Sets the count of accounts for each kind of hash.
    pub(super) fn set(&self, counts: &[(PasswordHash, u32)]) {
        let mut kinds = self.kinds();
        kinds.clear();
        for (hash, accounts) in counts {
            self.add(&mut kinds, hash, *accounts);
        }
    }

    /// Counts one more account with a hash of this kind.
    pub(super) fn note(&self, hash: &PasswordHash) {
        self.add(&mut self.kinds(), hash, 1);
    }

    fn add(&self, kinds: &mut Vec<Kind>, hash: &PasswordHash, accounts: u32) {
        let dummy = hash.dummy();
        if let Some(kind) = kinds.iter_mut().find(|kind| kind.dummy == dummy) {
            kind.accounts = kind.accounts.saturating_add(accounts);
        } else if kinds.len() < MAX_KINDS || dummy == self.todays {
            kinds.push(Kind { dummy, accounts });
        }
    }

    fn kinds(&self) -> MutexGuard<'_, Vec<Kind>> {
        self.kinds.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::{Hashing, PasswordScheme};
    use crate::crypto::secret::MasterSecrets;

    fn hash(memory: u32) -> PasswordHash {
        Hashing::new(memory, 1, 1).unwrap().dummy().clone()
    }

    fn key() -> BlindIndexKey {
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        BlindIndexKey::derive(&secrets).unwrap()
    }

    fn names() -> impl Iterator<Item = String> {
        (0..1000).map(|n| format!("name{n}"))
    }

    #[test]
    fn names_have_each_kind_as_often_as_accounts_and_keep_it() {
        let (dummies, key) = (DummyHashes::new(hash(64)), key());
        assert!(names().all(|name| dummies.of(&key, &name) == hash(64)), "no accounts");
        dummies.set(&[(hash(64), 300), (hash(8), 600), (hash(16), 100)]);
        let before: Vec<_> = names().map(|name| dummies.of(&key, &name)).collect();
        let old = before.iter().filter(|dummy| **dummy == hash(8)).count();
        assert!((550..650).contains(&old), "{old}");
        // As accounts log in they move to today's, and so do names: none moves back.
        for _ in 0..500 {
            dummies.note(&hash(64));
        }
        let after = names().map(|name| dummies.of(&key, &name));
        let moved: Vec<_> = before.into_iter().zip(after).filter(|(a, b)| a != b).collect();
        assert!(!moved.is_empty() && moved.iter().all(|(_, new)| *new == hash(64)));
        dummies.set(&[(hash(8), 1)]);
        assert!(names().all(|name| dummies.of(&key, &name) == hash(8)));
    }

    #[test]
    fn names_have_the_hashes_of_other_systems_as_well() {
        let (dummies, key) = (DummyHashes::new(hash(64)), key());
        let pbkdf2 = |salt: &str| {
            let text = format!("pbkdf2_sha256$1000${salt}${}=", "A".repeat(43));
            PasswordHash::parse(PasswordScheme::Pbkdf2, &text).unwrap()
        };
        // Salts of two versions of Django are no two kinds.
        dummies.set(&[(hash(64), 400), (pbkdf2("short"), 300), (pbkdf2(&"l".repeat(22)), 300)]);
        let of_names: Vec<_> = names().map(|name| dummies.of(&key, &name)).collect();
        let foreign = of_names.iter().filter(|dummy| **dummy == pbkdf2("any").dummy()).count();
        let own = of_names.iter().filter(|dummy| **dummy == hash(64)).count();
        assert!((550..650).contains(&foreign) && foreign + own == 1000, "{foreign}, {own}");
    }

    #[test]
    fn there_are_so_many_kinds_and_todays() {
        let (dummies, key) = (DummyHashes::new(hash(1000)), key());
        let kinds: Vec<_> = (0..100).map(|n| (hash(8 + n), 1)).collect();
        dummies.set(&kinds);
        dummies.note(&hash(1000));
        let mut seen: Vec<_> =
            names().map(|name| dummies.of(&key, &name).as_str().to_owned()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), MAX_KINDS + 1);
    }
}
