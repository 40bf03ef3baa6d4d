//! Minimal HTTP client for GraphQL documents, with one persistent connection.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::history::Answer;

/// No answer may take as long.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Client {
    connection: Option<(SocketAddr, TcpStream)>,
}

impl Client {
    pub async fn send(
        &mut self,
        address: SocketAddr,
        bearer: Option<&str>,
        document: &Value,
    ) -> Answer<Value> {
        let request = request(bearer, document);
        let kept = self.connection.take().filter(|(to, _)| *to == address);
        let exchange = async {
            let mut stream = match kept {
                Some((_, stream)) => stream,
                None => TcpStream::connect(address).await.ok()?,
            };
            stream.write_all(request.as_bytes()).await.ok()?;
            let (_, body) = read(&mut stream).await?;
            Some((stream, serde_json::from_slice(&body).ok()?))
        };
        match timeout(TIMEOUT, exchange).await {
            Ok(Some((stream, body))) => {
                self.connection = Some((address, stream));
                Answer::Done(body)
            }
            Ok(None) => Answer::Lost,
            Err(_) => Answer::Silence,
        }
    }
}

pub fn request(bearer: Option<&str>, document: &Value) -> String {
    let body = document.to_string();
    let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n"));
    format!(
        "POST /graphql HTTP/1.1\r\nhost: sallyport\r\ncontent-type: application/json\r\n{}\
         content-length: {}\r\n\r\n{body}",
        bearer.unwrap_or_default(),
        body.len()
    )
}

/// Status and body of `/readyz`; `None` without an answer.
pub async fn readiness(address: SocketAddr) -> Option<(u16, Value)> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: sallyport\r\n\r\n").await.ok()?;
        let (status, body) = read(&mut stream).await?;
        Some((status, serde_json::from_slice(&body).ok()?))
    };
    timeout(TIMEOUT, asked).await.ok().flatten()
}

/// Reads one response: the status and the body.
async fn read(stream: &mut TcpStream) -> Option<(u16, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            break (end + 4, length?.trim().parse::<usize>().ok()?);
        }
    };
    let status = String::from_utf8_lossy(bytes.get(9..12)?).parse().ok()?;
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((status, bytes.split_off(head)))
}
