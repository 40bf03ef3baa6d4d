//! Progress of an import on standard error: a bar on a terminal, lines otherwise.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use crate::auth::{ImportPhase, ImportProgress};
use crate::clock::Stopwatch;

/// Interval of a bar.
const OF_BAR: Duration = Duration::from_millis(100);

/// Interval of lines.
const OF_LINES: Duration = Duration::from_secs(5);

/// Characters of a bar.
const WIDTH: u64 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Bar,
    Lines,
    Json,
}

/// Where progress is shown.
pub(super) struct ProgressOutput {
    style: Style,
    state: Mutex<State>,
}

struct State {
    phase: Option<ImportPhase>,
    began: Stopwatch,
    told: Stopwatch,
    /// Whether a bar is on the terminal's line.
    has_bar: bool,
}

impl ProgressOutput {
    pub(super) fn new(json: bool) -> Self {
        let style = match (json, io::stderr().is_terminal()) {
            (true, _) => Style::Json,
            (false, true) => Style::Bar,
            (false, false) => Style::Lines,
        };
        let (began, told) = (Stopwatch::start(), Stopwatch::start());
        Self { style, state: Mutex::new(State { phase: None, began, told, has_bar: false }) }
    }

    pub(super) fn tell(&self, now: ImportProgress) {
        let mut state = self.state.lock();
        if state.phase != Some(now.phase) {
            state.phase = Some(now.phase);
            (state.began, state.told) = (Stopwatch::start(), Stopwatch::start());
        }
        let interval = if self.style == Style::Bar { OF_BAR } else { OF_LINES };
        if state.told.elapsed() < interval {
            return;
        }
        state.told = Stopwatch::start();
        let took = state.began.elapsed();
        let text = match self.style {
            Style::Bar => format!("\r{}\x1b[K", bar(now, took)),
            Style::Lines => format!("{}\n", line(now, took)),
            Style::Json => format!("{}\n", in_json(now, took)),
        };
        state.has_bar = self.style == Style::Bar;
        write(&text);
    }

    /// Removes a bar.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.has_bar) {
            write("\r\x1b[K");
        }
    }
}

/// Whoever closed standard error wants no progress.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Rows a second.
fn rate(now: ImportProgress, took: Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    now.rows.saturating_mul(1_000) / millis
}

/// Time until the phase is done, in whole seconds, if that can be known.
fn time_left(now: ImportProgress, took: Duration) -> Option<Duration> {
    let left = now.total?.checked_sub(now.done)?;
    let millis = u128::from(left).saturating_mul(took.as_millis());
    let seconds = millis / u128::from(now.done.max(1)) / 1_000;
    (now.done > 0).then(|| Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))
}

fn line(now: ImportProgress, took: Duration) -> String {
    let phase = now.phase.as_str();
    let share = now.total.filter(|total| *total > 0);
    let share = share.map(|total| format!(" {} %", now.done.saturating_mul(100) / total));
    let left = time_left(now, took);
    let left = left.map(|left| format!(", {} left", humantime::format_duration(left)));
    format!(
        "{phase}{}: {} rows, {} a second{}",
        share.unwrap_or_default(),
        now.rows,
        rate(now, took),
        left.unwrap_or_default()
    )
}

fn bar(now: ImportProgress, took: Duration) -> String {
    let Some(total) = now.total.filter(|total| *total > 0) else { return line(now, took) };
    let full = usize::try_from(now.done.min(total).saturating_mul(WIDTH) / total).unwrap_or(0);
    let width = usize::try_from(WIDTH).unwrap_or(0);
    format!("[{:<width$}] {}", "#".repeat(full), line(now, took))
}

fn in_json(now: ImportProgress, took: Duration) -> String {
    json!({
        "kind": "progress",
        "phase": now.phase.as_str(),
        "done": now.done,
        "total": now.total,
        "rows": now.rows,
        "rowsPerSecond": rate(now, took),
        "secondsLeft": time_left(now, took).map(|left| left.as_secs()),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: ImportProgress =
        ImportProgress { phase: ImportPhase::Create, done: 500, total: Some(1_000), rows: 500 };

    #[test]
    fn a_line_has_the_rate_and_the_time_left() {
        let took = Duration::from_secs(10);
        let expected = "creating accounts 50 %: 500 rows, 50 a second, 10s left";
        assert_eq!(line(HALF, took), expected);
        assert_eq!(bar(HALF, took), format!("[############            ] {expected}"));
        let unknown = ImportProgress { total: None, ..HALF };
        assert_eq!(bar(unknown, took), "creating accounts: 500 rows, 50 a second");
    }

    #[test]
    fn no_number_is_too_large_or_too_small_for_it() {
        for (done, total) in [(0, 0), (5, 3), (u64::MAX, u64::MAX), (0, u64::MAX)] {
            let now = ImportProgress { done, total: Some(total), rows: done, ..HALF };
            for took in [Duration::ZERO, Duration::MAX] {
                let _ = (bar(now, took), in_json(now, took));
            }
        }
    }
}
