//! Random histories of requests, compared with a model of the refresh table.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sallyport::clock::{Clock, Timestamp};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::Database;
use crate::proof::rounds;

const WINDOW: Duration = Duration::from_secs(10);
const LIFETIME: Duration = Duration::from_hours(1);
const LEEWAY: Duration = Duration::from_secs(2);

/// One step of a history. Sessions and tokens are chosen by numbers that wrap around.
#[derive(Clone, Debug)]
enum Step {
    Login,
    /// Presents the token that is so many generations old, perhaps with an attempt id.
    Refresh {
        session: usize,
        age: usize,
        attempt: Option<u8>,
    },
    Logout {
        session: usize,
        age: usize,
    },
    LogoutOthers {
        session: usize,
    },
    ChangePassword {
        session: usize,
    },
    Pass {
        seconds: u64,
    },
    /// Somebody sets the machine's clock back.
    GoBack {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..4_usize;
    prop_oneof![
        2 => Just(Step::Login),
        10 => (session.clone(), prop_oneof![5 => Just(0), 3 => Just(1), 1 => 2..4_usize],
               prop::option::of(0..2_u8))
            .prop_map(|(session, age, attempt)| Step::Refresh { session, age, attempt }),
        1 => (session.clone(), 0..3_usize).prop_map(|(session, age)| Step::Logout { session, age }),
        1 => session.clone().prop_map(|session| Step::LogoutOthers { session }),
        1 => session.prop_map(|session| Step::ChangePassword { session }),
        4 => prop_oneof![Just(1), Just(4), Just(9), Just(10), Just(700), Just(3_700)]
            .prop_map(|seconds| Step::Pass { seconds }),
        1 => prop_oneof![Just(1), Just(8), Just(50)].prop_map(|seconds| Step::GoBack { seconds }),
    ]
}

/// What the model knows of a session.
struct Session {
    chain: Vec<Token>,
    access: String,
    access_issued_at: Timestamp,
    ended: bool,
}

struct Token {
    refresh: String,
    expires_at: Timestamp,
    /// When it was rotated away, and with what attempt id.
    rotated: Option<(Timestamp, Option<u8>)>,
}

#[derive(Debug, PartialEq)]
enum Expected {
    Rotated,
    Retried,
    Refused(&'static str),
}

impl Session {
    fn new(payload: &Value, now: Timestamp) -> Self {
        let access = String::new();
        let mut session = Self { chain: Vec::new(), access, access_issued_at: now, ended: false };
        session.take(payload, now);
        session
    }

    fn take(&mut self, payload: &Value, now: Timestamp) {
        let pair = tokens(payload).unwrap_or_else(|| panic!("{payload}"));
        let expires_at = now.floor_to_second() + LIFETIME;
        self.chain.push(Token { refresh: pair.refresh, expires_at, rotated: None });
        (self.access, self.access_issued_at) = (pair.access, now.floor_to_second());
    }

    fn judge(&self, at: usize, attempt: Option<u8>, now: Timestamp) -> Expected {
        let (token, last) = (&self.chain[at], self.chain.len() - 1);
        if token.expires_at <= now {
            return Expected::Refused("REFRESH_TOKEN_EXPIRED");
        }
        if self.ended {
            return Expected::Refused("SESSION_ENDED");
        }
        if self.chain[last].expires_at <= now {
            return Expected::Refused("REFRESH_TOKEN_EXPIRED");
        }
        let Some((rotated_at, by)) = token.rotated else { return Expected::Rotated };
        let within = now < rotated_at + WINDOW;
        if at + 1 == last && by == attempt && (within || by.is_some()) {
            Expected::Retried
        } else if within {
            Expected::Refused("REFRESH_TOKEN_STALE")
        } else {
            Expected::Refused("REFRESH_TOKEN_REUSED")
        }
    }
}

async fn play(database: Database, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let flags = "--refresh-token-lifetime 1h --access-token-lifetime 10m";
    let mut service = Service::start(&database, flags).await;
    service.make("ada", Role::User).await;
    let mut password = PASSWORD.to_owned();
    let payload = service.try_login("ada", &password).await;
    let mut sessions = vec![Session::new(&payload, service.clock.now())];
    let mut latest = service.clock.now();
    for (number, step) in steps.into_iter().enumerate() {
        let now = service.clock.now();
        latest = latest.max(now);
        match step {
            Step::Login => {
                let payload = service.try_login("ada", &password).await;
                sessions.push(Session::new(&payload, now));
            }
            Step::Pass { seconds } => service.pass(Duration::from_secs(seconds)).await,
            // By less than the minute that clocks may be apart.
            Step::GoBack { seconds } if now == latest => {
                service.clock.rewind(Duration::from_secs(seconds));
            }
            Step::GoBack { .. } => {}
            Step::Refresh { session, age, attempt } => {
                let session = session % sessions.len();
                let session = &mut sessions[session];
                let at = session.chain.len().saturating_sub(1 + age);
                let expected = session.judge(at, attempt, now);
                let text = attempt.map(|attempt| format!("attempt {attempt} of the model"));
                let token = session.chain[at].refresh.clone();
                let payload = service.refresh(&token, text.as_deref()).await;
                match expected {
                    Expected::Rotated => {
                        session.chain[at].rotated = Some((now, attempt));
                        session.take(&payload, now);
                        let generation = session.chain.len() - 1;
                        prop_assert_eq!(&payload["session"]["generation"], &json!(generation));
                    }
                    Expected::Retried => {
                        let pair = tokens(&payload).unwrap_or_else(|| panic!("{payload}"));
                        prop_assert_eq!(&pair.refresh, &session.chain[at + 1].refresh);
                        let issued_at = now.floor_to_second();
                        (session.access, session.access_issued_at) = (pair.access, issued_at);
                    }
                    Expected::Refused(reason) => {
                        prop_assert_eq!(code(&payload), reason);
                        session.ended |= reason == "REFRESH_TOKEN_REUSED";
                    }
                }
            }
            Step::Logout { session, age } => {
                let session = session % sessions.len();
                let session = &mut sessions[session];
                let at = session.chain.len().saturating_sub(1 + age);
                let expired = session.chain[at].expires_at <= now;
                let token = session.chain[at].refresh.clone();
                let payload = service.logout(None, Some(&token), "CURRENT").await;
                let lives = !session.ended && session.chain.last().unwrap().expires_at > now;
                prop_assert_eq!(&payload["endedCount"], &json!(i32::from(lives && !expired)));
                session.ended |= lives && !expired;
            }
            Step::LogoutOthers { session } => {
                let at = session % sessions.len();
                let access = sessions[at].access.clone();
                if service.refusal(&access).await.is_none() {
                    service.logout(Some(&access), None, "OTHERS").await;
                    end_others(&mut sessions, at, now);
                }
            }
            Step::ChangePassword { session } => {
                let at = session % sessions.len();
                let access = sessions[at].access.clone();
                if service.refusal(&access).await.is_none() {
                    let next = format!("{PASSWORD}-{number}");
                    change_password(&service, &access, &password, &next).await;
                    password = next;
                    end_others(&mut sessions, at, now);
                }
            }
        }
        for session in &sessions {
            let refusal = service.refusal(&session.access).await;
            // Issued later than it is now: good again once the clock is there.
            let early = session.access_issued_at > service.clock.now() + LEEWAY;
            let lives = match refusal.as_deref() {
                None => !early,
                Some("EXPIRED") => true,
                Some("INVALID") => early,
                _ => false,
            };
            prop_assert!(lives || session.ended, "{refusal:?}");
            prop_assert!(refusal.is_some() || !session.ended);
        }
    }
    assert_chains(&database, &sessions).await
}

/// Each chain is one line: a blacklisted token for each rotation and each end, and one outstanding.
async fn assert_chains(database: &Database, sessions: &[Session]) -> Result<(), TestCaseError> {
    let mut raw = database.raw().await;
    let rotations: usize = sessions.iter().map(|session| session.chain.len() - 1).sum();
    let ended = sessions.iter().filter(|session| session.ended).count();
    for (expected, found) in [
        (sessions.len(), "SELECT count(*) FROM sessions"),
        (ended, "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL"),
        (rotations, "SELECT count(*) FROM blacklist_entries WHERE reason = 'ROTATED'"),
        (ended, "SELECT count(*) FROM blacklist_entries WHERE reason <> 'ROTATED'"),
        (
            0,
            "SELECT count(*) FROM sessions WHERE generation + (ended_at IS NOT NULL)::int <> \
             (SELECT count(*) FROM blacklist_entries WHERE session_id = sessions.id)",
        ),
        (
            0,
            "SELECT count(*) FROM (SELECT 1 FROM blacklist_entries \
             GROUP BY session_id, generation HAVING count(*) > 1) AS forks",
        ),
    ] {
        let found =
            if database.is_sqlite() { found.replace("::int", "") } else { found.to_owned() };
        prop_assert_eq!(
            raw.number(found.as_str()).await,
            i64::try_from(expected).unwrap(),
            "{}",
            found
        );
    }
    Ok(())
}

fn end_others(sessions: &mut [Session], except: usize, now: Timestamp) {
    for (at, session) in sessions.iter_mut().enumerate() {
        session.ended |= at != except && session.chain.last().unwrap().expires_at > now;
    }
}

async fn change_password(service: &Service, access: &str, current: &str, new: &str) {
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let variables = json!({ "c": current, "n": new });
    let answer = service.send(Some(access), CHANGE, variables).await;
    assert_eq!(answer["data"]["changePassword"]["errors"], json!([]), "{answer}");
}

/// Plays so many random histories.
pub fn play_histories<S: Strategy>(
    cases: usize,
    histories: &S,
    play: impl AsyncFn(S::Value) -> Result<(), TestCaseError>,
) {
    let cases = cases.try_into().expect("a small number");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let played = TestRunner::new(config).run(histories, |history| runtime.block_on(play(history)));
    if let Err(error) = played {
        panic!("{error}");
    }
}

fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}

#[test]
fn every_history_is_as_the_model_says_on_sqlite() {
    play_histories(rounds(30, 300), &histories(), async |steps| {
        play(Database::sqlite(), steps).await
    });
}

#[test]
fn every_history_is_as_the_model_says_on_postgres() {
    play_histories(rounds(10, 100), &histories(), async |steps| {
        play(Database::postgres().await, steps).await
    });
}
