//! Transport of tokens: in the body, or in cookies that no script can read.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTransport {
    /// In the input and in the answer.
    Body,
    Cookie,
}

/// Reason why the cookies of a request are not used, in the words of the transport, which knows its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untrusted(pub &'static str);
