//! Flags about the service: addresses, pages, federation, the log, trusted documents.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::error::ConfigError;
use super::values::{Optional, Switch};
use crate::graphql::Supergraph;

/// Flags about the service.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Service")]
pub struct ServiceArguments {
    /// Address and port of the HTTP server; port 0 selects a free port
    #[arg(
        long,
        env = "SALLYPORT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8000",
        value_parser = listen_address
    )]
    pub(super) listen: SocketAddr,

    /// Address and port of the Prometheus metrics at /metrics, or off; allow only your monitoring to
    /// connect
    #[arg(long, env = "SALLYPORT_METRICS_LISTEN", value_name = "ADDRESS", default_value = "off")]
    pub(super) metrics_listen: Optional<SocketAddr>,

    /// Allow clients to query the schema (GraphQL introspection)
    #[arg(
        long,
        env = "SALLYPORT_INTROSPECTION",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) introspection: Switch,

    /// Serve GraphiQL to browsers at `/graphql`
    #[arg(
        long,
        env = "SALLYPORT_GRAPHIQL",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) graphiql: Switch,

    /// Serve the administration console at `/console`
    #[arg(
        long,
        env = "SALLYPORT_CONSOLE",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) console: Switch,

    /// Serve as an Apollo Federation 2 subgraph, behind Apollo Router (`router`) or Apollo Gateway for
    /// Node.js (`gateway`)
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

    /// Format of the log on standard error [default: pretty on a terminal, otherwise json]
    #[arg(
        long,
        env = "SALLYPORT_LOG_FORMAT",
        value_enum,
        value_name = "pretty|json",
        hide_possible_values = true
    )]
    pub(super) log_format: Option<LogFormat>,
}

fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an address and port such as 127.0.0.1:8000")
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
    /// One JSON object per line.
    Json,
}

/// Flags about trusted documents.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Documents")]
pub struct TrustedDocumentArguments {
    /// File of trusted documents, which clients execute by ID: Relay persisted queries or an Apollo
    /// manifest
    #[arg(long, env = "SALLYPORT_TRUSTED_DOCUMENTS", value_name = "PATH")]
    pub(super) trusted_documents: Option<PathBuf>,

    /// Refuse all documents that are not in the file of trusted documents
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_DOCUMENTS_ONLY",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1
    )]
    pub(super) trusted_documents_only: Switch,
}

impl TrustedDocumentArguments {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const MESSAGE: &str = "--trusted-documents-only needs --trusted-documents";
        // Not by clap, which does not see values of the configuration file.
        if self.trusted_documents_only.is_on() && self.trusted_documents.is_none() {
            return Err(ConfigError(MESSAGE.into()));
        }
        Ok(())
    }
}
