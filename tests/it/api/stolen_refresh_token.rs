//! A thief of one refresh token beside its owner, who names each refresh by an attempt ID.
//!
//! The thief uses what is public: the status of a token, the session of a stolen access token, a refresh
//! with any attempt ID but the owner's. In all histories, no refresh token is issued to both after the
//! theft; and once both have presented their tokens, the session is over.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::refresh_model::play_histories;
use super::service::{Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    a_thief_who_follows_each_refresh_is_given_nothing,
    a_thief_who_goes_ahead_of_each_refresh_is_found_at_the_first,
);

const SECOND: Duration = Duration::from_secs(1);

/// The owner: presents its newest token, by the same attempt until that is answered.
struct Owner {
    newest: Tokens,
    attempts: usize,
    given: HashSet<String>,
}

impl Owner {
    fn new(tokens: Tokens) -> Self {
        let given = HashSet::from([tokens.refresh.clone()]);
        Self { newest: tokens, attempts: 0, given }
    }

    /// Refreshes; the code where that is refused. An answer may get lost on its way.
    async fn refresh(&mut self, service: &Service, is_lost: bool) -> Option<String> {
        let attempt = format!("the owner's attempt {}", self.attempts);
        let payload = service.refresh(&self.newest.refresh, Some(&attempt)).await;
        if is_lost {
            return None;
        }
        self.attempts += 1;
        match tokens(&payload) {
            Some(next) => {
                self.given.insert(next.refresh.clone());
                self.newest = next;
                None
            }
            None => Some(code(&payload).to_owned()),
        }
    }
}

/// The generation of the session of an access token: what a thief of it may ask as often as he likes.
async fn generation(service: &Service, access: &str) -> Option<i64> {
    let answer = service.send(Some(access), "{ viewerSession { generation } }", Value::Null).await;
    answer["data"]["viewerSession"]["generation"].as_i64()
}

async fn ask_for_status(service: &Service, token: &str) {
    const STATUS: &str = "query($t: String!) { tokenStatus(token: $t) { active reason } }";
    service.send(None, STATUS, json!({ "t": token })).await;
}

async fn a_thief_who_follows_each_refresh_is_given_nothing(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let stolen = service.login("ada").await;
    let mut owner = Owner::new(stolen.clone());
    for round in 1..=3 {
        service.pass(60 * SECOND).await;
        assert_eq!(owner.refresh(&service, false).await, None);
        // He sees that it took place, at once, and presents what he has where that is still safe.
        assert_eq!(generation(&service, &stolen.access).await, Some(round));
        if round == 1 {
            for attempt in [None, Some("any text the thief can think of")] {
                let payload = service.refresh(&stolen.refresh, attempt).await;
                assert_eq!(code(&payload), "REFRESH_TOKEN_STALE");
                assert!(payload["tokens"].is_null(), "{payload}");
            }
        }
    }
    assert_eq!(code(&service.refresh(&stolen.refresh, None).await), "REFRESH_TOKEN_REUSED");
}

async fn a_thief_who_goes_ahead_of_each_refresh_is_found_at_the_first(database: Database) {
    for attempt in [None, Some("any text the thief can think of")] {
        let mut service = Service::start(&database, "").await;
        service.make(&format!("ada{}", attempt.map_or(0, str::len)), Role::User).await;
        let stolen = service.login(&format!("ada{}", attempt.map_or(0, str::len))).await;
        let mut owner = Owner::new(stolen.clone());
        service.pass(60 * SECOND).await;
        assert!(tokens(&service.refresh(&stolen.refresh, attempt).await).is_some());
        // The owner comes within the window, is not given the thief's token, and tries again.
        service.pass(SECOND).await;
        assert_eq!(owner.refresh(&service, false).await.as_deref(), Some("REFRESH_TOKEN_STALE"));
        service.pass(10 * SECOND).await;
        assert_eq!(owner.refresh(&service, false).await.as_deref(), Some("REFRESH_TOKEN_REUSED"));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The owner refreshes; the answer may get lost.
    Owner {
        is_lost: bool,
    },
    /// The thief presents one of what he has, the newest first, by any attempt but the owner's.
    Thief {
        age: usize,
        attempt: Option<u8>,
    },
    /// The thief asks what may be asked.
    Ask,
    Pass {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::bool::weighted(0.3).prop_map(|is_lost| Step::Owner { is_lost }),
        5 => (0..3_usize, prop::option::of(0..2_u8))
            .prop_map(|(age, attempt)| Step::Thief { age, attempt }),
        1 => Just(Step::Ask),
        4 => prop_oneof![Just(1), Just(4), Just(9), Just(10), Just(60)]
            .prop_map(|seconds| Step::Pass { seconds }),
    ]
}

async fn play(database: Database, before: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let mut owner = Owner::new(service.login("ada").await);
    for _ in 0..before {
        owner.refresh(&service, false).await;
    }
    let mut thief = vec![owner.newest.clone()];
    owner.given.clear();
    for step in steps {
        match step {
            Step::Owner { is_lost } => drop(owner.refresh(&service, is_lost).await),
            Step::Thief { age, attempt } => {
                let token = thief[thief.len().saturating_sub(1 + age)].refresh.clone();
                let attempt = attempt.map(|attempt| format!("the thief's attempt {attempt}"));
                let payload = service.refresh(&token, attempt.as_deref()).await;
                thief.extend(tokens(&payload));
            }
            Step::Ask => {
                for held in &thief {
                    ask_for_status(&service, &held.refresh).await;
                    generation(&service, &held.access).await;
                }
            }
            Step::Pass { seconds } => service.pass(Duration::from_secs(seconds)).await,
        }
        let of_both = thief.iter().find(|held| owner.given.contains(&held.refresh));
        prop_assert!(of_both.is_none(), "a token was given to both");
    }
    // Sooner or later each presents what it has.
    service.pass(11 * SECOND).await;
    let newest = thief.last().unwrap().refresh.clone();
    let went_on = tokens(&service.refresh(&newest, None).await).is_some();
    service.pass(11 * SECOND).await;
    let refused = owner.refresh(&service, false).await;
    let is_over = matches!(refused.as_deref(), Some("REFRESH_TOKEN_REUSED" | "SESSION_ENDED"));
    prop_assert!(is_over, "{went_on} {refused:?}");
    Ok(())
}

/// What happened before the theft, and after it.
fn histories() -> impl Strategy<Value = (usize, Vec<Step>)> {
    (0..3_usize, prop::collection::vec(step(), 1..25))
}

#[test]
fn no_thief_shares_a_session_with_its_owner_on_sqlite() {
    play_histories(rounds(30, 300), &histories(), async |(before, steps)| {
        play(Database::sqlite(), before, steps).await
    });
}

#[test]
fn no_thief_shares_a_session_with_its_owner_on_postgres() {
    play_histories(rounds(10, 100), &histories(), async |(before, steps)| {
        play(Database::postgres().await, before, steps).await
    });
}
