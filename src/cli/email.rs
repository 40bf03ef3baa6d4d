//! `sallyport email`: unsent mails, their repetition, and a test mail.

use anyhow::Result;
use clap::Subcommand;

use super::opening::{log_for_people, open_existing, open_for_emails};
use super::table::{Cell, Output, Table, count, print};
use crate::app::{self, Components};
use crate::auth::{self, Admin};
use crate::config::{Config, DatabaseArguments, EmailArguments, SecretArguments, Sources};
use crate::domain::pagination::{MAX_SIZE, PageRequest};
use crate::domain::user::Email;

#[derive(Subcommand)]
pub(super) enum EmailCommand {
    /// Send a test e-mail at once, and print the answer of the SMTP server if it refuses
    Test {
        /// E-mail address of the recipient
        address: String,
        #[command(flatten)]
        email: Box<EmailArguments>,
    },
    /// List e-mails that are not sent, newest first: those that wait, that failed, and that are kept
    /// because no SMTP server is set
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Send waiting and failed e-mails again, unless their codes and links have expired
    Retry {
        #[command(flatten)]
        database: DatabaseArguments,
    },
}

pub(super) async fn run(command: EmailCommand, sources: &Sources) -> Result<()> {
    match command {
        EmailCommand::Test { address, email } => {
            let address = Email::parse(&address)?;
            let config = log_for_people(Config::of_email_command(*email, sources)?);
            let server = app::send_test_mail(&config, &address).await?;
            print(&format!("Sent a test e-mail to {} by {server}.\n", address.as_str()))
        }
        EmailCommand::List { output, database, secret } => {
            list(&open_for_emails(database, secret, sources).await?, output).await
        }
        EmailCommand::Retry { database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let retried = components.auth.emails.retry(Admin::operator()).await?;
            let retried = count(retried, "e-mail");
            print(&format!("Queued {retried} to be sent again by the running server.\n"))
        }
    }
}

async fn list(components: &Components, output: Output) -> Result<()> {
    const FIELDS: &[&str] = &[
        "id",
        "purpose",
        "to",
        "locale",
        "subject",
        "text",
        "state",
        "attempts",
        "last_error",
        "created_at",
        "sent_at",
    ];
    // A text of several lines fits in no table.
    const COLUMNS: &[&str] = &["id", "purpose", "to", "subject", "state", "attempts", "created"];
    let row = if output.is_json() { all_fields } else { columns };
    let mut table = Table::new(if output.is_json() { FIELDS } else { COLUMNS });
    let mut after = None;
    loop {
        let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
        let page = components.auth.emails.outbox(Admin::operator(), &page).await?;
        for mail in &page.items {
            table.push(row(mail));
        }
        after = page.items.last().map(|mail| (mail.created_at, mail.id));
        if !page.has_next {
            return table.print(output);
        }
    }
}

fn all_fields(mail: &auth::Email) -> Vec<Cell> {
    let text = mail.text.as_ref();
    vec![
        Cell::text(mail.id),
        Cell::text(&mail.purpose),
        Cell::text(&mail.to),
        Cell::text(&mail.locale),
        Cell::maybe(text.map(|text| &text.subject)),
        Cell::maybe(text.map(|text| &text.text)),
        Cell::text(mail.state.as_str()),
        Cell::Number(mail.attempts.into()),
        Cell::maybe(mail.last_error.as_ref()),
        Cell::Time(mail.created_at),
        // A mail that was sent is deleted.
        Cell::Nothing,
    ]
}

fn columns(mail: &auth::Email) -> Vec<Cell> {
    vec![
        Cell::text(mail.id),
        Cell::text(&mail.purpose),
        Cell::text(&mail.to),
        Cell::maybe(mail.text.as_ref().map(|text| &text.subject)),
        Cell::text(mail.state.as_str()),
        Cell::Number(mail.attempts.into()),
        Cell::Time(mail.created_at),
    ]
}
