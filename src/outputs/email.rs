//! Output `email`: a mail for each event, through an SMTP server or the sendmail program (logstash-output-email).

mod message;
mod mustache;
mod options;
mod smtp;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use lettre::transport::sendmail::AsyncSendmailTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Mutex;

use crate::event::Event;
use crate::plugin::{Build, Delivery, Example, Kind, Output, Spec, Undelivered};
use message::Letter;
use options::Email;
use smtp::{Failure, Server};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "email",
    summary: "Sends a mail for each event.",
    options: Email::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  if "alert" in [tags] {
    email {
      to => "ops@example.org"
      subject => "Alert from %{[host][name]}"
      body => "%{message}"
    }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(options::build(reader)?))),
};

/// Where the sendmail program is, as the gem `mail` has it.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// How mails leave.
enum Route {
    /// One session at a time, as the mails of a batch share one.
    Smtp(Box<Mutex<Server>>),
    Sendmail(AsyncSendmailTransport<Tokio1Executor>),
}

/// The output, ready to run.
pub struct Mailer {
    letter: Letter,
    route: Route,
    /// Whether the log tells of every mail.
    debug: bool,
}

impl Mailer {
    async fn send(&self, mail: &Message) -> Result<(), Failure> {
        let said = match &self.route {
            Route::Smtp(server) => server.lock().await.send(mail).await?,
            Route::Sendmail(program) => {
                let handed_over = program.send(mail.clone()).await;
                handed_over.map_err(|error| Failure::Passing(format!("{SENDMAIL}: {error}")))?;
                String::from("handed over to sendmail")
            }
        };
        if self.debug {
            let to: Vec<_> = mail.envelope().to().iter().map(ToString::to_string).collect();
            tracing::info!(to = %to.join(", "), answer = %said, "sent a mail");
        }
        Ok(())
    }
}

impl Output for Mailer {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let mut delivery = Delivery::done();
            for (index, event) in events.iter().enumerate() {
                let mail = match self.letter.write(event).await {
                    Ok(mail) => mail,
                    Err(reason) => {
                        delivery.dead.push(Undelivered { index, reason });
                        continue;
                    }
                };
                match self.send(&mail).await {
                    Ok(()) => {}
                    Err(Failure::Refused(reason)) => delivery.dead.push(Undelivered { index, reason }),
                    Err(Failure::Passing(reason)) => delivery.retry.push(Undelivered { index, reason }),
                    // What stops one mail stops them all: the others need no try of their own.
                    Err(Failure::Away(reason)) => {
                        let rest = index..events.len();
                        delivery
                            .retry
                            .extend(rest.map(|index| Undelivered { index, reason: reason.clone() }));
                        break;
                    }
                }
            }
            if let Route::Smtp(server) = &self.route {
                server.lock().await.quit().await;
            }
            delivery
        })
    }
}
