//! What clients did and were answered, and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

/// The number of no replica: of what somebody else did, and this client did not ask for.
pub const ELSEWHERE: usize = usize::MAX;

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Event {
    /// The session, by its `sid`.
    pub session: Arc<str>,
    /// Which replica was asked.
    pub replica: usize,
    /// When the request was sent, since the history began.
    pub began: Duration,
    /// When the answer was there, or was given up.
    pub ended: Duration,
    pub did: Did,
}

impl Event {
    /// Whether it was answered `SERVICE_UNAVAILABLE`.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.did,
            Did::Refresh { answer: Answer::Unavailable, .. }
                | Did::Ask { answer: Answer::Unavailable }
                | Did::LogOut { answer: Answer::Unavailable }
        )
    }

    /// How long the answer took.
    pub fn took(&self) -> Duration {
        self.ended.saturating_sub(self.began)
    }
}

/// What was asked for, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// A login, with the session's first refresh token.
    LogIn { gave: Arc<str> },
    /// A refresh with this token, which gives the next.
    Refresh { presented: Arc<str>, answer: Answer<Arc<str>> },
    /// A protected field with an access token.
    Ask { answer: Answer<()> },
    /// The end of the session.
    LogOut { answer: Answer<()> },
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It was done.
    Done(T),
    /// It was refused, with this code or reason.
    Refused(String),
    /// `SERVICE_UNAVAILABLE`.
    Unavailable,
    /// The connection broke, or the client went away.
    Lost,
    /// There was no answer in the time in which a client gives up.
    Silence,
}

impl<T> Answer<T> {
    /// The same about something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Done(value) => Answer::Done(change(value)),
            Self::Refused(code) => Answer::Refused(code),
            Self::Unavailable => Answer::Unavailable,
            Self::Lost => Answer::Lost,
            Self::Silence => Answer::Silence,
        }
    }
}

/// The events of a scenario, as its clients write them down.
pub struct History {
    began: Instant,
    events: Mutex<Vec<Event>>,
}

impl History {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), events: Mutex::default() })
    }

    /// The time since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Writes down what began at that time and ends now.
    pub fn add(&self, session: &Arc<str>, replica: usize, began: Duration, did: Did) {
        let event = Event { session: Arc::clone(session), replica, began, ended: self.now(), did };
        self.events.lock().unwrap().push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}
