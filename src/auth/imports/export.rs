//! The way back: what changed here since the import, in the format of imports.

use serde_json::{Map, Value, json};

use super::state::Imports;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::domain::external_account::Source;
use crate::domain::id::UserId;
use crate::domain::import::AccountField;
use crate::domain::user::Email;
use crate::store::{ExportedAccount, field_digests};

/// Rows of one page.
const PAGE: i64 = 500;

/// A password in Django's form that nobody can log in with.
const UNUSABLE: &str = "!";

/// A line of the export, or a note for people.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportLine {
    Record(Value),
    /// The account whose password cannot go back, by its name.
    WithoutPassword(String),
}

impl Imports {
    /// Passes on the lines of an export to a source: what changed here of accounts since their import, accounts that
    /// were made here, the refresh tokens of live sessions, and the tokens of the source that are dead here.
    pub async fn export<E: From<Error>>(
        &self,
        _by: Admin,
        source: &Source,
        mut pass_on: impl FnMut(ExportLine) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = self.now();
        let settings = self.store.simplejwt_settings_of(source).await.map_err(Error::from)?;
        // Clients of a site that does not replace refresh tokens go on with the one that they have.
        let times = (now, settings.rotates == Some(false));
        pass_on(ExportLine::Record(json!({
            "format": "sallyport-import",
            "version": 1,
            "source": "sallyport",
            "exported_at": now.to_string(),
        })))?;
        let (mut users, mut sessions, mut blacklisted) = (0_u64, 0_u64, 0_u64);
        let mut last = UserId::NOBODY;
        loop {
            let page = self.store.exported_accounts(source, last, PAGE).await;
            let page = page.map_err(Error::from)?;
            let Some(end) = page.last() else { break };
            last = end.user.id;
            for account in &page {
                let password = account.password.as_ref().filter(|_| has_own_password(account));
                let django = password.and_then(django_hash);
                let removed = account.has_lost_password.then(|| UNUSABLE.to_owned());
                let Some(record) = user(account, django.clone().or(removed)) else { continue };
                users += 1;
                if password.is_some() && django.is_none() {
                    let name = account.user.names.username().as_str().to_owned();
                    pass_on(ExportLine::WithoutPassword(name))?;
                }
                pass_on(ExportLine::Record(record))?;
            }
        }
        let mut after = UserId::NOBODY.as_uuid();
        loop {
            let page = self.store.exported_sessions(source, after, times, PAGE).await;
            let (page, end) = page.map_err(Error::from)?;
            if page.is_empty() {
                break;
            }
            after = end;
            for session in page {
                sessions += 1;
                pass_on(ExportLine::Record(json!({
                    "kind": "session",
                    "jti": session.token_id.to_string(),
                    "user_id": session.external_id,
                    "username": session.username,
                    "created_at": session.issued_at.to_string(),
                    "expires_at": session.expires_at.to_string(),
                })))?;
            }
        }
        let mut after = String::new();
        loop {
            let page = self.store.exported_token_ends(source, &after, times, PAGE).await;
            let page = page.map_err(Error::from)?;
            let Some((jti, ..)) = page.last() else { break };
            jti.clone_into(&mut after);
            for (jti, at, expires_at) in page {
                blacklisted += 1;
                pass_on(ExportLine::Record(json!({
                    "kind": "blacklisted",
                    "jti": jti,
                    "blacklisted_at": at.to_string(),
                    "expires_at": expires_at.to_string(),
                })))?;
            }
        }
        pass_on(ExportLine::Record(json!({
            "kind": "end",
            "users": users,
            "sessions": sessions,
            "blacklisted": blacklisted,
        })))
    }
}

/// What of the account has to go back; `None` for nothing. Of an imported account it is what is not as the import
/// wrote it: a name that the import itself altered stays there as it is. An upgraded hash is no change, since the
/// other system still has one of the same password.
fn user(account: &ExportedAccount, password: Option<String>) -> Option<Value> {
    let user = &account.user;
    let mut members = Map::new();
    members.insert("kind".to_owned(), "user".into());
    let id = account.imported.as_ref().map(|(id, _)| id.as_str());
    members.insert("id".to_owned(), id.into());
    if user.is_deleted() {
        members.insert("is_active".to_owned(), false.into());
        return Some(members.into());
    }
    let email = user.names.email().map(Email::as_str);
    let is_verified = user.email_verified_at.is_some();
    let username = user.names.username().as_str();
    let here =
        field_digests(username, (email, is_verified), user.is_active(), user.role, &user.roles);
    let is_changed = |field| {
        let written = account.imported.as_ref().map(|(_, written)| written);
        written.is_none_or(|written| !written.agree(&here, field))
    };
    let mut values = Vec::new();
    if is_changed(AccountField::Username) {
        values.push(("username", username.into()));
    }
    if is_changed(AccountField::Email) {
        values.extend([("email", email.into()), ("email_verified", is_verified.into())]);
    }
    if is_changed(AccountField::Active) {
        values.push(("is_active", user.is_active().into()));
    }
    values.extend(password.map(|password| ("password", password.into())));
    if account.imported.is_none() {
        let last_login = user.last_login_at.map(|at| at.to_string());
        values.push(("date_joined", user.created_at.to_string().into()));
        values.push(("last_login", last_login.into()));
    }
    let has_own_password = has_own_password(account);
    members.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
    (members.len() > 2 || has_own_password).then(|| members.into())
}

/// Whether the other system has no hash of the account's password.
fn has_own_password(account: &ExportedAccount) -> bool {
    account.imported.is_none() || account.user.password_changed_at.is_some()
}

/// The hash in Django's form; `None` if Django has none for it.
fn django_hash(hash: &PasswordHash) -> Option<String> {
    let text = hash.as_str();
    match hash.scheme() {
        PasswordScheme::Argon2id | PasswordScheme::Argon2 if text.starts_with('$') => {
            Some(format!("argon2{text}"))
        }
        PasswordScheme::Bcrypt => {
            let of_others = text.strip_prefix("bcrypt:");
            Some(of_others.map_or_else(|| text.to_owned(), |text| format!("bcrypt${text}")))
        }
        // Those of other systems have salts that are no text, and passwords in another form.
        PasswordScheme::Argon2 | PasswordScheme::Pbkdf2 | PasswordScheme::Scrypt => {
            let of_django = ["argon2$", "pbkdf2_", "scrypt$"];
            of_django.iter().any(|head| text.starts_with(head)).then(|| text.to_owned())
        }
        // The digest below the wrapping is not known.
        PasswordScheme::Argon2id | PasswordScheme::WrappedDigest => None,
    }
}
