//! Row types that are read by column name.
//!
//! sqlx's `derive(FromRow)` does the same. It is a procedural macro whose crate depends on both database
//! drivers: a release build would compile the drivers, SQLite and the TLS library twice, once for the build
//! machine, which took a quarter of the build.

/// Declares a struct and reads its fields from the columns of the same names. A field with `#[flatten]` is a
/// row type itself, whose columns are columns of this row.
macro_rules! from_row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$flatten:ident])? $field_vis:vis $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($field_vis $field: $type,)+
        }
        $crate::store::query::from_row::from_row!(
            @impl sqlx::postgres::PgRow, $name, $($(#[$flatten])? $field),+
        );
        $crate::store::query::from_row::from_row!(
            @impl sqlx::sqlite::SqliteRow, $name, $($(#[$flatten])? $field),+
        );
    };
    (@impl $row:ty, $name:ident, $($(#[$flatten:ident])? $field:ident),+) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: $crate::store::query::from_row::from_row!(
                        @read row, $field $(, $flatten)?
                    ),)+
                })
            }
        }
    };
    (@read $row:ident, $field:ident) => {
        sqlx::Row::try_get($row, stringify!($field))?
    };
    (@read $row:ident, $field:ident, flatten) => {
        sqlx::FromRow::from_row($row)?
    };
}
pub(in crate::store) use from_row;
