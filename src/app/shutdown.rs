//! Graceful shutdown on Ctrl-C or SIGTERM.
//!
//! The first signal stops new connections and lets requests finish within [`SHUTDOWN_TIMEOUT`]; a second
//! one ends the process at once. Either is a success for the process.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Common supervisors kill ten seconds after SIGTERM; the database is still to be closed after this.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// Signal to tasks that the service shuts down.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Completes once the shutdown was requested.
    pub async fn requested(mut self) {
        // An error means that the sender is gone: the service has ended.
        let _ = self.0.wait_for(|is_requested| *is_requested).await;
    }
}

pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on the signals do not kill the process, so that the database is always closed.
    pub(super) fn catch() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs `serve` until it completes, which it does once the shutdown is requested and its requests have
/// finished, or until these have taken too long.
pub(super) async fn serve_until_signal<Serving>(
    mut signals: Signals,
    serve: impl FnOnce(Shutdown) -> Serving,
) where
    Serving: Future<Output = ()>,
{
    let (request, shutdown) = watch::channel(false);
    let timeout = async {
        signals.next().await;
        tracing::info!("stopping");
        request.send_replace(true);
        tokio::select! {
            () = tokio::time::sleep(SHUTDOWN_TIMEOUT) => {}
            // A second signal: the operator does not want to wait.
            () = signals.next() => {}
        }
    };
    tokio::select! {
        () = serve(Shutdown(shutdown)) => {}
        () = timeout => tracing::warn!("some requests did not finish in time"),
    }
    tracing::info!("stopped");
}
