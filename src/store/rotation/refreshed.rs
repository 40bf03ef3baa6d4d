//! A session as it is after a refresh.

use sqlx::types::Uuid;

use crate::domain::session::Session;
use crate::domain::user::Role;
use crate::store::error::{Error, Result};
use crate::store::query::from_row::from_row;
use crate::store::query::rows::SessionRow;

/// A refreshed session and the current role of its user, for the access token.
#[derive(Clone, Debug)]
pub struct Refreshed {
    pub session: Session,
    pub role: Role,
}

from_row! {
    pub(in crate::store) struct RefreshedRow {
        #[flatten]
        session: SessionRow,
        role: String,
    }
}

impl RefreshedRow {
    /// The outstanding refresh token.
    pub(in crate::store) fn token(&self) -> Uuid {
        self.session.token_id
    }
}

impl TryFrom<RefreshedRow> for Refreshed {
    type Error = Error;

    fn try_from(row: RefreshedRow) -> Result<Self> {
        Ok(Self { session: row.session.try_into()?, role: Role::read(&row.role) })
    }
}
