//! Commands about e-mails, against a scripted SMTP server.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use sallyport::clock::{Clock, SystemClock, Timestamp};
use sallyport::crypto::secret::MasterSecrets;
use sallyport::domain::id::EmailId;
use sallyport::domain::origin::Origin;
use sallyport::entropy::SystemEntropy;
use sallyport::mail::{CodeOnly, Mail, MailCode, RequestedFrom, seal_context};
use sallyport::store::{MailContent, NewMail, Store};
use serde_json::{Value, json};

use super::site::{SECRET, Site};
use crate::mail::server::{Replies, Server};

/// The only database of the site.
const DATABASE: &str = "sallyport.db";

fn text(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

async fn test_mail(replies: Replies, flags: &str) -> (Option<i32>, String, String, Vec<String>) {
    let server = Server::start(replies).await;
    let site = Site::new("");
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let mut program = site.program(&format!("email test ada@example.com {flags}"));
    program.env("SALLYPORT_SMTP_URL", url);
    let output = tokio::task::spawn_blocking(move || program.output().expect("the binary"));
    let (code, said, error) = text(&output.await.expect("the output"));
    let transcript = server.transcript().await;
    let lines = transcript.message.lines().map(str::to_owned).collect();
    (code, said, error, lines)
}

#[tokio::test]
async fn a_test_mail_is_sent_without_a_database() {
    let flags = "--email-from noreply@a.example --app-url https://app.example.com";
    let (code, said, error, message) = test_mail(&[], flags).await;
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(
        said.starts_with("Sent a test e-mail to ada@example.com by smtp://127.0.0.1:"),
        "{said}"
    );
    assert!(message.iter().any(|line| line == "From: noreply@a.example"), "{message:?}");
    assert!(message.iter().any(|line| line.contains("https://app.example.com/")), "{message:?}");
}

#[tokio::test]
async fn the_refusal_of_a_test_mail_is_printed() {
    let (code, said, error, _) = test_mail(&[("RCPT", "550 5.1.1 unknown user")], "").await;
    assert_eq!((code, said.as_str()), (Some(1), ""));
    let expected = "The recipient was refused by the server: 550 5.1.1 unknown user.\n";
    assert!(error.ends_with(expected) && error.lines().count() == 1, "{error}");
}

#[test]
fn a_test_mail_needs_a_server_and_an_address() {
    let site = Site::new("");
    for (arguments, expected) in [
        ("email test ada@example.com", "sallyport: No SMTP server is set; set --smtp-url.\n"),
        ("email test ada", "An e-mail address must look like name@example.com"),
    ] {
        let (code, said, error) = text(&site.run(arguments));
        assert_eq!((code, said.as_str()), (Some(1), ""), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    assert!(!site.path(DATABASE).exists());
}

/// Queues a mail with a code, as the service does.
async fn queue(store: &Store, now: Timestamp) -> EmailId {
    let secrets = MasterSecrets::parse(SECRET).expect("a secret");
    let mail = Mail::Reauthenticate(CodeOnly {
        code: MailCode::parse("12345678").expect("a code"),
        code_validity: Duration::from_mins(10).into(),
        requested: RequestedFrom::new(&Origin::default(), now),
    });
    let id = EmailId::new(now, &SystemEntropy);
    let (context, json) = (seal_context(id), mail.to_json());
    let sealed = secrets.seal(&context, json.as_bytes(), &SystemEntropy).expect("a seal");
    let mail = NewMail {
        id,
        purpose: "reauthenticate",
        user: None,
        address: Some("ada@example.com".to_owned()),
        language: "ko",
        content: MailContent::Sealed(sealed),
        created_at: now,
        expires_at: now + Duration::from_mins(10),
    };
    store.queue(mail).await.expect("a queued mail");
    id
}

/// A site with a signing key of the secret, and one mail.
async fn site_with_mail() -> (Site, Arc<Store>, EmailId) {
    let site = Site::new(&format!("[database]\nsecret = \"{SECRET}\"\n"));
    let url = format!("sqlite://{}", site.path(DATABASE).display());
    let store = Store::connect(&url.parse().expect("a URL")).await.expect("a connection");
    store.migrate().await.expect("migrations");
    let id = queue(&store, SystemClock::new().now()).await;
    (site, Arc::new(store), id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsent_mails_are_listed_with_their_text() {
    let (site, store, id) = site_with_mail().await;
    // The commands open the secret by a key, as one that a server has created.
    add_key(&store).await;
    let (code, said, error) = text(&site.run("email list --json --config sallyport.toml"));
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let mail: Value = serde_json::from_str(&said).expect("one object");
    let mut names: Vec<&str> =
        mail.as_object().expect("an object").keys().map(|it| &**it).collect();
    names.sort_unstable();
    let expected = "attempts created_at id last_error locale purpose sent_at state subject text to";
    assert_eq!(names.join(" "), expected);
    for (name, value) in [
        ("id", json!(id.to_string())),
        ("purpose", json!("reauthenticate")),
        ("to", json!("ada@example.com")),
        ("locale", json!("ko")),
        ("state", json!("PENDING")),
        ("attempts", json!(0)),
        ("last_error", Value::Null),
        ("sent_at", Value::Null),
    ] {
        assert_eq!(mail[name], value, "{name}");
    }
    let lines: Vec<&str> = mail["text"].as_str().expect("a text").lines().collect();
    assert!(lines.contains(&"12345678") && mail["subject"].is_string(), "{mail}");
    let (_, table, _) = text(&site.run("email list --config sallyport.toml"));
    let headings: Vec<&str> = table.lines().next().expect("headings").split_whitespace().collect();
    assert_eq!(headings, ["ID", "PURPOSE", "TO", "SUBJECT", "STATE", "ATTEMPTS", "CREATED"]);
    assert!(table.contains(" PENDING ") && !table.contains("12345678"), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_mails_are_queued_again() {
    let (site, store, id) = site_with_mail().await;
    let now = SystemClock::new().now();
    let leased = store.lease_mails(now, now, 1).await.expect("a lease").remove(0);
    assert_eq!(leased.id, id);
    store.mail_failed(&leased, "It failed.".to_owned(), None).await.expect("a report");
    let retry = || text(&site.run("email retry --config sallyport.toml")).1;
    assert_eq!(retry(), "Queued 1 e-mail to be sent again by the running server.\n");
    assert!(store.has_due_mail(SystemClock::new().now()).await.expect("an answer"));
}

/// Adds a signing key that the secret opens.
async fn add_key(store: &Arc<Store>) {
    let keys = sallyport::auth::Keys::new(
        Arc::clone(store),
        Arc::new(MasterSecrets::parse(SECRET).expect("a secret")),
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
        Duration::from_mins(15),
    );
    keys.open(None).await.expect("a key");
}
