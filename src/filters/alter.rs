//! Filter `alter`: changes fields where they hold an expected value (logstash-filter-alter).

use crate::event::{Event, FieldReference, SetError, SprintfError, Template, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "alter",
    summary: "Changes fields where they hold an expected value, and sets a field to the first value there is.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  alter {
    condrewrite => ["level", "warn", "warning"]
    condrewriteother => ["level", "warning", "severity", "4"]
    coalesce => ["who", "%{user}", "%{client}", "nobody"]
  }
}"#,
        input: &[r#"{"level":"warn","client":"10.0.0.1"}"#],
        output: &[r#"{"level":"warning","client":"10.0.0.1","severity":"4","who":"10.0.0.1"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Alter::build(reader)?))),
};

options! {
    struct Options {
        /// Triples of a field, a value it may have, and the value that takes its place.
        condrewrite: Option<Vec<String>>,
        /// Quadruples of a field, a value it may have, another field, and the value that this one gets then.
        condrewriteother: Option<Vec<String>>,
        /// A field, and values of which it gets the first that holds no `%` once its references are resolved.
        coalesce: Option<Vec<String>>,
    }
}

#[derive(Debug, Default)]
struct Alter {
    rewrites: Vec<Rewrite>,
    others: Vec<RewriteOther>,
    coalesce: Option<(FieldReference, Vec<Template>)>,
}

#[derive(Debug)]
struct Rewrite {
    field: FieldReference,
    expected: Template,
    replacement: Template,
}

#[derive(Debug)]
struct RewriteOther {
    field: FieldReference,
    expected: Template,
    target: FieldReference,
    value: Template,
}

/// Why an event could not be altered.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Alter {
    /// Notes every wrong option; a filter with one is never used.
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { condrewrite, condrewriteother, coalesce } = Options::read(reader)?;
        let mut alter = Alter::default();
        for entry in condrewrite.unwrap_or_default().chunks(3) {
            let [field, expected, replacement] = entry else {
                reader.error("condrewrite", "each entry has 3 elements: field, expected value, replacement");
                break;
            };
            alter.rewrites.push(Rewrite {
                field: reference(reader, "condrewrite", field)?,
                expected: Template::parse(expected),
                replacement: Template::parse(replacement),
            });
        }
        for entry in condrewriteother.unwrap_or_default().chunks(4) {
            let [field, expected, target, value] = entry else {
                let message = "each entry has 4 elements: field, expected value, other field, its value";
                reader.error("condrewriteother", message);
                break;
            };
            alter.others.push(RewriteOther {
                field: reference(reader, "condrewriteother", field)?,
                expected: Template::parse(expected),
                target: reference(reader, "condrewriteother", target)?,
                value: Template::parse(value),
            });
        }
        match coalesce.as_deref() {
            None => {}
            Some([field, values @ ..]) if !values.is_empty() => {
                let values = values.iter().map(|value| Template::parse(value)).collect();
                alter.coalesce = Some((reference(reader, "coalesce", field)?, values));
            }
            Some(_) => reader.error("coalesce", "it needs at least 2 elements: field, value, value ..."),
        }
        Some(alter)
    }

    fn alter(&self, event: &mut Event) -> Result<(), Failure> {
        for rewrite in &self.rewrites {
            rewrite.apply(event)?;
        }
        for other in &self.others {
            let expected = other.expected.render(event)?;
            let holds = match event.get(&other.field) {
                Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(&expected)),
                value => value.and_then(Value::as_str) == Some(&expected),
            };
            if holds {
                let value = other.value.render(event)?;
                event.assign(&other.target, value)?;
            }
        }
        let Some((field, values)) = &self.coalesce else { return Ok(()) };
        for value in values {
            let value = value.render(event)?;
            // Logstash means to skip what stayed unresolved, but skips every value with a percent sign.
            if value != "nil" && !value.contains('%') {
                event.assign(field, value)?;
                break;
            }
        }
        Ok(())
    }
}

impl Rewrite {
    fn apply(&self, event: &mut Event) -> Result<(), Failure> {
        let expected = self.expected.render(event)?;
        let is_expected = |value: &Value| value.as_str() == Some(&expected);
        let replaced = match event.get(&self.field) {
            Some(Value::Array(items)) if items.iter().any(is_expected) => {
                let replacement = Value::from(self.replacement.render(event)?);
                let replace =
                    |item: &Value| if is_expected(item) { replacement.clone() } else { item.clone() };
                Value::Array(items.iter().map(replace).collect())
            }
            Some(value) if is_expected(value) => Value::from(self.replacement.render(event)?),
            _ => return Ok(()),
        };
        Ok(event.assign(&self.field, replaced)?)
    }
}

fn reference(reader: &mut OptionReader<'_>, option: &str, name: &str) -> Option<FieldReference> {
    let reference = FieldReference::parse(name);
    if reference.is_err() {
        reader.error(option, format!("\"{name}\" is not a field reference"));
    }
    reference.ok()
}

impl Filter for Alter {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.alter(event) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(%error, "could not alter an event");
                event.tag("_altererror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    #[test]
    fn every_wrong_option_is_reported() {
        let config =
            r#"filter { alter { condrewrite => ["a"] condrewriteother => ["a", "b"] coalesce => ["a"] } }"#;
        let problems = testkit::filter(config, &testkit::context()).err().unwrap();
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn a_field_that_cannot_be_set_is_tagged() {
        let config = r#"filter { alter { coalesce => ["[a][b]", "c"] } }"#;
        let filter = testkit::filter(config, &testkit::context()).unwrap();
        let mut event = testkit::event(r#"{"a":"text"}"#);
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Failed);
        assert_eq!(testkit::fields(&event), r#"{"a":"text","tags":["_altererror"]}"#);
    }
}
