//! A service of your own that accepts access tokens: it verifies them by the public keys, and refuses
//! those of an ended session within moments of the logout. It reads one token per line and prints
//! `accepted`, `refused` or `unknown` for each.
//!
//! If nothing was heard from the feed for five seconds, a token is neither accepted nor refused, as in
//! Sallyport itself.
//!
//!     SALLYPORT_URL=http://127.0.0.1:8000 ACCESS_TOKEN=… cargo run --example verifier

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ENDS: &str =
    "subscription($after: String!) { sessionEnds(after: $after) { session { sid } cursor } }";
const BOUND: Duration = Duration::from_secs(5);
/// Sessions that ended before the connection began come first, and no message marks their end. The
/// service gives up a database query after two seconds, so a longer silence marks it.
const SILENCE: Duration = Duration::from_millis(2_500);

/// Ended sessions, and the age of this knowledge.
#[derive(Default)]
struct Ended {
    /// By the claim `sid`. Ends older than the longest lifetime of an access token may be removed.
    sessions: HashMap<String, Instant>,
    /// Where to continue after a break. Empty: all ends that are held come first.
    cursor: String,
    heard_at: Option<Instant>,
    /// When all earlier ends are known to have arrived.
    complete_at: Option<Instant>,
}

#[derive(Deserialize)]
struct Claims {
    sid: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::var("SALLYPORT_URL")?;
    let token = std::env::var("ACCESS_TOKEN")?;
    let keys: JwkSet = reqwest::get(format!("{url}/.well-known/jwks.json")).await?.json().await?;
    let ended = Arc::new(Mutex::new(Ended::default()));
    tokio::spawn(follow(url, token, Arc::clone(&ended)));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(token) = lines.next_line().await? {
        println!("{}", verdict(&keys, &ended, &token));
    }
    Ok(())
}

fn verdict(keys: &JwkSet, ended: &Mutex<Ended>, token: &str) -> &'static str {
    let Ok(claims) = verify(keys, token) else { return "refused" };
    let ended = ended.lock().expect("no holder of the lock panics");
    if ended.sessions.contains_key(&claims.sid) {
        return "refused";
    }
    let is_complete = ended.complete_at.is_some_and(|at| at <= Instant::now());
    let is_fresh = ended.heard_at.is_some_and(|at| at.elapsed() < BOUND);
    if is_complete && is_fresh { "accepted" } else { "unknown" }
}

/// Verifies by the public keys alone (RFC 9068, section 4).
fn verify(keys: &JwkSet, token: &str) -> Result<Claims> {
    let header = decode_header(token)?;
    let key = header.kid.and_then(|kid| keys.find(&kid)).ok_or("an unknown key")?;
    if header.typ.as_deref() != Some("at+jwt") {
        return Err("another kind of token".into());
    }
    // The key determines the algorithm, never the token.
    let algorithm = key.common.key_algorithm.ok_or("a key without an algorithm")?;
    let mut validation = Validation::new(algorithm.to_string().parse()?);
    validation.set_issuer(&["http://127.0.0.1:8000"]);
    validation.set_audience(&["sallyport"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(decode::<Claims>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

/// Follows the feed, and reconnects after a break.
async fn follow(url: String, token: String, ended: Arc<Mutex<Ended>>) {
    loop {
        if let Err(error) = listen(&url, &token, &ended).await {
            eprintln!("the feed broke off: {error}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn listen(url: &str, token: &str, ended: &Mutex<Ended>) -> Result<()> {
    let address = format!("{}/graphql", url.replacen("http", "ws", 1));
    let mut request = address.into_client_request()?;
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await?;
    let init = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).await?;
    let mut pings = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            // Detects a broken connection: its pong does not come.
            _ = pings.tick() => socket.send(Message::text(json!({ "type": "ping" }).to_string())).await?,
            message = tokio::time::timeout(BOUND, socket.next()) => {
                let message = message?.ok_or("closed")??;
                let Message::Text(text) = message else { continue };
                if let Some(answer) = hear(&serde_json::from_str(&text)?, ended)? {
                    socket.send(Message::text(answer.to_string())).await?;
                }
            }
        }
    }
}

/// Handles a message of the protocol. Returns the reply, if there is one.
fn hear(message: &Value, ended: &Mutex<Ended>) -> Result<Option<Value>> {
    let mut ended = ended.lock().expect("no holder of the lock panics");
    match message["type"].as_str() {
        Some("connection_ack") => {
            ended.complete_at = Some(Instant::now() + SILENCE);
            let payload = json!({ "query": ENDS, "variables": { "after": ended.cursor } });
            return Ok(Some(json!({ "id": "1", "type": "subscribe", "payload": payload })));
        }
        Some("next") => {
            let end = &message["payload"]["data"]["sessionEnds"];
            let sid = end["session"]["sid"].as_str().ok_or("an event without a session")?;
            ended.sessions.insert(sid.to_owned(), Instant::now());
            end["cursor"].as_str().unwrap_or_default().clone_into(&mut ended.cursor);
            if ended.complete_at > Some(Instant::now()) {
                ended.complete_at = Some(Instant::now() + SILENCE);
            }
        }
        Some("pong") => ended.heard_at = Some(Instant::now()),
        Some("error" | "complete") => return Err("the subscription is over".into()),
        _ => {}
    }
    Ok(None)
}
