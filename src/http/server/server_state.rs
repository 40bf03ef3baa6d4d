//! State that all connections of a server share.

use super::buffered_bytes::MemoryUse;
use super::limits::ConnectionLimits;
use super::overload_responses::OverloadResponses;

#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) limits: ConnectionLimits,
    pub(super) overload: OverloadResponses,
    pub(super) memory: MemoryUse,
}

impl ServerState {
    pub(super) fn new(limits: ConnectionLimits, overload: OverloadResponses) -> Self {
        Self { limits, overload, memory: MemoryUse::default() }
    }

    #[cfg(test)]
    pub(super) fn for_test() -> Self {
        let overload = OverloadResponses::new(b"{}", &[], "{}".into());
        Self::new(ConnectionLimits::default(), overload)
    }
}
