//! Locales: language tags by their shape (RFC 5646, section 2.1).

use std::fmt;

/// Language tag such as `en`, `ko` or `pt-BR`: subtags of 1 to 8 letters and digits, separated by hyphens, of
/// which the first has letters only. The registry of subtags is not consulted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A locale must be a language tag such as en or pt-BR, with at most 35 characters.")]
pub struct LocaleError;

impl Locale {
    /// Long enough for every tag without private subtags (RFC 5646, section 4.4.1).
    const MAX_BYTES: usize = 35;

    pub fn parse(text: &str) -> Result<Self, LocaleError> {
        let is_subtag = |subtag: &str| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let language = text.split('-').next().unwrap_or_default();
        let is_sound = text.len() <= Self::MAX_BYTES
            && language.len() >= 2
            && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            && text.split('-').all(is_subtag);
        if is_sound { Ok(Self(text.to_owned())) } else { Err(LocaleError) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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

    #[test]
    fn a_locale_has_the_shape_of_a_language_tag() {
        for text in ["en", "ko", "pt-BR", "zh-Hant-TW", "de-CH-1996", "es-419"] {
            assert_eq!(Locale::parse(text).unwrap().as_str(), text);
        }
        let long = "en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa";
        for text in ["", "e", "1n", "en_US", "en-", "-en", "en--US", "en-ninechars", "한국어", long]
        {
            assert_eq!(Locale::parse(text), Err(LocaleError), "{text}");
        }
    }
}
