//! How guessing at passwords is slowed down: what is counted, and how long the next try waits.
//!
//! Two kinds of [`Limit`]. A growing one is for what belongs to one account: a few wrong tries are
//! free, each one more doubles the wait. A steady one is for addresses, which many people may share:
//! so many wrong tries at once, and then one every so often. Both keep the same two facts, how many
//! tries were wrong and from when on the next one counts, so that one statement serves both.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::filter::IpBlock;
use crate::clock::Timestamp;

/// How long after its last wait a count is forgotten.
pub const FORGET: Duration = Duration::from_hours(24);

/// What is counted under: a keyed digest of a name, an address or both, and nothing that could be
/// read. People type passwords where the name belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(pub [u8; 16]);

/// What was counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Wrong tries.
    pub failures: i64,
    /// From when on it is as if there had been no wait.
    pub until: Timestamp,
}

/// How many wrong tries, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How it is called where it is written down.
    pub name: &'static str,
    /// From this failure on each is followed by a wait.
    pub free: i64,
    /// The first wait. Each is twice the one before.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// From this failure on each is followed by a day.
    pub most: i64,
    /// How much waiting may be owed when a try is let through.
    pub slack: Duration,
}

/// A name tried from an address: five wrong tries, then 1 s, 2 s, 4 s, up to an hour.
pub const ACCOUNT_AND_ADDRESS: Limit = growing("account and address", 5, Duration::from_hours(1));

/// A name tried from wherever its account never logged in from. With both names of an account, the
/// username and the address, that is a hundred before each further try takes a day (NIST SP
/// 800-63B-4, section 3.2.2).
pub const ACCOUNT: Limit = growing("account", 20, Duration::from_mins(15));

/// An address, whatever the names: an IPv4 address or the 2^64 that one IPv6 client has.
pub const ADDRESS: Limit = steady("address", 60, Duration::from_secs(20));

/// 256 neighbouring IPv4 addresses, which one attacker rents together.
pub const NETWORK: Limit = steady("network", 200, Duration::from_secs(5));

/// Registrations from an address, right or wrong: each tells whether a name is taken.
pub const REGISTRATION: Limit = steady("registration", 20, Duration::from_mins(1));

/// Refreshes of one session that take place. A client needs one in the lifetime of an access token; a
/// burst is for its tabs, and for one that starts anew again and again.
pub const REFRESH: Limit = steady("refresh", 120, Duration::from_secs(6));

/// How far the clocks of replicas may be apart.
const CLOCKS_APART: Duration = Duration::from_mins(1);

const fn growing(name: &'static str, free: i64, longest: Duration) -> Limit {
    let first = Duration::from_secs(1);
    Limit { name, free, first, longest, most: 50, slack: Duration::ZERO }
}

const fn steady(name: &'static str, burst: u32, every: Duration) -> Limit {
    let slack = every.saturating_mul(burst - 1);
    Limit { name, free: 0, first: every, longest: every, most: i64::MAX, slack }
}

impl Limit {
    /// Whether it is about a rate.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.free == 0
    }

    /// How long the next try has to wait, if so many `ahead` of it fail; `None` where it need not.
    #[must_use]
    pub fn wait(&self, tally: Option<&Tally>, ahead: usize, now: Timestamp) -> Option<Duration> {
        let owed = tally.map_or(0, |tally| tally.until.as_micros() - now.as_micros());
        let owed = Duration::from_micros(u64::try_from(owed).unwrap_or(0));
        let ahead = if self.is_steady() { u32::try_from(ahead).unwrap_or(u32::MAX) } else { 0 };
        let wait = (owed + self.longest.saturating_mul(ahead)).saturating_sub(self.slack);
        (!wait.is_zero()).then_some(wait)
    }

    /// Until when the count of a steady limit has to last to refuse a try at `now`. One that lasts
    /// longer than any try can make it is of a clock that was set back since, and refuses nothing.
    #[must_use]
    pub fn refusing(&self, now: Timestamp) -> RangeInclusive<Timestamp> {
        let most = now + self.slack;
        most + Duration::from_micros(1)..=most + self.longest + CLOCKS_APART
    }

    /// Whether so little of it is used that a few tries may go uncounted until they fail.
    #[must_use]
    pub fn has_room(&self, tally: Option<&Tally>, now: Timestamp) -> bool {
        let Some(tally) = tally else { return true };
        if tally.until + FORGET <= now {
            return true;
        }
        if self.is_steady() {
            tally.until <= now + self.slack / 2
        } else {
            tally.failures * 2 < self.free
        }
    }
}

/// The address that a client is known by.
#[must_use]
pub fn address(ip: IpAddr) -> IpBlock {
    IpBlock::around(ip, 32, 64)
}

/// Its neighbourhood; `None` for IPv6, whose [`address`] is one already.
#[must_use]
pub fn network(ip: IpAddr) -> Option<IpBlock> {
    ip.is_ipv4().then(|| IpBlock::around(ip, 24, 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn tally(failures: i64, until: i64) -> Tally {
        Tally { failures, until: at(until) }
    }

    #[test]
    fn a_growing_limit_waits_until_its_time_and_has_room_for_half() {
        let limit = ACCOUNT_AND_ADDRESS;
        assert_eq!(limit.wait(Some(&tally(7, 4)), 9, at(0)), Some(Duration::from_secs(4)));
        assert_eq!(limit.wait(Some(&tally(7, 4)), 9, at(4)), None);
        assert!(limit.has_room(None, at(0)) && limit.has_room(Some(&tally(2, 0)), at(0)));
        assert!(!limit.has_room(Some(&tally(3, 0)), at(0)));
        assert!(limit.has_room(Some(&tally(30, 0)), at(86_400)));
    }

    #[test]
    fn a_steady_limit_lets_a_burst_through_and_then_one_at_a_time() {
        let limit = ADDRESS;
        assert_eq!(limit.wait(Some(&tally(59, 59 * 20)), 0, at(0)), None);
        let spent = tally(60, 60 * 20);
        assert_eq!(limit.wait(Some(&spent), 0, at(0)), Some(Duration::from_secs(20)));
        assert_eq!(limit.wait(Some(&spent), 0, at(20)), None);
        assert_eq!(limit.wait(Some(&spent), 2, at(20)), Some(Duration::from_secs(40)));
        assert!(limit.has_room(Some(&tally(29, 29 * 20)), at(0)));
        assert!(!limit.has_room(Some(&tally(31, 31 * 20)), at(0)));
    }

    #[test]
    fn a_count_that_no_clock_of_now_can_have_made_refuses_nothing() {
        let refusing = REFRESH.refusing(at(0));
        let slack = 119 * 6;
        assert!(!refusing.contains(&at(slack)));
        assert!(refusing.contains(&(at(slack) + Duration::from_micros(1))));
        assert!(refusing.contains(&at(slack + 6 + 60)) && !refusing.contains(&at(slack + 67)));
    }

    #[test]
    fn one_ipv6_client_is_one_address() {
        let address = |text: &str| address(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(network("192.0.2.1".parse().unwrap()), network("192.0.2.2".parse().unwrap()));
    }
}
