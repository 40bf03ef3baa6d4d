//! Report of a run: each figure beside its goal, with the machine and the versions.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::Scale;
use crate::chart::{self, Growth};
use crate::database::{self, Kind};

#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(min) => value >= min,
            Self::AtMost(max) => value <= max,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(min) => format!("≥ {}", number(min)),
            Self::AtMost(max) => format!("≤ {}", number(max)),
        }
    }
}

pub struct Report {
    head: String,
    rows: Vec<String>,
    growth: Vec<Growth>,
}

impl Report {
    pub fn begin(scale: &Scale) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let head = format!(
            "Commit {} · {}, {cores} cores, shared by the load · {} · {} · medians of {} runs of \
             {:.1} s that took turns, {} connections\n",
            output("git", &["rev-parse", "--short", "HEAD"]),
            processor(),
            output("rustc", &["--version"]),
            output(
                "psql",
                &[
                    &database::server(),
                    "-tAc",
                    "select 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync')"
                ]
            ),
            scale.turns,
            scale.time.as_secs_f64(),
            scale.connections,
        );
        println!("{head}");
        Self { head, rows: Vec::new(), growth: Vec::new() }
    }

    /// Adds a figure as a multiple of another.
    pub fn ratio(&mut self, what: &str, kind: Kind, ours: f64, other: f64, goal: Goal) {
        let shown = (number(ours), number(other));
        self.push(what, kind, shown, (ours / other, ""), goal);
    }

    /// Adds a figure with its unit.
    pub fn amount(&mut self, what: &str, kind: Kind, ours: f64, unit: &str, goal: Goal) {
        self.push(what, kind, (String::new(), String::new()), (ours, unit), goal);
    }

    fn push(
        &mut self,
        what: &str,
        kind: Kind,
        (ours, other): (String, String),
        (reached, unit): (f64, &str),
        goal: Goal,
    ) {
        let verdict = if goal.is_reached(reached) { "yes" } else { "**no**" };
        let row = format!(
            "| {what} | {} | {ours} | {other} | {} {unit} | {} {unit} | {verdict} |",
            kind.name(),
            number(reached),
            goal.text()
        );
        println!("{row}");
        self.rows.push(row);
    }

    pub fn grow(&mut self, growth: Growth) {
        let Growth { list, far, kind, rows, p99 } = growth;
        let page = if far { "1000th" } else { "first" };
        println!("{} {rows} rows: {list}, {page} page: {p99:.1} ms", kind.name());
        self.growth.push(growth);
    }

    /// The p99 of the slowest page at the most rows.
    pub fn slowest_page(&self, kind: Kind) -> f64 {
        let most = self.growth.iter().map(|growth| growth.rows).max();
        let pages = self.growth.iter().filter(|growth| growth.kind == kind);
        let last = pages.filter(|growth| Some(growth.rows) == most);
        last.map(|growth| growth.p99).fold(f64::NAN, f64::max)
    }

    /// Writes the report beside its chart.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut text = format!(
            "# What was measured\n\n{}\n| what | database | ours | floor or peer | reached | goal | |\n\
             | --- | --- | ---: | ---: | ---: | ---: | --- |\n{}\n",
            self.head,
            self.rows.join("\n")
        );
        if !self.growth.is_empty() {
            let chart = path.with_extension("svg");
            fs::write(&chart, chart::draw(&self.growth))?;
            let name = chart.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = write!(text, "\n![Growth]({name})\n\n{}", table(&self.growth));
        }
        fs::write(path.with_extension("md"), text)
    }
}

/// Growth as a table: a line for each list, a column for each number of rows.
fn table(growth: &[Growth]) -> String {
    let mut sizes: Vec<u64> = growth.iter().map(|growth| growth.rows).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut text = "| page, p99 in ms |".to_owned();
    for rows in &sizes {
        let _ = write!(text, " {rows} rows |");
    }
    let _ = write!(text, "\n|{}\n", " --- |".repeat(sizes.len() + 1));
    let mut seen = Vec::new();
    for line in growth.iter().map(|growth| (growth.kind, growth.list, growth.far)) {
        if seen.contains(&line) {
            continue;
        }
        seen.push(line);
        let (kind, list, far) = line;
        let page = if far { "1000th" } else { "first" };
        let _ = write!(text, "| {}, {list}, {page} |", kind.name());
        for &rows in &sizes {
            let found = growth.iter().find(|growth| {
                growth.rows == rows && (growth.kind, growth.list, growth.far) == line
            });
            let _ = write!(text, " {} |", found.map_or("–".to_owned(), |found| number(found.p99)));
        }
        text.push('\n');
    }
    text
}

/// Three significant digits.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name"));
    name.map_or("?", |name| name.trim_start_matches([' ', '\t', ':'])).to_owned()
}

/// Standard output of a command.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("no {program}"))
}
