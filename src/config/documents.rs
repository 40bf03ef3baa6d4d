//! The flags of trusted documents.

use std::path::PathBuf;

use clap::Args;

use super::values::Switch;

/// Which documents may run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Documents")]
pub struct DocumentArguments {
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
