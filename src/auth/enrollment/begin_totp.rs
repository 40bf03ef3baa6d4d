//! Enrollment of an authenticator app begins: its secret for the client.

use super::Enrollments;
use super::permission::MayEnroll;
use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error};
use crate::auth::factors::BegunTotp;
use crate::auth::transport::Cookies;

impl Enrollments {
    /// Makes the secret of an app that replaces the account's app, if it has one, once a code of it is given.
    /// Nothing is stored.
    ///
    /// # Errors
    /// `FORBIDDEN` where second factors are off, and for the cookie; `CHALLENGE_EXPIRED`;
    /// [`Denial::ReauthenticationRequired`].
    pub async fn begin_totp(
        &self,
        viewer: Result<Viewer, Denial>,
        challenge_token: Option<&str>,
        cookie: &Cookies,
    ) -> Result<BegunTotp, Error> {
        self.require_on()?;
        let MayEnroll { user, factors, enrolled_in } =
            self.may_enroll(viewer, challenge_token, cookie).await?;
        self.factors.begin_totp(&user, enrolled_in, factors.mark)
    }
}
