//! `Element`: an element of a report, with its attributes as values.

use xmloxide::{Document, NodeId};

use crate::codecs::numbers;
use crate::event::{Object, Timestamp, Value};

#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    node: NodeId,
}

impl<'d> Element<'d> {
    pub fn root(document: &'d Document) -> Option<Self> {
        Some(Element { document, node: document.root_element()? })
    }

    pub fn name(&self) -> &'d str {
        self.document.node_name(self.node).unwrap_or_default()
    }

    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        self.document.attribute(self.node, name)
    }

    /// An attribute as text; null without it.
    pub fn text(&self, name: &str) -> Value {
        self.attribute(name).map_or(Value::Null, Value::from)
    }

    /// An attribute as a whole number; 0 without it.
    pub fn number(&self, name: &str) -> i64 {
        numbers::to_i(self.attribute(name).unwrap_or_default())
    }

    /// All attributes as whole numbers.
    pub fn numbers(&self) -> Value {
        let attributes = self.document.attributes(self.node).iter();
        let numbers = attributes.map(|one| (one.name.as_str(), Value::Int(numbers::to_i(&one.value))));
        Value::from(numbers.collect::<Object>())
    }

    pub fn children(&self, name: &'d str) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let document = self.document;
        let children = document.children(self.node).map(move |node| Element { document, node });
        children.filter(move |child| document.is_element(child.node) && child.name() == name)
    }

    pub fn child(&self, name: &'d str) -> Option<Element<'d>> {
        self.children(name).next()
    }
}

/// A time in seconds; null where there is none.
pub fn time(seconds: i64) -> Value {
    match Timestamp::new(seconds, 0) {
        Some(time) if seconds > 0 => Value::Timestamp(time),
        _ => Value::Null,
    }
}
