//! Checks of `sallyport check` about e-mail.

use super::check_report::CheckReport;
use super::email::{NO_SMTP, load_templates, smtp_client};
use crate::config::Config;

/// Checks the templates, the files of the SMTP client, and the server, without sending a mail.
pub(super) async fn check_email(config: &Config, report: &mut CheckReport) {
    match load_templates(config) {
        Err(error) => report.errors.push(error.to_string()),
        Ok(_) => {
            if let Some(directory) = &config.email.templates {
                let directory = directory.display();
                report.passed.push(format!("The templates of mails in {directory} are valid."));
            }
        }
    }
    let sender = &config.email.sender;
    let Some(smtp) = &config.email.smtp else {
        report.warnings.push(NO_SMTP.to_owned());
        return;
    };
    let url = &smtp.url;
    if url.is_in_the_clear() {
        report.warnings.push(format!(
            "The SMTP server {url} is on another machine, and mails may be sent to it unencrypted: an \
             attacker on the network can read their codes and links. Use smtp+starttls:// or smtps://."
        ));
    }
    if sender.is_local() {
        report.warnings.push(format!(
            "The sender of mails is {sender}, whose domain is known on this machine or network only: \
             other mail servers refuse its mails. Set --email-from."
        ));
    }
    let client = match smtp_client(smtp, sender) {
        Ok(client) => client,
        Err(error) => {
            report.errors.push(error.to_string());
            return;
        }
    };
    match client.check().await {
        Ok(()) => report.passed.push(format!("The SMTP server {url} accepts the connection.")),
        Err(error) => report.warnings.push(format!(
            "The SMTP server {url} cannot be used now: {error} Mails wait until it can be used, for an \
             hour at most."
        )),
    }
}
