//! URLs that may contain a password: those of databases and of the SMTP server.

use crate::mail::SmtpUrl;
use crate::store::DatabaseUrl;

/// Kind of URL that a flag has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretUrl {
    Database,
    Smtp,
}

impl SecretUrl {
    /// `None` for a flag without such a URL.
    pub(super) fn of_flag(name: &str) -> Option<Self> {
        match name {
            "database-url" | "database-direct-url" => Some(Self::Database),
            "smtp-url" => Some(Self::Smtp),
            _ => None,
        }
    }

    /// Whether the URL has a secret. A text that is none may have one.
    pub(super) fn has_secret(self, text: &str) -> bool {
        match self {
            Self::Database => text.parse::<DatabaseUrl>().map_or(true, |url| url.has_password()),
            // At some providers the user is a secret, too.
            Self::Smtp => {
                SmtpUrl::parse(text).map_or(true, |url| url.has_password() || url.needs_password())
            }
        }
    }

    /// The URL without its secrets; a text that is none not at all.
    pub(super) fn redacted(self, text: &str) -> String {
        match self {
            Self::Database => redacted_database(text),
            Self::Smtp if !self.has_secret(text) => text.to_owned(),
            Self::Smtp => {
                SmtpUrl::parse(text).map_or_else(|_| SET.to_owned(), |url| url.to_string())
            }
        }
    }
}

/// The text in the place of a secret.
pub(super) const SET: &str = "(set)";

fn redacted_database(text: &str) -> String {
    match text.parse::<DatabaseUrl>() {
        Ok(url) if url.has_password() => without_password(text),
        // With a wrong separator before it, a password is part of another parameter.
        Ok(_) if text.contains("password=") => SET.to_owned(),
        Ok(_) => text.to_owned(),
        Err(_) => SET.to_owned(),
    }
}

/// Takes the password out of a PostgreSQL URL that has been parsed: before the `@` or in the query.
fn without_password(url: &str) -> String {
    let (place, query) = url.split_once('?').unzip();
    let place = place.unwrap_or(url);
    let hidden = place.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}"))
    });
    let place = hidden.unwrap_or_else(|| place.to_owned());
    let Some(query) = query else { return place };
    let parameters = query.split('&').map(|pair| match pair.split_once('=') {
        Some(("password", _)) => "password=***",
        _ => pair,
    });
    format!("{place}?{}", parameters.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("sqlite://a.db", "sqlite://a.db"),
            ("postgres://ada@h/d?sslmode=require", "postgres://ada@h/d?sslmode=require"),
            ("postgres://ada:s3cret@h:5433/d", "postgres://ada:***@h:5433/d"),
            ("postgres://ada:p@s3cret@h/d?a", "(set)"),
            ("postgres://ada:p@s3:cret@h/d", "postgres://ada:***@h/d"),
            (
                "jdbc:postgresql://h/d?user=ada&password=s3cret&ssl=true",
                "jdbc:postgresql://h/d?user=ada&password=***&ssl=true",
            ),
            ("postgres://a:s3cret@h/d?password=s3cret", "postgres://a:***@h/d?password=***"),
            ("postgres://h/d?user=ada;password=s3cret", "(set)"),
            ("s3cret", "(set)"),
        ] {
            assert_eq!(SecretUrl::Database.redacted(url), shown, "{url}");
        }
    }

    #[test]
    fn an_smtp_url_is_shown_without_its_user_and_password() {
        for (url, shown) in [
            ("smtp://h", "smtp://h"),
            ("smtps://h:465", "smtps://h:465"),
            ("smtps://s3cret@h", "smtps://h:465"),
            ("smtp://ada:s3cret@h", "smtp+starttls://h:25"),
            ("smtps://ada:s3cret", "(set)"),
            ("s3cret", "(set)"),
        ] {
            assert_eq!(SecretUrl::Smtp.redacted(url), shown, "{url}");
            assert_eq!(SecretUrl::Smtp.has_secret(url), url.contains("s3cret"), "{url}");
        }
    }
}
