//! Micro-benchmarks of the parts of a request.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use criterion::{Criterion, criterion_group, criterion_main};
use sallyport::app::{self, ClockAndEntropy, Components};
use sallyport::auth::{Admin, Cookies, Login, LoginOutcome, NewAccount, TokenTransport};
use sallyport::clock::{Clock, SystemClock};
use sallyport::config::{Config, ServeArguments};
use sallyport::crypto::access_token::{self, AccessToken, Issuer};
use sallyport::crypto::algorithm::SigningAlgorithm;
use sallyport::crypto::key_pair::KeyPair;
use sallyport::crypto::key_ring::KeyRing;
use sallyport::domain::assurance::Assurance;
use sallyport::domain::authentication::{Method, Methods};
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::origin::Origin;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::graphql::cursor;
use sallyport::graphql::document::{Limits, prepare};
use sallyport::store::EndedSession;
use tokio::runtime::Runtime;

const PASSWORD: &str = "tangerine-orbit-quartz-41";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArguments,
}

/// A service without its listeners, and an access token of one session.
async fn service(directory: &std::path::Path) -> (Components, String) {
    let url = format!("sqlite://{}", directory.join("micro.db").display());
    let secret = "0123456789abcdefghijklmnopqrstuv";
    let line = ["sallyport", "--database-url", &url, "--secret", secret];
    let line = Line::try_parse_from(line.into_iter().chain(["--hashing-memory", "8"]));
    let config = Config::parse(line.expect("flags").serve).expect("a configuration");
    let core = app::open(&config, ClockAndEntropy::default()).await.expect("a service");
    core.revocation_sync().read().await.expect("fresh");
    let account = NewAccount {
        username: "ann",
        password: PASSWORD,
        email: None,
        role: Role::User,
        locale: None,
    };
    let made = core.auth.accounts.create(Admin::operator(), account, Origin::default()).await;
    made.expect("an account");
    let login = Login {
        username: "ann",
        password: PASSWORD,
        session_name: None,
        device_token: None,
        languages: &[],
    };
    let (transport, cookie) = (TokenTransport::Body, Cookies::unavailable("not a browser"));
    let logged_in = core.auth.sessions.log_in(login, transport, &cookie, Origin::default()).await;
    let LoginOutcome::Session(_, signed_in) = logged_in.expect("a login") else {
        panic!("no session");
    };
    let (_, tokens) = signed_in.into_parts();
    (core, tokens.access_token)
}

fn ends(count: usize) -> Vec<EndedSession> {
    let now = SystemClock::new().now();
    let ended = |_| EndedSession {
        id: SessionId::new(now, &SystemEntropy),
        user_id: UserId::new(now, &SystemEntropy),
        reason: EndReason::Logout,
        until: now + Duration::from_hours(1),
    };
    (0..count).map(ended).collect()
}

fn guard(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = Runtime::new().expect("a runtime");
    let (core, token) = runtime.block_on(service(directory.path()));
    let mut feed = core.revocation_sync();
    let mut held = 0;
    for count in [0, 100_000, 1_000_000] {
        core.revocations.add(&ends(count - held));
        held = count;
        runtime.block_on(feed.read()).expect("fresh");
        criterion.bench_function(&format!("guard, {count} ended sessions"), |bencher| {
            bencher.to_async(Inside(&runtime)).iter(|| async {
                let caller = core.auth.guard.caller(Some(&token), Origin::default()).await;
                black_box(core.auth.guard.authenticate(&caller)).ok()
            });
        });
        let session = SessionId::new(SystemClock::new().now(), &SystemEntropy);
        let user = UserId::new(SystemClock::new().now(), &SystemEntropy);
        criterion.bench_function(&format!("look-up among {count} ended sessions"), |bencher| {
            bencher.iter(|| core.revocations.end_of(user, black_box(session)));
        });
    }
}

struct Inside<'a>(&'a Runtime);

impl criterion::async_executor::AsyncExecutor for Inside<'_> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

fn tokens(criterion: &mut Criterion) {
    let now = SystemClock::new().now().floor_to_second();
    let issuer = Issuer {
        issuer: "https://auth.example.com".to_owned(),
        audience: "api".to_owned(),
        client_id: "web".to_owned(),
        leeway: Duration::from_secs(2),
    };
    let token = AccessToken {
        methods: Methods::of(&[Method::Password]),
        assurance: Assurance::SingleFactor,
        factor_time: None,
        user_id: UserId::new(now, &SystemEntropy),
        session_id: SessionId::new(now, &SystemEntropy),
        id: TokenId::new(now, &SystemEntropy),
        issued_at: now,
        expires_at: now + Duration::from_hours(1),
        auth_time: now,
        role: Role::User,
        external_id: None,
    };
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256] {
        let key = Arc::new(KeyPair::generate(algorithm).expect("a key"));
        let ring = KeyRing::new(key, []);
        let text = access_token::sign(&ring, &issuer, &token).expect("a token");
        let name = algorithm.as_str();
        criterion.bench_function(&format!("sign an access token, {name}"), |bencher| {
            bencher.iter(|| access_token::sign(&ring, &issuer, black_box(&token)));
        });
        criterion.bench_function(&format!("verify an access token, {name}"), |bencher| {
            bencher.iter(|| access_token::verify(&ring, &issuer, black_box(&text), now));
        });
    }
}

fn documents(criterion: &mut Criterion) {
    let limits = Limits::default();
    let long = format!("{{ viewer {{ {} }} }}", "id username ".repeat(90));
    for (name, text) in [("short", "{ viewerSession { sid } }"), ("of 180 fields", long.as_str())] {
        criterion.bench_function(&format!("scan, parse and cost a document, {name}"), |bencher| {
            bencher.iter(|| prepare(black_box(text), None, &limits));
        });
    }
}

fn cursors(criterion: &mut Criterion) {
    let now = SystemClock::new().now();
    let key = (now, TokenId::new(now, &SystemEntropy));
    criterion.bench_function("write and read a cursor", |bencher| {
        bencher.iter(|| {
            let text = cursor::encode(black_box(&key));
            cursor::decode::<(sallyport::clock::Timestamp, TokenId)>(Some(text)).ok()
        });
    });
}

criterion_group!(benches, guard, tokens, documents, cursors);
criterion_main!(benches);
