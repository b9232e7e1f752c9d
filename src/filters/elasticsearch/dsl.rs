//! Searches by query string or by a template of a search body (`dsl_executor.rb`).

use std::fs;

use reqwest::Method;

use super::searcher::Searcher;
use super::{Failure, Options, text_pairs};
use crate::elasticsearch::{Ask, AskError};
use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, Object, Template, Value, json};
use crate::plugin::{OptionReader, Pairs};

pub(super) struct Dsl {
    index: Template,
    query: Query,
    /// Paths in the source of documents, and the fields that take what is there.
    fields: Vec<(Vec<String>, FieldReference)>,
    docinfo_fields: Vec<(Vec<String>, FieldReference)>,
    aggregation_fields: Vec<(String, FieldReference)>,
    total_hits: FieldReference,
}

enum Query {
    String { query: Template, size: i64, sort: Option<String> },
    Body(Template),
}

impl Dsl {
    pub fn build(options: &Options, reader: &mut OptionReader<'_>) -> Option<Self> {
        let query = query(options, reader);
        let target = options.target.as_ref();
        let mut fields = Vec::new();
        match text_pairs(&options.fields) {
            Some(pairs) => {
                for (from, to) in pairs {
                    fields.push((path(&from), field(reader, "fields", target, &to)?));
                }
            }
            None => reader.error("fields", "it must be a hash: field of the document => field of the event"),
        }
        let mut docinfo_fields = Vec::new();
        for (from, to) in texts(reader, "docinfo_fields", &options.docinfo_fields) {
            docinfo_fields.push((path(&from), field(reader, "docinfo_fields", target, &to)?));
        }
        let mut aggregation_fields = Vec::new();
        for (name, to) in texts(reader, "aggregation_fields", &options.aggregation_fields) {
            aggregation_fields.push((name, field(reader, "aggregation_fields", target, &to)?));
        }
        Some(Dsl {
            index: Template::parse(&options.index),
            query: query?,
            fields,
            docinfo_fields,
            aggregation_fields,
            total_hits: FieldReference::parse("[@metadata][total_hits]").ok()?,
        })
    }

    /// Whether anything was found. What was set before a failure stays.
    pub fn search(&self, searcher: &Searcher, event: &mut Event) -> Result<bool, Failure> {
        let index = self.index.render(event)?;
        let path = [index.as_str(), "_search"];
        let mut ask = Ask::get(if index.is_empty() { &path[1..] } else { &path });
        match &self.query {
            Query::Body(template) => {
                let body = json::load(&template.render(event)?).map_err(Failure::Query)?;
                let mut bytes = Vec::new();
                json::write_value(&mut bytes, &body);
                (ask.method, ask.body) = (Method::POST, Some(bytes));
            }
            Query::String { query, size, sort } => {
                ask.query.push(("q", query.render(event)?));
                ask.query.push(("size", size.to_string()));
                ask.query.extend(sort.iter().map(|sort| ("sort", sort.clone())));
            }
        }
        let (answer, _) = searcher.ask(&ask)?;
        let Value::Object(answer) = answer else {
            return Err(AskError::Answer("it is no object".into()).into());
        };
        self.keep(*answer, event)
    }

    fn keep(&self, mut answer: Object, event: &mut Event) -> Result<bool, Failure> {
        let missing = |what: &str| AskError::Answer(format!("it has no {what}"));
        let shards = answer.get("_shards").and_then(Value::as_object).ok_or_else(|| missing("_shards"))?;
        if let Some(failures) = shards.get("failures") {
            return Err(Failure::Shards(ruby_to_s(failures)));
        }
        let hits = answer.get("hits").and_then(Value::as_object).ok_or_else(|| missing("hits"))?;
        let total = match hits.get("total") {
            Some(Value::Object(total)) => total.get("value").cloned(),
            total => total.cloned(),
        };
        event.assign(&self.total_hits, total.unwrap_or_default())?;
        let documents = hits.get("hits").and_then(Value::as_array).unwrap_or_default();
        for (path, field) in &self.fields {
            set_all(event, field, documents, |document| extract(document.get("_source"), path))?;
        }
        for (path, field) in &self.docinfo_fields {
            let (first, rest) = path.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
            set_all(event, field, documents, |document| extract(document.get(first), rest))?;
        }
        let matched = !documents.is_empty();
        let aggregations = match answer.remove("aggregations") {
            Some(Value::Object(aggregations)) if !aggregations.is_empty() => aggregations,
            _ => return Ok(matched),
        };
        for (name, field) in &self.aggregation_fields {
            event.assign(field, aggregations.get(name).cloned().unwrap_or_default())?;
        }
        Ok(true)
    }
}

/// Sets a field to what is found in the documents: one value, or an array of one for each. Without documents nothing
/// is set.
fn set_all(
    event: &mut Event,
    field: &FieldReference,
    documents: &[Value],
    extract: impl Fn(&Object) -> Value,
) -> Result<(), Failure> {
    let mut values: Vec<Value> =
        documents.iter().map(|document| document.as_object().map(&extract).unwrap_or_default()).collect();
    let value = match values.len() {
        0 => return Ok(()),
        1 => values.swap_remove(0),
        _ => Value::Array(values),
    };
    Ok(event.assign(field, value)?)
}

/// What lies at a path, null if nothing does.
fn extract(source: Option<&Value>, path: &[String]) -> Value {
    let mut at = source;
    for step in path {
        at = at.and_then(Value::as_object).and_then(|object| object.get(step));
    }
    at.cloned().unwrap_or_default()
}

/// The steps of `[a][b]`, or a name as it is.
fn path(reference: &str) -> Vec<String> {
    match reference.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(steps) => steps.split("][").map(str::to_owned).collect(),
        None => vec![reference.to_owned()],
    }
}

/// The event's field, below the option `target`.
fn field(
    reader: &mut OptionReader<'_>,
    option: &str,
    target: Option<&FieldReference>,
    name: &str,
) -> Option<FieldReference> {
    let reference = match target {
        Some(target) => FieldReference::parse(&format!("[{target}][{name}]")),
        None => FieldReference::parse(name),
    };
    if reference.is_err() {
        reader.error(option, format!("\"{name}\" is not a field reference"));
    }
    reference.ok()
}

fn texts(reader: &mut OptionReader<'_>, option: &str, pairs: &Pairs) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for (name, value) in pairs.iter() {
        match value.scalar_text() {
            Some(text) => texts.push((name.to_owned(), text)),
            None => reader.error(option, format!("\"{name}\" needs the name of a field")),
        }
    }
    texts
}

fn query(options: &Options, reader: &mut OptionReader<'_>) -> Option<Query> {
    match (&options.query, &options.query_template) {
        (Some(query), None) => Some(Query::String {
            query: Template::parse(query),
            size: options.result_size,
            sort: options.enable_sort.then(|| options.sort.clone()),
        }),
        (None, Some(path)) => match fs::read_to_string(path) {
            Ok(text) if text.is_empty() => {
                reader.error("query_template", format!("{} is empty", path.display()));
                None
            }
            Ok(text) => Some(Query::Body(Template::parse(&text))),
            Err(error) => {
                reader.error("query_template", format!("cannot read {}: {error}", path.display()));
                None
            }
        },
        (Some(_), Some(_)) => {
            reader.error("query_template", "use either query or query_template");
            None
        }
        (None, None) => {
            reader.error("query", "either query or query_template is required");
            None
        }
    }
}
