//! Limits on mails that strangers can cause.
//!
//! They protect people from mails that somebody else asked for, and the sender's reputation. No setting
//! switches them off. A limit counts the times of the latest mails, so that it holds in any period of its
//! length, wherever the period begins.

use std::time::Duration;

use super::throttle::{Bucket, Limit};

/// At most `count` mails within any period of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub count: usize,
    pub period: Duration,
}

/// A limit of one or two windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailLimit {
    /// Part of the bucket's digest.
    pub name: &'static str,
    pub short: Window,
    pub long: Window,
}

/// Mails to one recipient.
pub const RECIPIENT: MailLimit = MailLimit {
    name: "mail to recipient",
    short: Window { count: 3, period: Duration::from_mins(10) },
    long: Window { count: 10, period: Duration::from_hours(24) },
};

/// Mails that one address causes: an IPv4 address or an IPv6 /64.
pub const SOURCE: MailLimit = hourly("mail from address", 20);

/// Mails that one network causes: an IPv4 /24 or an IPv6 /48.
pub const SOURCE_NETWORK: MailLimit = hourly("mail from network", 60);

const fn hourly(name: &'static str, count: usize) -> MailLimit {
    let window = Window { count, period: Duration::from_hours(1) };
    MailLimit { name, short: window, long: window }
}

/// A limit and the bucket that it counts in.
#[derive(Clone, Copy, Debug)]
pub struct MailCharge {
    pub bucket: Bucket,
    pub limit: MailLimit,
}

impl MailLimit {
    /// Number of times that have to be remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.short.count.max(self.long.count)
    }

    /// After this time without a mail nothing has to be remembered.
    #[must_use]
    pub fn memory(&self) -> Duration {
        self.short.period.max(self.long.period)
    }
}

/// Limit on all mails of the deployment that strangers cause.
#[must_use]
pub fn ceiling(per_minute: u32) -> Limit {
    Limit::steady("mail", per_minute, Duration::from_mins(1) / per_minute.max(1))
}
