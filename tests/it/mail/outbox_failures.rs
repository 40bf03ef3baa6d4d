//! Delivery from the outbox: failures, retries and mails that this version cannot read.

use std::time::Duration;

use sallyport::clock::Clock;
use sallyport::store::{MailContent, NewMail, StoredMail};
use tokio::time::sleep;

use super::mails::{Outbox, TWO_LOOKS};
use super::relay::{Relay, header};
use super::server::SILENCE;
use crate::databases::{Database, on_both};

on_both!(
    a_mail_that_is_refused_for_now_is_sent_again_as_the_same_mail,
    a_mail_that_is_refused_for_good_has_failed_until_an_operator_repeats_it,
    a_mail_is_given_up_when_its_code_would_have_expired,
    a_server_that_hangs_holds_up_one_mail_and_not_the_others,
    a_mail_of_a_newer_version_waits_for_a_replica_that_can_read_it,
    a_mail_that_the_master_secret_does_not_open_is_tried_again,
    a_damaged_mail_has_failed,
);

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// Waits for the report of an attempt.
async fn reported(outbox: &Outbox) -> StoredMail {
    outbox.until(async |outbox| outbox.only().await.last_error.is_some()).await;
    outbox.only().await
}

async fn a_mail_that_is_refused_for_now_is_sent_again_as_the_same_mail(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[&[(".", "451 4.3.0 later")]]).await;
    outbox.queue(1).await;
    let sender = outbox.start_sender(Some(relay.port)).await;
    let mail = reported(&outbox).await;
    let error = "The message was refused by the server: 451 4.3.0 later.";
    assert_eq!((mail.state.as_str(), mail.attempts), ("PENDING", 1));
    assert_eq!(mail.last_error.as_deref(), Some(error));
    assert_eq!(mail.due_at, outbox.clock.now() + HALF_A_MINUTE);
    sleep(TWO_LOOKS).await;
    assert_eq!(relay.connections(), 1);
    outbox.clock.advance(HALF_A_MINUTE);
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    outbox.until(async |_| relay.connections() == 2).await;
    let messages = relay.messages();
    for name in ["Message-ID", "Date", "Subject"] {
        assert_eq!(header(&messages[0], name), header(&messages[1], name));
    }
    assert_eq!((sender.count("retried"), sender.count("sent")), (1, 1));
}

async fn a_mail_that_is_refused_for_good_has_failed_until_an_operator_repeats_it(
    database: Database,
) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[&[("RCPT", "550 5.1.1 unknown user")]]).await;
    outbox.queue(1).await;
    let sender = outbox.start_sender(Some(relay.port)).await;
    let mail = reported(&outbox).await;
    assert_eq!((mail.state.as_str(), mail.attempts), ("FAILED", 1));
    outbox.clock.advance(Duration::from_mins(1));
    sleep(TWO_LOOKS).await;
    assert_eq!((relay.connections(), sender.count("failed")), (1, 1));
    assert_eq!(outbox.store.retry_mails(outbox.clock.now()).await.unwrap(), 1);
    outbox.until(async |outbox| outbox.rows().await == 0).await;
    assert_eq!(sender.count("sent"), 1);
}

async fn a_mail_is_given_up_when_its_code_would_have_expired(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[&[("MAIL", "451 later")]]).await;
    let mail = outbox.mail();
    let expires_at = mail.created_at + HALF_A_MINUTE;
    outbox.store.queue(NewMail { expires_at, ..mail }).await.unwrap();
    let sender = outbox.start_sender(Some(relay.port)).await;
    assert_eq!(reported(&outbox).await.state, "FAILED");
    assert_eq!(sender.count("failed"), 1);
}

async fn a_server_that_hangs_holds_up_one_mail_and_not_the_others(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[&[("greeting", SILENCE)]]).await;
    outbox.queue(9).await;
    let sender = outbox.start_sender(Some(relay.port)).await;
    // Before the attempt with the server that hangs is over, which takes 26 s.
    outbox.until(async |outbox| outbox.rows().await == 1).await;
    let mail = outbox.only().await;
    assert_eq!((mail.attempts, mail.last_error), (1, None));
    assert_eq!(sender.count("sent"), 8);
}

async fn a_mail_of_a_newer_version_waits_for_a_replica_that_can_read_it(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    let content = MailContent::Plain(r#"{"purpose":"invite","team":7}"#.to_owned());
    let newer = NewMail { purpose: "invite", content, ..outbox.mail() };
    let expires_at = newer.expires_at;
    outbox.store.queue(newer).await.unwrap();
    let _sender = outbox.start_sender(Some(relay.port)).await;
    let mail = reported(&outbox).await;
    assert_eq!((mail.state.as_str(), relay.connections()), ("PENDING", 0));
    assert!(mail.last_error.unwrap().contains("newer version"));
    assert_eq!(mail.due_at, outbox.clock.now() + HALF_A_MINUTE);
    outbox.clock.advance(Duration::from_hours(1));
    assert!(outbox.clock.now() > expires_at);
    outbox.until(async |outbox| outbox.rows().await == 0).await;
}

async fn a_mail_that_the_master_secret_does_not_open_is_tried_again(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    // Sealed for another row.
    let content = outbox.mail().content;
    outbox.store.queue(NewMail { content, ..outbox.mail() }).await.unwrap();
    let _sender = outbox.start_sender(Some(relay.port)).await;
    let mail = reported(&outbox).await;
    assert_eq!((mail.state.as_str(), relay.connections()), ("PENDING", 0));
    assert_eq!(mail.last_error.unwrap(), "The master secret does not open the mail.");
}

async fn a_damaged_mail_has_failed(database: Database) {
    let outbox = Outbox::new(database).await;
    let relay = Relay::start(&[]).await;
    let content = MailContent::Plain(r#"{"purpose":"login"}"#.to_owned());
    outbox.store.queue(NewMail { content, ..outbox.mail() }).await.unwrap();
    let sender = outbox.start_sender(Some(relay.port)).await;
    let mail = reported(&outbox).await;
    assert_eq!((mail.state.as_str(), relay.connections()), ("FAILED", 0));
    assert_eq!(sender.count("failed"), 1);
}
