//! Keys of refresh tokens, for a site that accepts them after a move back.

use zeroize::Zeroizing;

use super::components::{connect, open_keys};
use super::start_error::StartError;
use crate::config::Config;
use crate::crypto::refresh_token::RefreshKeys;
use crate::entropy::SystemEntropy;

/// The keys in base64url, one for each master secret, the current one first. Who has one can make refresh tokens of this
/// service.
pub async fn export_refresh_keys(config: &Config) -> Result<Vec<Zeroizing<String>>, StartError> {
    let store = connect(config).await?;
    let (secrets, _) = open_keys(config, &store, &SystemEntropy).await?;
    Ok(RefreshKeys::export(&secrets)?)
}
