//! SQL conditions on `session_floors`: whether a session is below a floor.

/// `FROM` clause of the floors that a session is below, given the columns of its id and its user.
macro_rules! from_floors_over {
    ($id:literal, $user:literal) => {
        concat!(
            " FROM session_floors AS floors WHERE floors.below > ",
            $id,
            " AND (floors.user_id = ",
            $user,
            " OR floors.user_id IS NULL) AND (floors.except_session IS NULL \
             OR floors.except_session <> ",
            $id,
            ")"
        )
    };
}
pub(in crate::store) use from_floors_over;

/// Condition that a session is below a floor, given the columns of its id and its user.
macro_rules! below_a_floor {
    ($id:literal, $user:literal) => {
        concat!(
            "EXISTS (SELECT 1",
            $crate::store::query::floor_sql::from_floors_over!($id, $user),
            ")"
        )
    };
}
pub(in crate::store) use below_a_floor;

/// A returned column for statements that insert or update an account before a session is opened in the
/// same transaction. It waits for a global floor that is being set, and prevents another one from
/// being set until the transaction ends; the session's insert is a later statement, so it sees the
/// floor. An advisory lock rather than a lock of the table: that one would wait for maintenance such
/// as autovacuum.
macro_rules! global_floor_lock {
    () => {
        ", pg_advisory_xact_lock_shared(2834790612442)"
    };
}
pub(in crate::store) use global_floor_lock;

/// The other side of [`global_floor_lock`], for the transaction that sets a global floor.
pub(in crate::store) const LOCK_GLOBAL_FLOOR: &str = "SELECT pg_advisory_xact_lock(2834790612442)";
