//! What a list can be narrowed to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::audit::AuditKind;
use super::blacklist::BlacklistReason;
use super::id::{SessionId, TokenId, UserId};
use super::origin::ip_to_bytes;
use super::session::{EndReason, SessionState};
use super::user::Role;
use crate::clock::Timestamp;

/// A span of time, either end open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// From this moment on.
    pub after: Option<Timestamp>,
    /// Up to, not including, this moment.
    pub before: Option<Timestamp>,
}

/// An address or a block of addresses, as the first and last of it in 16 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpBlock {
    low: [u8; 16],
    high: [u8; 16],
}

/// A text that is neither an address nor a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address or a block looks like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")]
pub struct IpBlockError;

impl IpBlock {
    /// Reads an address or a CIDR block (RFC 4632, section 3.1); host bits may be set.
    ///
    /// # Errors
    /// [`IpBlockError`] where it is neither.
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

    /// The block of this address, of so many leading bits by its family.
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

    /// Whether this address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        (self.low..=self.high).contains(&ip_to_bytes(address))
    }

    /// The first address.
    #[must_use]
    pub fn low(&self) -> &[u8] {
        &self.low
    }

    /// The last address.
    #[must_use]
    pub fn high(&self) -> &[u8] {
        &self.high
    }
}

/// Which users.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Those whose username or address starts so, whatever the case.
    pub search: Option<String>,
    /// Those of this role.
    pub role: Option<Role>,
    /// Those who may log in, or those who may not.
    pub is_active: Option<bool>,
}

/// Which sessions.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Those in this state.
    pub state: Option<SessionState>,
    /// Those of this user.
    pub user_id: Option<UserId>,
    /// Those that were opened or last refreshed from here.
    pub ip: Option<IpBlock>,
    /// Those whose user agent has this in it, whatever the case.
    pub user_agent_contains: Option<String>,
    /// Those opened then.
    pub created_at: TimeRange,
    /// Those last used then.
    pub last_used_at: TimeRange,
    /// Those that ended so.
    pub end_reason: Option<EndReason>,
}

/// Which blacklist entries.
#[derive(Clone, Debug, Default)]
pub struct BlacklistFilter {
    /// Those of this user.
    pub user_id: Option<UserId>,
    /// Those of this session.
    pub session_id: Option<SessionId>,
    /// The one of this token.
    pub token_id: Option<TokenId>,
    /// Those for any of these reasons.
    pub reasons: Option<Vec<BlacklistReason>>,
    /// Those made then.
    pub blacklisted_at: TimeRange,
}

/// Which audit events.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Those of any of these kinds.
    pub kinds: Option<Vec<AuditKind>>,
    /// Those of this user's account.
    pub user_id: Option<UserId>,
    /// Those in this session.
    pub session_id: Option<SessionId>,
    /// Those of that time.
    pub occurred_at: TimeRange,
}

impl SessionFilter {
    /// Whether it leaves out nothing.
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

    /// Whether it shows all live sessions of a user, or of everybody.
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
    fn what_is_no_block_is_refused() {
        for text in
            ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/", "::/129", "x/8"]
        {
            assert_eq!(IpBlock::parse(text), Err(IpBlockError), "{text}");
        }
    }
}
