//! Settings: flags and environment variables, validated once.
//!
//! Every flag has an environment variable `SALLYPORT_…` of its name. Secrets are neither shown in the help
//! nor printed. A file holds the flags of one heading of the help.

mod accounts;
mod consistency;
mod database;
mod environment;
mod error;
mod limits;
mod secret;
mod serve;
mod service;
mod sessions;
mod settings;
mod tokens;
mod transport;
mod values;

pub use database::DatabaseArguments;
pub use environment::{unknown_variables, without_empty};
pub use error::ConfigError;
pub use secret::{Secret, SecretArguments, SecretSource};
pub use serve::ServeArguments;
pub use service::{Federation, LogFormat};
pub use sessions::RetentionArguments;
pub use settings::Config;
pub(crate) use tokens::algorithm;
