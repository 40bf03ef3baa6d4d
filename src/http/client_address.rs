//! The address of the client, also where proxies stand before this service.
//!
//! Rule: anybody can write `Forwarded` (RFC 7239) and `X-Forwarded-For`, so they are believed as far
//! as they were written by proxies that the operator trusts: from the right, each proxy's word on
//! who came to it, to the first address that is not one of them. Where that is not told plainly, it
//! is the peer's address. Proxies write one of the headers and pass on what the client put into the
//! other, so one of them counts: the one that the operator names, or else `X-Forwarded-For`, which
//! most proxies write, and `Forwarded` where there is no other.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use crate::domain::filter::IpBlock;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, in the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// A header in which a proxy tells where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whose word on the client's address counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    /// Their addresses.
    pub blocks: Arc<[IpBlock]>,
    /// The header that they write, where the operator named it.
    pub header: Option<ProxyHeader>,
}

/// Finds it.
pub(super) fn find(request: &mut Request, proxies: &TrustedProxies) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(peer) = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) {
        let address = client_address(peer, request.headers(), proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
}

fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.blocks.iter().any(|block| block.contains(address));
    if !is_proxy(peer) {
        return peer;
    }
    let header = proxies.header.unwrap_or(if headers.contains_key(X_FORWARDED_FOR) {
        ProxyHeader::XForwardedFor
    } else {
        ProxyHeader::Forwarded
    });
    let (name, read) = match header {
        ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, x_forwarded_for as Read),
        ProxyHeader::Forwarded => (FORWARDED, forwarded as Read),
    };
    // What the client wrote into the same line, in whatever bytes, hides nothing of the proxy's.
    let lines = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    outermost(&lines.collect::<Vec<_>>(), read, is_proxy).unwrap_or(peer)
}

/// Reads a line of a header: the address each proxy tells of, `None` where it tells of none.
type Read = fn(&str) -> Vec<Option<IpAddr>>;

/// The rightmost address that is no proxy's; where all are, the leftmost. `None` where one on the way
/// is not told. What stands further left is anybody's and is not looked at.
fn outermost(
    lines: &[Cow<'_, str>],
    read: Read,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut last = None;
    // Each line by itself: one that was sent broken must not take the next ones along.
    for hop in lines.iter().rev().flat_map(|line| read(line).into_iter().rev()) {
        let address = hop?;
        if !is_proxy(address) {
            return Some(address);
        }
        last = Some(address);
    }
    last
}

fn x_forwarded_for(line: &str) -> Vec<Option<IpAddr>> {
    line.split(',').map(|hop| address(hop.trim())).collect()
}

fn forwarded(line: &str) -> Vec<Option<IpAddr>> {
    split(line, ',').into_iter().map(of_hop).collect()
}

/// The parameter `for` of one proxy's word.
fn of_hop(hop: &str) -> Option<IpAddr> {
    let pairs = split(hop, ';');
    let mut nodes = pairs.iter().filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let node = nodes.next()?;
    if nodes.next().is_some() {
        return None;
    }
    // No address has a character that would be written with a backslash.
    let unquoted = node.strip_prefix('"').and_then(|node| node.strip_suffix('"'));
    address(unquoted.unwrap_or(node))
}

/// Splits where the separator is in no quotes. It is read from the right, where the proxy's word is:
/// a quote that the client left open further left cannot take that along.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut end, mut quoted) = (Vec::new(), text.len(), false);
    for (at, c) in text.char_indices().rev() {
        let is_escaped = || {
            let before = text[..at].bytes().rev().take_while(|byte| *byte == b'\\');
            before.count() % 2 == 1
        };
        match c {
            '"' if !is_escaped() => quoted = !quoted,
            c if c == separator && !quoted => {
                parts.push(&text[at + c.len_utf8()..end]);
                end = at;
            }
            _ => {}
        }
    }
    parts.push(&text[..end]);
    parts.reverse();
    parts
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// The address that is found behind two trusted networks, told with these headers.
    fn found(peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        found_in(None, peer, lines)
    }

    /// The same, told in this header.
    fn found_in(header: Option<ProxyHeader>, peer: &str, lines: &[(&str, &str)]) -> String {
        let blocks = ["10.0.0.0/8", "2001:db8::/32"].map(|text| IpBlock::parse(text).unwrap());
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let proxies = TrustedProxies { blocks: blocks.into(), header };
        client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for line in [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.1")] {
            assert_eq!(found("203.0.113.9", &[line]), "203.0.113.9");
            assert_eq!(found("2001:db9::1", &[line]), "2001:db9::1");
            assert_eq!(found("10.1.2.3", &[line]), "192.0.2.1");
            assert_eq!(found("2001:db8::1", &[line]), "192.0.2.1");
        }
        assert_eq!(found("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_clients() {
        for (line, client) in [
            ("192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1, 10.0.0.7", "192.0.2.1"),
            ("10.6.6.6,192.0.2.1,10.0.0.7,10.0.0.8", "192.0.2.1"),
            ("nonsense, 192.0.2.1", "192.0.2.1"),
            ("\"Zürich, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.5, 10.0.0.7", "10.0.0.5"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db9::1", "2001:db9::1"),
            ("[2001:db9::1]:80", "2001:db9::1"),
            ("[2001:db9::1]", "2001:db9::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(found("10.1.2.3", &[("x-forwarded-for", line)]), client, "{line}");
        }
        for (line, client) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"192.0.2.1:4711\";proto=https;by=10.0.0.1", "192.0.2.1"),
            ("proto=https; for=192.0.2.1", "192.0.2.1"),
            ("for=\"[2001:db9::17]:4711\"", "2001:db9::17"),
            ("for=6.6.6.6, for=192.0.2.1, for=10.0.0.7", "192.0.2.1"),
            ("for=_hidden, for=192.0.2.1", "192.0.2.1"),
            ("for=Zürich, for=192.0.2.1", "192.0.2.1"),
            ("for=6.6.6.6;x=\", for=192.0.2.1", "192.0.2.1"),
            ("for=6.6.6.6;x=\"\\, for=\"192.0.2.1:80\"", "192.0.2.1"),
            ("by=\"a,b;for=6.6.6.6\";for=192.0.2.1", "192.0.2.1"),
            ("by=\"a\\\",for=6.6.6.6\";for=192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(found("10.1.2.3", &[("forwarded", line)]), client, "{line}");
        }
    }

    #[test]
    fn what_is_not_told_plainly_is_the_peer() {
        for line in
            ["", "unknown", "192.0.2.1, ", "192.0.2.1, unknown", "192.0.2.1 10.0.0.7", "192.0.2"]
        {
            assert_eq!(found("10.1.2.3", &[("x-forwarded-for", line)]), "10.1.2.3", "{line}");
        }
        for line in [
            "",
            "192.0.2.1",
            "for=unknown",
            "for=_hidden",
            "for=",
            "proto=https",
            "for=192.0.2.1;for=6.6.6.6",
            "for=192.0.2.1, for=\"10.0.0.7",
            "for=192.0.2.1, for=unknown",
        ] {
            assert_eq!(found("10.1.2.3", &[("forwarded", line)]), "10.1.2.3", "{line}");
        }
    }

    #[test]
    fn lines_are_one_list_and_a_broken_one_stays_alone() {
        let two = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(found("10.1.2.3", &two), "192.0.2.1");
        let broken = [("forwarded", "for=\"6.6.6.6"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(found("10.1.2.3", &broken), "192.0.2.1");
    }

    #[test]
    fn what_a_client_adds_in_the_other_header_hides_nothing() {
        for other in ["for=192.0.2.7", "for=x", "proto=https", "", "\""] {
            let both = [("x-forwarded-for", "6.6.6.6, 192.0.2.1"), ("forwarded", other)];
            assert_eq!(found("10.1.2.3", &both), "192.0.2.1", "{other}");
        }
        for other in ["192.0.2.7", "x", ""] {
            let both = [("x-forwarded-for", other), ("forwarded", "for=6.6.6.6, for=192.0.2.1")];
            let named = |header| found_in(Some(header), "10.1.2.3", &both);
            assert_eq!(named(ProxyHeader::Forwarded), "192.0.2.1", "{other}");
            assert_ne!(named(ProxyHeader::XForwardedFor), "192.0.2.1", "{other}");
        }
    }

    #[test]
    fn where_the_named_header_is_missing_the_other_does_not_count() {
        for (header, line) in [
            (ProxyHeader::Forwarded, ("x-forwarded-for", "192.0.2.1")),
            (ProxyHeader::XForwardedFor, ("forwarded", "for=192.0.2.1")),
        ] {
            assert_eq!(found_in(Some(header), "10.1.2.3", &[line]), "10.1.2.3");
        }
    }
}
