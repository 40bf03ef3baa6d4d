//! Read of a page of a list, within the limit of list reads.

use async_graphql::{Context, Result};

use super::error::{expose, unavailable};
use super::{auth, list_read_limit};
use crate::auth;
use crate::domain::pagination::Page;

/// Reads a page, and counts the list if the client selects `totalCount`.
pub(super) async fn read_page<T>(
    context: &Context<'_>,
    count: impl Future<Output = Result<Option<i64>, auth::Error>>,
    page: impl Future<Output = Result<Page<T>, auth::Error>>,
) -> Result<(Page<T>, Option<i64>)> {
    let (reads, auth) = (list_read_limit(context), auth(context));
    let permit = reads.permit(|| auth.system.monotonic()).await.ok_or_else(unavailable)?;
    let done = async {
        let count = if selects_total_count(context) { count.await? } else { None };
        Ok((page.await?, count))
    };
    let done = done.await.map_err(|error: auth::Error| {
        let is_unavailable = matches!(error, auth::Error::Unavailable(_));
        if is_unavailable && !reads.fail(auth.system.monotonic()) {
            unavailable()
        } else {
            expose(error)
        }
    });
    drop(permit);
    done
}

/// Whether the client selects `totalCount`, which costs a query of its own.
fn selects_total_count(context: &Context<'_>) -> bool {
    context.look_ahead().field("totalCount").exists()
}
