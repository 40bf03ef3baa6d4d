//! How guessing at passwords is slowed down: what is counted, and how long the next try waits.
//!
//! Two kinds of [`Limit`]. A growing one is for what belongs to one account: a few wrong tries are
//! free, each one more doubles the wait. A steady one is for addresses, which many people may share:
//! so many wrong tries at once, and then one every so often. Both keep the same two facts, how many
//! tries were wrong and from when on the next one counts, so that one statement serves both.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::filter::IpBlock;
use crate::clock::{MAX_SKEW, Timestamp};

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

/// 256 neighbouring IPv4 addresses or an IPv6 /48, which one attacker rents together.
pub const NETWORK: Limit = steady("network", 200, Duration::from_secs(5));

/// Registrations from an address, right or wrong: each tells whether a name is taken.
pub const REGISTRATION: Limit = steady("registration", 20, Duration::from_mins(1));

/// The fastest and the slowest pace of refreshes.
const REFRESH_EVERY: RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(6);

const fn growing(name: &'static str, free: i64, longest: Duration) -> Limit {
    let first = Duration::from_secs(1);
    Limit { name, free, first, longest, most: 50, slack: Duration::ZERO }
}

const fn steady(name: &'static str, burst: u32, every: Duration) -> Limit {
    let slack = every.saturating_mul(burst - 1);
    Limit { name, free: 0, first: every, longest: every, most: i64::MAX, slack }
}

/// Refreshes of one session that take place, where access tokens live so long. A client needs one in
/// such a lifetime, and may do four; a burst is for its tabs, and for one that starts anew again and
/// again.
#[must_use]
pub fn refresh(lifetime: Duration) -> Limit {
    steady("refresh", 120, (lifetime / 4).clamp(*REFRESH_EVERY.start(), *REFRESH_EVERY.end()))
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
        most + Duration::from_micros(1)..=most + self.longest + MAX_SKEW
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

/// The address that a client is counted by.
#[must_use]
pub fn address(ip: IpAddr) -> IpBlock {
    IpBlock::around(behind_translation(ip), 32, 64)
}

/// Its neighbourhood.
#[must_use]
pub fn network(ip: IpAddr) -> IpBlock {
    IpBlock::around(behind_translation(ip), 24, 48)
}

/// The addresses, as sessions have them, that are the same place to whoever logged in from one. Of
/// those that stand for an IPv4 address a /64 may hold the whole Internet.
#[must_use]
pub fn place(ip: IpAddr) -> IpBlock {
    let is_translated = behind_translation(ip) != ip.to_canonical();
    IpBlock::around(ip.to_canonical(), 32, if is_translated { 128 } else { 64 })
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), translated by NAT64 (RFC
/// 6052, RFC 8215) or SIIT (RFC 2765), or at the other end of a tunnel of 6to4 (RFC 3056) or Teredo
/// (RFC 4380). Any other address is itself.
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
        // The whole Internet has one /64 there, and whoever logged in from it did from one address.
        assert!(!place(ip("64:ff9b::192.0.2.1")).contains(ip("64:ff9b::192.0.2.2")));
        assert!(place(ip("2001:db8::1")).contains(ip("2001:db8::2")));
        assert!(place(ip("::ffff:192.0.2.1")).contains(ip("192.0.2.1")));
    }
}
