//! `TokenRefreshView`: exchanges a refresh token.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use super::failure::{failure, unexpected};
use super::fields::Fields;
use super::token_refusal::Refused;
use crate::auth::{Auth, Caller, Cookies, Error, Refresh, UserError, UserErrorCode};

#[derive(Serialize)]
struct Refreshed<'a> {
    access: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'a str>,
}

pub(super) async fn answer(auth: &Auth, fields: &Fields, client: &Caller) -> Answer {
    let token = match fields.only("refresh") {
        Ok(token) => token,
        Err(answer) => return answer,
    };
    let settings = match auth.imported.simplejwt().await {
        Ok(settings) => settings,
        Err(error) => return unexpected(error),
    };
    let asked = Refresh {
        token: Some(&token),
        transport: None,
        attempt_id: None,
        // Clients of a site without rotation keep the refresh token that they have.
        rotate: settings.rotates,
    };
    let cookies = Cookies::unavailable("This endpoint has no cookies.");
    match auth.sessions.refresh(asked, &cookies, client.origin().clone()).await {
        Ok(signed_in) => {
            let (_, tokens) = signed_in.into_parts();
            let (access, refresh) = (&tokens.access_token, tokens.refresh_token.as_deref());
            Answer::new(StatusCode::OK, &Refreshed { access, refresh })
        }
        Err(error) => match failure(error) {
            Ok(answer) => answer,
            Err(refused) => {
                refusal(auth, &token, client, &refused).await.unwrap_or_else(unexpected)
            }
        },
    }
}

/// What is wrong with a token that was refused.
async fn refusal(
    auth: &Auth,
    token: &str,
    client: &Caller,
    refused: &UserError,
) -> Result<Answer, Error> {
    Ok(match refused.code {
        UserErrorCode::RefreshTokenExpired => Refused::Expired.answer(),
        UserErrorCode::RefreshTokenStale | UserErrorCode::RefreshTokenReused => {
            Refused::Blacklisted.answer()
        }
        UserErrorCode::SessionEnded if auth.sessions.is_of_inactive_user(token).await? => {
            const DETAIL: &str = "No active account found for the given token.";
            Answer::detail(StatusCode::UNAUTHORIZED, DETAIL)
        }
        UserErrorCode::SessionEnded => Refused::Blacklisted.answer(),
        // It may be an access token.
        _ => {
            let status = auth.sessions.holder_status(token, client).await?;
            Refused::of_refresh(&status).unwrap_or(Refused::Invalid).answer()
        }
    })
}
