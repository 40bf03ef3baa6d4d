//! Log injection: one event is one line of the log, whatever text a client sends.

use serde_json::{Value, json};

use crate::databases::Database;
use crate::program::Process;

/// Line breaks, a terminal color, and a forged line.
const FORGED: &str = "a\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\u{1b}[31m\u{85}\u{2028}b";

/// Sends the text in every place where the service accepts text.
fn send_everywhere(process: &Process) {
    let bearer = {
        let login = "mutation($p: String!) { login(input: { username: \"admin\", password: $p, sessionName: \"one\" }) { tokens { accessToken } } }";
        let body = json!({ "query": login, "variables": { "p": PASSWORD } }).to_string();
        let answer: Value = serde_json::from_str(&process.post("", &body).body).unwrap();
        let token = answer["data"]["login"]["tokens"]["accessToken"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let headers = [
        format!("authorization: Bearer {bearer}\r\nuser-agent: a\\r\\n{{}}\u{85}\u{2028}\r\n"),
        "user-agent: \u{1b}[31mred\r\n".to_owned(),
        "x-request-id: forged\r\nreferer: a\tb\r\n".to_owned(),
    ];
    for headers in &headers {
        for body in [
            json!({ "query": "{ viewer { id } }", "operationName": FORGED }),
            json!({ "query": format!("{{ {FORGED} }}") }),
            json!({ "query": "mutation($u: String!) { login(input: { username: $u, password: $u, sessionName: $u }) { errors { code } } }", "variables": { "u": FORGED } }),
            json!({ "query": "mutation($u: String!) { createUser(input: { username: $u, password: $u, email: $u }) { errors { code } } }", "variables": { "u": FORGED } }),
            json!({ "query": "query($c: String) { users(after: $c, filter: { search: $c }) { nodes { id } } }", "variables": { "c": FORGED } }),
            json!({ "query": "query Evil_Name { viewer { id } }", "operationName": "Evil_Name" }),
        ] {
            process.connect().post(headers, &body.to_string());
        }
    }
    // Not GraphQL.
    process.connect().exchange(b"GET /a%0d%0a%1b[31m HTTP/1.1\r\nhost: a\r\n\r\n");
}

const PASSWORD: &str = "tangerine-orbit-quartz-41";

fn log_of(format: &str) -> String {
    let variables = [("SALLYPORT_ADMIN_PASSWORD", PASSWORD), ("RUST_LOG", "trace")];
    let process =
        Process::start(&Database::sqlite(), &format!("--log-format {format}"), &variables);
    send_everywhere(&process);
    process.end()
}

#[test]
fn every_line_of_the_log_for_machines_is_one_json_object() {
    let log = log_of("json");
    assert!(log.contains("\"level\":\"TRACE\""), "{log}");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        let time = event["timestamp"].as_str().unwrap_or_else(|| panic!("{line:?}"));
        assert!(time.ends_with('Z'), "{time} is not UTC");
        assert_ne!(event["message"], "forged");
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
}

#[test]
fn every_line_of_the_log_for_people_starts_with_a_time() {
    let log = log_of("pretty");
    assert!(log.contains(" TRACE "), "{log}");
    for line in log.lines() {
        let day = line.split('T').next().unwrap_or_default();
        assert!(day.len() == 10 && day.starts_with("20"), "{line:?}");
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
}
