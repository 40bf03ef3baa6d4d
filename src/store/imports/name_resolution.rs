//! Names that several accounts of a file would have: who gets them.
//!
//! An account whose address is verified keeps it, before one that only says that it has it; then an active one,
//! then the one that logged in last. Names are kept by an active account, then by the last login. An account that
//! has a name here already does not compete. Usernames collide if they are the same, folded, or look alike.

use crate::domain::import::ProblemKind;
use crate::domain::user::Username;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::imports::staging::Staging;

const INDICES: &str = "
    CREATE INDEX users_by_state ON users (state, line);
    CREATE INDEX users_by_email ON users (email_key, verified DESC, active DESC, last_login DESC, line)
        WHERE new_email AND NOT lost_email AND email_key IS NOT NULL;
    CREATE INDEX users_by_name ON users (username_key) WHERE new_name;
    CREATE INDEX users_by_skeleton ON users (skeleton) WHERE new_name";

/// Accounts whose address another one keeps.
const LOST_EMAILS: &str = "
    INSERT INTO problems (kind, line, id, value, outcome)
    SELECT 'DUPLICATE_EMAIL', line, id, email, 'account ' || keeper || ' keeps it' FROM (
        SELECT line, id, email, row_number() OVER same AS place, first_value(id) OVER same AS keeper
        FROM users WHERE new_email AND NOT lost_email AND email_key IS NOT NULL
        WINDOW same AS (PARTITION BY email_key
                        ORDER BY verified DESC, active DESC, last_login DESC, line)
    ) WHERE place > 1;
    UPDATE users SET lost_email = 1
    WHERE line IN (SELECT line FROM problems WHERE kind = 'DUPLICATE_EMAIL');
    UPDATE users SET name_problem = 'NAME_IS_NO_ADDRESS_OF_IT'
    WHERE new_name AND lost_email AND instr(username, '@') > 0";

/// Accounts whose name another one keeps, by one column.
macro_rules! lost_names {
    ($column:literal) => {
        concat!(
            "UPDATE users SET name_problem = 'DUPLICATE_NAME' WHERE line IN (SELECT line FROM (
                 SELECT line, row_number() OVER (
                     PARTITION BY ",
            $column,
            " ORDER BY active DESC, last_login DESC, line) AS place
                 FROM users WHERE new_name AND name_problem IS NULL
             ) WHERE place > 1)"
        )
    };
}

/// The accounts that need another name, those with the same one together.
const RENAMED: &str = "
    INSERT INTO renamed (line) SELECT line FROM users WHERE new_name AND name_problem IS NOT NULL
    ORDER BY username_key, active DESC, last_login DESC, line";

/// An account that needs another name.
pub struct Renamed {
    pub number: i64,
    pub line: i64,
    pub id: String,
    /// The line.
    pub record: String,
    pub username: Username,
    pub problem: ProblemKind,
}

type RenamedRow = (i64, i64, String, String, String, String, String);

impl Staging {
    /// Finds the accounts that cannot have the names of their records.
    pub async fn find_collisions(&mut self) -> Result<()> {
        for sql in
            [INDICES, LOST_EMAILS, lost_names!("username_key"), lost_names!("skeleton"), RENAMED]
        {
            metered::raw_sql(sql).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// The next accounts that need another name.
    pub async fn renamed(&mut self, after: i64, size: i64) -> Result<Vec<Renamed>> {
        let rows: Vec<RenamedRow> = metered::query_as(
            "SELECT number, line, id, record, username, username_key, name_problem \
             FROM renamed JOIN users USING (line) WHERE number > $1 ORDER BY number LIMIT $2",
        )
        .bind(after)
        .bind(size)
        .fetch_all(&mut self.connection)
        .await?;
        let renamed = |(number, line, id, record, username, key, problem): RenamedRow| {
            let username = Username::from_stored(username, key);
            let problem = ProblemKind::parse(&problem)?;
            Some(Renamed { number, line, id, record, username, problem })
        };
        Ok(rows.into_iter().filter_map(renamed).collect())
    }

    /// Whether another account of the file gets the username, or one that looks alike.
    pub async fn is_assigned(&mut self, username: &Username) -> Result<bool> {
        let found: Option<i64> = metered::query_scalar(
            "SELECT line FROM users WHERE new_name AND username_key = $1 AND name_problem IS NULL \
             UNION ALL \
             SELECT line FROM users WHERE new_name AND skeleton = $2 AND name_problem IS NULL LIMIT 1",
        )
        .bind(username.key())
        .bind(username.skeleton())
        .fetch_optional(&mut self.connection)
        .await?;
        Ok(found.is_some())
    }

    /// The next number for names with this beginning, as a skeleton, so that nobody tries all numbers again.
    pub async fn next_number(&mut self, skeleton: &str) -> Result<u64> {
        // A name without a number is the first one.
        let number: i64 = metered::query_scalar(
            "INSERT INTO numbers VALUES ($1, 2) \
             ON CONFLICT (skeleton) DO UPDATE SET number = number + 1 RETURNING number",
        )
        .bind(skeleton)
        .fetch_one(&mut self.connection)
        .await?;
        Ok(u64::try_from(number).unwrap_or(u64::MAX))
    }

    /// Gives an account another name.
    pub async fn assign(&mut self, line: i64, username: &Username) -> Result<()> {
        metered::query(
            "UPDATE users SET username = $2, username_key = $3, skeleton = $4, name_problem = NULL \
             WHERE line = $1",
        )
        .bind(line)
        .bind(username.as_str())
        .bind(username.key())
        .bind(username.skeleton())
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }
}
