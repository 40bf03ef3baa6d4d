//! The words of the trade: users, sessions, blacklist entries, and what may be said of them.
//!
//! Rule: pure values and decisions. Nothing here does I/O, is async, or knows a database, a token
//! format or GraphQL; what depends on the time takes `now`. Text from outside becomes a value only
//! through a `parse` that can refuse it.

pub mod assurance;
pub mod audit;
pub mod blacklist;
pub mod filter;
pub mod id;
pub mod key_life;
pub mod login_name;
pub mod origin;
pub mod page;
pub mod password;
pub mod presented;
pub mod session;
mod shown;
mod spelling;
pub mod throttle;
pub mod user;

/// Declares a closed set of words with one spelling, the same in rows, claims and the API.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for this value.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value for this word; `None` for any other.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;
