//! Filters of lists.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::audit::AuditKind;
use super::blacklist::BlacklistReason;
use super::id::{SessionId, TokenId, UserId};
use super::origin::ip_to_bytes;
use super::session::{EndReason, SessionState};
use super::user::Role;
use crate::clock::Timestamp;

/// Time range that may be open at either end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// Inclusive.
    pub after: Option<Timestamp>,
    /// Exclusive.
    pub before: Option<Timestamp>,
}

/// IP address or CIDR block, as its first and last address in 16 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpBlock {
    low: [u8; 16],
    high: [u8; 16],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Expected an IP address or a CIDR block, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32."
)]
pub struct IpBlockError;

impl IpBlock {
    /// Parses an address or a CIDR block (RFC 4632, section 3.1). Host bits may be set.
    pub fn parse(text: &str) -> Result<Self, IpBlockError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => {
                let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
                let length = length.parse::<u32>().ok().filter(|_| digits);
                (address, Some(length.ok_or(IpBlockError)?))
            }
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| IpBlockError)?;
        let (width, offset) = match address {
            IpAddr::V4(_) => (Ipv4Addr::BITS, Ipv6Addr::BITS - Ipv4Addr::BITS),
            IpAddr::V6(_) => (Ipv6Addr::BITS, 0),
        };
        let length = length.unwrap_or(width);
        if length > width {
            return Err(IpBlockError);
        }
        Ok(Self::of_prefix(address, offset + length))
    }

    /// Block of the given prefix length, for the address's family, that contains the address.
    #[must_use]
    pub fn around(address: IpAddr, v4_length: u32, v6_length: u32) -> Self {
        let mapped = Ipv6Addr::BITS - Ipv4Addr::BITS;
        let length = if address.is_ipv4() { mapped + v4_length } else { v6_length };
        Self::of_prefix(address, length)
    }

    fn of_prefix(address: IpAddr, length: u32) -> Self {
        let hosts = u128::MAX.checked_shr(length).unwrap_or(0);
        let bits = u128::from_be_bytes(ip_to_bytes(address));
        Self { low: (bits & !hosts).to_be_bytes(), high: (bits | hosts).to_be_bytes() }
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        (self.low..=self.high).contains(&ip_to_bytes(address))
    }

    #[must_use]
    pub fn low(&self) -> &[u8] {
        &self.low
    }

    #[must_use]
    pub fn high(&self) -> &[u8] {
        &self.high
    }
}

#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Prefix of the username or e-mail address, in any case.
    pub search: Option<String>,
    pub role: Option<Role>,
    pub is_active: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    pub state: Option<SessionState>,
    pub user_id: Option<UserId>,
    /// Address of the login or of the last refresh.
    pub ip: Option<IpBlock>,
    /// In any case.
    pub user_agent_contains: Option<String>,
    pub created_at: TimeRange,
    pub last_used_at: TimeRange,
    pub end_reason: Option<EndReason>,
}

#[derive(Clone, Debug, Default)]
pub struct BlacklistFilter {
    pub user_id: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub token_id: Option<TokenId>,
    pub reasons: Option<Vec<BlacklistReason>>,
    pub blacklisted_at: TimeRange,
}

#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub kinds: Option<Vec<AuditKind>>,
    pub user_id: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub occurred_at: TimeRange,
}

impl SessionFilter {
    /// Whether it matches all sessions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { state, user_id, ip, user_agent_contains, created_at, last_used_at, end_reason } =
            self;
        state.is_none()
            && user_id.is_none()
            && ip.is_none()
            && user_agent_contains.as_ref().is_none_or(String::is_empty)
            && *created_at == TimeRange::default()
            && *last_used_at == TimeRange::default()
            && end_reason.is_none()
    }

    /// Whether it matches all active sessions of a user, or of all users.
    #[must_use]
    pub fn is_of_owner_only(&self) -> bool {
        let is_of_live = matches!(self.state, None | Some(SessionState::Active));
        is_of_live && Self { state: None, user_id: None, ..self.clone() }.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_own_addresses_only() {
        let holds = |block: &str, ip: &str| {
            let block = IpBlock::parse(block).unwrap();
            let ip = ip_to_bytes(ip.parse().unwrap());
            (block.low..=block.high).contains(&ip)
        };
        assert!(holds("192.0.2.0/24", "192.0.2.255"));
        assert!(!holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7/32", "192.0.2.8"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "192.0.2.7"));
    }

    #[test]
    fn a_text_that_is_no_block_is_refused() {
        for text in
            ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/", "::/129", "x/8"]
        {
            assert_eq!(IpBlock::parse(text), Err(IpBlockError), "{text}");
        }
    }
}
