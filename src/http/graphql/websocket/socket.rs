//! Message loop of a WebSocket.
//!
//! One task reads messages, runs subscriptions and writes events. While it writes it does nothing else,
//! so nothing is buffered for a client that does not read; after [`WRITE_TIMEOUT`] such a client is
//! disconnected.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, WebSocket};
use futures_util::Stream;
use serde_json::{Map, Value};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_stream::{StreamExt, StreamMap};

use super::close_reason::CloseReason;
use super::message::{ClientMessage, ServerMessage};
use crate::auth::{Cookies, Denial, UnauthenticatedReason};
use crate::graphql::document::Refusal;
use crate::graphql::{StartSignal, attach};
use crate::http::caller::bearer_in;
use crate::http::graphql::engine::Engine;
use crate::http::graphql::parameters::Parameters;
use crate::http::graphql::rejection::Rejection;
use crate::http::graphql::response::ResponseMap;
use crate::http::graphql::response_errors;
use crate::http::graphql::subscribers::{Authorization, MAX_SECONDS_AFTER_END, SubscriberPermit};
use crate::http::graphql::subscription_events::{self, SubscriptionEvent};
use crate::http::operation_log::log_operation;
use crate::telemetry::RequestId;

/// Bytes of a message, the same as of an HTTP request.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 * 1024;

const TIMEOUT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Time until `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time without a message from the client after which it is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Time without a message from the client after which it is disconnected.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// Time for the client to read a message, and for its answer to a close frame.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for a subscription to begin.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(5);

const MAX_OPERATIONS: usize = 20;

type Events = Box<dyn Stream<Item = SubscriptionEvent> + Send + Unpin>;

/// Why the loop ends.
enum LoopEnd {
    /// The client is unreachable.
    Disconnected,
    /// The client gets a close frame.
    Closed(CloseReason),
}

impl From<CloseReason> for LoopEnd {
    fn from(reason: CloseReason) -> Self {
        Self::Closed(reason)
    }
}

pub(super) struct Socket<E> {
    stream: WebSocket,
    engine: Arc<Engine<E>>,
    permit: SubscriberPermit,
    request_id: Option<RequestId>,
    operations: StreamMap<String, Events>,
    is_initialized: bool,
    /// Seconds since the end of the session was noticed. Its last events may take some.
    seconds_after_end: u8,
    /// Times by the monotonic clock.
    opened: Duration,
    last_message: Duration,
    last_ping: Duration,
}

impl<E: Executor> Socket<E> {
    pub(super) fn new(
        stream: WebSocket,
        engine: Arc<Engine<E>>,
        permit: SubscriberPermit,
        request_id: Option<RequestId>,
    ) -> Self {
        let now = permit.auth().system.monotonic();
        Self {
            stream,
            engine,
            permit,
            request_id,
            operations: StreamMap::new(),
            is_initialized: false,
            seconds_after_end: 0,
            opened: now,
            last_message: now,
            last_ping: now,
        }
    }

    pub(super) async fn run(mut self) {
        let mut checks = interval(TIMEOUT_CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Err(end) = self.step(&mut checks).await {
                break end;
            }
        };
        self.operations.clear();
        if let LoopEnd::Closed(reason) = end {
            let frame = Message::Close(Some(reason.frame()));
            if self.send(frame).await.is_ok() {
                // Read to the end: with unread data the system would reset the connection, and the
                // client might not get the close frame.
                let drain = async { while let Some(Ok(_)) = self.stream.recv().await {} };
                let _ = timeout(WRITE_TIMEOUT, drain).await;
            }
        }
    }

    async fn step(&mut self, checks: &mut Interval) -> Result<(), LoopEnd> {
        tokio::select! {
            message = self.stream.recv() => match message {
                Some(Ok(message)) => self.handle_message(message).await,
                Some(Err(_)) | None => Err(LoopEnd::Disconnected),
            },
            Some((id, event)) = self.operations.next(), if !self.operations.is_empty() => {
                self.forward_event(&id, event).await
            }
            _ = checks.tick() => self.check_timeouts().await,
            () = self.permit.stopping() => Err(CloseReason::Restart.into()),
        }
    }

    async fn handle_message(&mut self, message: Message) -> Result<(), LoopEnd> {
        self.last_message = self.permit.auth().system.monotonic();
        let text = match message {
            Message::Text(text) if text.len() > MAX_MESSAGE_BYTES => {
                return Err(CloseReason::TooLarge.into());
            }
            Message::Text(text) => text,
            Message::Binary(_) => {
                return Err(CloseReason::BadMessage("Messages must be text.".to_owned()).into());
            }
            // The library answers pings and close frames.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        match ClientMessage::parse(&text).map_err(CloseReason::BadMessage)? {
            ClientMessage::Init(payload) => self.initialize(&payload).await,
            ClientMessage::Ping => self.send_message(&ServerMessage::Pong).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Subscribe(id, payload) => self.subscribe(id, payload).await,
            ClientMessage::Complete(id) => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    /// Authenticates by the token in the payload, or else by that of the request that opened the
    /// WebSocket. A client without a token may continue; a protected subscription refuses it.
    async fn initialize(&mut self, payload: &Map<String, Value>) -> Result<(), LoopEnd> {
        if self.is_initialized {
            return Err(CloseReason::InitTwice.into());
        }
        let authorization =
            payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match authorization {
            Some((_, Value::String(text))) => {
                if let Some(token) = bearer_in(text) {
                    self.permit.set_token(token).await;
                }
            }
            None | Some((_, Value::Null)) => {}
            Some(_) => self.permit.set_token("").await,
        }
        match self.permit.acquire_for_user() {
            Ok(false) => {
                return Err(CloseReason::TryAgainLater("Too many WebSockets of this user.").into());
            }
            Ok(true) | Err(Denial::Unauthenticated(UnauthenticatedReason::NoToken)) => {}
            Err(Denial::Unauthenticated(reason)) => {
                return Err(match reason {
                    UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive => {
                        CloseReason::SessionEnded(reason.to_string())
                    }
                    _ => CloseReason::Forbidden(reason.to_string()),
                }
                .into());
            }
            Err(Denial::Stale(_) | Denial::Forbidden | Denial::ReauthenticationRequired { .. }) => {
                return Err(CloseReason::TryAgainLater("The service is unavailable.").into());
            }
        }
        self.is_initialized = true;
        self.send_message(&ServerMessage::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<(), LoopEnd> {
        if !self.is_initialized {
            return Err(CloseReason::NotInitialized.into());
        }
        if self.operations.contains_key(&id) {
            return Err(CloseReason::id_in_use(&id).into());
        }
        let begun = StartSignal::default();
        match self.subscription_events(payload, &begun) {
            Ok(events) => self.start(id, events, &begun).await,
            Err(Rejection::Malformed(what)) => Err(CloseReason::BadMessage(what).into()),
            Err(rejection) => self.refuse(&id, vec![rejection.into()]).await,
        }
    }

    /// Starts a subscription, and reads no further message until it has begun or ended: once the client
    /// gets a response to its next message, it misses no event.
    async fn start(
        &mut self,
        id: String,
        events: Events,
        begun: &StartSignal,
    ) -> Result<(), LoopEnd> {
        self.operations.insert(id.clone(), events);
        let begun = timeout(BEGIN_TIMEOUT, begun.wait());
        tokio::pin!(begun);
        while self.operations.contains_key(&id) {
            tokio::select! {
                _ = &mut begun => break,
                Some((id, event)) = self.operations.next() => self.forward_event(&id, event).await?,
            }
        }
        Ok(())
    }

    /// The events of the subscription in this payload.
    fn subscription_events(
        &self,
        payload: Map<String, Value>,
        begun: &StartSignal,
    ) -> Result<Events, Rejection> {
        let parameters = Parameters::from_members(payload)?;
        if self.operations.len() >= MAX_OPERATIONS {
            return Err(Rejection::TooMany);
        }
        let mut prepared = self.engine.prepare(parameters)?;
        if prepared.document.operation_type() != OperationType::Subscription {
            return Err(Refusal::SubscriptionsOnly.into());
        }
        let (auth, caller) = (self.permit.auth(), self.permit.caller().clone());
        // The head of the response is already sent, so no cookie can be set.
        let no_cookie = Arc::new(Cookies::unavailable("Only responses to POST can set cookies."));
        prepared.request = attach(prepared.request, auth, caller, no_cookie).data(begun.clone());
        let responses =
            subscription_events::responses(&self.engine, prepared, self.request_id, auth);
        Ok(Box::new(subscription_events::events(responses)))
    }

    async fn forward_event(&mut self, id: &str, event: SubscriptionEvent) -> Result<(), LoopEnd> {
        match event {
            SubscriptionEvent::Next(response) => {
                self.send_message(&ServerMessage::Next { id, payload: ResponseMap::of(&response) })
                    .await
            }
            SubscriptionEvent::Refused(errors) => {
                self.operations.remove(id);
                self.send_message(&ServerMessage::Error { id, payload: &errors }).await
            }
            SubscriptionEvent::Complete => {
                self.operations.remove(id);
                self.send_message(&ServerMessage::Complete { id }).await?;
                if self.operations.is_empty() { self.check_authorization() } else { Ok(()) }
            }
        }
    }

    async fn refuse(
        &mut self,
        id: &str,
        mut errors: Vec<async_graphql::ServerError>,
    ) -> Result<(), LoopEnd> {
        let outcome = response_errors::outcome(&errors);
        log_operation(self.permit.auth().system.metrics(), None, outcome, None, Duration::ZERO);
        for error in &mut errors {
            response_errors::add_request_id(error, self.request_id);
        }
        self.send_message(&ServerMessage::Error { id, payload: &errors }).await
    }

    async fn check_timeouts(&mut self) -> Result<(), LoopEnd> {
        let now = self.permit.auth().system.monotonic();
        if !self.is_initialized {
            return if now.saturating_sub(self.opened) >= INIT_TIMEOUT {
                Err(CloseReason::InitTimeout.into())
            } else {
                Ok(())
            };
        }
        self.check_authorization()?;
        if now.saturating_sub(self.last_message) >= IDLE_TIMEOUT {
            return Err(LoopEnd::Disconnected);
        }
        if now.saturating_sub(self.last_message.max(self.last_ping)) >= PING_INTERVAL {
            self.last_ping = now;
            return self.send(Message::Ping(Vec::new().into())).await;
        }
        Ok(())
    }

    fn check_authorization(&mut self) -> Result<(), LoopEnd> {
        match self.permit.authorization() {
            Authorization::TokenRejected(reason) => {
                Err(CloseReason::Forbidden(reason.to_string()).into())
            }
            Authorization::SessionEnded
                if self.seconds_after_end >= MAX_SECONDS_AFTER_END
                    || self.operations.is_empty() =>
            {
                Err(CloseReason::SessionEnded(UnauthenticatedReason::SessionEnded.to_string())
                    .into())
            }
            Authorization::SessionEnded => {
                self.seconds_after_end += 1;
                Ok(())
            }
            Authorization::Valid => Ok(()),
        }
    }

    async fn send_message(&mut self, message: &ServerMessage<'_>) -> Result<(), LoopEnd> {
        match message.to_json() {
            Some(text) => self.send(Message::Text(text.into())).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), LoopEnd> {
        match timeout(WRITE_TIMEOUT, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(LoopEnd::Disconnected),
        }
    }
}
