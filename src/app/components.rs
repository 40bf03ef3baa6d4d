//! Components of the service and their composition, in the order in which it can fail.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::email::{load_templates, mailer, own_templates};
use super::start_error::StartError;
use super::{foreign_tokens, master_secret, trusted_documents};
use crate::auth::{Auth, ForeignTokenSettings, Keys, Parts};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::data_key::DataKey;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::one_time_code::CodeKeys;
use crate::crypto::password::Hashing;
use crate::crypto::refresh_token::RefreshKeys;
use crate::crypto::secret::{MasterSecret, MasterSecrets};
use crate::entropy::{Entropy, SystemEntropy};
use crate::http::graphql::{PersistedDocuments, Subscribers};
use crate::mail::{Delivery, Templates};
use crate::metrics::Metrics;
use crate::revocation::{RevocationSync, Revocations};
use crate::store::{Store, StoredKey};
use crate::{graphql, http};

pub struct Components {
    pub auth: Arc<Auth>,
    pub store: Arc<Store>,
    pub revocations: Arc<Revocations>,
    pub keys: Arc<Keys>,
    pub entropy: Arc<dyn Entropy>,
    pub documents: Arc<PersistedDocuments>,
    pub subscribers: Arc<Subscribers>,
    /// The sender of mails; `None` for commands.
    pub delivery: Option<Arc<Delivery>>,
}

/// Sources of time and randomness; tests replace them.
pub struct ClockAndEntropy {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Default for ClockAndEntropy {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy) }
    }
}

/// Connects to the database and migrates it.
pub async fn connect(config: &Config) -> Result<Store, StartError> {
    let database = &config.database;
    let store = Store::connect_with(database, &config.connections).await;
    let store = store.map_err(|error| StartError::of_store(database, &error))?;
    store.migrate().await.map_err(|error| StartError::of_migration(database, &error))?;
    Ok(store)
}

/// Opens all components of a service. Creates the first signing key if the database has none.
pub async fn open(config: &Config, sources: ClockAndEntropy) -> Result<Components, StartError> {
    let documents = trusted_documents::load(config)?;
    let foreign_tokens = foreign_tokens::load(config)?;
    let templates = Arc::new(load_templates(config)?);
    let mailer = mailer(config, &templates)?;
    // The database before the secret: no secret is created for a database that cannot be opened.
    let store = connect(config).await?;
    set_clock(config, &store, &*sources.clock).await?;
    let (secrets, _) = open_keys(config, &store, &*sources.entropy).await?;
    let data_key = open_data_key(config, &store, &secrets, &*sources.entropy).await?;
    let (secrets, clock) = (Arc::new(secrets), Arc::clone(&sources.clock));
    let for_delivery = Arc::clone(&secrets);
    let policy = &config.policy;
    let token_lifetime = policy.access_token_lifetime + config.issuer.leeway;
    let tokens = ServerTokens { lifetime: token_lifetime, foreign: foreign_tokens };
    let components = compose(config, sources, store, (secrets, data_key), templates, tokens)?;
    let delivery = Delivery {
        store: Arc::clone(&components.store),
        mailer,
        secrets: for_delivery,
        signal: components.auth.emails.signal().clone(),
        clock,
        metrics: Arc::clone(components.auth.system.metrics()),
    };
    let opened = components.keys.open(config.algorithm).await;
    opened.map_err(|error| StartError::of_keys(&config.database, error))?;
    // Before the first login: logins of unknown names are hashed with the parameters of real accounts, so
    // that their time does not tell which names exist.
    let surveyed = components.auth.passwords.survey_hashes().await;
    surveyed.map_err(|error| StartError::of_auth(&config.database, error))?;
    Ok(Components { documents, delivery: Some(Arc::new(delivery)), ..components })
}

/// Sets the clock by the database's, which all replicas share, before it is used for a timestamp.
async fn set_clock(config: &Config, store: &Store, clock: &dyn Clock) -> Result<(), StartError> {
    let (began, asked) = (clock.monotonic(), clock.machine());
    let now = store.now().await;
    let now = now.map_err(|error| StartError::of_store(&config.database, &error))?;
    if let Some(now) = now {
        clock.follow(now, asked, clock.monotonic().saturating_sub(began));
    }
    Ok(())
}

/// Loads the secret and checks that it decrypts every stored key of a known algorithm. A new key encrypted
/// with another secret than the existing keys would keep every process from starting.
pub(super) async fn open_keys(
    config: &Config,
    store: &Store,
    entropy: &dyn Entropy,
) -> Result<(MasterSecrets, Vec<StoredKey>), StartError> {
    let stored = store.signing_keys().await;
    let stored = stored.map_err(|error| StartError::of_store(&config.database, &error))?;
    let secrets = master_secret::load(&config.secret, !stored.is_empty(), entropy)?;
    // A key of an algorithm that only a newer version knows proves nothing about the secret.
    let opens = |key: &StoredKey| {
        key.life.is_destroyed
            || key.algorithm.known().is_none_or(|algorithm| {
                KeyPair::from_sealed(&secrets, &key.kid, algorithm, &key.sealed).is_some()
            })
    };
    if stored.iter().all(opens) { Ok((secrets, stored)) } else { Err(StartError::Sealed) }
}

/// Loads the key that seals secrets of accounts, and makes it where the database has none.
async fn open_data_key(
    config: &Config,
    store: &Store,
    secrets: &MasterSecrets,
    entropy: &dyn Entropy,
) -> Result<DataKey, StartError> {
    let failed = |error| StartError::of_store(&config.database, &error);
    let mut stored = store.data_key().await.map_err(failed)?;
    if stored.is_none() {
        // Where another process was faster, its key is read.
        store.insert_data_key(DataKey::generate(secrets, entropy)?).await.map_err(failed)?;
        stored = store.data_key().await.map_err(failed)?;
    }
    let sealed = stored.ok_or(StartError::Sealed)?;
    let opened = DataKey::open(secrets, &sealed, entropy)?.ok_or(StartError::Sealed)?;
    if let Some(renewed) = opened.renewed {
        store.renew_data_key(sealed, renewed).await.map_err(failed)?;
    }
    Ok(opened.key)
}

/// Opens the components for commands about keys. Creates no key.
pub async fn open_for_keys(config: &Config) -> Result<Components, StartError> {
    open_with_secret(config, own_templates(config)?).await
}

/// As [`open_for_keys`], with the operator's texts of mails, for commands that show them.
pub async fn open_for_emails(config: &Config) -> Result<Components, StartError> {
    open_with_secret(config, load_templates(config)?).await
}

async fn open_with_secret(config: &Config, templates: Templates) -> Result<Components, StartError> {
    let (store, sources) = connect_command(config).await?;
    // Without keys, loading could create a secret for a database that no server has used.
    let stored = store.signing_keys().await;
    let stored = stored.map_err(|error| StartError::of_store(&config.database, &error))?;
    let secrets = if stored.is_empty() {
        unused_secret(&*sources.entropy)?
    } else {
        open_keys(config, &store, &*sources.entropy).await?.0
    };
    let keys = with_unused_data_key(secrets, &*sources.entropy)?;
    compose(config, sources, store, keys, Arc::new(templates), ServerTokens::default())
}

/// Opens the components for commands that issue no tokens, so that they need no secret.
pub async fn open_without_keys(config: &Config) -> Result<Components, StartError> {
    let (store, sources) = connect_command(config).await?;
    let secrets = unused_secret(&*sources.entropy)?;
    let templates = own_templates(config)?;
    let keys = with_unused_data_key(secrets, &*sources.entropy)?;
    compose(config, sources, store, keys, Arc::new(templates), ServerTokens::default())
}

async fn connect_command(config: &Config) -> Result<(Store, ClockAndEntropy), StartError> {
    let sources = ClockAndEntropy::default();
    let store = connect(config).await?;
    set_clock(config, &store, &*sources.clock).await?;
    Ok((store, sources))
}

/// A random secret for components that use none.
fn unused_secret(entropy: &dyn Entropy) -> Result<MasterSecrets, StartError> {
    Ok(MasterSecrets::parse(&MasterSecret::generate(entropy))?)
}

/// A random data key for components that seal no secrets of accounts.
fn with_unused_data_key(
    secrets: MasterSecrets,
    entropy: &dyn Entropy,
) -> Result<(Arc<MasterSecrets>, DataKey), StartError> {
    let sealed = DataKey::generate(&secrets, entropy)?;
    let opened = DataKey::open(&secrets, &sealed, entropy)?.ok_or(StartError::Sealed)?;
    Ok((Arc::new(secrets), opened.key))
}

/// What only a server has: commands issue and accept no tokens.
#[derive(Default)]
struct ServerTokens {
    /// Of access tokens, with the leeway.
    lifetime: Duration,
    foreign: Option<ForeignTokenSettings>,
}

fn compose(
    config: &Config,
    sources: ClockAndEntropy,
    store: Store,
    (secrets, data_key): (Arc<MasterSecrets>, DataKey),
    templates: Arc<Templates>,
    tokens: ServerTokens,
) -> Result<Components, StartError> {
    let ClockAndEntropy { clock, entropy } = sources;
    let ServerTokens { lifetime: token_lifetime, foreign: foreign_tokens } = tokens;
    let store = Arc::new(store);
    let staleness = config.revocation_staleness;
    let revocations = Revocations::new(Arc::clone(&clock), staleness, token_lifetime);
    let revocations = Arc::new(revocations);
    let refresh_keys = RefreshKeys::derive(&secrets)?;
    let (throttle_key, mail_key) =
        (BlindIndexKey::derive(&secrets)?, BlindIndexKey::derive(&secrets)?);
    let code_keys = [CodeKeys::derive(&secrets)?, CodeKeys::derive(&secrets)?];
    let keys = Keys::new(
        Arc::clone(&store),
        Arc::clone(&secrets),
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
        secrets,
        data_key,
        code_keys,
        mail_key,
        emails: config.email.settings.clone(),
        templates,
        relying_party: config.relying_party.clone(),
        issuer: config.issuer.clone(),
        revocations: Arc::clone(&revocations),
        metrics: Arc::new(Metrics::default()),
        hashing: Hashing::new(memory, passes, 1)?,
        policy: config.policy.clone(),
        foreign_tokens,
        clock,
        entropy: Arc::clone(&entropy),
    });
    let (documents, subscribers) = Default::default();
    let auth = Arc::new(auth);
    let delivery = None;
    Ok(Components { auth, store, revocations, keys, entropy, documents, subscribers, delivery })
}

impl Components {
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

    /// Keeps the revocation list and the signing keys up to date.
    #[must_use]
    pub fn revocation_sync(&self) -> RevocationSync {
        let keys = Arc::clone(&self.keys);
        RevocationSync::new(&self.store, Arc::clone(&self.revocations)).with_key_listener(keys)
    }
}
