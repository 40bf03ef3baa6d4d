//! The composition root: decisions become a running service.
//!
//! Rule: everything is put together here and nowhere else, in the order in which it can fail, and
//! the service listens only once all of it is ready.

mod background;
mod backup;
mod banner;
mod check;
mod database_error_text;
mod file_permissions;
mod master_secret;
mod recovery;
mod restore_detection;
mod shutdown;
mod start_error;
mod trusted_documents;

pub use backup::back_up;
pub use check::{CheckReport, check};
pub use database_error_text::reason;
pub use recovery::Recovery;
pub use shutdown::Shutdown;
pub use start_error::StartError;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::auth::{Auth, Keys, Parts};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::password::Hashing;
use crate::crypto::refresh_token::RefreshKeys;
use crate::crypto::secret::{MasterSecret, MasterSecrets};
use crate::entropy::{Entropy, SystemEntropy};
use crate::http::graphql::{PersistedDocuments, Subscribers};
use crate::metrics::Metrics;
use crate::revocation::{RevocationSync, Revocations};
use crate::store::{Store, StoredKey};
use crate::{graphql, http};

use restore_detection::RestoreDetector;
use shutdown::Signals;

/// A service without its doors.
pub struct Components {
    /// The use cases.
    pub auth: Arc<Auth>,
    /// The database.
    pub store: Arc<Store>,
    /// The set of ended sessions.
    pub revocations: Arc<Revocations>,
    /// The signing keys.
    pub keys: Arc<Keys>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The documents that requests need not send.
    pub documents: Arc<PersistedDocuments>,
    /// Who has a socket or an event stream open.
    pub subscribers: Arc<Subscribers>,
}

/// Time and randomness, which tests put in their own place.
pub struct ClockAndEntropy {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for ClockAndEntropy {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy) }
    }
}

/// Connects to the database and migrates it.
///
/// # Errors
/// See [`StartError`].
pub async fn connect(config: &Config) -> Result<Store, StartError> {
    let database = &config.database;
    let store = Store::connect_with(database, &config.connections).await;
    let store = store.map_err(|error| StartError::of_store(database, &error))?;
    store.migrate().await.map_err(|error| StartError::of_migration(database, &error))?;
    Ok(store)
}

/// Puts a service together, with the database's keys, which are made where there are none.
///
/// # Errors
/// See [`StartError`].
pub async fn open(
    config: &Config,
    surroundings: ClockAndEntropy,
) -> Result<Components, StartError> {
    let documents = trusted_documents::load(config)?;
    // The database before the secret: beside one that is none no secret is made.
    let store = connect(config).await?;
    set_clock(config, &store, &*surroundings.clock).await?;
    let (secrets, _) = open_keys(config, &store, &*surroundings.entropy).await?;
    let policy = &config.policy;
    let token_lifetime = policy.access_token_lifetime + config.issuer.leeway;
    let core = compose(config, surroundings, store, secrets, token_lifetime)?;
    let opened = core.keys.open(config.algorithm).await;
    opened.map_err(|error| StartError::of_keys(&config.database, error))?;
    // Before the first login: else its time would tell who has an account.
    let surveyed = core.auth.passwords.survey_hashes().await;
    surveyed.map_err(|error| StartError::of_auth(&config.database, error))?;
    Ok(Components { documents, ..core })
}

/// Sets the clock by the database's, by which all replicas go, before anything is stamped with it.
async fn set_clock(config: &Config, store: &Store, clock: &dyn Clock) -> Result<(), StartError> {
    let (began, asked) = (clock.monotonic(), clock.machine());
    let now = store.now().await;
    let now = now.map_err(|error| StartError::of_store(&config.database, &error))?;
    if let Some(now) = now {
        clock.follow(now, asked, clock.monotonic().saturating_sub(began));
    }
    Ok(())
}

/// The secret, once it is known to open every key there is; and these. A key must not be added with
/// a secret that does not open the others: no process could start any more.
async fn open_keys(
    config: &Config,
    store: &Store,
    entropy: &dyn Entropy,
) -> Result<(MasterSecrets, Vec<StoredKey>), StartError> {
    let stored = store.signing_keys().await;
    let stored = stored.map_err(|error| StartError::of_store(&config.database, &error))?;
    let secrets = master_secret::load(&config.secret, !stored.is_empty(), entropy)?;
    let opens = |key: &StoredKey| {
        key.life.is_destroyed
            || KeyPair::from_sealed(&secrets, &key.kid, key.algorithm, &key.sealed).is_some()
    };
    if stored.iter().all(opens) { Ok((secrets, stored)) } else { Err(StartError::Sealed) }
}

/// Puts together what shows and rotates the keys, and makes none where there are none.
///
/// # Errors
/// See [`StartError`]; the secret not opening the keys is one.
pub async fn open_for_keys(config: &Config) -> Result<Components, StartError> {
    let (store, surroundings) = connect_command(config).await?;
    // Where there are no keys a secret might be made, beside a database that no server has seen.
    let stored = store.signing_keys().await;
    let stored = stored.map_err(|error| StartError::of_store(&config.database, &error))?;
    let secrets = if stored.is_empty() {
        nobodys_secret(&*surroundings.entropy)?
    } else {
        open_keys(config, &store, &*surroundings.entropy).await?.0
    };
    compose(config, surroundings, store, secrets, Duration::ZERO)
}

/// Puts together what commands need that give no tokens, so that ending a session from a shell needs
/// no secret.
///
/// # Errors
/// See [`StartError`].
pub async fn open_without_keys(config: &Config) -> Result<Components, StartError> {
    let (store, surroundings) = connect_command(config).await?;
    let secrets = nobodys_secret(&*surroundings.entropy)?;
    compose(config, surroundings, store, secrets, Duration::ZERO)
}

async fn connect_command(config: &Config) -> Result<(Store, ClockAndEntropy), StartError> {
    let surroundings = ClockAndEntropy::default();
    let store = connect(config).await?;
    set_clock(config, &store, &*surroundings.clock).await?;
    Ok((store, surroundings))
}

/// A secret that nobody ever sees.
fn nobodys_secret(entropy: &dyn Entropy) -> Result<MasterSecrets, StartError> {
    Ok(MasterSecrets::parse(&MasterSecret::generate(entropy))?)
}

fn compose(
    config: &Config,
    surroundings: ClockAndEntropy,
    store: Store,
    secrets: MasterSecrets,
    token_lifetime: Duration,
) -> Result<Components, StartError> {
    let ClockAndEntropy { clock, entropy } = surroundings;
    let store = Arc::new(store);
    let staleness = config.revocation_staleness;
    let revocations = Revocations::new(Arc::clone(&clock), staleness, token_lifetime);
    let revocations = Arc::new(revocations);
    let refresh_keys = RefreshKeys::derive(&secrets)?;
    let throttle_key = BlindIndexKey::derive(&secrets)?;
    let keys = Keys::new(
        Arc::clone(&store),
        secrets,
        Arc::clone(&clock),
        Arc::clone(&entropy),
        token_lifetime,
    );
    let keys = Arc::new(keys);
    let (memory, passes) = config.hashing;
    let auth = Auth::from(Parts {
        store: Arc::clone(&store),
        keys: Arc::clone(&keys),
        refresh_keys,
        throttle_key,
        issuer: config.issuer.clone(),
        revocations: Arc::clone(&revocations),
        metrics: Arc::new(Metrics::default()),
        hashing: Hashing::new(memory, passes, 1)?,
        policy: config.policy.clone(),
        clock,
        entropy: Arc::clone(&entropy),
    });
    let (documents, subscribers) = Default::default();
    let auth = Arc::new(auth);
    Ok(Components { auth, store, revocations, keys, entropy, documents, subscribers })
}

impl Components {
    /// The routes, as they are configured.
    pub fn router(&self, config: &Config) -> Router {
        let (auth, entropy) = (Arc::clone(&self.auth), Arc::clone(&self.entropy));
        let state = http::SharedState {
            documents: Arc::clone(&self.documents),
            subscribers: Arc::clone(&self.subscribers),
        };
        let introspection = config.introspection;
        match config.federation {
            None => {
                let schema = graphql::schema(Arc::clone(&auth), introspection);
                http::router(auth, schema, entropy, &config.http, state)
            }
            Some(supergraph) => {
                let schema = graphql::subgraph(Arc::clone(&auth), introspection, supergraph);
                http::router(auth, schema, entropy, &config.http, state)
            }
        }
    }

    /// What keeps the set of ended sessions fresh, and the signing keys.
    #[must_use]
    pub fn revocation_sync(&self) -> RevocationSync {
        let keys = Arc::clone(&self.keys);
        RevocationSync::new(&self.store, Arc::clone(&self.revocations)).with_key_listener(keys)
    }
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// See [`StartError`].
pub async fn serve(config: Config) -> Result<(), StartError> {
    // The port first: a second start must say so before it touches the database.
    let listener = bind("--listen", config.listen).await?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let metrics = match config.metrics_listen {
        Some(address) => Some(bind("--metrics-listen", address).await?),
        None => None,
    };
    let mut signals = Signals::catch().map_err(StartError::Signals)?;
    let core = tokio::select! {
        core = open(&config, ClockAndEntropy::default()) => core?,
        () = signals.next() => return Ok(()),
    };
    for warning in file_permissions::permission_warnings(&config) {
        tracing::warn!("{warning}");
    }
    let detector = Arc::new(RestoreDetector::new(&config));
    let missing = detector.missing_since(&core.store, core.auth.system.now()).await;
    let missing = missing.map_err(|error| StartError::of_store(&config.database, &error))?;
    if let Some(until) = missing {
        tracing::warn!("{}", restore_detection::warning(until));
    }
    let admin =
        banner::first_admin(&core, &config.database, config.admin_password.as_ref()).await?;
    let mut feed = core.revocation_sync();
    let read = feed.read().await;
    read.map_err(|error| StartError::of_store(&config.database, &error))?;
    let mut background = background::start(&core, feed, &detector, missing.is_some());
    let metrics_address = metrics.as_ref().and_then(|metrics| metrics.local_addr().ok());
    let console = config.http.console;
    banner::print(address, metrics_address, console, &config.database, &admin, missing)?;
    drop(admin);

    if config.http.transport.insecure_cookies {
        tracing::warn!("cookies without TLS (--insecure-cookies): for work on this machine only");
    }
    make_room(config.server.max_connections);
    let router = core.router(&config);
    let served = shutdown::serve_until_signal(signals, async |shutdown| {
        if let Some(metrics) = metrics {
            let subscribers = Arc::clone(&core.subscribers);
            let numbers = http::metrics_router(Arc::clone(&core.auth), subscribers);
            let stop = shutdown.clone().requested();
            tokio::spawn(http::serve(metrics, numbers, config.server.clone(), stop));
        }
        let subscribers = Arc::clone(&core.subscribers);
        let stop = async move {
            shutdown.requested().await;
            subscribers.stop();
        };
        http::serve(listener, router, config.server.clone(), stop).await;
        // Sockets are no requests to the server any more.
        core.subscribers.all_closed().await;
    });
    served.await;
    // The database is closed next, which none of them should find out.
    background.shutdown().await;
    // Where it cannot be read any more the note of some seconds ago has to do.
    let _ = detector.update(&core.store, core.auth.system.now()).await;
    Ok(())
}

async fn bind(flag: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| StartError::Listen(flag, address, error))
}

/// How many files that may be open: one for each connection, and some for the database and the like.
fn files_for(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(256)
}

/// Many systems give a process a thousand files and let it ask for more.
fn make_room(connections: usize) {
    let wanted = files_for(connections);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(files) if files < wanted => {
            tracing::warn!(files, connections, "the system allows fewer files than connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
}
