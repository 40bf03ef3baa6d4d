//! The rule for the next attempt to send a mail.
//!
//! After a temporary failure a mail is sent again after 30 s, 1 min, 2 min and so on, within an hour of its
//! composition and while its code and link are valid. An hour outlasts greylisting and the restart of a
//! server; after a longer failure an operator repeats the mails (`sallyport email retry`).

use std::time::Duration;

use super::send_error::SendErrorKind;
use crate::clock::Timestamp;

/// Wait after the first attempt. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// Time after its composition in which a mail is attempted again.
const RETRY_PERIOD: Duration = Duration::from_hours(1);

/// Wait of a mail that only a newer version can read, for a replica of that version.
const NEWER_WAIT: Duration = Duration::from_secs(30);

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    Temporary,
    Permanent,
    /// Only a newer version can read the mail.
    NewerVersion,
}

impl FailureKind {
    /// The word in the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
            Self::NewerVersion => "newer version",
        }
    }
}

impl From<SendErrorKind> for FailureKind {
    fn from(kind: SendErrorKind) -> Self {
        match kind {
            SendErrorKind::Temporary => Self::Temporary,
            SendErrorKind::Permanent => Self::Permanent,
        }
    }
}

/// Times that the rule depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct MailTimes {
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// When to attempt a mail again after its `attempts`th attempt failed at `now`; `None` if it has failed for
/// good.
pub(super) fn next_attempt(
    kind: FailureKind,
    attempts: i32,
    times: MailTimes,
    now: Timestamp,
) -> Option<Timestamp> {
    match kind {
        FailureKind::Permanent => None,
        // Its expiry ends it, and the sender that finds it then deletes it.
        FailureKind::NewerVersion => Some((now + NEWER_WAIT).min(times.expires_at)),
        FailureKind::Temporary => {
            let doublings = u32::try_from(attempts).unwrap_or(1).saturating_sub(1).min(16);
            let at = now + FIRST_WAIT.saturating_mul(1 << doublings);
            let is_in_time = at <= times.created_at + RETRY_PERIOD && at < times.expires_at;
            is_in_time.then_some(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_796_000_000 + seconds)
    }

    fn times(validity: i64) -> MailTimes {
        MailTimes { created_at: at(0), expires_at: at(validity) }
    }

    /// Seconds after the composition at which a mail is attempted whose attempts all fail at once.
    fn attempts(kind: FailureKind, validity: i64) -> Vec<i64> {
        let mut moments = vec![at(0)];
        while let Some(next) = next_attempt(
            kind,
            i32::try_from(moments.len()).unwrap(),
            times(validity),
            moments[moments.len() - 1],
        ) {
            moments.push(next);
            assert!(moments.len() < 100, "{moments:?}");
        }
        moments.iter().map(|moment| moment.as_seconds() - at(0).as_seconds()).collect()
    }

    #[test]
    fn the_waits_after_temporary_failures_double_within_an_hour() {
        let day = 24 * 60 * 60;
        assert_eq!(attempts(FailureKind::Temporary, day), [0, 30, 90, 210, 450, 930, 1_890]);
    }

    #[test]
    fn a_mail_is_not_attempted_after_its_code_has_expired() {
        assert_eq!(attempts(FailureKind::Temporary, 600), [0, 30, 90, 210, 450]);
        assert_eq!(attempts(FailureKind::Temporary, 90), [0, 30]);
    }

    #[test]
    fn a_permanent_failure_has_no_further_attempt() {
        assert_eq!(attempts(FailureKind::Permanent, 600), [0]);
    }

    #[test]
    fn a_mail_of_a_newer_version_waits_until_it_expires() {
        let next = |now| next_attempt(FailureKind::NewerVersion, 50, times(7_200), now);
        assert_eq!(next(at(0)), Some(at(30)));
        assert_eq!(next(at(7_000)), Some(at(7_030)));
        assert_eq!(next(at(7_190)), Some(at(7_200)));
    }

    #[test]
    fn any_count_of_attempts_has_an_answer() {
        for attempts in [i32::MIN, -1, 0, 1, i32::MAX] {
            let next = next_attempt(FailureKind::Temporary, attempts, times(7_200), at(0));
            assert_eq!(next.is_some(), attempts < 2, "{attempts}");
        }
    }

    #[test]
    fn a_mail_that_an_operator_repeats_after_an_hour_gets_one_attempt() {
        assert_eq!(next_attempt(FailureKind::Temporary, 8, times(86_400), at(4_000)), None);
    }
}
