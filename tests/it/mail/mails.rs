//! Mails in an outbox, and senders that take them.

use std::sync::Arc;
use std::time::Duration;

use sallyport::clock::{Clock, ManualClock, Timestamp};
use sallyport::crypto::secret::MasterSecrets;
use sallyport::domain::id::EmailId;
use sallyport::domain::origin::Origin;
use sallyport::domain::pagination::PageRequest;
use sallyport::entropy::SystemEntropy;
use sallyport::mail::{
    CodeAndLink, Delivery, LinkPage, Links, Mail, MailCode, Mailer, PageUrls, QueueSignal,
    RequestedFrom, Templates, seal_context,
};
use sallyport::metrics::{Metrics, Observed};
use sallyport::store::{MailContent, NewMail, Store, StoredMail};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::server::{client, sender};
use crate::databases::Database;

/// How long a code of these tests is valid.
pub const VALIDITY: Duration = Duration::from_mins(10);

/// Time in which a sender looks at the outbox at least twice.
pub const TWO_LOOKS: Duration = Duration::from_millis(2_500);

pub const CODE: &str = "12345678";

/// An outbox, and the clock of its senders.
pub struct Outbox {
    pub store: Arc<Store>,
    pub clock: Arc<ManualClock>,
    database: Database,
}

impl Outbox {
    pub async fn new(database: Database) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_796_000_000)));
        Self { store: Arc::new(database.store().await), clock, database }
    }

    /// A mail with a code and a link, not queued.
    pub fn mail(&self) -> NewMail {
        let now = self.clock.now();
        let id = EmailId::new(now, &SystemEntropy);
        let json = login_mail(now).to_json();
        let sealed = secrets().seal(&seal_context(id), json.as_bytes(), &SystemEntropy).unwrap();
        NewMail {
            id,
            purpose: "login",
            user: None,
            address: Some("ada@b.example".to_owned()),
            language: "en",
            content: MailContent::Sealed(sealed),
            created_at: now,
            expires_at: now + VALIDITY,
        }
    }

    /// Queues so many mails with a code.
    pub async fn queue(&self, count: usize) {
        for _ in 0..count {
            self.store.queue(self.mail()).await.unwrap();
        }
    }

    pub async fn mails(&self) -> Vec<StoredMail> {
        let page = PageRequest { after: None, before: None, size: 100, from_end: false };
        self.store.mails(&page).await.unwrap().items
    }

    /// The only mail.
    pub async fn only(&self) -> StoredMail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Number of all rows, with decoys.
    pub async fn rows(&self) -> i64 {
        self.database.raw().await.number("SELECT count(*) FROM emails").await
    }

    /// Waits until the condition holds.
    pub async fn until(&self, holds: impl AsyncFn(&Self) -> bool) {
        for _ in 0..400 {
            if holds(self).await {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("not within 20 s: {:?}", self.mails().await);
    }

    /// Starts a sender of another process; without a port it has no SMTP server.
    pub async fn start_sender(&self, port: Option<u16>) -> RunningSender {
        let store = Arc::new(self.database.store().await);
        let metrics = Arc::new(Metrics::default());
        let delivery = Arc::new(Delivery {
            store,
            mailer: port.map(mailer),
            secrets: Arc::new(secrets()),
            signal: QueueSignal::default(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            metrics: Arc::clone(&metrics),
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(delivery.run(async move {
            let _ = stopped.await;
        }));
        RunningSender { metrics, stop, task }
    }
}

/// A sender, which ends when it is dropped.
pub struct RunningSender {
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningSender {
    /// Number of attempts to send a mail with a code that had this outcome.
    pub fn count(&self, outcome: &str) -> u64 {
        let text = self.metrics.text(Observed::default());
        let series = format!("sallyport_emails_total{{purpose=\"login\",outcome=\"{outcome}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.expect("a series").parse().unwrap()
    }

    /// Stops it as the service does.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

fn secrets() -> MasterSecrets {
    MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap()
}

fn links() -> Links {
    Links::new("https://app.example.com", PageUrls::default()).unwrap()
}

fn login_mail(now: Timestamp) -> Mail {
    Mail::Login(CodeAndLink {
        code: MailCode::parse(CODE).unwrap(),
        code_validity: VALIDITY.into(),
        link: links().link(LinkPage::Login, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        link_validity: VALIDITY.into(),
        requested: RequestedFrom::new(&Origin::default(), now),
    })
}

fn mailer(port: u16) -> Mailer {
    let templates = Arc::new(Templates::load(None, &links()).unwrap());
    Mailer { templates, sender: sender(), client: client("smtp", "", port) }
}
