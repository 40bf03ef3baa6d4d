//! The way back: what changed here since the import, in the format of imports.

use serde_json::{Value, json};

use super::state::Imports;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::domain::external_account::Source;
use crate::domain::id::UserId;
use crate::domain::user::Email;
use crate::store::{ExportedAccount, digests_here};

/// Rows of one page.
const PAGE: i64 = 500;

/// A line of the export, or a note for people.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportLine {
    Record(Value),
    /// The account whose password cannot go back, by its name.
    WithoutPassword(String),
}

impl Imports {
    /// Passes on the lines of an export to a source: accounts that changed here since their import or were made
    /// here, the refresh tokens of live sessions, and the tokens of the source that were exchanged or blacklisted
    /// here.
    pub async fn export<E: From<Error>>(
        &self,
        _by: Admin,
        source: &Source,
        mut pass_on: impl FnMut(ExportLine) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = self.now();
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
            for account in page.iter().filter(|account| is_changed(account)) {
                users += 1;
                let password = account.password.as_ref().filter(|_| has_own_password(account));
                let django = password.and_then(django_hash);
                if password.is_some() && django.is_none() {
                    let name = account.user.names.username().as_str().to_owned();
                    pass_on(ExportLine::WithoutPassword(name))?;
                }
                pass_on(ExportLine::Record(user(account, django)))?;
            }
        }
        let mut after = UserId::NOBODY.as_uuid();
        loop {
            let page = self.store.exported_sessions(source, after, now, PAGE).await;
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
            let page = self.store.exported_token_ends(source, &after, now, PAGE).await;
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

/// Whether the account has to go back: it was made here, or is not as the import wrote it. An upgraded hash is
/// no change, since the other system still has one of the same password.
fn is_changed(account: &ExportedAccount) -> bool {
    let Some((_, written)) = &account.imported else { return true };
    let user = &account.user;
    let email = user.names.email().map(Email::as_str);
    let here = digests_here(
        user.names.username().as_str(),
        (email, user.email_verified_at.is_some()),
        user.is_active(),
        user.role,
        &user.roles,
    );
    here != *written || user.password_changed_at.is_some()
}

fn user(account: &ExportedAccount, password: Option<String>) -> Value {
    let user = &account.user;
    let mut record = json!({
        "kind": "user",
        "id": account.imported.as_ref().map(|(id, _)| id),
        "username": user.names.username().as_str(),
        "email": user.names.email().map(Email::as_str),
        "email_verified": user.email_verified_at.is_some(),
        "is_active": user.is_active(),
        "date_joined": user.created_at.to_string(),
        "last_login": user.last_login_at.map(|at| at.to_string()),
    });
    if let (Some(password), Some(members)) = (password, record.as_object_mut()) {
        members.insert("password".to_owned(), password.into());
    }
    record
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
