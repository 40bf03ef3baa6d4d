//! A name for each request, by which the log and the answer find each other.
//!
//! Rule: made here from random bytes, never taken from the client, who could otherwise write what
//! it likes into the log or give two requests one name.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::entropy::{Entropy, random};

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of one request, found in its extensions; written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

/// Where ids come from: random bytes, which are asked for many ids at a time, because each time is a
/// call of the system.
pub struct RequestIds {
    entropy: Arc<dyn Entropy>,
    next: Mutex<Vec<RequestId>>,
}

/// How many ids are kept ready.
const AT_A_TIME: usize = 64;

impl RequestIds {
    /// Ids from this randomness.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, next: Mutex::default() }
    }

    /// One that nobody has.
    #[must_use]
    pub fn next(&self) -> RequestId {
        let mut next = self.next.lock();
        next.pop().unwrap_or_else(|| {
            let bytes: [u8; AT_A_TIME * 16] = random(&*self.entropy);
            let (more, _) = bytes.as_chunks();
            next.extend(more.iter().map(|id| RequestId(u128::from_be_bytes(*id))));
            RequestId::new(&*self.entropy)
        })
    }
}

impl RequestId {
    /// A new id.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(u128::from_be_bytes(random(entropy)))
    }

    /// Does work for this request: all that is logged meanwhile carries the id.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Makes this a part of the request that is under way here, for a task of its own.
    pub fn in_current<T>(part: impl Future<Output = T>) -> impl Future<Output = T> {
        Self::part_of(Self::current(), part)
    }

    /// Does a part of what belongs to this request, or to none.
    pub async fn part_of<T>(id: Option<Self>, part: impl Future<Output = T>) -> T {
        match id {
            Some(id) => id.scope(part).await,
            None => part.await,
        }
    }

    /// Does a step of such a part.
    pub fn within<T>(id: Option<Self>, step: impl FnOnce() -> T) -> T {
        match id {
            Some(id) => CURRENT.sync_scope(id, step),
            None => step(),
        }
    }

    /// The id of the request that this task answers. A task spawned from it has none, unless it is
    /// [a part of it](Self::in_current).
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
            (0..AT_A_TIME * 3).map(|_| ids.next().to_string()).collect();
        assert_eq!(made.len(), AT_A_TIME * 3);
    }

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        assert_eq!(RequestId(0xab).to_string(), format!("{}ab", "0".repeat(30)));
    }
}
