//! GraphQL requests over HTTP, answered by one response or by an event stream.

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, ServerError};
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use super::engine::Engine;
use super::parameters::Parameters;
use super::rejection::Rejection;
use super::subscribers::SubscriberPermit;
use super::{event_stream, response, response_errors, subscription_events};
use crate::graphql::StartSignal;
use crate::graphql::document::Refusal;
use crate::http::media_type::{AcceptedTypes, MediaType, negotiate};
use crate::http::operation_log::LoggedOperation;
use crate::http::server::ResponseTurn;
use crate::telemetry::RequestId;

/// Answers one request. `attach` adds the data of the request that resolvers need, and
/// `acquire_permit` gets the permit of a subscriber; neither is called where nothing is executed.
pub(super) async fn respond<E: Executor>(
    engine: &Engine<E>,
    request: Request,
    attach: impl FnOnce(async_graphql::Request) -> async_graphql::Request,
    acquire_permit: impl FnOnce() -> Option<SubscriberPermit>,
) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let accepted = negotiate(request.headers());
    let responded = try_respond(engine, request, id, accepted, attach, acquire_permit).await;
    responded.unwrap_or_else(|rejection| rejected(rejection, accepted, id))
}

async fn try_respond<E: Executor>(
    engine: &Engine<E>,
    request: Request,
    id: Option<RequestId>,
    accepted: AcceptedTypes,
    attach: impl FnOnce(async_graphql::Request) -> async_graphql::Request,
    acquire_permit: impl FnOnce() -> Option<SubscriberPermit>,
) -> Result<Response, Rejection> {
    if accepted.single.is_none() && !accepted.event_stream {
        return Err(Rejection::NotAcceptable);
    }
    let by_get = request.method() == Method::GET;
    let turn = request.extensions().get::<ResponseTurn>().cloned();
    let parameters = Parameters::read(request).await?;
    let mut prepared = engine.prepare(parameters)?;
    let permit = match prepared.document.operation_type() {
        OperationType::Query => None,
        _ if by_get => return Err(Rejection::QueriesOnly),
        OperationType::Mutation => None,
        OperationType::Subscription if accepted.event_stream => {
            let mut permit = acquire_permit().ok_or(Rejection::TooMany)?;
            // An unauthenticated caller gets its error from the subscription itself.
            if permit.acquire_for_user() == Ok(false) {
                return Err(Rejection::TooMany);
            }
            Some(permit)
        }
        OperationType::Subscription => return Err(Refusal::SubscriptionNotStreamed.into()),
    };
    // Held until the response is generated.
    let _generating = match &turn {
        Some(turn) => Some(turn.wait().await.ok_or(Rejection::Unread)?),
        None => None,
    };
    prepared.request = attach(prepared.request);
    if let Some(permit) = permit {
        let begun = StartSignal::default();
        prepared.request = prepared.request.data(begun.clone());
        let responses = subscription_events::responses(engine, prepared, id, permit.auth());
        return Ok(event_stream::stream(responses, &begun, permit).await);
    }
    let (mut executed, spent) = engine.execute(prepared.request, &prepared.document).await?;
    prepared.document.complete(&mut executed);
    response_errors::sanitize(&mut executed, &prepared.document, id);
    let mut response = match accepted.single {
        Some(media_type) => response::executed(executed, media_type),
        None => event_stream::single(&executed),
    };
    let operation = LoggedOperation { spent, ..LoggedOperation::of(&prepared.document) };
    response.extensions_mut().insert(operation);
    Ok(response)
}

/// The response to a rejected request. A client that accepts only event streams gets the errors of its
/// document as an event; all other errors are plain responses with a status.
fn rejected(rejection: Rejection, accepted: AcceptedTypes, id: Option<RequestId>) -> Response {
    match rejection {
        Rejection::Refused(refusal) if accepted.single.is_none() => {
            let mut error = ServerError::from(refusal);
            response_errors::add_request_id(&mut error, id);
            event_stream::single(&async_graphql::Response::from_errors(vec![error]))
        }
        rejection => response::rejected(rejection, accepted.single.unwrap_or(MediaType::Json), id),
    }
}
