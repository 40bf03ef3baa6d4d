//! The limit on refreshes of one session, within the statement that refreshes.
//!
//! Owns `refresh_limit_until`, which says from when on it is as if the session had not been refreshed.
//! Rule: whether a refresh is within the limit and that it counts are one conditional write, so of any
//! number at once, on whichever replica, no more take place than the limit says; one that is refused
//! changes nothing, and its token is as good as before.

use crate::clock::Timestamp;
use crate::domain::throttle::Limit;

/// Whether another refresh is within the limit of what is `given`.
macro_rules! within_limit {
    () => {
        "COALESCE(sessions.refresh_limit_until, 0) \
         NOT BETWEEN given.limit_from AND given.limit_to"
    };
}
pub(super) use within_limit;

/// The column after one more refresh. What is left of a clock that was set back since counts nothing.
macro_rules! limit_after {
    () => {
        "CASE WHEN sessions.refresh_limit_until BETWEEN given.at AND given.limit_from \
         THEN sessions.refresh_limit_until ELSE given.at END + given.limit_step"
    };
}
pub(super) use limit_after;

/// A limit as the statement is given it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitColumns {
    /// The first and the last value of the column that refuse a refresh now.
    pub from: i64,
    pub to: i64,
    /// What one more refresh adds.
    pub step: i64,
}

impl LimitColumns {
    /// Of no limit, where nothing is refused and nothing counted.
    const NONE: Self = Self { from: 1, to: 0, step: 0 };

    pub(super) fn of(limit: Option<Limit>, now: Timestamp) -> Self {
        let Some(limit) = limit else { return Self::NONE };
        let refusing = limit.refusing(now);
        Self {
            from: refusing.start().as_micros(),
            to: refusing.end().as_micros(),
            step: i64::try_from(limit.longest.as_micros()).unwrap_or(i64::MAX),
        }
    }
}
