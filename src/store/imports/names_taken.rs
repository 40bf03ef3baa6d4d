//! Which names of an import belong to accounts of this service, or are reserved for them.

use std::collections::HashMap;

use serde_json::json;
use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::{Email, Username};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;

/// Names to look up.
#[derive(Clone, Debug, Default)]
pub struct NameQuery {
    usernames: Vec<String>,
    skeletons: Vec<String>,
    emails: Vec<String>,
}

impl NameQuery {
    pub fn add_username(&mut self, username: &Username) {
        self.usernames.push(username.key().to_owned());
        self.skeletons.push(username.skeleton());
    }

    pub fn add_email(&mut self, email: &Email) {
        self.emails.push(email.key().to_owned());
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.usernames.is_empty() && self.emails.is_empty()
    }
}

/// Owners of names, by name. A name may be one's own and reserved for another.
#[derive(Clone, Debug, Default)]
pub struct NamesTaken(HashMap<(Kind, String), Vec<UserId>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Username,
    Skeleton,
    Email,
}

impl NamesTaken {
    /// Whether another account has the username, or one that looks alike.
    #[must_use]
    pub fn has_username(&self, username: &Username, except: Option<UserId>) -> bool {
        self.has(Kind::Username, username.key().to_owned(), except)
            || self.has(Kind::Skeleton, username.skeleton(), except)
    }

    #[must_use]
    pub fn has_email(&self, email: &Email, except: Option<UserId>) -> bool {
        self.has(Kind::Email, email.key().to_owned(), except)
    }

    fn has(&self, kind: Kind, name: String, except: Option<UserId>) -> bool {
        let owners = self.0.get(&(kind, name));
        owners.is_some_and(|owners| owners.iter().any(|owner| Some(*owner) != except))
    }
}

macro_rules! select_taken {
    ($in:ident) => {
        concat!(
            "SELECT 1 AS kind, username_key AS name, id AS owner FROM users WHERE username_key IN ",
            $in!("$1"),
            " UNION ALL SELECT 2, username_skeleton, id FROM users WHERE username_skeleton IN ",
            $in!("$2"),
            " UNION ALL SELECT 3, email_key, id FROM users WHERE email_key IN ",
            $in!("$3"),
            " UNION ALL SELECT 1, username_key, user_id FROM former_usernames \
             WHERE reserved_until > $4 AND username_key IN ",
            $in!("$1"),
            " UNION ALL SELECT 2, username_skeleton, user_id FROM former_usernames \
             WHERE reserved_until > $4 AND username_skeleton IN ",
            $in!("$2"),
            " UNION ALL SELECT 3, email_key, user_id FROM challenges WHERE purpose = 'REVERT' \
             AND used_at IS NULL AND expires_at > $4 AND email_key IN ",
            $in!("$3")
        )
    };
}

macro_rules! in_sqlite {
    ($list:literal) => {
        concat!("(SELECT value FROM json_each(", $list, "))")
    };
}

macro_rules! in_postgres {
    ($list:literal) => {
        concat!("(SELECT json_array_elements_text(", $list, "::json))")
    };
}

trait SelectTaken {
    const TAKEN: &str;
}

impl SelectTaken for SqliteConnection {
    const TAKEN: &str = select_taken!(in_sqlite);
}

impl SelectTaken for PgConnection {
    const TAKEN: &str = select_taken!(in_postgres);
}

steps! {
    trait TakenNames {
        async fn taken_names(
            &mut self,
            lists: &[String; 3],
            now: Timestamp,
        ) -> Result<Vec<(i32, String, Uuid)>> {
            let [usernames, skeletons, emails] = lists.clone();
            Ok(metered::query_as(Self::TAKEN)
                .bind(usernames)
                .bind(skeletons)
                .bind(emails)
                .bind(now.as_micros())
                .fetch_all(self)
                .await?)
        }
    }
}

impl Store {
    /// Looks up names.
    pub async fn names_taken(&self, names: &NameQuery, now: Timestamp) -> Result<NamesTaken> {
        if names.is_empty() {
            return Ok(NamesTaken::default());
        }
        let NameQuery { usernames, skeletons, emails } = names;
        let lists = [usernames, skeletons, emails].map(|list| json!(list).to_string());
        let rows = read!(self, conn => conn.taken_names(&lists, now).await)?;
        let mut taken = NamesTaken::default();
        for (kind, name, owner) in rows {
            let kind = match kind {
                1 => Kind::Username,
                2 => Kind::Skeleton,
                _ => Kind::Email,
            };
            taken.0.entry((kind, name)).or_default().push(UserId::from_uuid(owner));
        }
        Ok(taken)
    }
}
