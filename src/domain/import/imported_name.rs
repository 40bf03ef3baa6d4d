//! Usernames of imported accounts.
//!
//! They are taken as they are, with letters of any scripts. A character that no username may have becomes a
//! hyphen.

use unicode_normalization::UnicodeNormalization;

use crate::domain::user::Username;

/// Name of an account whose own has no usable character.
const NAMELESS: &str = "user";

/// The username of an imported account, and whether it is the text as it was.
#[must_use]
pub fn imported_username(text: &str) -> (Username, bool) {
    if let Ok(username) = Username::parse_any_scripts(text) {
        return (username, true);
    }
    // Longer texts than a username may have in any normal form are cut before they are normalized.
    let short: String = text.chars().take(4 * Username::MAX_CHARS).collect();
    let allowed: String = short.nfc().map(|c| if Username::allows(c) { c } else { '-' }).collect();
    (cut(&allowed, Username::MAX_CHARS), false)
}

/// The username without the character that only addresses have.
#[must_use]
pub fn username_without_at(username: &Username) -> Username {
    cut(&username.as_str().replace('@', "-"), Username::MAX_CHARS)
}

/// The username with a number behind it, such as `ada-2`.
#[must_use]
pub fn numbered_username(username: &Username, number: u64) -> Username {
    let suffix = format!("-{number}");
    let base: String =
        username.as_str().chars().take(Username::MAX_CHARS.saturating_sub(suffix.len())).collect();
    cut(&(base + &suffix), Username::MAX_CHARS)
}

/// The beginning of a username, of which any number that is put behind it leaves the same.
#[must_use]
pub fn numbered_part(username: &Username) -> Username {
    // 20 digits and a hyphen.
    cut(username.as_str(), Username::MAX_CHARS - 21)
}

/// Text of allowed characters as a username.
fn cut(text: &str, chars: usize) -> Username {
    let short: String = text.chars().take(chars).collect();
    let is_named = short.chars().any(|c| c != '-');
    let text = if is_named { short.as_str() } else { NAMELESS };
    // NFC of a text that was cut may differ from the text, and has allowed characters all the same.
    Username::parse_any_scripts(text)
        .unwrap_or_else(|_| Username::from_stored(NAMELESS.to_owned(), NAMELESS.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_names_are_taken_as_they_are() {
        for text in ["Ada", "p\u{430}ypal", "ada@example.com", "a+b", &"a".repeat(150)] {
            let (username, is_as_it_was) = imported_username(text);
            assert_eq!((username.as_str(), is_as_it_was), (text, true));
        }
    }

    #[test]
    fn what_is_not_allowed_becomes_a_hyphen() {
        let long = "a".repeat(200);
        for (text, expected) in [
            ("Ada Lovelace", "Ada-Lovelace"),
            ("", "user"),
            ("   ", "user"),
            ("a\u{202e}b", "a-b"),
            (&long, &long[..150]),
        ] {
            let (username, is_as_it_was) = imported_username(text);
            assert_eq!((username.as_str(), is_as_it_was), (expected, false));
        }
    }

    #[test]
    fn a_number_fits_into_the_longest_name() {
        let name = |text: &str| imported_username(text).0;
        assert_eq!(numbered_username(&name("Ada"), 2).as_str(), "Ada-2");
        let long = numbered_username(&name(&"a".repeat(150)), 12);
        assert_eq!((long.as_str().len(), long.as_str().ends_with("aa-12")), (150, true));
        assert_eq!(username_without_at(&name("ada@example.com")).as_str(), "ada-example.com");
    }
}
