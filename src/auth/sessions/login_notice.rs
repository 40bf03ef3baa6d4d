//! Notices that are queued with a new session: of a login from a new device.

use super::Sessions;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::clock::Timestamp;
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::throttle::login_location;
use crate::domain::user::User;
use crate::store::NewMail;

impl Sessions {
    /// The notice of a login from a device that the user has not used before.
    pub(super) async fn login_notice(
        &self,
        proof: &Proof,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<NewMail>, Error> {
        let user = match proof {
            Proof::Password(verified) => verified.user(),
            Proof::Passkey(passkey) => passkey.user(),
            Proof::SecondStep(step) => step.user(),
            // A mail told of it, or a factor was just added.
            Proof::Registration(_)
            | Proof::Email(_)
            | Proof::Enrollment(_)
            // It is the login of before.
            | Proof::ForeignToken(_) => return Ok(None),
        };
        if !self.emails.settings.login_notices || user.email_verified_at.is_none() {
            return Ok(None);
        }
        if self.is_known_device(user, origin).await? {
            return Ok(None);
        }
        Ok(self.emails.notice(NoticeKind::NewLogin, user, origin, now))
    }

    /// Whether one of the latest sessions has the same browser and system, or was opened from the same place.
    /// The first login of an account is from a known device.
    async fn is_known_device(&self, user: &User, origin: &Origin) -> Result<bool, Error> {
        let earlier = self.store.latest_origins(user.id).await?;
        let program = |origin: &Origin| origin.user_agent.as_ref().map(UserAgent::program);
        let place = origin.ip.map(login_location);
        let is_same = |known: &Origin| {
            let is_same_place =
                known.ip.is_some_and(|ip| place.as_ref().is_some_and(|place| place.contains(ip)));
            is_same_place
                || program(origin).is_some_and(|program_now| program(known) == Some(program_now))
        };
        Ok(earlier.is_empty() || earlier.iter().any(is_same))
    }
}
