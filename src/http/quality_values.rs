//! List elements of `Accept` and `Accept-Encoding` with quality values (RFC 9110, section 12.4.2).

use axum::http::{HeaderMap, HeaderName};

/// A media range or a content coding, and how much the client prefers it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QualityValue<'a> {
    pub(super) name: &'a str,
    /// In thousandths; 0 means not accepted.
    pub(super) quality: u16,
}

impl<'a> QualityValue<'a> {
    /// The valid elements of all lines of a header.
    pub(super) fn all(headers: &'a HeaderMap, header: &HeaderName) -> impl Iterator<Item = Self> {
        elements(headers, header).filter_map(Self::parse)
    }

    /// `None` for an empty element or an invalid quality. Parameters other than `q` are ignored: the
    /// types served here have only `charset`, which is always UTF-8.
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut quality = 1000;
        for part in parts {
            if let Some(("q" | "Q", value)) = part.split_once('=') {
                quality = thousandths(value)?;
            }
        }
        Some(Self { name, quality })
    }
}

/// The elements of all lines of a list header.
pub(super) fn elements<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(','))
}

/// Parses a quality value: `0` to `1` with up to three decimals.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_is_a_number_from_0_to_1_with_up_to_three_decimals() {
        for (element, quality) in [
            ("gzip", 1000),
            (" gzip ; q=1.000", 1000),
            ("gzip;Q=0.5", 500),
            ("gzip;level=9;q=0.001", 1),
            ("gzip;q=0.", 0),
        ] {
            assert_eq!(QualityValue::parse(element), Some(QualityValue { name: "gzip", quality }));
        }
        for element in
            ["", ";q=1", "gzip;q=", "gzip;q=inf", "gzip;q=1e9", "gzip;q=2", "gzip;q=0.1234"]
        {
            assert_eq!(QualityValue::parse(element), None, "{element}");
        }
    }
}
