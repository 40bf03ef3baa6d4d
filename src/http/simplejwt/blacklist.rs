//! `TokenBlacklistView`: logs out.

use super::answer::Answer;
use super::failure::{failure, unexpected};
use super::fields::Fields;
use super::token_refusal::Refused;
use crate::auth::{Auth, Caller, Cookies, LogoutScope};

/// A token that is not outstanding is refused as by SimpleJWT, and still ends its session: whoever logs out with
/// it wants to be logged out, although the answer to a refresh was lost.
pub(super) async fn answer(auth: &Auth, fields: &Fields, client: &Caller) -> Answer {
    let token = match fields.only("refresh") {
        Ok(token) => token,
        Err(answer) => return answer,
    };
    let status = match auth.sessions.holder_status(&token, client).await {
        Ok(status) => status,
        Err(error) => return unexpected(error),
    };
    let refused = Refused::of_refresh(&status);
    if let Some(refused) = refused.filter(|refused| *refused != Refused::Blacklisted) {
        return refused.answer();
    }
    let cookies = Cookies::unavailable("This endpoint has no cookies.");
    match auth.sessions.log_out(Some(&token), LogoutScope::Current, &cookies, client).await {
        Ok(_) => refused.map_or_else(Answer::done, Refused::answer),
        Err(error) => failure(error).unwrap_or_else(|_| Refused::Invalid.answer()),
    }
}
