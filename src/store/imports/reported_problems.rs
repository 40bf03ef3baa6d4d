//! Problems of an import, collected in its staging database since there may be as many as lines.

use sqlx::AssertSqlSafe;

use crate::domain::import::{Problem, ProblemKind};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::imports::staging::{Staging, rows};

/// Rows of one `INSERT`.
const ROWS: usize = 100;

impl Staging {
    pub async fn add_problems(&mut self, problems: &[Problem]) -> Result<()> {
        for some in problems.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO problems (kind, line, id, value, outcome) VALUES {}",
                rows(some.len(), 5)
            );
            let mut query = metered::query(AssertSqlSafe(sql));
            for problem in some {
                query = query
                    .bind(problem.kind.as_str())
                    .bind(problem.line)
                    .bind(problem.id.as_deref())
                    .bind(problem.value.as_deref())
                    .bind(problem.outcome.as_deref());
            }
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Number of problems of each kind that has any.
    pub async fn count_problems(&mut self) -> Result<Vec<(ProblemKind, u64)>> {
        let counts: Vec<(String, i64)> =
            metered::query_as("SELECT kind, count(*) FROM problems GROUP BY kind")
                .fetch_all(&mut self.connection)
                .await?;
        let of = |kind: ProblemKind| {
            let found = counts.iter().find(|(word, _)| word == kind.as_str());
            found.and_then(|(_, count)| u64::try_from(*count).ok()).map(|count| (kind, count))
        };
        Ok(ProblemKind::ALL.iter().filter_map(|kind| of(*kind)).collect())
    }

    /// The next problems, of one kind or of all, and the number of the last one.
    pub async fn problems(
        &mut self,
        kind: Option<ProblemKind>,
        after: i64,
        size: i64,
    ) -> Result<(Vec<Problem>, i64)> {
        type Row = (i64, String, i64, Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> = metered::query_as(
            "SELECT number, kind, line, id, value, outcome FROM problems \
             WHERE number > $1 AND ($2 IS NULL OR kind = $2) ORDER BY number LIMIT $3",
        )
        .bind(after)
        .bind(kind.map(ProblemKind::as_str))
        .bind(size)
        .fetch_all(&mut self.connection)
        .await?;
        let last = rows.last().map_or(after, |row| row.0);
        let problem = |(_, kind, line, id, value, outcome): Row| {
            let kind = ProblemKind::parse(&kind)?;
            Some(Problem { kind, line, id, value, outcome })
        };
        Ok((rows.into_iter().filter_map(problem).collect(), last))
    }
}
