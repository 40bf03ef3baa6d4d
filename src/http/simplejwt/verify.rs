//! `TokenVerifyView`: says whether a token of either type is valid.

use super::answer::Answer;
use super::failure::unexpected;
use super::fields::Fields;
use super::token_refusal::Refused;
use crate::auth::{Auth, Caller, TokenType};

pub(super) async fn answer(auth: &Auth, fields: &Fields, client: &Caller) -> Answer {
    let token = match fields.only("token") {
        Ok(token) => token,
        Err(answer) => return answer,
    };
    let status = match auth.sessions.holder_status(&token, client).await {
        Ok(status) => status,
        Err(error) => return unexpected(error),
    };
    match Refused::of_any(&status) {
        None => Answer::done(),
        // Clients refresh after a 401, and are told there that the session has ended.
        Some(Refused::Blacklisted) if status.kind != Some(TokenType::Access) => {
            Answer::field_errors(&[("non_field_errors", "Token is blacklisted")])
        }
        Some(refused) => refused.answer(),
    }
}
