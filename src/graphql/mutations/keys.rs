//! Mutation of the signing keys.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::KeyRotation;
use crate::graphql::requires_auth::{RECENT, requiresAuth};
use crate::graphql::types::{Role, SigningKey};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, caller, viewer};

/// Input of `rotateSigningKey`.
#[derive(Default, InputObject)]
pub struct RotateSigningKeyInput {
    /// Signature algorithm of the new key: `ES256`, `EdDSA` or `RS256`; null for the algorithm of
    /// the current key.
    algorithm: Option<String>,
    /// If true (emergency), the new key signs at once, and access tokens that other keys signed are
    /// refused: clients have to refresh, and all sessions stay active. If false, the new key is
    /// published for ten minutes before it signs, and all access tokens stay valid.
    #[graphql(default)]
    immediately: bool,
}

/// Payload of `rotateSigningKey`.
#[derive(Default, SimpleObject)]
pub struct RotateSigningKeyPayload {
    /// New signing key; null on failure.
    signing_key: Option<SigningKey>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Mutations about the keys of access tokens.
#[derive(Default)]
pub struct KeyMutation;

#[Object]
impl KeyMutation {
    /// Creates a new signing key, which replaces the current one.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(RECENT), None))]
    async fn rotate_signing_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Null for the defaults.")] input: Option<RotateSigningKeyInput>,
    ) -> Result<Option<RotateSigningKeyPayload>> {
        let (by, origin) = (admin(viewer(context)?)?, caller(context).origin().clone());
        let RotateSigningKeyInput { algorithm, immediately } = input.unwrap_or_default();
        let rotation = KeyRotation { algorithm: algorithm.as_deref(), immediately };
        let rotated = auth(context).keys.rotate(by, rotation, origin).await;
        Ok(Some(match expected(rotated)? {
            Ok(key) => RotateSigningKeyPayload {
                signing_key: Some(SigningKey::new(key)),
                errors: Vec::new(),
            },
            Err(errors) => RotateSigningKeyPayload { errors, signing_key: None },
        }))
    }
}
