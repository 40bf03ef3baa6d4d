//! The address of the client, also where proxies stand before this service.
//!
//! Rule: anybody can write `Forwarded` (RFC 7239) and `X-Forwarded-For`, so they are believed as far
//! as they were written by proxies that the operator trusts: from the right, each proxy's word on
//! who came to it, to the first address that is not one of them. Where that is not told plainly, it
//! is the peer's address. Two headers that differ are not plain: proxies write one of them and pass
//! on what the client put into the other.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use crate::domain::filter::IpBlock;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, in the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// Finds it.
pub(super) fn find(request: &mut Request, proxies: &[IpBlock]) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(peer) = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) {
        let address = client_address(peer, request.headers(), proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
}

fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpBlock]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|block| block.contains(address));
    if !is_proxy(peer) {
        return peer;
    }
    let told = [(FORWARDED, forwarded as Read), (X_FORWARDED_FOR, x_forwarded_for)];
    let mut told =
        told.iter().filter(|(name, _)| headers.contains_key(name)).map(|(name, read)| {
            let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
            outermost(lines.collect(), *read, is_proxy)
        });
    match (told.next(), told.next()) {
        (Some(Some(address)), None) => address,
        (Some(one), Some(other)) if one == other => one.unwrap_or(peer),
        _ => peer,
    }
}

/// Reads a line of a header: the address each proxy tells of, `None` where it tells of none.
type Read = fn(&str) -> Vec<Option<IpAddr>>;

/// The rightmost address that is no proxy's; where all are, the leftmost. `None` where one on the way
/// is not told. What stands further left is anybody's and is not looked at.
fn outermost(lines: Vec<&str>, read: Read, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut last = None;
    // Each line by itself: one that was sent broken must not take the next ones along.
    for hop in lines.into_iter().rev().flat_map(|line| read(line).into_iter().rev()) {
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
    split(line, ',').map_or_else(|| vec![None], |hops| hops.iter().map(|hop| of_hop(hop)).collect())
}

/// The parameter `for` of one proxy's word.
fn of_hop(hop: &str) -> Option<IpAddr> {
    let pairs = split(hop, ';')?;
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

/// Splits where the separator is in no quotes; `None` where a quote does not end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
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
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|text| IpBlock::parse(text).unwrap());
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(*name, HeaderValue::from_static(line));
        }
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
            "for=6.6.6.6;x=\", for=192.0.2.1",
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
    fn two_headers_count_where_they_agree() {
        let both = |x| [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", x)];
        assert_eq!(found("10.1.2.3", &both("6.6.6.6, 192.0.2.1")), "192.0.2.1");
        assert_eq!(found("10.1.2.3", &both("6.6.6.6")), "10.1.2.3");
        assert_eq!(found("10.1.2.3", &both("unknown")), "10.1.2.3");
    }
}
