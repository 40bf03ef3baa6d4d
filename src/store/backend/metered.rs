//! sqlx's query functions, which also count the statement toward the request's query cost.
//!
//! All operations use these. Not counted: statements that begin and end transactions, and work that
//! belongs to no request, such as the feed, migrations, and SQLite's commits, which many share.

use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Database, FromRow, SqlSafeStr};

use crate::store::query_cost::count_statement;

/// [`sqlx::query()`].
pub(in crate::store) fn query<'q, DB: Database>(
    sql: impl SqlSafeStr,
) -> Query<'q, DB, DB::Arguments> {
    count_statement();
    sqlx::query(sql)
}

/// [`sqlx::query_as()`].
pub(in crate::store) fn query_as<'q, DB, O>(
    sql: impl SqlSafeStr,
) -> QueryAs<'q, DB, O, DB::Arguments>
where
    DB: Database,
    O: for<'r> FromRow<'r, DB::Row>,
{
    count_statement();
    sqlx::query_as(sql)
}

/// [`sqlx::query_scalar()`].
pub(in crate::store) fn query_scalar<'q, DB, O>(
    sql: impl SqlSafeStr,
) -> QueryScalar<'q, DB, O, DB::Arguments>
where
    DB: Database,
    (O,): for<'r> FromRow<'r, DB::Row>,
{
    count_statement();
    sqlx::query_scalar(sql)
}
