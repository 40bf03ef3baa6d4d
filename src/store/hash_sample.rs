//! Sample of the accounts' password hashes, by which it is known which kinds there are.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

/// Number of oldest and of newest accounts whose hashes are sampled.
const SAMPLE_SIZE: i64 = 2_500;

/// Schemes and texts of password hashes.
pub struct HashSample(Vec<(String, String)>);

impl HashSample {
    /// Groups the hashes by scheme and parameters: a dummy of each kind, and the number of accounts with it, most
    /// first. Takes milliseconds. Hashes of unknown schemes, which cannot be imitated, are left out.
    #[must_use]
    pub fn kinds(&self) -> Vec<(PasswordHash, u32)> {
        let mut accounts: HashMap<PasswordHash, u32> = HashMap::new();
        for (scheme, hash) in &self.0 {
            let scheme = PasswordScheme::parse(scheme);
            if let Some(hash) = scheme.and_then(|scheme| PasswordHash::parse(scheme, hash)) {
                *accounts.entry(hash.dummy()).or_default() += 1;
            }
        }
        let mut kinds: Vec<_> = accounts.into_iter().collect();
        kinds.sort_by_key(|(_, accounts)| Reverse(*accounts));
        kinds
    }
}

impl Store {
    /// Samples password hashes. Only the oldest and the newest accounts are read, so that the cost does not grow
    /// with the table.
    pub async fn sample_password_hashes(&self) -> Result<HashSample> {
        let rows = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT scheme, hash FROM ( \
             SELECT * FROM (SELECT user_id, scheme, hash FROM password_credentials \
             ORDER BY user_id LIMIT $1) AS oldest \
             UNION \
             SELECT * FROM (SELECT user_id, scheme, hash FROM password_credentials \
             ORDER BY user_id DESC LIMIT $1) AS newest \
             ) AS hashes",
        )
        .bind(SAMPLE_SIZE)
        .fetch_all(conn)
        .await?))?;
        Ok(HashSample(rows))
    }
}
