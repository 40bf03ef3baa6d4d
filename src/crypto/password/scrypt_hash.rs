//! scrypt hashes of Django and better-auth (RFC 7914).
//!
//! - Django: `scrypt$N$SALT$R$P$BASE64`.
//! - better-auth: `better-auth-scrypt:SALT:KEY`, both in hexadecimal digits. The salt is the text of the
//!   digits, the parameters are fixed, and the password is hashed in NFKC.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::foreign_error::ForeignHashError;
use super::text_fields::{base64, decimal, hex, salt, to_base64};
use crate::crypto::CryptoError;
use crate::crypto::encoding::to_hex;

const OUTPUT: usize = 64;

/// Largest N × r × p: about 4 seconds.
const MAX_WORK: u64 = 1 << 23;

/// Largest p. Its share of the work is larger than N × r × p says where N × r is small.
const MAX_PARALLELISM: u32 = 16;

/// Most memory of one hash in bytes.
const MAX_MEMORY: u64 = 1 << 30;

#[derive(Clone)]
pub(super) struct ScryptHash {
    params: Params,
    salt: String,
    output: Vec<u8>,
    form: Form,
}

#[derive(Clone, Copy)]
struct Params {
    log_n: u8,
    r: u32,
    p: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Django,
    BetterAuth,
}

const BETTER_AUTH: Params = Params { log_n: 14, r: 16, p: 1 };

impl Params {
    fn new(n: u32, r: u32, p: u32) -> Result<Self, ForeignHashError> {
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(ForeignHashError::Malformed);
        }
        let (n, wide_r, wide_p) = (u64::from(n), u64::from(r), u64::from(p));
        let work = n.saturating_mul(wide_r).saturating_mul(wide_p);
        if p > MAX_PARALLELISM || work > MAX_WORK || 128 * wide_r * (n + wide_p) > MAX_MEMORY {
            return Err(ForeignHashError::TooExpensive);
        }
        let log_n = u8::try_from(n.ilog2()).map_err(|_| ForeignHashError::Malformed)?;
        Ok(Self { log_n, r, p })
    }

    fn n(self) -> u64 {
        1 << self.log_n
    }
}

impl ScryptHash {
    /// What follows `scrypt$`.
    pub(super) fn parse_django(text: &str) -> Result<Self, ForeignHashError> {
        let fields: Vec<&str> = text.split('$').collect();
        let [n, salt_text, r, p, output] = fields[..] else {
            return Err(ForeignHashError::Malformed);
        };
        let (salt, output) = (salt(salt_text)?, base64(output)?);
        if output.len() != OUTPUT {
            return Err(ForeignHashError::Malformed);
        }
        let params = Params::new(decimal(n)?, decimal(r)?, decimal(p)?)?;
        Ok(Self { params, salt, output, form: Form::Django })
    }

    /// What follows `better-auth-scrypt:`.
    pub(super) fn parse_better_auth(text: &str) -> Result<Self, ForeignHashError> {
        let (salt, output) = text.split_once(':').ok_or(ForeignHashError::Malformed)?;
        let output = hex(output)?;
        if hex(salt)?.is_empty() || output.len() != OUTPUT {
            return Err(ForeignHashError::Malformed);
        }
        Ok(Self { params: BETTER_AUTH, salt: salt.to_owned(), output, form: Form::BetterAuth })
    }

    /// Whether the password is hashed in NFKC, in place of the bytes that were typed.
    pub(super) fn is_of_nfkc(&self) -> bool {
        self.form == Form::BetterAuth
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, CryptoError> {
        const FAILED: CryptoError = CryptoError("verifying an scrypt hash");
        let Params { log_n, r, p } = self.params;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| FAILED)?;
        let mut output = Zeroizing::new([0; OUTPUT]);
        scrypt::scrypt(password, self.salt.as_bytes(), &params, output.as_mut_slice())
            .map_err(|_| FAILED)?;
        Ok(verify_slices_are_equal(output.as_slice(), &self.output).is_ok())
    }

    /// Memory that a verification takes, in bytes.
    pub(super) fn memory(&self) -> u64 {
        128 * u64::from(self.params.r) * (self.params.n() + u64::from(self.params.p))
    }

    pub(super) fn dummy(&self) -> Self {
        Self { salt: "0".repeat(32), output: vec![0; OUTPUT], ..self.clone() }
    }

    pub(super) fn text(&self) -> String {
        let Self { params, salt, output, form } = self;
        match form {
            Form::Django => {
                let Params { r, p, .. } = params;
                format!("scrypt${}${salt}${r}${p}${}", params.n(), to_base64(output))
            }
            Form::BetterAuth => format!("better-auth-scrypt:{salt}:{}", to_hex(output)),
        }
    }
}
