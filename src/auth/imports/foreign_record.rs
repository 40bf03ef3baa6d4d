//! A record of an account, parsed as far as that needs no database.

use crate::crypto::digest::password_fingerprint;
use crate::crypto::password::{ForeignHash, ForeignHashError};
use crate::domain::import::{
    FieldDigests, ForeignUser, ImportOptions, Line, ProblemKind, WantedAccount,
};
use crate::store::record_digests;

pub(super) struct ForeignRecord {
    pub line: i64,
    /// The line itself.
    pub text: String,
    pub wanted: WantedAccount,
    pub digests: FieldDigests,
    pub password_fingerprint: Option<[u8; 16]>,
    pub password: Result<ForeignHash, ForeignHashError>,
}

impl ForeignRecord {
    pub(super) fn new(line: i64, text: String, user: ForeignUser, options: ImportOptions) -> Self {
        let wanted = WantedAccount::new(user, options);
        let hash = wanted.password.as_ref().map(|password| password.0.as_str());
        Self {
            line,
            text,
            digests: record_digests(&wanted),
            password_fingerprint: hash.map(password_fingerprint),
            password: ForeignHash::parse(hash.unwrap_or_default()),
            wanted,
        }
    }

    /// Parses a line that was parsed before.
    pub(super) fn of_staged(line: i64, text: String, options: ImportOptions) -> Option<Self> {
        match Line::parse(text.as_bytes()) {
            Ok(Line::User(user)) => Some(Self::new(line, text, *user, options)),
            _ => None,
        }
    }

    pub(super) fn id(&self) -> &str {
        self.wanted.id.as_str()
    }

    /// Why the password cannot come over, and the name of its hasher.
    pub(super) fn password_problem(&self) -> Option<(ProblemKind, Option<String>)> {
        let kind = match self.password.as_ref().err()? {
            ForeignHashError::Unusable => return None,
            ForeignHashError::UnknownScheme => ProblemKind::UnknownHasher,
            ForeignHashError::DesCrypt => ProblemKind::DesCrypt,
            ForeignHashError::Malformed => ProblemKind::MalformedHash,
            ForeignHashError::TooExpensive => ProblemKind::ExpensiveHash,
        };
        Some((kind, self.hasher_name()))
    }

    /// Name of the hasher for the summary.
    pub(super) fn hasher(&self) -> String {
        if matches!(self.password, Err(ForeignHashError::Unusable)) {
            return "none".to_owned();
        }
        let is_bare_md5 = self.password.as_ref().is_ok_and(ForeignHash::is_fast);
        let unnamed = if is_bare_md5 { "md5" } else { "unknown" };
        self.hasher_name().unwrap_or_else(|| unnamed.to_owned())
    }

    fn hasher_name(&self) -> Option<String> {
        let hash = self.wanted.password.as_ref()?;
        // A PHC string begins with the separator.
        let text = hash.0.strip_prefix('$').unwrap_or(&hash.0);
        ForeignHash::hasher_name(text).map(str::to_owned)
    }
}
