//! Registrations from an address and its network are limited, right or wrong: each tells whether a name
//! is taken.

use super::error::UserError;
use super::throttle::address_bytes;
use super::{Auth, Error};
use crate::domain::origin::Origin;
use crate::domain::throttle::{NETWORK, REGISTRATION, network};
use crate::store::Charge;

impl Auth {
    /// The limits that a registration falls under.
    fn registration(&self, origin: &Origin) -> Vec<Charge> {
        let throttle = &self.throttle;
        if !throttle.is_on {
            return Vec::new();
        }
        let network = origin.ip.map(network);
        let network =
            network.map(|block| throttle.charge(NETWORK, &[b"registration", block.low()]));
        let own = throttle.charge(REGISTRATION, &[&address_bytes(origin.ip)]);
        [own].into_iter().chain(network).collect()
    }

    /// Refuses a registration that a limit is known to refuse, before it waits for anything. Returns
    /// the limits that it falls under.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode).
    pub(super) fn begin_registration(&self, origin: &Origin) -> Result<Vec<Charge>, UserError> {
        let (charges, now) = (self.registration(origin), self.now());
        let refuses = |charge: &Charge| self.throttle.refusing.wait(charge.bucket, now);
        match charges.iter().filter_map(refuses).max() {
            Some(wait) => Err(UserError::rate_limited(wait)),
            None => Ok(charges),
        }
    }

    /// Counts a registration, whatever comes of it: one that is refused tells which name is taken.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode), or a failure of the service.
    pub(super) async fn admit_registration(&self, charges: Vec<Charge>) -> Result<(), Error> {
        if charges.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let outcome = self.store.charge(charges, now).await?;
        let Some(wait) = outcome.refused else { return Ok(()) };
        if let Some(refuser) = outcome.refuser {
            self.throttle.refusing.note(refuser, wait, now);
        }
        Err(UserError::rate_limited(wait).into())
    }
}
