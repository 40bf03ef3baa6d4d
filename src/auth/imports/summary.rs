//! What an import has, and what it changes.

use crate::domain::external_account::Source;
use crate::domain::import::ProblemKind;

/// Numbers of accounts by what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserCounts {
    pub new: u64,
    /// Changed there since the last import.
    pub changed: u64,
    pub unchanged: u64,
}

/// What an import has, and what it changes.
#[derive(Clone, Debug)]
pub struct ImportSummary {
    pub source: Source,
    pub users: UserCounts,
    pub active: u64,
    pub inactive: u64,
    /// Numbers of password hashes by their hashers, the most frequent first; `none` for accounts without a
    /// usable password.
    pub hashers: Vec<(String, u64)>,
    pub outstanding: u64,
    pub blacklisted: u64,
    /// Lines of kinds that this version does not know.
    pub unknown_lines: u64,
    /// Numbers of what cannot come over, and of what is only reported.
    pub problems: Vec<(ProblemKind, u64)>,
    /// The other source whose ids are the claim `user_id`, so that those of this one are not.
    pub ids_of: Option<Source>,
    /// Sessions that ended because their account was deactivated there or got another password or role, or their
    /// token was blacklisted.
    pub ended_sessions: usize,
}

impl ImportSummary {
    /// Number of things that cannot come over.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        let problems = self.problems.iter().filter(|(kind, _)| !kind.is_note());
        problems.map(|(_, count)| count).sum()
    }

    /// Number of what is reported of a kind.
    #[must_use]
    pub fn count(&self, kind: ProblemKind) -> u64 {
        self.problems.iter().find(|(found, _)| *found == kind).map_or(0, |(_, count)| *count)
    }
}
