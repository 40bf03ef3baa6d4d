//! sqlx's query functions, which also count the statement toward the request's query cost.
//!
//! All operations use these. Not counted: statements that begin and end transactions, and work that
//! belongs to no request, such as the feed, migrations, and SQLite's commits, which many share.

use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Database, FromRow, RawSql, SqlSafeStr, SqlStr};

use crate::store::query_cost::count_statement;

fn counted(sql: impl SqlSafeStr) -> SqlStr {
    let sql = sql.into_sql_str();
    count_statement(sql.as_str());
    sql
}

/// [`sqlx::raw_sql()`].
pub(in crate::store) fn raw_sql(sql: impl SqlSafeStr) -> RawSql {
    sqlx::raw_sql(counted(sql))
}

/// [`sqlx::query()`].
pub(in crate::store) fn query<'q, DB: Database>(
    sql: impl SqlSafeStr,
) -> Query<'q, DB, DB::Arguments> {
    let sql = counted(sql);
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
    let sql = counted(sql);
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
    let sql = counted(sql);
    sqlx::query_scalar(sql)
}
