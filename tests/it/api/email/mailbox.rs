//! The mails that a service has queued, as their recipients read them, and the mutations about them.

use std::time::Duration;

use sallyport::crypto::secret::MasterSecrets;
use sallyport::domain::pagination::PageRequest;
use sallyport::store::MailContent;
use serde_json::{Value, json};

use super::super::service::Service;

/// A queued mail.
#[derive(Clone, Debug)]
pub struct Received {
    pub purpose: String,
    pub to: String,
    pub language: String,
    content: Value,
}

impl Received {
    pub fn code(&self) -> &str {
        self.content["code"].as_str().unwrap_or_else(|| panic!("no code in {self:?}"))
    }

    /// The token in the fragment of the link.
    pub fn token(&self) -> &str {
        let link = self.content["link"].as_str().unwrap();
        link.split_once("#token=").unwrap_or_else(|| panic!("no token in {link}")).1
    }

    pub fn link(&self) -> &str {
        self.content["link"].as_str().unwrap()
    }
}

/// All mails, the newest first.
pub async fn mails(service: &Service) -> Vec<Received> {
    let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
    let page = PageRequest { after: None, before: None, size: 1_000, from_end: false };
    let stored = service.core.store.mails(&page).await.unwrap();
    let received = stored.items.into_iter().map(|mail| {
        let text = match &mail.content {
            MailContent::Plain(text) => text.clone(),
            MailContent::Sealed(sealed) => {
                let opened = secrets.open(&format!("mail {}", mail.id), sealed).unwrap();
                String::from_utf8(opened.plain.to_vec()).unwrap()
            }
        };
        Received {
            purpose: mail.purpose,
            to: mail.address,
            language: mail.language,
            content: serde_json::from_str(&text).unwrap(),
        }
    });
    received.collect()
}

/// The newest mail of this purpose.
pub async fn newest(service: &Service, purpose: &str) -> Received {
    let mut all = mails(service).await;
    let at = all.iter().position(|mail| mail.purpose == purpose);
    all.swap_remove(at.unwrap_or_else(|| panic!("no mail {purpose:?} in {all:?}")))
}

pub async fn count(service: &Service, purpose: &str) -> usize {
    mails(service).await.iter().filter(|mail| mail.purpose == purpose).count()
}

/// What mutations that log in select.
pub const LOGIN_FIELDS: &str = "tokens { accessToken refreshToken } session { sid name }
    user { username emailVerifiedAt }
    challenge { challengeToken sentTo steps attemptsLeft } errors { code path retryAfterSeconds }";

const CHALLENGE: &str =
    "challenge { challengeToken expiresAt sentTo steps attemptsLeft } errors { code path }";

async fn run(
    service: &Service,
    bearer: Option<&str>,
    field: &str,
    text: &str,
    sent: Value,
) -> Value {
    // The order of mails of one millisecond is random.
    service.clock.advance(Duration::from_millis(1));
    let answer = service.send(bearer, text, sent).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"][field].clone()
}

/// Asks for a mail by a name: `requestEmailLogin` or `requestPasswordReset`.
pub async fn request(service: &Service, mutation: &str, name: &str) -> Value {
    let text = format!(
        "mutation($u: String!) {{ {mutation}(input: {{ username: $u }}) {{ {CHALLENGE} }} }}"
    );
    run(service, None, mutation, &text, json!({ "u": name })).await
}

pub fn challenge_token(payload: &Value) -> &str {
    let token = payload["challenge"]["challengeToken"].as_str();
    token.unwrap_or_else(|| panic!("no challenge token in {payload}"))
}

pub async fn continue_login(service: &Service, token: &str, code: &str) -> Value {
    let text = format!(
        "mutation($t: String, $c: String!) {{ continueLogin(
            input: {{ challengeToken: $t, proof: {{ emailCode: $c }} }}) {{ {LOGIN_FIELDS} }} }}"
    );
    run(service, None, "continueLogin", &text, json!({ "t": token, "c": code })).await
}

pub async fn login_with_link(service: &Service, link: &str, challenge: Option<&str>) -> Value {
    let text = format!(
        "mutation($l: String!, $t: String) {{ loginWithLink(
            input: {{ linkToken: $l, challengeToken: $t }}) {{ {LOGIN_FIELDS} }} }}"
    );
    run(service, None, "loginWithLink", &text, json!({ "l": link, "t": challenge })).await
}

pub async fn reset_by_code(service: &Service, token: &str, code: &str, password: &str) -> Value {
    let text = format!(
        "mutation($t: String, $c: String!, $p: String!) {{ resetPassword(input: {{
            proof: {{ code: {{ challengeToken: $t, code: $c }} }}, newPassword: $p
        }}) {{ {LOGIN_FIELDS} }} }}"
    );
    let sent = json!({ "t": token, "c": code, "p": password });
    run(service, None, "resetPassword", &text, sent).await
}

pub async fn reset_by_link(service: &Service, link: &str, password: &str) -> Value {
    let text = format!(
        "mutation($l: String!, $p: String!) {{ resetPassword(
            input: {{ proof: {{ linkToken: $l }}, newPassword: $p }}) {{ {LOGIN_FIELDS} }} }}"
    );
    run(service, None, "resetPassword", &text, json!({ "l": link, "p": password })).await
}

const VERIFIED: &str = "endedCount user { emailVerifiedAt } errors { code path }";

pub async fn verify_by_link(
    service: &Service,
    bearer: Option<&str>,
    link: &str,
    challenge: Option<&str>,
) -> Value {
    let text = format!(
        "mutation($l: String!, $t: String) {{ verifyEmail(
            input: {{ proof: {{ linkToken: $l }}, challengeToken: $t }}) {{ {VERIFIED} }} }}"
    );
    run(service, bearer, "verifyEmail", &text, json!({ "l": link, "t": challenge })).await
}

pub async fn verify_by_code(service: &Service, bearer: Option<&str>, code: &str) -> Value {
    let text = format!(
        "mutation($c: String!) {{ verifyEmail(
            input: {{ proof: {{ code: {{ code: $c }} }} }}) {{ {VERIFIED} }} }}"
    );
    run(service, bearer, "verifyEmail", &text, json!({ "c": code })).await
}

/// The payload of a registration.
pub async fn register(service: &Service, username: &str, email: Option<&str>) -> Value {
    let text = format!(
        "mutation($u: String!, $e: String, $p: String!) {{ register(
            input: {{ username: $u, email: $e, password: $p }}) {{ {LOGIN_FIELDS} }} }}"
    );
    let password = super::super::service::PASSWORD;
    let sent = json!({ "u": username, "e": email, "p": password });
    run(service, None, "register", &text, sent).await
}

/// An account with a verified address, created by an administrator.
pub async fn verified(service: &Service, username: &str) -> String {
    use sallyport::auth::{Admin, NewAccount, UserChanges};
    use sallyport::domain::origin::Origin;
    use sallyport::domain::user::Role;
    let email = format!("{username}@example.com");
    let account = NewAccount {
        username,
        password: super::super::service::PASSWORD,
        email: Some(&email),
        role: Role::User,
        locale: None,
    };
    let accounts = &service.core.auth.accounts;
    let user = accounts.create(Admin::operator(), account, Origin::default()).await.unwrap();
    let changes = UserChanges { email_verified: Some(true), ..UserChanges::default() };
    accounts.update_user(Admin::operator(), user.id, changes, Origin::default()).await.unwrap();
    format!("User:{}", user.id)
}
