//! Locales: language tags by their shape (RFC 5646, section 2.1).

use std::fmt;

/// Language tag (BCP 47), such as `ko` or `zh-Hant-TW`.
///
/// Only its shape is checked (RFC 5646, section 2.1), not whether its subtags are registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locale(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A locale must be a language tag such as en, ko or pt-BR and have at most 35 characters.")]
pub struct LocaleError;

impl Locale {
    /// Length that every implementation supports (RFC 5646, section 4.4.1).
    const MAX_BYTES: usize = 35;

    /// Parses a tag and keeps its usual case (RFC 5646, section 2.1.1).
    pub fn parse(text: &str) -> Result<Self, LocaleError> {
        if text.len() > Self::MAX_BYTES {
            return Err(LocaleError);
        }
        let mut tag = String::with_capacity(text.len());
        // A subtag of one character, a singleton, begins an extension. It is never the last one.
        let mut is_extension = false;
        let mut is_singleton = false;
        for (index, subtag) in text.split('-').enumerate() {
            let is_letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
            let is_language = is_letters && (2..=8).contains(&subtag.len());
            let is_subtag = (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !(if index == 0 { is_language } else { is_subtag }) {
                return Err(LocaleError);
            }
            is_singleton = subtag.len() == 1;
            is_extension |= is_singleton;
            let mut subtag = subtag.to_ascii_lowercase();
            match subtag.len() {
                _ if index == 0 || is_extension => {}
                2 => subtag.make_ascii_uppercase(),
                4 if is_letters => subtag[..1].make_ascii_uppercase(),
                _ => {}
            }
            if index > 0 {
                tag.push('-');
            }
            tag.push_str(&subtag);
        }
        if is_singleton { Err(LocaleError) } else { Ok(Self(tag)) }
    }

    /// The tags in a value of `Accept-Language` (RFC 9110, section 12.5.4), by preference. What is not
    /// understood is left out, and so is what follows the first few.
    #[must_use]
    pub fn accepted(header: &str) -> Vec<Self> {
        const MAX_TAGS: usize = 16;
        let ranges = header.split(',').take(MAX_TAGS).filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = match parameters.trim().strip_prefix("q=") {
                None => 1.0,
                Some(quality) => quality.trim().parse::<f32>().ok().filter(|q| q.is_finite())?,
            };
            (quality > 0.0).then_some((Self::parse(tag.trim()).ok()?, quality))
        });
        let mut ranges: Vec<(Self, f32)> = ranges.collect();
        ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranges.into_iter().map(|(tag, _)| tag).collect()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first subtag, such as `zh` of `zh-Hant-TW`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    #[test]
    fn accepted_languages_are_read_by_preference() {
        let accepted = |header: &str| {
            Locale::accepted(header).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(accepted("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"), "ko-KR ko en-US en");
        assert_eq!(accepted("en;q=0.5, de, *;q=0.1, fr;q=0"), "de en");
        assert_eq!(accepted("en;q=x, de;q=inf, ;;, ko ; q=1"), "ko");
        assert_eq!(accepted(""), "");
        assert_eq!(Locale::accepted(&"en,".repeat(1_000)).len(), 16);
    }

    #[test]
    fn a_language_tag_has_its_usual_case() {
        for (text, tag) in [
            ("ko", "ko"),
            ("KO-kr", "ko-KR"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("ES-419", "es-419"),
            ("sl-ROZAJ-biske", "sl-rozaj-biske"),
            ("de-1996", "de-1996"),
            ("en-u-CA-Gregory", "en-u-ca-gregory"),
            ("en-x-TWO-four-AB", "en-x-two-four-ab"),
            ("zh-cmn-hans-cn-a-bb-x-cc", "zh-cmn-Hans-CN-a-bb-x-cc"),
        ] {
            assert_eq!(locale(text).as_str(), tag);
        }
        assert_eq!(locale("zh-Hant-TW").language(), "zh");
    }

    #[test]
    fn other_texts_are_no_language_tags() {
        let long = "en-abcdefgh-abcdefgh-abcdefgh-abcdefgh";
        for text in [
            "",
            "-",
            "e",
            "x-private",
            "i-klingon",
            "en-",
            "-en",
            "en--us",
            "en_US",
            "en us",
            "*",
            "e1",
            "en-u",
            "en-a-bb-x",
            "한국어",
            "en-\u{e9}",
            "en\r\nko",
            "abcdefghi",
            "en-abcdefghi",
            long,
        ] {
            assert_eq!(Locale::parse(text), Err(LocaleError), "{text}");
        }
        let longest = "en-abcdefgh-abcdefgh-abcdefgh-abcde";
        assert_eq!(longest.len(), 35);
        assert!(Locale::parse(longest).is_ok());
    }
}
