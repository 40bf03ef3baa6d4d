//! A service in the process of the test: the real router over a real database, with a clock that the
//! test moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use clap::Parser;
use sallyport::app::{self, ClockAndEntropy, Components};
use sallyport::clock::{Clock, ManualClock, SystemClock};
use sallyport::config::{Config, ServeArguments};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::revocation::RevocationSync;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::databases::Database;
use crate::proof::may_repeat;

/// A password that passes the strength estimate.
pub const PASSWORD: &str = "tangerine-orbit-quartz-41";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArguments,
}

/// One process of the service.
pub struct Service {
    pub core: Components,
    pub clock: Arc<ManualClock>,
    pub feed: RevocationSync,
    router: Router,
    _database: Database,
}

/// Tokens of a login.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Service {
    /// A service over the database, with these flags besides cheap hashes.
    pub async fn start(database: &Database, flags: &str) -> Self {
        // The wall clock's time, so that ids of other processes sort as they should.
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        Self::start_at(database, flags, clock).await
    }

    /// With a clock that other processes share.
    pub async fn start_at(database: &Database, flags: &str, clock: Arc<ManualClock>) -> Self {
        let url = database.url.clone();
        let hashing = if flags.contains("--hashing-memory") {
            vec!["--hashing-passes", "1"]
        } else {
            vec!["--hashing-memory", "8", "--hashing-passes", "1"]
        };
        let secret: &[&str] = if flags.contains("--secret ") {
            &[]
        } else {
            &["--secret", "0123456789abcdefghijklmnopqrstuv"]
        };
        let common = ["--database-url", &url].into_iter().chain(secret.iter().copied());
        let line = ["sallyport"].into_iter().chain(common).chain(hashing);
        let line = Line::try_parse_from(line.chain(flags.split_whitespace())).unwrap();
        let config = Config::parse(line.serve).unwrap();
        let surroundings = ClockAndEntropy {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(SystemEntropy),
        };
        let core = app::open(&config, surroundings).await.unwrap();
        let mut feed = core.revocation_sync();
        read_patiently(&mut feed).await;
        let router = core.router(&config);
        Self { core, clock, feed, router, _database: database.clone() }
    }

    /// Creates an account with [`PASSWORD`].
    pub async fn make(&self, username: &str, role: Role) -> String {
        use sallyport::auth::{Admin, NewAccount};
        let account = NewAccount { username, password: PASSWORD, email: None, role, locale: None };
        let made =
            self.core.auth.accounts.create(Admin::operator(), account, Origin::default()).await;
        format!("User:{}", made.unwrap().id)
    }

    pub async fn send(&self, bearer: Option<&str>, query: &str, variables: Value) -> Value {
        let (status, body) = self.post(bearer, query, variables).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// Sends an operation, and again if the database timed out: on a busy machine many operations at once
    /// may each take longer than the service waits. Any other error, and an earlier one, is returned.
    async fn send_patiently(&self, bearer: Option<&str>, query: &str, variables: Value) -> Value {
        for _ in 0..10 {
            let began = Instant::now();
            let answer = self.send(bearer, query, variables.clone()).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            if code != "SERVICE_UNAVAILABLE" || !may_repeat(began) {
                return answer;
            }
        }
        self.send(bearer, query, variables).await
    }

    pub async fn post(
        &self,
        bearer: Option<&str>,
        query: &str,
        variables: Value,
    ) -> (StatusCode, Value) {
        self.call(operation(bearer, query, &variables)).await
    }

    pub async fn send_from(
        &self,
        (ip, agent): (&str, &str),
        bearer: Option<&str>,
        query: &str,
        variables: Value,
    ) -> Value {
        let mut request = operation(bearer, query, &variables);
        request.headers_mut().insert(header::USER_AGENT, agent.parse().unwrap());
        let peer = SocketAddr::new(ip.parse().unwrap(), 40_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        self.call(request).await.1
    }

    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub async fn answer(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn call(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.answer(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Logs in with [`PASSWORD`].
    pub async fn login(&self, username: &str) -> Tokens {
        let payload = self.try_login(username, PASSWORD).await;
        tokens(&payload).unwrap_or_else(|| panic!("{payload}"))
    }

    pub async fn try_login(&self, username: &str, password: &str) -> Value {
        const LOGIN: &str = "mutation($u: String!, $p: String!) {
            login(input: { username: $u, password: $p }) {
                tokens { accessToken refreshToken } session { id sid } user { id username }
                challenge { challengeToken } errors { code message path }
            }
        }";
        let variables = json!({ "u": username, "p": password });
        let answer = self.send_patiently(None, LOGIN, variables).await;
        answer["data"]["login"].clone()
    }

    pub async fn refresh(&self, token: &str, attempt: Option<&str>) -> Value {
        const REFRESH: &str = "mutation($t: String!, $a: String) {
            refresh(input: { refreshToken: $t, attemptId: $a }) {
                tokens { accessToken refreshToken accessTokenExpiresAt refreshTokenExpiresAt }
                session { id generation expiresAt } errors { code }
            }
        }";
        let variables = json!({ "t": token, "a": attempt });
        let answer = self.send_patiently(None, REFRESH, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["refresh"].clone()
    }

    pub async fn logout(&self, bearer: Option<&str>, token: Option<&str>, scope: &str) -> Value {
        const LOGOUT: &str = "mutation($t: String, $s: LogoutScope!) {
            logout(input: { refreshToken: $t, scope: $s }) {
                endedCount endedSessions { id state endReason } errors { code }
            }
        }";
        let variables = json!({ "t": token, "s": scope });
        let answer = self.send_patiently(bearer, LOGOUT, variables).await;
        answer["data"]["logout"].clone()
    }

    /// The guard's refusal of an access token, code and reason; `None` if it accepts the token.
    pub async fn refusal(&self, access: &str) -> Option<String> {
        let answer = self.send(Some(access), "{ viewer { id } }", Value::Null).await;
        let extensions = &answer["errors"][0]["extensions"];
        if extensions.is_null() {
            assert!(answer["data"]["viewer"]["id"].is_string(), "{answer}");
            return None;
        }
        assert!(answer["data"]["viewer"].is_null(), "{answer}");
        Some(extensions["reason"].as_str().or(extensions["code"].as_str()).unwrap().to_owned())
    }

    /// Advances both clocks, and reads the feed as the service does every second.
    pub async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        self.clock.advance_monotonic(time);
        read_patiently(&mut self.feed).await;
    }
}

/// Reads the feed, and again if the database timed out, as the service does.
async fn read_patiently(feed: &mut RevocationSync) {
    for _ in 0..10 {
        let began = Instant::now();
        match feed.read().await {
            Ok(()) => return,
            Err(_) if may_repeat(began) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    feed.read().await.unwrap();
}

fn operation(bearer: Option<&str>, query: &str, variables: &Value) -> Request<Body> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::from(body)).unwrap()
}

pub fn tokens(payload: &Value) -> Option<Tokens> {
    let tokens = &payload["tokens"];
    Some(Tokens {
        access: tokens["accessToken"].as_str()?.to_owned(),
        refresh: tokens["refreshToken"].as_str()?.to_owned(),
    })
}

/// The code of a payload's only error.
pub fn code(payload: &Value) -> &str {
    let code = payload["errors"][0]["code"].as_str();
    code.unwrap_or_else(|| panic!("no error in {payload}"))
}
