//! Filter `de_dot`: field names without dots (logstash-filter-de_dot).

use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "de_dot",
    summary: "Renames fields whose names hold dots, or nests them.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { de_dot { nested => true } }"#,
        input: &[r#"{"http.status":200,"http.method":"GET"}"#],
        output: &[r#"{"http":{"status":200,"method":"GET"}}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(DeDot::build(reader)?))),
};

options! {
    struct Options {
        /// What takes the place of each dot.
        separator: String = "_",
        /// Make fields below fields instead, `a.b` to `[a][b]`.
        nested: bool = false,
        /// Also rename the fields below those that are renamed or named.
        recursive: bool = false,
        /// Fields to look at. Without it: all at the top level.
        fields: Option<Vec<String>>,
        /// Tag added when a field cannot be renamed.
        tag_on_failure: String = "_de_dot_error",
    }
}

/// The separator that turns dots into steps of a field reference.
const NESTING: &str = "][";

#[derive(Debug)]
struct DeDot {
    separator: String,
    recursive: bool,
    fields: Option<Vec<String>>,
    tag_on_failure: String,
}

/// A field that could not be renamed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl DeDot {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { separator, nested, recursive, fields, tag_on_failure } = Options::read(reader)?;
        if separator.contains('.') {
            reader.error("separator", "it cannot be or contain \".\"");
        }
        let separator = if nested { NESTING.into() } else { separator };
        Some(DeDot { separator, recursive, fields, tag_on_failure })
    }

    fn rename_all(&self, event: &mut Event) -> Result<(), Failure> {
        let names = match &self.fields {
            Some(fields) => fields.clone(),
            None => event.data().keys().filter(|name| self.concerns(name)).map(str::to_owned).collect(),
        };
        for name in names {
            if self.concerns(&name) && event.contains(&FieldReference::parse(&name)?) {
                self.rename(event, name)?;
            }
        }
        Ok(())
    }

    /// Whether anything can be to do at a field. A name that is no reference concerns us because it is an error.
    fn concerns(&self, name: &str) -> bool {
        self.recursive || name.contains(['.', '[', ']'])
    }

    /// Renames the field of a reference, and with `recursive` those below it.
    fn rename(&self, event: &mut Event, name: String) -> Result<(), Failure> {
        let mut name = name;
        if self.separator == NESTING || self.recursive {
            if !name.starts_with('[') {
                name.insert(0, '[');
            }
            if !name.ends_with(']') {
                name.push(']');
            }
        }
        if name.contains('.') {
            let renamed = name.replace('.', &self.separator);
            let value = event.get(&FieldReference::parse(&name)?).cloned().unwrap_or_default();
            event.assign(&FieldReference::parse(&renamed)?, value)?;
            event.remove(&FieldReference::parse(&outermost_dotted(&name))?);
            name = renamed;
        }
        if !self.recursive {
            return Ok(());
        }
        let Some(Value::Object(object)) = event.get(&FieldReference::parse(&name)?) else { return Ok(()) };
        let below: Vec<String> = object.keys().map(|key| format!("{name}[{key}]")).collect();
        for name in below {
            self.rename(event, name)?;
        }
        Ok(())
    }
}

/// The reference up to its first step that holds a dot: what is left over once the value has moved.
fn outermost_dotted(name: &str) -> String {
    let mut path = String::new();
    for step in name.replace('[', "").split(']') {
        path.extend(["[", step, "]"]);
        if step.contains('.') {
            break;
        }
    }
    path
}

impl Filter for DeDot {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.rename_all(event) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(%error, "could not take the dots out of field names");
                event.tag(&self.tag_on_failure);
                Outcome::Failed
            }
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        tracing::warn!(%error, "could not apply the common options");
        event.tag(&self.tag_on_failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn run(options: &str, event: &str) -> String {
        let config = format!("filter {{ de_dot {{ {options} }} }}");
        let filter = testkit::filter(&config, &testkit::context()).unwrap();
        let mut event = testkit::event(event);
        filter.filter(&mut event, &mut Emit::default());
        testkit::fields(&event)
    }

    #[test]
    fn what_stands_beside_a_moved_field_goes_with_its_parent() {
        let options = r#"nested => true fields => ["[a.b][c]"]"#;
        assert_eq!(run(options, r#"{"a.b":{"c":1,"d":2}}"#), r#"{"a":{"b":{"c":1}}}"#);
    }

    #[test]
    fn names_that_are_no_references_are_failures() {
        assert_eq!(run("", r#"{"a]":1}"#), r#"{"a]":1,"tags":["_de_dot_error"]}"#);
        assert_eq!(run("nested => true", r#"{"a.":1}"#), r#"{"a.":1,"tags":["_de_dot_error"]}"#);
    }

    #[test]
    fn a_separator_with_a_dot_is_refused() {
        let built = testkit::filter(r#"filter { de_dot { separator => "-.-" } }"#, &testkit::context());
        assert!(built.is_err());
    }
}
