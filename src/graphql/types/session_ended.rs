//! Event of an ended session.

use async_graphql::SimpleObject;

use super::{EndReason, Session};
use crate::auth::{self, Viewer};
use crate::graphql::cursor;
use crate::graphql::scalars::DateTime;

/// A session ended: from now on its access tokens are refused, and so is its refresh token.
#[derive(Clone, Debug, SimpleObject)]
pub struct SessionEnded {
    /// The session.
    session: Session,
    /// What ended it.
    reason: EndReason,
    /// When it ended.
    ended_at: DateTime,
    /// Cursor of this event: `sessionEnded(after:)` and `sessionEnds(after:)` continue after it, on any
    /// replica.
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
