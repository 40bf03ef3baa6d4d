//! Cursor of a subscriber in the feed of ended sessions.
//!
//! A cursor has the same meaning in every process, and every row that is committed later comes after
//! it. On SQLite it is a sequence number, assigned in the order of commits. PostgreSQL assigns sequence
//! numbers before the commit, so there a cursor is a snapshot: every row that was not visible in it
//! comes after it, however low its number. Example: `p1700000000000000 10:20:10,15` is a server that
//! started at that microsecond, and the snapshot in which transactions below 20 except 10 and 15 were
//! visible.
//!
//! Transaction ids belong to one server: a standby that is promoted may lack the last ones and assign
//! them again. So a cursor of another server, by its start time, counts as the start of the feed.

/// In bytes. A longer snapshot, of very many running transactions, is replaced by its lower bound; some
/// ends then come twice.
const MAX_SNAPSHOT: usize = 400;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCursor(pub(in crate::store) Position);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Position {
    /// The start of the feed.
    Start,
    /// After this sequence number.
    Sqlite(i64),
    /// On the server that started at `started`, after the rows that were visible in `seen`. In the middle
    /// of a page sequence `within` is the snapshot of the first page and the last sequence number: the
    /// rows that became visible between the two snapshots, up to this number, were passed on.
    Postgres { started: i64, seen: Snapshot, within: Option<(Snapshot, i64)> },
}

/// `pg_current_snapshot()`, `xmin:xmax:xip_list`: the oldest running transaction, the first one not
/// begun, and the running ones between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Snapshot(pub(in crate::store) String);

impl FeedCursor {
    /// The start of the feed.
    pub const START: Self = Self(Position::Start);

    /// Parses the format of [`Display`](std::fmt::Display).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::START);
        }
        let position = match text.split_at_checked(1)? {
            ("s", number) => Position::Sqlite(digits(number)?),
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
                Position::Postgres { started, seen, within }
            }
            _ => return None,
        };
        Some(Self(position))
    }
}

impl std::fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Position::Start => Ok(()),
            Position::Sqlite(number) => write!(f, "s{number}"),
            Position::Postgres { started, seen, within } => {
                write!(f, "p{started} {}", seen.0)?;
                match within {
                    Some((snapshot, number)) => write!(f, " {} {number}", snapshot.0),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Parses digits only: no sign, no space.
pub(in crate::store) fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Snapshot {
    /// Accepts what PostgreSQL accepts.
    pub(in crate::store) fn parse(text: &str) -> Option<Self> {
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

    /// The snapshot of a new database, in which no transaction is visible.
    pub(in crate::store) fn first() -> Self {
        Self("1:1:".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_parsed_as_it_was_written() {
        for text in ["", "s0", "s42", "p7 1:1:", "p7 10:20:10,15,19", "p7 10:20:10,15 12:30: 7"] {
            assert_eq!(
                FeedCursor::parse(text).map(|cursor| cursor.to_string()).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn what_the_database_would_refuse_is_no_cursor() {
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
    fn a_snapshot_of_very_many_transactions_is_cut_to_its_lower_bound() {
        let running: Vec<String> = (1000..1500).map(|id| id.to_string()).collect();
        let long = format!("p7 1000:1500:{}", running.join(","));
        assert_eq!(FeedCursor::parse(&long).unwrap().to_string(), "p7 1000:1000:");
    }
}
