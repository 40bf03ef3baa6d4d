//! Tests of the URL of the SMTP server.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::smtp_url::{SmtpSecurity, SmtpUrl, SmtpUrlError};

fn url(text: &str) -> SmtpUrl {
    SmtpUrl::parse(text).unwrap()
}

#[test]
fn each_scheme_has_its_port_and_its_encryption() {
    use SmtpSecurity::{Opportunistic, StartTls, Tls};
    for (text, shown, security) in [
        ("smtp://mail.example.com", "smtp://mail.example.com:25", Opportunistic),
        ("smtp://mail.example.com/", "smtp://mail.example.com:25", Opportunistic),
        ("SMTP://mail.example.com:2525\n", "smtp://mail.example.com:2525", Opportunistic),
        ("smtp+starttls://mail.example.com", "smtp+starttls://mail.example.com:587", StartTls),
        ("smtps://mail.example.com", "smtps://mail.example.com:465", Tls),
        ("smtps://127.0.0.1:1", "smtps://127.0.0.1:1", Tls),
        ("smtp://[::1]", "smtp://[::1]:25", Opportunistic),
        ("smtp://[2001:db8::7]:2525", "smtp://[2001:db8::7]:2525", Opportunistic),
        ("smtp://mail_1", "smtp://mail_1:25", Opportunistic),
        ("smtp://почта.пример", "smtp://xn--80a1acny.xn--e1afmkfd:25", Opportunistic),
        // With credentials, STARTTLS is required.
        ("smtp://ada:pw@mail.example.com", "smtp+starttls://mail.example.com:25", StartTls),
        ("smtp://ada@[::1]:1025", "smtp+starttls://[::1]:1025", StartTls),
        ("smtps://ada:pw@mail.example.com", "smtps://mail.example.com:465", Tls),
    ] {
        let url = url(text);
        assert_eq!((url.to_string().as_str(), url.security()), (shown, security), "{text}");
    }
    assert_eq!(url("smtp://[::1]").host(), "::1");
}

#[test]
fn user_and_password_are_decoded() {
    for (text, credentials) in [
        ("smtps://ada:pw@h", Some(("ada", "pw"))),
        ("smtps://ada%40example.com:p%3Aw%2F%25%20@h", Some(("ada@example.com", "p:w/% "))),
        ("smtps://ada@example.com:p:w@h", Some(("ada@example.com", "p:w"))),
        ("smtps://ada:비밀+@h", Some(("ada", "비밀+"))),
        ("smtps://ada@h", None),
        ("smtps://h", None),
    ] {
        assert_eq!(url(text).credentials(), credentials, "{text}");
    }
}

#[test]
fn the_password_may_be_in_a_file() {
    let with = |text: &str, password: &str| url(text).with_password(password);
    for password in ["p@ss /?#", "p@ss /?#\n", "p@ss /?#\r\n"] {
        let url = with("smtp://ada@h", password).unwrap();
        assert_eq!(url.credentials(), Some(("ada", "p@ss /?#")));
        assert!(url.has_password() && !url.needs_password());
    }
    assert!(url("smtp://ada@h").needs_password());
    assert!(!url("smtp://h").needs_password());
    for (text, password, error) in [
        ("smtp://h", "pw", SmtpUrlError::NoUser),
        ("smtp://ada:pw@h", "pw", SmtpUrlError::TwoPasswords),
        ("smtp://ada@h", "", SmtpUrlError::Password),
        ("smtp://ada@h", "\n", SmtpUrlError::Password),
        ("smtp://ada@h", "a\nb", SmtpUrlError::Password),
        ("smtp://ada@h", "a\0b", SmtpUrlError::Password),
    ] {
        assert_eq!(with(text, password), Err(error), "{text} {password:?}");
    }
}

#[test]
fn each_mistake_has_its_message() {
    use SmtpUrlError::{Encoding, Host, NoUser, Parameters, Password, Path, Scheme};
    for (text, error) in [
        ("", Scheme),
        ("mail.example.com:587", Scheme),
        ("smtp:mail.example.com", Scheme),
        ("https://mail.example.com", Scheme),
        ("smtp+tls://mail.example.com", Scheme),
        ("smtp://", Host),
        ("smtp://:25", Host),
        ("smtp://a..b", Host),
        ("smtp://a b", Encoding),
        ("smtp://a,b", Host),
        ("smtp://h:", Host),
        ("smtp://h:0", Host),
        ("smtp://h:65536", Host),
        ("smtp://h:25:26", Host),
        ("smtp://h:+5", Host),
        ("smtp://::1", Host),
        ("smtp://[::1", Host),
        ("smtp://[::1]25", Host),
        ("smtp://[mail.example.com]", Host),
        ("smtp://[fe80::1%25eth0]", Host),
        ("smtp://1.2.3", Host),
        ("smtp://1.2.3.256", Host),
        ("smtp://@h", NoUser),
        ("smtp://:pw@h", NoUser),
        ("smtp://ada:@h", Password),
        ("smtp://ada:p%@h", Encoding),
        ("smtp://ada:p%zz@h", Encoding),
        ("smtp://ada:p%00@h", Encoding),
        ("smtp://ada:p%ff@h", Encoding),
        ("smtp://ada:p/w@h", Encoding),
        ("smtp://ada:p?w@h", Encoding),
        ("smtp://ada:p#w@h", Encoding),
        ("smtp://h?tls=required", Parameters),
        ("smtp://h/?tls=required", Parameters),
        ("smtp://h/path", Path),
    ] {
        assert_eq!(SmtpUrl::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_connection_to_another_machine_may_be_unencrypted_without_a_user_only() {
    for (text, is) in [
        ("smtp://mail.example.com", true),
        ("smtp://192.0.2.7", true),
        ("smtp://localhost", false),
        ("smtp://127.0.0.1", false),
        ("smtp://[::1]", false),
        ("smtp://ada:pw@mail.example.com", false),
        ("smtp+starttls://mail.example.com", false),
        ("smtps://mail.example.com", false),
    ] {
        assert_eq!(url(text).is_in_the_clear(), is, "{text}");
    }
}

#[test]
fn no_form_has_the_user_or_the_password() {
    for text in
        ["smtps://alice:hunter2@h", "smtp://alice:hunter2@h", "smtp://alice:hunter2@[::1]:1"]
    {
        let url = url(text);
        let shown = format!("{url} {url:?} {url:#?}");
        assert!(!shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_url_or_an_error(
        text in "(smtps?://)?[a-z0-9@:/?#%\\[\\]. +-]{0,40}|\\PC*",
    ) {
        match SmtpUrl::parse(&text) {
            Ok(url) => {
                let again = SmtpUrl::parse(&url.to_string()).unwrap();
                prop_assert_eq!((again.host(), again.port()), (url.host(), url.port()));
            }
            Err(error) => drop(error.to_string()),
        }
    }

    #[test]
    fn user_and_password_are_what_was_encoded(user in "[^\0]{1,20}", password in "[^\0]{1,20}") {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = url(&format!("smtps://{}:{}@h", encode(&user), encode(&password)));
        prop_assert_eq!(url.credentials(), Some((user.as_str(), password.as_str())));
    }
}
