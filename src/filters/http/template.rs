//! The option `body`: a text or a structure, with `%{...}` anywhere in it.

use crate::event::{Event, Key, Object, SprintfError, Template, Value, json};
use crate::plugin::{ConfigKind, ConfigValue};

/// A value of the config whose texts are templates.
#[derive(Debug)]
pub(super) enum Tree {
    Text(Template),
    /// A number.
    Fixed(Value),
    Array(Vec<Tree>),
    Hash(Vec<(Template, Tree)>),
}

impl Tree {
    pub fn new(value: &ConfigValue) -> Self {
        match &value.kind {
            ConfigKind::Text(text) => Tree::Text(Template::parse(text)),
            ConfigKind::Array(items) => Tree::Array(items.iter().map(Tree::new).collect()),
            ConfigKind::Hash(pairs) => Tree::Hash(
                pairs.iter().map(|(key, value)| (Template::parse(key), Tree::new(value))).collect(),
            ),
            _ => Tree::Fixed(value.to_value()),
        }
    }

    /// The bytes of a request: a text as it is, a structure as JSON.
    pub fn render_body(&self, event: &Event) -> Result<Vec<u8>, SprintfError> {
        if let Tree::Text(template) = self {
            return template.render(event).map(String::into_bytes);
        }
        let mut bytes = Vec::new();
        json::write_value(&mut bytes, &self.render(event)?);
        Ok(bytes)
    }

    fn render(&self, event: &Event) -> Result<Value, SprintfError> {
        Ok(match self {
            Tree::Text(template) => Value::from(template.render(event)?),
            Tree::Fixed(value) => value.clone(),
            Tree::Array(items) => {
                Value::Array(items.iter().map(|item| item.render(event)).collect::<Result<_, _>>()?)
            }
            Tree::Hash(pairs) => {
                let mut object = Object::with_capacity(pairs.len());
                for (key, value) in pairs {
                    object.insert(Key::from(key.render(event)?), value.render(event)?);
                }
                Value::from(object)
            }
        })
    }
}
