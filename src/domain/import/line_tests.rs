//! Hostile and odd lines of an import file.

use proptest::prelude::*;

use super::line::*;

fn parse(line: &str) -> Result<Line, LineError> {
    Line::parse(line.as_bytes())
}

fn user(line: &str) -> ForeignUser {
    match parse(line) {
        Ok(Line::User(user)) => *user,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_needs_an_id_and_every_other_member_has_a_default() {
    let bare = user(r#"{"kind":"user","id":"7"}"#);
    assert_eq!((bare.id.as_str(), bare.username.as_str()), ("7", ""));
    assert!(bare.is_active && !bare.is_staff && !bare.is_superuser && !bare.email_verified);
    assert_eq!((bare.email, bare.password, bare.last_login), (None, None, None));
    assert_eq!(user(r#"{"kind":"user","id":7,"username":8}"#).username, "8");
    for id in ["18446744073709551615", "-9223372036854775808"] {
        assert_eq!(user(&format!(r#"{{"kind":"user","id":{id}}}"#)).id.as_str(), id);
    }
    let empty = user(r#"{"kind":"user","id":"7","email":"","password":""}"#);
    assert_eq!((empty.email, empty.password), (None, None));
}

#[test]
fn a_line_with_a_wrong_member_names_it() {
    for (line, error) in [
        ("", LineError::NotAnObject),
        ("[]", LineError::NotAnObject),
        ("{}", LineError::Missing("kind")),
        (r#"{"kind":"user"}"#, LineError::Missing("id")),
        (r#"{"kind":"user","id":""}"#, LineError::Invalid("id")),
        // Rounded, it would be the id of others as well.
        (r#"{"kind":"user","id":123456789012345678901234567890}"#, LineError::Invalid("id")),
        (r#"{"kind":"user","id":1.5}"#, LineError::Invalid("id")),
        (r#"{"kind":"user","id":"1","username":1e30}"#, LineError::Invalid("username")),
        (r#"{"kind":"user","id":"1","is_active":"yes"}"#, LineError::NotAnObject),
        (r#"{"kind":"user","id":"1","username":"a\u0000"}"#, LineError::NotAnObject),
        (r#"{"kind":"user","id":"1","last_login":"today"}"#, LineError::Invalid("last_login")),
        (r#"{"kind":"outstanding","jti":"a"}"#, LineError::Missing("expires_at")),
        (r#"{"kind":"blacklisted","jti":""}"#, LineError::Invalid("jti")),
        (r#"{"kind":"end"}"#, LineError::Missing("users")),
        (r#"{"format":"sallyport-import","version":2}"#, LineError::Version),
        (r#"{"format":"sallyport-import"}"#, LineError::Version),
        (r#"{"format":"sallyport-import","version":1}"#, LineError::Missing("source")),
        (
            r#"{"format":"sallyport-import","version":1,"source":"A b"}"#,
            LineError::Invalid("source"),
        ),
    ] {
        assert_eq!(parse(line).unwrap_err(), error, "{line}");
    }
    let jti = format!(r#"{{"kind":"blacklisted","jti":"{}"}}"#, "a".repeat(256));
    assert_eq!(parse(&jti).unwrap_err(), LineError::Invalid("jti"));
    assert_eq!(Line::parse(b"\xff").unwrap_err(), LineError::NotUtf8);
    assert_eq!(Line::parse(&vec![b' '; MAX_LINE_BYTES + 1]).unwrap_err(), LineError::TooLong);
}

#[test]
fn kinds_of_newer_versions_are_known_as_unknown() {
    assert!(matches!(parse(r#"{"kind":"passkey","id":[]}"#), Err(LineError::NotAnObject)));
    assert!(matches!(parse(r#"{"kind":"passkey","of":[]}"#), Ok(Line::Unknown)));
}

#[test]
fn a_header_is_found_behind_a_banner() {
    let header =
        r#"{"format":"sallyport-import","version":1,"source":"django","settings":{"a":1}}"#;
    assert!(Line::is_header(header.as_bytes()));
    for banner in
        ["", "12 objects imported automatically", r#"{"kind":"user"}"#, "sallyport-import"]
    {
        assert!(!Line::is_header(banner.as_bytes()), "{banner}");
    }
    let Ok(Line::Header(header)) = parse(header) else { panic!("a header") };
    assert_eq!((header.source.as_str(), header.settings.len()), ("django", 1));
}

#[test]
fn deep_json_is_refused() {
    let deep = format!(r#"{{"kind":"user","id":"1","x":{}}}"#, "[".repeat(30_000));
    assert_eq!(parse(&deep).unwrap_err(), LineError::NotAnObject);
}

proptest! {
    #[test]
    fn no_line_is_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Line::parse(&bytes);
        let _ = Line::is_header(&bytes);
    }

    #[test]
    fn no_text_in_a_member_is_a_panic(text in ".*", name in "[a-z_]{2,14}") {
        let line = serde_json::json!({"kind": "user", "id": text, (name): text}).to_string();
        let _ = Line::parse(line.as_bytes());
        let line = serde_json::json!({"kind": "outstanding", "jti": text, "expires_at": text});
        let _ = Line::parse(line.to_string().as_bytes());
    }
}
