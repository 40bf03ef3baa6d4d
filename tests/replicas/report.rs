//! Report of all scenarios: `target/replicas-report.md`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use crate::history::{Answer, Did, ELSEWHERE, Event};
use crate::is_long;

static REPORT: LazyLock<Mutex<File>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../replicas-report.md");
    let mut file = File::create(path).unwrap();
    let run = if is_long() { "the long run" } else { "the short run" };
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    writeln!(file, "# Replicas under faults: {run} of {build}").unwrap();
    Mutex::new(file)
});

pub fn write(title: &str, lines: &[String]) {
    let mut text = format!("\n## {title}\n");
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    println!("{text}");
    REPORT.lock().unwrap().write_all(text.as_bytes()).unwrap();
}

/// Counts of a history, in a line.
pub fn summary(history: &[Event]) -> String {
    let asked = || history.iter().filter(|event| event.replica != ELSEWHERE);
    let count = |is: &dyn Fn(&Did) -> bool| asked().filter(|event| is(&event.did)).count();
    let refreshes = count(&|did| matches!(did, Did::Refresh { answer: Answer::Done(_), .. }));
    let accepted = count(&|did| matches!(did, Did::Ask { answer: Answer::Done(()) }));
    let logouts = count(&|did| matches!(did, Did::LogOut { answer: Answer::Done(()) }));
    let unavailable = count_unavailable(history);
    let lost = count(&|did| {
        matches!(
            did,
            Did::Refresh { answer: Answer::Lost, .. }
                | Did::Ask { answer: Answer::Lost }
                | Did::LogOut { answer: Answer::Lost }
        )
    });
    let longest = history.iter().map(Event::took).max().unwrap_or_default();
    format!(
        "- {} requests: {refreshes} refreshes, {accepted} protected fields, {logouts} logouts done; \
         {unavailable} unavailable, {lost} without an answer; the longest took {longest:.1?}",
        asked().count()
    )
}

pub fn count_unavailable(history: &[Event]) -> usize {
    history.iter().filter(|event| event.is_unavailable()).count()
}

pub fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    let index = (sorted.len() * hundredths).div_ceil(100).max(1) - 1;
    sorted.get(index).copied().unwrap_or_default()
}

pub fn histogram(sorted: &[Duration]) -> Vec<String> {
    let bounds = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    let mut lines = vec!["```".to_owned()];
    let mut below = 0;
    for bound in bounds {
        let reached = sorted.partition_point(|value| value.as_millis() <= bound);
        let here = reached - below;
        below = reached;
        if here > 0 {
            let bar = "#".repeat((here * 50).div_ceil(sorted.len()));
            lines.push(format!("<= {bound:>5} ms  {here:>5}  {bar}"));
        }
    }
    lines.push(format!(" > {:>5} ms  {:>5}", bounds[bounds.len() - 1], sorted.len() - below));
    lines.push("```".to_owned());
    lines
}
