//! Mutation of the signing keys.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::KeyRotation;
use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::{Role, SigningKey};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, caller, viewer};

/// How to rotate the signing keys.
#[derive(Default, InputObject)]
pub struct RotateSigningKeyInput {
    /// What the new key signs with: ES256, `EdDSA` or RS256; as the one before it, where nothing is
    /// said.
    algorithm: Option<String>,
    /// An emergency: the new key signs at once, and access tokens that other keys signed are refused.
    /// Clients refresh; nobody is logged out. Else the new key is published for ten minutes first.
    #[graphql(default)]
    immediately: bool,
}

/// What came of it.
#[derive(Default, SimpleObject)]
pub struct RotateSigningKeyPayload {
    /// The new key.
    signing_key: Option<SigningKey>,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// The keys of access tokens.
#[derive(Default)]
pub struct KeyMutation;

#[Object]
impl KeyMutation {
    /// Puts a new signing key in the place of the one that signs.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
    async fn rotate_signing_key(
        &self,
        context: &Context<'_>,
        input: Option<RotateSigningKeyInput>,
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
