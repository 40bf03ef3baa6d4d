//! Flags about connections: origins, proxies, limits, cookies.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::error::ConfigError;
use super::values::{Optional, Switch};
use crate::domain::filter::IpBlock;
use crate::http::server::ConnectionLimits;
use crate::http::{CorsHeader, ProxyHeader, TransportOptions, TrustedProxies, WebOrigin};

/// The flags about connections.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Transport")]
pub struct TransportArguments {
    /// An origin whose pages may call, as browsers send it; may be given several times, in the
    /// environment with commas between. Cookies are for those of this site
    #[arg(long, env = "SALLYPORT_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<WebOrigin>,

    /// A header that pages of these origins may send, beside those of GraphQL clients and of common
    /// tracing; may be given several times, in the environment with commas between
    #[arg(long, env = "SALLYPORT_CORS_HEADER", value_name = "NAME", value_delimiter = ',')]
    cors_header: Vec<CorsHeader>,

    /// A proxy, or a block of them, whose `Forwarded` or `X-Forwarded-For` says where a client is;
    /// may be given several times, in the environment with commas between
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = IpBlock::parse
    )]
    trusted_proxy: Vec<IpBlock>,

    /// The header that these proxies write; by default `X-Forwarded-For`, and `Forwarded` where there
    /// is none. A client can write the other one itself, so name yours if it is `Forwarded`
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_PROXY_HEADER",
        value_enum,
        value_name = "x-forwarded-for|forwarded",
        hide_possible_values = true
    )]
    trusted_proxy_header: Option<ForwardingHeader>,

    /// How many connections there may be at once; more are refused
    #[arg(
        long,
        env = "SALLYPORT_MAX_CONNECTIONS",
        value_name = "COUNT",
        default_value = "10000",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    max_connections: u32,

    /// How many of them may come from one address, or the 2^64 of one IPv6 client; neither this
    /// machine's nor those of a trusted proxy are counted
    #[arg(
        long,
        env = "SALLYPORT_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "COUNT",
        default_value = "1000"
    )]
    max_connections_per_address: Optional<u32>,

    /// Cookies without TLS, for a browser on the same machine: only where `--listen` is a loopback
    /// address
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
            const MESSAGE: &str = "--insecure-cookies is for a loopback address: with --listen on \
                                   another, cookies need TLS";
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
