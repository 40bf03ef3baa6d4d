//! Purge: deletion of expired rows, in small batches.
//!
//! A deleted row could not refuse or accept a token any more, on any replica whose clock is within the
//! leeway. No login or refresh waits for a purge: after each batch it rests for longer than the batch took.

use std::time::Duration;

use super::System;
use crate::auth::error::Error;
use crate::clock::{Stopwatch, Timestamp};
use crate::domain::throttle::FORGET;
use crate::domain::user::NAME_RESERVATION;
use crate::store::{self, ClientMetadata, Expired, Purged};

/// How long a row is kept after its expiry, because clocks differ.
const SKEW: Duration = Duration::from_mins(1);

/// How long a mail is kept for administrators where there is no SMTP server.
const KEEP_UNSENT: Duration = Duration::from_hours(24);

/// How long a mail that could not be sent is kept, for its error.
const KEEP_FAILED: Duration = Duration::from_hours(7 * 24);

/// How long an account is kept that was registered with a taken address, and did not get it: no longer than
/// the link of its mail would be valid.
const KEEP_UNPROVED: Duration = Duration::from_hours(24);

/// How long a refresh token of another system is kept after its expiry at least: for longer than any leeway.
const KEEP_FOREIGN: Duration = Duration::from_hours(24);

/// Rest after a batch, in multiples of its duration.
const REST: u32 = 3;

impl System {
    /// Deletes expired rows and returns their counts. After a failure the batches before it stay deleted.
    pub async fn purge(&self) -> Result<Purged, Error> {
        let mut purged = Purged::default();
        for kind in Expired::ALL {
            let before = self.expiry(kind);
            let delete = || self.store.purge_batch(kind, before);
            *count(&mut purged, kind) += batch_by_batch(delete).await?;
        }
        let before = self.now() - self.policy.metadata_retention;
        for kind in ClientMetadata::ALL {
            purged.metadata +=
                batch_by_batch(|| self.store.clear_metadata_batch(kind, before)).await?;
        }
        purged.metadata += self.erase_deleted().await?;
        batch_by_batch(|| self.store.forget_deletions()).await?;
        Ok(purged)
    }

    /// Erases the client metadata of deleted accounts.
    async fn erase_deleted(&self) -> Result<u64, Error> {
        let (mut erased, now) = (0, self.now());
        loop {
            let accounts = self.store.accounts_to_erase(now).await?;
            if accounts.is_empty() {
                return Ok(erased);
            }
            for user in accounts {
                erased += batch_by_batch(|| self.store.erase_batch(user, now)).await?;
            }
        }
    }

    /// Counts expired rows without deleting them.
    pub async fn expired(&self) -> Result<Purged, Error> {
        let mut expired = Purged::default();
        for kind in Expired::ALL {
            *count(&mut expired, kind) += self.store.count_expired(kind, self.expiry(kind)).await?;
        }
        let before = self.now() - self.policy.metadata_retention;
        for kind in ClientMetadata::ALL {
            expired.metadata += self.store.count_metadata(kind, before).await?;
        }
        Ok(expired)
    }

    fn expiry(&self, kind: Expired) -> Timestamp {
        match kind {
            Expired::AuditEvents => self.now() - self.policy.audit_retention,
            // For the counts of a move; a token that has expired is refused by itself.
            Expired::ForeignTokens => self.now() - self.policy.audit_retention.max(KEEP_FOREIGN),
            Expired::LoginFailures => self.now() - FORGET,
            Expired::FormerUsernames => self.now(),
            Expired::DeletedNames => self.now() - NAME_RESERVATION,
            Expired::KeptMails => self.now() - KEEP_UNSENT,
            Expired::FailedMails => self.now() - KEEP_FAILED,
            Expired::UnprovedRegistrations => self.now() - KEEP_UNPROVED,
            Expired::BlacklistEntries
            | Expired::Sessions
            | Expired::SessionEnds
            | Expired::SessionFloors
            | Expired::SigningKeys
            | Expired::Challenges
            | Expired::MailLimits
            | Expired::SpentTokens
            | Expired::TrustedDevices => self.now() - SKEW,
        }
    }
}

/// Runs batches until one finds nothing, and returns the count of rows.
async fn batch_by_batch<B>(batch: impl Fn() -> B) -> Result<u64, Error>
where
    B: Future<Output = Result<u64, store::Error>>,
{
    let mut all = 0;
    loop {
        let began = Stopwatch::start();
        let rows = batch().await?;
        if rows == 0 {
            return Ok(all);
        }
        all += rows;
        tokio::time::sleep(began.elapsed() * REST).await;
    }
}

fn count(purged: &mut Purged, kind: Expired) -> &mut u64 {
    match kind {
        Expired::BlacklistEntries => &mut purged.blacklist_entries,
        Expired::Sessions => &mut purged.sessions,
        Expired::SessionEnds | Expired::SessionFloors => &mut purged.session_ends,
        Expired::AuditEvents => &mut purged.audit_events,
        Expired::SigningKeys => &mut purged.signing_keys,
        Expired::LoginFailures => &mut purged.login_failures,
        Expired::FormerUsernames | Expired::DeletedNames => &mut purged.names,
        Expired::Challenges | Expired::SpentTokens | Expired::UnprovedRegistrations => {
            &mut purged.challenges
        }
        Expired::TrustedDevices => &mut purged.trusted_devices,
        Expired::ForeignTokens => &mut purged.foreign_tokens,
        Expired::KeptMails | Expired::FailedMails => &mut purged.mails,
        Expired::MailLimits => &mut purged.mail_limits,
    }
}
