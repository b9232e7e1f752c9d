//! Filter `xml`: reads XML from a field, as a structure or by XPath (logstash-filter-xml).
//!
//! `store_xml` follows the gem XmlSimple, which wants a well-formed document; `xpath` follows Nokogiri as it is in
//! JRuby, which takes from a broken document what can be read.

mod document;
mod parse_options;
mod path;
mod simple;
mod write;

use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{
    Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Problem, Spec, options,
};

use document::{BadDocument, Source};
use parse_options::ParseOptions;
use path::{Path, PathError};
use simple::Simple;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "xml",
    summary: "Reads XML from a field, as a structure or by XPath.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  xml { source => "message" target => "doc" xpath => ["/order/item/@id", "ids"] remove_field => ["message"] }
}"#,
        input: &[
            r#"{"message":"<order no=\"7\"><item id=\"a\">2</item><item id=\"b\">3</item></order>"}"#,
            r#"{"message":"<order"}"#,
        ],
        output: &[
            r#"{"doc":{"no":"7","item":[{"id":"a","content":"2"},{"id":"b","content":"3"}]},"ids":["a","b"]}"#,
            r#"{"message":"<order","tags":["_xmlparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Xml::build(reader)?))),
};

options! {
    struct Options {
        /// Field that holds the document, or an array with one document.
        source: FieldReference,
        /// Field that takes the document as a structure. Required with `store_xml`.
        target: Option<FieldReference>,
        /// XPath expressions, and the field that takes what each finds, as an array of texts.
        xpath: Pairs = {},
        /// Whether the document is put into `target`.
        store_xml: bool = true,
        /// Put elements and results of XPath into arrays also where there is only one.
        force_array: bool = true,
        /// Put the text of elements without attributes into a field `content` as well.
        force_content: bool = false,
        /// Leave out elements that are empty. Else they become empty objects.
        suppress_empty: bool = true,
        /// Prefixes for `xpath`, and their namespaces. Without it: those that the root element declares.
        namespaces: Pairs = {},
        /// Forget all namespaces before `xpath` is evaluated.
        remove_namespaces: bool = false,
        /// How to parse for `xpath`, separated by commas: `strict` refuses documents that are not well-formed.
        parse_options: Option<String>,
    }
}

const FAILURE_TAG: &str = "_xmlparsefailure";

struct Xml {
    source: FieldReference,
    /// The structure's field, unless `store_xml` is off.
    store: Option<(FieldReference, Simple)>,
    paths: Vec<(Path, FieldReference)>,
    namespaces: Option<Vec<(String, String)>>,
    remove_namespaces: bool,
    force_array: bool,
    parse: ParseOptions,
}

/// Why an event is tagged.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("expects an array of one document, not of {0}")]
    NotSingle(usize),
    #[error("expects text, not {0}")]
    NotText(&'static str),
    #[error(transparent)]
    Document(#[from] BadDocument),
    #[error("xpath {0}")]
    Path(#[from] PathError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Xml {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let store = match options.target {
            _ if !options.store_xml => None,
            Some(target) => {
                let Options { force_array, force_content, suppress_empty, .. } = options;
                Some((target, Simple { force_array, force_content, suppress_empty }))
            }
            None => {
                let message =
                    "it must be set while store_xml is true, the default; or set store_xml => false";
                reader.error("target", message);
                None
            }
        };
        let mut paths = Vec::new();
        for (expression, field) in options.xpath.iter() {
            match reference(&field.scalar_text().unwrap_or_default()) {
                Ok(field) => paths.push((Path::compile(expression), field)),
                Err(_) => reader.error("xpath", format!("\"{expression}\" needs the name of a field")),
            }
        }
        for (path, _) in &paths {
            if let Some(error) = path.syntax_error() {
                // Logstash starts with such an expression and tags every event.
                let problem = Problem::warning(
                    reader.span("xpath"),
                    format!("option \"xpath\" of the xml filter: {error}"),
                );
                reader.report(problem.label("every event will be tagged _xmlparsefailure"));
            }
        }
        let mut namespaces = Vec::new();
        for (prefix, uri) in options.namespaces.iter() {
            match uri.scalar_text() {
                Some(uri) => namespaces.push((prefix.rsplit(':').next().unwrap_or(prefix).to_owned(), uri)),
                None => reader.error("namespaces", format!("\"{prefix}\" needs the name of a namespace")),
            }
        }
        let parse = match options.parse_options.as_deref().map(ParseOptions::read) {
            None => ParseOptions::default(),
            Some(Ok(parse)) => parse,
            Some(Err(message)) => {
                reader.error("parse_options", message);
                return None;
            }
        };
        Some(Xml {
            source: options.source,
            store,
            paths,
            namespaces: (!namespaces.is_empty()).then_some(namespaces),
            remove_namespaces: options.remove_namespaces,
            force_array: options.force_array,
            parse,
        })
    }

    /// The document's text; `None` where there is nothing to do.
    fn text<'e>(&self, event: &'e Event) -> Result<Option<&'e str>, Failure> {
        let value = match event.get(&self.source) {
            None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
            Some(Value::Array(items)) => match items.as_slice() {
                [single] => single,
                several => return Err(Failure::NotSingle(several.len())),
            },
            Some(single) => single,
        };
        match value {
            Value::Str(text) if text.trim().is_empty() => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            other => Err(Failure::NotText(other.kind())),
        }
    }

    /// Whether anything was found. What was set before a failure stays.
    fn read(&self, event: &mut Event) -> Result<bool, Failure> {
        let Some(text) = self.text(event)? else { return Ok(false) };
        let source = Source::parse(text);
        let mut found = Vec::new();
        if self.parse.strict || !self.paths.is_empty() {
            let document = source.for_paths(text, self.parse)?;
            let scope = path::Scope::new(&document, self.namespaces.as_deref(), self.remove_namespaces);
            for (path, field) in &self.paths {
                let results = path.evaluate(&document, &scope, self.parse.merge_cdata);
                let failed = results.is_err();
                found.push((field, results));
                if failed {
                    break;
                }
            }
        }
        let structure = self.store.as_ref().map(|(target, simple)| (target, simple.read(&source, text)));
        let mut matched = false;
        for (field, results) in found {
            let mut results: Vec<Value> = results?.into_iter().map(Value::from).collect();
            let value = match results.len() {
                0 => continue,
                1 if !self.force_array => results.swap_remove(0),
                _ => Value::Array(results),
            };
            event.assign(field, value)?;
            matched = true;
        }
        if let Some((target, structure)) = structure {
            event.assign(target, structure?)?;
            matched = true;
        }
        Ok(matched)
    }
}

fn reference(name: &str) -> Result<FieldReference, InvalidReference> {
    match name {
        "" => Err(InvalidReference { text: String::new() }),
        name => FieldReference::parse(name),
    }
}

impl Filter for Xml {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.read(event) {
            Ok(true) => Outcome::Matched,
            Ok(false) => Outcome::Unmatched,
            Err(error) => {
                tracing::warn!(source = %self.source, %error, "could not read xml");
                event.tag(FAILURE_TAG);
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests;
