//! Every rule about who is logged in and who may do what.
//!
//! Owns the use cases: register, log in, refresh, log out, change an account, administer. Rule: a use
//! case takes parsed or parseable input and who asks, decides here, and does what it decided in one
//! operation of the store. The guard, which runs on every request, asks no database.

mod account;
mod administration;
mod admission;
mod carrier;
mod cookie;
mod counting;
mod doubts;
mod dummies;
mod ending;
mod error;
mod follow;
mod guard;
mod hashing;
mod keys;
mod login;
mod logout;
mod presence;
mod purge;
mod readiness;
mod reading;
mod refresh;
mod refusing;
mod register;
mod registration_limit;
mod remembered_users;
mod throttle;
mod token_status;
mod tokens;
mod turns;

pub use administration::NewAccount;
pub use carrier::Refresh;
pub use cookie::{CookieChange, RefreshCookie, TokenTransport, Untrusted};
pub use error::{Denial, Error, Reason, UserError, UserErrorCode};
pub use follow::{Followed, Follower, SessionEnded};
pub use guard::{Caller, Viewer};
pub use hashing::HashingLoad;
pub use keys::{KeyError, Keys, PUBLIC_KEYS_MAX_AGE, Rotation, SigningKey};
pub use login::Login;
pub use logout::{LoggedOut, LogoutScope};
pub use presence::Presence;
pub use readiness::Check;
pub use register::Register;
pub use token_status::{TokenRefusal, TokenStatus, TokenType};
pub use tokens::{SignedIn, TokenPair};

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::crypto::access_token::Issuer;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::Hashing;
use crate::crypto::refresh_token::RefreshKeys;
use crate::domain::id::UserId;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::revocation::Revocations;
use crate::store::Store;

use ending::Worker;
use hashing::HashingQueue;
use remembered_users::RememberedUsers;
use throttle::Throttle;
use turns::Turns;

/// What an operator decides.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Policy {
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// How long a refresh token lives; each rotation gives as much again.
    pub refresh_token_lifetime: Duration,
    /// How long a session lives at most, however often it is refreshed.
    pub session_lifetime: Option<Duration>,
    /// How many live sessions a user may have.
    pub max_sessions: Option<u32>,
    /// How long the token just rotated away is answered with the same successor.
    pub retry_window: Duration,
    /// Whether a refresh rotates the refresh token.
    pub rotate: bool,
    /// Whether an account remembers its last login.
    pub record_login: bool,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// The fewest characters of a password.
    pub password_min_length: usize,
    /// Whether guessing is slowed down.
    pub throttle: bool,
    /// How long audit events are kept.
    pub audit_retention: Duration,
    /// How long addresses and user agents are kept.
    pub metadata_retention: Duration,
}

/// What the use cases work with.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// The keys of access tokens.
    pub keys: Arc<Keys>,
    /// The key of refresh tokens.
    pub refresh_keys: RefreshKeys,
    /// The key of what tries are counted under.
    pub throttle_key: BlindIndexKey,
    /// On whose behalf tokens are issued.
    pub issuer: Issuer,
    /// The set of ended sessions.
    pub revocations: Arc<Revocations>,
    /// Where outcomes are counted.
    pub metrics: Arc<Metrics>,
    /// How passwords are hashed.
    pub hashing: Hashing,
    /// What the operator decided.
    pub policy: Policy,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The use cases.
pub struct Auth {
    store: Arc<Store>,
    keys: Arc<Keys>,
    refresh_keys: RefreshKeys,
    issuer: Issuer,
    revocations: Arc<Revocations>,
    metrics: Arc<Metrics>,
    hashing: HashingQueue,
    throttle: Throttle,
    refreshes: Turns,
    users: RememberedUsers,
    worker: Worker,
    policy: Policy,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Who gives an administrator's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever may run the program's commands beside its database.
    Operator,
    /// An administrator who is logged in.
    User(UserId),
}

impl Actor {
    /// The account behind it.
    #[must_use]
    pub fn user_id(self) -> Option<UserId> {
        match self {
            Self::Operator => None,
            Self::User(id) => Some(id),
        }
    }
}

impl Auth {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, keys, refresh_keys, issuer, revocations, hashing, .. } = parts;
        let Parts { policy, metrics, clock, entropy, throttle_key, .. } = parts;
        let throttle = Throttle::new(throttle_key, policy.throttle);
        let hashing = HashingQueue::new(hashing, Arc::clone(&entropy));
        Self {
            store,
            keys,
            refresh_keys,
            issuer,
            revocations,
            metrics,
            hashing,
            throttle,
            refreshes: Turns::default(),
            users: RememberedUsers::default(),
            worker: Worker::new(clock.now(), &*entropy),
            policy,
            clock,
            entropy,
        }
    }

    /// On whose behalf tokens are issued.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time that never goes back.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// How busy hashing is, which is what a flood of logins shows in first.
    #[must_use]
    pub fn hashing_load(&self) -> HashingLoad {
        self.hashing.load()
    }
}
