//! Argon2 in memory that goes back to the system.
//!
//! Rule: what is hashed at a time is all that is held, and where nothing is hashed, nothing. The
//! library frees its memory as well, but what has up to 32 MiB, the system's allocator keeps for the
//! next time, in pieces of many threads that soon do not fit: a burst of logins left hundreds of
//! megabytes behind. A larger block is always one of the system's own. Of those here only the first
//! part is touched, so that the rest costs nothing. While others hash, a block goes from hand to
//! hand: to have each page of it made anew takes a quarter of a hash.

use std::fmt;

use argon2::password_hash::{CustomizedPasswordHasher, Error, Result, phc};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::{Mutex, MutexGuard};

/// How many bytes are more than glibc ever keeps (`DEFAULT_MMAP_THRESHOLD_MAX`).
const NEVER_KEPT: usize = 33 * 1024 * 1024;

/// Hashes by the parameters that it is given. That it verifies as well follows.
#[derive(Default)]
pub(super) struct Argon2Hasher {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// How many hash.
    busy: usize,
    /// Blocks that nobody uses at the moment.
    spare: Vec<Vec<Block>>,
}

/// Without what it holds, which comes of passwords.
impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Hasher")
    }
}

impl Argon2Hasher {
    fn begin(&self) -> Turn<'_> {
        let mut held = self.held();
        held.busy += 1;
        let memory = held.spare.pop().unwrap_or_default();
        Turn { hasher: self, memory }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}

/// One who hashes, and the memory for it.
struct Turn<'a> {
    hasher: &'a Argon2Hasher,
    memory: Vec<Block>,
}

impl Turn<'_> {
    /// So many blocks, whatever is in them.
    fn blocks(&mut self, count: usize) -> Result<&mut [Block]> {
        let wanted = count.max(NEVER_KEPT / Block::SIZE);
        let more = wanted.saturating_sub(self.memory.len());
        self.memory.try_reserve_exact(more).map_err(|_| Error::OutOfMemory)?;
        self.memory.resize(count, Block::new());
        Ok(&mut self.memory)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut held = self.hasher.held();
        held.busy -= 1;
        if held.busy == 0 {
            held.spare = Vec::new();
        } else {
            held.spare.push(std::mem::take(&mut self.memory));
        }
    }
}

impl CustomizedPasswordHasher<phc::PasswordHash> for Argon2Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<phc::PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let salt = phc::Salt::new(salt)?;
        let argon2 = Argon2::new(algorithm, version, params);
        let params = argon2.params();

        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut output = [0; phc::Output::MAX_LENGTH];
        let output = output.get_mut(..length).ok_or(Error::OutputSize)?;
        let mut turn = self.begin();
        let memory = turn.blocks(params.block_count())?;
        argon2.hash_password_into_with_memory(password, &salt, output, memory)?;

        Ok(phc::PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: phc::ParamsString::try_from(params)?,
            salt: Some(salt),
            hash: Some(phc::Output::new(output)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    fn assert_librarys(hasher: &Argon2Hasher, algorithm: Algorithm, params: &Params) {
        const SALT: &[u8] = b"0123456789abcdef";
        let version = Version::V0x13;
        let library = Argon2::new(algorithm, version, params.clone());
        let theirs = library.hash_password_with_salt(b"orbit", SALT).unwrap();
        let (name, version) = (Some(algorithm.as_str()), Some(version.into()));
        let ours = hasher.hash_password_customized(b"orbit", SALT, name, version, params.clone());
        assert_eq!(ours.unwrap().to_string(), theirs.to_string());
        assert!(hasher.verify_password(b"orbit", &theirs).is_ok());
        let other = hasher.verify_password(b"orbit ", &theirs);
        assert!(matches!(other, Err(Error::PasswordInvalid)));
    }

    #[test]
    fn a_hash_is_the_librarys_whatever_was_in_the_memory() {
        let hasher = Argon2Hasher::default();
        let params = |memory, passes| Params::new(memory, passes, 1, None).unwrap();
        assert_librarys(&hasher, Algorithm::Argon2id, &params(64, 2));
        let other = hasher.begin();
        for memory in [64, 8, 128] {
            assert_librarys(&hasher, Algorithm::Argon2id, &params(memory, 2));
            assert_librarys(&hasher, Algorithm::Argon2i, &params(memory, 3));
            assert_eq!(hasher.held().spare.len(), 1, "it goes from hand to hand");
        }
        drop(other);
        assert!(hasher.held().spare.is_empty(), "nobody hashes");
    }
}
