//! `message_properties`: what messages say of themselves (`MessagePropertiesTemplate`, and MarchHare's
//! `BasicPropertiesBuilder`).

use lapin::BasicProperties;
use lapin::types::FieldTable;

use crate::event::numbers::leading_integer;
use crate::event::{Event, Template};
use crate::plugin::{ConfigKind, ConfigValue, Pairs};
use crate::rabbitmq::{Short, short, table};

type Setter = fn(BasicProperties, Short) -> BasicProperties;

/// The properties that are text.
const TEXTS: [(&str, Setter); 10] = [
    ("content_type", BasicProperties::with_content_type),
    ("content_encoding", BasicProperties::with_content_encoding),
    ("correlation_id", BasicProperties::with_correlation_id),
    ("reply_to", BasicProperties::with_reply_to),
    ("expiration", BasicProperties::with_expiration),
    ("message_id", BasicProperties::with_message_id),
    ("type", BasicProperties::with_type),
    ("user_id", BasicProperties::with_user_id),
    ("app_id", BasicProperties::with_app_id),
    ("cluster_id", BasicProperties::with_cluster_id),
];

pub(super) struct Properties {
    texts: Vec<(&'static str, Setter, Template)>,
    priority: Option<Template>,
    timestamp: Option<Template>,
    headers: Option<FieldTable>,
    persistent: bool,
}

impl Properties {
    /// Reads the hash.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn build(pairs: &Pairs, persistent: bool) -> Result<Self, String> {
        let mut properties =
            Properties { texts: Vec::new(), priority: None, timestamp: None, headers: None, persistent };
        for (name, value) in pairs.iter() {
            if name == "headers" {
                properties.headers = Some(headers(value)?);
                continue;
            }
            let text = value.as_single().and_then(ConfigValue::scalar_text);
            let text = text.ok_or_else(|| format!("\"{name}\" must be text or a number"))?;
            let template = Template::parse(&text);
            match (name, TEXTS.iter().find(|(known, _)| *known == name)) {
                ("priority", _) => {
                    if template.as_literal().is_some_and(|text| text.parse::<u8>().is_err()) {
                        return Err(format!("\"{text}\" is no priority, which is a number from 0 to 255"));
                    }
                    properties.priority = Some(template);
                }
                ("timestamp", _) => properties.timestamp = Some(template),
                (_, Some((known, setter))) => properties.texts.push((known, *setter, template)),
                ("persistent" | "delivery_mode", None) => {
                    return Err(format!("\"{name}\" is what the option persistent says"));
                }
                (_, None) => {
                    let known: Vec<_> = TEXTS.iter().map(|(known, _)| *known).collect();
                    return Err(format!(
                        "there is no property \"{name}\"; there are {}, priority, timestamp and headers",
                        known.join(", ")
                    ));
                }
            }
        }
        Ok(properties)
    }

    /// The properties of an event's message.
    ///
    /// # Errors
    /// A text that is too long, or a reference that cannot be rendered.
    pub fn render(&self, event: &Event) -> Result<BasicProperties, String> {
        let render = |template: &Template| template.render(event).map_err(|error| error.to_string());
        let mode = if self.persistent { 2 } else { 1 };
        let mut properties = BasicProperties::default().with_delivery_mode(mode);
        for (name, setter, template) in &self.texts {
            properties = setter(properties, short(name, &render(template)?)?);
        }
        if let Some(priority) = &self.priority {
            let priority = leading_integer(&render(priority)?).clamp(0, i64::from(u8::MAX));
            properties = properties.with_priority(u8::try_from(priority).unwrap_or_default());
        }
        if let Some(timestamp) = &self.timestamp {
            let seconds = leading_integer(&render(timestamp)?);
            properties = properties.with_timestamp(u64::try_from(seconds).unwrap_or_default());
        }
        if let Some(headers) = &self.headers {
            properties = properties.with_headers(headers.clone());
        }
        Ok(properties)
    }
}

fn headers(value: &ConfigValue) -> Result<FieldTable, String> {
    match &value.kind {
        ConfigKind::Hash(pairs) => table(&Pairs(pairs.clone())),
        _ => Err("\"headers\" must be a hash".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{FromOption, testkit};

    #[test]
    fn properties_come_from_the_option_and_from_events() {
        let value = crate::language::parse_value(
            r#"{ "content_type" => "text/plain" "priority" => "%{p}" "type" => "%{t}" "timestamp" => 1700000000 "headers" => { "a" => 1 } }"#,
        );
        let context = testkit::context();
        let value = ConfigValue::new(&value.unwrap(), &context.environment, &mut Vec::new());
        let properties = Properties::build(&Pairs::from_option(&value, &context).unwrap(), true).unwrap();
        let rendered = properties.render(&testkit::event(r#"{"p":"7 or so","t":"x"}"#)).unwrap();
        assert_eq!(rendered.priority(), &Some(7));
        assert_eq!(rendered.delivery_mode(), &Some(2));
        assert_eq!(rendered.content_type().as_ref().map(Short::as_str), Some("text/plain"));
        assert_eq!(rendered.kind().as_ref().map(Short::as_str), Some("x"));
        assert_eq!(rendered.timestamp(), &Some(1_700_000_000));
        assert!(rendered.headers().is_some());
        let long = format!(r#"{{"t":"{}"}}"#, "x".repeat(300));
        assert!(properties.render(&testkit::event(&long)).unwrap_err().contains("type is longer"));
    }
}
