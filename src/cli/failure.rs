//! What went wrong, in one line: what, and what to do.

use std::process::ExitCode;

use crate::app::reason;
use crate::config::ConfigError;
use crate::{auth, store, telemetry};

/// The exit code of a command line that was not understood, as clap has it.
const USAGE: u8 = 2;

/// Says on standard error what went wrong; the exit code.
#[must_use]
pub fn report(error: &anyhow::Error) -> ExitCode {
    telemetry::say(&format!("sallyport: {}", line(error)));
    if error.is::<ConfigError>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}

fn line(error: &anyhow::Error) -> String {
    let away = match (error.downcast_ref::<auth::Error>(), error.downcast_ref::<store::Error>()) {
        (Some(auth::Error::Unavailable(error)), _) | (_, Some(error)) => Some(error),
        _ => None,
    };
    if let Some(error) = away {
        return format!(
            "the database failed: {}; sallyport check says more, then try again",
            reason(error)
        );
    }
    if let Some(auth::Error::Internal(error)) = error.downcast_ref() {
        return format!("this failed: {}; sallyport check may say more", reason(&**error));
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_database_that_is_away_is_named_however_deep_it_is() {
        let away = || store::Error::TooSlow(Duration::from_secs(2));
        let expected = "the database failed: the database did not answer within 2s; sallyport check \
                        says more, then try again";
        assert_eq!(line(&away().into()), expected);
        assert_eq!(line(&auth::Error::from(away()).into()), expected);
    }
}
