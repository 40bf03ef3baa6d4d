//! Request ids, in the log and in the response.
//!
//! Ids are random and never taken from the client, who could otherwise write any text into the log, or give
//! two requests the same id.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::entropy::{Entropy, random};

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Id of a request, in the request's extensions. Its text form is 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

/// Generator of request ids. Takes random bytes for many ids at a time, because each time is a system call.
pub struct RequestIds {
    entropy: Arc<dyn Entropy>,
    next: Mutex<Vec<RequestId>>,
}

/// Number of ids that are generated at a time.
const BATCH_SIZE: usize = 64;

impl RequestIds {
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, next: Mutex::default() }
    }

    #[must_use]
    pub fn next(&self) -> RequestId {
        let mut next = self.next.lock();
        next.pop().unwrap_or_else(|| {
            let bytes: [u8; BATCH_SIZE * 16] = random(&*self.entropy);
            let (more, _) = bytes.as_chunks();
            next.extend(more.iter().map(|id| RequestId(u128::from_be_bytes(*id))));
            RequestId::new(&*self.entropy)
        })
    }
}

impl RequestId {
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(u128::from_be_bytes(random(entropy)))
    }

    /// Runs a future for this request: its lines in the log have the id.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Makes a future run for the current request in a task of its own.
    pub fn in_current<T>(part: impl Future<Output = T>) -> impl Future<Output = T> {
        Self::part_of(Self::current(), part)
    }

    /// Runs a future for this request, or for none.
    pub async fn part_of<T>(id: Option<Self>, part: impl Future<Output = T>) -> T {
        match id {
            Some(id) => id.scope(part).await,
            None => part.await,
        }
    }

    /// Runs a function for this request, or for none.
    pub fn within<T>(id: Option<Self>, step: impl FnOnce() -> T) -> T {
        match id {
            Some(id) => CURRENT.sync_scope(id, step),
            None => step(),
        }
    }

    /// Id of the current task's request. A spawned task has none, unless it was spawned with
    /// [`in_current`](Self::in_current).
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; Simple::LENGTH];
        f.write_str(Uuid::from_u128(self.0).as_simple().encode_lower(&mut digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[tokio::test]
    async fn a_task_of_a_request_has_its_id_and_any_other_task_has_none() {
        let id = RequestId::new(&SeededEntropy::new(1));
        let (own, part, other) = id
            .scope(async {
                let part = tokio::spawn(RequestId::in_current(async { RequestId::current() }));
                let other = tokio::spawn(async { RequestId::current() });
                (RequestId::current(), part.await.unwrap(), other.await.unwrap())
            })
            .await;
        assert_eq!((own, part, other), (Some(id), Some(id), None));
        assert_eq!(RequestId::current(), None);
    }

    #[test]
    fn no_two_ids_are_one() {
        let ids = RequestIds::new(Arc::new(SeededEntropy::new(1)));
        let made: std::collections::HashSet<_> =
            (0..BATCH_SIZE * 3).map(|_| ids.next().to_string()).collect();
        assert_eq!(made.len(), BATCH_SIZE * 3);
    }

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        assert_eq!(RequestId(0xab).to_string(), format!("{}ab", "0".repeat(30)));
    }
}
