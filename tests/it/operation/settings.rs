//! Settings that contradict each other, and what `check` says of those that only might.

use std::process::Command;

use tempfile::TempDir;

use super::server::program;

#[test]
fn contradictions_are_refused_in_one_line() {
    for flags in [
        "--refresh-retry-window 30s --access-token-lifetime 30s",
        "--revocation-staleness 2m --access-token-lifetime 1m",
        "--revocation-staleness 1s",
        "--access-token-lifetime 8d",
        "--session-lifetime 1m",
        "--leeway 61s",
        "--listen 127.0.0.1:9999 --metrics-listen 127.0.0.1:9999",
        "--metrics-listen everywhere",
        "--insecure-cookies true --listen 0.0.0.0:9999",
        "--cors-origin null",
        "--cors-origin https://*.example.com",
        "--trusted-proxy everywhere",
        "--max-connections-per-address 0",
    ] {
        for command in ["serve", "check"] {
            let directory = TempDir::new().unwrap();
            let output = program(&directory, &format!("{command} {flags}")).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{command} {flags}: {output:?}");
            assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{flags}");
        }
    }
}

#[test]
fn what_only_might_be_wrong_is_said_and_not_refused() {
    for (flags, risk) in [
        ("--metrics-listen 0.0.0.0:9999", "metrics"),
        ("--session-lifetime 1h", "--session-lifetime is shorter"),
        ("--access-token-lifetime 2s", "--leeway is as long"),
        ("--insecure-cookies true", "without TLS (--insecure-cookies"),
        ("--cors-origin http://app.example.com", "pages of http://app.example.com"),
        ("--trusted-proxy 10.0.0.0/8 --trusted-proxy ::/0", "--trusted-proxy trusts everybody"),
        ("--trusted-proxy 0.0.0.0/0", "--trusted-proxy trusts everybody"),
        ("--issuer https://auth.example.com", "no --trusted-proxy is given"),
        ("--listen 0.0.0.0:9999 --max-connections-per-address off", "one address may take all"),
        ("--throttle false", "nobody waits"),
    ] {
        let directory = TempDir::new().unwrap();
        let output = program(&directory, &format!("check {flags}")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{flags}: {output:?}");
        let line = said.lines().find(|line| line.contains(risk));
        assert!(line.is_some_and(|line| line.starts_with("risky")), "{flags}: {said}");
    }
}

#[test]
fn more_connections_than_the_system_allows_files_are_a_risk() {
    let directory = TempDir::new().unwrap();
    let check = program(&directory, "check");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 300 && exec \"$@\"", "sh"]);
    limited.arg(check.get_program()).args(check.get_args());
    limited.envs(check.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("risky  the system allows 300 open files"), "{said}");
}

#[test]
fn what_is_as_it_should_be_is_no_risk() {
    let directory = TempDir::new().unwrap();
    let flags = "--issuer https://auth.example.com --trusted-proxy 10.0.0.0/8 \
                 --trusted-proxy fd00::/8 --cors-origin https://app.example.com \
                 --cors-origin http://localhost:5173 --max-connections 100";
    let output = program(&directory, &format!("check {flags}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("risky"), "{said}");
}
