//! Delivery: takes mails from the outbox and sends them.
//!
//! Each replica runs one. A mail is leased to one sender at a time, for longer than an attempt takes; a
//! sender that dies leaves its mails to the others when the lease ends. A server that hangs holds up the
//! mails that it was given, each for 27 s, and the other senders' places stay free.
//!
//! The log names a mail by its ID and purpose. Replies of servers repeat addresses, so they are only stored.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::mailer::Mailer;
use super::outcome::{Outcome, attempt, purpose};
use super::queue_signal::QueueSignal;
use crate::clock::Clock;
use crate::crypto::secret::MasterSecrets;
use crate::domain::mail::MailPurpose;
use crate::metrics::Metrics;
use crate::store::{Error, LeasedMail, Store};

/// Most mails that one process sends at a time.
const MAX_SENDS: usize = 4;

/// An attempt takes at most 27 s; the rest is for the report of its outcome.
const LEASE: Duration = Duration::from_secs(30);

/// Interval of looks at the outbox, which mails of other processes and retries wait for.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Longest interval while the database is away.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Interval of the metric about the queue.
const METRIC_INTERVAL: Duration = Duration::from_secs(10);

/// Time for the mails that are being sent when the service stops. They are sent again otherwise.
const STOP_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Waits between the attempts to report an outcome. A mail that was sent and stays in the outbox is sent
/// twice.
const REPORT_WAITS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// The sender of a process.
pub struct Delivery {
    pub store: Arc<Store>,
    /// `None` without an SMTP server: mails are kept for administrators.
    pub mailer: Option<Mailer>,
    pub secrets: Arc<MasterSecrets>,
    pub signal: QueueSignal,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
}

impl Delivery {
    /// Sends mails until `stop` completes, and then finishes those that are being sent.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut sends = JoinSet::new();
        let mut interval = POLL_INTERVAL;
        let mut measured_at = None;
        loop {
            while sends.try_join_next().is_some() {}
            let free = MAX_SENDS.saturating_sub(sends.len());
            // A lease that is cancelled here only delays its mails.
            let looked = tokio::select! {
                biased;
                () = &mut stop => break,
                looked = self.look(free, &mut measured_at) => looked,
            };
            match looked {
                Ok(mails) => {
                    interval = POLL_INTERVAL;
                    for mail in mails {
                        let delivery = Arc::clone(&self);
                        sends.spawn(async move { delivery.deliver(&mail).await });
                    }
                }
                Err(error) => {
                    // Once for each time that the database is away.
                    if interval == POLL_INTERVAL {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "reading the outbox of e-mails failed; retrying");
                    }
                    interval = (interval * 2).min(MAX_POLL_INTERVAL);
                }
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = sends.join_next() => {}
                () = self.signal.received() => {}
                () = sleep(interval) => {}
            }
        }
        let finished = async { while sends.join_next().await.is_some() {} };
        let _ = timeout(STOP_TIMEOUT, finished).await;
        sends.shutdown().await;
    }

    /// Leases due mails, at most `free`. A look that finds none costs one read.
    async fn look(
        &self,
        free: usize,
        measured_at: &mut Option<Duration>,
    ) -> Result<Vec<LeasedMail>, Error> {
        self.measure(measured_at).await?;
        let now = self.clock.now();
        if free == 0 || !self.store.has_due_mail(now).await? {
            return Ok(Vec::new());
        }
        let count = i64::try_from(free).unwrap_or(1);
        self.store.lease_mails(now, now + LEASE, count).await
    }

    /// Updates the metric about the queue, now and then, so that a scrape asks no database.
    async fn measure(&self, measured_at: &mut Option<Duration>) -> Result<(), Error> {
        let uptime = self.clock.monotonic();
        if measured_at.is_some_and(|at| uptime < at + METRIC_INTERVAL) {
            return Ok(());
        }
        let oldest = self.store.outbox_state().await?.oldest;
        let age = oldest.map_or(0, |oldest| self.clock.now().as_micros() - oldest.as_micros());
        self.metrics.email_queue(Duration::from_micros(u64::try_from(age).unwrap_or(0)));
        *measured_at = Some(uptime);
        Ok(())
    }

    /// Sends one mail, or finds that it is not to be sent, and reports the outcome.
    async fn deliver(&self, mail: &LeasedMail) {
        let outcome = attempt(mail, self.mailer.as_ref(), &self.secrets, &*self.clock).await;
        if let Outcome::Failed { kind, retry_at, .. } = &outcome {
            tracing::warn!(
                id = %mail.id,
                purpose = purpose(mail).map_or("unknown", MailPurpose::as_str),
                attempt = mail.attempts,
                kind = kind.as_str(),
                is_retried = retry_at.is_some(),
                "sending an e-mail failed; sallyport email list shows the error"
            );
        }
        if let Some(label) = outcome.label() {
            self.metrics.email(purpose(mail), label);
        }
        self.report(mail, &outcome).await;
    }

    /// Writes the outcome into the outbox, and tries again while the database is away.
    async fn report(&self, mail: &LeasedMail, outcome: &Outcome) {
        let mut waits = REPORT_WAITS.into_iter();
        while let Err(error) = self.write(mail, outcome).await {
            let Some(wait) = waits.next() else {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    id = %mail.id,
                    "writing the outcome of an e-mail failed; it may be sent again"
                );
                return;
            };
            sleep(wait).await;
        }
    }

    async fn write(&self, mail: &LeasedMail, outcome: &Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Decoy | Outcome::Expired | Outcome::Sent => {
                self.store.delete_mail(mail.id).await
            }
            Outcome::Kept => self.store.keep_mail(mail.id).await,
            Outcome::Failed { text, retry_at, .. } => {
                self.store.mail_failed(mail, text.clone(), *retry_at).await
            }
        }
    }
}
