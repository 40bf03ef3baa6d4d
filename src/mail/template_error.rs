//! Errors of templates, for the operator who wrote them.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("unknown template {name:?}; {hint}")]
    Unknown { name: String, hint: String },
    #[error("{name} is longer than 64 KiB")]
    TooLong { name: String },
    #[error("{name} is not UTF-8")]
    NotUtf8 { name: String },
    /// A mistake in the language of templates, with file and line.
    #[error("{0}")]
    Syntax(String),
    #[error("{name} uses the variable {variable}, which it does not have; it has {known}")]
    Variable { name: String, variable: String, known: String },
    #[error(
        "{name} must begin with a line \"Subject: …\" of at most 200 characters, an empty line and \
         a text"
    )]
    Subject { name: String },
    /// Lock screens show subjects, and mail servers write them into their logs.
    #[error("{name} must not have the code or the link in its subject")]
    SecretSubject { name: String },
    #[error("{name} must have the code and the link each alone on a line")]
    NotAlone { name: String },
    #[error("{name} must have the code or the link")]
    NoProof { name: String },
}

impl From<minijinja::Error> for TemplateError {
    /// The error with its causes: that of an included template is one.
    fn from(error: minijinja::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::Syntax(text)
    }
}
