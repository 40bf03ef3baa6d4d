//! Routes of the views, and what all views share: methods, bodies, and the log line of a request.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use serde::Serialize;

use super::answer::Answer;
use super::endpoint_path::EndpointPath;
use super::fields::Fields;
use super::{blacklist, obtain, refresh, verify};
use crate::auth::{Auth, Caller, ClientConnection};
use crate::http::caller::without_bearer;
use crate::http::media_type::accepts_json_or_html;
use crate::http::operation_log::LoggedOperation;
use crate::http::run_to_completion::RunToCompletion;
use crate::http::server::ResponseTurn;
use crate::metrics::OperationKind;
use crate::store::QueryCost;
use crate::telemetry::RequestId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Obtain,
    Refresh,
    Verify,
    Blacklist,
}

impl View {
    const ALL: [Self; 4] = [Self::Obtain, Self::Refresh, Self::Verify, Self::Blacklist];

    /// Its path below that of the endpoints.
    fn path(self) -> &'static str {
        match self {
            Self::Obtain => "",
            Self::Refresh => "/refresh",
            Self::Verify => "/verify",
            Self::Blacklist => "/blacklist",
        }
    }

    /// Its name, in the log and for clients that ask by `OPTIONS`.
    fn name(self) -> &'static str {
        match self {
            Self::Obtain => "Token Obtain Pair",
            Self::Refresh => "Token Refresh",
            Self::Verify => "Token Verify",
            Self::Blacklist => "Token Blacklist",
        }
    }

    async fn answer(self, auth: &Auth, fields: &Fields, client: &Caller) -> Answer {
        match self {
            Self::Obtain => obtain::answer(auth, fields, client).await,
            Self::Refresh => refresh::answer(auth, fields, client).await,
            Self::Verify => verify::answer(auth, fields, client).await,
            Self::Blacklist => blacklist::answer(auth, fields, client).await,
        }
    }
}

/// The routes below a path, each with a slash at its end, as Django has it, and without.
pub(in crate::http) fn routes<S>(path: &EndpointPath, auth: &Arc<Auth>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    View::ALL.into_iter().fold(Router::new(), |router, view| {
        let auth = Arc::clone(auth);
        // Boxed at once, because axum passes the future of a handler on by value.
        let route =
            any(move |request: Request| Box::pin(respond(view, Arc::clone(&auth), request)));
        let path = format!("{path}{}", view.path());
        router.route(&path, route.clone()).route(&format!("{path}/"), route)
    })
}

async fn respond(view: View, auth: Arc<Auth>, request: Request) -> Response {
    let (answer, spent) = match read(view, &auth, request).await {
        Ok((fields, client, turn)) => {
            // Held until the response is generated.
            let _generating = match &turn {
                Some(turn) => match turn.wait().await {
                    Some(generating) => Some(generating),
                    None => return logged(view, unread(), QueryCost::default()),
                },
                None => None,
            };
            let work = Box::pin(async move { view.answer(&auth, &fields, &client).await });
            let (_connection, work) = ClientConnection::watch(QueryCost::of(work));
            // To its end, even where the client disconnects: a logout must not stop half way.
            RunToCompletion::new(RequestId::in_current(work)).await
        }
        Err(answer) => (answer, QueryCost::default()),
    };
    logged(view, answer, spent)
}

fn logged(view: View, answer: Answer, spent: QueryCost) -> Response {
    let mut response = answer.into_response();
    let name = Some(view.name().to_owned());
    response.extensions_mut().insert(LoggedOperation { name, kind: OperationKind::Rest, spent });
    response
}

/// The fields of a request that a view answers, and its sender; or the answer to any other request.
async fn read(
    view: View,
    auth: &Auth,
    request: Request,
) -> Result<(Fields, Caller, Option<ResponseTurn>), Answer> {
    check_head(view, request.method(), request.headers())?;
    let turn = request.extensions().get::<ResponseTurn>().cloned();
    let client = without_bearer(auth, &request).await;
    Ok((Fields::read(request).await?, client, turn))
}

fn check_head(view: View, method: &Method, headers: &HeaderMap) -> Result<(), Answer> {
    if !accepts_json_or_html(headers) {
        const DETAIL: &str = "Could not satisfy the request Accept header.";
        return Err(Answer::detail(StatusCode::NOT_ACCEPTABLE, DETAIL));
    }
    match *method {
        Method::POST => Ok(()),
        Method::OPTIONS => Err(Answer::new(StatusCode::OK, &Metadata::of(view))),
        _ => {
            let detail = format!("Method \"{method}\" not allowed.");
            Err(Answer::detail(StatusCode::METHOD_NOT_ALLOWED, &detail))
        }
    }
}

/// The client leaves earlier responses of its connection unread.
fn unread() -> Answer {
    const DETAIL: &str =
        "Too many responses on this connection are unread. Read them and try again.";
    Answer::detail(StatusCode::SERVICE_UNAVAILABLE, DETAIL).after(1)
}

/// Description of a view, for `OPTIONS`.
#[derive(Serialize)]
struct Metadata {
    name: &'static str,
    renders: [&'static str; 1],
    parses: [&'static str; 2],
}

impl Metadata {
    fn of(view: View) -> Self {
        Self {
            name: view.name(),
            renders: ["application/json"],
            parses: ["application/json", "application/x-www-form-urlencoded"],
        }
    }
}
