//! Login names: a username or an e-mail address as typed into a login form.

use super::name_comparison::fold;
use super::unprintable::is_unprintable;

/// Folded username or e-mail address, without surrounding white space and invisible characters, which
/// keyboards and the clipboard add.
///
/// It is only a key for a lookup, so its syntax is not checked: a text that is no name finds no account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginName(String);

impl LoginName {
    /// `None` if no account can have this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 1_000 || text.contains('\0') {
            return None;
        }
        // No account's name begins or ends with these characters.
        let name = text.trim_matches(|c: char| c.is_whitespace() || is_unprintable(c));
        (!name.is_empty()).then(|| Self(fold(name)))
    }

    /// Key for the lookup.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_is_read_without_what_surrounds_it() {
        let key = |text: &str| LoginName::parse(text).map(|name| name.key().to_owned());
        for text in
            [" Ada", "ada \t", "\u{a0}ada\u{3000}", "\u{feff}ada\u{200b}", "\u{200e} ada \u{2069}"]
        {
            assert_eq!(key(text).as_deref(), Some("ada"), "{text:?}");
        }
        assert_eq!(key("a da").as_deref(), Some("a da"));
        assert_eq!((key(""), key(" \u{200b}\u{3000}"), key("a\0")), (None, None, None));
    }
}
