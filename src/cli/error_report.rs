//! Report of an error on standard error: one line with the cause and the remedy.

use std::process::ExitCode;

use crate::app::reason;
use crate::config::ConfigError;
use crate::{auth, store, telemetry};

/// The same exit code as that of clap for a command line that is not valid.
const USAGE_ERROR: u8 = 2;

#[must_use]
pub fn report(error: &anyhow::Error) -> ExitCode {
    telemetry::say(&format!("sallyport: {}", sentence(&error_line(error))));
    if error.is::<ConfigError>() { ExitCode::from(USAGE_ERROR) } else { ExitCode::FAILURE }
}

fn error_line(error: &anyhow::Error) -> String {
    let database_error =
        match (error.downcast_ref::<auth::Error>(), error.downcast_ref::<store::Error>()) {
            (Some(auth::Error::Unavailable(error)), _) | (_, Some(error)) => Some(error),
            _ => None,
        };
    if let Some(error) = database_error {
        return format!(
            "the database failed: {}; run sallyport check for details, then try again",
            reason(error)
        );
    }
    if let Some(auth::Error::Internal(error)) = error.downcast_ref() {
        return format!("internal error: {}; run sallyport check for details", reason(&**error));
    }
    error.to_string()
}

/// With a capital letter and a full stop: messages of libraries and of parsers have neither.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    // The name of a file or a flag keeps its letters.
    let is_word = text.split_whitespace().next().is_some_and(|word| {
        word.trim_end_matches([',', ':', ';']).chars().all(char::is_alphabetic)
    });
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if is_word => format!("{}{}{stop}", first.to_uppercase(), letters.as_str()),
        _ => format!("{text}{stop}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_database_error_is_named_at_any_depth() {
        let error = || store::Error::TooSlow(Duration::from_secs(2));
        let expected = "the database failed: the database did not answer within 2s; run sallyport \
                        check for details, then try again";
        assert_eq!(error_line(&error().into()), expected);
        assert_eq!(error_line(&auth::Error::from(error()).into()), expected);
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("cannot listen; stop it"), "Cannot listen; stop it.");
        assert_eq!(sentence("Did you mean this?"), "Did you mean this?");
        assert_eq!(sentence("a.db already exists"), "a.db already exists.");
        assert_eq!(sentence("--leeway must be at most 60s\n"), "--leeway must be at most 60s.");
    }
}
