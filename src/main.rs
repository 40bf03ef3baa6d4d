//! The program: reads the command line, runs it, says in one line what went wrong.

use std::process::ExitCode;

use sallyport::cli::{Invocation, report, run};
use sallyport::store;
use sallyport::telemetry::Flushed;
use tikv_jemallocator::Jemalloc;

/// A guarded query takes about a hundred small allocations: a tenth less time than with glibc's
/// allocator, and, unlike with mimalloc, the memory of hashed passwords goes back to the system.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // Dropped last: what the runtime's end logs is written, too.
    let _flushed = Flushed;
    match Invocation::read() {
        Ok(invocation) => execute(invocation),
        Err(error) => report(&error.into()),
    }
}

#[tokio::main]
async fn execute(invocation: Invocation) -> ExitCode {
    let done = run(invocation).await;
    store::close_all().await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}
