//! Public messages: one line, and short.

/// The longest message.
const LENGTH: usize = 300;

/// `text` on one line of at most 300 characters. Parsers draw pictures over several lines, and a
/// message that quotes the client may quote sixteen thousand characters of it.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LENGTH));
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for (index, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((cut, _)) = line.char_indices().nth(LENGTH) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_one_and_controls_go() {
        assert_eq!(one_line(" a\n  b\r\n\u{1b}[31m c\u{0}d "), "a b [31m c d");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let cut = one_line(&"é".repeat(1000));
        assert_eq!(cut.chars().count(), LENGTH + 1);
        assert!(cut.ends_with("é…"));
        assert_eq!(one_line(&"x".repeat(LENGTH)), "x".repeat(LENGTH));
    }
}
