//! Rate limit on refreshes of one session, checked by the statement that refreshes.
//!
//! Owns the column `refresh_limit_until`: the time at which the limit is fully available again. Check
//! and count are one conditional write, so concurrent refreshes on any replicas cannot exceed the
//! limit. A refused refresh changes nothing, and its token stays valid.

use crate::clock::Timestamp;
use crate::domain::throttle::Limit;

/// Whether the limit in `given` allows another refresh.
macro_rules! within_limit {
    () => {
        "COALESCE(sessions.refresh_limit_until, 0) \
         NOT BETWEEN given.limit_from AND given.limit_to"
    };
}
pub(in crate::store) use within_limit;

/// The column's value after one more refresh. A value beyond `limit_from` comes from a clock that was
/// ahead, and is ignored.
macro_rules! limit_after {
    () => {
        "CASE WHEN sessions.refresh_limit_until BETWEEN given.at AND given.limit_from \
         THEN sessions.refresh_limit_until ELSE given.at END + given.limit_step"
    };
}
pub(in crate::store) use limit_after;

/// Parameters of the statement.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct LimitColumns {
    /// First and last value of the column for which a refresh is refused now.
    pub from: i64,
    pub to: i64,
    /// Microseconds that a refresh adds to the column.
    pub step: i64,
}

impl LimitColumns {
    /// No limit: an empty range, which refuses nothing, and no increment.
    const NONE: Self = Self { from: 1, to: 0, step: 0 };

    pub(in crate::store) fn of(limit: Option<Limit>, now: Timestamp) -> Self {
        let Some(limit) = limit else { return Self::NONE };
        let refusing = limit.refusing(now);
        Self {
            from: refusing.start().as_micros(),
            to: refusing.end().as_micros(),
            step: i64::try_from(limit.longest.as_micros()).unwrap_or(i64::MAX),
        }
    }
}
