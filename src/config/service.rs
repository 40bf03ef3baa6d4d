//! Flags about what is served: addresses, pages, federation, the log, trusted documents.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{Optional, Switch};
use crate::graphql::Supergraph;

/// The flags about what is served.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Service")]
pub struct ServiceArguments {
    /// Where to serve; port 0 takes one that is free
    #[arg(
        long,
        env = "SALLYPORT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8000"
    )]
    pub(super) listen: SocketAddr,

    /// Where Prometheus finds the metrics, at /metrics: a port of their own, for your monitoring only
    #[arg(long, env = "SALLYPORT_METRICS_LISTEN", value_name = "ADDRESS", default_value = "off")]
    pub(super) metrics_listen: Optional<SocketAddr>,

    /// Whether clients may ask for the schema
    #[arg(
        long,
        env = "SALLYPORT_INTROSPECTION",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) introspection: Switch,

    /// Whether browsers find GraphiQL at `/graphql`
    #[arg(
        long,
        env = "SALLYPORT_GRAPHIQL",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) graphiql: Switch,

    /// Whether people find the console at `/console`
    #[arg(
        long,
        env = "SALLYPORT_CONSOLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) console: Switch,

    /// Serve as a subgraph of an Apollo Federation 2, of a router or of the gateway for Node
    #[arg(
        long,
        env = "SALLYPORT_FEDERATION",
        value_enum,
        value_name = "router|gateway",
        hide_possible_values = true,
        num_args = 0..=1,
        default_missing_value = "router",
        default_value = "off"
    )]
    pub(super) federation: Federation,

    /// How the log looks [default: pretty on a terminal, else json]
    #[arg(
        long,
        env = "SALLYPORT_LOG_FORMAT",
        value_enum,
        value_name = "pretty|json",
        hide_possible_values = true
    )]
    pub(super) log_format: Option<LogFormat>,
}

/// The supergraph that the service is a subgraph of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Federation {
    Off,
    /// Apollo Router.
    Router,
    /// Apollo's gateway for Node.
    Gateway,
}

impl From<Federation> for Option<Supergraph> {
    fn from(federation: Federation) -> Self {
        match federation {
            Federation::Off => None,
            Federation::Router => Some(Supergraph::Router),
            Federation::Gateway => Some(Supergraph::Gateway),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Pretty,
    /// A JSON object a line.
    Json,
}

/// Which documents may run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Documents")]
pub struct TrustedDocumentArguments {
    /// A file of trusted documents, which clients call by their ids: Relay's persisted queries, or
    /// Apollo's manifest
    #[arg(long, env = "SALLYPORT_TRUSTED_DOCUMENTS", value_name = "PATH")]
    pub(super) trusted_documents: Option<PathBuf>,

    /// Whether no other document may run
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_DOCUMENTS_ONLY",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1,
        requires_if("true", "trusted_documents")
    )]
    pub(super) trusted_documents_only: Switch,
}
