//! Data of one request that its resolvers share, and their access to it.

use std::sync::Arc;

use async_graphql::Context;

use super::error::expose;
use super::list_read_limit::ListReadLimit;
use super::loaders::Loaders;
use crate::auth::{Admin, Auth, Caller, Cookies, Viewer};

/// Adds the data that resolvers need to a request.
#[must_use]
pub fn attach(
    request: async_graphql::Request,
    auth: &Arc<Auth>,
    caller: Caller,
    cookies: Arc<Cookies>,
) -> async_graphql::Request {
    let (loaders, reads) = (Loaders::new(auth), ListReadLimit::default());
    request.data(RequestData { caller, loaders, reads, cookies })
}

/// Data of one request. It is one value, since async-graphql looks each up by its type in a map.
pub(super) struct RequestData {
    pub(super) caller: Caller,
    loaders: Loaders,
    reads: ListReadLimit,
    cookies: Arc<Cookies>,
}

pub(super) fn auth<'a>(context: &Context<'a>) -> &'a Arc<Auth> {
    context.data_unchecked::<Arc<Auth>>()
}

pub(super) fn caller<'a>(context: &Context<'a>) -> &'a Caller {
    &context.data_unchecked::<RequestData>().caller
}

/// The cookies with tokens, as the request brought them and the response will set them.
pub(super) fn cookies<'a>(context: &Context<'a>) -> &'a Cookies {
    &context.data_unchecked::<RequestData>().cookies
}

pub(super) fn loaders<'a>(context: &Context<'a>) -> &'a Loaders {
    &context.data_unchecked::<RequestData>().loaders
}

pub(super) fn list_read_limit<'a>(context: &Context<'a>) -> &'a ListReadLimit {
    &context.data_unchecked::<RequestData>().reads
}

/// The logged-in user, in a field that requires one.
pub(super) fn viewer(context: &Context<'_>) -> async_graphql::Result<Viewer> {
    auth(context).guard.authenticate(caller(context)).map_err(|denial| expose(denial.into()))
}

/// The permission of an administrator, in a field that requires this role.
pub(super) fn admin(viewer: Viewer) -> async_graphql::Result<Admin> {
    viewer.admin().map_err(|denial| expose(denial.into()))
}

/// The logged-in user, if the request has a valid access token, in a public field.
pub(super) fn optional_viewer(context: &Context<'_>) -> Option<Viewer> {
    auth(context).guard.authenticate(caller(context)).ok()
}
