//! The file of `--accept-foreign-tokens`: whose refresh tokens are exchanged, by which keys, and until when.
//!
//! Keys are those of the tokens' claims and of the settings of Django's SimpleJWT, in the spelling of flags. Secrets
//! are in files of their own, so that this one may be shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::nearest;
use crate::clock::Timestamp;
use crate::crypto::foreign_key::ForeignAlgorithm;
use crate::crypto::foreign_token::ForeignClaims;
use crate::domain::external_account::Source;
use crate::domain::foreign_token::ForeignTokenTerms;

/// A parsed file. The key files are not read yet.
#[derive(Clone, Debug)]
pub struct ForeignTokenFile {
    pub source: Source,
    pub algorithm: ForeignAlgorithm,
    /// One at least.
    pub key_files: Vec<PathBuf>,
    pub claims: ForeignClaims,
    pub terms: ForeignTokenTerms,
    pub until: Option<Timestamp>,
}

const KEYS: [&str; 14] = [
    "source",
    "algorithm",
    "key-file",
    "key-files",
    "user-id-claim",
    "jti-claim",
    "token-type-claim",
    "revoke-token-claim",
    "issuer",
    "audience",
    "leeway",
    "require-outstanding",
    "issued-before",
    "until",
];

const MAX_KEY_FILES: usize = 8;

/// Longest leeway: tokens of the other system are kept for longer after their expiry.
const MAX_LEEWAY: Duration = Duration::from_mins(10);

impl ForeignTokenFile {
    /// Parses the text of a file in this directory. The error names the line and the key.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            format!("line {}: {}", line(at), error.message())
        })?;
        let mut values = Values { found: BTreeMap::new() };
        for (key, value) in document.get_ref() {
            let name = key.get_ref().as_ref();
            if !KEYS.contains(&name) {
                let known = nearest(name, KEYS.into_iter());
                let known =
                    known.map(|known| format!("; did you mean {known}?")).unwrap_or_default();
                let (at, name) = (line(key.span().start), name.escape_debug());
                return Err(format!("line {at}: unknown key {name}{known}"));
            }
            values.found.insert(name, value);
        }
        values.read(directory)
    }
}

struct Values<'a, 'i> {
    found: BTreeMap<&'a str, &'a Spanned<DeValue<'i>>>,
}

impl Values<'_, '_> {
    fn read(&self, directory: &Path) -> Result<ForeignTokenFile, String> {
        let key_files = match (self.texts("key-file")?, self.texts("key-files")?) {
            (files, none) | (none, files) if none.is_empty() => files,
            _ => return Err("key-file and key-files exclude each other; remove one of them".into()),
        };
        if !(1..=MAX_KEY_FILES).contains(&key_files.len()) {
            return Err(format!(
                "1 to {MAX_KEY_FILES} key files are needed, in key-file or key-files"
            ));
        }
        let algorithm = self.text("algorithm")?.unwrap_or_else(|| "HS256".into());
        let algorithm = ForeignAlgorithm::parse(&algorithm).ok_or_else(|| {
            let all: Vec<_> = ForeignAlgorithm::ALL.iter().map(|known| known.as_str()).collect();
            format!("algorithm must be one of {}", all.join(", "))
        })?;
        let source = self.text("source")?.unwrap_or_else(|| "django".into());
        let claim = |key: &str, default: &str| {
            let name = self.text(key)?.unwrap_or_else(|| default.to_owned());
            if name.is_empty() { Err(format!("{key} must not be empty")) } else { Ok(name) }
        };
        Ok(ForeignTokenFile {
            source: Source::parse(&source).map_err(|error| error.to_string())?,
            algorithm,
            key_files: key_files.iter().map(|file| directory.join(file)).collect(),
            claims: ForeignClaims {
                user_id: claim("user-id-claim", "user_id")?,
                jti: claim("jti-claim", "jti")?,
                token_type: claim("token-type-claim", "token_type")?,
                password: claim("revoke-token-claim", "hash_password")?,
                issuer: self.text("issuer")?,
                audience: self.texts("audience")?,
                leeway: self.leeway()?,
            },
            terms: ForeignTokenTerms {
                must_be_outstanding: self.switch("require-outstanding")?.unwrap_or(true),
                issued_before: self.time("issued-before")?,
            },
            until: self.time("until")?,
        })
    }

    fn value(&self, key: &str) -> Option<&DeValue<'_>> {
        self.found.get(key).map(|value| value.get_ref())
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(DeValue::String(text)) => Ok(Some(text.as_ref().to_owned())),
            Some(_) => Err(format!("{key} must be a string")),
        }
    }

    /// A string or an array of strings.
    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let text = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Ok(text.as_ref().to_owned()),
            _ => Err(format!("{key} must be a string or an array of strings")),
        };
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(DeValue::Array(items)) => items.iter().map(|item| text(item.get_ref())).collect(),
            Some(value) => Ok(vec![text(value)?]),
        }
    }

    fn switch(&self, key: &str) -> Result<Option<bool>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(DeValue::Boolean(is_on)) => Ok(Some(*is_on)),
            Some(_) => Err(format!("{key} must be true or false")),
        }
    }

    /// Of SimpleJWT's setting, seconds; or a duration as text.
    fn leeway(&self) -> Result<Duration, String> {
        const MESSAGE: &str =
            "leeway must be seconds, or a duration such as \"10s\", of at most 10m";
        let leeway = match self.value("leeway") {
            None => Some(Duration::ZERO),
            Some(DeValue::Integer(seconds)) => {
                let seconds = u64::from_str_radix(seconds.as_str(), seconds.radix());
                seconds.ok().map(Duration::from_secs)
            }
            Some(DeValue::String(text)) => humantime::parse_duration(text).ok(),
            Some(_) => None,
        };
        leeway.filter(|leeway| *leeway <= MAX_LEEWAY).ok_or_else(|| MESSAGE.to_owned())
    }

    fn time(&self, key: &str) -> Result<Option<Timestamp>, String> {
        let text = match self.value(key) {
            None => return Ok(None),
            Some(DeValue::String(text)) => text.as_ref().to_owned(),
            // TOML allows a space before the time.
            Some(DeValue::Datetime(time)) => time.to_string().replacen(' ', "T", 1),
            Some(_) => String::new(),
        };
        let expected = "must be a time with its offset, such as 2026-12-01T08:00:00Z";
        Timestamp::parse(&text).map(Some).ok_or_else(|| format!("{key} {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ForeignTokenFile, String> {
        ForeignTokenFile::parse(text, Path::new("/etc/sallyport"))
    }

    #[test]
    fn a_key_file_is_enough() {
        let file = parse("key-file = \"django.key\"").unwrap();
        assert_eq!((file.source.as_str(), file.algorithm), ("django", ForeignAlgorithm::Hs256));
        assert_eq!(file.key_files, [Path::new("/etc/sallyport/django.key")]);
        assert_eq!((file.claims.user_id.as_str(), file.claims.jti.as_str()), ("user_id", "jti"));
        assert!(file.terms.must_be_outstanding, "the key alone makes no session");
        assert_eq!((file.terms.issued_before, file.until), (None, None));
    }

    #[test]
    fn every_key_is_read() {
        let file = parse(
            "source = \"shop\"\nalgorithm = \"RS256\"\nkey-files = [\"/a.pem\", \"b.pem\"]\n\
             user-id-claim = \"uid\"\nissuer = \"https://old.example.com\"\naudience = [\"web\"]\n\
             leeway = 10\nrequire-outstanding = false\nissued-before = 2026-12-01T08:00:00Z\n\
             until = \"2026-12-15T08:00:00+01:00\"\n",
        )
        .unwrap();
        assert_eq!(file.key_files, ["/a.pem", "/etc/sallyport/b.pem"].map(PathBuf::from));
        assert_eq!((file.source.as_str(), file.claims.user_id.as_str()), ("shop", "uid"));
        assert_eq!((file.claims.audience.len(), file.claims.leeway), (1, Duration::from_secs(10)));
        assert!(!file.terms.must_be_outstanding);
        assert_eq!(file.terms.issued_before, Timestamp::parse("2026-12-01T08:00:00Z"));
        assert_eq!(file.until, Timestamp::parse("2026-12-15T07:00:00Z"));
        let spaced = parse("key-file = \"k\"\nuntil = 2026-12-15 07:00:00Z").unwrap();
        assert_eq!(spaced.until, file.until);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("", "1 to 8 key files are needed"),
            ("key-file = 7", "key-file must be a string or an array of strings"),
            ("key-file = \"a\"\nkey-files = [\"b\"]", "exclude each other"),
            ("key-file = \"a\"\nkye = 1", "line 2: unknown key kye"),
            ("key-file = \"a\"\nkeyfile = 1", "did you mean key-file?"),
            ("key-file = \"a\"\nalgorithm = \"none\"", "algorithm must be one of HS256"),
            ("key-file = \"a\"\nuntil = 2026-12-15", "until must be a time with its offset"),
            ("key-file = \"a\"\nuntil = 2026-12-15T07:00:00", "until must be a time"),
            ("key-file = \"a\"\nleeway = 601", "leeway must be"),
            ("key-file = \"a\"\njti-claim = \"\"", "jti-claim must not be empty"),
            ("key-file = \"a\"\nsource = \"A B\"", "A source is 1 to 32"),
            ("key-file = \"a\"\nrequire-outstanding = 1", "must be true or false"),
            ("key-file \"a\"", "line 1: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
