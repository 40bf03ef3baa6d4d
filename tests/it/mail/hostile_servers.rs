//! Servers, and networks before them, that try to get secrets or to mislead the client.

use super::server::{Replies, Server, client, described, message, send};

#[tokio::test]
async fn credentials_are_not_sent_unencrypted() {
    let server = Server::start(&[("EHLO", "250-server\r\n250 AUTH PLAIN LOGIN")]).await;
    let result = client("smtp", "ada:hunter2@", server.port).check().await;
    let expected = "Temporary: The server does not offer STARTTLS, which the SMTP URL requires.";
    assert_eq!(described(&result), expected);
    assert_eq!(server.transcript().await.commands, ["EHLO a.example"]);
}

#[tokio::test]
async fn an_offer_of_starttls_that_fails_is_not_followed_by_a_mail_in_the_clear() {
    for scheme in ["smtp", "smtp+starttls"] {
        let replies =
            &[("EHLO", "250-server\r\n250 STARTTLS"), ("STARTTLS", "454 TLS not available")];
        let server = Server::start(replies).await;
        let result = client(scheme, "", server.port).send(&message("ada@b.example", "a\n")).await;
        let expected = "Temporary: STARTTLS was refused by the server: 454 TLS not available.";
        assert_eq!(described(&result), expected);
        let commands = server.transcript().await.commands;
        assert!(!commands.iter().any(|command| command.starts_with("MAIL")), "{commands:?}");
    }
}

#[tokio::test]
async fn a_reply_that_is_injected_before_tls_is_not_read_after_it() {
    // All in one packet: the true reply, and those that the client would read after the handshake.
    let injected = "220 go ahead\r\n250-server\r\n250 AUTH PLAIN\r\n235 ok\r\n250 queued";
    let replies: Replies =
        Vec::leak(vec![("EHLO", "250-server\r\n250 STARTTLS"), ("STARTTLS", injected)]);
    for scheme in ["smtp", "smtp+starttls"] {
        let server = Server::start(replies).await;
        let result = client(scheme, "", server.port).check().await;
        let text = described(&result);
        assert!(text.starts_with("Temporary: STARTTLS failed: "), "{text}");
        let transcript = server.transcript().await;
        assert_eq!(transcript.commands, ["EHLO a.example", "STARTTLS"]);
        // A TLS handshake, and no command.
        assert_eq!(transcript.encrypted.first(), Some(&0x16));
    }
}

#[tokio::test]
async fn a_reply_without_an_end_is_refused() {
    for reply in ["250-", "250-\r\n"] {
        let endless: &'static str = String::leak(reply.repeat(40_000));
        let replies: Replies = Vec::leak(vec![("EHLO", endless)]);
        let text = described(&send(replies).await.0);
        assert!(text.starts_with("Temporary: The connection failed: "), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_not_in_the_error() {
    let reply = "554 spam: 01234567 https://a.example/account/reset#token=\
                 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 \u{1b}[2J refused";
    let text = described(&send(Vec::leak(vec![(".", reply)])).await.0);
    let expected =
        "Permanent: The message was refused by the server: 554 spam: […] […] ?[2J refused.";
    assert_eq!(text, expected);
    let long: &'static str = String::leak(format!("550 {}", "no ".repeat(300)));
    let text = described(&send(Vec::leak(vec![("RCPT", long)])).await.0);
    assert_eq!(text.chars().count(), "Permanent: ".len() + 200);
    assert!(text.ends_with('…'), "{text}");
}
