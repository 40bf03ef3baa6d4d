//! An SMTP server for any number of connections.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::server::{Replies, Transcript, serve};

/// Stops when it is dropped.
pub struct Relay {
    pub port: u16,
    finished: Arc<Mutex<Vec<Transcript>>>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// A server with replies for each of its first connections; later ones get those of a server that
    /// accepts everything.
    pub async fn start(scripts: &'static [Replies]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let finished = Arc::new(Mutex::new(Vec::new()));
        let transcripts = Arc::clone(&finished);
        let listening = tokio::spawn(async move {
            let mut scripts = scripts.iter();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let replies = scripts.next().copied().unwrap_or_default();
                let transcripts = Arc::clone(&transcripts);
                tokio::spawn(async move {
                    let mut transcript = Transcript::default();
                    // The client may close the connection at any time.
                    let _ = serve(stream, replies, &mut transcript).await;
                    transcripts.lock().push(transcript);
                });
            }
        });
        Self { port, finished, listening }
    }

    /// The messages of the connections that have ended, accepted or not.
    pub fn messages(&self) -> Vec<String> {
        let finished = self.finished.lock();
        let messages = finished.iter().map(|transcript| transcript.message.clone());
        messages.filter(|message| !message.is_empty()).collect()
    }

    /// Number of connections that have ended.
    pub fn connections(&self) -> usize {
        self.finished.lock().len()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// The value of a header of a message.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {message}"))
}
