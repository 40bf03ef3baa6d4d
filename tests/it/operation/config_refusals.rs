//! Configuration files that are refused, with the reason and the place.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use super::site::{SECRET, Site};

#[track_caller]
fn assert_refused(file: &str, expected: &str) {
    let said = Site::new(file).refusal();
    assert!(said.contains(expected), "{file}: {said}");
    assert!(!said.contains("4711"), "{said}");
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest() {
    assert_refused(
        "[tokens]\n# a comment\nacess-token-lifetime = \"5m\"\n",
        "sallyport.toml, line 3: unknown key acess-token-lifetime; did you mean \
         tokens.access-token-lifetime?",
    );
    assert_refused("[tokens]\nAccess_Token_Lifetime = \"5m\"", "tokens.access-token-lifetime?");
    assert_refused("[sessions]\nisuer = \"5m\"", "unknown key isuer; did you mean tokens.issuer?");
    assert_refused("[tokens]\npeppermint = 1", "line 2: unknown key peppermint.");
    assert_refused("isuer = 1", "did you mean tokens.issuer?");
    assert_refused("[token]\nissuer = 1", "unknown table [token]; did you mean [tokens]?");
    assert_refused("[peppermint]", "unknown table [peppermint]; the tables are [accounts], [data");
    assert_refused("[transport]\nconfig = \"a\"", "unknown key config");
    assert_refused("[database]\njson = true", "unknown key json");
}

#[test]
fn a_key_in_a_wrong_table_is_refused_with_its_table() {
    let expected = "line 2: the key issuer belongs to the table [tokens], not to [service].";
    assert_refused("[service]\nissuer = \"https://a\"", expected);
    assert_refused("issuer = \"https://a\"", "the key issuer belongs to the table [tokens].");
    assert_refused("tokens = \"https://a\"", "tokens is a table: write its keys below a line");
    assert_refused("[[tokens]]\nissuer = \"https://a\"", "tokens is a table");
}

#[test]
fn a_value_of_a_wrong_type_is_refused() {
    let scalar = "must be a string, an integer or a boolean, not";
    for (file, expected) in [
        ("tokens.leeway = 2.5", format!("tokens.leeway: {scalar} a float")),
        ("tokens.leeway = [\"2s\"]", format!("tokens.leeway: {scalar} an array")),
        ("[tokens.leeway]\nseconds = 2", format!("tokens.leeway: {scalar} a table")),
        ("sessions.audit-retention = 2026-01-01", format!("{scalar} a date")),
        ("database.secret = 123", "database.secret: must be a string, not an integer".to_owned()),
        ("accounts.admin-password = [\"a\"]", "must be a string, not an array".to_owned()),
        ("limits.max-fields = 99999999999999999999", "an integer of more than 64 bits".to_owned()),
        (
            "transport.cors-origin = { a = 1 }",
            "transport.cors-origin: must be a string or an array of strings".to_owned(),
        ),
        ("transport.cors-origin = [[\"https://a\"]]", "an array of strings".to_owned()),
    ] {
        assert_refused(file, &expected);
    }
}

#[test]
fn an_invalid_value_is_refused_for_the_same_reason_as_that_of_the_flag() {
    for (table, name, value) in [
        ("tokens", "access-token-lifetime", "15"),
        ("tokens", "algorithm", "HS256"),
        ("tokens", "issuer", "https://auth.example.com/"),
        ("service", "listen", "8000"),
        ("service", "metrics-listen", "everywhere"),
        ("transport", "cors-origin", "https://*.example.com"),
        ("transport", "max-connections", "0"),
        ("second-factors", "passkey-rp-id", "10.0.0.1"),
        ("second-factors", "passkey-origins", "https://app.example.com/"),
        ("accounts", "password-min-length", "7"),
        ("limits", "max-fields", "9"),
        ("database", "database-url", "mysql://h/d"),
    ] {
        let file = Site::new(&format!("[{table}]\n{name} = \"{value}\"\n")).refusal();
        let reason = file.split_once(&format!("line 2: invalid value of {table}.{name}: "));
        let reason = reason.expect(&file).1.trim_end().trim_end_matches('.');
        let flag = Site::new("").run(&format!("check --{name}={value}"));
        let said = String::from_utf8(flag.stderr).unwrap();
        assert!(said.contains(reason), "{said}: {reason}");
    }
    assert_refused("tokens.access-token-lifetime = 900", "needs a unit, such as 900s.");
    assert_refused("accounts.registration = true", "must be one of closed, open");
    // Also where another source overrides the value, and where the command has no such flag.
    let site = Site::new("[tokens]\nleeway = \"soon\"\n");
    for command in ["check --leeway 1s", "user list", "backup a.db", "config"] {
        let output = site.run(&format!("{command} --config sallyport.toml"));
        assert_eq!(output.status.code(), Some(2), "{command}: {output:?}");
    }
}

#[test]
fn a_contradiction_between_a_file_and_a_flag_is_refused() {
    let site = Site::new("[tokens]\naccess-token-lifetime = \"2m\"\n");
    for command in ["serve", "check", "config"] {
        let output =
            site.run(&format!("{command} --config sallyport.toml --revocation-staleness 3m"));
        assert_eq!(output.status.code(), Some(2), "{command}: {output:?}");
    }
    let only = Site::new("[documents]\ntrusted-documents = \"a.json\"\n");
    let flag = "check --trusted-documents-only";
    assert_eq!(only.run(flag).status.code(), Some(2));
    let output = only.run(&format!("{flag} --config sallyport.toml"));
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = "error    Cannot load the trusted documents in /";
    assert!(said.contains(expected) && said.contains("/a.json: No such file"), "{output:?}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_in_one_line() {
    let site = Site::new("");
    let twice = b"[tokens]\nissuer = \"https://a\"\nissuer = \"https://b\"\n";
    let large = [b"#".repeat(1024 * 1024), b"\n".to_vec()].concat();
    for (bytes, expected) in [
        (&b"\xff\xfe[\x00"[..], "the file is not UTF-8 text"),
        (&large, "the file is larger than 1 MiB"),
        (twice, "line 3: duplicate key"),
        (b"[tokens]\n[tokens]\n", "line 2: duplicate key"),
        (b"issuer: https://a\n", "line 1: "),
        (b"[database]\nsecret = \"squirrel-4711", "line 2: "),
        (b"a = [[[[[[[[[[", "line 1: "),
        (b"\0", "line 1: "),
    ] {
        site.write("sallyport.toml", bytes);
        let said = site.refusal();
        assert!(said.contains(expected) && !said.contains("4711"), "{said}");
        assert!(said.len() < 300, "{said}");
    }
    for (name, expected) in [(".", "Is a directory"), ("none.toml", "No such file")] {
        let output = site.run(&format!("check --config {name}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("sallyport: Cannot read the configuration file"), "{said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        assert!(said.contains("check --config or SALLYPORT_CONFIG"), "{said}");
    }
    // As editors on Windows write it.
    site.write("sallyport.toml", b"\xef\xbb\xbf[tokens]\r\naudience = \"a\"\r\n");
    assert_eq!(site.settings("--config sallyport.toml")["audience"].0, "a");
}

#[test]
fn errors_do_not_repeat_secrets() {
    for file in [
        format!("[database]\ndatabase-url = \"postgres://ada:p/{SECRET}@h/d\"\n"),
        format!("[database]\ndatabase-url = \"mysql://ada:{SECRET}@h/d\"\n"),
        format!("[database]\ndatabase-direct-url = \"{SECRET}\"\n"),
        format!("[database]\nsecret = [\"{SECRET}\"]\n"),
        format!("[database]\nsecret = \"{SECRET}\n"),
        format!("[database]\nsecret = {SECRET}\n"),
        format!("[database]\nsecret = \"{SECRET}\"\nsecret = \"{SECRET}\"\n"),
        format!("[tokens]\nsecret = \"{SECRET}\"\n"),
        format!("[database]\nsecret = \"{SECRET}\"\nsecret-file = \"a\"\n"),
    ] {
        assert_refused(&file, "sallyport.toml, line ");
    }
}

#[test]
fn a_file_of_unknown_keys_is_refused_at_once() {
    let keys: Vec<_> = (0..80_000).map(|n| format!("lev{n} = 1\n")).collect();
    let start = Instant::now();
    assert_refused(&format!("[tokens]\n{}", keys.concat()), "line 2: unknown key lev0");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn two_configuration_files_are_refused() {
    let site = Site::new("");
    site.write("other.toml", b"");
    for arguments in [
        "--config other.toml check --config sallyport.toml",
        "--config sallyport.toml user list --config sallyport.toml",
        "user --config other.toml list --config sallyport.toml",
        "check --config other.toml --config sallyport.toml",
    ] {
        let output = site.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains("'--config <FILE>' cannot be used"), "{arguments}: {said}");
    }
}

#[test]
fn an_invalid_variable_is_refused_by_its_name() {
    let site = Site::new("");
    for (variable, value, expected) in [
        ("LISTEN", &b"nonsense"[..], "expected an address and port such as 127.0.0.1:8000."),
        ("REGISTRATION", b"maybe", "must be one of closed, open."),
        ("ACCESS_TOKEN_LIFETIME", b"900", "needs a unit, such as 900s."),
        ("AUDIENCE", b"\xff", "must be UTF-8 text."),
        ("SECRET", b"squirrel-4711\xff", "must be UTF-8 text."),
        ("DATABASE_URL", b"mysql://a:4711@h/d", "expected sqlite://PATH or postgres://"),
    ] {
        for command in ["", "check", "config", "user list", "keys list"] {
            let mut program = site.program(command);
            program.env(format!("SALLYPORT_{variable}"), OsStr::from_bytes(value));
            let output = program.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command}: {said}");
            let start = format!("sallyport: Environment variable SALLYPORT_{variable}: {expected}");
            assert!(said.starts_with(&start) && said.lines().count() == 1, "{command}: {said}");
            assert!(!said.contains("4711"), "{command}: {said}");
        }
    }
}
