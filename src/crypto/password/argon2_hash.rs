//! Argon2 hashes of other systems, as PHC strings (RFC 9106).
//!
//! Each has memory of its own, which is given back at once: the memory that
//! [`hash_memory`](crate::crypto::hash_memory) keeps is of the size of this service's hashes.

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::foreign_error::ForeignHashError;
use super::phc_text::PhcText;
use crate::crypto::CryptoError;

/// Most memory of one hash: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1 << 20;

/// Largest product of memory in KiB and passes: about 8 seconds.
const MAX_WORK: u32 = 1 << 22;

/// Shortest output in bytes. With fewer bytes other passwords would match as well.
const MIN_OUTPUT: usize = 16;

#[derive(Clone)]
pub(super) struct ForeignArgon2 {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl ForeignArgon2 {
    /// Parses a PHC string. Without a version it is of version 0x10, the only one that has none.
    pub(super) fn parse(text: &str) -> Result<Self, ForeignHashError> {
        const MALFORMED: ForeignHashError = ForeignHashError::Malformed;
        let hash = phc::PasswordHash::new(text).map_err(|_| MALFORMED)?;
        let algorithm = Algorithm::new(hash.algorithm).map_err(|_| MALFORMED)?;
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| MALFORMED)?;
        let params = Params::try_from(&hash).map_err(|_| MALFORMED)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else { return Err(MALFORMED) };
        let has_more = !params.keyid().is_empty() || !params.data().is_empty();
        if has_more || hash.params.iter().count() != 3 || output.len() < MIN_OUTPUT {
            return Err(MALFORMED);
        }
        let (memory, passes) = (params.m_cost(), params.t_cost());
        if memory > MAX_MEMORY_KIB || memory.saturating_mul(passes) > MAX_WORK {
            return Err(ForeignHashError::TooExpensive);
        }
        let (salt, output) = (salt.to_vec(), output.as_bytes().to_vec());
        Ok(Self { algorithm, version, params, salt, output })
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, CryptoError> {
        const FAILED: CryptoError = CryptoError("verifying an Argon2 hash");
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let mut blocks = Vec::new();
        let count = self.params.block_count();
        blocks.try_reserve_exact(count).map_err(|_| FAILED)?;
        blocks.resize(count, Block::new());
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        argon2
            .hash_password_into_with_memory(password, &self.salt, &mut output, &mut blocks)
            .map_err(|_| FAILED)?;
        Ok(verify_slices_are_equal(&output, &self.output).is_ok())
    }

    /// Memory that a verification takes, in bytes.
    pub(super) fn memory(&self) -> u64 {
        u64::from(self.params.m_cost()) * 1024
    }

    pub(super) fn dummy(&self) -> Self {
        Self { salt: vec![0; 16], output: vec![0; self.output.len()], ..self.clone() }
    }

    pub(super) fn text(&self) -> String {
        let params = &self.params;
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (algorithm, version) = (self.algorithm.as_str(), u32::from(self.version));
        let parameters = format!("${algorithm}$v={version}$m={memory},t={passes},p={lanes}");
        PhcText::write(&parameters, &self.salt, &self.output)
    }
}
