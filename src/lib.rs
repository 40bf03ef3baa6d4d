//! Sallyport: authentication for GraphQL, with login, refresh and logout as mutations.
//!
//! The manual for users is [`cli::help::topics`]. This page is for people who change the program.
//!
//! # Rooms
//! A room is a top-level module. Imports point one way only, along the arrows of this picture (a room
//! may skip others), and there is no circle inside a room. Tests hold both.
//!
//! ```text
//!                  cli                 commands
//!                   |
//!                   v
//!                  app                 composition of a running service
//!                   |
//!                   v
//!    config  --->  http  ---> telemetry    flags | routes and protocols | the log
//!                   |
//!                   v
//!                graphql               schema, resolvers, limits on documents
//!                   |
//!                   v
//!                  auth                every rule: who is logged in, who may do what
//!                   |
//!                   v
//!            revocation, mail          the ended sessions in memory | texts and delivery of mails
//!                   |
//!                   v
//!                 store                SQLite and PostgreSQL, the only SQL
//!                   |
//!                   v
//!            crypto, metrics           tokens and passwords | counters
//!                   |
//!                   v
//!                 domain               values and decisions, no I/O
//!                   |
//!                   v
//!  clock, entropy, redacted, bounded_cache
//! ```
//!
//! - [`clock`] and [`entropy`]: time and randomness, as arguments.
//! - [`bounded_cache`]: the least-recently-used cache behind every cache of the service.
//! - [`redacted`]: `Debug` for types that hold secrets.
//! - [`domain`]: users, sessions, blacklist entries; values and decisions, no I/O.
//! - [`crypto`]: passwords, passkeys, the master secret, signing keys and both kinds of token.
//! - [`metrics`]: counters of the service.
//! - [`store`]: SQLite and PostgreSQL, the only SQL. Each method is one transaction.
//! - [`mail`]: texts of e-mails from templates, the SMTP client, and the delivery from the outbox.
//! - [`revocation`]: the ended sessions in memory, and their sync with the database.
//! - [`auth`]: every rule about who is logged in and who may do what.
//! - [`graphql`]: the schema, its resolvers, and the limits on documents.
//! - [`http`]: routes, middleware, GraphQL over HTTP, WebSocket and event streams, the endpoints of SimpleJWT.
//! - [`config`]: flags, environment variables and the configuration file. [`telemetry`]: the log.
//! - [`app`]: composition of a running service. [`cli`]: the commands.
//!
//! # Walkthroughs
//! Every request takes the same way first:
//! 1. [`http::server`] accepts the connection and enforces its limits.
//! 2. `http/middleware.rs` adds the request ID, the deadline and the security headers, and logs.
//! 3. `http/caller.rs` reads the bearer token, and [`auth::Guard::caller`] verifies it.
//! 4. [`http::graphql`] reads the parameters, resolves persisted documents, and checks the document against
//!    the limits of [`graphql::document`].
//! 5. async-graphql executes it, and asks `graphql/requires_auth.rs` before each protected root field.
//!
//! ## Log in
//! 1. The resolver of `login` ([`graphql::Mutation`]) calls [`auth::Sessions::log_in`].
//! 2. [`auth::Passwords::verify`] takes the lock of the attempt, waits for a permit to hash, reads the
//!    account's credentials ([`store::Store::credentials_by_name`]), lets `auth/passwords/admission.rs` decide
//!    whether the attempt is over a limit, and verifies the password. Its result is a proof
//!    (`auth/proof.rs`).
//! 3. [`auth::Sessions::open`] judges the proof by the policy (`auth/sessions/judge.rs`) and opens the session:
//!    the only place where one begins. [`store::Store::open_session`] checks in the same transaction that the proof still holds
//!    ([`store::Grounds`]: the password hash is still the same).
//! 4. `auth/sessions/token_issuer.rs` signs both tokens from the committed row.
//! 5. [`auth::Sessions::deliver`] moves the refresh token into the cookie if that is its transport;
//!    `http/cookie.rs` writes the header.
//!
//! Clients of SimpleJWT log in at `http/simplejwt/obtain.rs`, which calls the same use case; so do its neighbours
//! for refreshes and logouts.
//!
//! ## The second step of a login
//! 1. Where the policy asks for more, `auth/sessions/begin_step.rs` stores a challenge instead of a session
//!    ([`store::Store::begin_step`]), by the same grounds, in one transaction.
//! 2. The resolver of `continueLogin` calls [`auth::Sessions::continue_login`]. `auth/factors/second_step.rs`
//!    takes an attempt, judges the factor, and makes a proof of both steps.
//! 3. [`auth::Sessions::open`] opens the session by it. The transaction uses up the factor and the challenge.
//! 4. Where a factor has to be added first, [`auth::Enrollments`] adds it in the same transaction.
//!
//! ## Refresh
//! 1. The resolver of `refresh` calls [`auth::Sessions::refresh`], which verifies the refresh token
//!    (`auth/sessions/token_issuer.rs`) and takes the session's lock in this process.
//! 2. [`store::Store::rotate`] replaces the outstanding refresh token by compare-and-swap. Rotations of several
//!    sessions are batched into one statement (`store/rotation/batch.rs`).
//! 3. If nothing was swapped, [`store::Store::known_token`] reads the session, and
//!    [`domain::session::Session::decide_refresh`] decides: a retry, stale, reused, expired, or of an ended
//!    session.
//! 4. A retry returns the same tokens again (`auth/sessions/refresh_retry.rs`); a reused token ends the session
//!    (`auth/sessions/reuse.rs`).
//! 5. The tokens are signed and delivered as after a login.
//!
//! ## The exchange of another system's refresh token
//! 1. [`auth::Sessions::refresh`] sees by the header that this service did not issue the token
//!    (`crypto/foreign_token.rs`), and goes to `auth/sessions/exchange.rs`.
//! 2. [`store::Store::foreign_token`] reads the account and what the import said of the token;
//!    [`domain::foreign_token::ForeignToken::decide`] decides.
//! 3. [`auth::Sessions::open`] opens the session. Its transaction marks the token as exchanged
//!    (`store/foreign_tokens/exchange.rs`), by locks against an end of all sessions at the same time.
//! 4. A token that was exchanged gets the same pair again while nobody has used the new refresh token.
//!
//! ## Import accounts
//! 1. `cli/import.rs` opens the file, and [`auth::Imports::read`] reads it into a temporary database
//!    (`store/imports/staging.rs`), line by line ([`domain::import`]), and compares it with the accounts here.
//! 2. [`auth::Imports::apply`] writes what differs in batches, each a transaction (`store/imports`).
//!
//! ## Log out everywhere
//! 1. The resolver of `logout` calls [`auth::Sessions::log_out`]. The refresh token, the bearer token or the
//!    cookie names the session that logs out. To end other sessions it must be active.
//! 2. [`auth::SessionEnds::end`] ends the rows in one transaction ([`store::Store::end_sessions`]), and adds
//!    them to [`revocation::Revocations`] before it answers.
//! 3. For very many sessions the transaction writes a floor instead ([`store::Floor`]): one row that says that
//!    all of a user's sessions with lower IDs have ended. [`auth::SessionEnds::end_rows`] ends their own rows in
//!    the background.
//! 4. The other replicas read the feed: [`revocation::RevocationSync`] asks [`store::FeedReader`], adds what it
//!    read to [`revocation::Revocations`], and wakes the subscriptions ([`auth::EndStream`]). From then on their
//!    guards refuse the access tokens.
//!
//! ## A guarded query
//! 1. `graphql/requires_auth.rs` reads the field's `@requiresAuth` from the schema as an [`auth::Requirement`].
//! 2. [`auth::Guard::authorize`] checks the verified token against its expiry and, by
//!    [`revocation::Revocations::end_of`], against the ended sessions. Both are in memory. If that set is too
//!    old, the answer is `SERVICE_UNAVAILABLE`.
//! 3. The resolver ([`graphql::Query`]) reads through [`auth::Reads`], which narrows a list to what its
//!    [`auth::Reader`] may see.
//!
//! ## Send a mail
//! 1. A use case composes the mail ([`auth::Emails`]), and the store queues it in the transaction of the change
//!    that it is about ([`store::NewMail`]).
//! 2. [`mail::Delivery`] of any replica leases it ([`store::Store::lease_mails`]), opens and renders it
//!    (`mail/outcome.rs`, [`mail::Mailer`]), and gives it to the SMTP server ([`mail::SmtpClient`]).
//! 3. A mail that was sent is deleted. `mail/retry.rs` decides when another one is attempted again.
//!
//! # Where to change things
//! - A setting: its flag in `config/service.rs` or a neighbour, one file for each heading of the help, and
//!   `src/help/settings.md`.
//! - A command: `cli/command_line.rs`. A topic of the manual: `src/help`, and the list in `cli/help.rs`.
//! - A way to log in (another provider): a variant of the proof in `auth/proof.rs`,
//!   made in a module of its own beside `auth/passwords/mod.rs`, and a variant of [`store::Grounds`] that the store
//!   checks. The compiler then names the matches in `auth/sessions/open.rs`, and the test of the policy the
//!   mutation of the schema that it does not know.
//! - A second factor: a variant of [`auth::FactorProof`] and of [`store::UseFactor`], and its rows in
//!   `store/factors`.
//! - An error code of a payload: [`auth::UserErrorCode`], and its twin in `graphql/types/enums.rs`. One of the
//!   top level: `graphql/error.rs`, and `graphql/refusal.rs` for documents. Both: `src/help/errors.md`.
//! - What an administrator may do: the use case takes an [`auth::Admin`] (`auth/authority.rs`).
//! - An audit event: its kind in `domain/audit.rs`. It is recorded in the transaction of the change.
//! - What a purge deletes: `store/retention/purge.rs`, and `store/retention/client_metadata.rs` for addresses
//!   and user agents. Its batches: `auth/system/purge.rs`.
//! - An e-mail: its purpose in `domain/mail.rs`, its values in `mail/content.rs`, its texts in
//!   `src/mail/templates`, and their names in `mail/template_files.rs`.
//! - A migration: `migrations/README.md` has the rules.
//! - A correction of async-graphql: `graphql/conformance/mod.rs`.
//! - A test: `tests/README.md` says where it belongs.

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
pub mod mail;
pub mod metrics;
pub mod redacted;
pub mod revocation;
pub mod store;
pub mod telemetry;
