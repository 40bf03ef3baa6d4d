//! Closed sets of words: enums with one spelling in rows, claims, metrics and the API.

/// Declares an enum whose values have one word each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// `None` for a word that is not in the set.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;

/// Lets a set of words that newer versions may extend be read from a row or a claim without failing.
macro_rules! extensible_words {
    ($name:ident) => {
        impl $name {
            /// The value of a stored word; `Unknown` for a word of a newer version.
            #[must_use]
            pub fn read(word: &str) -> Self {
                Self::parse(word).unwrap_or(Self::Unknown)
            }
        }
    };
}
pub(crate) use extensible_words;
