//! Event of an ended session.

use async_graphql::SimpleObject;

use super::{EndReason, Session};
use crate::auth::{self, Viewer};
use crate::graphql::cursor;
use crate::graphql::scalars::DateTime;

/// Event of an ended session: its access tokens and its refresh token are refused from now on.
#[derive(Clone, Debug, SimpleObject)]
pub struct SessionEnded {
    /// Session that ended.
    session: Session,
    /// Reason why the session ended.
    reason: EndReason,
    /// When the session ended.
    ended_at: DateTime,
    /// Cursor of this event: `sessionEnded(after:)` and `sessionEnds(after:)` continue after it, on
    /// any replica.
    cursor: String,
}

impl SessionEnded {
    pub(in crate::graphql) fn new(end: auth::SessionEnded, viewer: Viewer) -> Self {
        Self {
            session: Session::new(end.session, viewer),
            reason: end.reason.into(),
            ended_at: end.at.into(),
            cursor: cursor::encode(&end.cursor),
        }
    }
}
