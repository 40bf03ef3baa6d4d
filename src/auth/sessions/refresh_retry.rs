//! Retry of a refresh whose answer the client never received.

use super::Sessions;
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::audit::AuditKind;
use crate::domain::filter::IpBlock;
use crate::domain::origin::Origin;
use crate::store::{KnownToken, LoggedRetries, NewEvent, RefreshRetry, Refreshed};

impl Sessions {
    /// Issues the successor again, for a client that never received it. Nothing is written where the audit
    /// has its event already, so that many retries neither fill the disk nor wait for one another.
    pub(super) async fn retry(
        &self,
        presented: &RefreshToken,
        known: KnownToken,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, Error> {
        let access_expires_at = self.tokens.access_expiry(now);
        let difference = difference(origin, &known.rotated_from);
        let noted = difference.map_or(LoggedRetries::SameClient, |_| LoggedRetries::AnotherClient);
        let is_noted = known.logged >= noted;
        let lasts = known.session.access_expires_at + self.policy.access_token_lifetime / 10
            >= access_expires_at;
        if is_noted && lasts {
            return Ok(Some(Refreshed { session: known.session, claims: known.claims }));
        }
        let event = NewEvent {
            kind: AuditKind::RefreshRetried,
            at: now,
            user: Some(presented.user_id),
            actor: Some(presented.user_id),
            session: Some(presented.session_id),
            origin: origin.clone(),
            detail: difference,
        };
        let retry = RefreshRetry {
            session_id: presented.session_id,
            presented: presented.id,
            access_expires_at,
            at: now,
            origin: origin.clone(),
            logged: known.logged,
            event: (!is_noted).then_some((noted, event)),
        };
        Ok(self.store.retry_refresh(retry).await?)
    }
}

/// Difference between the client of a retry and that of the refresh; `None` where it does not, or where
/// address and user agent of the refresh have been deleted by age.
fn difference(retried: &Origin, made: &Origin) -> Option<&'static str> {
    if *made == Origin::default() {
        return None;
    }
    let network = |origin: &Origin| origin.ip.map(|ip| IpBlock::around(ip, 24, 64));
    match (network(retried) != network(made), retried.user_agent != made.user_agent) {
        (false, false) => None,
        (true, false) => Some("from another network"),
        (false, true) => Some("by another client"),
        (true, true) => Some("by another client, from another network"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::origin::UserAgent;

    #[test]
    fn clients_are_told_apart_by_network_and_user_agent() {
        let origin = |ip: &str, agent: &str| Origin {
            ip: ip.parse().ok(),
            user_agent: UserAgent::parse(agent),
        };
        let made = origin("192.0.2.7", "Browser/1.0");
        assert_eq!(difference(&origin("192.0.2.250", "Browser/1.0"), &made), None);
        for (ip, agent, expected) in [
            ("198.51.100.7", "Browser/1.0", "from another network"),
            ("2001:db8::1", "Browser/1.0", "from another network"),
            ("192.0.2.7", "", "by another client"),
            ("198.51.100.7", "curl/8.14.1", "by another client, from another network"),
        ] {
            assert_eq!(difference(&origin(ip, agent), &made), Some(expected));
        }
        assert_eq!(difference(&made, &Origin::default()), None);
    }
}
