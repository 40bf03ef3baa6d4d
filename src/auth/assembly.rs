//! Construction of [`Auth`] from the parts that its capabilities share.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Auth;
use super::accounts::Accounts;
use super::bucket_locks::BucketLocks;
use super::challenges::Challenges;
use super::emails::{EmailSettings, Emails};
use super::enrollment::Enrollments;
use super::factors::SecondFactors;
use super::foreign_tokens::ForeignTokenSettings;
use super::guard::Guard;
use super::imported_settings::ImportedSettings;
use super::imports::Imports;
use super::keys::Keys;
use super::passwords::Passwords;
use super::policy::Policy;
use super::reads::Reads;
use super::sessions::{SessionEnds, Sessions, TokenIssuer};
use super::system::System;
use super::user_cache::UserCache;
use crate::clock::Clock;
use crate::crypto::access_token::Issuer;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::data_key::DataKey;
use crate::crypto::one_time_code::CodeKeys;
use crate::crypto::passkey::RelyingParty;
use crate::crypto::password::Hashing;
use crate::crypto::refresh_token::RefreshKeys;
use crate::crypto::secret::MasterSecrets;
use crate::entropy::Entropy;
use crate::mail::{QueueSignal, Templates};
use crate::metrics::Metrics;
use crate::revocation::Revocations;
use crate::store::Store;

pub struct Parts {
    pub store: Arc<Store>,
    /// Keys of access tokens.
    pub keys: Arc<Keys>,
    /// Keys of refresh tokens.
    pub refresh_keys: RefreshKeys,
    /// Key of the digests under which attempts are counted.
    pub throttle_key: BlindIndexKey,
    /// Key of the digests under which mails are counted.
    pub mail_key: BlindIndexKey,
    /// Keys of the digests of codes: for making and for judging them.
    pub code_keys: [CodeKeys; 2],
    pub secrets: Arc<MasterSecrets>,
    /// Seals secrets of accounts.
    pub data_key: DataKey,
    pub emails: EmailSettings,
    pub templates: Arc<Templates>,
    /// For passkeys; `None` where the service has none.
    pub relying_party: Option<RelyingParty>,
    pub issuer: Issuer,
    pub revocations: Arc<Revocations>,
    pub metrics: Arc<Metrics>,
    pub hashing: Hashing,
    pub policy: Policy,
    /// Acceptance of another system's refresh tokens.
    pub foreign_tokens: Option<ForeignTokenSettings>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl From<Parts> for Auth {
    #[expect(clippy::too_many_lines, reason = "one construction after the other, without a branch")]
    fn from(parts: Parts) -> Self {
        let Parts { store, keys, refresh_keys, throttle_key, issuer, revocations, .. } = parts;
        let Parts { metrics, hashing, policy, clock, entropy, .. } = parts;
        let Parts {
            mail_key,
            code_keys,
            secrets,
            data_key,
            relying_party,
            emails,
            templates,
            foreign_tokens,
            ..
        } = parts;
        let foreign_source = foreign_tokens.as_ref().map(|settings| settings.source.clone());
        let guard = Arc::new(Guard {
            keys: Arc::clone(&keys),
            revocations: Arc::clone(&revocations),
            issuer: issuer.clone(),
            clock: Arc::clone(&clock),
        });
        let passwords = Arc::new(Passwords::new(
            Arc::clone(&store),
            hashing,
            throttle_key,
            &policy,
            Arc::clone(&clock),
            Arc::clone(&entropy),
        ));
        let [making, judging] = code_keys;
        let emails = Arc::new(Emails {
            store: Arc::clone(&store),
            secrets,
            codes: making,
            buckets: mail_key,
            settings: emails,
            templates,
            signal: QueueSignal::default(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let factors = Arc::new(SecondFactors {
            store: Arc::clone(&store),
            data_key,
            relying_party: relying_party.clone(),
            secrets: Arc::clone(&emails.secrets),
            service: emails.settings.links.service().to_owned(),
            passwords: Arc::clone(&passwords),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let challenges = Arc::new(Challenges {
            store: Arc::clone(&store),
            codes: judging,
            passwords: Arc::clone(&passwords),
            clock: Arc::clone(&clock),
        });
        let ends = Arc::new(SessionEnds::new(
            Arc::clone(&store),
            Arc::clone(&revocations),
            Arc::clone(&metrics),
            Arc::clone(&clock),
            &*entropy,
        ));
        let tokens = TokenIssuer {
            keys: Arc::clone(&keys),
            refresh_keys,
            issuer,
            access_token_lifetime: policy.access_token_lifetime,
            entropy: Arc::clone(&entropy),
        };
        let sessions = Arc::new(Sessions {
            store: Arc::clone(&store),
            guard: Arc::clone(&guard),
            passwords: Arc::clone(&passwords),
            challenges: Arc::clone(&challenges),
            emails: Arc::clone(&emails),
            factors: Arc::clone(&factors),
            tokens,
            ends: Arc::clone(&ends),
            revocations: Arc::clone(&revocations),
            metrics: Arc::clone(&metrics),
            refreshes: BucketLocks::default(),
            foreign: foreign_tokens.map(Arc::new),
            policy: policy.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let users = Arc::new(UserCache::default());
        let accounts = Accounts {
            store: Arc::clone(&store),
            passwords: Arc::clone(&passwords),
            sessions: Arc::clone(&sessions),
            ends: Arc::clone(&ends),
            challenges,
            emails: Arc::clone(&emails),
            refuse_unverified_email: policy.refuse_unverified_email,
            users: Arc::clone(&users),
            registration_open: policy.registration_open,
            clock: Arc::clone(&clock),
        };
        let enrollments = Enrollments {
            store: Arc::clone(&store),
            factors,
            sessions: Arc::clone(&sessions),
            ends: Arc::clone(&ends),
            emails: Arc::clone(&emails),
            policy: policy.second_factor,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        };
        let imports = Imports {
            store: Arc::clone(&store),
            passwords: Arc::clone(&passwords),
            ends: Arc::clone(&ends),
            latest_status: tokio::sync::Mutex::default(),
            clock: Arc::clone(&clock),
            entropy,
        };
        let reads = Reads {
            store: Arc::clone(&store),
            ends: Arc::clone(&ends),
            users,
            second_factor: policy.second_factor,
            relying_party,
            clock: Arc::clone(&clock),
        };
        let imported = ImportedSettings {
            store: Arc::clone(&store),
            source: foreign_source,
            clock: Arc::clone(&clock),
            read: Mutex::default(),
        };
        let system = System {
            store,
            keys: Arc::clone(&keys),
            passwords: Arc::clone(&passwords),
            revocations,
            metrics,
            policy,
            clock,
        };
        Self {
            guard,
            passwords,
            sessions,
            ends,
            accounts,
            enrollments,
            emails,
            keys,
            reads,
            imported,
            imports,
            system,
        }
    }
}
