//! A place among the ended sessions: how far a follower has come, in whatever process.
//!
//! Rule: a place means the same to every process, and nothing that is committed later lies before
//! it. On SQLite it is a number, given in the order of commits. On PostgreSQL numbers are given
//! before the commit, so a place is a snapshot: what was not visible in it is still to come, be its
//! number as low as it may.
//!
//! Transaction ids are one server's: one that takes its place may not have got the last of them, and
//! give them again. So a place of another server, told by when it started, is before all that is held.

/// A snapshot that is longer, because so many transactions were running, is told as its beginning:
/// some ends come twice then.
const MAX_SNAPSHOT: usize = 400;

/// How far a follower has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCursor(pub(super) At);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Before all that is held.
    Start,
    /// Behind this number.
    Sqlite(i64),
    /// Behind what was visible in `seen` on the server that started then; and, of what became visible
    /// in another snapshot, behind this number.
    Postgres { started: i64, seen: Snapshot, within: Option<(Snapshot, i64)> },
}

/// What `pg_current_snapshot()` says: the oldest transaction still running, the first not begun, and
/// those running between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot(pub(super) String);

impl FeedCursor {
    /// Before all that is held.
    pub const START: Self = Self(At::Start);

    /// Reads what [`Display`](std::fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::START);
        }
        let at = match text.split_at_checked(1)? {
            ("s", number) => At::Sqlite(digits(number)?),
            ("p", rest) => {
                let mut parts = rest.split(' ');
                let started = digits(parts.next()?)?;
                let seen = Snapshot::parse(parts.next()?)?;
                let within = match (parts.next(), parts.next(), parts.next()) {
                    (None, ..) => None,
                    (Some(snapshot), Some(number), None) => {
                        Some((Snapshot::parse(snapshot)?, digits(number)?))
                    }
                    _ => return None,
                };
                At::Postgres { started, seen, within }
            }
            _ => return None,
        };
        Some(Self(at))
    }
}

impl std::fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            At::Start => Ok(()),
            At::Sqlite(number) => write!(f, "s{number}"),
            At::Postgres { started, seen, within } => {
                write!(f, "p{started} {}", seen.0)?;
                match within {
                    Some((snapshot, number)) => write!(f, " {} {number}", snapshot.0),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A number as it is written, and in no other way.
pub(super) fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Snapshot {
    /// Reads what PostgreSQL would read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (start, end) = (digits::<u64>(parts.next()?)?, digits::<u64>(parts.next()?)?);
        let (running, None) = (parts.next()?, parts.next()) else { return None };
        let mut last = start.checked_sub(1)?;
        for id in running.split(',').filter(|_| !running.is_empty()) {
            let id = digits::<u64>(id)?;
            if id <= last || id >= end {
                return None;
            }
            last = id;
        }
        if end < start {
            return None;
        }
        let text =
            if text.len() > MAX_SNAPSHOT { format!("{start}:{start}:") } else { text.into() };
        Some(Self(text))
    }

    /// That of a database in which nothing has happened.
    pub(super) fn first() -> Self {
        Self("1:1:".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for text in ["", "s0", "s42", "p7 1:1:", "p7 10:20:10,15,19", "p7 10:20:10,15 12:30: 7"] {
            assert_eq!(
                FeedCursor::parse(text).map(|place| place.to_string()).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn what_the_database_would_refuse_is_no_place() {
        for text in [
            "s",
            "s-1",
            "s+1",
            "x1",
            "p",
            "p1",
            "p1:1:",
            "p 1:1:",
            "p-7 1:1:",
            "p7 1:1",
            "p7 0:1:",
            "p7 2:1:",
            "p7 1:1::",
            "p7 5:9:4",
            "p7 5:9:9",
            "p7 5:9:6,6",
            "p7 5:9:7,6",
            "p7 5:9:6,",
            "p7 5:9: 5:9:",
            "p7 5:9: 5:9: x",
            "p7 5:9: 5:9: 1 1",
            "p7 5:99999999999999999999:",
            "\u{e9}",
        ] {
            assert_eq!(FeedCursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_snapshot_of_very_many_transactions_is_told_as_its_beginning() {
        let running: Vec<String> = (1000..1500).map(|id| id.to_string()).collect();
        let long = format!("p7 1000:1500:{}", running.join(","));
        assert_eq!(FeedCursor::parse(&long).unwrap().to_string(), "p7 1000:1000:");
    }
}
