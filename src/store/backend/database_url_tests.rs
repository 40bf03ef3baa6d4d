//! Tests of database URLs as people and hosting providers write them.

use proptest::prelude::*;
use sqlx::postgres::PgSslMode;

use crate::store::backend::database_url::{DatabaseUrl, DatabaseUrlError};
use crate::store::backend::percent_encoding::encode;
use crate::store::backend::postgres_url::PostgresUrl;
use crate::store::backend::postgres_url_error::PostgresUrlError;

fn parse(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    DatabaseUrl::parse(text, &|_| None)
}

fn postgres(text: &str) -> PostgresUrl {
    let url = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    url.postgres().unwrap().clone()
}

/// Error message of a refused URL.
fn refusal(text: &str) -> String {
    parse(text).map(|url| url.to_string()).expect_err(text).to_string()
}

#[test]
fn a_url_names_its_database_without_the_password() {
    for (text, shown) in [
        ("sqlite://a/b.db", "SQLite, a/b.db"),
        ("sqlite:a/b.db", "SQLite, a/b.db"),
        ("sqlite:///a/b.db?mode=rwc", "SQLite, /a/b.db"),
        ("postgres://ada:s3cret@db.example:5433/auth", "PostgreSQL, db.example:5433/auth"),
        ("postgresql://ada:s3cret@db.example/auth\n", "PostgreSQL, db.example:5432/auth"),
        ("postgres://ada:s3cret@[::1]:5433/auth", "PostgreSQL, [::1]:5433/auth"),
        ("postgres:///auth?host=::1&port=5433", "PostgreSQL, [::1]:5433/auth"),
        ("postgres:///auth?host=[::1]", "PostgreSQL, [::1]:5432/auth"),
        ("postgres://ada@/auth?host=/run/a&port=6", "PostgreSQL, /run/a:6/auth"),
        ("postgres://ada@:6/auth?host=/run/a", "PostgreSQL, /run/a:6/auth"),
        ("postgres://ada@%2Frun%2Fa/auth", "PostgreSQL, /run/a:5432/auth"),
        ("postgres://ada:s3cret@a:1,[::2]:2/auth", "PostgreSQL, a:1,[::2]:2/auth"),
        ("postgres://a,b:7/auth", "PostgreSQL, a:5432,b:7/auth"),
        ("postgres:///auth?host=a,b&port=7", "PostgreSQL, a:7,b:7/auth"),
        ("jdbc:postgresql://h/auth?user=a&password=s3cret", "PostgreSQL, h:5432/auth"),
        ("postgres://h/auth?schema=tokens", "PostgreSQL, h:5432/auth (schema tokens)"),
    ] {
        let url = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.to_string(), shown, "{text}");
        assert!(!format!("{url:?}").contains("s3cret"));
    }
}

#[test]
fn no_host_is_the_one_of_the_environment() {
    let variable = |name: &str| match name {
        "PGHOST" => Some("::1".to_owned()),
        "PGPORT" => Some("5433".to_owned()),
        _ => None,
    };
    for text in ["postgres:///auth", "postgres:///auth?host=", "postgres://ada@/auth"] {
        let url = DatabaseUrl::parse(text, &variable).unwrap();
        assert_eq!(url.to_string(), "PostgreSQL, [::1]:5433/auth", "{text}");
    }
}

#[test]
fn no_user_is_the_one_of_the_environment() {
    for (variables, expected) in [
        (&[("PGUSER", "ada"), ("USER", "bob")][..], "ada"),
        (&[("USER", "bob"), ("LOGNAME", "joan")], "bob"),
        (&[("LOGNAME", "joan")], "joan"),
    ] {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let user = |text: &str| {
            let url = DatabaseUrl::parse(text, &variable).unwrap();
            url.postgres().unwrap().servers[0].get_username().to_owned()
        };
        assert_eq!(user("postgres://h/auth"), expected);
        assert_eq!(user("postgres://grace@h/auth"), "grace");
    }
}

#[test]
fn what_asks_for_tls_gets_it() {
    for (parameters, mode) in [
        ("", PgSslMode::Prefer),
        ("?ssl=true", PgSslMode::Require),
        ("?ssl=false", PgSslMode::Prefer),
        ("?ssl=verify-full", PgSslMode::VerifyFull),
        ("?sslmode=no-verify", PgSslMode::Require),
        ("?sslmode=require", PgSslMode::Require),
        ("?sslmode=verify-ca&ssl=true", PgSslMode::VerifyCa),
        ("?sslmode=require&sslrootcert=ca.pem", PgSslMode::VerifyCa),
        ("?sslrootcert=system", PgSslMode::VerifyFull),
        ("?sslmode=require&channel_binding=require", PgSslMode::Require),
    ] {
        let server = &postgres(&format!("postgres://h/d{parameters}")).servers[0];
        assert_eq!(format!("{:?}", server.get_ssl_mode()), format!("{mode:?}"), "{parameters}");
    }
    let jdbc = &postgres("jdbc:postgresql://h/d?ssl=true").servers[0];
    assert!(matches!(jdbc.get_ssl_mode(), PgSslMode::VerifyFull));
    for contradiction in ["ssl=true&sslmode=disable", "sslmode=prefer&sslrootcert=system"] {
        assert!(refusal(&format!("postgres://h/d?{contradiction}")).contains("sslmode"));
    }
    let variable = |name: &str| (name == "PGSSLMODE").then(|| "requre".to_owned());
    let error = DatabaseUrl::parse("postgres://h/d", &variable).unwrap_err();
    assert!(error.to_string().contains("PGSSLMODE"), "{error}");
}

#[test]
fn a_schema_is_the_search_path() {
    for parameter in ["schema", "currentSchema", "search_path"] {
        let server = &postgres(&format!("postgres://h/d?{parameter}=my%20auth")).servers[0];
        assert_eq!(server.get_options(), Some("-c search_path=my\\ auth"));
    }
    let server = &postgres("postgres://h/d?options=-c%20a%3Db&options[c.d]=e+f").servers[0];
    assert_eq!(server.get_options(), Some("-c a=b -c c.d=e\\ f"));
}

#[test]
fn a_parameter_that_is_not_known_is_named_with_the_nearest() {
    for (parameter, meant) in [
        ("sslmod=require", Some("sslmode")),
        ("SSLMode=require", Some("sslmode")),
        ("hosts=a", Some("host")),
        ("currentschema=a", Some("currentSchema")),
        ("serverTimezone=UTC", None),
    ] {
        let said = refusal(&format!("postgres://h/d?{parameter}"));
        assert!(said.contains(parameter.split('=').next().unwrap()), "{said}");
        match meant {
            Some(meant) => assert!(said.ends_with(&format!("did you mean {meant}?")), "{said}"),
            None => assert!(!said.contains("did you mean"), "{said}"),
        }
    }
    for parameter in
        ["sslcrl=a", "passfile=a", "service=a", "sslnegotiation=direct", "require_auth=a"]
    {
        let said = refusal(&format!("postgres://h/d?{parameter}"));
        assert!(said.starts_with(parameter.split('=').next().unwrap()), "{said}");
        assert!(said.contains("not supported: "), "{said}");
    }
    for parameter in ["sslmode=on", "port=a", "target_session_attrs=standby", "ssl=maybe"] {
        refusal(&format!("postgres://h/d?{parameter}"));
    }
    for parameter in [
        "connect_timeout=5",
        "pgbouncer=true",
        "connection_limit=1",
        "keepalives=1",
        "target_session_attrs=read-write",
        "gssencmode=disable",
        "application_name=a",
    ] {
        postgres(&format!("postgres://h/d?{parameter}"));
    }
}

#[test]
fn a_password_that_is_not_encoded_is_answered_with_how_and_not_repeated() {
    for password in [
        "s3#cret",
        "s3/cret",
        "s3?cret",
        "12/cret",
        "12?cret",
        "s3 cret",
        "s3%cret",
        "p?s3cret=1&b=2",
    ] {
        for rest in ["@h/d", "@h:5432/d?sslmode=require"] {
            let said = refusal(&format!("postgres://ada:{password}{rest}"));
            assert!(said.contains("percent-encoded"), "{password}: {said}");
            assert!(!said.contains("s3") && !said.contains("cret"), "{said}");
        }
    }
    for text in
        ["postgres://a:p@s3?cret=1@h/d", "postgres://a:12?cret=s3@h/d", "postgres://a:1?s3&cret@h"]
    {
        let said = refusal(text);
        assert!(!said.contains("s3") && !said.contains("cret"), "{said}");
    }
    // What stands before the last @ is no host, so this much needs no encoding.
    let server = &postgres("postgres://ada:p@ss:w%23rd@h/d").servers[0];
    assert_eq!((server.get_username(), server.get_host()), ("ada", "h"));
}

#[test]
fn what_names_no_database_is_refused_without_being_repeated() {
    for (text, error) in [
        ("mysql://h/d", DatabaseUrlError::Scheme),
        ("", DatabaseUrlError::Scheme),
        ("postgres:h/d", DatabaseUrlError::Scheme),
        ("jdbc:mysql://h/d", DatabaseUrlError::Scheme),
        ("host=h user=a password=s3cret", DatabaseUrlError::Keywords),
        ("Server=h;Password=s3cret", DatabaseUrlError::Keywords),
        ("file:./dev.db", DatabaseUrlError::File),
        ("sqlite://", DatabaseUrlError::Path),
        ("sqlite:", DatabaseUrlError::Path),
        ("sqlite://:memory:", DatabaseUrlError::Memory),
        ("sqlite::memory:", DatabaseUrlError::Memory),
        ("sqlite://a.db?mode=memory", DatabaseUrlError::Memory),
        ("sqlite://a.db?mode=ro", DatabaseUrlError::SqliteParameter),
        ("sqlite://a.db?immutable=1", DatabaseUrlError::SqliteParameter),
        ("postgres://h:99999999/d", PostgresUrlError::Host.into()),
        ("postgres://h:0/d", PostgresUrlError::Host.into()),
        ("postgres://::1/d", PostgresUrlError::Host.into()),
        ("postgres://[::1/d", PostgresUrlError::Host.into()),
        ("postgres://[::1]5432/d", PostgresUrlError::Host.into()),
        ("postgres://a,b,c/d?port=1,2", PostgresUrlError::Host.into()),
        ("postgres://a,/d", PostgresUrlError::Host.into()),
    ] {
        assert_eq!(parse(text).expect_err(text), error, "{text}");
    }
}

#[test]
fn what_goes_to_another_machine_without_tls_is_told_from_what_stays() {
    for (text, is) in [
        ("sqlite://a.db", false),
        ("postgres://h/d", true),
        ("postgres://10.0.0.1/d?sslmode=prefer", true),
        ("postgres://h/d?sslmode=require", false),
        ("postgres://localhost/d", false),
        ("postgres://127.0.0.1/d", false),
        ("postgres://[::1]/d", false),
        ("postgres:///d?host=/run/a", false),
        ("postgres://localhost,h/d", true),
    ] {
        assert_eq!(parse(text).unwrap().is_in_the_clear(), is, "{text}");
    }
}

/// Pieces of URLs, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("postgres://".to_owned()),
        Just("jdbc:postgresql://".to_owned()),
        Just("sqlite://".to_owned()),
        Just("[::1]".to_owned()),
        Just("host=".to_owned()),
        Just("port=".to_owned()),
        Just("sslmode=require".to_owned()),
        Just("options[a]=b".to_owned()),
        "[@:/?#&=,%\\[\\]+ ]",
        "%[0-9a-f]{2}",
        "[a-z0-9]{1,6}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_is_more_than_it_can_bear(text in prop_oneof![any::<String>(), pieces()]) {
        for text in [text.clone(), format!("postgres://{text}"), format!("postgres:///d?{text}")] {
            match parse(&text) {
                Ok(url) => {
                    let _ = (format!("{url} {url:?}"), url.is_in_the_clear(), url.path());
                }
                Err(error) => drop(error.to_string()),
            }
        }
    }

    #[test]
    fn user_password_and_name_are_what_was_encoded(password in "\\PC{1,20}", name in "\\PC{1,20}") {
        let text = format!("postgres://{}:{}@h/{0}", encode(&name), encode(&password));
        let url = postgres(&text);
        prop_assert!(url.has_password);
        prop_assert_eq!(url.servers[0].get_username(), &name);
        prop_assert_eq!(url.servers[0].get_database(), Some(&*name));
    }
}
