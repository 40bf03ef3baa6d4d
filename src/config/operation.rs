//! The flags of whoever watches the service.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::Args;

/// Where it can be watched.
#[derive(Args, Clone, Debug)]
pub struct OperationArguments {
    /// Where Prometheus finds the metrics, at /metrics: a port of their own, for your monitoring only
    #[arg(
        long,
        env = "SALLYPORT_METRICS_LISTEN",
        value_name = "ADDRESS",
        default_value = "off",
        help_heading = "Service"
    )]
    metrics_listen: Place,
}

impl OperationArguments {
    /// Where Prometheus finds the metrics, if anywhere.
    #[must_use]
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics_listen.0
    }
}

/// An address, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(Option<SocketAddr>);

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text.parse().map_err(|_| "this is like 127.0.0.1:9000, or off")?;
        Ok(Self(Some(address)))
    }
}
