//! GraphQL over HTTP: one request, one answer, in JSON; and subscriptions, as server-sent events or
//! over a WebSocket.
//!
//! Rule: every answer, an error of whatever kind too, is a GraphQL response with a code and a
//! request id in each error. async-graphql-axum's extractor and response are not used: they run
//! mutations by GET and bodies of any type, and answer 200 to what is not GraphQL.

mod accept;
mod documents;
mod errors;
mod event_stream;
mod events;
mod introspections;
mod panic;
mod parameters;
mod recorded;
mod rejection;
mod response;
mod subscribers;
mod to_its_end;
mod trusted;
mod websocket;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use self::accept::MediaType;
use self::introspections::Introspections;
use self::parameters::Parameters;
use self::rejection::Rejection;
pub(in crate::http) use self::subscribers::Seat;
use self::to_its_end::ToItsEnd;
pub(in crate::http) use self::websocket::{
    is_asked_for as is_socket_asked_for, open as open_socket,
};
use crate::auth::ClientConnection;
use crate::graphql::Begun;
use crate::graphql::document::{Limits, Prepared, PreparedDocuments, Refusal, variables};
use crate::http::record::Operation;
use crate::http::server::Turn;
use crate::store::Spent;
use crate::telemetry::RequestId;

pub use documents::Documents;
pub(super) use panic::{
    full_body, head_too_large, host_missing, late_response, panic_response, unread_body,
};
pub use subscribers::Subscribers;
pub use trusted::{ManifestError, TrustedDocuments};

/// What answers the requests of a GraphQL route.
#[derive(Clone, Debug)]
pub struct GraphqlEndpoint<E> {
    executor: E,
    prepared: Arc<PreparedDocuments>,
    documents: Arc<Documents>,
    introspections: Introspections,
}

impl<E: Executor> GraphqlEndpoint<E> {
    /// An endpoint that hands documents within `limits` to the executor.
    pub fn new(executor: E, limits: Limits, documents: Arc<Documents>) -> Self {
        let prepared = Arc::new(PreparedDocuments::new(limits));
        Self { executor, prepared, documents, introspections: Introspections::default() }
    }

    /// Answers one request. `attach` puts the request's own data (caller, loaders) in, and `admit`
    /// gives a subscriber a seat; neither is called where nothing will be executed.
    pub(in crate::http) async fn answer(
        &self,
        request: Request,
        attach: impl FnOnce(async_graphql::Request) -> async_graphql::Request,
        admit: impl FnOnce() -> Option<Seat>,
    ) -> Response {
        let id = request.extensions().get::<RequestId>().copied();
        let accepted = accept::negotiate(request.headers());
        let media_type = accepted.single.unwrap_or(MediaType::Json);
        if accepted.single.is_none() && !accepted.stream {
            return response::rejected(Rejection::NotAcceptable, media_type, id);
        }
        let by_get = request.method() == Method::GET;
        let turn = request.extensions().get::<Turn>().cloned();
        let admitted = match Parameters::read(request).await {
            Ok(asked) => self.admit(asked),
            Err(rejection) => Err(rejection),
        };
        let admitted = admitted.and_then(|admitted| match admitted.prepared.operation_type() {
            OperationType::Query => Ok((admitted, None)),
            _ if by_get => Err(Rejection::QueriesOnly),
            OperationType::Mutation => Ok((admitted, None)),
            OperationType::Subscription if accepted.stream => {
                // Somebody without a token is told so by the subscription itself.
                let mut seat = admit().ok_or(Rejection::TooMany)?;
                let is_one_too_many = seat.count() == Ok(false);
                if is_one_too_many { Err(Rejection::TooMany) } else { Ok((admitted, Some(seat))) }
            }
            OperationType::Subscription => Err(Refusal::SubscriptionNotStreamed.into()),
        });
        let (mut admitted, seat) = match admitted {
            Ok(admitted) => admitted,
            // A client of streams reads what is wrong with its document out of one.
            Err(Rejection::Refused(refusal)) if accepted.single.is_none() => {
                let mut error = async_graphql::ServerError::from(refusal);
                errors::name(&mut error, id);
                let answer = async_graphql::Response::from_errors(vec![error]);
                return event_stream::single(&answer);
            }
            Err(rejection) => return response::rejected(rejection, media_type, id),
        };
        let _making = match &turn {
            Some(turn) => match turn.wait().await {
                Some(making) => Some(making),
                None => return response::rejected(Rejection::Unread, media_type, id),
            },
            None => None,
        };
        admitted.request = attach(admitted.request);
        if let Some(seat) = seat {
            let begun = Begun::default();
            admitted.request = admitted.request.data(begun.clone());
            let answers = events::answers(self, admitted, id, seat.auth());
            return event_stream::stream(answers, &begun, seat).await;
        }
        let executed = self.execute(admitted.request, &admitted.prepared).await;
        let (mut answer, spent) = match executed {
            Ok(executed) => executed,
            Err(rejection) => return response::rejected(rejection, media_type, id),
        };
        admitted.prepared.complete(&mut answer);
        errors::settle(&mut answer, &admitted.prepared, id);
        let mut response = if accepted.single.is_none() {
            event_stream::single(&answer)
        } else {
            response::executed(answer, media_type)
        };
        let operation = Operation { spent, ..Operation::of(&admitted.prepared) };
        response.extensions_mut().insert(operation);
        response
    }

    /// Executes to the end, whether or not the client waits for it; an introspection only once begun.
    async fn execute(
        &self,
        request: async_graphql::Request,
        prepared: &Prepared,
    ) -> Result<(async_graphql::Response, Spent), Rejection> {
        let executor = self.executor.clone();
        // On the heap before anything is put around it: each wrapper would copy its kilobytes twice.
        let work = Box::pin(async move { executor.execute(request).await });
        let work = Spent::by(work);
        // Held as long as the client is there; what only waits for its turn goes with it.
        let (_connection, work) = ClientConnection::watch(work);
        let work = RequestId::in_current(work);
        if prepared.introspects() {
            // Not to its end: whoever hangs up while it waits would have it done where requests are
            // answered. It changes nothing, and once begun its thread ends it.
            return self.introspections.run(work).await.ok_or(Rejection::Introspections);
        }
        Ok(ToItsEnd::of(work).await)
    }

    /// Finds the document that is asked for, and checks it.
    fn admit(&self, asked: Parameters) -> Result<Admitted, Rejection> {
        let found = self.documents.find(asked.query, asked.key)?;
        let prepared = self.prepared.prepare(&found.text, asked.operation_name.as_deref())?;
        self.documents.keep(&found);
        let variables = variables(asked.variables, &prepared, self.prepared.limits())?;
        let request = prepared.request(variables);
        Ok(Admitted { request, prepared })
    }
}

/// A request that may be executed.
struct Admitted {
    request: async_graphql::Request,
    prepared: Arc<Prepared>,
}
