//! Passwords as typed: how long, how strong, and never printed.
//!
//! A password is its characters in NFC (NIST SP 800-63B-4, section 3.1.1.2), untrimmed and uncut.
//! There are no composition rules; a strength estimate that knows the account's own names decides.
//!
//! The estimate takes milliseconds, so [`Password::parse`] runs where passwords are hashed, never on
//! the threads that answer requests.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::user::Names;
use crate::redacted::redacted_debug;

/// The longest password, in characters. Longer ones are refused, never cut.
pub const MAX_CHARS: usize = 256;

/// The fewest characters a policy may ask for.
pub const FLOOR: usize = 8;

/// How many characters are estimated. The cost grows faster than with the square of the length, and
/// what is strong in its first characters stays strong with more of them.
const ESTIMATED_CHARS: usize = 40;

/// The letters that several characters stand for in zxcvbn's table of substitutions.
const SUBSTITUTES: [&str; 7] = ["4@", "({[<", "69", "1!|", "1|7", "$5", "+7"];

/// How many readings of a text are looked up in the dictionaries. One needs a quarter of a
/// millisecond, and a text with every substitute has hundreds.
const MAX_READINGS: usize = 32;

/// A text that is tried as a password or becomes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// Why a text cannot become a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than the policy asks for.
    #[error("a password has at least {minimum} characters")]
    TooShort {
        /// The policy's minimum.
        minimum: usize,
    },
    /// More than [`MAX_CHARS`].
    #[error("a password has at most {MAX_CHARS} characters")]
    TooLong,
    /// Guessable; with what is wrong about it.
    #[error("this password is easy to guess: {why}")]
    Guessable {
        /// What is wrong, in a sentence without the password.
        why: String,
    },
}

impl Password {
    /// Takes what somebody tries to log in with. `None` where it is longer than any password, so
    /// that nobody makes the service normalise or hash a megabyte.
    #[must_use]
    pub fn attempt(text: &str) -> Option<Self> {
        if text.len() > MAX_CHARS * 4 * 3 {
            return None;
        }
        let normal = Zeroizing::new(text.nfc().collect::<String>());
        (normal.chars().count() <= MAX_CHARS).then_some(Self(normal))
    }

    /// Takes a text as the new password of the account called `names`.
    ///
    /// # Errors
    /// [`WeakPassword`] says why not, fit to be shown.
    pub fn parse(text: &str, minimum: usize, names: &Names) -> Result<Self, WeakPassword> {
        let password = Self::attempt(text).ok_or(WeakPassword::TooLong)?;
        if password.0.chars().count() < minimum.max(FLOOR) {
            return Err(WeakPassword::TooShort { minimum: minimum.max(FLOOR) });
        }
        password.estimate(names)?;
        Ok(password)
    }

    /// Asks zxcvbn, whose score of 3 stands for 10^8 guesses or more.
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

    /// The bytes to hash: UTF-8 in NFC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What of a text is estimated: its head, in which symbols that would add too many readings are
/// replaced by one that stands for nothing. Digits stay: dates and sequences are made of them, and
/// alone they have few readings.
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

/// In how many ways these characters can be read as letters.
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
