//! Timestamps, and their text form by RFC 3339.
//!
//! Parsing follows the specification of the scalar `DateTime` that the schema refers to. Formatting always
//! gives the same form, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil;

/// Microseconds since the Unix epoch, the unit of every time column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub(super) i64);

impl Timestamp {
    /// 9999-12-30T22:00:00Z, the latest time that jiff can print. Arithmetic saturates here.
    pub const MAX: Self = Self(253_402_207_200_000_000);

    /// Microseconds since the epoch, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.min(Self::MAX.0))
    }

    /// Whole seconds since the epoch, as in a JWT's `NumericDate` (RFC 7519, section 2).
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The start of this second. Tokens have whole seconds, so their rows do too.
    #[must_use]
    pub fn floor_to_second(self) -> Self {
        Self::from_seconds(self.as_seconds())
    }

    /// Parses a `date-time` of RFC 3339 (section 5.6), e.g. `2026-11-24T08:00:00.000Z`, with up to nine
    /// fraction digits or none. `None` for any other text, and for the offset `-00:00`, which the scalar
    /// `DateTime` does not allow.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date_time, rest) = text.split_at_checked(19)?;
        let (fraction, offset) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
            None => ("0", rest),
        };
        if !(1..=9).contains(&fraction.len()) {
            return None;
        }
        let nanoseconds = number::<i32>(&format!("{fraction:0<9}"))?;
        let [year, month, day, hour, minute, second] = fields(date_time)?;
        // A leap second, at the end of a day in UTC, is read as the second before it.
        let is_leap = second == 60;
        let second = if is_leap { 59 } else { i8::try_from(second).ok()? };
        let [month, day, hour, minute] = [month, day, hour, minute].map(i8::try_from);
        let (month, day, hour, minute) = (month.ok()?, day.ok()?, hour.ok()?, minute.ok()?);
        let moment = civil::DateTime::new(year, month, day, hour, minute, second, nanoseconds);
        let since_epoch =
            moment.ok()?.duration_since(civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        let micros = i64::try_from(since_epoch.as_micros()).ok()?;
        let utc = Self::from_micros(micros - offset_seconds(offset)? * 1_000_000);
        (!is_leap || utc.as_seconds().rem_euclid(86_400) == 86_399).then_some(utc)
    }
}

/// The year, month, day, hour, minute and second in `2026-11-24T08:00:00`.
fn fields(text: &str) -> Option<[i16; 6]> {
    let marks = [(4, "-"), (7, "-"), (10, "Tt"), (13, ":"), (16, ":")];
    let bytes = text.as_bytes();
    if !marks.iter().all(|&(place, marks)| marks.as_bytes().contains(&bytes[place])) {
        return None;
    }
    let mut fields = [0; 6];
    let places = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19];
    for (field, place) in fields.iter_mut().zip(places) {
        *field = number(text.get(place)?)?;
    }
    Some(fields)
}

/// Seconds ahead of UTC, for `Z` or an offset like `+01:00`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if (hours.len(), minutes.len()) != (2, 2) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (number(hours)?, number(minutes)?);
    let seconds = (hours * 60 + minutes) * 60;
    match text.as_bytes()[0] {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' if seconds != 0 => Some(-seconds),
        _ => None,
    }
}

/// ASCII digits as a number. `parse` alone would take a sign, too.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

/// RFC 3339 in UTC with three fraction digits, truncated, or as many as the format's precision.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.digits$}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:.6}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the scalar's specification and of RFC 3339, section 5.8.
    #[test]
    fn a_timestamp_is_parsed_as_the_scalar_is_specified() {
        for (text, utc) in [
            ("2011-08-30T13:22:53.108Z", "2011-08-30T13:22:53.108Z"),
            ("2011-08-30T13:22:53.108+00:00", "2011-08-30T13:22:53.108Z"),
            ("2011-08-30t13:22:53.108z", "2011-08-30T13:22:53.108Z"),
            ("2011-08-30T13:22:53.108-03:00", "2011-08-30T16:22:53.108Z"),
            ("2011-08-30T13:22:53.108+03:30", "2011-08-30T09:52:53.108Z"),
            ("0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2016-12-31T23:59:60.000Z", "2016-12-31T23:59:59.000Z"),
            ("1990-12-31T15:59:60-08:00", "1990-12-31T23:59:59.000Z"),
            // Clients send other numbers of fraction digits, too.
            ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z"),
            ("2026-11-24T08:00:00.5Z", "2026-11-24T08:00:00.500Z"),
            ("2026-11-24T08:00:00.123456789+01:00", "2026-11-24T07:00:00.123Z"),
        ] {
            assert_eq!(
                Timestamp::parse(text).map(|at| at.to_string()).as_deref(),
                Some(utc),
                "{text}"
            );
        }
        for last in ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999-23:59"] {
            assert_eq!(Timestamp::parse(last), Some(Timestamp::MAX));
        }
    }

    #[test]
    fn a_text_that_is_no_timestamp_is_refused() {
        for text in [
            "2011-08-30T13:22:53.108-03",
            "2011-08-30T13:22:53.108",
            "2011-08-30",
            "2011-08-30T13:22:53.108-00:00",
            "2011-08-30T13:22:53.108+03:30:15",
            "2011-08-30T24:22:53.108Z",
            "2010-02-30T21:22:53.108Z",
            "2010-02-11T21:22:53.108Z+25:11",
            "2010-02-11T21:22:53.108+25:11",
            "2010-02-11T21:22:53.108+23:60",
            "2026-11-24 08:00:00Z",
            "2026-11-24_08:00:00Z",
            "2026-11-24T08:00:00.Z",
            "2026-11-24T08:00:00,000Z",
            "2026-11-24T08:00:00.0000000000Z",
            "2026-11-24T08:00:00.000 Z",
            "2026-11-24T08:00:00.000Z[UTC]",
            "2026-11-24T08:00:00.000+0100",
            "2026-11-24T08:00:60.000Z",
            "2026-11-24T08:00Z",
            "2026-W48-2T08:00:00Z",
            "20261124T080000Z",
            "+2026-11-24T08:00:00Z",
            "-9999-01-01T00:00:00Z",
            "+026-11-24T08:00:00.000Z",
            "2026-+1-24T08:00:00.000Z",
            "2026-11-24T08:00:00.000+-1:00",
            "２026-11-24T08:00:00.000Z",
            "2026-11-24T08:00:0０.000Z",
            "2026-11-24T08:00:00.000\u{2212}01:00",
            "1764000000",
            "",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_is_written_with_three_digits_that_are_cut_off() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_999, "2023-11-14T22:13:20.123Z"),
            (1_700_000_000_999_999, "2023-11-14T22:13:20.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "9999-12-30T22:00:00.000Z"),
        ] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(at.to_string(), text);
            assert!(Timestamp::parse(text).unwrap() <= at, "{text}");
        }
    }
}
