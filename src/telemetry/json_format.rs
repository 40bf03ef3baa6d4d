//! A line of the log as a JSON object.
//!
//! Written member by member into the line, since every request has one: tracing-subscriber's own form
//! goes through a serializer that gathers each line as pieces, and took a tenth of a guarded query.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::registry::LookupSpan;

use super::request_id::RequestId;

/// The time, the level, what the event says, where it comes from, and the request that it is about.
pub(super) struct JsonFormat;

impl<S, N> FormatEvent<S, N> for JsonFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        writer.write_str("\",\"level\":\"")?;
        writer.write_str(metadata.level().as_str())?;
        writer.write_char('"')?;
        let mut members = Members { writer, written: Ok(()) };
        event.record(&mut members);
        let Members { mut writer, written } = members;
        written?;
        writer.write_str(",\"target\":\"")?;
        writer.write_str(metadata.target())?;
        writer.write_char('"')?;
        if let Some(id) = RequestId::current() {
            write!(writer, ",\"request_id\":\"{id}\"")?;
        }
        writer.write_str("}\n")
    }
}

/// Writes the fields of an event.
struct Members<'w> {
    writer: Writer<'w>,
    written: fmt::Result,
}

impl Members<'_> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let written = self.named(field).and_then(|()| value(&mut self.writer));
        self.written = self.written.and(written);
    }

    /// In pieces, as a format of pieces within pieces is what took most of the time.
    fn named(&mut self, field: &Field) -> fmt::Result {
        let name = field.name();
        self.writer.write_str(",\"")?;
        // A field that is named as a keyword of Rust.
        self.writer.write_str(name.strip_prefix("r#").unwrap_or(name))?;
        self.writer.write_str("\":")
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no other numbers.
        if value.is_finite() {
            self.member(field, |writer| write!(writer, "{value}"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        if value.bytes().all(is_plain) {
            self.member(field, |writer| {
                writer.write_char('"')?;
                writer.write_str(value)?;
                writer.write_char('"')
            });
        } else {
            self.member(field, |writer| write!(writer, "{}", serde_json::Value::from(value)));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
