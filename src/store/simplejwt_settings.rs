//! What imports say about SimpleJWT at their sites.

use serde_json::Value;

use super::backend::metered;
use super::error::{Error, Result};
use super::handle::Store;
use crate::domain::external_account::Source;
use crate::domain::simplejwt_settings::SimplejwtSettings;

/// Source of a Django site whose name was not chosen.
const DEFAULT: &str = "django";

impl Store {
    /// The settings of one source: the given one, or else `django`, or else the one that was imported last. Those of
    /// another one are about other clients.
    pub async fn simplejwt_settings(&self, source: Option<&Source>) -> Result<SimplejwtSettings> {
        let text: Option<String> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT settings FROM import_sources ORDER BY CASE source WHEN $1 THEN 0 WHEN $2 THEN 1 ELSE 2 END, \
             imported_at DESC, source LIMIT 1",
        )
        .bind(source.map_or(DEFAULT, Source::as_str).to_owned())
        .bind(DEFAULT)
        .fetch_optional(conn)
        .await?))?;
        Ok(text.as_deref().map(read_settings).unwrap_or_default())
    }

    /// The settings of a source; none if nothing was imported from it.
    pub async fn simplejwt_settings_of(&self, source: &Source) -> Result<SimplejwtSettings> {
        let text: Option<String> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT settings FROM import_sources WHERE source = $1",
        )
        .bind(source.as_str().to_owned())
        .fetch_optional(conn)
        .await?))?;
        Ok(text.as_deref().map(read_settings).unwrap_or_default())
    }
}

/// A text that is not as expected says nothing: a newer version may have written it.
fn read_settings(text: &str) -> SimplejwtSettings {
    let settings: Value = serde_json::from_str(text).unwrap_or_default();
    let username_field = settings["username_field"].as_str().map(str::to_owned);
    SimplejwtSettings::new(username_field, settings["rotate_refresh_tokens"].as_bool())
}
