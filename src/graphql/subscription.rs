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

/// What can be subscribed to.
#[Subscription]
impl Subscription {
    /// The caller's own sessions as they end, including the session that subscribes: its end is the
    /// last event, after which the subscription is complete.
    #[graphql(directive = requiresAuth::apply(None))]
    async fn session_ended(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Cursor of the last event that was received, from any replica: the caller's sessions that ended after it are sent first. Empty string: all ended sessions of the caller that are still held are sent first. Null: only sessions that end from now on. An ended session is held until all of its access tokens have expired."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = SessionEnded> + use<>> {
        follow(context, Followed::Own(cursor::decode(after)?)).await
    }

    /// Every session as it ends, for services that check access tokens by the public keys and must
    /// learn which to refuse. Each event comes at least once, on whichever replica.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
    async fn session_ends(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The cursor of the last event that was received: what ended after it comes first. The empty string: all that is held comes first. Nothing: only what ends from now on. An end is held until every access token of its session has expired, so a cursor of whatever age misses none that matters."
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
