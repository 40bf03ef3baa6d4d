//! What imports say about SimpleJWT at their sites.

use serde_json::Value;

use super::backend::metered;
use super::error::{Error, Result};
use super::handle::Store;
use crate::domain::simplejwt_settings::SimplejwtSettings;

impl Store {
    /// The settings of the source that was imported last, and of earlier ones where it says nothing.
    pub async fn simplejwt_settings(&self) -> Result<SimplejwtSettings> {
        let texts: Vec<String> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT settings FROM import_sources ORDER BY imported_at DESC, source LIMIT 10",
        )
        .fetch_all(conn)
        .await?))?;
        let settings = texts.iter().map(|text| read_settings(text));
        Ok(settings.fold(SimplejwtSettings::default(), SimplejwtSettings::or))
    }
}

/// A text that is not as expected says nothing: a newer version may have written it.
fn read_settings(text: &str) -> SimplejwtSettings {
    let settings: Value = serde_json::from_str(text).unwrap_or_default();
    let username_field = settings["username_field"].as_str().map(str::to_owned);
    SimplejwtSettings::new(username_field, settings["rotate_refresh_tokens"].as_bool())
}
