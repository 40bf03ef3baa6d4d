//! Hosts and ports of a PostgreSQL URL, one or several.

use std::net::IpAddr;

use crate::store::backend::percent_encoding::decode;
use crate::store::backend::postgres_url_error::PostgresUrlError;

type Result<T> = std::result::Result<T, PostgresUrlError>;

/// Host and port.
type Server = (Option<String>, Option<u16>);

/// Splits `a:1,[::1]:2` into a list of hosts and a list of ports; `None` if no port is given.
pub(in crate::store) fn split_hosts(places: &str) -> Result<(String, Option<String>)> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in places.split(',') {
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(PostgresUrlError::Host)?;
                let port = if after.is_empty() { Some("") } else { after.strip_prefix(':') };
                (host, port.ok_or(PostgresUrlError::Host)?)
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        hosts.push(decode(host).map_err(|_| PostgresUrlError::Host)?);
        ports.push(port);
    }
    let some = ports.iter().any(|port| !port.is_empty());
    Ok((hosts.join(","), some.then(|| ports.join(","))))
}

/// Pairs a list of hosts with a list of ports. A single port is for all hosts.
pub(in crate::store) fn servers(hosts: Option<&str>, ports: Option<&str>) -> Result<Vec<Server>> {
    let hosts: Vec<Option<String>> = match hosts {
        None => vec![None],
        Some(hosts) => {
            hosts.split(',').map(|host| host_name(host).map(Some)).collect::<Result<_>>()?
        }
    };
    let read = |port: &str| match port {
        "" => Ok(None),
        port => match port.parse() {
            Ok(0) | Err(_) => Err(PostgresUrlError::Host),
            Ok(port) => Ok(Some(port)),
        },
    };
    let ports: Vec<Option<u16>> =
        ports.unwrap_or_default().split(',').map(read).collect::<Result<_>>()?;
    let port = |at: usize| if ports.len() == 1 { ports[0] } else { ports[at] };
    if ports.len() != 1 && ports.len() != hosts.len() {
        return Err(PostgresUrlError::Host);
    }
    Ok(hosts.into_iter().enumerate().map(|(at, host)| (host, port(at))).collect())
}

/// A host name, an IP address, or the directory of a Unix socket.
fn host_name(text: &str) -> Result<String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let is_name = |c: char| c.is_alphanumeric() || ".-_".contains(c);
    let is_address = bare.split('%').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
    let is_host = bare.starts_with('/') || is_address || bare.chars().all(is_name);
    if is_host && !bare.is_empty() { Ok(bare.to_owned()) } else { Err(PostgresUrlError::Host) }
}
