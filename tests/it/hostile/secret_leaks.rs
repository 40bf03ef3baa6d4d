//! Recognizable secrets are sent in all valid and invalid ways; then all output and storage of the
//! service is searched for them, as they are and in other encodings.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::databases::{Database, Raw, on_both};
use crate::program::Process;
use crate::subscriptions::client::Client;

on_both!(no_secret_is_written_anywhere);

/// Password of the administrator, from the environment.
const ADMIN: &str = "canary-Admin-kettle-83-wharf";
const PASSWORD: &str = "canary-Password-marble-19-fjord";
const NEXT_PASSWORD: &str = "canary-Next-walnut-57-gravel";
const WRONG_PASSWORD: &str = "canary-Wrong-cobalt-44-spindle";
const MASTER: &str = "canary-Master-0f8d6b3e71c24a95d0b7";
const BEARER: &str = "canary-Bearer-eyJhbGciOiJFUzI1NiJ9";
const COOKIE: &str = "canary-Cookie-5f1d9b7a3c";
const BROKEN: &str = "canary-Broken-2b8c4d6e1f";
const LONG: &str = "canary-Long-9e7d5c3b1a";
const BASIC: &str = "canary-Basic-6c4a2e8f0d";
const IN_ADDRESS: &str = "canary-Address-1a3b5c7d9e";
const OVER_SOCKET: &str = "canary-Socket-3e5a7c9b1d";

const LOGIN: &str = "mutation($p: String!, $u: String!) {
    login(input: { username: $u, password: $p }) {
        tokens { accessToken refreshToken } errors { code } } }";

async fn no_secret_is_written_anywhere(database: Database) {
    let variables =
        [("SALLYPORT_ADMIN_PASSWORD", ADMIN), ("SALLYPORT_SECRET", MASTER), ("RUST_LOG", "trace")];
    let flags = "--log-format json --metrics-listen 127.0.0.1:0";
    let process = Process::start(&database, flags, &variables);
    let mut secrets: Vec<String> = [
        ADMIN,
        PASSWORD,
        NEXT_PASSWORD,
        WRONG_PASSWORD,
        MASTER,
        BEARER,
        COOKIE,
        BROKEN,
        LONG,
        BASIC,
        IN_ADDRESS,
        OVER_SOCKET,
    ]
    .map(str::to_owned)
    .into();
    let mut recorder = Recorder { process: &process, answers: String::new() };
    let tokens = honest_use(&mut recorder);
    wrong_use(&mut recorder);
    over_a_socket(&mut recorder).await;
    // The payload and the signature of a token are secret, too; its header is not.
    let parts = tokens.iter().flat_map(|token| token.split('.').skip(1).map(str::to_owned));
    secrets.extend(parts);
    assert!(secrets.len() > 20, "{secrets:?}");

    let log = process.written();
    assert!(log.contains("\"level\":\"TRACE\""), "{log}");
    assert!(!log.contains("$argon2"), "a hash in the log");
    let stored = stored(&database).await;
    assert!(stored.contains("keeper"), "the rows are read");
    let line = process.command_line();
    let metrics = process.metrics_page();
    assert!(metrics.contains("sallyport_logins_total"), "{metrics}");
    let places = [
        ("log", &log),
        ("database", &stored),
        ("answers", &recorder.answers),
        ("line", &line),
        ("metrics", &metrics),
    ];
    for (place, text) in places {
        for secret in &secrets {
            for spelling in spellings(secret) {
                assert!(!text.contains(&spelling), "{secret:.30} as {spelling:.30} in the {place}");
            }
        }
    }
}

/// Sends requests, and collects the responses that must not contain a secret.
struct Recorder<'a> {
    process: &'a Process,
    answers: String,
}

impl Recorder<'_> {
    /// Sends a request whose response contains no token.
    fn send(&mut self, headers: &str, query: &str, variables: &Value) -> Value {
        let answer = self.give(headers, query, variables);
        self.answers.push_str(&answer.to_string());
        answer
    }

    /// Sends a request whose response contains tokens.
    fn give(&self, headers: &str, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        serde_json::from_str(&self.process.post(headers, &body).body).unwrap()
    }

    fn raw(&mut self, bytes: &str) {
        let answer = self.process.connect().exchange(bytes.as_bytes());
        self.answers.push_str(&answer.head);
        self.answers.push_str(&answer.body);
    }
}

/// Sends every secret in its intended place; returns the issued tokens.
fn honest_use(recorder: &mut Recorder<'_>) -> Vec<String> {
    const REFRESH: &str = "mutation($t: String!) { refresh(input: { refreshToken: $t }) {
        tokens { accessToken refreshToken } errors { code } } }";
    const CREATE: &str = "mutation($p: String!) { createUser(input: { username: \"keeper\",
        password: $p }) { user { id } errors { code message } } }";
    const CHANGE: &str = "mutation($c: String!, $n: String!) { changePassword(input: {
        currentPassword: $c, newPassword: $n }) { endedCount errors { code message } } }";
    let mut tokens = Vec::new();
    let mut keep = |answer: &Value, field: &str| {
        let pair = &answer["data"][field]["tokens"];
        let text =
            |name: &str| pair[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let pair = (text("accessToken"), text("refreshToken"));
        tokens.extend([pair.0.clone(), pair.1.clone()]);
        pair
    };
    let answer = recorder.give("", LOGIN, &json!({ "u": "admin", "p": ADMIN }));
    let (admin, _) = keep(&answer, "login");
    let bearer = format!("authorization: Bearer {admin}\r\n");
    let made = recorder.send(&bearer, CREATE, &json!({ "p": PASSWORD }));
    assert!(made["data"]["createUser"]["user"]["id"].is_string(), "{made}");
    let answer = recorder.give("", LOGIN, &json!({ "u": "keeper", "p": PASSWORD }));
    let (_, refresh) = keep(&answer, "login");
    let answer = recorder.give("", REFRESH, &json!({ "t": refresh }));
    let (access, _) = keep(&answer, "refresh");
    // A retry. And as a literal, which is part of the document.
    let literal = REFRESH.replace("($t: String!)", "").replace("$t", &format!("\"{refresh}\""));
    keep(&recorder.give("", &literal, &json!({})), "refresh");
    tokens.push(in_a_cookie(recorder, LOGIN, REFRESH));
    let bearer = format!("authorization: Bearer {access}\r\n");
    let changed = recorder.send(&bearer, CHANGE, &json!({ "c": PASSWORD, "n": NEXT_PASSWORD }));
    assert_eq!(changed["data"]["changePassword"]["errors"], json!([]), "{changed}");
    recorder.send(
        &bearer,
        "query($t: String!) { tokenStatus(token: $t) { active } }",
        &json!({ "t": access }),
    );
    recorder.send(&bearer, "mutation { logout { endedCount } }", &json!({}));
    recorder.send(&bearer, "{ viewer { id } }", &json!({}));
    tokens
}

/// The refresh token of a login with a cookie, after one refresh by the cookie.
fn in_a_cookie(recorder: &mut Recorder<'_>, login: &str, refresh: &str) -> String {
    let login = login.replace("password: $p", "password: $p, transport: COOKIE");
    let body = json!({ "query": login, "variables": { "u": "keeper", "p": PASSWORD } });
    let answer = recorder.process.post("x-sallyport-csrf: 1\r\n", &body.to_string());
    let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let set = set.unwrap_or_else(|| panic!("{} {}", answer.head, answer.body));
    let cookie = set.split(';').next().unwrap();
    let refresh = refresh.replace("($t: String!)", "").replace("(input: { refreshToken: $t })", "");
    let body = json!({ "query": refresh }).to_string();
    let answer =
        recorder.process.post(&format!("x-sallyport-csrf: 1\r\ncookie: {cookie}\r\n"), &body);
    assert!(answer.body.contains("accessToken\":\"ey"), "{}", answer.body);
    cookie.split_once('=').unwrap().1.to_owned()
}

/// Sends every secret in wrong places and in malformed requests.
fn wrong_use(recorder: &mut Recorder<'_>) {
    let literal = |name: &str, password: &str| {
        format!(
            "mutation {{ login(input: {{ username: \"{name}\", password: \"{password}\" }}) {{ errors {{ code message path }} }} }}"
        )
    };
    recorder.send("", &literal("admin", WRONG_PASSWORD), &json!({}));
    recorder.send("", &literal("nobody", PASSWORD), &json!({}));
    // The password in a field of another type, in an unknown field, in a document that does not parse,
    // and in variables that have the wrong type or are unused.
    recorder.send("", &format!("{{ node(id: \"{PASSWORD}\") {{ id }} }}"), &json!({}));
    recorder.send("", &format!("{{ user(name: \"{PASSWORD}\") {{ id }} }}"), &json!({}));
    recorder.send(
        "",
        &format!("mutation {{ login(input: {{ password: \"{PASSWORD}\" }}"),
        &json!({}),
    );
    recorder.send("", &format!("mutation {{ login(input: {{ password: \"{PASSWORD}"), &json!({}));
    recorder.send(
        "",
        "query($a: Int) { users(first: $a) { nodes { id } } }",
        &json!({ "a": PASSWORD }),
    );
    recorder.send(
        "",
        "query($a: Role) { users(filter: { role: $a }) { nodes { id } } }",
        &json!({ "a": PASSWORD }),
    );
    recorder.send(
        "",
        "query($a: DateTime) { users { nodes { id } } }",
        &json!({ "a": PASSWORD, "b": BROKEN }),
    );
    recorder.send(
        "",
        "query($a: String) { sessions(after: $a) { nodes { id } } }",
        &json!({ "a": PASSWORD }),
    );
    let whole = "mutation($p: LoginInput!) { login(input: $p) { errors { code } } }";
    recorder.send("", whole, &json!({ "p": PASSWORD }));
    recorder.send("", whole, &json!({ "p": [{ "username": "admin", "password": PASSWORD }] }));
    let register = "mutation($p: String!) { register(input: { username: $p, password: $p, email: $p }) { errors { code message path } } }";
    recorder.send("", register, &json!({ "p": PASSWORD }));
    recorder.send(&format!("authorization: Bearer {BEARER}\r\n"), "{ viewer { id } }", &json!({}));
    recorder.send(&format!("authorization: {BEARER}\r\n"), "{ viewer { id } }", &json!({}));
    let basic = STANDARD.encode(format!("admin:{BASIC}"));
    recorder.send(&format!("authorization: Basic {basic}\r\n"), "{ viewer { id } }", &json!({}));
    let cookies = format!("cookie: __Host-sallyport-refresh={COOKIE}; refresh={COOKIE}\r\n");
    recorder.send(&cookies, "mutation { refresh { errors { code message } } }", &json!({}));
    recorder.send(&cookies, "{ __typename }", &json!({}));
    for body in [
        format!("{{\"query\": \"{{ viewer {{ id }} }}\", \"variables\": {{\"password\": \"{BROKEN}\""),
        format!("{{\"query\": \"{BROKEN}\", \"variables\": \"{BROKEN}\"}}"),
        BROKEN.to_owned(),
        format!("[\"{BROKEN}\"]"),
        format!("{{\"query\": \"{{ __typename }}\", \"operationName\": 5, \"{BROKEN}\": 1}}"),
        json!({ "query": literal("admin", &LONG.repeat(800)) }).to_string(),
        json!({ "query": "{ __typename }", "variables": { "a": LONG.repeat(4_000) } }).to_string(),
        json!({ "query": "mutation($p: String!) { login(input: { username: $p, password: $p }) { errors { code } } }",
                "variables": { "p": LONG.repeat(100) } }).to_string(),
    ] {
        let answer = recorder.process.post("", &body);
        recorder.answers.push_str(&answer.body);
    }
    let whole = |line: String| format!("{line} HTTP/1.1\r\nhost: a\r\n\r\n");
    recorder.raw(&whole(format!(
        "GET /graphql?query=%7BtokenStatus(token:%22{IN_ADDRESS}%22)%7Bactive%7D%7D"
    )));
    recorder
        .raw(&whole(format!("GET /graphql?access_token={IN_ADDRESS}&query=%7Bviewer%7Bid%7D%7D")));
    recorder.raw(&whole(format!("GET /{IN_ADDRESS}")));
    recorder.raw(&whole(format!("DELETE /graphql?password={IN_ADDRESS}")));
}

/// Sends secrets in `connection_init` and in subscriptions, valid and invalid.
async fn over_a_socket(recorder: &mut Recorder<'_>) {
    let with = |token: &str| {
        json!({ "type": "connection_init",
                "payload": { "Authorization": format!("Bearer {token}"), "password": PASSWORD } })
    };
    let mut client = Client::connect(recorder.process.address).await;
    client.send_json(&with(OVER_SOCKET)).await;
    assert_eq!(client.receive_or_close_code().await, Err(Some(4403)));
    let mut client = Client::connect(recorder.process.address).await;
    client.send(Message::text(format!("{{\"payload\": \"{OVER_SOCKET}"))).await;
    assert_eq!(client.receive_or_close_code().await, Err(Some(4400)));

    let login = json!({ "u": "admin", "p": ADMIN });
    let login = recorder.give("", LOGIN, &login);
    let token = login["data"]["login"]["tokens"]["accessToken"].as_str().unwrap();
    let mut client = Client::connect(recorder.process.address).await;
    client.send_json(&with(token)).await;
    assert_eq!(client.receive_json().await["type"], "connection_ack");
    let literal = format!("subscription {{ sessionEnds(after: \"{OVER_SOCKET}\") {{ reason }} }}");
    let unknown =
        format!("subscription {{ sessionEnds(password: \"{OVER_SOCKET}\") {{ reason }} }}");
    let after = "subscription($a: String) { sessionEnds(after: $a) { reason } }";
    let number = "subscription($a: Int) { sessionEnds(after: $a) { reason } }";
    let broken = format!("subscription {{ sessionEnds(after: \"{OVER_SOCKET}");
    for (document, variables) in [
        (literal.as_str(), Value::Null),
        (&unknown, Value::Null),
        (after, json!({ "a": OVER_SOCKET })),
        (after, json!({ "a": [{ "b": OVER_SOCKET }], "c": OVER_SOCKET })),
        (number, json!({ "a": OVER_SOCKET })),
        (&broken, Value::Null),
        (
            &format!(
                "mutation {{ login(input: {{ username: \"admin\", password: \"{OVER_SOCKET}\" }}) {{ errors {{ code }} }} }}"
            ),
            Value::Null,
        ),
    ] {
        client.subscribe("1", document, variables).await;
        let answer = client.receive_json().await;
        assert_eq!(answer["type"], "error", "{answer}");
        recorder.answers.push_str(&answer.to_string());
    }
    client.send(Message::text(OVER_SOCKET)).await;
    assert_eq!(client.receive_or_close_code().await, Err(Some(4400)));
}

/// The whole content of the database as text: the bytes of the SQLite files, or all rows of PostgreSQL.
async fn stored(database: &Database) -> String {
    let Raw::Sqlite(_) = database.raw().await else { return rows(database).await };
    let path = database.url.strip_prefix("sqlite://").unwrap();
    let files = ["", "-wal", "-shm"].map(|end| std::fs::read(format!("{path}{end}")));
    let bytes: Vec<u8> = files.into_iter().flat_map(Result::unwrap_or_default).collect();
    // Lossy, but the secrets are ASCII.
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn rows(database: &Database) -> String {
    let mut raw = database.raw().await;
    let tables =
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut all = String::new();
    for table in raw.texts(tables).await {
        let rows = raw.texts(format!("SELECT \"{table}\"::text FROM \"{table}\"")).await;
        all.push_str(&rows.join("\n"));
    }
    all
}

/// The text itself, in hexadecimal of both cases, and in base64 at each of three offsets.
fn spellings(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for shift in 0..3 {
        let padded = format!("{}{secret}", "x".repeat(shift));
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            // Without the characters that depend on the neighboring bytes.
            let encoded = encoded.trim_end_matches('=');
            all.push(encoded[(shift * 8).div_ceil(6)..encoded.len() - 2].to_owned());
        }
    }
    all
}

#[test]
fn a_spelling_is_found_in_whatever_it_is_part_of() {
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}secret-of-mine{}", "after");
        let encoded = STANDARD.encode(&text);
        assert!(spellings("secret-of-mine").iter().any(|one| encoded.contains(one)), "{before}");
    }
}
