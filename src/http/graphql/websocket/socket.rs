//! One socket, from its opening to its end.
//!
//! Rule: one task reads, executes and writes. While it writes it does nothing else, so nothing piles
//! up for a client that does not read, and one that reads nothing for [`PATIENCE`] is dropped.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, WebSocket};
use futures_util::Stream;
use serde_json::{Map, Value};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_stream::{StreamExt, StreamMap};

use super::MAX_MESSAGE;
use super::close::Close;
use super::message::{ClientMessage, ServerMessage};
use crate::auth::{Denial, RefreshCookie, UnauthenticatedReason};
use crate::graphql::document::Refusal;
use crate::graphql::{Begun, attach};
use crate::http::caller::bearer_in;
use crate::http::graphql::events::{self, Event};
use crate::http::graphql::parameters::Parameters;
use crate::http::graphql::rejection::Rejection;
use crate::http::graphql::response::Answer;
use crate::http::graphql::subscribers::{PARTING, Seat, Standing};
use crate::http::graphql::{GraphqlEndpoint, errors};
use crate::http::record::write_down;
use crate::telemetry::RequestId;

/// How often the clocks are looked at.
const TICK: Duration = Duration::from_secs(1);

/// How long a client may take to begin.
const TO_BEGIN: Duration = Duration::from_secs(5);

/// How often a silent client is asked whether it is there.
const TO_ASK: Duration = Duration::from_secs(20);

/// After how long a silence it is taken to be gone.
const TO_ANSWER: Duration = Duration::from_mins(1);

/// How long a message may take to be read by the client, and its goodbye to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most operations at a time.
const MAX_OPERATIONS: usize = 20;

type Events = Box<dyn Stream<Item = Event> + Send + Unpin>;

/// Why the loop ends.
enum End {
    /// There is nobody to tell.
    Gone,
    /// The client is told.
    Closed(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// A socket and what runs over it.
pub(super) struct Socket<E> {
    channel: WebSocket,
    endpoint: Arc<GraphqlEndpoint<E>>,
    seat: Seat,
    id: Option<RequestId>,
    operations: StreamMap<String, Events>,
    has_begun: bool,
    /// Ticks since the session was seen to have ended: its last events may take a few.
    parting: u8,
    /// By the monotonic clock.
    opened: Duration,
    heard: Duration,
    asked: Duration,
}

impl<E: Executor> Socket<E> {
    pub(super) fn new(
        channel: WebSocket,
        endpoint: Arc<GraphqlEndpoint<E>>,
        seat: Seat,
        id: Option<RequestId>,
    ) -> Self {
        let now = seat.auth().system.monotonic();
        Self {
            channel,
            endpoint,
            seat,
            id,
            operations: StreamMap::new(),
            has_begun: false,
            parting: 0,
            opened: now,
            heard: now,
            asked: now,
        }
    }

    pub(super) async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Err(end) = self.step(&mut ticks).await {
                break end;
            }
        };
        self.operations.clear();
        if let End::Closed(close) = end {
            let frame = Message::Close(Some(close.frame()));
            if self.send(frame).await.is_ok() {
                // Read to the end: what is left unread would make the system cut the goodbye off.
                let goodbye = async { while let Some(Ok(_)) = self.channel.recv().await {} };
                let _ = timeout(PATIENCE, goodbye).await;
            }
        }
    }

    async fn step(&mut self, ticks: &mut Interval) -> Result<(), End> {
        tokio::select! {
            message = self.channel.recv() => match message {
                Some(Ok(message)) => self.hear(message).await,
                Some(Err(_)) | None => Err(End::Gone),
            },
            Some((id, event)) = self.operations.next(), if !self.operations.is_empty() => {
                self.pass_on(&id, event).await
            }
            _ = ticks.tick() => self.look_at_the_clocks().await,
            () = self.seat.stopping() => Err(Close::Restart.into()),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = self.seat.auth().system.monotonic();
        let text = match message {
            Message::Text(text) if text.len() > MAX_MESSAGE => return Err(Close::TooLarge.into()),
            Message::Text(text) => text,
            Message::Binary(_) => {
                return Err(Close::BadMessage("Messages are text".to_owned()).into());
            }
            // The library answers both.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        match ClientMessage::parse(&text).map_err(Close::BadMessage)? {
            ClientMessage::Init(payload) => self.begin(&payload).await,
            ClientMessage::Ping => self.tell(&ServerMessage::Pong).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Subscribe(id, payload) => self.subscribe(id, payload).await,
            ClientMessage::Complete(id) => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    /// Judges the token of the payload, or else that of the request that opened the socket. Without
    /// one the client may go on: it is nobody, and is told so where somebody is asked for.
    async fn begin(&mut self, payload: &Map<String, Value>) -> Result<(), End> {
        if self.has_begun {
            return Err(Close::InitTwice.into());
        }
        let given = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match given {
            Some((_, Value::String(text))) => {
                if let Some(token) = bearer_in(text) {
                    self.seat.present(token).await;
                }
            }
            None | Some((_, Value::Null)) => {}
            Some(_) => self.seat.present("").await,
        }
        match self.seat.count() {
            Ok(false) => {
                return Err(Close::TryAgainLater("Too many sockets of this user").into());
            }
            Ok(true) | Err(Denial::Unauthenticated(UnauthenticatedReason::NoToken)) => {}
            Err(Denial::Unauthenticated(reason)) => {
                return Err(match reason {
                    UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive => {
                        Close::SessionEnded(reason.to_string())
                    }
                    _ => Close::Forbidden(reason.to_string()),
                }
                .into());
            }
            Err(Denial::Stale(_) | Denial::Forbidden | Denial::ReauthenticationRequired { .. }) => {
                return Err(Close::TryAgainLater("Not available at the moment").into());
            }
        }
        self.has_begun = true;
        self.tell(&ServerMessage::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<(), End> {
        if !self.has_begun {
            return Err(Close::NotBegun.into());
        }
        if self.operations.contains_key(&id) {
            return Err(Close::id_in_use(&id).into());
        }
        let begun = Begun::default();
        match self.admit(payload, &begun) {
            Ok(events) => self.start(id, events, &begun).await,
            Err(Rejection::Malformed(what)) => Err(Close::BadMessage(what).into()),
            Err(rejection) => self.refuse(&id, vec![rejection.into()]).await,
        }
    }

    /// Starts an operation, and hears nothing more until it has begun or is over: a client that is
    /// answered afterwards misses nothing of what happens from then on.
    async fn start(&mut self, id: String, events: Events, begun: &Begun) -> Result<(), End> {
        self.operations.insert(id.clone(), events);
        let begun = timeout(PATIENCE, begun.wait());
        tokio::pin!(begun);
        while self.operations.contains_key(&id) {
            tokio::select! {
                _ = &mut begun => break,
                Some((id, event)) = self.operations.next() => self.pass_on(&id, event).await?,
            }
        }
        Ok(())
    }

    /// The events of an operation that may run.
    fn admit(&self, payload: Map<String, Value>, begun: &Begun) -> Result<Events, Rejection> {
        let asked = Parameters::from_members(payload)?;
        if self.operations.len() >= MAX_OPERATIONS {
            return Err(Rejection::TooMany);
        }
        let mut admitted = self.endpoint.admit(asked)?;
        if admitted.prepared.operation_type() != OperationType::Subscription {
            return Err(Refusal::SubscriptionsOnly.into());
        }
        let (auth, caller) = (self.seat.auth(), self.seat.caller().clone());
        // The head of the answer is long gone, and cookies with it.
        let no_cookie =
            Arc::new(RefreshCookie::unavailable("cookies are given in answers to POST only"));
        admitted.request = attach(admitted.request, auth, caller, no_cookie).data(begun.clone());
        let answers = events::answers(&self.endpoint, admitted, self.id, self.seat.auth());
        Ok(Box::new(events::events(answers)))
    }

    async fn pass_on(&mut self, id: &str, event: Event) -> Result<(), End> {
        match event {
            Event::Next(answer) => {
                self.tell(&ServerMessage::Next { id, payload: Answer::of(&answer) }).await
            }
            Event::Refused(errors) => {
                self.operations.remove(id);
                self.tell(&ServerMessage::Error { id, payload: &errors }).await
            }
            Event::Complete => {
                self.operations.remove(id);
                self.tell(&ServerMessage::Complete { id }).await?;
                if self.operations.is_empty() { self.check_standing() } else { Ok(()) }
            }
        }
    }

    async fn refuse(
        &mut self,
        id: &str,
        mut errors: Vec<async_graphql::ServerError>,
    ) -> Result<(), End> {
        let outcome = errors::outcome(&errors);
        write_down(self.seat.auth().system.metrics(), None, outcome, None, Duration::ZERO);
        for error in &mut errors {
            errors::name(error, self.id);
        }
        self.tell(&ServerMessage::Error { id, payload: &errors }).await
    }

    async fn look_at_the_clocks(&mut self) -> Result<(), End> {
        let now = self.seat.auth().system.monotonic();
        if !self.has_begun {
            return if now.saturating_sub(self.opened) >= TO_BEGIN {
                Err(Close::InitTimeout.into())
            } else {
                Ok(())
            };
        }
        self.check_standing()?;
        if now.saturating_sub(self.heard) >= TO_ANSWER {
            return Err(End::Gone);
        }
        if now.saturating_sub(self.heard.max(self.asked)) >= TO_ASK {
            self.asked = now;
            return self.send(Message::Ping(Vec::new().into())).await;
        }
        Ok(())
    }

    fn check_standing(&mut self) -> Result<(), End> {
        match self.seat.standing() {
            Standing::TokenOver(reason) => Err(Close::Forbidden(reason.to_string()).into()),
            Standing::Ended if self.parting >= PARTING || self.operations.is_empty() => {
                Err(Close::SessionEnded(UnauthenticatedReason::SessionEnded.to_string()).into())
            }
            Standing::Ended => {
                self.parting += 1;
                Ok(())
            }
            Standing::Good => Ok(()),
        }
    }

    async fn tell(&mut self, message: &ServerMessage<'_>) -> Result<(), End> {
        match message.text() {
            Some(text) => self.send(Message::Text(text.into())).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(PATIENCE, self.channel.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
