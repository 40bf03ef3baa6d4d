//! Tokens of a Rust source.
//!
//! Words, string literals and marks, each with its line. Comments and white space are left out; `::` is
//! one mark, every other mark is one character.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub line: usize,
    pub text: &'a str,
}

impl Token<'_> {
    pub fn is_word(&self) -> bool {
        self.text.starts_with(is_word)
    }
}

pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (text, after) = rest.split_at(length_of_first(rest));
        let is_code = !text.starts_with("//") && !text.starts_with("/*");
        if is_code && !text.starts_with(char::is_whitespace) {
            tokens.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The tokens outside `#[cfg(test)]` items, and the names of the modules that are such items.
pub fn split_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    let (mut kept, mut test_modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if starts_with(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            let item = &tokens[at..at + length_of_item(&tokens[at..])];
            let names = item.windows(2).filter(|pair| pair[0].text == "mod");
            test_modules.extend(names.map(|pair| pair[1].text).next());
            at += item.len();
        } else {
            kept.push(*token);
            at += 1;
        }
    }
    (kept, test_modules)
}

pub fn starts_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn length_of_first(rest: &str) -> usize {
    let while_true = |test: fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
    if rest.starts_with("//") {
        while_true(|c| c != '\n')
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |end| end + 2)
    } else if rest.starts_with("::") {
        2
    } else if let Some(length) = length_of_raw_string(rest) {
        length
    } else if rest.starts_with(is_word) {
        while_true(is_word)
    } else if rest.starts_with(char::is_whitespace) {
        while_true(char::is_whitespace)
    } else if rest.starts_with('"') {
        length_of_quoted(rest, '"')
    } else if is_char_literal(rest) {
        length_of_quoted(rest, '\'')
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    }
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''))
}

fn length_of_quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    rest.len()
}

fn length_of_raw_string(rest: &str) -> Option<usize> {
    let marked = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let body = marked.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(marked.len() - body.len()));
    let body = body.strip_prefix('"')?;
    let length = body.find(&end)? + end.len();
    Some(rest.len() - body.len() + length)
}

/// Up to the first `;` or closing brace outside all brackets.
fn length_of_item(tokens: &[Token]) -> usize {
    let mut depth = 0;
    let ends = tokens.iter().position(|token| {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(token.text, "}" | ";")
    });
    ends.map_or(tokens.len(), |end| end + 1)
}

#[test]
fn a_source_is_cut_into_tokens() {
    let text = "// no\nlet a = \"x // \\\" {\"; /* { */ f('{', '\\'', &'a b, br#\"\"}\"#)::<T>";
    let found: Vec<_> = tokens(text).iter().map(|token| token.text).collect();
    assert_eq!(
        found.join(" "),
        "let a = \"x // \\\" {\" ; f ( '{' , '\\'' , & ' a b , br#\"\"}\"# ) :: < T >"
    );
    assert!(tokens(text).iter().all(|token| token.line == 2));
}

#[test]
fn items_for_tests_are_left_out() {
    let text = "a; #[cfg(test)] mod fixtures; #[cfg(test)] #[expect(x)] mod tests { fn f() {} } b";
    let all = tokens(text);
    let (kept, modules) = split_tests(&all);
    let kept: Vec<_> = kept.iter().map(|token| token.text).collect();
    assert_eq!(
        (kept.as_slice(), modules.as_slice()),
        (&["a", ";", "b"][..], &["fixtures", "tests"][..])
    );
}
