//! What an operator does after a database was restored.

use super::Core;
use super::restore_detection::LastSeen;
use crate::auth::{Admin, Error, KeyRotation};
use crate::config::Config;
use crate::domain::filter::SessionFilter;
use crate::domain::origin::Origin;
use crate::store::{MatchingSessions, Scope};

/// What was done, or would be.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The key that signs from now on; `None` where there is no key to replace.
    pub kid: Option<String>,
    /// How many sessions were live.
    pub sessions: usize,
}

impl Core {
    /// How many sessions [`Core::recover`] would end, and the key that it would replace.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn rehearse_recovery(&self) -> Result<Recovery, Error> {
        let everybody = MatchingSessions { filter: SessionFilter::default(), except: None };
        let sessions = self.store.count_matching(&everybody, self.auth.system.now()).await?;
        let last = self.auth.keys.list(Admin::operator()).await?.pop();
        Ok(Recovery { kid: last.map(|key| key.kid), sessions })
    }

    /// Replaces the signing key at once and ends every session: nothing that was given out before is
    /// accepted any more, in whatever state the copy was. Then what the database holds is what was
    /// last seen.
    ///
    /// # Errors
    /// [`Error`] where the database fails, or somebody else rotates the keys at the same moment.
    pub async fn recover(&self, config: &Config) -> Result<Recovery, Error> {
        let (by, origin) = (Admin::operator(), Origin::default);
        let kid = if self.store.signing_keys().await?.is_empty() {
            None
        } else {
            let rotation = KeyRotation { algorithm: None, immediately: true };
            Some(self.auth.keys.rotate(by, rotation, origin()).await?.kid)
        };
        let sessions = self.auth.sessions.end_scope(by, Scope::All, origin()).await?;
        LastSeen::of(config).begin_anew(&self.store).await?;
        Ok(Recovery { kid, sessions })
    }
}
