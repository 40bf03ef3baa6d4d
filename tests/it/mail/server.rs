//! An SMTP server for one connection, whose replies a test chooses.

use std::fmt::Write;

use sallyport::clock::Timestamp;
use sallyport::domain::user::Email;
use sallyport::mail::{MailText, Message, SendError, Sender, SmtpClient, SmtpUrl};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A reply after which the server stays silent.
pub const SILENCE: &str = "";

/// A reply after which the server closes the connection.
pub const CLOSE: &str = "close";

/// Replies by the first word of a command; `greeting` is the first one, and `.` ends a message.
pub type Replies = &'static [(&'static str, &'static str)];

const DEFAULTS: Replies = &[
    ("greeting", "220 server"),
    ("EHLO", "250-server\r\n250 8BITMIME"),
    ("MAIL", "250 sender"),
    ("RCPT", "250 recipient"),
    ("DATA", "354 data"),
    (".", "250 queued"),
    ("NOOP", "250 noop"),
    ("QUIT", "221 bye"),
];

/// What the server received.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    pub commands: Vec<String>,
    /// The message, with the dots that the protocol adds.
    pub message: String,
    /// The first bytes after STARTTLS.
    pub encrypted: Vec<u8>,
}

pub struct Server {
    pub port: u16,
    connection: JoinHandle<Transcript>,
}

impl Server {
    /// A server with these replies, and those of a server that accepts everything for the rest.
    pub async fn start(replies: Replies) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut transcript = Transcript::default();
            // The client may close the connection at any time.
            let _ = serve(stream, replies, &mut transcript).await;
            transcript
        });
        Self { port, connection }
    }

    pub async fn transcript(self) -> Transcript {
        self.connection.await.unwrap()
    }
}

/// Answers on one connection.
pub async fn serve(
    stream: TcpStream,
    replies: Replies,
    transcript: &mut Transcript,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut word = "greeting".to_owned();
    loop {
        let reply = replies.iter().chain(DEFAULTS).find(|(name, _)| *name == word);
        let reply = reply.map_or("502 unknown", |(_, reply)| *reply);
        match reply {
            SILENCE => {
                // Until the client gives up.
                stream.read_to_end(&mut Vec::new()).await?;
                return Ok(());
            }
            CLOSE => return Ok(()),
            _ => stream.write_all(format!("{reply}\r\n").as_bytes()).await?,
        }
        match word.as_str() {
            "STARTTLS" if reply.starts_with('2') => {
                let mut bytes = [0; 64];
                let length = stream.read(&mut bytes).await?;
                transcript.encrypted = bytes[..length].to_vec();
                stream.read_to_end(&mut Vec::new()).await?;
                return Ok(());
            }
            "DATA" if reply.starts_with('3') => {
                while !transcript.message.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut transcript.message).await? == 0 {
                        return Ok(());
                    }
                }
                ".".clone_into(&mut word);
                continue;
            }
            "QUIT" => return Ok(()),
            _ => {}
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        word = line.split(' ').next().unwrap_or_default().to_owned();
        transcript.commands.push(line.to_owned());
    }
}

pub fn sender() -> Sender {
    Sender::parse("Acme <noreply@a.example>").unwrap()
}

pub fn message(recipient: &str, text: &str) -> Message {
    let recipient = Email::parse(recipient).unwrap();
    let text = MailText { subject: "Hello".to_owned(), text: text.to_owned(), html: None };
    let now = Timestamp::from_seconds(1_796_000_000);
    Message::new(&sender(), &recipient, &text, Uuid::from_u128(7), now).unwrap()
}

/// A client of a server on this machine. `user` is empty or ends with an `@`.
pub fn client(scheme: &str, user: &str, port: u16) -> SmtpClient {
    let url = SmtpUrl::parse(&format!("{scheme}://{user}127.0.0.1:{port}")).unwrap();
    SmtpClient::new(url, None, &sender()).unwrap()
}

/// Sends a mail to a server with these replies.
pub async fn send(replies: Replies) -> (Result<(), SendError>, Transcript) {
    let server = Server::start(replies).await;
    let result = client("smtp", "", server.port).send(&message("ada@b.example", "Text.\n")).await;
    (result, server.transcript().await)
}

/// The kind of an error and its text.
pub fn described(result: &Result<(), SendError>) -> String {
    let mut text = String::new();
    match result {
        Ok(()) => text.push_str("sent"),
        Err(error) => write!(text, "{:?}: {error}", error.kind()).unwrap(),
    }
    text
}
