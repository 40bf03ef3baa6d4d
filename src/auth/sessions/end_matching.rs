//! Ending of sessions by an administrator: of a scope, or those that a filter finds.

use std::time::Duration;

use super::Sessions;
use super::end::end_by_admin;
use super::session_ends::SessionEnds;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::clock::Stopwatch;
use crate::domain::audit::Note;
use crate::domain::filter::SessionFilter;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::store::{EndSessions, MAX_ENDS_PER_TRANSACTION, MatchingSessions, Scope};

/// Time that an order goes on; the same order, given again, ends the rest.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Time in which the rest is counted then: a request is answered within 30 seconds.
const MAX_COUNT_TIME: Duration = Duration::from_secs(5);

impl Sessions {
    /// Ends the sessions in this scope; returns their count.
    pub async fn end_scope(&self, by: Admin, scope: Scope, origin: Origin) -> Result<usize, Error> {
        let order = end_by_admin(by.user_id(), scope, self.now(), origin);
        let count = self.ends.end(order, None).await?.count;
        self.ends.complete(by.actor()).await?;
        Ok(count)
    }

    /// Ends the live sessions that a list with this filter shows, except the administrator's own: its end
    /// is a logout. A dry run only counts them. Returns the counts of matching and of ended sessions, of
    /// which the second is lower where there are more than end in [`MAX_TIME`].
    ///
    /// # Errors
    /// `INVALID_INPUT` for the note, and for an empty filter: it would be too easy to end everybody's
    /// sessions by a condition that was forgotten.
    pub async fn end_matching(
        &self,
        by: Admin,
        filter: SessionFilter,
        note: Option<&str>,
        dry_run: bool,
        origin: Origin,
    ) -> Result<(usize, usize), Error> {
        if filter.is_empty() {
            const MESSAGE: &str =
                "The filter is empty. Set a condition; `{ state: ACTIVE }` matches all.";
            return Err(UserError::invalid(Field::Filter, MESSAGE).into());
        }
        let note = note.map(Note::parse).transpose();
        let note = note.map_err(|error| UserError::invalid(Field::Note, error))?;
        let (except, now) = (by.session_id(), self.now());
        let scope = except.and_then(|except| whole(&filter, except));
        let matching = MatchingSessions { filter, except };
        if dry_run {
            return Ok((self.store.count_matching(&matching, now).await?, 0));
        }
        let order = |scope| EndSessions { note, ..end_by_admin(by.user_id(), scope, now, origin) };
        let Some(scope) = scope else {
            return self.ends.end_in_batches(&matching, order(Scope::These(Vec::new()))).await;
        };
        let count = self.ends.end(order(scope), None).await?.count;
        Ok((count, count))
    }
}

impl SessionEnds {
    /// Ends the live sessions that match: in one transaction where they are few, else in batches until
    /// [`MAX_TIME`] is over. Returns the counts of matching and of ended sessions; where there was no time
    /// to count the rest, one more is said to match than was ended.
    async fn end_in_batches(
        &self,
        matching: &MatchingSessions,
        order: EndSessions,
    ) -> Result<(usize, usize), Error> {
        let (began, now) = (Stopwatch::start(), order.at);
        let (mut found, mut behind) = (Vec::new(), None);
        loop {
            let most = MAX_ENDS_PER_TRANSACTION + 1 - found.len();
            let more = self.store.find_matching(matching, behind, most, now).await?;
            found.extend(more.sessions);
            behind = more.next_after;
            if behind.is_none()
                || found.len() > MAX_ENDS_PER_TRANSACTION
                || began.elapsed() > MAX_TIME
            {
                break;
            }
        }
        if found.len() <= MAX_ENDS_PER_TRANSACTION && behind.is_none() {
            let order = EndSessions { scope: Scope::These(found), ..order };
            let count = self.end(order, None).await?.count;
            return Ok((count, count));
        }
        let mut ended = 0;
        loop {
            for some in found.chunks(self.store.max_batch_rows()) {
                let batch = Stopwatch::start();
                let order = EndSessions { scope: Scope::These(some.to_vec()), ..order.clone() };
                let done = self.store.end_sessions(order, None).await?.ended;
                self.note(&done);
                ended += done.len();
                self.rest_after(batch).await;
            }
            if behind.is_none() || began.elapsed() > MAX_TIME {
                break;
            }
            let more =
                self.store.find_matching(matching, behind, MAX_ENDS_PER_TRANSACTION, now).await?;
            (found, behind) = (more.sessions, more.next_after);
        }
        // Other callers may have ended some of the sessions that were found.
        self.note_all_ends(&order.scope, now, &[]).await?;
        if behind.is_none() {
            return Ok((ended, ended));
        }
        let left = self.store.count_matching(matching, now);
        // Where there are too many to be counted, it is known at least that the search is not over.
        let left = tokio::time::timeout(MAX_COUNT_TIME, left).await.unwrap_or(Ok(1))?;
        Ok((ended + left, ended))
    }
}

/// The scope of a filter that shows all sessions of one account or of all: a floor ends these at
/// once, however many.
fn whole(filter: &SessionFilter, except: SessionId) -> Option<Scope> {
    let scope = match filter.user_id {
        Some(user) => Scope::Others { user, except },
        None => Scope::AllBut(except),
    };
    filter.is_of_owner_only().then_some(scope)
}
