//! State of one connection, and the guards that requests hold on it.

use std::sync::Arc;
use std::time::Duration;

use super::buffered_bytes::Counter;
use super::connection_activity::ConnectionActivity;
use super::response_backpressure::ResponseBackpressure;
use super::server_state::ServerState;

#[derive(Debug)]
pub(super) struct ConnectionState {
    pub(super) activity: ConnectionActivity,
    pub(super) responses: ResponseBackpressure,
    /// Bytes of request bodies that are being read.
    pub(super) bodies: Counter,
    /// Reached through the connection: a reference count per request, which all threads change, would
    /// be a point of contention.
    pub(super) server: Arc<ServerState>,
}

impl ConnectionState {
    pub(super) fn new(server: Arc<ServerState>) -> Self {
        let (activity, responses, bodies) = Default::default();
        Self { activity, responses, bodies, server }
    }
}

/// A request and its response, in flight until this is dropped.
#[derive(Debug)]
pub(super) struct Exchange(Arc<ConnectionState>);

impl Exchange {
    pub(super) fn start(connection: &Arc<ConnectionState>) -> Self {
        connection.activity.request_started();
        Self(Arc::clone(connection))
    }

    pub(super) fn record_activity(&self) {
        self.0.activity.record();
    }

    pub(super) fn connection(&self) -> &ConnectionState {
        &self.0
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.activity.request_finished();
    }
}

/// The position of a request among those of its HTTP/2 connection, in the extensions of the request.
#[derive(Clone, Debug)]
pub(in crate::http) struct ResponseTurn {
    connection: Arc<ConnectionState>,
    max_wait: Duration,
}

impl ResponseTurn {
    pub(super) fn new(connection: &Arc<ConnectionState>, max_wait: Duration) -> Self {
        Self { connection: Arc::clone(connection), max_wait }
    }

    /// Waits while the client leaves earlier responses unread. Hold the permit until the response is
    /// generated. `None` after a timeout: a waiting request keeps its parsed body in memory.
    pub(in crate::http) async fn wait(&self) -> Option<ResponsePermit> {
        let Self { connection, max_wait } = self;
        if !connection.responses.try_start() {
            tokio::time::timeout(*max_wait, connection.responses.start()).await.ok()?;
        }
        Some(ResponsePermit(Arc::clone(connection)))
    }

    /// The turn on a connection whose client reads nothing.
    #[cfg(test)]
    pub(in crate::http) fn of_stalled_connection() -> Self {
        let connection = ConnectionState::new(Arc::new(ServerState::for_test()));
        connection.responses.unread.add(super::response_backpressure::MAX_UNREAD);
        Self { connection: Arc::new(connection), max_wait: Duration::from_millis(1) }
    }
}

/// A response is being generated until this is dropped.
#[derive(Debug)]
pub(in crate::http) struct ResponsePermit(Arc<ConnectionState>);

impl Drop for ResponsePermit {
    fn drop(&mut self) {
        self.0.responses.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::super::response_backpressure::MAX_UNREAD;
    use super::*;

    #[tokio::test]
    async fn a_request_waits_for_earlier_answers_to_be_read_and_not_for_ever() {
        let connection = Arc::new(ConnectionState::new(Arc::new(ServerState::for_test())));
        connection.responses.unread.add(MAX_UNREAD);
        let wait = |max_wait| {
            let turn = ResponseTurn::new(&connection, max_wait);
            async move { turn.wait().await.is_some() }
        };
        assert!(!wait(Duration::from_millis(1)).await);
        let read = async {
            connection.responses.unread.remove(MAX_UNREAD);
            connection.responses.notify_freed();
        };
        assert_eq!(tokio::join!(wait(Duration::MAX), read), (true, ()));
        assert_eq!(connection.responses.generating(), 0);
    }
}
