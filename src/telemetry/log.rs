//! The log on standard error: start, formats, lines for panics.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::time::Duration;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::json_format::JsonFormat;
use super::log_queue::{self, LogLine, LogQueue};
use super::request_id::RequestId;
use crate::metrics::dropped_log_lines;

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people to read.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Filter if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// Longest wait for writing the last lines when the process ends.
const MAX_FINAL_FLUSH: Duration = Duration::from_secs(1);

/// Longest wait for writing the line about a panic, which may be the end of the process.
const MAX_PANIC_FLUSH: Duration = Duration::from_millis(100);

static QUEUE: LogQueue = LogQueue::new(log_queue::MAX_BYTES);

/// Starts the log. A second call in a process does nothing.
pub fn start(format: Option<Format>) {
    let is_terminal = std::io::stderr().is_terminal();
    let default_format = if is_terminal { Format::Pretty } else { Format::Json };
    // An empty variable counts as not set.
    let given = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|given| !given.is_empty());
    let filter = given.and_then(|given| EnvFilter::try_new(given).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let log = log(format.unwrap_or(default_format), is_terminal, || LogLine(write));
    // Fails if the process already has a log, as in tests.
    if tracing_subscriber::registry().with(filter).with(log).try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Writes a line to standard error for the user of the command, after the lines logged so far.
pub fn say(line: &str) {
    write(format!("{line}\n").as_bytes());
}

/// Guard that writes the remaining lines when `main` returns.
pub struct Flushed;

impl Drop for Flushed {
    fn drop(&mut self) {
        QUEUE.flush(MAX_FINAL_FLUSH);
    }
}

fn write(line: &[u8]) {
    static WRITER: Once = Once::new();
    WRITER.call_once(|| {
        let writer = std::thread::Builder::new().name("log".to_owned());
        // If no thread can be started, nothing is logged, and the runtime does not start either.
        let _ = writer.spawn(|| QUEUE.run(std::io::stderr(), log_dropped));
    });
    if !QUEUE.push(line) {
        dropped_log_lines().inc();
    }
}

fn log_dropped(lines: u64) {
    tracing::warn!(lines, "log lines were dropped because standard error was not read");
}

/// Logs a panic and waits until the line is written, because the process may end.
pub(crate) fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    let backtrace = is_captured.then(|| backtrace.to_string());
    tracing::error!(panic = message, place, backtrace, "thread panicked");
    QUEUE.flush(MAX_PANIC_FLUSH);
}

/// Layer that writes events as lines.
pub(crate) fn log<S, W>(
    format: Format,
    in_colour: bool,
    writer: W,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(in_colour);
    match format {
        Format::Pretty => {
            let line = tracing_subscriber::fmt::format().compact();
            let line = line.with_target(false).with_ansi(in_colour);
            log.event_format(WithRequestId(line)).boxed()
        }
        Format::Json => log.event_format(JsonFormat).boxed(),
    }
}

/// Appends the id of the current request to a line for people.
struct WithRequestId<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithRequestId<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = RequestId::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} request_id={id}", line.trim_end_matches('\n'))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::entropy::SeededEntropy;
    use futures_util::FutureExt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Text of the log after this event of a request.
    fn logged(format: Format, event: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let log = tracing_subscriber::registry().with(log(format, true, move || writer.clone()));
        tracing::subscriber::with_default(log, || {
            let id = RequestId::new(&SeededEntropy::new(1));
            id.scope(async { event() }).now_or_never().unwrap();
        });
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    const FORGED: &str = "a\r\n{\"level\":\"ERROR\"}\u{1b}[2J\u{7}\u{0}\u{9b}2J\u{85}\u{2028}\"}";

    #[test]
    fn every_event_is_one_valid_line_of_json_in_utc() {
        let line = logged(Format::Json, || {
            tracing::info!(debug = ?FORGED, display = %FORGED, text = FORGED, "{FORGED}");
        });
        assert_eq!(line.lines().count(), 1, "{line}");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["text"], FORGED);
        assert_eq!(line["message"], FORGED);
        assert_eq!(line["request_id"].as_str().unwrap().len(), 32);
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    /// Input of clients is logged as a string or with `Debug`, because lines for people do not escape
    /// `Display` and messages.
    #[test]
    fn a_logged_text_cannot_control_a_terminal() {
        let line = logged(Format::Pretty, || {
            tracing::info!(debug = ?FORGED, text = FORGED, "an event");
        });
        assert_eq!(line.lines().count(), 1, "{line:?}");
        for command in ["\u{1b}[2J", "\u{7}", "\u{0}", "\u{9b}"] {
            assert!(!line.contains(command), "{line:?}");
        }
    }
}
