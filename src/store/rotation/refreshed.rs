//! A session as it is after a refresh.

use sqlx::types::Uuid;

use crate::domain::session::Session;
use crate::domain::user_claims::UserClaims;
use crate::store::error::{Error, Result};
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{ClaimsRow, SessionRow};

/// A refreshed session and what the access token says of its user.
#[derive(Clone, Debug)]
pub struct Refreshed {
    pub session: Session,
    pub claims: UserClaims,
}

from_row! {
    pub(in crate::store) struct RefreshedRow {
        #[flatten]
        session: SessionRow,
        #[flatten]
        claims: ClaimsRow,
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
        Ok(Self { session: row.session.try_into()?, claims: row.claims.into() })
    }
}
