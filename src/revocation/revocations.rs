//! Set of ended sessions, in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use crate::clock::Clock;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;
use crate::store::{EndedSession, Floor, MAX_LEEWAY};

use super::earliest_time::EarliestTime;
use super::floors::Floors;
use super::notifier::{EndNotifier, EndWatcher};

/// The set of ended sessions.
pub struct Revocations {
    pub(super) clock: Arc<dyn Clock>,
    staleness: Duration,
    pub(super) token_lifetime: Duration,
    state: RwLock<State>,
    notifier: Arc<EndNotifier>,
}

/// How often the set is searched for ends that no token can be alive of. All of a million entries are
/// looked at while the guards wait, so not at each read; one that stays longer refuses nothing that
/// was not refused anyway.
const SWEEP: Duration = Duration::from_mins(1);

struct State {
    ended: HashMap<SessionId, Ended>,
    floors: Floors,
    /// The monotonic time at which the last complete read began; `None` before the first.
    read_at: Option<Duration>,
    /// The monotonic time of the last search.
    swept_at: Duration,
    earliest_time: EarliestTime,
}

/// An end in eight bytes: there may be a million.
struct Ended {
    reason: EndReason,
    /// Whole seconds since the epoch, rounded up.
    until: u32,
}

/// The set is too old to be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is known of ended sessions is too old to be relied on")]
pub struct Stale;

impl Revocations {
    /// An empty set, stale until the first read, for tokens that live as long as this.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, staleness: Duration, token_lifetime: Duration) -> Self {
        let state = State {
            ended: HashMap::new(),
            floors: Floors::default(),
            read_at: None,
            swept_at: Duration::ZERO,
            earliest_time: EarliestTime::new(token_lifetime),
        };
        Self {
            clock,
            staleness,
            token_lifetime,
            state: RwLock::new(state),
            notifier: Arc::default(),
        }
    }

    /// What ended the session of a user, if anything did.
    ///
    /// # Errors
    /// [`Stale`] where the session is not known to have ended and the set is too old to tell. That
    /// it has ended stays true however old the set is.
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

    /// Whether the set can be relied on.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.is_fresh_in(&self.state.read())
    }

    fn is_fresh_in(&self, state: &State) -> bool {
        let age = state.read_at.map(|at| self.clock.monotonic().saturating_sub(at));
        age.is_some_and(|age| age <= self.staleness)
    }

    /// Adds sessions that ended, whoever ended them, before this process answers.
    pub fn add(&self, ended: &[EndedSession]) {
        self.add_read(ended, false);
    }

    /// Adds sessions that ended as they are read. While a transaction of whoever lasts, the same ones
    /// are read each time, which is no news.
    pub(super) fn add_read(&self, ended: &[EndedSession], is_repeated: bool) {
        if ended.is_empty() {
            return;
        }
        let mut state = self.state.write();
        let users = state.add(ended, is_repeated);
        drop(state);
        self.notifier.notify(&users);
    }

    /// Takes note of floors: this process's own before it answers, others' as they are read.
    pub fn add_floors(&self, floors: &[Floor]) {
        if floors.is_empty() {
            return;
        }
        let otherwise = self.clock.now() + self.token_lifetime + MAX_LEEWAY;
        let mut state = self.state.write();
        let mut new = floors.to_vec();
        new.retain(|floor| state.floors.put(*floor, otherwise));
        drop(state);
        let users: Option<Vec<_>> = new.iter().map(|floor| floor.user).collect();
        match users {
            Some(users) => self.notifier.notify(&users),
            None => self.notifier.notify_all(),
        }
    }

    /// The floor that this session is below, if any is known.
    #[must_use]
    pub fn floor_over(&self, user: UserId, session: SessionId) -> Option<Floor> {
        let state = self.state.read();
        state.floors.over(user, session).copied()
    }

    /// The floors that are known, of this user and of everybody.
    #[must_use]
    pub fn floors_of(&self, user: Option<UserId>) -> Vec<Floor> {
        self.state.read().floors.of(user).collect()
    }

    /// The floors below which rows may not be ended yet.
    #[must_use]
    pub fn unfinished_floors(&self) -> Vec<Floor> {
        self.state.read().floors.unfinished()
    }

    /// Waits for ends of one user, or of all.
    #[must_use]
    pub fn watch(&self, of: Option<UserId>) -> EndWatcher {
        self.notifier.watch(of)
    }

    /// Notes that all there was to read has been added, by a read that began at this monotonic time.
    pub(super) fn read_completely(&self, began: Duration) {
        let now = self.clock.now();
        let mut state = self.state.write();
        state.read_at = Some(began);
        let now = state.earliest_time.at(now, self.clock.monotonic());
        if began.saturating_sub(state.swept_at) >= SWEEP {
            state.swept_at = began;
            state.ended.retain(|_, ended| i64::from(ended.until) > now.as_seconds());
            // What a bad day took is given back.
            let kept = state.ended.len();
            state.ended.shrink_to(kept * 2);
            state.floors.sweep(now);
        }
    }

    /// How old what is known may be.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        self.staleness
    }

    /// How long ago the last complete read began; `None` before the first.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let read_at = self.state.read().read_at;
        read_at.map(|at| self.clock.monotonic().saturating_sub(at))
    }

    /// How many sessions are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.read().ended.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    /// The users of those that were not known; of one that a floor stands for, and that is not
    /// remembered, where it is not read again.
    fn add(&mut self, ended: &[EndedSession], is_repeated: bool) -> Vec<UserId> {
        let mut users = Vec::new();
        for session in ended {
            if self.floors.stand_for(session) {
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

    const BOUND: Duration = Duration::from_secs(5);
    const LIFETIME: Duration = Duration::from_mins(15);

    fn revocations() -> (Arc<ManualClock>, Revocations) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        (Arc::clone(&clock), Revocations::new(clock, BOUND, LIFETIME))
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
    fn before_the_first_read_nothing_is_known() {
        let (clock, revocations) = revocations();
        assert_eq!(end_of(&revocations, &ended(&clock, 1)), Err(Stale));
        revocations.read_completely(clock.monotonic());
        assert_eq!(end_of(&revocations, &ended(&clock, 1)), Ok(None));
    }

    #[test]
    fn an_old_set_knows_what_ended_but_not_what_lives() {
        let (clock, revocations) = revocations();
        let (gone, other) = (ended(&clock, 100), ended(&clock, 101));
        revocations.add(&[gone]);
        revocations.read_completely(clock.monotonic());
        clock.advance_monotonic(BOUND);
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
    fn an_end_that_a_floor_stands_for_is_told_once() {
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
    fn an_end_is_forgotten_once_no_access_token_can_be_alive() {
        let (clock, revocations) = revocations();
        revocations.add(&[ended(&clock, 10)]);
        clock.advance(Duration::from_secs(9));
        clock.advance_monotonic(SWEEP);
        revocations.read_completely(clock.monotonic());
        assert_eq!(revocations.len(), 1);
        clock.advance(Duration::from_secs(1));
        revocations.read_completely(clock.monotonic());
        assert_eq!(revocations.len(), 1);
        clock.advance_monotonic(SWEEP);
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
            clock.advance(SWEEP);
            clock.advance_monotonic(SWEEP);
            revocations.read_completely(clock.monotonic());
        }
        clock.rewind(Duration::from_hours(1));
        assert_eq!(end_of(&revocations, &gone), Ok(Some(EndReason::Logout)));
    }
}
