//! Mutations of passwords and addresses by e-mail.

use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};

use super::login::LoginPayload;
use super::login_steps::{RequestEmailInput, RequestEmailPayload};
use crate::auth::{EmailProofInput as Proof, RequestEmail, ResetPassword, VerifyEmail};
use crate::graphql::requires_auth::{FRESH, requiresAuth};
use crate::graphql::types::{TokenTransport, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies, optional_viewer, viewer};

/// Code from an e-mail, with its challenge.
#[derive(InputObject)]
pub struct EmailCodeInput {
    /// Token of the challenge; null for the token in the cookie, and for a code that the session of the
    /// caller asked for.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// Eight digits; spaces and hyphens between them are ignored.
    #[graphql(secret)]
    code: String,
}

/// Proof that the caller received an e-mail: exactly one of the fields. Code and link of one e-mail are
/// one proof: using one spends both.
#[derive(OneofObject)]
pub enum EmailProofInput {
    /// Code from the e-mail.
    Code(EmailCodeInput),
    /// Token in the link: the parameter `token` of its fragment.
    #[graphql(secret)]
    LinkToken(String),
}

impl EmailProofInput {
    fn proof(&self) -> Proof<'_> {
        match self {
            Self::Code(code) => {
                Proof::Code { challenge_token: code.challenge_token.as_deref(), code: &code.code }
            }
            Self::LinkToken(token) => Proof::Link(token),
        }
    }
}

/// Input of `resetPassword`.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// Code or link from the e-mail of `requestPasswordReset`.
    proof: EmailProofInput,
    /// Token of the challenge from `register`, if this client registered the account; null otherwise.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// New password: 8 to 256 characters (the service may require more than 8), not easy to guess.
    #[graphql(secret)]
    new_password: String,
    /// Transport of the refresh token: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Input of `verifyEmail`.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// Code or link from the e-mail.
    proof: EmailProofInput,
    /// Token of the challenge from `register`, if this client registered the account; null otherwise.
    #[graphql(secret)]
    challenge_token: Option<String>,
}

/// Payload of `verifyEmail`.
#[derive(Default, SimpleObject)]
pub struct VerifyEmailPayload {
    /// Number of sessions that ended, because the address was verified for the first time in another
    /// browser than the account was registered in. The password of the account is deleted then, too.
    ended_count: usize,
    /// Account with the verified address; null on failure, and if the caller is not logged in as its
    /// user.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `requestEmailChange`.
#[derive(InputObject)]
pub struct RequestEmailChangeInput {
    /// New e-mail address.
    email: String,
    /// Language of the e-mails: a language tag (BCP 47) such as `en` or `ko`; null for the language of
    /// the user or of the browser.
    locale: Option<String>,
}

/// Input of `confirmEmailChange`.
#[derive(InputObject)]
pub struct ConfirmEmailChangeInput {
    /// Code or link from the e-mail to the new address.
    proof: EmailProofInput,
}

/// Payload of `confirmEmailChange`.
#[derive(Default, SimpleObject)]
pub struct ConfirmEmailChangePayload {
    /// Account with the new address; null on failure, and if the caller is not logged in as its user.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `revertEmailChange`.
#[derive(InputObject)]
pub struct RevertEmailChangeInput {
    /// Token in the link to the former address: the parameter `token` of its fragment.
    #[graphql(secret)]
    link_token: String,
}

/// Payload of `revertEmailChange`.
#[derive(Default, SimpleObject)]
pub struct RevertEmailChangePayload {
    /// Number of sessions of the user that ended.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Passwords and addresses by e-mail.
#[derive(Default)]
pub struct EmailMutation;

#[Object]
impl EmailMutation {
    /// Sends an e-mail with a code and a link to set a new password. The answer does not tell whether
    /// the name has an account, and nothing else changes. Code or link go to `resetPassword`.
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        input: RequestEmailInput,
    ) -> Result<RequestEmailPayload> {
        let caller = caller(context);
        let languages = caller.languages();
        let request = RequestEmail {
            username: &input.username,
            locale: input.locale.as_deref(),
            languages: &languages,
        };
        let (transport, origin) = (input.transport.into(), caller.origin().clone());
        let (accounts, cookies) = (&auth(context).accounts, cookies(context));
        let done = accounts.request_password_reset(request, transport, cookies, origin).await;
        Ok(RequestEmailPayload::of(expected(done)?))
    }

    /// Sets a new password by the code or link from an e-mail, ends all sessions of the user, and logs
    /// in. A password that is refused spends neither the code nor the link.
    async fn reset_password(
        &self,
        context: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<LoginPayload> {
        let reset = ResetPassword {
            proof: input.proof.proof(),
            challenge_token: input.challenge_token.as_deref(),
            new_password: &input.new_password,
            viewer: optional_viewer(context),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookies) = (input.transport.into(), cookies(context));
        let accounts = &auth.accounts;
        let done = Box::pin(accounts.reset_password(reset, transport, cookies, origin)).await;
        Ok(match expected(done)? {
            Ok(continued) => LoginPayload::continued(continued),
            Err(errors) => LoginPayload::refused(errors),
        })
    }

    /// Sends an e-mail with a code and a link to verify the address of the logged-in user. Code or link
    /// go to `verifyEmail`; the code needs no challenge token.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn request_email_verification(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Language of the e-mail, a language tag (BCP 47); null for the user's.")]
        locale: Option<String>,
    ) -> Result<Option<RequestEmailPayload>> {
        let (viewer, caller) = (viewer(context)?, caller(context));
        let (languages, origin) = (caller.languages(), caller.origin().clone());
        let accounts = &auth(context).accounts;
        let done =
            accounts.request_verification(viewer, locale.as_deref(), &languages, origin).await;
        Ok(Some(RequestEmailPayload::of(expected(done)?)))
    }

    /// Verifies an e-mail address by the code or link that was sent to it. The first verification of an
    /// address ends all sessions of the account and deletes its password, unless it comes from the
    /// browser that registered the account or from a session of the account.
    async fn verify_email(
        &self,
        context: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload> {
        let viewer = optional_viewer(context);
        let verify = VerifyEmail {
            proof: input.proof.proof(),
            challenge_token: input.challenge_token.as_deref(),
            viewer,
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let done = Box::pin(auth.accounts.verify_email(verify, cookies(context), origin)).await;
        Ok(match expected(done)? {
            Ok((user, ended_count)) => {
                let viewer = viewer.filter(|viewer| viewer.user_id() == user.id);
                let user = viewer.map(|viewer| User::new(user, viewer));
                VerifyEmailPayload { ended_count, user, errors: Vec::new() }
            }
            Err(errors) => VerifyEmailPayload { errors, ..VerifyEmailPayload::default() },
        })
    }

    /// Sends an e-mail with a code and a link to the new address of the logged-in user, and a notice to
    /// the verified old address with a link that takes the change back for seven days. The code and the
    /// link to the new address are invalid once the session of this request has ended. The answer does
    /// not tell whether another account has the new address.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), None))]
    async fn request_email_change(
        &self,
        context: &Context<'_>,
        input: RequestEmailChangeInput,
    ) -> Result<Option<RequestEmailPayload>> {
        let (viewer, caller) = (viewer(context)?, caller(context));
        let (languages, origin) = (caller.languages(), caller.origin().clone());
        let (accounts, locale) = (&auth(context).accounts, input.locale.as_deref());
        let done =
            accounts.request_email_change(viewer, &input.email, locale, &languages, origin).await;
        Ok(Some(RequestEmailPayload::of(expected(done)?)))
    }

    /// Changes the e-mail address of an account by the code or link that was sent to the new address,
    /// which is verified from then on. A link without a session of the account ends all its sessions
    /// and deletes its password: the person who opens it may not be the one who requested the change.
    async fn confirm_email_change(
        &self,
        context: &Context<'_>,
        input: ConfirmEmailChangeInput,
    ) -> Result<ConfirmEmailChangePayload> {
        let viewer = optional_viewer(context);
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (proof, cookies) = (input.proof.proof(), cookies(context));
        let done = auth.accounts.confirm_email_change(proof, viewer, cookies, origin).await;
        Ok(match expected(done)? {
            Ok(user) => {
                let viewer = viewer.filter(|viewer| viewer.user_id() == user.id);
                let user = viewer.map(|viewer| User::new(user, viewer));
                ConfirmEmailChangePayload { user, errors: Vec::new() }
            }
            Err(errors) => ConfirmEmailChangePayload { errors, user: None },
        })
    }

    /// Takes a change of the e-mail address back, or stops one that is not confirmed yet, and ends all
    /// sessions of the user. A password that was set since the request of the change is deleted.
    async fn revert_email_change(
        &self,
        context: &Context<'_>,
        input: RevertEmailChangeInput,
    ) -> Result<RevertEmailChangePayload> {
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let done = auth.accounts.revert_email_change(&input.link_token, origin).await;
        Ok(match expected(done)? {
            Ok(ended_count) => RevertEmailChangePayload { ended_count, errors: Vec::new() },
            Err(errors) => {
                RevertEmailChangePayload { errors, ..RevertEmailChangePayload::default() }
            }
        })
    }
}
