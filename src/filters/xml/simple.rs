//! A document as a structure, the way `XmlSimple.xml_in` makes it (`xmlsimple.rb`, on top of REXML).

use xmloxide::tree::NodeKind;
use xmloxide::{Attribute, Document, NodeId};

use crate::event::{Key, Object, Value};

use super::document::{BadDocument, Source};

/// The field for the text of an element that has attributes or other elements too.
const CONTENT: &str = "content";
/// Elements of this name alone in their parent become an array without a name.
const ANONYMOUS: &str = "anon";

/// XmlSimple's options.
#[derive(Debug, Clone, Copy)]
pub(super) struct Simple {
    pub force_array: bool,
    pub force_content: bool,
    pub suppress_empty: bool,
}

impl Simple {
    pub fn read(&self, source: &Source, text: &str) -> Result<Value, BadDocument> {
        let document = source.well_formed(text)?;
        let root = document.root_element().ok_or_else(|| BadDocument::new("there is no root element"))?;
        Ok(self.collapse(&document, root))
    }

    /// The structure of an element. The document's depth is bounded, so the recursion is.
    fn collapse(&self, document: &Document, element: NodeId) -> Value {
        let attributes = document.attributes(element);
        let mut result = Object::with_capacity(attributes.len());
        for attribute in attributes {
            result.insert(attribute_name(attribute), Value::from(attribute.value.as_str()));
        }
        let mut has_elements = false;
        for child in document.children(element).filter(|child| document.is_element(*child)) {
            has_elements = true;
            let value = self.collapse(document, child);
            if !(self.suppress_empty && attributes.is_empty() && is_empty(&value)) {
                self.merge(&mut result, document.node_name(child).unwrap_or_default(), value);
            }
        }
        let texts = texts(document, element);
        if has_elements {
            if let Some(content) = mixed_content(&texts) {
                result.insert(Key::const_new(CONTENT), content);
            }
        } else if !texts.is_empty() {
            let text: String = texts.iter().map(|text| text.value.as_str()).collect();
            return self.collapse_text(result, text);
        }
        let arrays = result.iter().filter(|(_, value)| matches!(value, Value::Array(_))).count();
        if arrays == 1 && matches!(result.get(ANONYMOUS), Some(Value::Array(_))) {
            return result.remove(ANONYMOUS).unwrap_or_default();
        }
        if result.is_empty() && self.suppress_empty {
            return Value::Null;
        }
        Value::from(result)
    }

    /// An element with text only, beside the attributes in `result`.
    fn collapse_text(&self, mut result: Object, text: String) -> Value {
        if result.is_empty() && is_blank(&text) {
            return Value::from(Object::new());
        }
        if result.is_empty() && !self.force_content {
            return Value::from(text);
        }
        self.merge(&mut result, CONTENT, Value::from(text));
        Value::from(result)
    }

    /// Adds a value under a name that may be there already.
    fn merge(&self, result: &mut Object, name: &str, value: Value) {
        let Some(existing) = result.get_mut(name) else {
            let single = !matches!(value, Value::Array(_)) && (name == CONTENT || !self.force_array);
            result.insert(name, if single { value } else { Value::Array(vec![value]) });
            return;
        };
        match existing {
            Value::Array(items) => items.push(value),
            single => *single = Value::Array(vec![std::mem::take(single), value]),
        }
    }
}

/// A run of text.
struct Text {
    value: String,
    /// As it stands in the document, or nearly: which of several ways to escape was chosen is not known any more.
    raw: String,
}

/// The runs of text directly in an element. A CDATA section is a run of its own.
fn texts(document: &Document, element: NodeId) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    let mut goes_on = false;
    for child in document.children(element) {
        let (value, raw) = match &document.node(child).kind {
            NodeKind::Text { content } => (content.clone(), escape(content)),
            NodeKind::EntityRef { name, value } => {
                let reference = format!("&{name};");
                (value.clone().unwrap_or_else(|| reference.clone()), reference)
            }
            NodeKind::CData { content } => {
                texts.push(Text { value: content.clone(), raw: content.clone() });
                goes_on = false;
                continue;
            }
            _ => {
                goes_on = false;
                continue;
            }
        };
        match texts.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.value.push_str(&value);
                last.raw.push_str(&raw);
            }
            None => texts.push(Text { value, raw }),
        }
        goes_on = true;
    }
    texts
}

/// The text between elements, escaped as in the document; `None` if it is white space only.
fn mixed_content(texts: &[Text]) -> Option<Value> {
    if texts.iter().all(|text| is_blank(&text.raw)) {
        return None;
    }
    Some(match texts {
        [single] => Value::from(single.raw.as_str()),
        several => Value::Array(several.iter().map(|text| Value::from(text.raw.as_str())).collect()),
    })
}

fn attribute_name(attribute: &Attribute) -> Key {
    match &attribute.prefix {
        Some(prefix) => Key::from(format!("{prefix}:{}", attribute.name)),
        None => Key::from(attribute.name.as_str()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace() || byte == 0x0B)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => is_blank(text),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
