//! The time limit of operations.

use std::time::Duration;

use crate::store::error::{Error, Result};

/// Includes the wait for a connection. A hung server must look like one that is down, not like a
/// login that takes a minute.
pub(in crate::store) const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs several operations within the time limit of a single one.
///
/// # Errors
/// [`Error::TooSlow`] on timeout; whether the last operation took place is then unknown.
pub async fn with_timeout<T, E: From<Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    limit_time(work).await?
}

/// Limits the time of one step of a longer operation.
pub(in crate::store) async fn limit_time<T>(work: impl Future<Output = T>) -> Result<T> {
    let limited = tokio::time::timeout(OPERATION_TIMEOUT, work).await;
    limited.map_err(|_| Error::TooSlow(OPERATION_TIMEOUT))
}
