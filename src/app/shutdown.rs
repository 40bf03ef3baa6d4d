//! The end of a service that is told to end: what was begun is finished, and nobody waits for long.
//!
//! Rule: the first signal stops what is new at once and lets what is under way come to its end, within
//! [`GRACE`]; the second ends everything now. Either way it is an end that was asked for.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How long requests may take to end: all is over within the ten seconds after which common
/// supervisors kill.
const GRACE: Duration = Duration::from_secs(8);

/// Tells whoever has long work that the service was told to end.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Ends once the service was told to.
    pub async fn begun(mut self) {
        // Where nobody is left to tell, it is the end as well.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

/// The signals that mean it: Ctrl-C, and what supervisors send.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on they do not kill, so that the database is closed whenever they come.
    ///
    /// # Errors
    /// Where signals cannot be caught.
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

/// Serves until a signal, and then until what is under way has ended or may not take longer. `serve`
/// ends when it hears of the stop and has nothing more to do.
pub(super) async fn until_told<Serving>(
    mut signals: Signals,
    serve: impl FnOnce(Stopping) -> Serving,
) where
    Serving: Future<Output = ()>,
{
    let (stop, stopping) = watch::channel(false);
    let told = async {
        signals.next().await;
        tracing::info!("stopping");
        stop.send_replace(true);
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            // Whoever says it twice does not want to wait.
            () = signals.next() => {}
        }
    };
    tokio::select! {
        () = serve(Stopping(stopping)) => {}
        () = told => tracing::warn!("some requests did not end in time"),
    }
    tracing::info!("stopped");
}
