//! Registration: a caller creates an account and logs in to it, where the operator allows it.

use super::Accounts;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::passwords::NewAccount;
use crate::auth::proof::Proof;
use crate::auth::sessions::{RefreshCookie, SignedIn, TokenTransport, parse_session_name};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::origin::Origin;
use crate::domain::user::{Role, User};
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct Register<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub email: Option<&'a str>,
    pub session_name: Option<&'a str>,
}

redacted_debug!(Register<'_>);

impl Accounts {
    /// Creates an account and opens a session of it, in one transaction.
    ///
    /// # Errors
    /// `REGISTRATION_CLOSED`; `INVALID_INPUT` for a name; `USERNAME_TAKEN`, `EMAIL_TAKEN`;
    /// `WEAK_PASSWORD`; `RATE_LIMITED`; `OVERLOADED`; `FORBIDDEN` for the cookie.
    pub async fn register(
        &self,
        register: Register<'_>,
        transport: TokenTransport,
        cookie: &RefreshCookie,
        origin: Origin,
    ) -> Result<(User, SignedIn), Error> {
        cookie.allow(transport)?;
        if !self.registration_open {
            const MESSAGE: &str = "Registration is closed. Ask an administrator for an account.";
            let code = UserErrorCode::RegistrationClosed;
            return Err(UserError::new(code, Field::Input, MESSAGE).into());
        }
        let name = parse_session_name(register.session_name)?;
        let Register { username, password, email, .. } = register;
        let account = NewAccount { username, password, email, role: Role::User };
        let registration = self.passwords.register(account, &origin).await?;
        let proof = Proof::Registration(registration);
        let (user, signed_in) = self.sessions.open(proof, name, &origin).await?;
        let signed_in = self.sessions.deliver(signed_in, transport, cookie, origin).await?;
        Ok((user, signed_in))
    }
}
