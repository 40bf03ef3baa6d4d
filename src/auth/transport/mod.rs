//! Transport of tokens between clients and the use cases.

mod cookies;
mod token_transport;

pub use cookies::{CookieChange, CookieSlot, Cookies};
pub use token_transport::{TokenTransport, Untrusted};
