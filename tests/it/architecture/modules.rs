//! Module tree of the crate.
//!
//! It finds the file that defines a path's last name: imports and re-exports are followed. Code for tests
//! is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::paths::{UsedPath, absolute, used_paths};
use super::source::Source;
use super::tokens::{Token, split_tests, tokens};

/// Re-exports of re-exports are followed this far.
const MAX_ALIASES: usize = 8;

pub struct Module {
    /// From the root of the crate on, as in `store`, `end`; empty for `lib.rs`.
    pub name: Vec<String>,
    pub file: String,
    pub paths: Vec<UsedPath>,
    /// Words outside `use` and `mod`.
    words: BTreeSet<String>,
    /// Names of macros called, and their lines.
    macro_calls: Vec<(String, usize)>,
}

pub struct Modules {
    by_name: BTreeMap<Vec<String>, Module>,
    /// The module that defines a `macro_rules!` name.
    macros: HashMap<String, Vec<String>>,
}

/// An import of one module by another.
pub struct Edge<'a> {
    pub line: usize,
    pub name: String,
    pub to: &'a Module,
}

impl Modules {
    pub fn new(sources: &[Source]) -> Self {
        let mut modules = Self { by_name: BTreeMap::new(), macros: HashMap::new() };
        let mut test_modules = Vec::new();
        for source in sources {
            let name = source.module();
            let all = tokens(&source.text);
            let (kept, tests) = split_tests(&all);
            test_modules.extend(tests.iter().map(|test| child(&name, test)));
            for pair in defined_macros(&kept) {
                modules.macros.insert(pair.to_owned(), name.clone());
            }
            modules.by_name.insert(name.clone(), Module::new(name, source, &kept));
        }
        modules.by_name.retain(|name, _| !test_modules.iter().any(|test| name.starts_with(test)));
        modules
    }

    pub fn all(&self) -> impl Iterator<Item = &Module> {
        self.by_name.values()
    }

    /// What a module imports from others, its own descendants' re-exported names left out where the
    /// module itself does not use them.
    pub fn edges(&self, from: &Module) -> Vec<Edge<'_>> {
        let by_path = from.paths.iter().filter_map(|path| {
            let to = self.definition(from, path)?;
            let is_re_export = path.import.as_ref().is_some_and(|import| {
                import.is_public && to.is_below(from) && !from.words.contains(&import.alias)
            });
            let name = path.names.last().cloned().unwrap_or_default();
            (!is_re_export).then_some(Edge { line: path.line, name, to })
        });
        let by_macro = from.macro_calls.iter().filter_map(|(name, line)| {
            let to = self.by_name.get(self.macros.get(name)?)?;
            Some(Edge { line: *line, name: format!("{name}!"), to })
        });
        by_path.chain(by_macro).filter(|edge| edge.to.name != from.name).collect()
    }

    /// The module that defines the path's last name; `None` for names of other crates.
    pub fn definition(&self, from: &Module, path: &UsedPath) -> Option<&Module> {
        let first = path.names.get(from.name.len());
        let is_import = |first: &String| path.import.is_none() && from.import_of(first).is_some();
        let is_ours = self.starts_in_crate(from, path) || first.is_some_and(is_import);
        if is_ours { self.find(&path.names, MAX_ALIASES) } else { None }
    }

    /// As `definition`, of the names of a path as it is written in a module.
    pub fn definition_of(&self, from: &Module, names: &[&str]) -> Option<&Module> {
        let path = absolute(&from.name, 0, names, None)?;
        self.definition(from, &path)
    }

    fn find(&self, names: &[String], aliases_left: usize) -> Option<&Module> {
        let mut at = self.by_name.get(&Vec::new())?;
        for (index, name) in names.iter().enumerate() {
            if let Some(module) = self.by_name.get(&names[..=index]) {
                at = module;
                continue;
            }
            let Some(import) = at.import_of(name) else { return Some(at) };
            if !self.starts_in_crate(at, import) {
                // `pub(crate) use words;` of a macro that is defined here names no other crate.
                return (import.names.len() == at.name.len() + 1).then_some(at);
            }
            let target = [&import.names[..], &names[index + 1..]].concat();
            return self.find(&target, aliases_left.checked_sub(1)?);
        }
        Some(at)
    }

    fn starts_in_crate(&self, module: &Module, path: &UsedPath) -> bool {
        !path.is_relative || self.by_name.contains_key(&path.names[..=module.name.len()])
    }
}

impl Module {
    fn new(name: Vec<String>, source: &Source, tokens: &[Token]) -> Self {
        let paths = used_paths(&name, tokens);
        let words = words(tokens).map(str::to_owned).collect();
        let calls = tokens.windows(2).filter(|pair| pair[0].is_word() && pair[1].text == "!");
        let macro_calls = calls.map(|pair| (pair[0].text.to_owned(), pair[0].line)).collect();
        Self { name, file: source.path.clone(), paths, words, macro_calls }
    }

    /// The top-level module that this one belongs to.
    pub fn room(&self) -> &str {
        self.name.first().map_or("lib", String::as_str)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.name.len() > other.name.len() && self.name.starts_with(&other.name)
    }

    /// The name that an import renames (`use crate::domain::Reason as DomainReason`), else the same.
    pub fn original_name<'a>(&'a self, name: &'a str) -> &'a str {
        let import = self.import_of(name).and_then(|import| import.names.last());
        import.map_or(name, String::as_str)
    }

    fn import_of(&self, alias: &str) -> Option<&UsedPath> {
        let is_it = |path: &&UsedPath| path.import.as_ref().is_some_and(|it| it.alias == alias);
        self.paths.iter().find(is_it)
    }
}

fn child(parent: &[String], name: &str) -> Vec<String> {
    parent.iter().cloned().chain([name.to_owned()]).collect()
}

fn defined_macros<'a>(tokens: &'a [Token]) -> impl Iterator<Item = &'a str> {
    let definitions = tokens.windows(3).filter(|part| part[0].text == "macro_rules");
    definitions.map(|part| part[2].text)
}

fn words<'a>(tokens: &'a [Token]) -> impl Iterator<Item = &'a str> {
    let mut is_in_use = false;
    let mut before = "";
    tokens.iter().filter_map(move |token| {
        is_in_use = token.text == "use" || is_in_use && token.text != ";";
        let is_plain = !is_in_use && !matches!(before, "mod" | ".");
        before = token.text;
        (is_plain && token.is_word()).then_some(token.text)
    })
}
