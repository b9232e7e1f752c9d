//! The text of a syslog message, as `publish` of Logstash's plugin puts it together.

use crate::event::{Event, SprintfError, Template, numbers};
use crate::plugin::CodecFactory;

/// Facilities in the order of their numbers. They are those of Logstash's plugin, which leaves out two of RFC 5424's:
/// the numbers from `ftp` on differ from that.
const FACILITIES: [&str; 22] = [
    "kernel",
    "user-level",
    "mail",
    "daemon",
    "security/authorization",
    "syslogd",
    "line printer",
    "network news",
    "uucp",
    "clock",
    "ftp",
    "ntp",
    "log audit",
    "log alert",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
];
const SEVERITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

/// Where the number before a message comes from.
pub enum Priority {
    Labels { facility: Template, severity: Template },
    Number(Template),
}

/// What stands between time and message.
pub enum Form {
    Rfc3164,
    Rfc5424 { message_id: Template, structured_data: Option<Template> },
}

/// Makes messages of events.
pub struct Messages {
    pub priority: Priority,
    pub form: Form,
    pub time: Template,
    pub source: Template,
    pub app: Template,
    pub process: Template,
    /// What the message itself is made with.
    pub content: Content,
}

/// The text at the end of a message.
pub enum Content {
    Format(Template),
    Codec(CodecFactory),
}

impl Messages {
    /// The message of an event, with a line's end. Otherwise the reason why there is none.
    pub fn of(&self, event: &Event) -> Result<String, String> {
        let text = self.content.text(event)?;
        self.around(event, &one_line(&text)).map_err(|error| error.to_string())
    }

    fn around(&self, event: &Event, text: &str) -> Result<String, SprintfError> {
        let priority = self.priority.of(event)?;
        let (time, source) = (self.time.render(event)?, self.source.render(event)?);
        let (app, process) = (self.app.render(event)?, self.process.render(event)?);
        Ok(match &self.form {
            Form::Rfc3164 => format!("<{priority}>{time} {source} {app}[{process}]: {text}\n"),
            Form::Rfc5424 { message_id, structured_data } => {
                let id = message_id.render(event)?;
                let data = structured_data.as_ref().map_or(Ok("-".to_owned()), |data| data.render(event))?;
                format!("<{priority}>1 {time} {source} {app} {process} {id} {data} {text}\n")
            }
        })
    }
}

impl Content {
    fn text(&self, event: &Event) -> Result<String, String> {
        match self {
            Content::Format(format) => format.render(event).map_err(|error| error.to_string()),
            Content::Codec(codec) => {
                let mut bytes = Vec::new();
                codec.encoder().encode(event, &mut bytes).map_err(|error| error.to_string())?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

/// A text without line breaks, which would end the message: each becomes `\n`.
fn one_line(text: &str) -> String {
    let text = text.trim_end_matches(['\0', '\t', '\n', '\x0B', '\x0C', '\r', ' ']);
    text.replace("\r\n", "\n").replace('\n', "\\n")
}

impl Priority {
    fn of(&self, event: &Event) -> Result<u16, SprintfError> {
        let place = |labels: &[&str], label: &str, default: usize| {
            labels.iter().position(|known| *known == label).unwrap_or(default)
        };
        let number = match self {
            Priority::Labels { facility, severity } => {
                place(&FACILITIES, &facility.render(event)?, 1) * 8
                    + place(&SEVERITIES, &severity.render(event)?, 5)
            }
            Priority::Number(template) => {
                let number = numbers::strict_integer(&template.render(event)?);
                number
                    .and_then(|number| usize::try_from(number).ok())
                    .filter(|number| *number <= 191)
                    .unwrap_or(13)
            }
        };
        Ok(u16::try_from(number).unwrap_or(13))
    }
}
