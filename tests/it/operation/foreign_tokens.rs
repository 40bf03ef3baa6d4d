//! The file of `--accept-foreign-tokens` as operators meet it: errors of a start, and warnings of a check.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::site::Site;

const KEY: &str = "django-insecure-0123456789abcdefghijklmnopqrstuv\n";

const CHECK: &str = "check --accept-foreign-tokens django.toml";

/// Output and error of a check with this file.
fn check(file: &str, key: &str) -> (Option<i32>, String, String) {
    let site = Site::new("");
    site.write("django.toml", file.as_bytes());
    site.write("django.key", key.as_bytes());
    // The database is made first.
    assert!(site.run("migrate").status.success());
    let output = site.run(CHECK);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_of_the_check_and_of_the_start() {
    for (file, key, expected) in [
        ("key-file = \"none.key\"", KEY, "key file none.key: No such file or directory"),
        (
            "key-file = \"django.key\"",
            "short",
            "key file django.key: the secret has fewer than 16 bytes",
        ),
        (
            "key-file = \"django.key\"\nalgorithm = \"RS256\"",
            KEY,
            "the file is not a public key in PEM",
        ),
        ("key = \"django.key\"", KEY, "line 1: unknown key key"),
        ("", KEY, "1 to 8 key files are needed"),
    ] {
        let (code, said, _) = check(file, key);
        assert_eq!(code, Some(1), "{said}");
        let line =
            said.lines().find(|line| line.starts_with("error")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(expected), "{line}");
        assert!(line.contains("check --accept-foreign-tokens"), "{line}");
        let site = Site::new("");
        site.write("django.toml", file.as_bytes());
        site.write("django.key", key.as_bytes());
        let refused = site.run("serve --listen 127.0.0.1:0 --accept-foreign-tokens django.toml");
        assert_eq!(refused.status.code(), Some(1));
        let error = String::from_utf8(refused.stderr).expect("UTF-8");
        assert!(error.contains(expected) && !error.contains("django-insecure"), "{error}");
        assert!(!site.path("sallyport.db").exists(), "the database before its settings");
    }
}

#[test]
fn a_check_says_what_is_risky_and_when_it_can_go() {
    let warning = |file: &str| {
        let (code, said, _) = check(&format!("key-file = \"django.key\"\n{file}"), KEY);
        assert_eq!(code, Some(0), "{said}");
        let lines = said.lines().filter(|line| line.starts_with("warning")).map(str::to_owned);
        lines.filter(|line| line.contains("django")).collect::<Vec<_>>()
    };
    let lax = warning("require-outstanding = false\nuntil = 2999-01-01T00:00:00Z");
    assert!(lax.len() == 1 && lax[0].contains("can log in as any imported user"), "{lax:?}");
    let bounded = "require-outstanding = false\nissued-before = 2026-01-01T00:00:00Z\n\
                   until = 2999-01-01T00:00:00Z";
    assert_eq!(warning(bounded), Vec::<String>::new());
    let endless = warning("");
    assert!(endless[0].contains("issued-before is not set"), "{endless:?}");
    assert!(endless[1].contains("without an end"), "{endless:?}");
    assert!(endless[2].contains("No refresh token of django is left"), "{endless:?}");
    let over = warning("until = 2001-01-01T00:00:00Z");
    assert!(over.len() == 1 && over[0].contains("Remove --accept-foreign-tokens"), "{over:?}");
}

#[test]
fn a_key_that_others_can_read_is_a_warning() {
    let site = Site::new("");
    site.write("django.toml", b"key-file = \"django.key\"\nuntil = 2999-01-01T00:00:00Z");
    site.write("django.key", KEY.as_bytes());
    fs::set_permissions(site.path("django.key"), fs::Permissions::from_mode(0o644))
        .expect("a mode");
    let said = String::from_utf8(site.run(CHECK).stdout).expect("UTF-8");
    let warned =
        said.lines().any(|line| line.starts_with("warning") && line.contains("django.key"));
    assert!(warned, "{said}");
}
