//! Usernames: which are allowed, and which are the same or look alike.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::name_comparison::{fold, has_scripts_of_one_language, is_mark, skeleton};

/// Username: 1 to 150 letters, digits and `. _ @ + -`, as in Django, of scripts that one language mixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    text: String,
    key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    #[error("A username must have 1 to 150 characters.")]
    Length,
    #[error("A username may contain only letters, digits and the characters \". _ @ + -\".")]
    Character,
    /// Letters of scripts that no language mixes, such as a Cyrillic letter in a Latin name.
    #[error("A username must use letters of one language, because those of others can look alike.")]
    LookAlike,
}

impl Username {
    pub(super) const MAX_CHARS: usize = 150;

    /// Parses a username and keeps its NFC form.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let username = Self::parse_any_scripts(text)?;
        // A username that is an e-mail address is checked as one: the host may have another script than the
        // local part.
        if !username.text.contains('@') && !has_scripts_of_one_language(&username.text) {
            return Err(UsernameError::LookAlike);
        }
        Ok(username)
    }

    /// As [`Username::parse`], with letters of any scripts: an imported account keeps its name.
    pub(super) fn parse_any_scripts(text: &str) -> Result<Self, UsernameError> {
        // Checks the bytes first, so that nobody makes the service normalize a megabyte.
        if text.is_empty() || text.len() > Self::MAX_CHARS * 4 {
            return Err(UsernameError::Length);
        }
        let text: String = text.nfc().collect();
        if text.chars().count() > Self::MAX_CHARS {
            return Err(UsernameError::Length);
        }
        if !text.chars().all(Self::allows) {
            return Err(UsernameError::Character);
        }
        let key = fold(&text);
        Ok(Self { text, key })
    }

    /// Whether a username may contain a character.
    pub(super) fn allows(c: char) -> bool {
        c.is_alphanumeric() || "._@+-".contains(c) || is_mark(c)
    }

    /// The username of a stored row, without checking it again.
    #[must_use]
    pub fn from_stored(text: String, key: String) -> Self {
        Self { text, key }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Folded key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Skeleton of the username (UTS 39), the same for usernames that look alike.
    #[must_use]
    pub fn skeleton(&self) -> String {
        skeleton(&self.text)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_share_a_key() {
        let key = |name: &str| Username::parse(name).unwrap().key().to_owned();
        assert_eq!(key("Ada"), key("aDA"));
        assert_eq!(key("Jos\u{e9}"), key("Jose\u{301}"));
    }

    #[test]
    fn a_name_that_imitates_another_is_refused() {
        assert_eq!(Username::parse("p\u{430}ypal"), Err(UsernameError::LookAlike));
        assert_eq!(Username::parse("ada\u{200b}"), Err(UsernameError::Character));
        assert_eq!(Username::parse("ada\u{202e}b"), Err(UsernameError::Character));
        assert_eq!(Username::parse("a b"), Err(UsernameError::Character));
        assert_eq!(Username::parse(""), Err(UsernameError::Length));
        assert_eq!(Username::parse(&"a".repeat(151)), Err(UsernameError::Length));
        assert!(Username::parse(&"a".repeat(150)).is_ok());
    }

    #[test]
    fn names_of_many_scripts_are_welcome() {
        let alone = ["ada.lovelace", "O-Neil+1", "Čapek", "маша", "山田", "दीपक", "ทักษิณ", "מֹשֶׁה"];
        let mixed = ["山田taro", "小明Tom", "たなかA", "김철수k", "東京tokyo2026", "タロウ太郎"];
        for name in alone.into_iter().chain(mixed) {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
        for name in ["pаypal", "Αda", "maша", "a\u{5b4}da", "山田маша", "김たなか", "adaא"]
        {
            assert_eq!(Username::parse(name), Err(UsernameError::LookAlike), "{name}");
        }
    }
}
