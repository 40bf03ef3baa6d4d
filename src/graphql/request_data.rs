//! Data of one request that its resolvers share, and their access to it.

use std::sync::Arc;

use async_graphql::Context;

use super::error::expose;
use super::list_read_limit::ListReadLimit;
use super::loaders::Loaders;
use crate::auth::{Admin, Auth, Caller, RefreshCookie, Viewer};

/// Adds the data that resolvers need to a request.
#[must_use]
pub fn attach(
    request: async_graphql::Request,
    auth: &Arc<Auth>,
    caller: Caller,
    cookie: Arc<RefreshCookie>,
) -> async_graphql::Request {
    let (loaders, reads) = (Loaders::new(auth), ListReadLimit::default());
    request.data(RequestData { caller, loaders, reads, cookie })
}

/// Data of one request. It is one value, since async-graphql looks each up by its type in a map.
pub(super) struct RequestData {
    pub(super) caller: Caller,
    loaders: Loaders,
    reads: ListReadLimit,
    cookie: Arc<RefreshCookie>,
}

pub(super) fn auth<'a>(context: &Context<'a>) -> &'a Arc<Auth> {
    context.data_unchecked::<Arc<Auth>>()
}

pub(super) fn caller<'a>(context: &Context<'a>) -> &'a Caller {
    &context.data_unchecked::<RequestData>().caller
}

/// The cookie with the refresh token, as the request brought it and the response will set it.
pub(super) fn cookie<'a>(context: &Context<'a>) -> &'a RefreshCookie {
    &context.data_unchecked::<RequestData>().cookie
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
