//! bcrypt hashes: 60 characters, `$2b$COST$`, 22 of salt and 31 of output.
//!
//! - Any system: `bcrypt:$2b$…`, also `$2a` and `$2y`, which are the same function for passwords that are not
//!   malformed.
//! - Django: `bcrypt$$2b$…`, and `bcrypt_sha256$$2b$…` over the digits of the password's SHA-256.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::foreign_error::ForeignHashError;
use super::text_fields::decimal;
use crate::crypto::digest::sha256;
use crate::crypto::encoding::to_hex;

/// A cost of 16 is about 5 seconds; each step doubles it.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Highest cost that the form has.
const MAX_COST: u32 = 31;

/// Bytes of a password that count, with a zero byte after a shorter one. Further bytes are cut off, as the
/// libraries did that made the hashes.
const MAX_KEY: usize = 72;

/// bcrypt's own alphabet.
const BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

#[derive(Clone)]
pub(super) struct BcryptHash {
    cost: u32,
    salt: [u8; 16],
    output: [u8; 23],
    is_of_sha256: bool,
}

impl BcryptHash {
    /// The 60 characters of bcrypt.
    pub(super) fn parse(text: &str, is_of_sha256: bool) -> Result<Self, ForeignHashError> {
        const MALFORMED: ForeignHashError = ForeignHashError::Malformed;
        let text = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| text.strip_prefix(*version));
        let (cost, rest) = text.and_then(|text| text.split_once('$')).ok_or(MALFORMED)?;
        let (salt, output) = rest.split_at_checked(22).ok_or(MALFORMED)?;
        let salt = BASE64.decode(salt).map_err(|_| MALFORMED)?;
        let output = BASE64.decode(output).map_err(|_| MALFORMED)?;
        let salt = salt.try_into().map_err(|_| MALFORMED)?;
        let output = output.try_into().map_err(|_| MALFORMED)?;
        if cost.len() != 2 {
            return Err(MALFORMED);
        }
        let cost = decimal(cost.strip_prefix('0').unwrap_or(cost))?;
        match cost {
            cost if COSTS.contains(&cost) => Ok(Self { cost, salt, output, is_of_sha256 }),
            cost if cost > *COSTS.end() && cost <= MAX_COST => Err(ForeignHashError::TooExpensive),
            _ => Err(MALFORMED),
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let digits = self.is_of_sha256.then(|| Zeroizing::new(to_hex(&sha256(password))));
        let password = digits.as_ref().map_or(password, |digits| digits.as_bytes());
        let key = password.iter().copied().chain([0]).take(MAX_KEY);
        let output = bcrypt::bcrypt(self.cost, self.salt, &Zeroizing::new(key.collect::<Vec<_>>()));
        let (output, _) = output.split_at(self.output.len());
        verify_slices_are_equal(output, &self.output).is_ok()
    }

    /// Whether no other text matches: not if bytes are cut off, and not with zero bytes, since the key, which ends
    /// in one, is repeated.
    pub(super) fn is_matched_alone(&self, password: &[u8]) -> bool {
        self.is_of_sha256 || password.len() < MAX_KEY && !password.contains(&0)
    }

    pub(super) fn dummy(&self) -> Self {
        Self { salt: [0; 16], output: [0; 23], ..*self }
    }

    pub(super) fn text(&self) -> String {
        let prefix = if self.is_of_sha256 { "bcrypt_sha256$" } else { "bcrypt:" };
        let salt = BASE64.encode(self.salt);
        format!("{prefix}$2b${:02}${salt}{}", self.cost, BASE64.encode(self.output))
    }
}
