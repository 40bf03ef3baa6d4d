//! The running service: start, banner, listeners, shutdown.
//!
//! It listens for requests only once all components are ready.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::components::{ClockAndEntropy, Components, open};
use super::email::NO_SMTP;
use super::file_limit::raise_file_limit;
use super::file_permissions::permission_warnings;
use super::first_admin::first_admin;
use super::restore_detection::{self, RestoreDetector};
use super::shutdown::{Shutdown, Signals, serve_until_signal};
use super::start_error::StartError;
use super::{background, banner};
use crate::config::Config;
use crate::http;

/// Serves until Ctrl-C or SIGTERM.
pub async fn serve(config: Config) -> Result<(), StartError> {
    // The ports first: a second process must fail before it touches the database.
    let listeners = Listeners::bind(&config).await?;
    let mut signals = Signals::catch().map_err(StartError::Signals)?;
    let components = tokio::select! {
        components = open(&config, ClockAndEntropy::default()) => components?,
        () = signals.next() => return Ok(()),
    };
    for warning in permission_warnings(&config) {
        tracing::warn!("{warning}");
    }
    let of_store = |error| StartError::of_store(&config.database, &error);
    let detector = Arc::new(RestoreDetector::new(&config));
    let missing = detector.missing_since(&components.store, components.auth.system.now()).await;
    let missing = missing.map_err(of_store)?;
    if let Some(until) = missing {
        tracing::warn!("{}", restore_detection::warning(until));
    }
    let chosen = config.admin_password.as_ref();
    let admin = first_admin(&components, &config.database, chosen).await?;
    let mut sync = components.revocation_sync();
    sync.read().await.map_err(of_store)?;
    let background = background::start(&components, sync, &detector, missing.is_some());
    let (api, metrics) = listeners.addresses(&config);
    banner::print(api, metrics, config.http.console, &config.database, &admin, missing)?;
    drop(admin);
    if config.email.smtp.is_none() {
        tracing::info!("{NO_SMTP}");
    }
    if config.http.transport.insecure_cookies {
        tracing::warn!(
            "cookies are sent without TLS (--insecure-cookies true); use this for local development only"
        );
    }
    raise_file_limit(config.server.max_connections);
    let serving = |shutdown| listeners.serve(&components, &config, shutdown);
    serve_until_signal(signals, serving).await;
    // The database is closed next: no task may use it then.
    background.shutdown().await;
    // If this fails, the event written some seconds ago stays in the file.
    let _ = detector.update(&components.store, components.auth.system.now()).await;
    Ok(())
}

struct Listeners {
    api: TcpListener,
    metrics: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let api = bind("--listen", config.listen).await?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(bind("--metrics-listen", address).await?),
            None => None,
        };
        Ok(Self { api, metrics })
    }

    /// With the ports that the system chose for port 0.
    fn addresses(&self, config: &Config) -> (SocketAddr, Option<SocketAddr>) {
        let api = self.api.local_addr().unwrap_or(config.listen);
        (api, self.metrics.as_ref().and_then(|metrics| metrics.local_addr().ok()))
    }

    async fn serve(self, components: &Components, config: &Config, shutdown: Shutdown) {
        let subscribers = &components.subscribers;
        if let Some(listener) = self.metrics {
            let auth = Arc::clone(&components.auth);
            let router = http::metrics_router(auth, Arc::clone(subscribers));
            let stop = shutdown.clone().requested();
            tokio::spawn(http::serve(listener, router, config.server.clone(), stop));
        }
        let stopping = Arc::clone(subscribers);
        let stop = async move {
            shutdown.requested().await;
            stopping.stop();
        };
        http::serve(self.api, components.router(config), config.server.clone(), stop).await;
        // The server does not count upgraded connections (WebSockets) as requests in flight.
        subscribers.all_closed().await;
    }
}

async fn bind(flag: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| StartError::Listen(flag, address, error))
}
