//! Flags about connections: origins, proxies, limits, cookies.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::error::ConfigError;
use super::values::{Optional, Switch};
use crate::domain::filter::IpBlock;
use crate::http::server::ConnectionLimits;
use crate::http::{CorsHeader, ProxyHeader, TransportOptions, TrustedProxies, WebOrigin};

/// Flags about connections.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Transport")]
pub struct TransportArguments {
    /// Allowed CORS origin, as browsers send it, such as `https://app.example.com`; repeatable,
    /// comma-separated in the variable; browsers send cookies only from origins of the same site
    #[arg(long, env = "SALLYPORT_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<WebOrigin>,

    /// Additional request header that pages of these origins may send; headers of GraphQL clients and
    /// of common tracing tools are always allowed; repeatable, comma-separated in the variable
    #[arg(long, env = "SALLYPORT_CORS_HEADER", value_name = "NAME", value_delimiter = ',')]
    cors_header: Vec<CorsHeader>,

    /// IP address or CIDR block of a trusted proxy, whose `Forwarded` or `X-Forwarded-For` header
    /// contains the client's address; repeatable, comma-separated in the variable
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = IpBlock::parse
    )]
    trusted_proxy: Vec<IpBlock>,

    /// Header that the trusted proxies write; set it if they write `Forwarded`, because a client can
    /// forge the other header [default: x-forwarded-for, or forwarded if that header is absent]
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_PROXY_HEADER",
        value_enum,
        value_name = "x-forwarded-for|forwarded",
        hide_possible_values = true
    )]
    trusted_proxy_header: Option<ForwardingHeader>,

    /// Maximum number of concurrent connections; further connections are refused
    #[arg(
        long,
        env = "SALLYPORT_MAX_CONNECTIONS",
        value_name = "COUNT",
        default_value = "10000",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    max_connections: u32,

    /// Maximum number of concurrent connections per IPv4 address or IPv6 /64 block, or off;
    /// connections from this machine and from trusted proxies are not counted
    #[arg(
        long,
        env = "SALLYPORT_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "COUNT",
        default_value = "1000"
    )]
    max_connections_per_address: Optional<u32>,

    /// Allow cookies without TLS, for a browser on the same machine; requires a loopback address in
    /// `--listen`
    #[arg(
        long,
        env = "SALLYPORT_INSECURE_COOKIES",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "false"
    )]
    insecure_cookies: Switch,
}

/// Header with the client addresses that trusted proxies write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForwardingHeader {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl From<ForwardingHeader> for ProxyHeader {
    fn from(header: ForwardingHeader) -> Self {
        match header {
            ForwardingHeader::XForwardedFor => Self::XForwardedFor,
            ForwardingHeader::Forwarded => Self::Forwarded,
        }
    }
}

impl TransportArguments {
    pub(super) fn combine(
        self,
        listen: SocketAddr,
    ) -> Result<(TransportOptions, ConnectionLimits), ConfigError> {
        let insecure_cookies = self.insecure_cookies.is_on();
        if insecure_cookies && !listen.ip().to_canonical().is_loopback() {
            const MESSAGE: &str = "--insecure-cookies requires a loopback address in --listen: on \
                                   other addresses, cookies need TLS";
            return Err(ConfigError(MESSAGE.into()));
        }
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let limits = ConnectionLimits {
            max_connections: count(self.max_connections),
            max_per_address: self.max_connections_per_address.0.map_or(usize::MAX, count),
            proxies: self.trusted_proxy.clone(),
            ..ConnectionLimits::default()
        };
        let transport = TransportOptions {
            origins: self.cors_origin,
            headers: self.cors_header,
            proxies: TrustedProxies {
                blocks: self.trusted_proxy.into(),
                header: self.trusted_proxy_header.map(Into::into),
            },
            insecure_cookies,
        };
        Ok((transport, limits))
    }
}
