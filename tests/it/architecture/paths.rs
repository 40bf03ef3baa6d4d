//! Paths that a source names, from the root of the crate on.
//!
//! A path is an import (`use crate::store::{Error, Store};` has two) or stands in an expression or a type
//! (`super::Store`). A single word outside `use` is no path: it was imported or is defined here.

use super::tokens::{Token, starts_with};

/// The crate's name in `main.rs`, which is a crate of its own.
const CRATE: &str = "sallyport";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPath {
    pub line: usize,
    /// From the root of the crate on, as in `store`, `Error`.
    pub names: Vec<String>,
    /// It starts with a name that is looked up in the module itself: a child, an import, another crate.
    pub is_relative: bool,
    pub import: Option<Import>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub alias: String,
    pub is_public: bool,
}

/// The paths in the tokens of a module's file.
pub fn used_paths(module: &[String], tokens: &[Token]) -> Vec<UsedPath> {
    let mut reader = Reader { module: module.to_vec(), inline: Vec::new(), found: Vec::new() };
    reader.read(tokens);
    reader.found
}

struct Reader {
    module: Vec<String>,
    /// How deep in braces each module inside the file starts.
    inline: Vec<usize>,
    found: Vec<UsedPath>,
}

impl Reader {
    fn read(&mut self, tokens: &[Token]) {
        let (mut at, mut depth) = (0, 0);
        while at < tokens.len() {
            let rest = &tokens[at..];
            let after_path = at > 0 && matches!(tokens[at - 1].text, "::" | ".");
            at += match rest[0].text {
                "{" => {
                    depth += 1;
                    1
                }
                "}" => {
                    self.leave_inline(depth);
                    depth -= 1;
                    1
                }
                "mod" if rest.len() > 2 && rest[2].text == "{" => {
                    self.module.push(rest[1].text.to_owned());
                    self.inline.push(depth + 1);
                    2
                }
                // `pub(in crate::store)` is no use of the store.
                "pub" if starts_with(&rest[1..], &["("]) => {
                    rest.iter().position(|token| token.text == ")").unwrap_or(0) + 1
                }
                // `impl Future + use<'a>` imports nothing.
                "use" if !starts_with(&rest[1..], &["<"]) => {
                    let is_public = at > 0 && matches!(tokens[at - 1].text, "pub" | ")");
                    1 + self.read_use(&rest[1..], &[], is_public)
                }
                _ if rest[0].is_word() && !after_path => self.read_path(rest),
                _ => 1,
            }
        }
    }

    fn leave_inline(&mut self, depth: usize) {
        if self.inline.last() == Some(&depth) {
            self.inline.pop();
            self.module.pop();
        }
    }

    /// Reads one part of a `use`, up to its end; returns the number of tokens.
    fn read_use(&mut self, tokens: &[Token], prefix: &[&str], is_public: bool) -> usize {
        let mut names = prefix.to_vec();
        let (mut at, mut alias, mut is_group) = (0, None, false);
        while at < tokens.len() && !matches!(tokens[at].text, "," | ";" | "}") {
            match tokens[at].text {
                "{" => {
                    is_group = true;
                    while !matches!(tokens[at].text, "}" | ";") {
                        at += 1;
                        at += self.read_use(&tokens[at..], &names, is_public);
                    }
                }
                "as" => {
                    alias = Some(tokens[at + 1].text);
                    at += 1;
                }
                "self" if !names.is_empty() => {}
                "::" => {}
                name => names.push(name),
            }
            at += 1;
        }
        if at > 0 && !is_group {
            let alias = alias.or(names.last().copied()).unwrap_or_default().to_owned();
            self.add(tokens[0].line, &names, Some(Import { alias, is_public }));
        }
        at
    }

    fn read_path(&mut self, tokens: &[Token]) -> usize {
        let mut names = vec![tokens[0].text];
        while let [separator, name, ..] = tokens[names.len() * 2 - 1..]
            && separator.text == "::"
            && name.is_word()
        {
            names.push(name.text);
        }
        if names.len() > 1 {
            self.add(tokens[0].line, &names, None);
        }
        names.len() * 2 - 1
    }

    fn add(&mut self, line: usize, names: &[&str], import: Option<Import>) {
        self.found.extend(absolute(&self.module, line, names, import));
    }
}

/// The path from the root of the crate on, of names as they are written in a module.
pub fn absolute(
    module: &[String],
    line: usize,
    names: &[&str],
    import: Option<Import>,
) -> Option<UsedPath> {
    let first = *names.first()?;
    let ups = names.iter().take_while(|name| **name == "super").count();
    let is_crate = first == "crate" || first == CRATE && module == ["main"];
    let (parent, start) = match first {
        _ if is_crate => (0, 1),
        "self" => (module.len(), 1),
        _ => (module.len().saturating_sub(ups), ups),
    };
    let is_relative = start == 0;
    let rest = names[start..].iter().map(|&name| name.to_owned());
    let names = module[..parent].iter().cloned().chain(rest).collect();
    Some(UsedPath { line, names, is_relative, import })
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn in_store(text: &str) -> Vec<String> {
        let module = ["store", "end"].map(str::to_owned);
        let describe = |path: UsedPath| {
            let mark = if path.is_relative { "?" } else { "" };
            let import = path.import.map_or(String::new(), |import| {
                format!("{}{}=", if import.is_public { "pub " } else { "" }, import.alias)
            });
            format!("{import}{mark}{}", path.names.join("::"))
        };
        used_paths(&module, &tokens(text)).into_iter().map(describe).collect()
    }

    #[test]
    fn the_paths_of_a_source_are_found() {
        for (text, expected) in [
            ("use crate::auth::Auth;", &["Auth=auth::Auth"][..]),
            (
                "use super::{Store, keys::{self, Key as K}};",
                &["Store=store::Store", "keys=store::keys", "K=store::keys::Key"],
            ),
            ("pub(super) use self::child::*;", &["pub *=store::end::child::*"]),
            ("pub(in crate::http) fn f(x: super::X<crate::auth::A>) {}", &["store::X", "auth::A"]),
            ("$crate::domain::words! { A }", &["domain::words"]),
            (
                "use child::X; std::mem::take(a.b::<T>())",
                &["X=?store::end::child::X", "?store::end::std::mem::take"],
            ),
            ("mod inner { use super::super::X; } use super::Y;", &["X=store::X", "Y=store::Y"]),
        ] {
            assert_eq!(in_store(text), expected, "{text}");
        }
    }
}
