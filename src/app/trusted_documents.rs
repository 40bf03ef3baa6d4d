//! Trusted documents: those of the operator's file, of the pages for links in mails, and of the console.

use std::sync::Arc;

use super::start_error::StartError;
use crate::config::Config;
use crate::http::graphql::{PersistedDocuments, TrustedDocuments};
use crate::http::{account_documents, console_documents};

pub(super) fn load(config: &Config) -> Result<Arc<PersistedDocuments>, StartError> {
    let Some(path) = &config.trusted_documents else { return Ok(Arc::default()) };
    let unusable = |reason: String| StartError::TrustedDocuments(path.clone(), reason);
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let trusted = TrustedDocuments::parse(&text, &config.http.limits);
    let trusted = trusted.map_err(|error| unusable(error.to_string()))?;
    let mut trusted = trusted.with_texts(account_documents());
    if config.http.console {
        trusted = trusted.with_texts(console_documents());
    }
    Ok(Arc::new(PersistedDocuments::new(trusted, config.trusted_documents_only)))
}
