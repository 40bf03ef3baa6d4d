//! HTTP/2 client (RFC 9113) that controls its flow-control windows and reads frame by frame.

use super::raw_client::Client;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// A frame of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    Head,
    /// Number of bytes.
    Data(usize),
    /// Number of the last bytes.
    End(usize),
    /// The server cancels the stream.
    Reset,
}

pub struct Http2Client {
    client: Client,
    bytes: Vec<u8>,
    next: u32,
}

impl Http2Client {
    /// Connects, with this window for each stream.
    pub async fn connect(client: Client, window: u32) -> Self {
        let mut h2 = Self { client, bytes: Vec::new(), next: 1 };
        h2.client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        h2.set_window(window).await;
        h2
    }

    /// Sets the window of every stream.
    pub async fn set_window(&mut self, window: u32) {
        let payload = [&4_u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
        self.frame(SETTINGS, 0, 0, &payload).await;
    }

    /// Opens the window of a stream, or of the connection, which is 0.
    pub async fn open_window(&mut self, stream: u32, bytes: u32) {
        self.frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes()).await;
    }

    /// Cancels a request.
    pub async fn reset(&mut self, stream: u32) {
        const CANCEL: u32 = 8;
        self.frame(RESET, 0, stream, &CANCEL.to_be_bytes()).await;
    }

    /// Sends a request and returns its stream id.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> u32 {
        let stream = self.next;
        self.next += 2;
        let own = [(":method", method), (":scheme", "http"), (":path", path)];
        let mut fields = Vec::new();
        for (name, value) in own.iter().chain(headers) {
            // Literal field without indexing, not Huffman-coded (RFC 7541, section 6.2.2).
            fields.push(0);
            for text in [name, value] {
                fields.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).unwrap());
                fields.extend(text.as_bytes());
            }
        }
        let end = if body.is_empty() { END_STREAM } else { 0 };
        self.frame(HEADERS, END_HEADERS | end, stream, &fields).await;
        if !body.is_empty() {
            self.frame(DATA, END_STREAM, stream, body.as_bytes()).await;
        }
        stream
    }

    /// Sends a GraphQL query and returns its stream id.
    pub async fn post(&mut self, query: &str) -> u32 {
        let headers = [(":authority", "localhost"), ("content-type", "application/json")];
        let body = serde_json::json!({ "query": query }).to_string();
        self.send("POST", "/graphql", &headers, &body).await
    }

    /// The next frame of a stream, with the stream id.
    pub async fn next_frame(&mut self) -> (u32, Frame) {
        loop {
            while let Some((kind, flags, stream, length)) = self.take() {
                let is_end = flags & END_STREAM != 0;
                match kind {
                    SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[]).await,
                    HEADERS => return (stream, Frame::Head),
                    DATA if is_end => return (stream, Frame::End(length)),
                    DATA => return (stream, Frame::Data(length)),
                    RESET => return (stream, Frame::Reset),
                    _ => {}
                }
            }
            let more = self.client.read_some().await;
            self.bytes.extend(more);
        }
    }

    /// Number of bytes until the server closes the connection.
    pub async fn read_to_end_of_stream(&mut self) -> usize {
        self.client.read_to_end_of_stream().await.len()
    }

    /// The next frame, if it was read completely.
    fn take(&mut self) -> Option<(u8, u8, u32, usize)> {
        let head: [u8; 9] = self.bytes.get(..9)?.try_into().unwrap();
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if self.bytes.len() < 9 + length {
            return None;
        }
        self.bytes.drain(..9 + length);
        Some((kind, flags, u32::from_be_bytes(stream), length))
    }

    async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.client.write([&head, payload].concat()).await;
    }
}
