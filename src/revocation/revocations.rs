//! Set of ended sessions and floors, with the freshness rule.
//!
//! Owns the entries until no access token of a session can be valid, and the time of the last read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use crate::clock::Clock;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;
use crate::store::{EndedSession, Floor, MAX_LEEWAY};

use super::clock_lower_bound::EarliestTime;
use super::floors::Floors;
use super::notifier::{EndNotifier, EndWatcher};

pub struct Revocations {
    pub(super) clock: Arc<dyn Clock>,
    staleness: Duration,
    pub(super) token_lifetime: Duration,
    state: RwLock<State>,
    notifier: Arc<EndNotifier>,
}

/// Interval of removing ends of which no access token can be valid. A sweep looks at up to a million entries
/// while the guards wait, so it does not run at each read. An entry that stays longer does no harm.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

struct State {
    ended: HashMap<SessionId, Ended>,
    floors: Floors,
    /// Monotonic time at which the last complete read began; `None` before the first.
    read_at: Option<Duration>,
    /// Monotonic time of the last sweep.
    swept_at: Duration,
    clock_lower_bound: EarliestTime,
}

/// The end of a session in eight bytes, because there may be a million.
struct Ended {
    reason: EndReason,
    /// Whole seconds since the epoch, rounded up.
    until: u32,
}

/// The last complete read is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the set of ended sessions is stale")]
pub struct Stale;

impl Revocations {
    /// An empty set, stale until the first read. `token_lifetime` is that of access tokens.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, staleness: Duration, token_lifetime: Duration) -> Self {
        let state = State {
            ended: HashMap::new(),
            floors: Floors::default(),
            read_at: None,
            swept_at: Duration::ZERO,
            clock_lower_bound: EarliestTime::new(token_lifetime),
        };
        Self {
            clock,
            staleness,
            token_lifetime,
            state: RwLock::new(state),
            notifier: Arc::default(),
        }
    }

    /// Reason for the end of a session; `None` if it has not ended.
    ///
    /// # Errors
    /// [`Stale`] if the session is not known to have ended and the set is stale. A known end is returned
    /// even if the set is stale.
    pub fn end_of(&self, user: UserId, session: SessionId) -> Result<Option<EndReason>, Stale> {
        let state = self.state.read();
        if let Some(ended) = state.ended.get(&session) {
            return Ok(Some(ended.reason));
        }
        if let Some(floor) = state.floors.over(user, session) {
            return Ok(Some(floor.reason));
        }
        if self.is_fresh_in(&state) { Ok(None) } else { Err(Stale) }
    }

    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.is_fresh_in(&self.state.read())
    }

    fn is_fresh_in(&self, state: &State) -> bool {
        let age = state.read_at.map(|at| self.clock.monotonic().saturating_sub(at));
        age.is_some_and(|age| age <= self.staleness)
    }

    /// Adds sessions that this process ended, before it answers.
    pub fn add(&self, ended: &[EndedSession]) {
        self.add_read(ended, false);
    }

    /// Adds ended sessions that were read from the feed. While any transaction is open in the database, the
    /// same ends are read again each time; repeated ends do not notify.
    pub(super) fn add_read(&self, ended: &[EndedSession], is_repeated: bool) {
        if ended.is_empty() {
            return;
        }
        let mut state = self.state.write();
        let users = state.add(ended, is_repeated);
        drop(state);
        self.notifier.notify(&users);
    }

    /// Adds floors: those of this process before it answers, those of others when they are read.
    pub fn add_floors(&self, floors: &[Floor]) {
        if floors.is_empty() {
            return;
        }
        let default_end = self.clock.now() + self.token_lifetime + MAX_LEEWAY;
        let mut state = self.state.write();
        let mut new = floors.to_vec();
        new.retain(|floor| state.floors.put(*floor, default_end));
        drop(state);
        let users: Option<Vec<_>> = new.iter().map(|floor| floor.user).collect();
        match users {
            Some(users) => self.notifier.notify(&users),
            None => self.notifier.notify_all(),
        }
    }

    /// A floor that ends this session.
    #[must_use]
    pub fn floor_over(&self, user: UserId, session: SessionId) -> Option<Floor> {
        let state = self.state.read();
        state.floors.over(user, session).copied()
    }

    /// Floors of all users, and those of this user if one is given.
    #[must_use]
    pub fn floors_of(&self, user: Option<UserId>) -> Vec<Floor> {
        self.state.read().floors.of(user).collect()
    }

    /// Floors whose sessions' rows may not all be ended yet.
    #[must_use]
    pub fn unfinished_floors(&self) -> Vec<Floor> {
        self.state.read().floors.unfinished()
    }

    /// Subscribes to ends of one user, or of all users.
    #[must_use]
    pub fn watch(&self, of: Option<UserId>) -> EndWatcher {
        self.notifier.watch(of)
    }

    /// Records a complete read that began at this monotonic time, and sweeps if it is due.
    pub(super) fn read_completely(&self, began: Duration) {
        let now = self.clock.now();
        let mut state = self.state.write();
        state.read_at = Some(began);
        let now = state.clock_lower_bound.at(now, self.clock.monotonic());
        if began.saturating_sub(state.swept_at) >= SWEEP_INTERVAL {
            state.swept_at = began;
            state.ended.retain(|_, ended| i64::from(ended.until) > now.as_seconds());
            // Frees memory after a time with very many ends.
            let kept = state.ended.len();
            state.ended.shrink_to(kept * 2);
            state.floors.sweep(now);
        }
    }

    /// Largest allowed age of the last complete read.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        self.staleness
    }

    /// Time since the last complete read began; `None` before the first.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let read_at = self.state.read().read_at;
        read_at.map(|at| self.clock.monotonic().saturating_sub(at))
    }

    /// Number of ended sessions in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.read().ended.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    /// Adds ends and returns the users to notify. An end that a floor covers is not stored, so only
    /// `is_repeated` tells whether its user was notified already.
    fn add(&mut self, ended: &[EndedSession], is_repeated: bool) -> Vec<UserId> {
        let mut users = Vec::new();
        for session in ended {
            if self.floors.cover(session) {
                if !is_repeated {
                    users.push(session.user_id);
                }
                continue;
            }
            let until = (session.until + Duration::from_micros(999_999)).as_seconds();
            let until = u32::try_from(until).unwrap_or(u32::MAX);
            let end = Ended { reason: session.reason, until };
            if self.ended.insert(session.id, end).is_none() {
                users.push(session.user_id);
            }
        }
        users
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::domain::id::UserId;
    use crate::entropy::SeededEntropy;
    use crate::store::FloorId;
    use futures_util::FutureExt;

    const MAX_STALENESS: Duration = Duration::from_secs(5);
    const LIFETIME: Duration = Duration::from_mins(15);

    fn revocations() -> (Arc<ManualClock>, Revocations) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        (Arc::clone(&clock), Revocations::new(clock, MAX_STALENESS, LIFETIME))
    }

    fn ended(clock: &ManualClock, seconds: u64) -> EndedSession {
        let entropy = SeededEntropy::new(seconds);
        EndedSession {
            id: SessionId::new(clock.now(), &entropy),
            user_id: UserId::new(clock.now(), &entropy),
            reason: EndReason::Logout,
            until: clock.now() + Duration::from_secs(seconds),
        }
    }

    fn end_of(revocations: &Revocations, of: &EndedSession) -> Result<Option<EndReason>, Stale> {
        revocations.end_of(of.user_id, of.id)
    }

    #[test]
    fn before_the_first_read_the_set_is_stale() {
        let (clock, revocations) = revocations();
        assert_eq!(end_of(&revocations, &ended(&clock, 1)), Err(Stale));
        revocations.read_completely(clock.monotonic());
        assert_eq!(end_of(&revocations, &ended(&clock, 1)), Ok(None));
    }

    #[test]
    fn a_stale_set_knows_ended_sessions_but_not_active_ones() {
        let (clock, revocations) = revocations();
        let (gone, other) = (ended(&clock, 100), ended(&clock, 101));
        revocations.add(&[gone]);
        revocations.read_completely(clock.monotonic());
        clock.advance_monotonic(MAX_STALENESS);
        assert_eq!(end_of(&revocations, &other), Ok(None));
        clock.advance_monotonic(Duration::from_micros(1));
        assert_eq!(end_of(&revocations, &other), Err(Stale));
        assert_eq!(end_of(&revocations, &gone), Ok(Some(EndReason::Logout)));
    }

    #[test]
    fn a_wall_clock_that_jumps_makes_nothing_fresh_or_stale() {
        let (clock, revocations) = revocations();
        revocations.read_completely(clock.monotonic());
        clock.rewind(Duration::from_hours(1));
        assert!(revocations.is_fresh());
    }

    #[test]
    fn an_end_that_a_floor_covers_notifies_once() {
        let (clock, revocations) = revocations();
        let gone = ended(&clock, 10);
        revocations.add_floors(&[Floor {
            id: FloorId::FIRST,
            user: None,
            below: gone.id.first_behind(),
            except: None,
            reason: EndReason::Admin,
            by: None,
            at: clock.now(),
            until: None,
        }]);
        let mut watch = revocations.watch(Some(gone.user_id));
        for is_repeated in [false, true] {
            revocations.add_read(&[gone], is_repeated);
            assert_eq!(watch.changed().now_or_never().is_some(), !is_repeated);
        }
    }

    #[test]
    fn an_end_is_removed_once_no_access_token_can_be_valid() {
        let (clock, revocations) = revocations();
        revocations.add(&[ended(&clock, 10)]);
        clock.advance(Duration::from_secs(9));
        clock.advance_monotonic(SWEEP_INTERVAL);
        revocations.read_completely(clock.monotonic());
        assert_eq!(revocations.len(), 1);
        clock.advance(Duration::from_secs(1));
        revocations.read_completely(clock.monotonic());
        assert_eq!(revocations.len(), 1);
        clock.advance_monotonic(SWEEP_INTERVAL);
        revocations.read_completely(clock.monotonic());
        assert!(revocations.is_empty());
    }

    #[test]
    fn a_wall_clock_that_jumps_ahead_and_comes_back_finds_every_end_again() {
        let (clock, revocations) = revocations();
        let gone = ended(&clock, LIFETIME.as_secs());
        revocations.add(&[gone]);
        revocations.read_completely(clock.monotonic());
        clock.advance(Duration::from_hours(1));
        for _ in 0..14 {
            clock.advance(SWEEP_INTERVAL);
            clock.advance_monotonic(SWEEP_INTERVAL);
            revocations.read_completely(clock.monotonic());
        }
        clock.rewind(Duration::from_hours(1));
        assert_eq!(end_of(&revocations, &gone), Ok(Some(EndReason::Logout)));
    }
}
