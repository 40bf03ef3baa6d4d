//! REST endpoints that answer as SimpleJWT 5.5.1 with its blacklist app does, for clients that cannot be changed
//! on the day of a move from Django.
//!
//! They are another transport of the use cases of [`auth`](crate::auth): each view translates its fields into one
//! call, and the result into the body and the status of SimpleJWT. They neither read nor set cookies, and ignore
//! `Authorization`, as SimpleJWT does: the token in the body is the whole proof.
//!
//! - [`EndpointPath`]: the path that all of them are under.
//! - `endpoint`: the routes and what all views share. `fields`: the fields of a request. `answer`: responses.
//! - `obtain`, `refresh`, `verify`, `blacklist`: the views.

mod answer;
mod blacklist;
mod endpoint;
mod endpoint_path;
mod failure;
mod fields;
mod json_error;
mod obtain;
mod refresh;
mod token_refusal;
mod verify;

pub(super) use endpoint::routes;
pub use endpoint_path::{EndpointPath, EndpointPathError};
