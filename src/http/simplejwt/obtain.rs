//! `TokenObtainPairView`: logs in with a password.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use super::failure::{failure, unexpected};
use super::fields::Fields;
use crate::auth::{Auth, Caller, Cookies, Login, LoginOutcome, TokenTransport};

const PASSWORD: &str = "password";

/// The field that is read at every site, beside its own.
const USERNAME: &str = "username";

#[derive(Serialize)]
struct Pair<'a> {
    refresh: &'a str,
    access: &'a str,
}

pub(super) async fn answer(auth: &Auth, fields: &Fields, client: &Caller) -> Answer {
    let settings = match auth.imported.simplejwt().await {
        Ok(settings) => settings,
        Err(error) => return unexpected(error),
    };
    let own = settings.username_field();
    let named = if !fields.has(own) && fields.has(USERNAME) { USERNAME } else { own };
    let (username, password) = match (fields.text(named), fields.text(PASSWORD)) {
        (Ok(username), Ok(password)) => (username, password),
        (username, password) => {
            let errors = [
                username.err().map(|error| (named, error)),
                password.err().map(|error| (PASSWORD, error)),
            ];
            return Answer::field_errors(&errors.into_iter().flatten().collect::<Vec<_>>());
        }
    };
    let languages = client.languages();
    let login = Login {
        username: &username,
        password: &password,
        session_name: None,
        device_token: None,
        languages: &languages,
    };
    let origin = client.origin().clone();
    let cookies = Cookies::unavailable("This endpoint has no cookies.");
    let done = Box::pin(auth.sessions.log_in(login, TokenTransport::Body, &cookies, origin)).await;
    match done {
        Ok(LoginOutcome::Session(_, signed_in)) => {
            let (_, tokens) = signed_in.into_parts();
            let Some(refresh) = &tokens.refresh_token else { return Answer::internal_error() };
            Answer::new(StatusCode::OK, &Pair { refresh, access: &tokens.access_token })
        }
        Ok(LoginOutcome::Challenge(_)) => second_step(auth.emails.app_url()),
        Err(error) => failure(error).unwrap_or_else(|_| no_account()),
    }
}

fn no_account() -> Answer {
    const DETAIL: &str = "No active account found with the given credentials";
    Answer::detail(StatusCode::UNAUTHORIZED, DETAIL)
}

/// The password is right. Clients of these endpoints know of no further steps.
fn second_step(app: &str) -> Answer {
    let detail = format!("This account needs a second step to log in. Log in at {app}");
    Answer::coded(StatusCode::UNAUTHORIZED, &detail, "second_step_required")
}
