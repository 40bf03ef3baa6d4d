//! One body, compiled for both databases.
//!
//! sqlx infers the database of a query from the connection it runs on, so the same expression type
//! checks twice, once in each arm. Generic functions would need a bound for every type that is bound
//! or read; sqlx's own `Any` driver has neither UUIDs nor byte strings.

/// Reads: `read!(self, conn => expression)`. On SQLite from the pool of readers.
macro_rules! read {
    ($store:expr, $conn:ident => $body:expr) => {
        match $store.pools() {
            $crate::store::Pools::Sqlite(sqlite) => {
                let _operation = $crate::store::spent::Operation::begin();
                // On the heap, as on PostgreSQL: a resolver is as large as the largest that it may wait
                // for, and is copied as a whole.
                Box::pin(async {
                    let mut connection = sqlite.reader().await?;
                    let $conn = &mut *connection;
                    $body
                })
                .await
            }
            $crate::store::Pools::Postgres(postgres) => {
                postgres
                    .run(|| async {
                        let mut lease = postgres.lender.lease().await?;
                        let $conn = &mut *lease;
                        let outcome = async { $body }.await;
                        lease.at_rest(outcome).await
                    })
                    .await
            }
        }
    };
}

/// Writes: `transact!(self, conn => block)`, one transaction. The block owns what it uses, since on
/// SQLite it is sent to the writer, and on PostgreSQL it may have to run again.
macro_rules! transact {
    ($store:expr, $conn:ident => $body:expr) => {
        match $store.pools() {
            $crate::store::Pools::Sqlite(sqlite) => {
                sqlite.writer.write(move |$conn| Box::pin(async move { $body })).await
            }
            $crate::store::Pools::Postgres(postgres) => {
                postgres.transact(move |$conn| Box::pin(async move { $body })).await
            }
        }
    };
}

/// Steps of transactions, as methods of both connections.
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
