//! Names of another system: its own, and those of its accounts and tokens.

use super::unprintable::is_unprintable;

/// Name of a system that accounts are imported from, such as `django`: 1 to 32 lower-case letters, digits and
/// hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A source is 1 to 32 lower-case letters, digits and hyphens, such as django.")]
pub struct SourceError;

impl Source {
    const MAX_BYTES: usize = 32;

    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_sound = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        if is_sound { Ok(Self(text.to_owned())) } else { Err(SourceError) }
    }

    /// The source of a stored row, without checking it again.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that another system names something by: 1 to 255 bytes without control characters.
macro_rules! foreign_ids {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, ExternalIdError> {
                let is_sound = (1..=MAX_ID_BYTES).contains(&text.len());
                if !is_sound || text.chars().any(is_unprintable) {
                    return Err(ExternalIdError);
                }
                Ok(Self(text.to_owned()))
            }

            /// The id of a stored row, without checking it again.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

const MAX_ID_BYTES: usize = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An ID must have 1 to 255 bytes and no control characters.")]
pub struct ExternalIdError;

foreign_ids! {
    /// Id of an account in another system: a number, a UUID or whatever it has, as text.
    ExternalId;
    /// Id of a refresh token of another system, its claim `jti`.
    ForeignTokenId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_any_short_printable_text() {
        for text in
            ["1", "0199b4a8-2000-7000-8000-000000000001", "ada@example.com", &"a".repeat(255)]
        {
            assert_eq!(ExternalId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a\nb", "a\0", &"a".repeat(256)] {
            assert_eq!(ExternalId::parse(text), Err(ExternalIdError));
        }
    }

    #[test]
    fn a_source_is_a_short_lower_case_word() {
        assert_eq!(Source::parse("better-auth").unwrap().as_str(), "better-auth");
        for text in ["", "Django", "a b", "a_b", &"a".repeat(33)] {
            assert_eq!(Source::parse(text), Err(SourceError));
        }
    }
}
