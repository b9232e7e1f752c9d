//! A mail, written for an event.

use std::path::{Path, PathBuf};

use lettre::Message;
use lettre::message::header::{Bcc, Cc, ContentType, ReplyTo, To};
use lettre::message::{Attachment, Mailboxes, MultiPart, SinglePart};

use super::mustache::Mustache;
use crate::event::{Event, Template};

/// What makes the HTML text.
pub enum Html {
    Sprintf(Template),
    Mustache(Mustache),
}

/// How mails are written.
pub struct Letter {
    pub from: Template,
    pub to: Template,
    pub reply_to: Option<Template>,
    pub cc: Option<Template>,
    pub bcc: Option<Template>,
    pub subject: Template,
    pub text: Template,
    pub html: Option<Html>,
    pub attachments: Vec<PathBuf>,
    /// Stands in the mails' ids.
    pub domain: String,
}

impl Letter {
    /// The mail of an event. Otherwise the reason why there is none.
    pub async fn write(&self, event: &Event) -> Result<Message, String> {
        let from = addresses("from", &self.from, event)?;
        let sender = from.iter().next().cloned().ok_or("the mail has no sender: from is empty")?;
        let id = format!("<{}@{}>", uuid::Uuid::new_v4(), self.domain);
        let subject = render(&self.subject, event)?.replace(['\r', '\n'], " ");
        let mut mail = Message::builder().message_id(Some(id)).from(sender).subject(subject);
        let to = addresses("to", &self.to, event)?;
        if to.iter().next().is_some() {
            mail = mail.mailbox(To::from(to));
        }
        if let Some(cc) = self.given("cc", &self.cc, event)? {
            mail = mail.mailbox(Cc::from(cc));
        }
        if let Some(bcc) = self.given("bcc", &self.bcc, event)? {
            mail = mail.mailbox(Bcc::from(bcc));
        }
        if let Some(reply_to) = self.given("replyto", &self.reply_to, event)? {
            mail = mail.mailbox(ReplyTo::from(reply_to));
        }
        let text = SinglePart::plain(render(&self.text, event)?.replace("\\n", "\n"));
        let html = match &self.html {
            None => None,
            Some(Html::Sprintf(template)) => Some(render(template, event)?),
            Some(Html::Mustache(mustache)) => Some(mustache.render(event.data())),
        };
        let both = html
            .map(|html| MultiPart::alternative().singlepart(text.clone()).singlepart(SinglePart::html(html)));
        let mail = match (both, self.attachments.is_empty()) {
            (None, true) => mail.singlepart(text),
            (Some(both), true) => mail.multipart(both),
            (None, false) => mail.multipart(self.attach(MultiPart::mixed().singlepart(text)).await?),
            (Some(both), false) => mail.multipart(self.attach(MultiPart::mixed().multipart(both)).await?),
        };
        mail.map_err(|error| format!("the mail cannot be written: {error}"))
    }

    fn given(
        &self,
        option: &str,
        template: &Option<Template>,
        event: &Event,
    ) -> Result<Option<Mailboxes>, String> {
        let Some(template) = template else { return Ok(None) };
        let found = addresses(option, template, event)?;
        Ok(found.iter().next().is_some().then_some(found))
    }

    async fn attach(&self, mut parts: MultiPart) -> Result<MultiPart, String> {
        for path in &self.attachments {
            let place = path.display();
            let bytes = tokio::fs::read(path)
                .await
                .map_err(|error| format!("the attachment {place} cannot be read: {error}"))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let kind = ContentType::parse(content_type(path)).unwrap_or(ContentType::TEXT_PLAIN);
            parts = parts.singlepart(Attachment::new(name).body(bytes, kind));
        }
        Ok(parts)
    }
}

fn render(template: &Template, event: &Event) -> Result<String, String> {
    template.render(event).map_err(|error| error.to_string())
}

fn addresses(option: &str, template: &Template, event: &Event) -> Result<Mailboxes, String> {
    let text = render(template, event)?;
    if text.trim().is_empty() {
        return Ok(Mailboxes::new());
    }
    text.parse().map_err(|error| format!("{option}: {text:?} is no list of mail addresses: {error}"))
}

/// The type of a file by the end of its name, for those that are often attached.
fn content_type(path: &Path) -> &'static str {
    let end = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "txt" | "log" | "conf" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "htm" | "html" => "text/html; charset=utf-8",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
