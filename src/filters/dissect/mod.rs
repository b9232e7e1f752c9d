//! Filter `dissect`: cuts text into fields at fixed delimiters (logstash-filter-dissect, which is written in Java).

mod convert;
mod field;
mod mapping;

use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, FilterDecoration, FromOption, Kind, OptionReader, Outcome,
    Pairs, Problem, Spec, options,
};

use convert::Datatype;
use mapping::Dissector;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "dissect",
    summary: "Cuts text into fields at fixed delimiters.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  dissect {
    mapping => { "message" => "%{ts} %{+ts} %{?unit}[%{pid}]: %{key->} %{&key}" }
    convert_datatype => { "pid" => "int" }
  }
}"#,
        input: &[r#"{"message":"2024-05-06 07:08:09 cron[17]: a   b"}"#, r#"{"message":"no brackets"}"#],
        output: &[
            r#"{"message":"2024-05-06 07:08:09 cron[17]: a   b","ts":"2024-05-06 07:08:09","pid":17,"key":"a","a":"b"}"#,
            r#"{"message":"no brackets","tags":["_dissectfailure","_dataconversionnullvalue_pid_int"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Dissect::build(reader)?))),
};

options! {
    struct Options {
        /// Fields and how each is cut: `%{name}` takes text, what stands between is looked for. `%{}` and `%{?name}`
        /// skip, `%{+name}` and `%{+name/2}` append, `%{&name}` names its field by what `name` holds, and `%{name->}`
        /// passes over repeated delimiters.
        mapping: Pairs = {},
        /// Fields to turn into numbers afterwards: int or float.
        convert_datatype: Pairs = {},
        /// Tags added when a text does not have all the delimiters.
        tag_on_failure: Vec<String> = ["_dissectfailure"],
    }
}

/// A field named in an option. A name that is no reference fails with every event that comes to it.
type Named = Result<FieldReference, InvalidReference>;

struct Conversion {
    /// As written in the config, for the tags.
    name: String,
    datatype_name: String,
    field: Named,
    datatype: Datatype,
}

struct Dissect {
    mappings: Vec<(Named, Dissector)>,
    conversions: Vec<Conversion>,
    tag_on_failure: Vec<String>,
    decoration: FilterDecoration,
}

/// What ends the work on an event early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
    #[error(transparent)]
    Decorate(#[from] DecorateError),
    #[error("there is nothing to append to in the field {0}, which is null")]
    AppendToNull(String),
}

impl Dissect {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        reader.text_only(&["tag_on_failure"]);
        let options = Options::read(reader)?;
        let mut mappings = Vec::new();
        let mut is_fine = true;
        for (name, mapping) in options.mapping.iter() {
            let text = ruby_to_s(&mapping.to_value());
            // An empty mapping does nothing.
            if text.is_empty() {
                continue;
            }
            match Dissector::new(&text) {
                Ok(dissector) => mappings.push((FieldReference::parse(name), dissector)),
                Err(error) => {
                    is_fine = false;
                    let message = format!("option \"mapping\" of the dissect filter: {error}");
                    reader.report(Problem::error(mapping.span, message).label("in this mapping"));
                }
            }
        }
        let mut conversions = Vec::new();
        for (name, value) in options.convert_datatype.iter() {
            match Datatype::from_option(value, reader.context) {
                Ok(datatype) => conversions.push(Conversion {
                    name: name.to_owned(),
                    datatype_name: ruby_to_s(&value.to_value()),
                    field: FieldReference::parse(name),
                    datatype,
                }),
                Err(problems) => {
                    is_fine = false;
                    problems.into_iter().for_each(|problem| reader.report(problem));
                }
            }
        }
        let decoration = FilterDecoration::default();
        let tag_on_failure = options.tag_on_failure;
        is_fine.then_some(Dissect { mappings, conversions, tag_on_failure, decoration })
    }

    /// Everything that is done to an event; whether every mapping fitted that had something to cut.
    fn run(&self, event: &mut Event) -> Result<bool, Failure> {
        let mut all_fitted = true;
        for (source, dissector) in &self.mappings {
            let Some(value) = event.get(source.as_ref().map_err(Clone::clone)?) else {
                tracing::warn!(field = ?source, "dissect: the field to cut is missing");
                continue;
            };
            let fitted = match value {
                // The text may be overwritten by its own parts.
                Value::Str(text) => dissector.dissect(&text.clone(), event)?,
                other => dissector.dissect(&ruby_to_s(other), event)?,
            };
            if fitted {
                self.decoration.apply(event)?;
            } else {
                tracing::warn!(
                    mapping = dissector.mapping(),
                    "dissect: the text does not have all delimiters"
                );
                self.tag_failure(event);
                all_fitted = false;
            }
        }
        for conversion in &self.conversions {
            conversion.apply(event)?;
        }
        Ok(all_fitted)
    }

    fn tag_failure(&self, event: &mut Event) {
        for tag in &self.tag_on_failure {
            event.tag(tag);
        }
    }
}

impl Conversion {
    /// Converts a field; one that is missing or no number is tagged.
    fn apply(&self, event: &mut Event) -> Result<(), Failure> {
        let field = self.field.as_ref().map_err(Clone::clone)?;
        let converted = match event.get(field) {
            None | Some(Value::Null) => Err("nullvalue"),
            Some(value) => self.datatype.convert(value).ok_or("uncoercible"),
        };
        match converted {
            Ok(number) => event.set(field, number)?,
            Err(reason) => {
                event.tag(&format!("_dataconversion{reason}_{}_{}", self.name, self.datatype_name))
            }
        }
        Ok(())
    }
}

impl Filter for Dissect {
    /// The common options are applied behind each mapping that fits, before the next one and before conversions.
    fn set_decoration(&mut self, decoration: &FilterDecoration) {
        self.decoration = decoration.clone();
    }

    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(true) => Outcome::Unmatched,
            Ok(false) => Outcome::Failed,
            Err(error) => {
                tracing::warn!(%error, "dissect gave up on an event");
                self.tag_failure(event);
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, Status};

    const T: &str = r#""@timestamp":"2024-05-06T07:08:09.123Z","@version":"1""#;

    /// Runs a filter over one event, whose fields and those expected are JSON without the braces.
    fn assert_becomes(options: &str, input: &str, expected: &str) {
        let config = serde_json::Value::from(format!("filter {{ dissect {{ {options} }} }}"));
        let line = format!(
            r#"{{"name":"dissect","config":{config},"input":[{{{T},{input}}}],"expect":{{"ok":true,"events":[{{{T},{expected}}}]}}}}"#
        );
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verdict = Case::parse(&line).unwrap().run(&runtime);
        assert_eq!(verdict.status, Status::Passed, "{options}: {}", verdict.reasons().join("\n"));
    }

    #[test]
    fn common_options_follow_each_mapping_that_fits() {
        // Java calls filter_matched behind every mapping, before the next one and before conversions.
        assert_becomes(
            r#"mapping => ["m", "%{a} %{r}", "r", "%{b} %{c}"] convert_datatype => { "c" => "float" }
               add_field => { "seen" => "%{c}" } add_tag => ["t"]"#,
            r#""m":"1 2 3e1""#,
            r#""m":"1 2 3e1","a":"1","r":"2 3e1","b":"2","c":3E+1,"seen":["%{c}","3e1"],"tags":["t","t"]"#,
        );
    }

    #[test]
    fn a_delimiter_at_the_very_start_is_not_passed() {
        assert_becomes(
            r#"mapping => { "m" => "%{a}|%{b}|%{c}" }"#,
            r#""m":"||""#,
            r#""m":"||","a":"","b":"","c":"||""#,
        );
    }

    #[test]
    fn names_that_are_no_references_fail_when_they_are_stored() {
        assert_becomes(
            r#"mapping => { "m" => "%{x} %{[a} %{y}" } convert_datatype => { "x" => "int" }"#,
            r#""m":"1 2 3""#,
            r#""m":"1 2 3","x":"1","tags":["_dissectfailure"]"#,
        );
    }

    #[test]
    fn indirect_names_come_from_the_event_first() {
        assert_becomes(
            r#"mapping => { "m" => "%{?k}=%{&k}" }"#,
            r#""m":"a=1","k":"there""#,
            r#""m":"a=1","k":"there","there":"1""#,
        );
        assert_becomes(r#"mapping => { "m" => "%{?k}=%{&k}" }"#, r#""m":"=1""#, r#""m":"=1""#);
    }

    #[test]
    fn only_braces_have_no_fields_and_never_fit() {
        assert_becomes(r#"mapping => { "m" => "}" }"#, r#""m":"}""#, r#""m":"}","tags":["_dissectfailure"]"#);
    }
}
