//! Sallyport: authentication for GraphQL, with login, refresh and logout as mutations.
//!
//! # Rooms
//! A room is a top-level module. Imports point one way only, from the bottom of this list to its top, and
//! in no circle inside a room; tests hold both.
//!
//! - [`clock`] and [`entropy`]: time and randomness, as arguments.
//! - [`bounded_cache`]: the least-recently-used cache behind every cache of the service.
//! - [`redacted`]: `Debug` for types that hold secrets.
//! - [`domain`]: users, sessions, blacklist entries; values and decisions, no I/O.
//! - [`crypto`]: passwords, the master secret, signing keys and both kinds of token.
//! - [`metrics`]: counters of the service.
//! - [`store`]: SQLite and PostgreSQL, the only SQL.
//! - [`revocation`]: the ended sessions in memory, and their sync with the database.
//! - [`auth`]: every rule about who is logged in and who may do what.
//! - [`graphql`]: the schema, its resolvers, and the limits on documents.
//! - [`http`]: routes, middleware, GraphQL over HTTP, WebSocket and event streams.
//! - [`config`]: flags and environment variables. [`telemetry`]: the log.
//! - [`app`]: composition of a running service. [`cli`]: the commands.
//!
//! # Walkthroughs
//! Every request goes through the same files first: [`http::server`] (connections and their limits),
//! `http/middleware.rs` (deadline, request id, security headers), `http/caller.rs` (the bearer token,
//! verified by [`auth::Guard::caller`]), [`http::graphql`] (parameters, persisted documents, limits of
//! [`graphql::document`]), then async-graphql's executor, which asks `graphql/requires_auth.rs` before
//! each protected root field.
//!
//! **Login.** The resolver in `graphql/mutations/login.rs` calls [`auth::Sessions::log_in`]
//! (`auth/sessions/login.rs`):
//! 1. `auth/passwords/verify.rs` takes the lock of the attempt, waits for a permit to hash, reads the
//!    account's credentials, lets `auth/passwords/admission.rs` decide whether the attempt is over a limit,
//!    and verifies the password. Its result is a proof.
//! 2. `auth/sessions/open.rs` opens the session by the proof: the one place where a session begins. The
//!    store's [`open_session`](store::Store::open_session) checks in the same transaction that the proof
//!    still holds (`store/credentials.rs` compares the hash).
//! 3. `auth/sessions/token_issuer.rs` signs both tokens from the committed row.
//! 4. `auth/sessions/deliver_tokens.rs` moves the refresh token into the cookie, if that is its transport;
//!    `http/cookie.rs` writes the header.
//!
//! A further proof (a magic link, a passkey, another provider) is a variant of `auth/proof.rs`, made in a
//! module of its own beside `auth/passwords/mod.rs`, with a variant of [`store::Grounds`] that the store
//! checks. The compiler then names the matches in `auth/sessions/open.rs`.
//!
//! **Refresh.** [`auth::Sessions::refresh`] (`auth/sessions/refresh.rs`):
//! 1. The refresh token is verified, and the session's lock in this process taken.
//! 2. The store's [`rotate`](store::Store::rotate) replaces the outstanding refresh token by
//!    compare-and-swap, of several sessions in one batch.
//! 3. Only where nothing was swapped, the session is read, and `domain/refresh_decision.rs` decides what the
//!    token is: a retry, stale, reused, expired, or of a session that has ended. The consequences are in
//!    `auth/sessions/refresh_retry.rs` and `auth/sessions/reuse.rs`.
//!
//! **Logout of all sessions.** [`auth::Sessions::log_out`] (`auth/sessions/logout.rs`):
//! 1. The refresh token, the bearer token or the cookie says which session logs out; to end others it must be
//!    live.
//! 2. `auth/sessions/end.rs` ends the rows in one transaction and adds them to [`revocation::Revocations`]
//!    before it answers. Of very many sessions it sets a floor instead: one row that says that all of a
//!    user's sessions with lower ids have ended, whose own rows `auth/sessions/end_floor_rows.rs` ends in the
//!    background.
//! 3. Other replicas read the feed: `revocation/feed_sync.rs` asks `store/session_ends/feed.rs` and wakes the
//!    subscriptions (`auth/sessions/end_stream.rs`), and the guard refuses the access tokens.
//!
//! **Guarded query.** `graphql/requires_auth.rs` reads the field's `@requiresAuth` from the schema as an
//! [`auth::Requirement`]; [`auth::Guard::authorize`] checks the verified token against its expiry and the
//! ended sessions, in memory; the resolver reads through [`auth::Reads`], which narrows a list to what its
//! reader may see.
//!
//! # Where to change things
//! - An error code of a payload: [`auth::UserErrorCode`], and its twin in `graphql/types/enums.rs`; one of the
//!   top level: `graphql/error.rs`, and `graphql/refusal.rs` for documents.
//! - What an administrator may do: the use case takes an [`auth::Admin`] (`auth/authority.rs`).
//! - An audit event: its kind in `domain/audit.rs`; it is recorded in the transaction of the change.
//! - What a purge deletes: `store/retention/purge.rs`, and `store/retention/client_metadata.rs` for addresses
//!   and user agents; its batches: `auth/system/purge.rs`.
//! - A migration: `migrations/README.md` has the rules.
//! - A correction of async-graphql: `graphql/conformance/mod.rs`.

pub mod app;
pub mod auth;
pub mod bounded_cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod entropy;
pub mod graphql;
pub mod http;
pub mod metrics;
pub mod redacted;
pub mod revocation;
pub mod store;
pub mod telemetry;
