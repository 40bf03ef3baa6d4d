//! State of the move from other systems.

use super::state::Imports;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::store::ImportStatus;

impl Imports {
    /// How far the move from each source is, by its name.
    pub async fn status(&self, _by: Admin) -> Result<Vec<ImportStatus>, Error> {
        Ok(self.store.import_status(self.now()).await?)
    }
}
