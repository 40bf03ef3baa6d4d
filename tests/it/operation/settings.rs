//! Contradictory settings, and the warnings of `sallyport check`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::server::{Server, program};
use crate::mail::server::Server as SmtpServer;

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
        "--smtp-url smtps://ada@mail.example.com",
        "--smtp-url smtps://ada:pw@mail.example.com --smtp-password-file a",
        "--smtp-password-file a",
        "--smtp-ca-file a",
        "--app-url https://app.example.com/?a",
        "--email-from ada",
        "--passkey-rp-id 127.0.0.1",
        "--passkey-rp-id localhost",
        "--passkey-origins https://app.example.com",
        "--passkey-rp-id example.com --passkey-origins http://localhost:3000",
    ] {
        for command in ["serve", "check"] {
            let directory = TempDir::new().unwrap();
            let output = program(&directory, &format!("{command} {flags}")).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{command} {flags}: {output:?}");
            assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{flags}");
        }
    }
}

#[test]
fn a_risky_setting_is_a_warning_and_no_error() {
    for (flags, warning) in [
        ("--metrics-listen 0.0.0.0:9999", "The metrics at 0.0.0.0:9999 are readable"),
        ("--session-lifetime 1h", "--session-lifetime is shorter"),
        ("--access-token-lifetime 2s", "--leeway is as long"),
        ("--insecure-cookies true", "without TLS (--insecure-cookies"),
        ("--cors-origin http://app.example.com", "Pages of http://app.example.com"),
        ("--trusted-proxy 10.0.0.0/8 --trusted-proxy ::/0", "--trusted-proxy trusts every address"),
        ("--trusted-proxy 0.0.0.0/0", "--trusted-proxy trusts every address"),
        ("--issuer https://auth.example.com", "--trusted-proxy is not set"),
        ("--trusted-proxy 10.0.0.0/8", "--trusted-proxy-header is not set"),
        ("--listen 0.0.0.0:9999 --max-connections-per-address off", "A single address can use all"),
        ("--throttle false", "Login attempts are not limited"),
        ("", "No SMTP server is set (--smtp-url)"),
        ("--smtp-url smtp://127.0.0.1:1", "The SMTP server smtp://127.0.0.1:1 cannot be used now"),
        ("--smtp-url smtp://127.0.0.1:1", "The sender of mails is Sallyport <noreply@localhost>"),
        ("--smtp-url smtp://0.0.0.0:1", "mails may be sent to it unencrypted"),
        ("--smtp-url smtps://ada:hunter2@127.0.0.1:1", "A password in --smtp-url on the command"),
    ] {
        let directory = TempDir::new().unwrap();
        let output = program(&directory, &format!("check {flags}")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{flags}: {output:?}");
        let line = said.lines().find(|line| line.contains(warning));
        assert!(line.is_some_and(|line| line.starts_with("warning  ")), "{flags}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn settings_with_which_no_mail_can_be_sent_are_errors_of_check_and_start() {
    let directory = TempDir::new().unwrap();
    let templates = directory.path().join("templates");
    fs::create_dir(&templates).unwrap();
    fs::write(templates.join("verify.en.txt"), "Subject: a\n\n{{ cod }}\n").unwrap();
    let templates = format!("--email-templates {}", templates.display());
    for (flags, expected) in [
        (&*templates, "annot use the templates in "),
        (
            "--smtp-url smtps://ada@h --smtp-password-file /none",
            "annot read the SMTP password in /none",
        ),
        ("--smtp-url smtps://h --smtp-ca-file /none", "annot read /none"),
    ] {
        for command in ["check", "serve --listen 127.0.0.1:0"] {
            let output = program(&directory, &format!("{command} {flags}")).output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(1), "{flags}: {said}");
            assert!(said.contains(expected), "{flags}: {said}");
        }
    }
}

#[test]
fn check_and_start_warn_of_a_database_that_other_users_can_access() {
    let directory = TempDir::new().unwrap();
    let log_of_start = || Server::start_in(&directory, "").stop("TERM").join("\n");
    assert!(!log_of_start().contains("ther users can"));
    for (name, mode, expected) in [
        ("test.db", 0o644, "Other users can read"),
        ("test.db", 0o666, "Other users can write"),
        ("test.db.secret", 0o640, "Its group can read"),
        ("", 0o777, "to prevent this."),
    ] {
        let path = directory.path().join(name);
        let closed = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let output = program(&directory, "check").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().find(|line| line.contains(expected));
        assert!(line.is_some_and(|line| line.starts_with("warning  ")), "{name} {mode:o}: {said}");
        let log = log_of_start();
        assert!(log.contains(expected), "{name} {mode:o}: {log}");
        fs::set_permissions(&path, closed).unwrap();
    }
}

#[test]
fn new_files_are_for_their_owner_alone_whatever_others_are() {
    let directory = TempDir::new().unwrap();
    let masked = |arguments: &str| {
        let program = program(&directory, arguments);
        let mut masked = Command::new("sh");
        masked.args(["-c", "umask 0 && exec \"$@\"", "sh"]);
        masked.arg(program.get_program()).args(program.get_args());
        masked.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        masked.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        masked.spawn().unwrap()
    };
    assert!(masked("migrate").wait().unwrap().success());
    // It creates the secret; killed, it leaves all its files.
    let mut server = masked("serve --listen 127.0.0.1:0");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let is_up = lines.any(|line| line.ends_with("/graphql"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(is_up, "it does not start");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        seen.insert(entry.file_name().into_string().unwrap());
    }
    for name in ["test.db", "test.db-wal", "test.db.secret"] {
        assert!(seen.contains(name), "{name} in {seen:?}");
    }
}

#[test]
fn a_database_elsewhere_without_tls_and_a_password_on_the_line_are_risks() {
    let directory = TempDir::new().unwrap();
    let check = |flags: &str| {
        let secret = "--secret-file /nowhere/secret";
        let output = program(&directory, &format!("check {secret} {flags}")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // The database cannot be reached, which is an error; the warnings are printed nevertheless.
    let said = check("--database-url postgres://ada:s3cret@192.0.2.1:1/auth");
    assert!(said.contains("warning  The database is on another machine"), "{said}");
    assert!(said.contains("warning  A password in --database-url"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let said = check("--database-url=postgres://ada@127.0.0.1:1/auth?sslmode=disable");
    assert!(!said.contains("another machine") && !said.contains("A password in"), "{said}");
    let said = check("--database-url postgres://ada@192.0.2.1:1/auth?sslmode=verify-full");
    assert!(!said.contains("another machine") && !said.contains("A password in"), "{said}");
}

#[test]
fn check_refuses_a_password_of_admin_that_the_start_would_refuse() {
    let directory = TempDir::new().unwrap();
    let run = |arguments: &str, password: &str| {
        let mut program = program(&directory, arguments);
        let output = program.env("SALLYPORT_ADMIN_PASSWORD", password).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let invalid = "he configured password of admin (accounts.admin-password or \
                   SALLYPORT_ADMIN_PASSWORD) is invalid: A password must have at least 8 characters.";
    // Without a file, and with an empty database.
    for _ in 0..2 {
        let (code, said) = run("check", "x");
        assert!(code == Some(1) && said.contains(&format!("error    T{invalid}")), "{said}");
        let (code, said) = run("serve --listen 127.0.0.1:0", "x");
        assert!(code == Some(1) && said.contains(invalid), "{said}");
        assert_eq!(run("migrate", "x").0, Some(0));
    }
    let (code, said) = run("check", "");
    assert!(code == Some(0) && said.contains("The first start creates the user admin."), "{said}");
    // Not read if there are accounts.
    Server::start_in(&directory, "").stop("TERM");
    assert_eq!(run("check", "x").0, Some(0));
}

#[test]
fn a_password_of_admin_on_the_command_line_is_a_risk() {
    let directory = TempDir::new().unwrap();
    let output = program(&directory, "check --admin-password tangerine-orbit-quartz-41").output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(said.contains("warning  A password in --admin-password on the command line"), "{said}");
    assert!(!said.contains("tangerine"), "{said}");
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
    assert!(said.contains("warning  The system allows 300 open files"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_configuration_has_no_warnings() {
    let directory = TempDir::new().unwrap();
    let smtp = SmtpServer::start(&[]).await;
    let flags = "--issuer https://auth.example.com --trusted-proxy 10.0.0.0/8 \
                 --trusted-proxy fd00::/8 --trusted-proxy-header x-forwarded-for \
                 --cors-origin https://app.example.com \
                 --cors-origin http://localhost:5173 --max-connections 100";
    let flags = format!("{flags} --smtp-url smtp://localhost:{}", smtp.port);
    let output = program(&directory, &format!("check {flags}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("warning"), "{said}");
}

/// The variables that the help of `serve` names.
fn variables(directory: &TempDir) -> BTreeSet<String> {
    let help = program(directory, "serve --help").output().expect("the help");
    let help = String::from_utf8(help.stdout).expect("the help");
    let words = help.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    words.filter(|word| word.starts_with("SALLYPORT_")).map(str::to_owned).collect()
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let directory = TempDir::new().unwrap();
    let variables = variables(&directory);
    assert!(variables.len() > 40, "{variables:?}");
    for command in ["check", "user list", "migrate", "keys list"] {
        let mut program = program(&directory, command);
        program.current_dir(directory.path()).env("SALLYPORT_ADMIN_PASSWORD", "");
        for variable in &variables {
            program.env(variable, "");
        }
        let output = program.output().unwrap();
        assert_ne!(output.status.code(), Some(2), "{command}: {output:?}");
    }
    assert!(directory.path().join("sallyport.db").exists());
}

#[test]
fn a_variable_that_is_nearly_one_of_a_flag_is_refused_by_every_command() {
    for command in ["serve", "check", "config", "user list", "migrate"] {
        let directory = TempDir::new().unwrap();
        let output = program(&directory, command)
            .env("SALLYPORT_ACESS_TOKEN_LIFETIME", "5m")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("SALLYPORT_ACESS_TOKEN_LIFETIME")
                && said.contains("SALLYPORT_ACCESS_TOKEN_LIFETIME"),
            "{said}"
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{command}");
    }
}

#[test]
fn check_and_start_warn_of_other_unknown_variables() {
    let directory = TempDir::new().unwrap();
    let check = program(&directory, "check")
        .envs([("SALLYPORT_PLUGIN", "1"), ("SALLYPORT_SERVICE_HOST", "10.96.0.12")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{check:?}");
    let is_named = |line: &str| line.starts_with("warning  ") && line.contains("SALLYPORT_PLUGIN");
    assert!(said.lines().any(is_named) && !said.contains("SERVICE_HOST"), "{said}");

    // A port that is none of this machine's ends the start after the settings were read.
    let serve = program(&directory, "serve --listen 192.0.2.1:9 --log-format json")
        .env("SALLYPORT_PLUGIN", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&serve.stderr);
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].contains("WARN") && lines[0].contains("SALLYPORT_PLUGIN"), "{said}");
    assert!(lines.last().unwrap().starts_with("sallyport: Cannot listen"), "{said}");
}

#[test]
fn a_misspelt_flag_is_refused_with_the_nearest() {
    let directory = TempDir::new().unwrap();
    let output = program(&directory, "serve --acess-token-lifetime 5m").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("'--access-token-lifetime'"), "{said}");
}
