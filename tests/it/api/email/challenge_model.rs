//! Random histories of challenges, compared with a model of their states.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sallyport::auth::{Admin, UserChanges};
use sallyport::clock::{Clock, Timestamp};
use sallyport::domain::id::UserId;
use sallyport::domain::origin::Origin;
use serde_json::Value;

use super::super::refresh_model::play_histories;
use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{
    Received, challenge_token, continue_login, count, login_with_link, newest, request,
    reset_by_code, reset_by_link, verified,
};
use crate::databases::Database;
use crate::proof::rounds;

const LIFETIME: Duration = Duration::from_mins(10);

/// Below the number of requests that the service answers to one client in an hour.
const MAX_REQUESTS: usize = 15;

/// One step of a history. Challenges are chosen by numbers that wrap around.
#[derive(Clone, Debug)]
enum Step {
    Request { purpose: Purpose },
    EnterCode { challenge: usize, is_right: bool },
    OpenLink { challenge: usize },
    Change { what: Change },
    Pass { seconds: u64 },
}

#[derive(Clone, Copy, Debug)]
enum Purpose {
    Login,
    Reset,
}

/// Changes of the account that make its challenges worthless.
#[derive(Clone, Copy, Debug)]
enum Change {
    Password,
    Address,
    /// Deactivates and activates the account.
    Activity,
}

fn step() -> impl Strategy<Value = Step> {
    let purpose = prop_oneof![Just(Purpose::Login), Just(Purpose::Reset)];
    let what = prop_oneof![Just(Change::Password), Just(Change::Address), Just(Change::Activity)];
    prop_oneof![
        4 => purpose.prop_map(|purpose| Step::Request { purpose }),
        8 => (0..4_usize, prop::bool::weighted(0.2))
            .prop_map(|(challenge, is_right)| Step::EnterCode { challenge, is_right }),
        2 => (0..4_usize).prop_map(|challenge| Step::OpenLink { challenge }),
        1 => what.prop_map(|what| Step::Change { what }),
        2 => prop_oneof![Just(1), Just(200), Just(599), Just(600)]
            .prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What the model knows of a challenge.
struct Challenge {
    purpose: Purpose,
    token: String,
    /// `None` beyond the limits of mails: then no code is right.
    mail: Option<Received>,
    created_at: Timestamp,
    attempts_left: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The account has another password or address. That shows only to a right code: whoever tries codes
    /// must not learn that there is an account.
    Outdated,
    /// Used, or deleted with a reset or a deactivation.
    Dead,
}

impl Challenge {
    fn is_open(&self, now: Timestamp) -> bool {
        self.state != State::Dead && self.attempts_left > 0 && now < self.created_at + LIFETIME
    }

    /// What the service must answer to a code; `None` is a login.
    fn judge_code(&self, is_right: bool, now: Timestamp) -> Option<&'static str> {
        match (self.is_open(now), is_right) {
            (false, _) => Some("CHALLENGE_EXPIRED"),
            (true, false) => Some("INVALID_PROOF"),
            (true, true) if self.state == State::Outdated => Some("CHALLENGE_EXPIRED"),
            (true, true) => None,
        }
    }
}

/// A service with one account, and its challenges.
struct World {
    service: Service,
    user: UserId,
    challenges: Vec<Challenge>,
    logins: i64,
}

impl World {
    async fn new(database: &Database) -> Self {
        let service = Service::start(database, "--throttle false").await;
        let id = verified(&service, "ada").await;
        let user = UserId::parse(id.trim_start_matches("User:")).unwrap();
        Self { service, user, challenges: Vec::new(), logins: 0 }
    }

    async fn request(&mut self, purpose: Purpose) {
        let (mutation, mail) = match purpose {
            Purpose::Login => ("requestEmailLogin", "login"),
            Purpose::Reset => ("requestPasswordReset", "reset"),
        };
        let before = count(&self.service, mail).await;
        let asked = request(&self.service, mutation, "ada").await;
        let is_mailed = count(&self.service, mail).await > before;
        let mail = if is_mailed { Some(newest(&self.service, mail).await) } else { None };
        self.challenges.push(Challenge {
            purpose,
            token: challenge_token(&asked).to_owned(),
            mail,
            created_at: self.service.clock.now(),
            attempts_left: 5,
            state: State::Open,
        });
    }

    /// Applies a right proof to the model.
    fn spend(&mut self, at: usize) {
        self.logins += 1;
        self.challenges[at].state = State::Dead;
        if matches!(self.challenges[at].purpose, Purpose::Reset) {
            self.challenges.iter_mut().for_each(|challenge| challenge.state = State::Dead);
        }
    }

    async fn enter_code(
        &mut self,
        at: usize,
        is_right: bool,
        password: &str,
    ) -> Result<(), TestCaseError> {
        let now = self.service.clock.now();
        let challenge = &self.challenges[at];
        let right = challenge.mail.as_ref().map(Received::code);
        let wrong = if right == Some("00000000") { "00000001" } else { "00000000" };
        let is_right = is_right && right.is_some();
        let entered = right.filter(|_| is_right).unwrap_or(wrong);
        let expected = challenge.judge_code(is_right, now);
        let answer = match challenge.purpose {
            Purpose::Login => continue_login(&self.service, &challenge.token, entered).await,
            Purpose::Reset => {
                reset_by_code(&self.service, &challenge.token, entered, password).await
            }
        };
        assert_answer(&answer, expected)?;
        match expected {
            None => self.spend(at),
            Some("INVALID_PROOF") => self.challenges[at].attempts_left -= 1,
            Some(_) => {}
        }
        Ok(())
    }

    async fn open_link(&mut self, at: usize, password: &str) -> Result<(), TestCaseError> {
        let now = self.service.clock.now();
        let challenge = &self.challenges[at];
        let Some(mail) = &challenge.mail else { return Ok(()) };
        let expected = challenge.judge_code(true, now);
        let answer = match challenge.purpose {
            Purpose::Login => login_with_link(&self.service, mail.token(), None).await,
            Purpose::Reset => reset_by_link(&self.service, mail.token(), password).await,
        };
        assert_answer(&answer, expected)?;
        if expected.is_none() {
            self.spend(at);
        }
        Ok(())
    }

    async fn change(&mut self, what: Change, number: usize) {
        let (by, origin) = (Admin::operator(), Origin::default());
        let accounts = &self.service.core.auth.accounts;
        match what {
            Change::Password => {
                let password = format!("{PASSWORD}-{number}");
                accounts.set_password(by, self.user, &password, origin).await.map(drop).unwrap();
            }
            Change::Address => {
                let email = format!("ada{number}@example.com");
                let changes = UserChanges {
                    email: Some(&email),
                    email_verified: Some(true),
                    ..UserChanges::default()
                };
                accounts.update_user(by, self.user, changes, origin).await.map(drop).unwrap();
            }
            Change::Activity => {
                for active in [false, true] {
                    let origin = origin.clone();
                    accounts.set_active(by, self.user, active, origin).await.map(drop).unwrap();
                }
            }
        }
        for challenge in &mut self.challenges {
            challenge.state = match (challenge.state, what) {
                (State::Dead, _) | (_, Change::Activity | Change::Address) => State::Dead,
                (_, Change::Password) => State::Outdated,
            };
        }
    }
}

fn assert_answer(answer: &Value, expected: Option<&str>) -> Result<(), TestCaseError> {
    match expected {
        None => prop_assert!(tokens(answer).is_some(), "{}", answer),
        Some(expected) => prop_assert_eq!(code(answer), expected, "{}", answer),
    }
    Ok(())
}

async fn play(database: Database, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut world = World::new(&database).await;
    for (number, step) in steps.into_iter().enumerate() {
        let challenges = world.challenges.len();
        let password = format!("{PASSWORD}-{number}");
        match step {
            Step::Request { purpose } if challenges < MAX_REQUESTS => world.request(purpose).await,
            Step::EnterCode { challenge, is_right } if challenges > 0 => {
                world.enter_code(challenge % challenges, is_right, &password).await?;
            }
            Step::OpenLink { challenge } if challenges > 0 => {
                world.open_link(challenge % challenges, &password).await?;
            }
            Step::Change { what } => world.change(what, number).await,
            Step::Pass { seconds } => world.service.clock.advance(Duration::from_secs(seconds)),
            Step::Request { .. } | Step::EnterCode { .. } | Step::OpenLink { .. } => {}
        }
    }
    // Each right proof opened one session, and nothing else did.
    let sessions = database.raw().await.number("SELECT count(*) FROM sessions").await;
    prop_assert_eq!(sessions, world.logins);
    Ok(())
}

fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}

#[test]
fn every_history_of_challenges_is_as_the_model_says_on_sqlite() {
    play_histories(rounds(30, 300), &histories(), async |steps| {
        play(Database::sqlite(), steps).await
    });
}

#[test]
fn every_history_of_challenges_is_as_the_model_says_on_postgres() {
    play_histories(rounds(10, 100), &histories(), async |steps| {
        play(Database::postgres().await, steps).await
    });
}
