//! Flags about e-mail: the SMTP server, the sender, the pages of links, texts and limits.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Arg, Args, Command, ValueEnum};

use super::error::ConfigError;
use super::flag_value::error_without_value;
use super::values::Switch;
use crate::auth::EmailSettings;
use crate::domain::mail_limit::ceiling;
use crate::mail::{Links, LinksError, PageUrls, Sender, SmtpUrl, SmtpUrlError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnverifiedEmail {
    Allow,
    Refuse,
}

/// Flags about e-mail.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "E-mail")]
pub struct EmailArguments {
    /// URL of the SMTP server: `smtps://USER@HOST` for TLS, `smtp+starttls://USER@HOST` for STARTTLS, or
    /// `smtp://HOST`; without it, mails are kept in the database and shown to administrators
    #[arg(
        long,
        env = "SALLYPORT_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = SmtpUrlParser
    )]
    smtp_url: Option<SmtpUrl>,

    /// File with the password of the user in `--smtp-url`
    #[arg(long, env = "SALLYPORT_SMTP_PASSWORD_FILE", value_name = "PATH")]
    smtp_password_file: Option<PathBuf>,

    /// PEM file of root certificates for the SMTP server, in addition to those of the system
    #[arg(long, env = "SALLYPORT_SMTP_CA_FILE", value_name = "PATH")]
    smtp_ca_file: Option<PathBuf>,

    /// Sender of all mails: an address, or a name and an address in angle brackets [default: Sallyport,
    /// with the address noreply at the host of the issuer]
    #[arg(long, env = "SALLYPORT_EMAIL_FROM", value_name = "SENDER")]
    email_from: Option<Sender>,

    /// URL of your application; links in mails lead to its pages `/account/verify`, `/account/reset`,
    /// `/account/login` and `/account/revert` [default: the issuer, which serves these pages]
    #[arg(long, env = "SALLYPORT_APP_URL", value_name = "URL", value_parser = app_url)]
    app_url: Option<String>,

    /// URL of your own page that verifies an address [default: the page of the application URL]
    #[arg(long, env = "SALLYPORT_VERIFY_URL", value_name = "URL", value_parser = page_url)]
    verify_url: Option<String>,

    /// URL of your own page that sets a new password [default: the page of the application URL]
    #[arg(long, env = "SALLYPORT_RESET_URL", value_name = "URL", value_parser = page_url)]
    reset_url: Option<String>,

    /// URL of your own page that logs in by a link [default: the page of the application URL]
    #[arg(long, env = "SALLYPORT_LOGIN_URL", value_name = "URL", value_parser = page_url)]
    login_url: Option<String>,

    /// URL of your own page that reverts a change of the address [default: the page of the application
    /// URL]
    #[arg(long, env = "SALLYPORT_REVERT_URL", value_name = "URL", value_parser = page_url)]
    revert_url: Option<String>,

    /// Directory of templates that replace texts of mails
    #[arg(long, env = "SALLYPORT_EMAIL_TEMPLATES", value_name = "PATH")]
    email_templates: Option<PathBuf>,

    /// Allow sessions of accounts whose address is not verified (`allow`), or open none before the
    /// address is verified (`refuse`)
    #[arg(
        long,
        env = "SALLYPORT_UNVERIFIED_EMAIL",
        value_enum,
        value_name = "allow|refuse",
        hide_possible_values = true,
        default_value = "allow"
    )]
    unverified_email: UnverifiedEmail,

    /// Maximum number of mails per minute that all visitors together can cause, 1 to 1000000
    #[arg(
        long,
        env = "SALLYPORT_EMAIL_CEILING",
        value_name = "COUNT",
        default_value = "1000",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    email_ceiling: u32,

    /// Send a mail to the verified address of an account after a login from a new device
    #[arg(
        long,
        env = "SALLYPORT_LOGIN_NOTICES",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    login_notices: Switch,
}

/// Validated settings about e-mail.
#[derive(Clone, Debug)]
pub struct EmailConfig {
    /// `None`: mails are kept for administrators.
    pub smtp: Option<SmtpConfig>,
    pub sender: Sender,
    /// Directory of templates.
    pub templates: Option<PathBuf>,
    pub settings: EmailSettings,
}

/// The SMTP server. Its files are read at the start.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub url: SmtpUrl,
    pub password_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

impl EmailArguments {
    pub(super) fn refuses_unverified(&self) -> bool {
        self.unverified_email == UnverifiedEmail::Refuse
    }

    pub(super) fn combine(self, issuer: &str) -> Result<EmailConfig, ConfigError> {
        let pages = PageUrls {
            verify: self.verify_url,
            reset: self.reset_url,
            login: self.login_url,
            revert: self.revert_url,
        };
        // The other URLs have been checked, so an error is about the issuer.
        let links =
            Links::new(self.app_url.as_deref().unwrap_or(issuer), pages).map_err(|error| {
                let message = format!(
                    "--issuer cannot be the beginning of links in mails: {error}; set --app-url"
                );
                ConfigError(message.into())
            })?;
        Ok(EmailConfig {
            smtp: smtp(self.smtp_url, self.smtp_password_file, self.smtp_ca_file)?,
            sender: self.email_from.unwrap_or_else(|| Sender::default_for(issuer)),
            templates: self.email_templates,
            settings: EmailSettings {
                links,
                ceiling: ceiling(self.email_ceiling),
                login_notices: self.login_notices.is_on(),
            },
        })
    }
}

fn smtp(
    url: Option<SmtpUrl>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
) -> Result<Option<SmtpConfig>, ConfigError> {
    let refused = |message: &'static str| Err(ConfigError(message.into()));
    let Some(url) = url else {
        return match (password_file, ca_file) {
            (Some(_), _) => refused("--smtp-password-file needs --smtp-url"),
            (None, Some(_)) => refused("--smtp-ca-file needs --smtp-url"),
            (None, None) => Ok(None),
        };
    };
    match (url.has_password(), url.needs_password(), password_file.is_some()) {
        (true, _, true) => refused(
            "the SMTP password is given twice, in --smtp-url and in --smtp-password-file; remove one \
             of them",
        ),
        (false, true, false) => refused(
            "--smtp-url has a user but no password; set --smtp-password-file, or write \
             smtps://USER:PASSWORD@HOST",
        ),
        (false, false, true) => {
            refused("--smtp-password-file needs a user in --smtp-url; write smtps://USER@HOST")
        }
        _ => Ok(Some(SmtpConfig { url, password_file, ca_file })),
    }
}

fn app_url(text: &str) -> Result<String, LinksError> {
    Links::new(text, PageUrls::default()).map(|_| text.to_owned())
}

fn page_url(text: &str) -> Result<String, LinksError> {
    let pages = PageUrls { verify: Some(text.to_owned()), ..PageUrls::default() };
    Links::new("https://localhost", pages).map(|_| text.to_owned())
}

/// Parser of SMTP URLs, whose errors do not repeat the value.
#[derive(Clone)]
struct SmtpUrlParser;

impl TypedValueParser for SmtpUrlParser {
    type Value = SmtpUrl;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<SmtpUrl, clap::Error> {
        let text = value.to_str().ok_or(SmtpUrlError::Encoding);
        text.and_then(SmtpUrl::parse)
            .map_err(|error| error_without_value(command, argument, &error))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::mail::LinkPage;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        email: EmailArguments,
    }

    fn parse(line: &str) -> Result<EmailConfig, String> {
        let line = std::iter::once("sallyport").chain(line.split_whitespace());
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        line.email.combine("https://auth.example.com").map_err(|error| error.to_string())
    }

    fn links(config: &EmailConfig) -> [String; 4] {
        [LinkPage::Verify, LinkPage::Reset, LinkPage::Login, LinkPage::Revert]
            .map(|page| config.settings.links.page(page).as_str().to_owned())
    }

    #[test]
    fn the_defaults_follow_the_issuer() {
        let config = parse("").unwrap();
        assert_eq!(config.sender.to_string(), "Sallyport <noreply@auth.example.com>");
        let expected = ["verify", "reset", "login", "revert"]
            .map(|page| format!("https://auth.example.com/account/{page}"));
        assert_eq!(links(&config), expected);
        assert!(config.smtp.is_none() && config.templates.is_none());
        assert!(config.settings.login_notices);
    }

    #[test]
    fn a_page_of_its_own_replaces_that_of_the_application() {
        let config =
            parse("--app-url https://app.example.com/ --reset-url https://a.example/#/new");
        let [verify, reset, ..] = links(&config.unwrap());
        assert_eq!(verify, "https://app.example.com/account/verify");
        assert_eq!(reset, "https://a.example/#/new");
    }

    #[test]
    fn contradictions_about_the_smtp_server_are_refused() {
        for (line, expected) in [
            ("--smtp-password-file a", "--smtp-password-file needs --smtp-url"),
            ("--smtp-ca-file a", "--smtp-ca-file needs --smtp-url"),
            ("--smtp-url smtps://ada:pw@h --smtp-password-file a", "given twice"),
            ("--smtp-url smtps://ada@h", "has a user but no password"),
            ("--smtp-url smtps://h --smtp-password-file a", "needs a user"),
            ("--app-url https://a/?b", "without a query and a fragment"),
            ("--verify-url /verify", "expected an http or https URL"),
            ("--email-from ada", "expected an address"),
            ("--email-ceiling 0", "1..=1000000"),
            ("--unverified-email maybe", "invalid value"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        for line in ["--smtp-url smtp://h", "--smtp-url smtps://ada@h --smtp-password-file /none"] {
            assert!(parse(line).unwrap().smtp.is_some(), "{line}");
        }
    }

    #[test]
    fn the_password_of_the_server_is_not_printed() {
        let config = parse("--smtp-url smtps://ada:hunter2@h").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        for url in ["smtps://ada:hunter2@h/#", "imap://ada:hunter2@h", "smtps://ada:hunter2@[h"] {
            let error = parse(&format!("--smtp-url {url}")).unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("--smtp-url"), "{error}");
        }
    }
}
