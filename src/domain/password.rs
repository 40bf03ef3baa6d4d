//! Passwords: length, strength estimate, redacted.
//!
//! A password is its characters in NFC (NIST SP 800-63B-4, section 3.1.1.2), neither trimmed nor truncated.
//! There are no composition rules. A strength estimate decides, which knows the account's names.
//!
//! The estimate takes milliseconds, so [`Password::parse`] runs on the threads that hash passwords, not on
//! those that answer requests.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::user::Names;
use crate::redacted::redacted_debug;

/// Longest password in characters. Longer passwords are refused, not truncated.
pub const MAX_CHARS: usize = 256;

/// Lowest minimum length that can be configured.
pub const LOWEST_MINIMUM: usize = 8;

/// Number of characters that are estimated. The cost of the estimate grows faster than the square of the
/// length, and a password with a strong beginning stays strong with more characters.
const ESTIMATED_CHARS: usize = 40;

/// Characters that zxcvbn's table of substitutions replaces by the same letter, for letters with several.
const SUBSTITUTES: [&str; 7] = ["4@", "({[<", "69", "1!|", "1|7", "$5", "+7"];

/// Number of readings of a text that zxcvbn looks up in its dictionaries. A reading takes a quarter of a
/// millisecond, and a text with every substitute has hundreds of readings.
const MAX_READINGS: usize = 32;

/// A password of a login attempt, or a new password.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// Reason for refusing a new password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("A password must have at least {minimum} characters.")]
    TooShort { minimum: usize },
    #[error("A password must have at most {MAX_CHARS} characters.")]
    TooLong,
    #[error("The password is too easy to guess. {why}")]
    Guessable {
        /// A sentence that does not contain the password.
        why: String,
    },
}

impl Password {
    /// Password of a login attempt. `None` if it is longer than any password, so that nobody makes the
    /// service normalize or hash a megabyte.
    #[must_use]
    pub fn attempt(text: &str) -> Option<Self> {
        if text.len() > MAX_CHARS * 4 * 3 {
            return None;
        }
        let normal = Zeroizing::new(text.nfc().collect::<String>());
        (normal.chars().count() <= MAX_CHARS).then_some(Self(normal))
    }

    /// Parses a new password of the account with these names. The error may be shown to the user.
    pub fn parse(text: &str, minimum: usize, names: &Names) -> Result<Self, WeakPassword> {
        let password = Self::attempt(text).ok_or(WeakPassword::TooLong)?;
        if password.0.chars().count() < minimum.max(LOWEST_MINIMUM) {
            return Err(WeakPassword::TooShort { minimum: minimum.max(LOWEST_MINIMUM) });
        }
        password.estimate(names)?;
        Ok(password)
    }

    /// Requires a zxcvbn score of 3 or more, which stands for at least 10^8 guesses.
    fn estimate(&self, names: &Names) -> Result<(), WeakPassword> {
        let mut known = names.known_words();
        known.push("sallyport");
        let estimate = zxcvbn::zxcvbn(&estimated(&self.0), &known);
        if estimate.score() >= zxcvbn::Score::Three {
            return Ok(());
        }
        let feedback = estimate.feedback();
        let why = feedback
            .and_then(|feedback| feedback.warning().map(|warning| warning.to_string()))
            .or_else(|| Some(feedback?.suggestions().first()?.to_string()))
            .unwrap_or_else(|| "Add another word or two. Uncommon words are better.".to_owned());
        Err(WeakPassword::Guessable { why })
    }

    /// Bytes to hash: UTF-8 in NFC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Text to hash, in NFC.
    #[must_use]
    pub fn into_text(self) -> Zeroizing<String> {
        self.0
    }
}

/// Text for the estimate: the first characters, in which symbols that would add too many readings are
/// replaced by a character without a meaning. Digits are kept, because dates and sequences consist of them
/// and they have few readings.
fn estimated(text: &str) -> Zeroizing<String> {
    let head = || text.chars().take(ESTIMATED_CHARS);
    let mut kinds: Vec<char> = head().filter(char::is_ascii_digit).collect();
    let keep_or_replace = |c: char| {
        let is_substitute = SUBSTITUTES.iter().any(|kind| kind.contains(c));
        if !is_substitute || kinds.contains(&c) {
            return c;
        }
        kinds.push(c);
        if readings(&kinds) <= MAX_READINGS {
            return c;
        }
        kinds.pop();
        char::REPLACEMENT_CHARACTER
    };
    Zeroizing::new(head().map(keep_or_replace).collect())
}

/// Number of ways to read these characters as letters.
fn readings(kinds: &[char]) -> usize {
    let of_letter = |substitutes: &&str| substitutes.chars().filter(|c| kinds.contains(c)).count();
    SUBSTITUTES.iter().map(|substitutes| of_letter(substitutes).max(1)).product()
}

redacted_debug!(Password);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, WeakPassword> {
        Password::parse(text, 8, &Names::parse("margaret", Some("m.hamilton@example.com")).unwrap())
    }

    #[test]
    fn length_is_counted_in_characters_and_never_cut() {
        assert_eq!(parse("kT9!x#q"), Err(WeakPassword::TooShort { minimum: 8 }));
        let long = "correct horse ".repeat(19);
        assert_eq!(parse(&long), Err(WeakPassword::TooLong));
        let head = "k9 ztq-".repeat(30);
        let (a, b) = (parse(&format!("{head}a")).unwrap(), parse(&format!("{head}b")).unwrap());
        assert!(a != b);
    }

    #[test]
    fn the_accounts_own_names_do_not_make_a_password() {
        assert!(matches!(parse("margaret1"), Err(WeakPassword::Guessable { .. })));
        assert!(matches!(parse("hamilton2"), Err(WeakPassword::Guessable { .. })));
        assert!(matches!(parse("password12345678"), Err(WeakPassword::Guessable { .. })));
    }

    #[test]
    fn a_weak_password_is_weak_whatever_substitutes_stand_in_it() {
        for text in ["p@$$w0rd1!", "p455w0rd!1", "1234567890!@#$%^&*()", "m4rg4r3t1!", "|loveyou1!"]
        {
            assert!(matches!(parse(text), Err(WeakPassword::Guessable { .. })), "{text}");
        }
        let many_parts = "o0".repeat(20);
        assert!(parse(&many_parts).is_err());
        for text in ["4@8({[</369&#!1/|0$5+7%2/", "tangerine-orbit-quartz-41", "({[<+-!|$%@&69-Kq"]
        {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn no_text_has_more_readings_than_are_looked_up() {
        let substitutes = SUBSTITUTES.concat();
        let (forward, backward) = (substitutes.clone(), substitutes.chars().rev().collect());
        let digits = format!("0123456789{substitutes}");
        let spread = forward.chars().flat_map(|c| ['x', c, '\u{1f600}']).collect();
        for text in [forward, backward, digits, spread, substitutes.repeat(10)] {
            let estimated = estimated(&text);
            let kinds: Vec<char> = estimated.chars().collect();
            assert!(readings(&kinds) <= MAX_READINGS, "{text}: {}", readings(&kinds));
            assert!(
                kinds.len() <= ESTIMATED_CHARS
                    && kinds.len() == text.chars().count().min(ESTIMATED_CHARS)
            );
        }
    }

    #[test]
    fn both_normal_forms_are_one_password_and_spaces_count() {
        let composed = parse("caf\u{e9} au lait, 4 sous").unwrap();
        assert!(composed == Password::attempt("cafe\u{301} au lait, 4 sous").unwrap());
        assert!(composed != Password::attempt("caf\u{e9} au lait, 4 sous ").unwrap());
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(format!("{:?}", Password::attempt("hunter2").unwrap()), "Password(…)");
    }
}
