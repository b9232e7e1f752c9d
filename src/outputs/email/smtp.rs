//! Sessions with an SMTP server: greeting, encryption, log-in, mails.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, Mac};
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism as Known};
use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use md5::Md5;
use tokio::time::timeout;

use crate::plugin::Password;

/// How long the server may take to be there, as in Ruby's `Net::SMTP`.
const CONNECT: Duration = Duration::from_secs(30);
/// How long it may take for one mail.
const SEND: Duration = Duration::from_secs(60);
/// The port on which servers speak TLS from the first byte.
const IMPLICIT_TLS: u16 = 465;

/// The ways to log in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Plain,
    Login,
    CramMd5,
}

/// Who logs in, and how.
pub struct Login {
    pub name: String,
    pub password: Password,
    pub mechanism: Mechanism,
}

/// Why a mail was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The server will never take this mail.
    Refused(String),
    /// The server may take it later.
    Passing(String),
    /// There is no session with the server.
    Away(String),
}

/// A server, and the session with it while there are mails.
pub struct Server {
    address: String,
    port: u16,
    hello: ClientId,
    tls: Option<TlsParameters>,
    login: Option<Login>,
    session: Option<AsyncSmtpConnection>,
}

impl Server {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// Why there can be no TLS with such a server.
    pub fn new(
        address: &str,
        port: u16,
        domain: &str,
        use_tls: bool,
        login: Option<Login>,
    ) -> Result<Self, String> {
        let tls = match use_tls {
            false => None,
            true => Some(
                TlsParameters::builder(address.to_owned())
                    .certificate_store(CertificateStore::Default)
                    .build_rustls()
                    .map_err(|error| format!("there can be no TLS with {address}: {error}"))?,
            ),
        };
        let hello = ClientId::Domain(domain.to_owned());
        Ok(Server { address: address.to_owned(), port, hello, tls, login, session: None })
    }

    /// Sends a mail and returns what the server says of it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn send(&mut self, mail: &Message) -> Result<String, Failure> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match timeout(CONNECT, self.connect()).await {
                Ok(connected) => connected.map_err(|reason| Failure::Away(self.at(&reason)))?,
                Err(_) => return Err(Failure::Away(self.at("no answer"))),
            },
        };
        let bytes = mail.formatted();
        match timeout(SEND, session.send(mail.envelope(), &bytes)).await {
            Ok(Ok(answer)) => {
                self.session = Some(session);
                Ok(answer.first_line().unwrap_or_default().to_owned())
            }
            // The library has ended the session. A mail that it finds unfit itself stays so.
            Ok(Err(error)) if error.is_permanent() || error.is_client() => {
                Err(Failure::Refused(self.at(&said(&error))))
            }
            Ok(Err(error)) => Err(Failure::Passing(self.at(&said(&error)))),
            Err(_) => Err(Failure::Away(self.at("no answer to a mail"))),
        }
    }

    /// Ends the session.
    pub async fn quit(&mut self) {
        if let Some(mut session) = self.session.take() {
            _ = timeout(CONNECT, session.quit()).await;
        }
    }

    fn at(&self, reason: &str) -> String {
        format!("the mail server {}:{}: {reason}", self.address, self.port)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let server = (self.address.as_str(), self.port);
        let at_once = self.tls.clone().filter(|_| self.port == IMPLICIT_TLS);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &self.hello, at_once, None);
        let mut session = connecting.await.map_err(|error| said(&error))?;
        if let Some(tls) = self.tls.clone().filter(|_| self.port != IMPLICIT_TLS) {
            if !session.can_starttls() {
                session.abort().await;
                return Err("it offers no STARTTLS, which use_tls asks for".into());
            }
            session.starttls(tls, &self.hello).await.map_err(|error| said(&error))?;
        }
        if let Some(login) = &self.login {
            let done = login.perform(&mut session).await;
            done.map_err(|error| format!("could not log in as {:?}: {}", login.name, said(&error)))?;
        }
        Ok(session)
    }
}

impl Login {
    async fn perform(&self, session: &mut AsyncSmtpConnection) -> Result<(), Error> {
        let mechanism = match self.mechanism {
            Mechanism::Plain => Known::Plain,
            Mechanism::Login => Known::Login,
            Mechanism::CramMd5 => return self.perform_cram_md5(session).await,
        };
        let credentials = Credentials::new(self.name.clone(), self.password.reveal().to_owned());
        session.auth(&[mechanism], &credentials).await.map(|_| ())
    }

    /// RFC 2195, which the library does not have.
    async fn perform_cram_md5(&self, session: &mut AsyncSmtpConnection) -> Result<(), Error> {
        let challenge = session.command("AUTH CRAM-MD5\r\n").await?;
        let challenge = challenge.first_line().unwrap_or_default().trim().to_owned();
        let challenge = BASE64_STANDARD.decode(challenge).unwrap_or_default();
        let digest = cram_md5(self.password.reveal().as_bytes(), &challenge);
        let answer = BASE64_STANDARD.encode(format!("{} {digest}", self.name));
        session.command(format!("{answer}\r\n")).await.map(|_| ())
    }
}

/// The keyed digest of a challenge, in hexadecimal.
pub fn cram_md5(password: &[u8], challenge: &[u8]) -> String {
    // A key of any length is a key for HMAC.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(password) else { return String::new() };
    mac.update(challenge);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error with its causes in one line.
fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}
