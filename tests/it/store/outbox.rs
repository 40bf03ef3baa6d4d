//! The outbox: mails queued, leased, reported, listed and purged.

use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::domain::id::EmailId;
use sallyport::domain::pagination::{Page, PageRequest};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{Expired, LeasedMail, MailContent, NewMail, OutboxState, Store, StoredMail};

use super::support::at;
use crate::databases::{Database, on_both};

on_both!(
    a_due_mail_is_leased_once_until_its_lease_ends,
    a_report_counts_only_for_the_latest_lease,
    mails_are_listed_newest_first_without_decoys,
    an_operator_repeats_mails_that_wait_or_have_failed_and_no_others,
    the_state_of_the_outbox_is_counted,
    mails_and_challenges_are_purged_when_their_time_has_come,
);

const LEASE: Duration = Duration::from_secs(40);

fn mail(now: Timestamp) -> NewMail {
    NewMail {
        id: EmailId::new(now, &SystemEntropy),
        purpose: "test",
        user: None,
        address: Some("ada@example.com".to_owned()),
        language: "en",
        content: MailContent::Plain("{}".to_owned()),
        created_at: now,
        expires_at: now + Duration::from_hours(24),
    }
}

async fn queue(store: &Store, now: Timestamp) -> EmailId {
    let mail = mail(now);
    let id = mail.id;
    store.queue(mail).await.unwrap();
    id
}

async fn lease(store: &Store, now: Timestamp) -> Vec<LeasedMail> {
    store.lease_mails(now, now + LEASE, 4).await.unwrap()
}

/// Leases the only due mail and reports a failure.
async fn fail(store: &Store, now: Timestamp, retry_at: Option<Timestamp>) -> LeasedMail {
    let leased = lease(store, now).await.remove(0);
    store.mail_failed(&leased, "It failed.".to_owned(), retry_at).await.unwrap();
    leased
}

async fn page(store: &Store, after: Option<(Timestamp, EmailId)>, size: u32) -> Page<StoredMail> {
    let page = PageRequest { after, before: None, size, from_end: false };
    store.mails(&page).await.unwrap()
}

async fn states(store: &Store) -> Vec<(String, i32)> {
    let mails = page(store, None, 100).await.items;
    mails.into_iter().map(|mail| (mail.state, mail.attempts)).collect()
}

async fn a_due_mail_is_leased_once_until_its_lease_ends(database: Database) {
    let (store, other) = (database.store().await, database.store().await);
    assert!(!store.has_due_mail(at(0)).await.unwrap());
    let sealed = MailContent::Sealed(vec![1, 2, 3]);
    let queued = NewMail { content: sealed.clone(), ..mail(at(0)) };
    store.queue(queued.clone()).await.unwrap();
    assert!(!store.has_due_mail(at(-1)).await.unwrap());
    assert!(store.has_due_mail(at(0)).await.unwrap());
    let leased = lease(&store, at(0)).await.remove(0);
    assert_eq!((leased.id, leased.attempts, &leased.content), (queued.id, 1, &sealed));
    assert_eq!((leased.created_at, leased.expires_at), (queued.created_at, queued.expires_at));
    for now in [at(0), at(39)] {
        assert!(!other.has_due_mail(now).await.unwrap());
        assert!(lease(&other, now).await.is_empty());
    }
    assert_eq!(lease(&other, at(40)).await[0].attempts, 2);
    for _ in 0..9 {
        queue(&store, at(100)).await;
    }
    // The lease of the first has ended, too.
    let (one, two) = tokio::join!(lease(&store, at(200)), lease(&other, at(200)));
    let mut ids: Vec<EmailId> = one.iter().chain(&two).map(|mail| mail.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8, "each mail went to one sender");
}

async fn a_report_counts_only_for_the_latest_lease(database: Database) {
    let store = database.store().await;
    queue(&store, at(0)).await;
    let late = lease(&store, at(0)).await.remove(0);
    let current = lease(&store, at(40)).await.remove(0);
    store.mail_failed(&late, "Late.".to_owned(), None).await.unwrap();
    assert_eq!(states(&store).await, [("PENDING".to_owned(), 2)]);
    store.mail_failed(&current, "Later.".to_owned(), Some(at(70))).await.unwrap();
    let waiting = page(&store, None, 1).await.items.remove(0);
    assert_eq!((waiting.due_at, waiting.last_error.as_deref()), (at(70), Some("Later.")));
    let last = lease(&store, at(70)).await.remove(0);
    let under_way = page(&store, None, 1).await.items.remove(0);
    assert_eq!(under_way.last_error, None);
    store.mail_failed(&last, "Never.".to_owned(), None).await.unwrap();
    assert_eq!(states(&store).await, [("FAILED".to_owned(), 3)]);
    store.delete_mail(last.id).await.unwrap();
    assert!(states(&store).await.is_empty());
    // A mail that another sender has finished.
    store.delete_mail(last.id).await.unwrap();
}

async fn mails_are_listed_newest_first_without_decoys(database: Database) {
    let store = database.store().await;
    let mut queued = Vec::new();
    for seconds in 0..5 {
        queued.push(queue(&store, at(seconds)).await);
        store.queue(NewMail { address: None, ..mail(at(seconds)) }).await.unwrap();
    }
    queued.reverse();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = page(&store, after, 2).await;
        after = page.items.last().map(|mail| (mail.created_at, mail.id));
        listed.extend(page.items.iter().map(|mail| mail.id));
        if !page.has_next {
            break;
        }
    }
    assert_eq!(listed, queued);
    assert_eq!(store.count_mails().await.unwrap(), Some(5));
    assert_eq!(store.mail(queued[0]).await.unwrap().unwrap().id, queued[0]);
}

async fn an_operator_repeats_mails_that_wait_or_have_failed_and_no_others(database: Database) {
    let store = database.store().await;
    queue(&store, at(0)).await;
    let kept = lease(&store, at(0)).await.remove(0);
    store.keep_mail(kept.id).await.unwrap();
    queue(&store, at(1)).await;
    fail(&store, at(1), None).await;
    queue(&store, at(2)).await;
    fail(&store, at(2), Some(at(900))).await;
    let expires_at = at(5);
    store.queue(NewMail { expires_at, ..mail(at(3)) }).await.unwrap();
    fail(&store, at(3), None).await;
    // Leased by a sender.
    queue(&store, at(4)).await;
    lease(&store, at(4)).await;
    assert_eq!(store.retry_mails(at(5)).await.unwrap(), 2);
    let word = |state: &str| state.to_owned();
    let expected = [
        (word("PENDING"), 1),
        (word("FAILED"), 1),
        (word("PENDING"), 1),
        (word("PENDING"), 1),
        (word("KEPT"), 1),
    ];
    assert_eq!(states(&store).await, expected);
    assert_eq!(lease(&store, at(5)).await.len(), 2);
}

async fn the_state_of_the_outbox_is_counted(database: Database) {
    let store = database.store().await;
    assert_eq!(store.outbox_state().await.unwrap(), OutboxState::default());
    queue(&store, at(0)).await;
    fail(&store, at(0), None).await;
    for seconds in [7, 8] {
        queue(&store, at(seconds)).await;
    }
    let expected = OutboxState { pending: 2, failed: 1, oldest: Some(at(7)) };
    assert_eq!(store.outbox_state().await.unwrap(), expected);
}

async fn mails_and_challenges_are_purged_when_their_time_has_come(database: Database) {
    let store = database.store().await;
    queue(&store, at(0)).await;
    let kept = lease(&store, at(0)).await.remove(0);
    store.keep_mail(kept.id).await.unwrap();
    queue(&store, at(10)).await;
    fail(&store, at(10), None).await;
    queue(&store, at(20)).await;
    let mut raw = database.raw().await;
    let id = database.literal(kept.id.as_uuid());
    let bytes = if database.is_sqlite() { "x'00'" } else { "'\\x00'" };
    let until = at(30).as_micros();
    raw.execute(format!(
        "INSERT INTO challenges (id, purpose, account, shown, attempts_left, created_at, expires_at) \
         VALUES ({id}, 'LOGIN', {bytes}, '', 5, 0, {until}); \
         INSERT INTO email_limits (bucket, times, until) VALUES ({bytes}, '', {until})"
    ))
    .await;
    for (kind, moment) in [
        (Expired::KeptMails, at(0)),
        (Expired::FailedMails, at(10)),
        (Expired::Challenges, at(30)),
        (Expired::MailLimits, at(30)),
    ] {
        let before = moment - Duration::from_micros(1);
        assert_eq!(store.count_expired(kind, before).await.unwrap(), 0, "{kind:?}");
        assert_eq!(store.purge_batch(kind, before).await.unwrap(), 0, "{kind:?}");
        assert_eq!(store.count_expired(kind, moment).await.unwrap(), 1, "{kind:?}");
        assert_eq!(store.purge_batch(kind, moment).await.unwrap(), 1, "{kind:?}");
    }
    // A mail that waits is not purged: its sender deletes it when it has expired.
    for kind in Expired::ALL {
        assert_eq!(store.purge_batch(kind, at(1_000_000)).await.unwrap(), 0, "{kind:?}");
    }
    assert_eq!(states(&store).await, [("PENDING".to_owned(), 0)]);
}
