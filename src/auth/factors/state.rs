//! [`SecondFactors`]: the state that its use cases share.

use std::sync::Arc;

use crate::auth::passwords::Passwords;
use crate::clock::Clock;
use crate::crypto::data_key::DataKey;
use crate::crypto::passkey::RelyingParty;
use crate::crypto::secret::MasterSecrets;
use crate::domain::id::UserId;
use crate::entropy::Entropy;
use crate::store::Store;

/// Second factors of accounts.
pub struct SecondFactors {
    pub(in crate::auth) store: Arc<Store>,
    /// Seals the secrets of authenticator apps.
    pub(in crate::auth) data_key: DataKey,
    /// Seal the tokens of enrollments.
    pub(in crate::auth) secrets: Arc<MasterSecrets>,
    /// For passkeys; `None` where the service has none.
    pub(in crate::auth) relying_party: Option<RelyingParty>,
    /// Name of the service in authenticator apps.
    pub(in crate::auth) service: String,
    /// For the limits on guessing.
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) clock: Arc<dyn Clock>,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

/// The context in which the secret of an account's authenticator app is sealed.
pub(in crate::auth) fn totp_context(user: UserId) -> String {
    format!("totp v1 {}", user.as_uuid())
}
