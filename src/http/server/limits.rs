//! Limits of connections: their number, their timeouts and the memory that they use.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::filter::IpBlock;

/// Limits of the connections of a listener.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Maximum number of connections, WebSocket connections included.
    pub max_connections: usize,
    /// Maximum number of connections from one address.
    pub max_per_address: usize,
    /// Trusted proxies, which carry the requests of many clients. Their connections are not counted
    /// per address, and their HTTP/2 requests do not wait for each other's responses to be read.
    pub proxies: Vec<IpBlock>,
    /// Time for the head of the first request of a connection.
    pub first_request_timeout: Duration,
    /// Time without any progress on a connection, after its first request. Longer than a minute, for
    /// which common proxies keep their idle connections.
    pub idle_timeout: Duration,
    /// Time from the head of a request to the end of its body.
    pub body_timeout: Duration,
    /// Time for a client to close a connection that the server shuts down.
    pub close_timeout: Duration,
    /// Time in which the client reads no byte of a response that waits to be written. A request also
    /// waits this long for earlier responses of its connection to be read.
    pub stall_timeout: Duration,
    /// Time for a client to read a whole response.
    pub response_timeout: Duration,
    /// Bytes of unread responses of all connections, beyond the first few of each connection.
    pub max_unread_bytes: usize,
    /// Bytes of request bodies of all connections, beyond the first few of each connection.
    pub max_body_bytes: usize,
}

impl ConnectionLimits {
    /// Whether the peer is a trusted proxy.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.iter().any(|block| block.contains(peer.to_canonical()))
    }

    /// The address under which connections of this peer are counted. `None` for trusted proxies and
    /// for this machine, where a proxy may run: all of their clients would share one quota.
    pub(super) fn counted_address(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let is_shared = peer.is_loopback() || self.is_proxy(peer);
        (!is_shared).then_some(peer)
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_per_address: 1000,
            proxies: Vec::new(),
            first_request_timeout: Duration::from_secs(8),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(8),
            close_timeout: Duration::from_secs(1),
            stall_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(30),
            max_unread_bytes: 64 * 1024 * 1024,
            max_body_bytes: 64 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_and_this_machine_are_not_counted_by_address() {
        let proxies = vec![IpBlock::parse("192.0.2.0/24").unwrap()];
        let limits = ConnectionLimits { proxies, ..ConnectionLimits::default() };
        let counted = |peer: &str| limits.counted_address(peer.parse().unwrap());
        for peer in ["192.0.2.1", "127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:192.0.2.1"] {
            assert_eq!(counted(peer), None, "{peer}");
        }
        assert_eq!(counted("198.51.100.1"), "198.51.100.1".parse().ok());
        assert_eq!(counted("::ffff:198.51.100.1"), "198.51.100.1".parse().ok());
    }
}
