//! Deliveries that fail: whether a later try may succeed, and the text of the error.

use std::time::Duration;

use sallyport::clock::Stopwatch;

use super::server::{CLOSE, Replies, SILENCE, Server, client, described, message, send};

#[tokio::test]
async fn a_refusal_is_permanent_only_for_the_recipient_and_the_message() {
    let cases: [(Replies, &str); 15] = [
        (
            &[("greeting", "554 no service")],
            "Temporary: The connection was refused by the server: 554 no service.",
        ),
        (
            &[("greeting", "421 busy")],
            "Temporary: The connection was refused by the server: 421 busy.",
        ),
        (
            &[("EHLO", "502 what?")],
            "Temporary: The connection was refused by the server: 502 what?.",
        ),
        (&[("MAIL", "451 later")], "Temporary: The sender was refused by the server: 451 later."),
        (
            &[("MAIL", "550 5.7.1 not your address")],
            "Temporary: The sender was refused by the server: 550 5.7.1 not your address.",
        ),
        (
            &[("MAIL", "530 5.7.0 Authentication required.")],
            "Temporary: The sender was refused by the server: 530 5.7.0 Authentication required.",
        ),
        (
            &[("RCPT", "450 4.2.1 greylisted")],
            "Temporary: The recipient was refused by the server: 450 4.2.1 greylisted.",
        ),
        (
            &[("RCPT", "530 5.7.0 Authentication required")],
            "Temporary: The recipient was refused by the server: 530 5.7.0 Authentication required.",
        ),
        (
            &[("RCPT", "550-5.1.1 User\r\n550 5.1.1 unknown")],
            "Permanent: The recipient was refused by the server: 550 5.1.1 User unknown.",
        ),
        (&[("DATA", "451 later")], "Temporary: The message was refused by the server: 451 later."),
        (&[("DATA", "554 no")], "Permanent: The message was refused by the server: 554 no."),
        (
            &[(".", "452 4.3.1 disk full")],
            "Temporary: The message was refused by the server: 452 4.3.1 disk full.",
        ),
        (
            &[(".", "554 5.7.1 spam")],
            "Permanent: The message was refused by the server: 554 5.7.1 spam.",
        ),
        (&[("MAIL", "hello")], "Temporary: The sender failed: "),
        (&[("DATA", CLOSE)], "Temporary: The message failed: incomplete response."),
    ];
    for (replies, expected) in cases {
        let (result, transcript) = send(replies).await;
        let text = described(&result);
        assert!(text.starts_with(expected) && text.ends_with('.'), "{text}\n{expected}");
        let has_message = !transcript.message.is_empty();
        assert_eq!(has_message, replies[0].0 == ".", "{replies:?}");
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_sent_later() {
    let message = message("ada@b.example", "a\n");
    let mut copies = Vec::new();
    let tries: [(Replies, bool); 2] = [(&[(".", "451 later")], false), (&[], true)];
    for (replies, is_sent) in tries {
        let server = Server::start(replies).await;
        let result = client("smtp", "", server.port).send(&message).await;
        assert_eq!(result.is_ok(), is_sent);
        copies.push(server.transcript().await.message);
    }
    // Message-ID and Date are the same.
    assert_eq!(copies[0], copies[1]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_temporary_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for scheme in ["smtp", "smtps"] {
        let result = client(scheme, "", port).check().await;
        let text = described(&result);
        assert!(text.starts_with("Temporary: The connection failed: Connection refused"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_thirty_seconds() {
    let cases: [(Replies, bool); 5] = [
        (&[("greeting", SILENCE)], false),
        (&[("RCPT", SILENCE)], false),
        (&[("DATA", SILENCE)], false),
        (&[(".", SILENCE)], false),
        (&[("QUIT", SILENCE)], true),
    ];
    let deliveries = cases.map(|(replies, is_sent)| {
        tokio::spawn(async move {
            let started = Stopwatch::start();
            let (result, _) = send(replies).await;
            assert!(started.elapsed() < Duration::from_secs(32), "{replies:?}");
            let expected = if is_sent {
                "sent"
            } else {
                "Temporary: The server did not finish the delivery within 26 seconds."
            };
            assert_eq!(described(&result), expected, "{replies:?}");
        })
    });
    for delivery in deliveries {
        delivery.await.unwrap();
    }
}
