//! Parsing: the well-formed document, and what can be read of a broken one.

use xmloxide::parser::{ParseOptions as Limits, parse_str_with_options};
use xmloxide::sax::{SaxHandler, parse_sax};
use xmloxide::tree::NodeKind;
use xmloxide::{Attribute, Document, NodeId};

use super::parse_options::ParseOptions;

/// Names, values and numbers of attributes beyond these make a document a bad one. The depth is bounded because the
/// parser recurses.
fn limits() -> Limits {
    Limits::default().max_depth(256).max_attributes(10_000)
}

/// The text is not a well-formed document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct BadDocument {
    pub message: String,
}

impl BadDocument {
    pub fn new(message: impl Into<String>) -> Self {
        BadDocument { message: message.into() }
    }
}

/// A text, parsed as a well-formed document if it is one.
pub(super) struct Source(Result<Document, BadDocument>);

/// How the parser begins its message about an entity that is not declared.
const UNKNOWN_ENTITY: &str = "unknown entity reference";

impl Source {
    pub fn parse(text: &str) -> Self {
        Source(parse_str_with_options(text, &limits()).map_err(|error| BadDocument::new(error.to_string())))
    }

    /// The document for XPath: of a broken one the part that can be read, unless parsing is to be strict.
    pub fn for_paths(&self, text: &str, options: ParseOptions) -> Result<Readable<'_>, BadDocument> {
        match &self.0 {
            Err(error) if options.strict => Err(error.clone()),
            Ok(_) if options.no_blanks => {
                let parsed = parse_str_with_options(text, &limits().no_blanks(true));
                parsed.map(Readable::Owned).map_err(|error| BadDocument::new(error.to_string()))
            }
            Ok(document) => Ok(Readable::Borrowed(document)),
            Err(_) => Ok(Readable::Owned(salvage(text, options.no_blanks))),
        }
    }

    /// The document as REXML reads it, which lets references to unknown entities stand as they are.
    pub fn well_formed(&self, text: &str) -> Result<Readable<'_>, BadDocument> {
        match &self.0 {
            Ok(document) => Ok(Readable::Borrowed(document)),
            Err(error) if error.message.contains(UNKNOWN_ENTITY) && !text.contains("<!DOCTYPE") => {
                let parsed = parse_str_with_options(&escape_unknown_entities(text), &limits());
                parsed.map(Readable::Owned).map_err(|error| BadDocument::new(error.to_string()))
            }
            Err(error) => Err(error.clone()),
        }
    }
}

/// Writes `&name;` as `&amp;name;` where the name is none that XML defines, but not in comments and CDATA sections.
fn escape_unknown_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let end = match found {
            _ if found.starts_with("<![CDATA[") => found.find("]]>"),
            _ if found.starts_with("<!--") => found.find("-->"),
            _ => None,
        };
        let (copied, after) = found.split_at(end.unwrap_or(1));
        out.push_str(copied);
        let name = after.split(';').next().unwrap_or_default();
        let known = name.starts_with('#') || ["amp", "lt", "gt", "quot", "apos"].contains(&name);
        if copied == "&" && !known {
            out.push_str("amp;");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A document that was parsed before, or for one purpose only.
pub(super) enum Readable<'s> {
    Borrowed(&'s Document),
    Owned(Document),
}

impl std::ops::Deref for Readable<'_> {
    type Target = Document;

    fn deref(&self) -> &Document {
        match self {
            Readable::Borrowed(document) => document,
            Readable::Owned(document) => document,
        }
    }
}

/// What stands before the first mistake that cannot be passed over, with all open elements closed.
fn salvage(text: &str, no_blanks: bool) -> Document {
    let document = Document::new();
    let root = document.root();
    let mut builder = Builder { document, open: vec![root] };
    if let Err(error) = parse_sax(text, &limits().recover(true).no_blanks(no_blanks), &mut builder) {
        tracing::debug!(%error, "parsed a part of a broken xml document");
    }
    builder.document
}

/// Builds a tree of the parser's events.
struct Builder {
    document: Document,
    /// The document and its open elements, the innermost last.
    open: Vec<NodeId>,
}

impl Builder {
    fn append(&mut self, kind: NodeKind) -> NodeId {
        let node = self.document.create_node(kind);
        if let Some(parent) = self.open.last() {
            self.document.append_child(*parent, node);
        }
        node
    }
}

impl SaxHandler for Builder {
    fn start_element(
        &mut self,
        local_name: &str,
        prefix: Option<&str>,
        namespace: Option<&str>,
        attributes: &[(String, String, Option<String>, Option<String>)],
    ) {
        let mut all: Vec<Attribute> = Vec::with_capacity(attributes.len());
        for (name, value, prefix, namespace) in attributes {
            if !all.iter().any(|known| known.name == *name && known.prefix == *prefix) {
                all.push(Attribute {
                    name: name.clone(),
                    value: value.clone(),
                    prefix: prefix.clone(),
                    namespace: namespace.clone(),
                    raw_value: None,
                });
            }
        }
        let element = self.append(NodeKind::Element {
            name: local_name.to_owned(),
            prefix: prefix.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            attributes: all,
        });
        self.open.push(element);
    }

    fn end_element(&mut self, _local_name: &str, _prefix: Option<&str>, _namespace: Option<&str>) {
        if self.open.len() > 1 {
            self.open.pop();
        }
    }

    fn characters(&mut self, content: &str) {
        self.append(NodeKind::Text { content: content.to_owned() });
    }

    fn cdata(&mut self, content: &str) {
        self.append(NodeKind::CData { content: content.to_owned() });
    }

    fn comment(&mut self, content: &str) {
        self.append(NodeKind::Comment { content: content.to_owned() });
    }

    fn processing_instruction(&mut self, target: &str, data: Option<&str>) {
        self.append(NodeKind::ProcessingInstruction {
            target: target.to_owned(),
            data: data.map(str::to_owned),
        });
    }
}
