//! An honest client: it presents its newest refresh token, and the same again until it is answered.

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
/// What the guard answers by itself: nothing of it is read.
const ASK: &str = "{ viewerSession { sid } }";

/// Whether, and how, a browser names its attempts to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// Within the window of a retry.
    InTime,
    /// However late, by an `attemptId`.
    ByAttempt,
}

/// Somebody who is, or was, logged in.
pub struct Browser {
    client: Client,
    history: Arc<History>,
    pub session: Arc<str>,
    access: String,
    refresh: String,
    retries: Retries,
    attempt: u64,
}

/// What can be told of a token without keeping it: the end of its signature.
fn tail(token: &str) -> Arc<str> {
    token[token.len() - 16..].into()
}

/// The answer to the document's one field.
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
    /// Logs in as `admin`; `None` where that cannot be done now.
    pub async fn log_in(
        replica: &Replica,
        history: &Arc<History>,
        retries: Retries,
    ) -> Option<Self> {
        Self::log_in_as("admin", replica, history, retries).await
    }

    /// Logs in to an account that has the password of `admin`; `None` where that cannot be done now.
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
            // One try at a time for a name: behind a slow database they wait too long for their turn.
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

    /// What it would send to refresh.
    pub fn refreshing(&self) -> Value {
        let attempt = match self.retries {
            Retries::InTime => Value::Null,
            Retries::ByAttempt => Value::String(format!("a browser's attempt {}", self.attempt)),
        };
        json!({ "query": REFRESH, "variables": { "t": self.refresh, "a": attempt } })
    }

    /// What it would send to log out.
    pub fn leaving(&self, scope: &str) -> Value {
        json!({ "query": LOG_OUT, "variables": { "t": self.refresh, "s": scope } })
    }

    /// Refreshes; keeps its token unless it is given the next.
    pub async fn refresh(&mut self, replica: &Replica) -> Answer<()> {
        let (began, document) = (self.history.now(), self.refreshing());
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

    /// Asks for a protected field with its access token.
    pub async fn ask(&mut self, replica: &Replica) -> Answer<()> {
        ask(&mut self.client, &self.history, &self.session, replica, &self.access).await
    }

    /// Logs out.
    pub async fn log_out(&mut self, replica: &Replica) -> Answer<()> {
        self.log_out_of(replica, "CURRENT").await
    }

    /// Logs out of these sessions, of which only its own is written down.
    pub async fn log_out_of(&mut self, replica: &Replica, scope: &str) -> Answer<()> {
        let (began, document) = (self.history.now(), self.leaving(scope));
        let answer = self.client.send(replica.address(), None, &document).await;
        let answer = field(answer, "logout").map(|_| ());
        let did = Did::LogOut { answer: answer.clone() };
        self.history.add(&self.session, replica.number, began, did);
        answer
    }

    /// Logs out of all sessions of the account but this one.
    pub async fn log_out_others(&mut self, replica: &Replica) -> Answer<()> {
        let answer = self.client.send(replica.address(), None, &self.leaving("OTHERS")).await;
        field(answer, "logout").map(|_| ())
    }

    /// Writes down that it sent what it does not wait for.
    pub fn went_away(&self, replica: &Replica, began: Duration, did: Did) {
        self.history.add(&self.session, replica.number, began, did);
    }

    /// Writes down that somebody else may end its session from now on.
    pub fn will_be_ended(&self) {
        let did = Did::LogOut { answer: Answer::Lost };
        self.history.add(&self.session, ELSEWHERE, self.history.now(), did);
    }

    /// Writes down that somebody else ended its session, which no replica need know yet.
    pub fn was_ended(&self) {
        self.was_ended_at(ELSEWHERE);
    }

    /// Writes down that this replica ended its session for somebody else.
    pub fn was_ended_by(&self, replica: &Replica) {
        self.was_ended_at(replica.number);
    }

    fn was_ended_at(&self, replica: usize) {
        let did = Did::LogOut { answer: Answer::Done(()) };
        self.history.add(&self.session, replica, self.history.now(), did);
    }

    /// Where it writes down what happens to it.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The refresh token as a history has it.
    pub fn presented(&self) -> Arc<str> {
        tail(&self.refresh)
    }

    /// One more client with the same access token.
    pub fn witness(&self) -> Witness {
        Witness {
            client: Client::default(),
            history: Arc::clone(&self.history),
            session: Arc::clone(&self.session),
            access: self.access.clone(),
        }
    }
}

/// Somebody with nothing but an access token.
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
