//! [`Store::rotate`]: a rotation in a batch, and alone if the batch left it out.

use std::slice;

use crate::store::backend::database::Database;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query_cost::{OperationTimer, count_statement};
use crate::store::rotation::refreshed::{Refreshed, RefreshedRow};
use crate::store::rotation::statement::{Rotate, RowLocks, rotate_postgres, rotate_sqlite};
use crate::store::timeout::with_timeout;

impl Store {
    /// Replaces the outstanding refresh token by its successor. `None` if the presented token is not
    /// the outstanding one of a live session of an active user, or the refresh limit is exceeded;
    /// [`Store::known_token`] then says why.
    ///
    /// # Errors
    /// After an error it is unknown whether the rotation took place; presenting the same token again
    /// finds out.
    pub async fn rotate(&self, rotate: Rotate) -> Result<Option<Refreshed>> {
        let database = self.database();
        let rotated = with_timeout(async {
            match self.rotate_in_batch(rotate.clone()).await? {
                Some(row) => Ok::<_, Error>(Some(row)),
                None => Ok(rotate_alone(database, rotate).await?.pop()),
            }
        });
        rotated.await?.map(Refreshed::try_from).transpose()
    }

    async fn rotate_in_batch(&self, rotate: Rotate) -> Result<Option<RefreshedRow>> {
        let _timer = OperationTimer::start();
        // The statement runs on the batch's task, which has no meter, so it is counted here.
        count_statement("rotation in a batch");
        self.rotations().rotate(rotate).await
    }
}

async fn rotate_alone(database: &Database, rotate: Rotate) -> Result<Vec<RefreshedRow>> {
    match database {
        Database::Sqlite(sqlite) => {
            let rotate = [rotate];
            let rotated = sqlite
                .writer
                .write(move |conn| Box::pin(async move { rotate_sqlite(conn, &rotate).await }));
            rotated.await
        }
        Database::Postgres(postgres) => {
            let rotated = postgres.run(|| async {
                let mut lease = postgres.connections.lease().await?;
                let rotate = slice::from_ref(&rotate);
                let rows = rotate_postgres(&mut lease, rotate, RowLocks::Wait).await;
                lease.finish(rows).await
            });
            rotated.await
        }
    }
}
