//! Check of the acceptance of another system's refresh tokens: its bounds, and whether it is still needed.

use super::check_report::CheckReport;
use crate::auth::ForeignTokenSettings;
use crate::clock::Timestamp;
use crate::store::{Error, Store};

/// The remedy once nothing is accepted any more.
const REMOVE: &str = "Remove --accept-foreign-tokens, its file and the key files.";

pub(super) async fn check_foreign_tokens(
    settings: &ForeignTokenSettings,
    store: &Store,
    now: Timestamp,
    report: &mut CheckReport,
) -> Result<(), Error> {
    let (source, terms) = (settings.source.as_str(), settings.terms);
    if !settings.accepts_at(now) {
        let message = format!("No token of {source} is accepted any more (until). {REMOVE}");
        report.warnings.push(message);
        return Ok(());
    }
    let is_unbounded = settings.tokens.has_secret() && terms.issued_before.is_none();
    if is_unbounded && terms.must_be_outstanding {
        report.warnings.push(format!(
            "Tokens that are signed by the key of {source} after the cut-over are accepted, if the import names \
             them: issued-before is not set. Set it to the time of the cut-over."
        ));
    }
    if is_unbounded && !terms.must_be_outstanding {
        report.warnings.push(format!(
            "Everyone who has the key of {source} can log in as any imported user: require-outstanding is \
             false, and issued-before is not set. Set issued-before to the time of the cut-over."
        ));
    }
    if settings.until.is_none() {
        report.warnings.push(format!(
            "The key of {source} is accepted without an end. Set until to the time when its last refresh token \
             expires."
        ));
    }
    if !terms.must_be_outstanding {
        return Ok(());
    }
    let status = store.import_status(now).await?;
    let status = status.into_iter().find(|status| status.source == settings.source);
    match status.and_then(|status| status.last_token_expires_at) {
        Some(last) => report.passed.push(format!(
            "Refresh tokens of {source} are exchanged. The last one that is left expires at {last:.0}."
        )),
        None => report.warnings.push(format!(
            "No refresh token of {source} is left to be exchanged. {REMOVE} Before the first import this is \
             expected."
        )),
    }
    Ok(())
}
