//! Bound on the memory for hashes of other systems.
//!
//! Hashes of this service all have the configured memory, so the number of cores bounds it. A hash of another system
//! may take up to 1 GiB, so the memory of all of them that run at a time is bounded as well.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::error::Error;
use crate::crypto::password::PasswordHash;

/// For all hashes at a time, in MiB. One hash takes at most as much.
const ALL: u32 = 1024;

const MEBIBYTE: u64 = 1 << 20;

/// One permit for each MiB.
pub(super) struct ForeignMemory(Arc<Semaphore>);

/// Memory of one hash. `None` if that is a MiB or less.
pub(super) type MemoryPermit = Option<OwnedSemaphorePermit>;

impl Default for ForeignMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL as usize)))
    }
}

impl ForeignMemory {
    /// Waits until there is room to verify this hash. The caller has a core, so no more than there are cores wait.
    pub(super) async fn reserve(&self, hash: &PasswordHash) -> Result<MemoryPermit, Error> {
        let share = hash.foreign_memory().div_ceil(MEBIBYTE);
        if share <= 1 {
            return Ok(None);
        }
        let share = u32::try_from(share).map_or(ALL, |share| share.min(ALL));
        let reserved = Arc::clone(&self.0).acquire_many_owned(share).await;
        reserved.map(Some).map_err(|error| Error::Internal(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::{Hashing, PasswordScheme};

    /// A hash that takes this many KiB.
    fn argon2(memory: u32) -> PasswordHash {
        let (salt, output) = ("A".repeat(22), "A".repeat(43));
        let text = format!("$argon2id$v=19$m={memory},t=1,p=1${salt}${output}");
        PasswordHash::parse(PasswordScheme::Argon2, &text).unwrap()
    }

    #[tokio::test]
    async fn large_hashes_wait_for_each_other_and_small_ones_for_none() {
        let memory = Arc::new(ForeignMemory::default());
        let half = memory.reserve(&argon2(512 * 1024)).await.unwrap();
        let other_half = memory.reserve(&argon2(512 * 1024)).await.unwrap();
        assert!(half.is_some() && other_half.is_some());
        let waiting = Arc::clone(&memory);
        let waiting = tokio::spawn(async move { waiting.reserve(&argon2(1024 * 1024)).await });
        tokio::task::yield_now().await;
        let own = Hashing::new(512 * 1024, 1, 1).unwrap();
        assert!(memory.reserve(own.dummy()).await.unwrap().is_none());
        assert!(memory.reserve(&argon2(1024)).await.unwrap().is_none());
        drop(half);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(other_half);
        assert!(waiting.await.unwrap().unwrap().is_some());
    }
}
