//! Reuse of Argon2's memory between hashes that run at the same time.
//!
//! The library allocates the memory of each hash anew. The page faults of a fresh block cost a third of a
//! hash: at 19 MiB and two passes, two threads that hash all the time need 19.8 ms of CPU a hash with reuse
//! and 29.3 ms without it (medians of seven rounds), at the same peak of memory. So a block is kept for the
//! next hash as long as another hash runs. The memory held is never more than the most hashes at a time have
//! needed, and none while nothing is hashed: see [`MIN_CAPACITY`].

use argon2::password_hash::{CustomizedPasswordHasher, Error, Result, phc};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;

use crate::redacted::redacted_debug;

/// Blocks, of 1 KiB each, to reserve at least. glibc's allocator returns only allocations of more than 32 MiB to
/// the system whenever they are freed. Others it may keep, one for each thread that ever hashed. Reserved blocks
/// that no hash writes to take no memory.
const MIN_CAPACITY: usize = 33 * 1024;

/// Hashes with the parameters that each call brings. Verification follows from the library's blanket
/// implementation.
#[derive(Default)]
pub(super) struct Argon2Hasher {
    pool: Mutex<MemoryPool>,
}

#[derive(Default)]
struct MemoryPool {
    running_hashes: usize,
    spare: Vec<Vec<Block>>,
}

redacted_debug!(Argon2Hasher);

impl Argon2Hasher {
    fn borrow_memory(&self) -> Memory<'_> {
        let mut pool = self.pool.lock();
        pool.running_hashes += 1;
        let blocks = pool.spare.pop().unwrap_or_default();
        Memory { pool: &self.pool, blocks }
    }
}

/// Memory of one hash. It goes back to the pool when dropped.
struct Memory<'a> {
    pool: &'a Mutex<MemoryPool>,
    blocks: Vec<Block>,
}

impl Memory<'_> {
    /// `count` blocks with any content; Argon2 overwrites all of it.
    fn blocks(&mut self, count: usize) -> Result<&mut [Block]> {
        let more = count.max(MIN_CAPACITY).saturating_sub(self.blocks.len());
        self.blocks.try_reserve_exact(more).map_err(|_| Error::OutOfMemory)?;
        self.blocks.resize(count, Block::new());
        Ok(&mut self.blocks)
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        let mut pool = self.pool.lock();
        pool.running_hashes -= 1;
        if pool.running_hashes == 0 {
            pool.spare = Vec::new();
        } else {
            pool.spare.push(std::mem::take(&mut self.blocks));
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
        let mut memory = self.borrow_memory();
        let blocks = memory.blocks(params.block_count())?;
        argon2.hash_password_into_with_memory(password, &salt, output, blocks)?;

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
        let other = hasher.borrow_memory();
        for memory in [64, 8, 128] {
            assert_librarys(&hasher, Algorithm::Argon2id, &params(memory, 2));
            assert_librarys(&hasher, Algorithm::Argon2i, &params(memory, 3));
            assert_eq!(hasher.pool.lock().spare.len(), 1, "the next hash reuses it");
        }
        drop(other);
        assert!(hasher.pool.lock().spare.is_empty(), "nothing is hashed");
    }
}
