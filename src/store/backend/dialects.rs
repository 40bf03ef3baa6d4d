//! Macros that compile one body for SQLite and for PostgreSQL.
//!
//! sqlx infers the database of a query from the connection that it runs on, so the same expression
//! type-checks in both arms. A generic function would need a bound for each type that is bound or
//! read, and sqlx's own `Any` driver has neither UUIDs nor byte strings.

/// Runs a read: `read!(store, conn => expression)`. SQLite uses the pool of readers.
macro_rules! read {
    ($store:expr, $conn:ident => $body:expr) => {
        match $store.database() {
            $crate::store::backend::database::Database::Sqlite(sqlite) => {
                let _timer = $crate::store::query_cost::OperationTimer::start();
                // Boxed, as for PostgreSQL: a resolver's future is as large as the largest future that
                // it awaits, and is moved as a whole.
                Box::pin(async {
                    let mut connection = sqlite.reader().await?;
                    let $conn = &mut *connection;
                    $body
                })
                .await
            }
            $crate::store::backend::database::Database::Postgres(postgres) => {
                postgres
                    .run(|| async {
                        let mut lease = postgres.connections.lease().await?;
                        let $conn = &mut *lease;
                        let outcome = async { $body }.await;
                        lease.finish(outcome).await
                    })
                    .await
            }
        }
    };
}

/// Runs a transaction: `transact!(store, conn => block)`. The block owns what it uses: SQLite sends it
/// to the writer's task, and PostgreSQL may have to run it again.
macro_rules! transact {
    ($store:expr, $conn:ident => $body:expr) => {
        match $store.database() {
            $crate::store::backend::database::Database::Sqlite(sqlite) => {
                sqlite.writer.write(move |$conn| Box::pin(async move { $body })).await
            }
            $crate::store::backend::database::Database::Postgres(postgres) => {
                postgres.transact(move |$conn| Box::pin(async move { $body })).await
            }
        }
    };
}

/// Defines steps of transactions as methods of both connection types.
macro_rules! steps {
    ($(#[$trait_meta:meta])* $vis:vis trait $trait:ident {
        $($(#[$meta:meta])* async fn $name:ident(&mut $self:ident $(, $arg:ident: $type:ty)* $(,)?)
            -> $output:ty $body:block)+
    }) => {
        $(#[$trait_meta])*
        $vis trait $trait {
            $($(#[$meta])* fn $name(&mut self $(, $arg: $type)*)
                -> impl Future<Output = $output> + Send;)+
        }

        impl $trait for sqlx::SqliteConnection {
            $(async fn $name(&mut $self $(, $arg: $type)*) -> $output $body)+
        }

        impl $trait for sqlx::PgConnection {
            $(async fn $name(&mut $self $(, $arg: $type)*) -> $output $body)+
        }
    };
}
