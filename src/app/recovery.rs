//! Recovery after a restored database: replaces the signing key and ends every session.

use super::components::Components;
use super::restore_detection::RestoreDetector;
use crate::auth::{Admin, Error, KeyRotation};
use crate::config::Config;
use crate::domain::filter::SessionFilter;
use crate::domain::origin::Origin;
use crate::store::{MatchingSessions, Scope};

#[derive(Clone, Debug)]
pub struct Recovery {
    /// The new signing key, or the one that would be replaced; `None` if the database has no key.
    pub kid: Option<String>,
    /// Number of live sessions.
    pub sessions: usize,
}

impl Components {
    /// The sessions that [`Components::recover`] would end and the key that it would replace.
    pub async fn preview_recovery(&self) -> Result<Recovery, Error> {
        let everybody = MatchingSessions { filter: SessionFilter::default(), except: None };
        let sessions = self.store.count_matching(&everybody, self.auth.system.now()).await?;
        let last = self.auth.keys.list(Admin::operator()).await?.pop();
        Ok(Recovery { kid: last.map(|key| key.kid), sessions })
    }

    /// No token that was issued before is accepted afterwards, in whatever state the copy was. Restore
    /// detection starts again from the newest event of this database.
    ///
    /// # Errors
    /// A refusal if another process rotates the keys at the same moment.
    pub async fn recover(&self, config: &Config) -> Result<Recovery, Error> {
        let (by, origin) = (Admin::operator(), Origin::default);
        let kid = if self.store.signing_keys().await?.is_empty() {
            None
        } else {
            let rotation = KeyRotation { algorithm: None, immediately: true };
            Some(self.auth.keys.rotate(by, rotation, origin()).await?.kid)
        };
        let sessions = self.auth.sessions.end_scope(by, Scope::All, origin()).await?;
        RestoreDetector::new(config).reset(&self.store).await?;
        Ok(Recovery { kid, sessions })
    }
}
