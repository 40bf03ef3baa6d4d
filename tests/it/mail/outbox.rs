//! Delivery from the outbox: mails that are sent, and mails that never are.

use std::collections::BTreeSet;
use std::time::Duration;

use sallyport::clock::Clock;
use sallyport::store::NewMail;
use tokio::time::sleep;

use super::mails::{CODE, Outbox, TWO_LOOKS, VALIDITY};
use super::relay::{Relay, header};
use crate::databases::{Database, on_both};

on_both!(
    a_queued_mail_is_sent_and_deleted,
    two_senders_send_each_mail_once,
    a_mail_of_a_sender_that_died_is_sent_when_its_lease_ends,
    a_sender_that_stops_finishes_what_it_sends,
    an_expired_mail_is_never_sent,
    a_decoy_is_never_sent,
    without_a_server_a_mail_is_kept,
);

async fn a_queued_mail_is_sent_and_deleted(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    let sender = outbox.start_sender(Some(relay.port)).await;
    let mail = outbox.mail();
    let id = mail.id;
    outbox.store.queue(mail).await.unwrap();
    outbox.until(async |outbox| outbox.rows().await == 0 && relay.connections() == 1).await;
    let message = relay.messages().remove(0);
    assert_eq!(header(&message, "To"), "ada@b.example");
    assert_eq!(header(&message, "Message-ID"), format!("<{id}@a.example>"));
    assert!(message.lines().any(|line| line == CODE), "{message}");
    assert_eq!((sender.count("sent"), sender.count("failed")), (1, 0));
}

async fn two_senders_send_each_mail_once(database: Database) {
    const MAILS: usize = 30;
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    outbox.queue(MAILS).await;
    let one = outbox.start_sender(Some(relay.port)).await;
    let other = outbox.start_sender(Some(relay.port)).await;
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    outbox.until(async |_| relay.messages().len() >= MAILS).await;
    let messages = relay.messages();
    let ids: BTreeSet<&str> =
        messages.iter().map(|message| header(message, "Message-ID")).collect();
    assert_eq!((messages.len(), ids.len()), (MAILS, MAILS));
    assert_eq!(one.count("sent") + other.count("sent"), 30);
}

async fn a_mail_of_a_sender_that_died_is_sent_when_its_lease_ends(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    outbox.queue(1).await;
    let (now, lease) = (outbox.clock.now(), Duration::from_secs(30));
    let leased = outbox.store.lease_mails(now, now + lease, 4).await.unwrap();
    assert_eq!(leased.len(), 1);
    let _sender = outbox.start_sender(Some(relay.port)).await;
    sleep(TWO_LOOKS).await;
    assert_eq!((outbox.rows().await, relay.connections()), (1, 0));
    // A retry by an operator does not send what another sender may be sending.
    assert_eq!(outbox.store.retry_mails(now).await.unwrap(), 0);
    outbox.clock.advance(lease);
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    outbox.until(async |_| relay.messages().len() == 1).await;
}

async fn a_sender_that_stops_finishes_what_it_sends(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    outbox.queue(1).await;
    let sender = outbox.start_sender(Some(relay.port)).await;
    // The server has it, and the sender may not have noted that yet.
    outbox.until(async |_| relay.connections() == 1).await;
    sender.stop().await;
    assert_eq!(outbox.rows().await, 0);
}

async fn an_expired_mail_is_never_sent(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    outbox.queue(2).await;
    outbox.clock.advance(VALIDITY);
    let sender = outbox.start_sender(Some(relay.port)).await;
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    assert_eq!((relay.connections(), sender.count("expired")), (0, 2));
}

async fn a_decoy_is_never_sent(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    let decoy = NewMail { address: None, ..outbox.mail() };
    outbox.store.queue(decoy).await.unwrap();
    assert_eq!((outbox.rows().await, outbox.mails().await.len()), (1, 0));
    let sender = outbox.start_sender(Some(relay.port)).await;
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    let counted = ["sent", "failed", "retried", "expired", "kept"].map(|it| sender.count(it));
    assert_eq!((relay.connections(), counted), (0, [0; 5]));
}

async fn without_a_server_a_mail_is_kept(database: Database) {
    let outbox = Outbox::new(database).await;
    outbox.queue(1).await;
    let sender = outbox.start_sender(None).await;
    outbox.until(async |outbox| outbox.only().await.state == "KEPT").await;
    sleep(TWO_LOOKS).await;
    let mail = outbox.only().await;
    assert_eq!((mail.state.as_str(), mail.attempts, mail.last_error), ("KEPT", 1, None));
    assert_eq!(sender.count("kept"), 1);
    // It was not refused by a server, so it is not sent again.
    assert_eq!(outbox.store.retry_mails(outbox.clock.now()).await.unwrap(), 0);
}
