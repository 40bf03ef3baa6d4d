//! The program: reads the command line, runs it, says in one line what went wrong.

use std::process::ExitCode;

use clap::Parser;
use sallyport::cli::{Cli, report, run};
use tikv_jemallocator::Jemalloc;

/// A guarded query takes about a hundred small allocations: a tenth less time than with glibc's
/// allocator, and, unlike with mimalloc, the memory of hashed passwords goes back to the system.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}
