//! Client of an SMTP server (RFC 5321), with one connection for each mail.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use super::message::Message;
use super::send_error::{SendError, SendErrorKind, Step};
use super::sender_address::Sender;
use super::smtp_stream::SmtpStream;
use super::smtp_url::{SmtpSecurity, SmtpUrl};

/// Limits of one delivery. Together they are less than the 30 s for which a mail is leased.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(26);
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Limit of connecting to one address of the server, so that its next address is tried, too.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(9);

const TIMED_OUT: &str = "The server did not finish the delivery within 26 seconds.";
const NO_STARTTLS: &str = "The server does not offer STARTTLS, which the SMTP URL requires.";
const NO_SMTPUTF8: &str = "The server does not support addresses beyond ASCII (SMTPUTF8).";

/// An SMTP server, and how to connect to it.
pub struct SmtpClient {
    url: SmtpUrl,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    client_name: ClientId,
}

/// Settings with which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    #[error("the SMTP URL has a user but no password")]
    NoPassword,
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} contains no certificate in PEM format", .path.display())]
    NoCertificate { path: PathBuf },
    #[error("the certificates for SMTP cannot be used: {0}")]
    Certificates(Error),
}

impl SmtpClient {
    /// `roots` is a PEM file of root certificates that are trusted beside those of the system. The client
    /// introduces itself to the server by the domain of the sender.
    pub fn new(
        url: SmtpUrl,
        roots: Option<&Path>,
        sender: &Sender,
    ) -> Result<Self, SmtpSetupError> {
        if url.needs_password() {
            return Err(SmtpSetupError::NoPassword);
        }
        let tls = tls_parameters(&url, roots)?;
        let credentials = url.credentials().map(Credentials::from);
        let client_name = if sender.is_local() {
            ClientId::default()
        } else {
            ClientId::Domain(sender.domain().to_owned())
        };
        Ok(Self { url, tls, credentials, client_name })
    }

    /// Sends a message, in at most 27 s. After a temporary error the server may have accepted it all the
    /// same: its reply can be lost.
    pub async fn send(&self, message: &Message) -> Result<(), SendError> {
        self.deliver(Some(message)).await
    }

    /// Connects and logs in, but sends no message.
    pub async fn check(&self) -> Result<(), SendError> {
        self.deliver(None).await
    }

    async fn deliver(&self, message: Option<&Message>) -> Result<(), SendError> {
        let mut connection = None;
        let delivery = async {
            let opened = self.connect().await?;
            let connection = connection.insert(opened);
            if let Some(message) = message {
                self.transmit(connection, message).await
            } else {
                let answer = connection.command(Noop).await;
                answer.map(drop).map_err(self.error(Step::Connect))
            }
        };
        let delivered = timeout(DELIVERY_TIMEOUT, delivery).await;
        // The result is known. A server that does not answer QUIT does not change it.
        if let Some(mut connection) = connection {
            let _ = timeout(QUIT_TIMEOUT, connection.abort()).await;
        }
        delivered.unwrap_or_else(|_| Err(SendError::temporary(TIMED_OUT)))
    }

    /// A connection that is encrypted and logged in as the URL requires.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let mut connection = if self.url.security() == SmtpSecurity::Tls {
            self.connect_tls().await?
        } else {
            self.connect_plain().await?
        };
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            login.map_err(self.error(Step::Login))?;
        }
        Ok(connection)
    }

    async fn connect_tls(&self) -> Result<AsyncSmtpConnection, SendError> {
        let address = (self.url.host(), self.url.port());
        let (limit, tls) = (Some(CONNECT_TIMEOUT), Some(self.tls.clone()));
        let connection =
            AsyncSmtpConnection::connect_tokio1(address, limit, &self.client_name, tls, None);
        connection.await.map_err(self.error(Step::Connect))
    }

    /// Connects unencrypted, and uses STARTTLS if the server offers it.
    async fn connect_plain(&self) -> Result<AsyncSmtpConnection, SendError> {
        let stream = SmtpStream::connect(self.url.host(), self.url.port(), CONNECT_TIMEOUT).await;
        let stream = stream
            .map_err(|error| SendError::temporary(&format!("The connection failed: {error}.")))?;
        let connection =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.client_name);
        let mut connection = connection.await.map_err(self.error(Step::Connect))?;
        if connection.can_starttls() {
            let upgrade = connection.starttls(self.tls.clone(), &self.client_name).await;
            upgrade.map_err(self.error(Step::StartTls))?;
        } else if self.url.security() == SmtpSecurity::StartTls {
            return Err(SendError::temporary(NO_STARTTLS));
        }
        Ok(connection)
    }

    async fn transmit(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), SendError> {
        let mut parameters = Vec::new();
        if message.needs_utf8() {
            let server = connection.server_info();
            let is_supported = server.supports_feature(Extension::SmtpUtfEight)
                && server.supports_feature(Extension::EightBitMime);
            if !is_supported {
                return Err(SendError::new(SendErrorKind::Permanent, NO_SMTPUTF8));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = connection.command(Mail::new(Some(message.from.clone()), parameters)).await;
        sender.map_err(self.error(Step::Sender))?;
        let recipient = connection.command(Rcpt::new(message.to.clone(), Vec::new())).await;
        recipient.map_err(self.error(Step::Recipient))?;
        connection.command(Data).await.map_err(self.error(Step::Content))?;
        connection.message(&message.content).await.map_err(self.error(Step::Content))?;
        Ok(())
    }

    fn error(&self, step: Step) -> impl Fn(Error) -> SendError {
        let password = self.url.credentials().map(|(_, password)| password);
        move |error| SendError::of_step(step, &error, password)
    }
}

fn tls_parameters(url: &SmtpUrl, roots: Option<&Path>) -> Result<TlsParameters, SmtpSetupError> {
    let mut builder = TlsParametersBuilder::new(url.host().to_owned());
    if url.security() == SmtpSecurity::Opportunistic {
        builder = builder
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true);
    }
    if let Some(path) = roots {
        let error = |source| SmtpSetupError::Read { path: path.to_owned(), source };
        let pem = fs::read(path).map_err(error)?;
        // The library takes a file without certificates for one with none to add.
        if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(SmtpSetupError::NoCertificate { path: path.to_owned() });
        }
        let roots = Certificate::from_pem(&pem).map_err(SmtpSetupError::Certificates)?;
        builder = builder.add_root_certificate(roots);
    }
    builder.build_rustls().map_err(SmtpSetupError::Certificates)
}
