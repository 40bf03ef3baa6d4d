//! Engine: prepares GraphQL requests of any transport, and executes them.

use std::sync::Arc;

use async_graphql::{Executor, Request, Response};
use futures_util::stream::BoxStream;

use super::introspection_queue::IntrospectionQueue;
use super::parameters::Parameters;
use super::persisted_documents::PersistedDocuments;
use super::rejection::Rejection;
use crate::auth::ClientConnection;
use crate::graphql::document::{Limits, PreparedOperation, PreparedOperations, variables};
use crate::http::run_to_completion::RunToCompletion;
use crate::store::QueryCost;
use crate::telemetry::RequestId;

#[derive(Clone, Debug)]
pub(in crate::http) struct Engine<E> {
    executor: E,
    prepared: Arc<PreparedOperations>,
    documents: Arc<PersistedDocuments>,
    introspections: IntrospectionQueue,
}

/// A request whose document and variables passed all checks.
pub(super) struct PreparedRequest {
    pub(super) request: Request,
    pub(super) document: Arc<PreparedOperation>,
}

impl<E: Executor> Engine<E> {
    /// An engine that passes documents within `limits` to the executor.
    pub(in crate::http) fn new(
        executor: E,
        limits: Limits,
        documents: Arc<PersistedDocuments>,
    ) -> Self {
        let prepared = Arc::new(PreparedOperations::new(limits));
        Self { executor, prepared, documents, introspections: IntrospectionQueue::default() }
    }

    /// Finds the document of a request, and checks it and the variables.
    pub(super) fn prepare(&self, parameters: Parameters) -> Result<PreparedRequest, Rejection> {
        let Parameters { query, key, operation_name, variables: given } = parameters;
        let resolved = self.documents.resolve(query, key)?;
        let document = self.prepared.prepare(&resolved.text, operation_name.as_deref())?;
        // Stored only now: a document that is refused must not use space in the cache.
        self.documents.store(&resolved);
        let variables = variables(given, &document, self.prepared.limits())?;
        let request = document.request(variables);
        Ok(PreparedRequest { request, document })
    }

    /// Executes a query or mutation to its end, even where the client disconnects meanwhile.
    pub(super) async fn execute(
        &self,
        request: Request,
        document: &PreparedOperation,
    ) -> Result<(Response, QueryCost), Rejection> {
        let executor = self.executor.clone();
        // Boxed first: each of the wrappers below would copy its kilobytes twice.
        let work = Box::pin(async move { executor.execute(request).await });
        let work = QueryCost::of(work);
        // Dropped when the client disconnects. Work that waits in a queue is then cancelled.
        let (_connection, work) = ClientConnection::watch(work);
        let work = RequestId::in_current(work);
        if document.introspects() {
            // Cancelled with its client while it waits in the queue: it changes nothing, and to
            // complete it in the background would put it on a thread that answers requests. Once
            // started, its own thread completes it.
            return self.introspections.run(work).await.ok_or(Rejection::Introspections);
        }
        Ok(RunToCompletion::new(work).await)
    }

    /// Executes a subscription.
    pub(super) fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.executor.execute_stream(request, None)
    }
}
