//! Statements, which are counted as they are made, for the work that they are made in.
//!
//! Rule: an operation of the store makes its statements here. What begins and ends a transaction is
//! not counted, nor what no request asks for: the feed, migrations, SQLite's commits, which many share.

use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Database, FromRow, SqlSafeStr};

use super::spent::count_statement;

/// [`sqlx::query()`].
pub(super) fn query<'q, DB: Database>(sql: impl SqlSafeStr) -> Query<'q, DB, DB::Arguments> {
    count_statement();
    sqlx::query(sql)
}

/// [`sqlx::query_as()`].
pub(super) fn query_as<'q, DB, O>(sql: impl SqlSafeStr) -> QueryAs<'q, DB, O, DB::Arguments>
where
    DB: Database,
    O: for<'r> FromRow<'r, DB::Row>,
{
    count_statement();
    sqlx::query_as(sql)
}

/// [`sqlx::query_scalar()`].
pub(super) fn query_scalar<'q, DB, O>(sql: impl SqlSafeStr) -> QueryScalar<'q, DB, O, DB::Arguments>
where
    DB: Database,
    (O,): for<'r> FromRow<'r, DB::Row>,
{
    count_statement();
    sqlx::query_scalar(sql)
}
