//! Deliveries that succeed.

use super::server::{CLOSE, Replies, Server, client, described, message, send};

#[tokio::test]
async fn a_message_is_sent_to_its_recipient() {
    let (result, transcript) = send(&[]).await;
    assert_eq!(result, Ok(()));
    let expected = [
        "EHLO a.example",
        "MAIL FROM:<noreply@a.example>",
        "RCPT TO:<ada@b.example>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(transcript.commands, expected);
    let (head, body) = transcript.message.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: Acme <noreply@a.example>",
        "To: ada@b.example",
        "Subject: Hello",
        "Message-ID: <00000000-0000-0000-0000-000000000007@a.example>",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(head.lines().any(|line| line == header), "{header}\n{head}");
    }
    assert!(body.starts_with("Text.\r\n"), "{body}");
}

#[tokio::test]
async fn a_line_that_is_a_dot_does_not_end_the_message() {
    let server = Server::start(&[]).await;
    let message = message("ada@b.example", "a\n.\n..b\nc\n");
    assert_eq!(client("smtp", "", server.port).send(&message).await, Ok(()));
    let transcript = server.transcript().await;
    assert!(transcript.message.contains("\r\n\r\na\r\n..\r\n...b\r\nc\r\n"), "{transcript:?}");
    assert_eq!(transcript.commands.len(), 5);
}

#[tokio::test]
async fn a_server_is_checked_without_a_message() {
    let server = Server::start(&[]).await;
    assert_eq!(client("smtp", "", server.port).check().await, Ok(()));
    assert_eq!(server.transcript().await.commands, ["EHLO a.example", "NOOP", "QUIT"]);
    let server = Server::start(&[("NOOP", "421 shutting down")]).await;
    let result = client("smtp", "", server.port).check().await;
    let expected = "Temporary: The connection was refused by the server: 421 shutting down.";
    assert_eq!(described(&result), expected);
}

#[tokio::test]
async fn a_message_is_sent_whatever_the_server_answers_to_quit() {
    let cases: [Replies; 2] = [&[("QUIT", CLOSE)], &[("QUIT", "421 no")]];
    for replies in cases {
        assert_eq!(send(replies).await.0, Ok(()), "{replies:?}");
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_supports_it() {
    let deliver = async |replies: Replies| {
        let server = Server::start(replies).await;
        let message = message("маша@b.example", "a\n");
        let result = client("smtp", "", server.port).send(&message).await;
        (described(&result), server.transcript().await.commands)
    };
    let (result, commands) = deliver(&[]).await;
    let expected = "Permanent: The server does not support addresses beyond ASCII (SMTPUTF8).";
    assert_eq!((result.as_str(), commands.len()), (expected, 2));
    let (result, commands) =
        deliver(&[("EHLO", "250-server\r\n250-8BITMIME\r\n250 SMTPUTF8")]).await;
    assert_eq!(result, "sent");
    assert_eq!(commands[1], "MAIL FROM:<noreply@a.example> SMTPUTF8 BODY=8BITMIME");
    assert_eq!(commands[2], "RCPT TO:<маша@b.example>");
}

/// The delivery loop runs as a task.
#[test]
fn a_delivery_can_be_a_task_of_its_own() {
    fn is_send<T: Send>(_: &T) {}
    let (client, message) = (client("smtp", "", 1), message("ada@b.example", "a\n"));
    is_send(&client.send(&message));
    is_send(&client.check());
}
