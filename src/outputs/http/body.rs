//! The bodies of the output `http`: events, or what `mapping` makes of them, as JSON, as a form or as text.

use crate::event::text::ruby_to_s;
use crate::event::{Event, Object, SprintfError, Template, Value, json};
use crate::plugin::{ConfigKind, ConfigValue, Pairs};

/// How a body is written.
#[derive(Debug)]
pub enum Body {
    Json(Option<Mapping>),
    Form(Option<Mapping>),
    Message(Template),
}

/// The option `mapping`: its texts are templates, its keys are not.
#[derive(Debug)]
pub struct Mapping(Vec<(String, Tree)>);

#[derive(Debug)]
enum Tree {
    Text(Template),
    Array(Vec<Tree>),
    Hash(Mapping),
}

impl Mapping {
    fn new(pairs: &[(String, ConfigValue)]) -> Self {
        Mapping(pairs.iter().map(|(key, value)| (key.clone(), Tree::new(value))).collect())
    }

    fn render(&self, event: &Event) -> Result<Object, SprintfError> {
        let mut object = Object::with_capacity(self.0.len());
        for (key, value) in &self.0 {
            object.insert(key.as_str(), value.render(event)?);
        }
        Ok(object)
    }
}

impl Tree {
    fn new(value: &ConfigValue) -> Self {
        match &value.kind {
            ConfigKind::Array(items) => Tree::Array(items.iter().map(Tree::new).collect()),
            ConfigKind::Hash(pairs) => Tree::Hash(Mapping::new(pairs)),
            // Numbers become text, as all that goes through sprintf.
            _ => Tree::Text(Template::parse(&value.scalar_text().unwrap_or_default())),
        }
    }

    fn render(&self, event: &Event) -> Result<Value, SprintfError> {
        Ok(match self {
            Tree::Text(template) => Value::from(template.render(event)?),
            Tree::Array(items) => {
                Value::Array(items.iter().map(|item| item.render(event)).collect::<Result<_, _>>()?)
            }
            Tree::Hash(mapping) => Value::from(mapping.render(event)?),
        })
    }
}

impl Body {
    /// Reads the option `mapping`.
    pub fn mapping(pairs: &Pairs) -> Mapping {
        Mapping::new(&pairs.0)
    }

    /// The body of one event's request.
    pub fn of_event(&self, event: &Event) -> Result<Vec<u8>, SprintfError> {
        let mut body = Vec::new();
        match self {
            Body::Message(template) => return template.render(event).map(String::into_bytes),
            Body::Json(None) => json::write_object(&mut body, event.data()),
            Body::Json(Some(mapping)) => json::write_object(&mut body, &mapping.render(event)?),
            Body::Form(None) => push_form(&mut body, event.data()),
            Body::Form(Some(mapping)) => push_form(&mut body, &mapping.render(event)?),
        }
        Ok(body)
    }

    /// The body of a batch's request: an array of the bodies, which are JSON.
    pub fn of_batch(&self, events: &[&Event]) -> Result<Vec<u8>, SprintfError> {
        let mut body = vec![b'['];
        for (at, event) in events.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            body.extend(self.of_event(event)?);
        }
        body.push(b']');
        Ok(body)
    }
}

/// Appends `name=value&...`.
fn push_form(out: &mut Vec<u8>, object: &Object) {
    for (at, (name, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        push_escaped(out, name);
        out.push(b'=');
        push_escaped(out, &ruby_to_s(value));
    }
}

/// As Ruby's `CGI.escape` does: a space is a plus, and of the signs only `-._~` stay.
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b' ' => out.push(b'+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            _ => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}
