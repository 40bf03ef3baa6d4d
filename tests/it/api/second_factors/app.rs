//! An authenticator app, and the mutations about second factors.

use std::time::Duration;

use sallyport::clock::Clock;
use serde_json::{Value, json};
use totp_rs::Totp;

use super::super::email::mailbox::LOGIN_FIELDS;
use super::super::service::{PASSWORD, Service, Tokens};

/// Time of one code.
pub const STEP: Duration = Duration::from_secs(30);

/// An app that was added to an account.
pub struct App {
    totp: Totp,
    pub recovery_codes: Vec<String>,
}

impl App {
    /// Of the secret in base32.
    pub fn new(secret: &str) -> Self {
        let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        Self { totp, recovery_codes: Vec::new() }
    }

    /// The code that it shows now.
    pub fn code(&self, service: &Service) -> String {
        self.code_at(service.clock.now().as_seconds())
    }

    pub fn code_at(&self, seconds: i64) -> String {
        self.totp.generate(u64::try_from(seconds).unwrap()).to_string()
    }

    /// The code of the next step, so that it was not used before.
    pub async fn next_code(&self, service: &mut Service) -> String {
        service.pass(STEP).await;
        self.code(service)
    }
}

pub async fn begin_totp(service: &Service, bearer: Option<&str>, token: Option<&str>) -> Value {
    const BEGIN: &str = "mutation($t: String) { beginTotp(challengeToken: $t) {
        challengeToken secret uri qrCode errors { code path } } }";
    service.send(bearer, BEGIN, json!({ "t": token })).await
}

pub async fn confirm_totp(
    service: &Service,
    bearer: Option<&str>,
    token: &str,
    code: &str,
) -> Value {
    let confirm = format!(
        "mutation($t: String!, $c: String!) {{ confirmTotp(input: {{ challengeToken: $t, code: $c }}) {{
            recoveryCodes user {{ username secondFactors {{ isRequired recoveryCodesLeft totpSince }} }}
            login {{ {LOGIN_FIELDS} }} errors {{ code path }} }} }}"
    );
    service.send(bearer, &confirm, json!({ "t": token, "c": code })).await
}

/// Adds an app in a session.
pub async fn enroll(service: &Service, access: &str) -> App {
    let begun = begin_totp(service, Some(access), None).await;
    let begun = &begun["data"]["beginTotp"];
    let secret = begun["secret"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let mut app = App::new(secret);
    let token = begun["challengeToken"].as_str().unwrap();
    let confirmed = confirm_totp(service, Some(access), token, &app.code(service)).await;
    let confirmed = &confirmed["data"]["confirmTotp"];
    assert_eq!(confirmed["errors"], json!([]), "{confirmed}");
    let codes = confirmed["recoveryCodes"].as_array().into_iter().flatten();
    app.recovery_codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
    app
}

/// The first step of a login by the password: the payload.
pub async fn first_step(service: &Service, username: &str) -> Value {
    let login = format!(
        "mutation($u: String!, $p: String!) {{
            login(input: {{ username: $u, password: $p, sessionName: \"Laptop\" }}) {{ {LOGIN_FIELDS} }} }}"
    );
    let sent = json!({ "u": username, "p": PASSWORD });
    service.send(None, &login, sent).await["data"]["login"].clone()
}

/// The next step of a login: a proof such as `{ "totpCode": … }`.
pub async fn second_step(service: &Service, first: &Value, proof: Value) -> Value {
    let token = first["challenge"]["challengeToken"].as_str();
    let answer = try_second_step(service, token, proof).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["continueLogin"].clone()
}

pub async fn try_second_step(service: &Service, token: Option<&str>, proof: Value) -> Value {
    let text = format!(
        "mutation($t: String, $p: ProofInput!) {{
            continueLogin(input: {{ challengeToken: $t, proof: $p }}) {{ {LOGIN_FIELDS} }} }}"
    );
    service.send(None, &text, json!({ "t": token, "p": proof })).await
}

/// Logs in with the password and a code of the app.
pub async fn login(service: &mut Service, username: &str, app: &App) -> Tokens {
    let code = app.next_code(service).await;
    let first = first_step(service, username).await;
    let second = second_step(service, &first, json!({ "totpCode": code })).await;
    super::super::service::tokens(&second).unwrap_or_else(|| panic!("{second}"))
}

pub async fn reauthenticate(service: &Service, access: &str, proof: Value) -> Value {
    const REAUTHENTICATE: &str =
        "mutation($p: ProofInput!) { reauthenticate(input: { proof: $p }) {
        tokens { accessToken } session { amr assurance } errors { code path } } }";
    let answer = service.send(Some(access), REAUTHENTICATE, json!({ "p": proof })).await;
    answer["data"]["reauthenticate"].clone()
}

pub fn access(payload: &Value) -> String {
    payload["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

/// `amr` and `assurance` of the token's session, and the claims of the token.
pub async fn authentication(service: &Service, access: &str) -> (Value, Value) {
    let answer =
        service.send(Some(access), "{ viewerSession { amr assurance } }", Value::Null).await;
    (answer["data"]["viewerSession"].clone(), claims(access))
}

pub fn claims(access: &str) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = access.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The reason for which a guarded field refuses the caller.
pub fn reason(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["reason"].as_str().unwrap_or_else(|| panic!("{answer}"))
}
