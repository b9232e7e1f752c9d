//! Filter `prune`: removes fields by black and white lists of their names and values (logstash-filter-prune).

use std::collections::HashSet;

use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, InvalidReference, SetError, SprintfError, Template, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, options};
use crate::regex::{Error as RegexError, Regex};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "prune",
    summary: "Removes fields by their names or values.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  prune {
    blacklist_names => ["^tmp_", "secret"]
    blacklist_values => { "status" => "^2" }
  }
}"#,
        input: &[r#"{"tmp_a":1,"my_secret":2,"status":["200","404"],"keep":3}"#],
        output: &[r#"{"status":["404"],"keep":3}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Prune::build(reader)?))),
};

/// The tag of an event that Logstash stops the pipeline at.
const ERROR_TAG: &str = "_pruneerror";

options! {
    struct Options {
        /// Whether `%{...}` in names and patterns stands for fields of the event. Patterns are then compiled for each
        /// event.
        interpolate: bool = false,
        /// Regular expressions for the names to keep. All other fields go, also @timestamp and @version.
        whitelist_names: Vec<String> = [],
        /// Regular expressions for the names of fields to remove; by default names with a `%{...}` that was not resolved.
        blacklist_names: Vec<String> = ["%\\{[^}]+\\}"],
        /// Fields with regular expressions: one whose value does not match is removed, of an array the elements that do
        /// not. Only fields at the top.
        whitelist_values: Pairs = {},
        /// Fields with regular expressions: one whose value matches is removed, of an array the elements that do.
        blacklist_values: Pairs = {},
    }
}

/// A regular expression, which may depend on the event.
#[derive(Debug)]
enum Pattern {
    Fixed(Regex),
    PerEvent(Template),
}

/// A regular expression for one event.
enum Ready<'p> {
    Fixed(&'p Regex),
    Compiled(Box<Regex>),
}

/// A field to look at, whose name may depend on the event.
#[derive(Debug)]
struct ValueRule {
    name: Template,
    pattern: Pattern,
    /// Whether it is values that match which go.
    removes_matches: bool,
}

#[derive(Debug)]
struct Prune {
    whitelist_names: Vec<Pattern>,
    blacklist_names: Vec<Pattern>,
    /// Those of the white list first.
    values: Vec<ValueRule>,
    interpolate: bool,
}

/// What is to go of an event.
#[derive(Default)]
struct Removals {
    /// Fields whose names say so.
    names: HashSet<String>,
    /// Fields whose values say so, in the order of the rules.
    values: Vec<(String, Left)>,
}

/// What is left of a field: nothing, or some elements of an array.
type Left = Option<Vec<Value>>;

/// What ends the work on an event before anything is removed, or while it is.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Regex(#[from] RegexError),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
    #[error("a {0} is no text that a pattern could match")]
    NotText(&'static str),
}

impl Pattern {
    fn read(text: &str, interpolate: bool) -> Result<Self, RegexError> {
        let template = Template::parse(text);
        match interpolate && template.as_literal().is_none() {
            true => Ok(Pattern::PerEvent(template)),
            false => Regex::new(text).map(Pattern::Fixed),
        }
    }

    /// The expression as it is for an event.
    fn of(&self, event: &Event) -> Result<Ready<'_>, Failure> {
        match self {
            Pattern::Fixed(regex) => Ok(Ready::Fixed(regex)),
            Pattern::PerEvent(template) => {
                Ok(Ready::Compiled(Box::new(Regex::new(&template.render(event)?)?)))
            }
        }
    }
}

impl Ready<'_> {
    fn is_match(&self, text: &str) -> bool {
        match self {
            Ready::Fixed(regex) => regex.is_match(text),
            Ready::Compiled(regex) => regex.is_match(text),
        }
    }
}

impl Prune {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        reader.text_only(&["whitelist_names", "blacklist_names"]);
        let options = Options::read(reader)?;
        let interpolate = options.interpolate;
        let whitelist_names = read_names("whitelist_names", &options.whitelist_names, interpolate, reader);
        let blacklist_names = read_names("blacklist_names", &options.blacklist_names, interpolate, reader);
        let mut values =
            read_values("whitelist_values", &options.whitelist_values, false, interpolate, reader)?;
        values.extend(read_values("blacklist_values", &options.blacklist_values, true, interpolate, reader)?);
        Some(Prune {
            whitelist_names: whitelist_names?,
            blacklist_names: blacklist_names?,
            values,
            interpolate,
        })
    }

    /// What is to go, judged by the event as it came.
    fn removals(&self, event: &Event) -> Result<Removals, Failure> {
        let mut removals = Removals::default();
        if !self.whitelist_names.is_empty() {
            collect_names(&self.whitelist_names, false, event, &mut removals.names)?;
        }
        collect_names(&self.blacklist_names, true, event, &mut removals.names)?;
        for rule in &self.values {
            removals.values.extend(self.removal_by_value(rule, event)?);
        }
        Ok(removals)
    }

    /// The field that a rule speaks of, and what the rule leaves of it; `None` where it leaves everything.
    fn removal_by_value(&self, rule: &ValueRule, event: &Event) -> Result<Option<(String, Left)>, Failure> {
        let name = match self.interpolate {
            true => rule.name.render(event)?,
            false => rule.name.source().to_owned(),
        };
        let pattern = rule.pattern.of(event)?;
        let goes = |value: &Value| match value {
            Value::Str(text) => Ok(pattern.is_match(text) == rule.removes_matches),
            other => Err(Failure::NotText(other.kind())),
        };
        match event.data().get(&name) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(None),
            Some(Value::Array(items)) => {
                let mut kept = Vec::new();
                for item in items {
                    if !goes(item)? {
                        kept.push(item.clone());
                    }
                }
                Ok(match kept.len() {
                    all if all == items.len() => None,
                    0 => Some((name, None)),
                    _ => Some((name, Some(kept))),
                })
            }
            Some(value) => Ok(goes(value)?.then_some((name, None))),
        }
    }
}

/// Collects the fields whose names match one of the patterns, or none of them.
fn collect_names(
    patterns: &[Pattern],
    wanted: bool,
    event: &Event,
    names: &mut HashSet<String>,
) -> Result<(), Failure> {
    let ready: Vec<Ready<'_>> = patterns.iter().map(|pattern| pattern.of(event)).collect::<Result<_, _>>()?;
    for name in event.data().keys() {
        let matches = ready.iter().any(|pattern| pattern.is_match(name));
        if matches == wanted {
            names.insert(name.to_owned());
        }
    }
    Ok(())
}

/// Reads the expressions of a list; one that is none is reported.
fn read_names(
    option: &'static str,
    patterns: &[String],
    interpolate: bool,
    reader: &mut OptionReader<'_>,
) -> Option<Vec<Pattern>> {
    let mut read = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        match Pattern::read(pattern, interpolate) {
            Ok(pattern) => read.push(pattern),
            Err(error) => reader.error(option, error.to_string()),
        }
    }
    (read.len() == patterns.len()).then_some(read)
}

/// Reads the fields and expressions of a hash; an expression that is none is reported.
fn read_values(
    option: &'static str,
    pairs: &Pairs,
    removes_matches: bool,
    interpolate: bool,
    reader: &mut OptionReader<'_>,
) -> Option<Vec<ValueRule>> {
    let mut rules = Vec::new();
    let mut is_fine = true;
    for (name, value) in pairs.iter() {
        match Pattern::read(&ruby_to_s(&value.to_value()), interpolate) {
            Ok(pattern) => rules.push(ValueRule { name: Template::parse(name), pattern, removes_matches }),
            Err(error) => {
                is_fine = false;
                reader.error(option, error.to_string());
            }
        }
    }
    is_fine.then_some(rules)
}

/// Removes what is to go, in the end that of the last rule for each field.
fn remove(removals: Removals, event: &mut Event) -> Result<(), Failure> {
    let Removals { names, values } = removals;
    // A name with brackets is taken for a reference.
    let is_plain = |name: &str| !name.contains(['[', ']']);
    if names.iter().any(|name| is_plain(name)) {
        event.data_mut().retain(|name, _| !is_plain(name) || !names.contains(name));
    }
    for name in names.iter().filter(|name| !is_plain(name)) {
        event.remove(&FieldReference::parse(name)?);
    }
    for (name, left) in values {
        match left {
            None if is_plain(&name) => _ = event.data_mut().remove(&name),
            None => _ = event.remove(&FieldReference::parse(&name)?),
            // The field may be gone by its name already.
            Some(kept) if event.data().contains_key(&name) => {
                event.assign(&FieldReference::parse(&name)?, kept)?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl Filter for Prune {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.removals(event).and_then(|removals| remove(removals, event)) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(%error, "could not prune an event");
                event.tag(ERROR_TAG);
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
        let config = serde_json::Value::from(format!("filter {{ prune {{ {options} }} }}"));
        let line = format!(
            r#"{{"name":"prune","config":{config},"input":[{{{T},{input}}}],"expect":{{"ok":true,"events":[{{{T},{expected}}}]}}}}"#
        );
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verdict = Case::parse(&line).unwrap().run(&runtime);
        assert_eq!(verdict.status, Status::Passed, "{options}: {}", verdict.reasons().join("\n"));
    }

    #[test]
    fn values_that_are_no_text_are_an_error() {
        // Where Logstash stops the pipeline, the event is tagged, and nothing is removed.
        for value in ["5", "true", r#"["a",1]"#, r#"{"k":"a"}"#] {
            assert_becomes(
                r#"blacklist_names => ["^x"] blacklist_values => { "v" => "a" } add_tag => ["no"]"#,
                &format!(r#""v":{value},"x":1"#),
                &format!(r#""v":{value},"x":1,"tags":["_pruneerror"]"#),
            );
        }
        assert_becomes(r#"whitelist_values => { "v" => "a" }"#, r#""v":null"#, r#""v":null"#);
    }

    #[test]
    fn both_lists_judge_the_array_as_it_came() {
        // Each list sets the array anew, so that the last one wins.
        assert_becomes(
            r#"whitelist_values => { "v" => "^a" } blacklist_values => { "v" => "1$" }"#,
            r#""v":["a1","a2","b1","b2"]"#,
            r#""v":["a2","b2"]"#,
        );
    }

    #[test]
    fn patterns_of_fields_may_be_wrong() {
        assert_becomes(
            r#"interpolate => true blacklist_names => ["^%{p}$"]"#,
            r#""p":"a|b","a":1,"b":2"#,
            r#""p":"a|b""#,
        );
        assert_becomes(
            r#"interpolate => true blacklist_names => ["%{p}"]"#,
            r#""p":"(","a":1"#,
            r#""p":"(","a":1,"tags":["_pruneerror"]"#,
        );
    }
}
