//! YAML documents as `Raw` values, the way go-yaml reads them for logstash-filter-verifier: with YAML 1.1's booleans
//! and octal numbers, anchors and merge keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::raw::{DEPTH_LIMIT, Raw};

/// How many nodes a document may have, with those that aliases repeat: a few lines can stand for billions.
const NODE_LIMIT: usize = 1_000_000;

/// How many closing brackets a file may have that are not indented deeper than their key.
const BRACKETS_LIMIT: usize = 100;

/// A node of a document and where it starts.
#[derive(Debug, Clone)]
pub struct Node {
    pub kind: NodeKind,
    /// Counted from 1.
    pub line: usize,
    /// Counted in characters from 0.
    pub column: usize,
}

#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A plain scalar may be a number; a quoted one is a string.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Reads the first document of a text; an empty text is null.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Node, String> {
        let mut text = Cow::Borrowed(text);
        for _ in 0..BRACKETS_LIMIT {
            match Self::parse_strictly(&text) {
                Err(Unreadable::Syntax(error)) => match with_bracket_indented(&text, error.marker().line()) {
                    Some(indented) => text = Cow::Owned(indented),
                    None => return Err(shown(&error)),
                },
                Err(Unreadable::TooMuch(error)) => return Err(error),
                Ok(node) => return Ok(node),
            }
        }
        Err("too many brackets that are not indented deeper than their key".to_owned())
    }

    fn parse_strictly(text: &str) -> Result<Node, Unreadable> {
        let mut builder = Builder::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(Unreadable::Syntax)?;
            let (line, column) = (span.start.line(), span.start.col());
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            builder.take(event, line, column).map_err(Unreadable::TooMuch)?;
        }
        let null = NodeKind::Scalar { text: String::new(), plain: true };
        Ok(builder.root.unwrap_or(Node { kind: null, line: 1, column: 0 }))
    }

    /// The value with numbers, booleans and nulls.
    pub fn value(&self) -> Raw {
        self.to_raw(&typed)
    }

    /// The value with every scalar as the text it was written as: what a field of type string gets.
    pub fn texts(&self) -> Raw {
        self.to_raw(&|text| Raw::Text(text.to_owned()))
    }

    /// The value of a key of a mapping, with the key's own node.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        let NodeKind::Map(entries) = &self.kind else { return None };
        let found = entries
            .iter()
            .find(|(name, _)| matches!(&name.kind, NodeKind::Scalar { text, .. } if text == key));
        found.map(|(key, value)| (key, value))
    }

    fn to_raw(&self, scalar: &dyn Fn(&str) -> Raw) -> Raw {
        match &self.kind {
            NodeKind::Scalar { text, plain: true } => scalar(text),
            NodeKind::Scalar { text, plain: false } => Raw::Text(text.clone()),
            NodeKind::List(items) => Raw::List(items.iter().map(|item| item.to_raw(scalar)).collect()),
            NodeKind::Map(entries) => {
                let mut map = BTreeMap::new();
                for (key, value) in entries {
                    merge_entry(&mut map, key, value.to_raw(scalar));
                }
                Raw::Map(map)
            }
        }
    }
}

/// Why a text cannot be read.
enum Unreadable {
    Syntax(ScanError),
    /// More than what a file of test cases can be.
    TooMuch(String),
}

fn shown(error: &ScanError) -> String {
    format!("{} (line {}, column {})", error.info(), error.marker().line(), error.marker().col() + 1)
}

/// The text with the closing bracket that a line starts with indented deeper. YAML wants it deeper than the key of its
/// list; go-yaml does not care.
fn with_bracket_indented(text: &str, line: usize) -> Option<String> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let (before, rest) = text.split_at_checked(start)?;
    rest.trim_start_matches(' ').starts_with([']', '}']).then(|| format!("{before} {rest}"))
}

/// Adds one entry of a mapping. What `<<` brings gives way to the mapping's own entries.
fn merge_entry(map: &mut BTreeMap<String, Raw>, key: &Node, value: Raw) {
    let NodeKind::Scalar { text, plain } = &key.kind else { return };
    let is_merge = *plain && text == "<<";
    match value {
        Raw::Map(merged) if is_merge => {
            for (key, value) in merged {
                map.entry(key).or_insert(value);
            }
        }
        Raw::List(items) if is_merge => items.into_iter().for_each(|item| merge_entry(map, key, item)),
        value => _ = map.insert(text.clone(), value),
    }
}

/// What a plain scalar means to go-yaml (`resolve.go`).
fn typed(text: &str) -> Raw {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Raw::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Raw::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Raw::Bool(false);
        }
        _ => {}
    }
    if let Some(integer) = integer(text) {
        return Raw::Number(integer.to_string());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !text.contains(char::is_alphabetic) => {
            Raw::Number(format!("{number:?}"))
        }
        // An exponent is the only letter a number may hold.
        Ok(number) if number.is_finite() && text.bytes().all(|byte| b"0123456789+-.eE".contains(&byte)) => {
            Raw::Number(format!("{number:?}"))
        }
        _ => Raw::Text(text.to_owned()),
    }
}

fn integer(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (digits, radix) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (digits.get(2..)?, 16),
        Some("0b") => (digits.get(2..)?, 2),
        Some("0o") => (digits.get(2..)?, 8),
        Some(two) if two.starts_with('0') => (digits, 8),
        _ => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// A list or mapping that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Node>,
}

/// Builds the tree of a document from the parser's events.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize, column: usize) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = NodeKind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.count(1, line)?;
                self.close(Node { kind, line, column }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(NodeKind::List(Vec::new()), anchor, line, column),
            Event::MappingStart(anchor, _) => self.open(NodeKind::Map(Vec::new()), anchor, line, column),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(format!("an alias of something that is not complete (line {line})"));
                };
                self.count(size, line)?;
                self.close(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODE_LIMIT {
            return Err(format!(
                "more than {NODE_LIMIT} values, with those that aliases repeat (line {line})"
            ));
        }
        Ok(())
    }

    fn open(&mut self, kind: NodeKind, anchor: usize, line: usize, column: usize) -> Result<(), String> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(format!("nested deeper than {DEPTH_LIMIT} levels (line {line})"));
        }
        self.count(1, line)?;
        self.open.push(Open { node: Node { kind, line, column }, anchor, key: None });
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            let size = size(&node);
            // The copy that aliases are made of counts as well: anchors may be nested.
            self.count(size, node.line)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut parent.node.kind {
            NodeKind::List(items) => items.push(node),
            NodeKind::Map(entries) => match parent.key.take() {
                None => parent.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            NodeKind::Scalar { .. } => {}
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Scalar { .. } => 1,
        NodeKind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        NodeKind::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        Node::parse(text).expect("the text is YAML").value().to_json()
    }

    /// The table of go-yaml's `resolve_test` and `decode_test`.
    #[test]
    fn scalars_mean_what_they_mean_to_go_yaml() {
        for (text, json) in [
            ("5", "5"),
            ("-5", "-5"),
            ("010", "8"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("yes", "true"),
            ("Off", "false"),
            ("~", "null"),
            ("'5'", "\"5\""),
            ("1.2.3", "\"1.2.3\""),
            ("infinity", "\"infinity\""),
            ("2015-10-06T20:55:29.000Z", "\"2015-10-06T20:55:29.000Z\""),
        ] {
            assert_eq!(value(text), json, "{text}");
        }
        assert_eq!(Node::parse("[yes, 010]").expect("a list").texts().to_json(), r#"["yes","010"]"#);
    }

    #[test]
    fn folded_lines_anchors_and_merge_keys() {
        let text = "a: &a\n  x: 1\n  y: 2\nb:\n  <<: *a\n  y: 3\nc: >\n  one\n  two\n";
        assert_eq!(value(text), r#"{"a":{"x":1,"y":2},"b":{"x":1,"y":3},"c":"one two\n"}"#);
    }

    #[test]
    fn closing_brackets_may_stand_where_their_key_stands() {
        let text = "a:\n  tags: [\n    x\n  ]\n  b: {\n    y: 1\n  }\nc: 1";
        assert_eq!(value(text), r#"{"a":{"b":{"y":1},"tags":["x"]},"c":1}"#);
        assert!(Node::parse("a: [1\n\n]]").is_err());
    }

    #[test]
    fn hostile_documents_are_refused() {
        let mut bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for level in 1..10 {
            let alias = vec![format!("*a{}", level - 1); 10].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
        }
        assert!(Node::parse(&bomb).is_err_and(|error| error.contains("aliases")));
        assert!(Node::parse(&"[".repeat(100_000)).is_err());
        assert!(Node::parse("a: [1").is_err_and(|error| error.contains("line")));
    }
}
