//! Filter `environment`: environment variables as metadata of events (logstash-filter-environment).

use crate::event::{Event, FieldReference, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "environment",
    summary: "Puts environment variables into the metadata of events.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  environment { add_metadata_from_env => { "site" => "RSTASH_EXAMPLE_NOT_SET" } }
  if ![@metadata][site] { mutate { add_tag => ["no site"] } }
}"#,
        input: &[r#"{"message":"m"}"#],
        output: &[r#"{"message":"m","tags":["no site"],"@metadata":{"site":null}}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Environment::build(reader)?))),
};

options! {
    struct Options {
        /// Fields of `@metadata`, and the name of the variable whose value each gets; null for one that is not set.
        add_metadata_from_env: Pairs = {},
    }
}

/// The variables are read once, when the plugin is built: the environment of a process does not change.
#[derive(Debug)]
struct Environment {
    fields: Vec<(FieldReference, Value)>,
}

impl Environment {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { add_metadata_from_env } = Options::read(reader)?;
        let mut fields = Vec::new();
        for (field, variable) in add_metadata_from_env.iter() {
            let reference = FieldReference::parse(&format!("[@metadata][{field}]"));
            match (reference, variable.scalar_text()) {
                (Ok(reference), Some(variable)) => fields.push((reference, value_of(&variable))),
                (Err(_), _) => {
                    reader.error("add_metadata_from_env", format!("\"{field}\" is no field of @metadata"));
                }
                (_, None) => {
                    let message =
                        format!("\"{field}\" needs the name of a variable, not {}", variable.describe());
                    reader.error("add_metadata_from_env", message);
                }
            }
        }
        Some(Environment { fields })
    }
}

fn value_of(variable: &str) -> Value {
    std::env::var_os(variable).map_or(Value::Null, |value| Value::from(&*value.to_string_lossy()))
}

impl Filter for Environment {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        for (field, value) in &self.fields {
            if let Err(error) = event.set(field, value.clone()) {
                tracing::warn!(%field, %error, "could not set a field to an environment variable");
                event.tag("_environmenterror");
                return Outcome::Failed;
            }
        }
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    #[test]
    fn variables_of_the_process() {
        // Cargo sets this one for every test.
        let config = r#"filter { environment { add_metadata_from_env => {
            "name" => "CARGO_PKG_NAME" "[a][b]" => "CARGO_PKG_NAME" "none" => "RSTASH_TEST_NOT_SET" } } }"#;
        let filter = testkit::filter(config, &testkit::context()).unwrap();
        let mut event = Event::new();
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
        let field = |name: &str| event.get(&FieldReference::parse(name).unwrap()).cloned();
        assert_eq!(field("[@metadata][name]"), Some(Value::from("rstash")));
        assert_eq!(field("[@metadata][a][b]"), Some(Value::from("rstash")));
        assert_eq!(field("[@metadata][none]"), Some(Value::Null));
    }
}
