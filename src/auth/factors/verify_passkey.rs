//! Verification of a passkey's response.

use serde_json::Value;

use super::ceremony::{Ceremony, PendingCeremony};
use super::state::SecondFactors;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::crypto::passkey::{
    ExpectedUser, PasskeyChallenge, PasskeyRefusal, RelyingParty, credential_id,
};
use crate::domain::authentication::FactorUsed;
use crate::domain::challenge::CODE_VALIDITY;
use crate::domain::id::UserId;
use crate::domain::passkey::Passkey;
use crate::store::{StoredPasskey, UseFactor};

/// A passkey whose response is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsedPasskey {
    pub user: UserId,
    pub factor: UseFactor,
    pub kind: FactorUsed,
}

impl SecondFactors {
    /// # Errors
    /// `FORBIDDEN` where the service has no passkeys.
    pub(in crate::auth) fn relying_party(&self) -> Result<&RelyingParty, UserError> {
        const MESSAGE: &str =
            "This service has no passkeys. The operator can set `--passkey-rp-id`.";
        let missing = || UserError::new(UserErrorCode::Forbidden, Field::Caller, MESSAGE);
        self.relying_party.as_ref().ok_or_else(missing)
    }

    /// Begins a ceremony: its token, and its challenge for the options.
    pub(in crate::auth) fn begin_ceremony(
        &self,
        ceremony: Ceremony,
    ) -> Result<(String, PendingCeremony), Error> {
        let challenge = PasskeyChallenge::generate(&*self.entropy);
        let expires_at = self.clock.now() + CODE_VALIDITY;
        let pending = PendingCeremony { ceremony, challenge, expires_at };
        Ok((pending.seal(&self.secrets, &*self.entropy)?, pending))
    }

    /// Uses up the token of a ceremony, whatever becomes of the response.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`.
    pub(in crate::auth) async fn end_ceremony(
        &self,
        token: &str,
    ) -> Result<PendingCeremony, Error> {
        let opened = PendingCeremony::open(token, &self.secrets, self.clock.now());
        let (pending, spend) = opened.ok_or_else(challenge_expired)?;
        if self.store.use_up(spend).await? { Ok(pending) } else { Err(challenge_expired().into()) }
    }

    /// The passkeys of an account, as options name them.
    pub(in crate::auth) async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, Error> {
        let stored = self.store.passkeys(&[user]).await?;
        Ok(stored.into_iter().map(|stored| stored.passkey).collect())
    }

    /// The options of a second step by a passkey; `None` where the service or the account has none.
    pub(in crate::auth) async fn step_options(
        &self,
        user: UserId,
        challenge: &PasskeyChallenge,
    ) -> Result<Option<Value>, Error> {
        let Some(relying_party) = &self.relying_party else { return Ok(None) };
        let passkeys = self.passkeys_of(user).await?;
        let options = || relying_party.login_options(challenge, &passkeys);
        Ok((!passkeys.is_empty()).then(options))
    }

    /// Judges the response of a passkey: of this account, or of whichever has it. What is wrong is named for
    /// the audit.
    pub(super) async fn judge_passkey(
        &self,
        response: &Value,
        challenge: &PasskeyChallenge,
        of: Option<UserId>,
    ) -> Result<Result<UsedPasskey, WrongPasskey>, Error> {
        let relying_party = self.relying_party()?;
        let Ok(id) = credential_id(response) else { return Ok(Err(WrongPasskey::default())) };
        let found = self.store.passkey_by_credential(&id).await?;
        let Some(found) = found.filter(|found| of.is_none_or(|user| found.user == user)) else {
            return Ok(Err(WrongPasskey { owner: None, detail: "passkey: unknown" }));
        };
        Ok(judge(relying_party, response, challenge, &found, of.is_some(), self.clock.now()))
    }
}

/// A response that is wrong.
#[derive(Clone, Copy, Debug)]
pub(in crate::auth) struct WrongPasskey {
    /// The account whose passkey it is, as it says.
    pub owner: Option<UserId>,
    /// For the audit.
    pub detail: &'static str,
}

impl Default for WrongPasskey {
    fn default() -> Self {
        Self { owner: None, detail: "passkey" }
    }
}

fn judge(
    relying_party: &RelyingParty,
    response: &Value,
    challenge: &PasskeyChallenge,
    stored: &StoredPasskey,
    is_of_account: bool,
    at: Timestamp,
) -> Result<UsedPasskey, WrongPasskey> {
    let passkey = &stored.passkey;
    let expected = if is_of_account {
        ExpectedUser::Account(&passkey.user_handle)
    } else {
        ExpectedUser::Owner
    };
    let used = relying_party.verify_login(response, challenge, passkey, expected);
    let used = used.map_err(|refusal| {
        tracing::debug!(%refusal, "a passkey was refused");
        WrongPasskey { owner: Some(stored.user), detail: detail(&refusal) }
    })?;
    let (id, counted) = (stored.id, passkey.sign_count);
    Ok(UsedPasskey {
        user: stored.user,
        factor: UseFactor::Passkey { id, counted, used, at },
        kind: FactorUsed::Passkey { is_backup_eligible: passkey.is_backup_eligible },
    })
}

/// What the owner of the account should know of a refusal.
fn detail(refusal: &PasskeyRefusal) -> &'static str {
    match refusal {
        PasskeyRefusal::Counter { .. } => "passkey: its counter went back, there may be a copy",
        PasskeyRefusal::BackupEligibilityChanged => "passkey: its backup eligibility changed",
        PasskeyRefusal::Origin(_) | PasskeyRefusal::CrossOrigin => {
            "passkey: on a page of another origin"
        }
        PasskeyRefusal::UserNotVerified => "passkey: the user was not verified",
        _ => "passkey",
    }
}
