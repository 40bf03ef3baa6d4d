//! Address of the client, also behind proxies.
//!
//! Any client can send `Forwarded` (RFC 7239) and `X-Forwarded-For`, so only the entries of trusted
//! proxies are used: from the right, each entry names the peer of one proxy, up to the first address
//! that is not a trusted proxy. Where an entry on this way is invalid, the address of the peer is used.
//!
//! A proxy writes one of the headers and passes the other one on as the client sent it. So one header
//! is used: the one that the operator names, or else `X-Forwarded-For`, which most proxies write, and
//! `Forwarded` where the request has no `X-Forwarded-For`.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::http::header::FORWARDED;

use super::header_names::X_FORWARDED_FOR;
use crate::domain::filter::IpBlock;

/// In the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The header in which a proxy names the address of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Proxies whose entries are trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    pub blocks: Arc<[IpBlock]>,
    /// The header that they write, if the operator names it.
    pub header: Option<ProxyHeader>,
}

/// Determines the address and inserts it into the extensions of the request.
pub(super) fn insert(request: &mut Request, proxies: &TrustedProxies) {
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
    let (name, parse) = match header {
        ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, x_forwarded_for as ParseLine),
        ProxyHeader::Forwarded => (FORWARDED, forwarded as ParseLine),
    };
    // Lossy: invalid bytes that the client sent must not hide the entry that a proxy appended.
    let lines = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    first_untrusted(&lines.collect::<Vec<_>>(), parse, is_proxy).unwrap_or(peer)
}

/// Parses a line of the header: the address of each entry, `None` for an invalid entry.
type ParseLine = fn(&str) -> Vec<Option<IpAddr>>;

/// The rightmost address that is not a proxy; the leftmost one where all are proxies. `None` where an
/// entry to the right of it is invalid. Entries further left are not trusted and not parsed.
fn first_untrusted(
    lines: &[Cow<'_, str>],
    parse: ParseLine,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut last = None;
    // Each line by itself: an unclosed quote in a line of the client must not extend to the next.
    for hop in lines.iter().rev().flat_map(|line| parse(line).into_iter().rev()) {
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
    split(line, ',').into_iter().map(address_of_hop).collect()
}

/// The parameter `for` of one entry of `Forwarded`.
fn address_of_hop(hop: &str) -> Option<IpAddr> {
    let pairs = split(hop, ';');
    let mut nodes = pairs.iter().filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let node = nodes.next()?;
    if nodes.next().is_some() {
        return None;
    }
    // No unescaping: an address has no character that needs a backslash.
    let unquoted = node.strip_prefix('"').and_then(|node| node.strip_suffix('"'));
    address(unquoted.unwrap_or(node))
}

/// Splits at separators outside of quotes. It reads from the right, where the entry of the proxy is:
/// a quote that the client left open further left cannot enclose that entry.
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

/// Parses an address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    /// The address with two trusted networks and these headers.
    fn found(peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        found_in(None, peer, lines)
    }

    /// The same, where the operator names the header.
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
