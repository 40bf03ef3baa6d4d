//! Honest client: presents its newest refresh token, and the same again until it is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::history::{Answer, Did, ELSEWHERE, History};
use crate::http::Client;
use crate::replica::{PASSWORD, Replica};

const LOG_IN: &str = "mutation($u: String!, $p: String!) {
    login(input: { username: $u, password: $p }) {
        tokens { accessToken refreshToken } session { sid } errors { code }
    }
}";
const REFRESH: &str = "mutation($t: String!, $a: String) {
    refresh(input: { refreshToken: $t, attemptId: $a }) {
        tokens { accessToken refreshToken } errors { code }
    }
}";
const LOG_OUT: &str = "mutation($t: String!, $s: LogoutScope!) {
    logout(input: { refreshToken: $t, scope: $s }) { endedCount errors { code } }
}";
/// A field that the guard answers without a query.
const ASK: &str = "{ viewerSession { sid } }";

/// How a browser repeats a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// Within the window of a retry.
    InTime,
    /// However late, by an `attemptId`.
    ByAttempt,
}

pub struct Browser {
    client: Client,
    history: Arc<History>,
    pub session: Arc<str>,
    access: String,
    refresh: String,
    retries: Retries,
    attempt: u64,
}

/// Identifies a token in the history: the end of its signature.
fn tail(token: &str) -> Arc<str> {
    token[token.len() - 16..].into()
}

/// The payload of the document's one field.
fn field(answer: Answer<Value>, name: &str) -> Answer<Value> {
    let Answer::Done(body) = answer else { return answer };
    let extensions = &body["errors"][0]["extensions"];
    if extensions["code"] == "SERVICE_UNAVAILABLE" {
        return Answer::Unavailable;
    }
    let refusal = extensions["reason"].as_str().or(extensions["code"].as_str());
    let payload = &body["data"][name];
    match refusal.or(payload["errors"][0]["code"].as_str()) {
        Some(code) => Answer::Refused(code.to_owned()),
        None if payload.is_object() => Answer::Done(payload.clone()),
        None => Answer::Refused(format!("{body}")),
    }
}

impl Browser {
    /// Logs in as `admin`; `None` if the replica is unavailable.
    pub async fn log_in(
        replica: &Replica,
        history: &Arc<History>,
        retries: Retries,
    ) -> Option<Self> {
        Self::log_in_as("admin", replica, history, retries).await
    }

    /// Logs in to an account that has the password of `admin`; `None` if the replica is unavailable.
    pub async fn log_in_as(
        username: &str,
        replica: &Replica,
        history: &Arc<History>,
        retries: Retries,
    ) -> Option<Self> {
        let mut client = Client::default();
        let began = history.now();
        let document = json!({ "query": LOG_IN, "variables": { "u": username, "p": PASSWORD } });
        let answer = field(client.send(replica.address(), None, &document).await, "login");
        let payload = match answer {
            Answer::Done(payload) => payload,
            Answer::Unavailable | Answer::Lost => return None,
            // Logins of a name run one at a time: behind a slow database some wait too long.
            Answer::Refused(code) if code == "OVERLOADED" => return None,
            refused => panic!("a login is refused: {refused:?}"),
        };
        let text = |value: &Value| value.as_str().expect("a token").to_owned();
        let tokens = &payload["tokens"];
        let browser = Self {
            client,
            history: Arc::clone(history),
            session: text(&payload["session"]["sid"]).into(),
            access: text(&tokens["accessToken"]),
            refresh: text(&tokens["refreshToken"]),
            retries,
            attempt: 0,
        };
        let did = Did::LogIn { gave: tail(&browser.refresh) };
        history.add(&browser.session, replica.number, began, did);
        Some(browser)
    }

    pub fn refresh_request(&self) -> Value {
        let attempt = match self.retries {
            Retries::InTime => Value::Null,
            Retries::ByAttempt => Value::String(format!("a browser's attempt {}", self.attempt)),
        };
        json!({ "query": REFRESH, "variables": { "t": self.refresh, "a": attempt } })
    }

    pub fn logout_request(&self, scope: &str) -> Value {
        json!({ "query": LOG_OUT, "variables": { "t": self.refresh, "s": scope } })
    }

    /// Keeps its token unless the answer has the next.
    pub async fn refresh(&mut self, replica: &Replica) -> Answer<()> {
        let (began, document) = (self.history.now(), self.refresh_request());
        let answer = self.client.send(replica.address(), None, &document).await;
        let answer = field(answer, "refresh");
        let presented = tail(&self.refresh);
        if let Answer::Done(payload) = &answer {
            let text = |value: &Value| value.as_str().expect("a token").to_owned();
            self.access = text(&payload["tokens"]["accessToken"]);
            self.refresh = text(&payload["tokens"]["refreshToken"]);
            self.attempt += 1;
        }
        let gave = tail(&self.refresh);
        let done = answer.clone().map(|_| ());
        let did = Did::Refresh { presented, answer: answer.map(|_| gave) };
        self.history.add(&self.session, replica.number, began, did);
        done
    }

    pub async fn ask(&mut self, replica: &Replica) -> Answer<()> {
        ask(&mut self.client, &self.history, &self.session, replica, &self.access).await
    }

    pub async fn log_out(&mut self, replica: &Replica) -> Answer<()> {
        self.log_out_of(replica, "CURRENT").await
    }

    /// Only the end of its own session is recorded.
    pub async fn log_out_of(&mut self, replica: &Replica, scope: &str) -> Answer<()> {
        let (began, document) = (self.history.now(), self.logout_request(scope));
        let answer = self.client.send(replica.address(), None, &document).await;
        let answer = field(answer, "logout").map(|_| ());
        let did = Did::LogOut { answer: answer.clone() };
        self.history.add(&self.session, replica.number, began, did);
        answer
    }

    /// Logs out of all sessions of the account but this one.
    pub async fn log_out_others(&mut self, replica: &Replica) -> Answer<()> {
        let answer =
            self.client.send(replica.address(), None, &self.logout_request("OTHERS")).await;
        field(answer, "logout").map(|_| ())
    }

    /// Records a request whose answer it does not wait for.
    pub fn record_abandoned(&self, replica: &Replica, began: Duration, did: Did) {
        self.history.add(&self.session, replica.number, began, did);
    }

    /// Records that another client may end its session from now on.
    pub fn record_end_requested(&self) {
        let did = Did::LogOut { answer: Answer::Lost };
        self.history.add(&self.session, ELSEWHERE, self.history.now(), did);
    }

    /// Records that another client ended its session, which no replica need know yet.
    pub fn record_end(&self) {
        self.record_end_at(ELSEWHERE);
    }

    /// Records that this replica ended its session for another client.
    pub fn record_end_by(&self, replica: &Replica) {
        self.record_end_at(replica.number);
    }

    fn record_end_at(&self, replica: usize) {
        let did = Did::LogOut { answer: Answer::Done(()) };
        self.history.add(&self.session, replica, self.history.now(), did);
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// The refresh token as it is identified in the history.
    pub fn token_tail(&self) -> Arc<str> {
        tail(&self.refresh)
    }

    pub fn witness(&self) -> Witness {
        Witness {
            client: Client::default(),
            history: Arc::clone(&self.history),
            session: Arc::clone(&self.session),
            access: self.access.clone(),
        }
    }
}

/// Client with only an access token.
pub struct Witness {
    client: Client,
    history: Arc<History>,
    session: Arc<str>,
    access: String,
}

impl Witness {
    pub async fn ask(&mut self, replica: &Replica) -> Answer<()> {
        ask(&mut self.client, &self.history, &self.session, replica, &self.access).await
    }
}

async fn ask(
    client: &mut Client,
    history: &History,
    session: &Arc<str>,
    replica: &Replica,
    access: &str,
) -> Answer<()> {
    let began = history.now();
    let address: SocketAddr = replica.address();
    let answer = client.send(address, Some(access), &json!({ "query": ASK })).await;
    let answer = field(answer, "viewerSession").map(|_| ());
    history.add(session, replica.number, began, Did::Ask { answer: answer.clone() });
    answer
}
