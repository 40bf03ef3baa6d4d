//! Reading of an import file, and its comparison with what is here. Nothing is written but the staging database.

use std::collections::HashMap;
use std::io::BufRead;

use tokio::sync::mpsc;

use super::compare::Comparison;
use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use super::line_reader::{Part, Portion, read_lines};
use super::progress::{ImportPhase, ImportProgress, Progress};
use super::stage_records::{names_of, problems_of, staged_user};
use super::state::Imports;
use super::summary::{ImportSummary, UserCounts};
use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::domain::import::{Header, ImportOptions, Problem, ProblemKind};
use crate::store::{PresentAccount, StagedState, Staging};

/// Portions that wait to be staged.
const WAITING: usize = 2;

/// Hashers that are counted by name; the rest is counted as others.
const MAX_HASHERS: usize = 50;

/// Rows of one page of ids.
const PAGE: i64 = 1_000;

/// A file to import.
pub struct ImportInput {
    pub content: Box<dyn BufRead + Send>,
    /// In bytes, if it is known.
    pub size: Option<u64>,
    /// Source in place of the header's.
    pub source: Option<Source>,
    pub options: ImportOptions,
}

/// A file that was read and compared.
pub struct StagedImport {
    pub(super) staging: Staging,
    pub(super) header: Header,
    pub(super) options: ImportOptions,
    pub(super) summary: ImportSummary,
}

impl StagedImport {
    #[must_use]
    pub fn summary(&self) -> &ImportSummary {
        &self.summary
    }

    /// The next problems, of one kind or of all, and the number of the last one, which the next page is
    /// after.
    pub async fn problems(
        &mut self,
        kind: Option<ProblemKind>,
        after: i64,
        size: i64,
    ) -> Result<(Vec<Problem>, i64), ImportError> {
        self.staging.problems(kind, after, size).await.map_err(ImportError::Staging)
    }
}

/// Counts while reading.
#[derive(Default)]
struct Tally {
    active: u64,
    inactive: u64,
    rows: u64,
    unknown_lines: u64,
    hashers: HashMap<String, u64>,
}

impl Imports {
    /// Reads a file and compares it with what is here.
    ///
    /// # Errors
    /// A file that is not whole, or not of the format.
    pub async fn read(
        &self,
        input: ImportInput,
        progress: Progress<'_>,
    ) -> Result<StagedImport, ImportError> {
        let (sender, mut parts) = mpsc::channel(WAITING);
        let ImportInput { content, size, source, options } = input;
        let reading = tokio::task::spawn_blocking(move || read_lines(content, options, &sender));
        let mut staging = Staging::open().await.map_err(ImportError::Staging)?;
        let mut header = match parts.recv().await {
            Some(Part::Header(header)) => header,
            Some(Part::Failed(error)) => return Err(error),
            _ => return Err(ImportError::NoHeader),
        };
        header.source = source.unwrap_or(header.source);
        let has_before = self.store.has_imported_accounts(&header.source).await?;
        let ids_of = self.store.other_giver_of_ids(&header.source).await?;
        let mut tally = Tally::default();
        loop {
            match parts.recv().await {
                Some(Part::Portion(portion)) => {
                    let done = portion.bytes;
                    let before = has_before.then_some(&header.source);
                    self.stage(&mut staging, portion, before, &mut tally).await?;
                    let rows = tally.rows;
                    let phase = ImportPhase::Read;
                    progress(ImportProgress { phase, done, total: size, rows });
                }
                Some(Part::Failed(error)) => return Err(error),
                Some(Part::Header(_)) => {}
                Some(Part::End) | None => break,
            }
        }
        // It has said its last word.
        let _ = reading.await;
        progress(ImportProgress {
            phase: ImportPhase::Compare,
            done: 0,
            total: None,
            rows: tally.rows,
        });
        staging.find_collisions().await.map_err(ImportError::Staging)?;
        self.rename_all(&mut staging, options).await?;
        if has_before {
            self.report_gone(&mut staging, &header.source, options).await?;
        }
        let unknown_expiry = unknown_expiry(&header, self.now());
        let summary =
            summarize(&mut staging, &header.source, tally, (self.now(), unknown_expiry)).await;
        let summary = ImportSummary { ids_of, ..summary.map_err(ImportError::Staging)? };
        Ok(StagedImport { staging, header, options, summary })
    }

    /// Adds a portion to the staging database.
    async fn stage(
        &self,
        staging: &mut Staging,
        portion: Portion,
        before: Option<&Source>,
        tally: &mut Tally,
    ) -> Result<(), ImportError> {
        let Portion { users, tokens, unreadable, unknown, .. } = portion;
        tally.rows += (users.len() + tokens.len()) as u64;
        tally.unknown_lines += unknown;
        let mut problems: Vec<Problem> = unreadable
            .into_iter()
            .map(|(line, error)| Problem {
                kind: ProblemKind::UnreadableLine,
                line,
                id: None,
                value: Some(error.to_string()),
                outcome: None,
            })
            .collect();
        let present = match before {
            Some(source) => self.present(source, &users).await?,
            None => HashMap::new(),
        };
        let compared: Vec<_> = users
            .into_iter()
            .map(|record| {
                let here = present.get(record.id());
                let comparison = here.filter(|here| !here.is_deleted);
                let comparison = comparison.map(|here| Comparison::new(&record, here));
                (record, here, comparison)
            })
            .collect();
        let taken = self.store.names_taken(&names_of(&compared), self.now()).await?;
        let mut staged = Vec::with_capacity(compared.len());
        let mut counted = Vec::with_capacity(compared.len());
        for (record, here, comparison) in compared {
            counted.push((record.line, record.wanted.is_active, record.hasher()));
            problems.extend(problems_of(&record, here, comparison.as_ref(), &taken));
            staged.push(staged_user(record, here, comparison.as_ref(), &taken));
        }
        let again = staging.add_users(&staged).await.map_err(ImportError::Staging)?;
        problems.retain(|problem| !again.contains(&problem.line));
        for (line, is_active, hasher) in counted {
            if !again.contains(&line) {
                tally.count(is_active, hasher);
            }
        }
        let ids = staged.iter().filter(|user| again.contains(&user.line));
        problems.extend(ids.map(|user| Problem {
            kind: ProblemKind::DuplicateId,
            line: user.line,
            id: Some(user.id.clone()),
            value: None,
            outcome: None,
        }));
        staging.add_tokens(&tokens).await.map_err(ImportError::Staging)?;
        staging.add_problems(&problems).await.map_err(ImportError::Staging)
    }

    /// The accounts of records that were imported before, by their ids there.
    pub(super) async fn present(
        &self,
        source: &Source,
        records: &[ForeignRecord],
    ) -> Result<HashMap<String, PresentAccount>, ImportError> {
        let ids: Vec<&str> = records.iter().map(ForeignRecord::id).collect();
        let present = self.store.present_accounts(source, &ids).await?;
        Ok(present.into_iter().map(|account| (account.external_id.clone(), account)).collect())
    }

    /// Reports the accounts that were imported before and are not in the file.
    async fn report_gone(
        &self,
        staging: &mut Staging,
        source: &Source,
        options: ImportOptions,
    ) -> Result<(), ImportError> {
        let kind =
            if options.deactivates_gone { ProblemKind::GoneInactive } else { ProblemKind::Gone };
        let mut after = None;
        loop {
            let ids = self.store.imported_ids(source, after.as_deref(), PAGE).await?;
            let Some(last) = ids.last().cloned() else { return Ok(()) };
            let gone = staging.missing(&ids).await.map_err(ImportError::Staging)?;
            let problems: Vec<Problem> = gone
                .into_iter()
                .map(|id| Problem { kind, line: 0, id: Some(id), value: None, outcome: None })
                .collect();
            staging.add_problems(&problems).await.map_err(ImportError::Staging)?;
            after = Some(last);
        }
    }
}

impl Tally {
    fn count(&mut self, is_active: bool, hasher: String) {
        *(if is_active { &mut self.active } else { &mut self.inactive }) += 1;
        let is_known = self.hashers.contains_key(&hasher) || self.hashers.len() < MAX_HASHERS;
        let hasher = if is_known { hasher } else { "others".to_owned() };
        *self.hashers.entry(hasher).or_default() += 1;
    }
}

async fn summarize(
    staging: &mut Staging,
    source: &Source,
    tally: Tally,
    (now, unknown_expiry): (Timestamp, Timestamp),
) -> Result<ImportSummary, crate::store::Error> {
    let (outstanding, blacklisted) = staging.count_tokens(now, unknown_expiry).await?;
    let mut hashers: Vec<_> = tally.hashers.into_iter().collect();
    hashers.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let unchanged = staging.count_users(StagedState::Unchanged).await?;
    Ok(ImportSummary {
        source: source.clone(),
        users: UserCounts {
            new: staging.count_users(StagedState::New).await?,
            changed: staging.count_users(StagedState::Changed).await?,
            unchanged: unchanged + staging.count_users(StagedState::LoggedIn).await?,
        },
        active: tally.active,
        inactive: tally.inactive,
        hashers,
        outstanding,
        blacklisted,
        unknown_lines: tally.unknown_lines,
        problems: staging.count_problems().await?,
        ids_of: None,
        ended_sessions: 0,
    })
}

/// When blacklisted tokens expire whose expiry is not in the file: as late as any that was issued there.
pub(super) fn unknown_expiry(header: &Header, now: Timestamp) -> Timestamp {
    const LONGEST: u64 = 10 * 365 * 24 * 60 * 60;
    let seconds = header.settings.get("refresh_token_lifetime_seconds");
    let seconds = seconds.and_then(serde_json::Value::as_f64).filter(|seconds| *seconds > 0.0);
    // Two years where it is not known.
    let seconds = seconds.unwrap_or(2.0 * 365.0 * 24.0 * 60.0 * 60.0);
    let lifetime = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    now + lifetime.min(std::time::Duration::from_secs(LONGEST))
}
