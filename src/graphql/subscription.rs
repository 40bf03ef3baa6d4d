//! Subscriptions.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, stream};
use tokio::sync::Notify;

use super::cursor;
use super::error::expose;
use super::requires_auth::{self, requiresAuth};
use super::types::{Role, SessionEnded};
use super::{auth, caller};
use crate::auth::Followed;

/// Signal that a subscription has started, from when on it misses no event. A transport that waits for
/// it puts it into the request.
#[derive(Clone, Default)]
pub struct StartSignal(Arc<Notify>);

impl StartSignal {
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// The root of subscriptions.
pub struct Subscription;

/// Root type of subscriptions: operations that deliver events. They run over a WebSocket
/// (`graphql-transport-ws`) or as server-sent events.
#[Subscription]
impl Subscription {
    /// Events of the caller's own sessions that end, including the session that subscribes: its end
    /// is the last event, after which the subscription completes.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn session_ended(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Cursor of the last event that was received, from any replica: the caller's sessions that ended after it are sent first. Empty string: all ended sessions of the caller that are still stored are sent first. Null: only sessions that end from now on. The end of a session is stored until all access tokens of the session have expired."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = SessionEnded> + use<>> {
        follow(context, Followed::Own(cursor::decode(after)?)).await
    }

    /// Events of all sessions that end, for services that verify access tokens by the public keys
    /// and must learn which sessions to refuse. Each event is delivered at least once, no matter to
    /// which replica the subscriber is connected.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn session_ends(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Cursor of the last event that was received, from any replica: sessions that ended after it are sent first. Empty string: all ended sessions that are still stored are sent first. Null: only sessions that end from now on. The end of a session is stored until all access tokens of the session have expired, so even an old cursor misses no session whose tokens could still be accepted."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = SessionEnded> + use<>> {
        follow(context, Followed::All(cursor::decode(after)?)).await
    }
}

async fn follow(
    context: &Context<'_>,
    followed: Followed,
) -> Result<impl Stream<Item = SessionEnded> + use<>> {
    let required = requires_auth::declared(context)?;
    let sessions = &auth(context).sessions;
    let ends = sessions.follow_ends(caller(context), required, followed).await.map_err(expose)?;
    if let Some(start) = context.data_opt::<StartSignal>() {
        start.0.notify_one();
    }
    Ok(stream::unfold(ends, |mut ends| async move {
        let end = ends.next().await?;
        Some((SessionEnded::new(end, ends.viewer()), ends))
    }))
}
