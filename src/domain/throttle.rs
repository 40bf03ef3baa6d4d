//! Limits of password guessing and of refreshes: counters, waiting times, and address blocks.
//!
//! There are two kinds of [`Limit`]. A growing limit is for one account: a few failures are free, and each
//! further failure doubles the wait. A steady limit is for addresses, which many people may share: a burst
//! of failures, and then one per interval. Both store the number of failures and the end of the wait, so
//! that one SQL statement serves both.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::filter::IpBlock;
use crate::clock::{MAX_SKEW, Timestamp};

/// Time after the end of its last wait at which a counter is deleted.
pub const FORGET: Duration = Duration::from_hours(24);

/// Key of a counter: a keyed digest of a name, an address or both. It cannot be read, because people
/// type passwords into the field of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(pub [u8; 16]);

/// State of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub failures: i64,
    /// End of the wait.
    pub until: Timestamp,
}

/// Number and rate of failures that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Name in audit events and the log.
    pub name: &'static str,
    /// Number of failures before the first wait.
    pub free: i64,
    /// First wait. Each further wait is twice as long.
    pub first: Duration,
    /// Longest wait.
    pub longest: Duration,
    /// From this number of failures on, each wait is a day.
    pub most: i64,
    /// Remaining wait at which an attempt is still allowed: the burst of a steady limit.
    pub slack: Duration,
}

/// Attempts for one name from one address: five failures, then waits of 1 s, 2 s, 4 s, up to an hour.
pub const ACCOUNT_AND_ADDRESS: Limit = growing("account and address", 5, Duration::from_hours(1));

/// Attempts for one name from places that its account never logged in from. An account has up to two
/// names, so a hundred failures precede the wait of a day (NIST SP 800-63B-4, section 3.2.2).
pub const ACCOUNT: Limit = growing("account", 20, Duration::from_mins(15));

/// Wrong codes of one account, across challenges: ten, then waits of 1 s, 2 s, 4 s, up to an hour.
pub const CODE: Limit = growing("code", 10, Duration::from_hours(1));

/// Wrong codes of one kind of second factor, of one account: as for codes of mails.
pub const FACTOR: Limit = growing("second factor", 10, Duration::from_hours(1));

/// Wrong codes of one kind of second factor in all live sessions of one account.
pub const FACTOR_IN_SESSIONS: Limit =
    growing("second factor in sessions", 20, Duration::from_hours(1));

/// Attempts from one address for any name: an IPv4 address or an IPv6 /64, which one client has.
pub const ADDRESS: Limit = steady("address", 60, Duration::from_secs(20));

/// Attempts from one network: an IPv4 /24 or an IPv6 /48, which one attacker can rent.
pub const NETWORK: Limit = steady("network", 200, Duration::from_secs(5));

/// Registrations from one address, successful or not: each tells whether a name is taken.
pub const REGISTRATION: Limit = steady("registration", 20, Duration::from_mins(1));

/// Exports of one account's data.
pub const EXPORT: Limit = steady("export", 3, Duration::from_mins(10));

/// Shortest and longest interval of refreshes.
const REFRESH_INTERVAL: RangeInclusive<Duration> =
    Duration::from_millis(250)..=Duration::from_secs(6);

const fn growing(name: &'static str, free: i64, longest: Duration) -> Limit {
    let first = Duration::from_secs(1);
    Limit { name, free, first, longest, most: 50, slack: Duration::ZERO }
}

const fn steady(name: &'static str, burst: u32, every: Duration) -> Limit {
    Limit::steady(name, burst, every)
}

/// Successful refreshes of one session, for this lifetime of access tokens. A client needs one refresh in
/// such a lifetime and may make four. The burst is for browsers with many tabs, and for clients that
/// restart often.
#[must_use]
pub fn refresh(lifetime: Duration) -> Limit {
    steady("refresh", 120, (lifetime / 4).clamp(*REFRESH_INTERVAL.start(), *REFRESH_INTERVAL.end()))
}

impl Limit {
    /// A burst of so many, and then one in each interval.
    #[must_use]
    pub const fn steady(name: &'static str, burst: u32, every: Duration) -> Self {
        let slack = every.saturating_mul(burst.saturating_sub(1));
        Self { name, free: 0, first: every, longest: every, most: i64::MAX, slack }
    }

    /// Whether this is a steady limit.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.free == 0
    }

    /// Wait before the next attempt, if the `ahead` attempts that are under way fail; `None` if there is
    /// none.
    #[must_use]
    pub fn wait(&self, tally: Option<&Tally>, ahead: usize, now: Timestamp) -> Option<Duration> {
        // Free failures demand no wait, even if a clock that is ahead of this one has counted them.
        let tally = tally.filter(|tally| self.is_steady() || tally.failures >= self.free);
        let owed = tally.map_or(0, |tally| tally.until.as_micros() - now.as_micros());
        let owed = Duration::from_micros(u64::try_from(owed).unwrap_or(0));
        let ahead = if self.is_steady() { u32::try_from(ahead).unwrap_or(u32::MAX) } else { 0 };
        let wait = (owed + self.longest.saturating_mul(ahead)).saturating_sub(self.slack);
        (!wait.is_zero()).then_some(wait)
    }

    /// Range of `Tally::until` in which a steady limit refuses an attempt at `now`. A later `until` cannot
    /// result from attempts: the clock was set back since, and the counter refuses nothing.
    #[must_use]
    pub fn refusing(&self, now: Timestamp) -> RangeInclusive<Timestamp> {
        let most = now + self.slack;
        most + Duration::from_micros(1)..=most + self.longest + MAX_SKEW
    }

    /// Whether less than half of the limit is used, so that a few attempts need not be counted before they
    /// fail.
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

/// Block that attempts of one client are counted under.
#[must_use]
pub fn address(ip: IpAddr) -> IpBlock {
    IpBlock::around(behind_translation(ip), 32, 64)
}

/// Block that attempts of one network are counted under.
#[must_use]
pub fn network(ip: IpAddr) -> IpBlock {
    IpBlock::around(behind_translation(ip), 24, 48)
}

/// Addresses that count as the same location as an earlier login from `ip`. For an IPv6 address that stands
/// for an IPv4 address this is the address alone, because its /64 may hold the whole Internet.
#[must_use]
pub fn login_location(ip: IpAddr) -> IpBlock {
    let is_translated = behind_translation(ip) != ip.to_canonical();
    IpBlock::around(ip.to_canonical(), 32, if is_translated { 128 } else { 64 })
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), translated by NAT64 (RFC 6052, RFC
/// 8215) or SIIT (RFC 2765), or the end of a tunnel of 6to4 (RFC 3056) or Teredo (RFC 4380). Any other
/// address is returned as it is.
fn behind_translation(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    let segments = v6.segments();
    let v4 = |high: u16, low: u16| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, _, _, _, _, _] => v4(high, low),
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        _ => IpAddr::V6(v6),
    }
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
        let refusing = refresh(Duration::from_mins(15)).refusing(at(0));
        let slack = 119 * 6;
        assert!(!refusing.contains(&at(slack)));
        assert!(refusing.contains(&(at(slack) + Duration::from_micros(1))));
        assert!(refusing.contains(&at(slack + 6 + 60)) && !refusing.contains(&at(slack + 67)));
    }

    #[test]
    fn refreshes_have_a_pace_that_the_lifetime_of_access_tokens_allows() {
        let every = |lifetime| refresh(lifetime).longest;
        assert_eq!(every(Duration::from_mins(15)), Duration::from_secs(6));
        assert_eq!(every(Duration::from_secs(24)), Duration::from_secs(6));
        assert_eq!(every(Duration::from_secs(2)), Duration::from_millis(500));
        assert_eq!(every(Duration::ZERO), Duration::from_millis(250));
    }

    #[test]
    fn one_ipv6_client_is_one_address() {
        let address = |text: &str| address(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }

    #[test]
    fn neighbours_are_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.1"), network("192.0.2.2"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:ffff::1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:1::1"));
    }

    #[test]
    fn who_comes_through_a_translator_or_a_tunnel_is_counted_by_the_ipv4_address() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for text in [
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "64:ff9b:1:2::192.0.2.1",
            "::ffff:0:192.0.2.1",
            "2002:c000:201::1",
            "2001:0:cb00:7107:0:63bf:3fff:fdfe",
        ] {
            assert_eq!(address(ip(text)), address(ip("192.0.2.1")), "{text}");
            assert_eq!(network(ip(text)), network(ip("192.0.2.99")), "{text}");
        }
        // The whole Internet is in one /64 there, so a login is from one address of it.
        assert!(!login_location(ip("64:ff9b::192.0.2.1")).contains(ip("64:ff9b::192.0.2.2")));
        assert!(login_location(ip("2001:db8::1")).contains(ip("2001:db8::2")));
        assert!(login_location(ip("::ffff:192.0.2.1")).contains(ip("192.0.2.1")));
    }
}
