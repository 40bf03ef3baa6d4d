//! Plain language: texts that people read name what they are about.
//!
//! [`riddle`] knows the forms that leave the noun out. The schema's descriptions and the messages of
//! errors and of the log are held to it.

mod messages;
mod schema;

/// Pronouns and question words: a text that begins with one leaves out its noun.
const BEGINNINGS: &str = "all that, anybody, everybody, everything, how, it, nobody, not told, one's, \
    somebody, someone, something, such, that which, the one, there, they, those, what, whatever, \
    whether, which, who, whoever, whom, whose, why";

/// Words that answer a question which the text does not ask.
const ALONE: &str = "all, here, none, now, then, when, where";

/// Words and phrases that have a technical noun or verb in their place.
const ANYWHERE: &str = "alive, anybody, asked for by, came of, dead, dies, door, doors, everybody, \
    gone, guest, guests, is asked for, is made, nobody, nobody's, one of ours, one's own, \
    somebody, stands, such thing, told, whoever, whosoever";

/// The form that makes a text a riddle: a description, a message, the help of a flag. `None` for a text
/// that names its subject.
pub fn riddle(text: &str) -> Option<&'static str> {
    let words = words(text);
    let begins = |form: &&str| words.starts_with(&split(form));
    let contains = |form: &&str| {
        let form = split(form);
        words.windows(form.len()).any(|window| window == form)
    };
    let alone = |form: &&str| words == [*form];
    let found = BEGINNINGS.split(", ").find(begins);
    let found = found.or_else(|| ALONE.split(", ").find(alone));
    found.or_else(|| ANYWHERE.split(", ").find(contains))
}

/// The words of a text in lower case, without punctuation. Code in backticks is one word.
fn words(text: &str) -> Vec<String> {
    let pieces = text.split('`').enumerate();
    let prose: Vec<_> =
        pieces.map(|(at, piece)| if at % 2 == 0 { piece } else { "code" }).collect();
    let prose = prose.join(" ").to_lowercase();
    let is_end = |letter: char| !letter.is_alphanumeric() && letter != '\'';
    prose.split(is_end).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn split(form: &str) -> Vec<String> {
    form.split(' ').map(str::to_owned).collect()
}

/// Whether a text is a sentence, or several: from a capital letter, a number, code or a placeholder to a
/// full stop.
pub fn is_sentence(text: &str) -> bool {
    let begins = |c: char| c.is_uppercase() || c.is_numeric() || matches!(c, '`' | '{');
    text.starts_with(begins) && text.ends_with(['.', '}'])
}

#[test]
fn riddles_are_found_and_plain_texts_are_not() {
    let riddles = [
        "What it is asked for by.",
        "What came of a refresh.",
        "Whether it may log in.",
        "Those opened then.",
        "When.",
        "Not told.",
        "One's own account and sessions.",
        "To whose account; null where to nobody's.",
        "How it stands.",
        "there is none with this id",
        "the account {name} is made",
        "A change of one's own\n  password.",
    ];
    for text in riddles {
        assert!(riddle(text).is_some(), "{text}");
    }
    let plain = [
        "Global object ID (Relay Node).",
        "When the session was created, at login.",
        "If true, count the matching sessions without ending them.",
        "`what` is code, and so is `gone`.",
        "The current password is wrong.",
        "Created user {name}.",
    ];
    for text in plain {
        assert_eq!(riddle(text), None, "{text}");
    }
    assert!(!is_sentence("no capital.") && !is_sentence("No full stop") && is_sentence("`a` is."));
}
