//! The options of the output `email`, and what is made of them.

use std::path::PathBuf;

use lettre::message::Mailboxes;
use lettre::transport::sendmail::AsyncSendmailTransport;
use tokio::sync::Mutex;

use super::message::{Html, Letter};
use super::mustache::Mustache;
use super::smtp::{Login, Mechanism, Server};
use super::{Mailer, Route, SENDMAIL};
use crate::event::Template;
use crate::plugin::{OptionReader, Password, choices, options, take_unused_codec};

choices! {
    /// How mails leave.
    pub enum Via { Smtp = "smtp", Sendmail = "sendmail" }
}

choices! {
    /// How the server learns who it deals with.
    pub enum Authentication { Plain = "plain", Login = "login", CramMd5 = "cram_md5" }
}

options! {
    #[derive(Debug)]
    #[expect(dead_code, reason = "contenttype is read for its check alone")]
    pub struct Email {
        /// Who gets the mail: addresses with commas between them; may hold `%{field}`.
        to: Template,
        /// Who sends it; may hold `%{field}`.
        from: Template = "logstash.alert@example.com",
        /// Who gets answers; may hold `%{field}`.
        replyto: Option<Template>,
        /// Who gets a copy; may hold `%{field}`.
        cc: Option<Template>,
        /// Who gets a copy without the others knowing; may hold `%{field}`.
        bcc: Option<Template>,
        /// smtp sends to a server, sendmail hands over to /usr/sbin/sendmail.
        via: Via = "smtp",
        /// The host of the server.
        address: String = "localhost",
        /// The server's port.
        port: u16 = 25,
        /// The name by which the server is greeted.
        domain: String = "localhost",
        /// The name to log in with.
        username: Option<String>,
        /// The password to log in with.
        password: Option<Password>,
        /// How to log in. Default, where `username` is given: plain.
        authentication: Option<Authentication>,
        /// Encrypts, by STARTTLS or on port 465 from the first byte, and checks the server's certificate by the
        /// authorities of the system. Without it mails and passwords travel in the open.
        use_tls: bool = false,
        /// Whether the log tells of every mail and the server's answer.
        debug: bool = false,
        /// The subject; may hold `%{field}`.
        subject: Template = "",
        /// The text; may hold `%{field}`, and `\n` for line breaks.
        body: Template = "",
        /// A file with a Mustache template for an HTML text; its variables are the event's fields.
        template_file: Option<PathBuf>,
        /// An HTML text beside the plain one; may hold `%{field}`. `template_file` goes before it.
        htmlbody: Template = "",
        /// Files to attach, read when a mail is sent.
        attachments: Vec<PathBuf> = [],
        /// Has no effect: Logstash reads it and never uses it. A mail says the type of each of its parts by itself.
        contenttype: String = "text/html; charset=UTF-8",
    }
}

/// Reads the options and makes the output.
pub fn build(reader: &mut OptionReader<'_>) -> Option<Mailer> {
    take_unused_codec(reader);
    let options = Email::read(reader)?;
    reader.no_effect("contenttype", "the parts of a mail say their types by themselves");
    let addresses = [
        ("to", Some(&options.to)),
        ("from", Some(&options.from)),
        ("replyto", options.replyto.as_ref()),
        ("cc", options.cc.as_ref()),
        ("bcc", options.bcc.as_ref()),
    ];
    for (option, template) in addresses {
        check_addresses(option, template, reader);
    }
    let html = html(&options, reader);
    let route = match options.via {
        Via::Smtp => Route::Smtp(Box::new(Mutex::new(server(&options, reader)?))),
        Via::Sendmail => {
            for option in ["address", "port", "domain", "username", "password", "authentication", "use_tls"] {
                reader.no_effect(option, "via is sendmail, which knows its own server");
            }
            Route::Sendmail(AsyncSendmailTransport::new_with_command(SENDMAIL))
        }
    };
    let letter = Letter {
        from: options.from,
        to: options.to,
        reply_to: options.replyto,
        cc: options.cc,
        bcc: options.bcc,
        subject: options.subject,
        text: options.body,
        html: html?,
        attachments: options.attachments,
        domain: options.domain,
    };
    Some(Mailer { letter, route, debug: options.debug })
}

/// Addresses that no event changes are right or wrong for all of them.
fn check_addresses(option: &str, template: Option<&Template>, reader: &mut OptionReader<'_>) {
    let Some(written) = template.and_then(Template::as_literal).filter(|text| !text.trim().is_empty()) else {
        return;
    };
    if let Err(error) = written.parse::<Mailboxes>() {
        reader.error(option, format!("{written:?} is no list of mail addresses: {error}"));
    }
}

fn html(options: &Email, reader: &mut OptionReader<'_>) -> Option<Option<Html>> {
    let Some(path) = &options.template_file else {
        let given = !options.htmlbody.source().is_empty();
        return Some(given.then(|| Html::Sprintf(options.htmlbody.clone())));
    };
    reader.no_effect("htmlbody", "template_file is given");
    let place = path.display();
    let read = std::fs::read_to_string(path).map_err(|error| format!("cannot read {place}: {error}"));
    let parsed = read.and_then(|text| {
        Mustache::parse(&text).map_err(|error| format!("{place} is no Mustache template: {error}"))
    });
    match parsed {
        Ok(mustache) => Some(Some(Html::Mustache(mustache))),
        Err(message) => {
            reader.error("template_file", message);
            None
        }
    }
}

fn server(options: &Email, reader: &mut OptionReader<'_>) -> Option<Server> {
    let mechanism = match options.authentication {
        None | Some(Authentication::Plain) => Mechanism::Plain,
        Some(Authentication::Login) => Mechanism::Login,
        Some(Authentication::CramMd5) => Mechanism::CramMd5,
    };
    let login = match (&options.username, &options.password) {
        (Some(name), Some(password)) => {
            Some(Login { name: name.clone(), password: password.clone(), mechanism })
        }
        (Some(_), None) => {
            reader.error("username", "it needs a password");
            return None;
        }
        (None, _) => {
            for option in ["password", "authentication"] {
                reader.no_effect(option, "there is no username");
            }
            None
        }
    };
    let made = Server::new(&options.address, options.port, &options.domain, options.use_tls, login);
    made.map_err(|message| reader.error("address", message)).ok()
}
