//! Nodes as text: what `to_s` of Nokogiri's nodes gives in JRuby (`SaveContextVisitor.java`).

use xmloxide::tree::NodeKind;
use xmloxide::{Attribute, Document, NodeId};

/// How nodes are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Without prefixes and declarations of namespaces.
    pub without_namespaces: bool,
    /// CDATA sections as text.
    pub merge_cdata: bool,
}

/// A node and what is below it, without indentation. Text is escaped, also when it stands alone.
pub(super) fn write(document: &Document, node: NodeId, style: Style) -> String {
    let mut writer = Writer { document, style, declared: Vec::new(), out: String::new() };
    if matches!(document.node(node).kind, NodeKind::Document) {
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    writer.node(node);
    writer.out
}

/// The name that orders attributes: the tree of Xerces keeps them sorted by it.
pub(super) fn qualified_name(attribute: &Attribute, style: Style) -> String {
    match attribute.prefix.as_deref().filter(|_| !style.without_namespaces) {
        Some(prefix) => format!("{prefix}:{}", attribute.name),
        None => attribute.name.clone(),
    }
}

pub(super) fn is_declaration(attribute: &Attribute) -> bool {
    match &attribute.prefix {
        Some(prefix) => prefix == "xmlns",
        None => attribute.name == "xmlns",
    }
}

struct Writer<'d> {
    document: &'d Document,
    style: Style,
    /// Declarations in scope, as name and namespace: one that changes nothing is not repeated.
    declared: Vec<(String, &'d str)>,
    out: String,
}

impl<'d> Writer<'d> {
    fn node(&mut self, node: NodeId) {
        let document = self.document;
        match &document.node(node).kind {
            NodeKind::Document => document.children(node).for_each(|child| self.node(child)),
            NodeKind::Element { name, prefix, attributes, .. } => {
                self.element(node, name, prefix.as_deref(), attributes);
            }
            NodeKind::Text { content } => escape_text(&mut self.out, content),
            NodeKind::CData { content } if self.style.merge_cdata => escape_text(&mut self.out, content),
            NodeKind::CData { content } => self.out.extend(["<![CDATA[", content, "]]>"]),
            NodeKind::Comment { content } => self.out.extend(["<!--", content, "-->"]),
            NodeKind::ProcessingInstruction { target, data } => {
                self.out.extend(["<?", target, " ", data.as_deref().unwrap_or_default(), "?>\n"]);
            }
            NodeKind::EntityRef { name, .. } => self.out.extend(["&", name, ";"]),
            NodeKind::DocumentType { name, .. } => self.out.extend(["<!DOCTYPE ", name, " >\n"]),
        }
    }

    fn element(&mut self, node: NodeId, name: &str, prefix: Option<&str>, attributes: &'d [Attribute]) {
        let prefix = prefix.filter(|_| !self.style.without_namespaces);
        let name = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
        let scope = self.declared.len();
        self.out.extend(["<", &name]);
        let mut sorted: Vec<(String, &'d Attribute)> =
            attributes.iter().map(|attribute| (qualified_name(attribute, self.style), attribute)).collect();
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (name, attribute) in sorted {
            if is_declaration(attribute) && !self.declare(&name, &attribute.value) {
                continue;
            }
            self.out.extend([" ", &name, "=\""]);
            escape_attribute(&mut self.out, &attribute.value);
            self.out.push('"');
        }
        if self.document.first_child(node).is_none() {
            self.out.push_str("/>");
        } else {
            self.out.push('>');
            self.document.children(node).for_each(|child| self.node(child));
            self.out.extend(["</", &name, ">"]);
        }
        self.declared.truncate(scope);
    }

    /// Whether a declaration is to be written.
    fn declare(&mut self, name: &str, namespace: &'d str) -> bool {
        if self.style.without_namespaces {
            return false;
        }
        let known = self.declared.iter().rev().find(|(declared, _)| declared == name);
        if known.is_some_and(|(_, known)| *known == namespace) {
            return false;
        }
        self.declared.push((name.to_owned(), namespace));
        true
    }
}

fn escape_text(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
}

fn escape_attribute(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '"' => out.push_str("&quot;"),
            other => escape_text(out, other.encode_utf8(&mut [0; 4])),
        }
    }
}
