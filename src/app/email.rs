//! Components that send mails: templates, SMTP client, and the delivery.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::start_error::StartError;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, SmtpConfig};
use crate::domain::id::EmailId;
use crate::domain::mail::MailLanguage;
use crate::domain::user::Email;
use crate::entropy::SystemEntropy;
use crate::mail::{
    LinkPage, Mail, Mailer, SendError, Sender, SmtpClient, SmtpSetupError, SmtpUrlError,
    TemplateError, Templates, TestMail,
};

/// The message without an SMTP server, of the log and of `sallyport check`.
pub(super) const NO_SMTP: &str = "No SMTP server is set (--smtp-url): mails are not sent. They are kept for \
                                  a day and shown to administrators by sallyport email list.";

/// Settings with which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum EmailSetupError {
    #[error("cannot use the templates in {}: {source}; check --email-templates", .directory.display())]
    Templates { directory: PathBuf, source: TemplateError },
    #[error("cannot use the templates of the program: {0}; this is an error of the program")]
    OwnTemplates(TemplateError),
    #[error("cannot read the SMTP password in {}: {source}; check --smtp-password-file", .path.display())]
    Password { path: PathBuf, source: std::io::Error },
    #[error("the SMTP password in {} cannot be used: {source}; check --smtp-password-file", .path.display())]
    InvalidPassword { path: PathBuf, source: SmtpUrlError },
    #[error("{0}; check --smtp-url and --smtp-ca-file")]
    Smtp(#[from] SmtpSetupError),
}

/// A test mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub enum TestMailError {
    #[error("no SMTP server is set; set --smtp-url")]
    NoServer,
    #[error(transparent)]
    Setup(#[from] EmailSetupError),
    #[error("the SMTP server {server} did not take the mail: {error}")]
    Send { server: String, error: SendError },
}

/// The texts of mails, with those of the operator.
pub(super) fn load_templates(config: &Config) -> Result<Templates, EmailSetupError> {
    let directory = config.email.templates.as_deref();
    let templates = Templates::load(directory, &config.email.settings.links);
    templates.map_err(|source| match directory {
        Some(directory) => EmailSetupError::Templates { directory: directory.to_owned(), source },
        None => EmailSetupError::OwnTemplates(source),
    })
}

/// The texts of the program alone, for commands that show none.
pub(super) fn own_templates(config: &Config) -> Result<Templates, EmailSetupError> {
    Templates::load(None, &config.email.settings.links).map_err(EmailSetupError::OwnTemplates)
}

/// The client of the SMTP server. Reads its files, and does not connect.
pub(super) fn smtp_client(
    smtp: &SmtpConfig,
    sender: &Sender,
) -> Result<SmtpClient, EmailSetupError> {
    let mut url = smtp.url.clone();
    if let Some(path) = &smtp.password_file {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text =
            text.map_err(|source| EmailSetupError::Password { path: path.clone(), source })?;
        url = url
            .with_password(&text)
            .map_err(|source| EmailSetupError::InvalidPassword { path: path.clone(), source })?;
    }
    Ok(SmtpClient::new(url, smtp.ca_file.as_deref(), sender)?)
}

/// `None` without an SMTP server.
pub(super) fn mailer(
    config: &Config,
    templates: &Arc<Templates>,
) -> Result<Option<Mailer>, EmailSetupError> {
    let Some(smtp) = &config.email.smtp else { return Ok(None) };
    let sender = config.email.sender.clone();
    let client = smtp_client(smtp, &sender)?;
    Ok(Some(Mailer { templates: Arc::clone(templates), sender, client }))
}

/// Sends a test mail at once, past the outbox. Returns the server that took it.
pub async fn send_test_mail(config: &Config, recipient: &Email) -> Result<String, TestMailError> {
    let templates = Arc::new(load_templates(config)?);
    let (Some(smtp), Some(mailer)) = (&config.email.smtp, mailer(config, &templates)?) else {
        return Err(TestMailError::NoServer);
    };
    let now = SystemClock::new().now();
    let mail = Mail::Test(TestMail { link: config.email.settings.links.page(LinkPage::Login) });
    let id = EmailId::new(now, &SystemEntropy);
    let sent = mailer.send(&mail, MailLanguage::En, recipient, id, now).await;
    let server = smtp.url.to_string();
    match sent {
        Ok(()) => Ok(server),
        Err(error) => Err(TestMailError::Send { server, error }),
    }
}

impl From<EmailSetupError> for StartError {
    fn from(error: EmailSetupError) -> Self {
        Self::Email(error.to_string())
    }
}
