//! `sallyport import` and `sallyport export`, as an operator runs them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::site::{SECRET, Site};
use crate::databases::{Database, on_both};

on_both!(an_import_that_was_killed_goes_on_where_it_was);

const HASH: &str =
    "pbkdf2_sha256$1000$u8jzPde0IgxLd6GncfBAep$SP8H8aMYKVv/PVcHg4fxsOA7CYZzGYNyjMY6xueX4zE=";

/// A file with accounts of these names.
fn file(names: &[&str]) -> String {
    let user = |(id, name): (usize, &&str)| json!({ "kind": "user", "id": id.to_string(), "username": name, "password": HASH });
    let header = json!({ "format": "sallyport-import", "version": 1, "source": "django" });
    let end = json!({ "kind": "end", "users": names.len() });
    let users = names.iter().enumerate().map(user);
    let lines = std::iter::once(header).chain(users).chain([end]);
    lines.map(|line| line.to_string()).collect::<Vec<_>>().join("\n")
}

fn site(text: &str) -> Site {
    let site = Site::new("");
    site.write("export.ndjson", text.as_bytes());
    site
}

/// Exit code, standard output and standard error.
fn run(site: &Site, arguments: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = site.run(arguments);
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn an_import_is_a_dry_run_first() {
    let site = site(&file(&["ada", "bob"]));
    let (status, said, errors) = run(&site, "import export.ndjson");
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let expected = "\
IMPORT                           NUMBER
accounts: new                    2
accounts: changed there          0
accounts: unchanged              0
accounts: changed on both sides  0
active accounts                  2
inactive accounts                0
passwords: pbkdf2_sha256         2
outstanding refresh tokens       0
blacklisted refresh tokens       0

Dry run: nothing was imported. Add --apply to import.
";
    assert_eq!(said, expected);
    assert_eq!(run(&site, "user list --json").1, "");
    let (status, said, errors) = run(&site, "import export.ndjson --apply");
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(said.ends_with("\nImported into SQLite, sallyport.db.\n"), "{said}");
    assert_eq!(run(&site, "user list --json").1.lines().count(), 2);
    let (_, said, _) = run(&site, "import status");
    assert!(said.contains("django  2      2                 0"), "{said}");
    let (_, said, _) = run(&site, "import status --json");
    let expected = json!([{ "source": "django", "users": 2, "legacyPasswords": 2,
        "exchangedTokens": 0, "lastExchangeAt": null, "lastTokenExpiresAt": null }]);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), expected);
}

#[test]
fn what_cannot_come_over_is_told_and_stops_the_import() {
    let names: Vec<String> = (0..30).map(|n| format!("a b{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["Ada", "ada"]).collect();
    let site = site(&file(&names));
    for arguments in ["import export.ndjson", "import export.ndjson --apply"] {
        let (status, said, errors) = run(&site, arguments);
        assert_eq!(status, Some(1));
        assert!(errors.starts_with("sallyport: 31 things cannot come over"), "{errors}");
        assert!(said.contains("\n  line 33, id 31: ada -> ada-2\n"), "{said}");
        let shown = said.lines().filter(|line| line.contains(" -> a-b")).count();
        assert_eq!(
            (shown, said.contains("\n  and 10 more; --json lists all\n")),
            (20, true),
            "{said}"
        );
        assert_eq!(run(&site, "user list --json").1, "");
    }
    let (status, said, _) = run(&site, "import export.ndjson --skip-bad --json");
    assert_eq!(status, Some(0));
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let problems = lines.iter().filter(|line| line["kind"] == "problem");
    assert_eq!((problems.count(), &lines[31]["kind"]), (31, &json!("summary")));
    assert_eq!(lines[31]["problems"], json!({ "INVALID_NAME": 30, "DUPLICATE_NAME": 1 }));
    assert_eq!(run(&site, "import export.ndjson --apply --skip-bad").0, Some(0));
    assert_eq!(run(&site, "user list --json").1.lines().count(), 32);
}

#[test]
fn names_cannot_change_the_direction_of_the_report() {
    let site = site(&file(&["a\u{202e}b\u{1b}[2J"]));
    let (status, said, _) = run(&site, "import export.ndjson");
    assert_eq!(status, Some(1));
    assert!(said.contains("id 0: a\u{fffd}b\u{fffd}[2J -> a-b-"), "{said}");
    assert!(!said.contains(['\u{202e}', '\u{1b}']), "{said}");
}

#[test]
fn the_report_says_whose_ids_are_in_tokens() {
    let site = site(&file(&["ada"]));
    let (_, said, _) = run(&site, "import export.ndjson --apply");
    assert!(!said.contains("user_id"), "{said}");
    let (status, said, _) = run(&site, "import export.ndjson --source shop --skip-bad");
    let line =
        "\nAccess tokens of these accounts have no claim user_id: the ids of django are in it.\n";
    assert!(status == Some(0) && said.contains(line), "{said}");
    let (_, said, _) = run(&site, "import export.ndjson --source shop --skip-bad --json");
    assert!(said.contains(r#""externalIdsOf":"django""#), "{said}");
}

#[test]
fn accounts_that_are_gone_are_deactivated_by_an_option() {
    let site = site(&file(&["ada", "bob"]));
    assert_eq!(run(&site, "import export.ndjson --apply").0, Some(0));
    site.write("export.ndjson", file(&["ada"]).as_bytes());
    let (_, said, _) = run(&site, "import export.ndjson");
    assert!(said.contains("not in the file any more: 1 (kept here;"), "{said}");
    let (status, said, _) = run(&site, "import export.ndjson --apply --deactivate-gone");
    assert!(status == Some(0) && said.contains("any more: 1 (deactivated here"), "{said}");
    let users = run(&site, "user list --json").1;
    let bob = users.lines().find(|user| user.contains(r#""bob""#)).unwrap();
    assert!(bob.contains(r#""isActive":false"#) || bob.contains(r#""active":false"#), "{bob}");
}

#[test]
fn a_file_that_is_none_is_refused_with_its_reason() {
    let whole = file(&["ada"]);
    let cut = whole.lines().take(2).collect::<Vec<_>>().join("\n");
    for (text, said) in [
        ("", "The file is empty"),
        ("hello\n", "The file has no header"),
        (&whole.replace("\"version\":1", "\"version\":2"), "The header of the file cannot be read"),
        (&cut, "The file ends at line 2 without its end line"),
        (&whole.replace("\"users\":1", "\"users\":3"), "The number of lines of the kind user is 1"),
    ] {
        let site = site(text);
        let (status, output, errors) = run(&site, "import export.ndjson --apply");
        assert_eq!((status, output.as_str()), (Some(1), ""), "{errors}");
        let is_said = errors.starts_with(&format!("sallyport: {said}"));
        assert!(is_said && errors.lines().count() == 1, "{errors}");
        assert_eq!(run(&site, "user list --json").1, "");
    }
    let site = site("");
    for (arguments, said) in [("import nowhere", "nowhere"), ("import .", "directory")] {
        let (status, _, errors) = run(&site, arguments);
        assert!(status == Some(1) && errors.contains(said), "{errors}");
    }
    assert!(!site.path("sallyport.db").exists());
    for arguments in
        ["import export.ndjson --source A", "import export.ndjson --admins all", "import"]
    {
        assert_eq!(run(&site, arguments).0, Some(2), "{arguments}");
    }
}

#[test]
fn standard_input_is_read_and_the_source_and_its_options_are_chosen() {
    let banner = "12 objects imported automatically (use -v 2 for details).\n";
    let text =
        file(&["ada"]).replace("\"kind\":\"user\"", "\"kind\":\"user\",\"is_superuser\":true");
    let site = site(&format!("{banner}{text}"));
    let input = File::open(site.path("export.ndjson")).unwrap();
    let mut command =
        site.program("import - --apply --source old-shop --admins superusers --groups-as-roles");
    assert!(command.stdin(input).output().unwrap().status.success());
    let users = run(&site, "user list --json").1;
    assert!(users.contains(r#""role":"ADMIN""#), "{users}");
    assert!(run(&site, "import status").1.contains("old-shop  1"));
}

#[test]
fn the_files_for_django_are_printed() {
    let site = site("");
    for (arguments, part) in [
        ("import --print-exporter django", "get_user_model"),
        ("import --print-schema", "\"$schema\""),
        ("export django --print-loader", "SALLYPORT_LOAD"),
        ("export django --print-refresh-view", "SallyportTokenRefreshView"),
    ] {
        let (status, said, _) = run(&site, arguments);
        assert!(status == Some(0) && said.contains(part), "{arguments}: {said}");
    }
    assert!(!site.path("sallyport.db").exists());
}

#[test]
fn the_way_back_is_a_file_for_its_owner_only() {
    let site = site(&file(&["ada"]));
    assert_eq!(run(&site, "import export.ndjson --apply").0, Some(0));
    let (status, said, _) = run(&site, "export django");
    assert_eq!((status, said.lines().count()), (Some(0), 2), "{said}");
    assert_eq!(run(&site, "export django --output back.ndjson").0, Some(0));
    let mode = fs::metadata(site.path("back.ndjson")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (status, _, errors) = run(&site, "export django --output back.ndjson");
    assert!(status == Some(1) && errors.contains("already exists"), "{errors}");
    let (status, _, errors) = run(&site, "keys export-refresh");
    assert_eq!((status, errors.contains("make refresh tokens")), (Some(0), true), "{errors}");
    let keys = run(&site, &format!("keys export-refresh --secret {SECRET},{SECRET}x")).1;
    let keys: Vec<&str> = keys.lines().collect();
    assert!(keys.len() == 2 && keys.iter().all(|key| key.len() == 43), "{keys:?}");
    assert!(!keys.concat().contains(SECRET));
}

async fn an_import_that_was_killed_goes_on_where_it_was(database: Database) {
    const NAMES: usize = 4_000;
    let names: Vec<String> = (0..NAMES).map(|n| format!("user{}", n % (NAMES - 3))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let site = site(&file(&names));
    let arguments =
        format!("import export.ndjson --apply --skip-bad --database-url {}", database.url);
    let mut raw = database.raw().await;
    let count = "SELECT count(*) FROM external_accounts";
    let mut child = site.program(&arguments).stdout(Stdio::null()).spawn().unwrap();
    let before = loop {
        let before = raw.number(count).await;
        if before > 0 || child.try_wait().unwrap().is_some() {
            break before;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let half = raw.number(count).await;
    assert!(before > 0 && half < i64::try_from(NAMES).unwrap(), "{before} {half}");
    // Of each account there is all or nothing.
    let passwords = "SELECT count(*) FROM password_credentials";
    assert_eq!(raw.number(passwords).await, half);
    assert_eq!(raw.number("SELECT count(*) FROM users").await, half);
    let output = site.run(&arguments);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(raw.number(count).await, i64::try_from(NAMES).unwrap());
    let numbered = "SELECT username FROM users WHERE username LIKE '%-%' ORDER BY username";
    assert_eq!(raw.texts(numbered).await, ["user0-2", "user1-2", "user2-2"]);
    // The staging database is deleted as soon as it is open.
    let mut left: Vec<_> =
        fs::read_dir(site.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["export.ndjson", "sallyport.toml"]);
}
