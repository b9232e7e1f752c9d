//! Filter `range`: does something to events whose fields lie within limits (logstash-filter-range).

use crate::event::numbers::{big_to_float, leading_float};
use crate::event::text::ruby_to_s;
use crate::event::{Big, Event, FieldReference, InvalidReference, SetError, SprintfError, Template, Value};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "range",
    summary: "Tags events, sets fields or drops events where a number or the length of a text lies within limits.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  range { ranges => ["ms", 1000, 60000, "tag:slow", "message", 0, 3, "drop", "ms", 0, 10, "field:speed:fast"] }
}"#,
        input: &[r#"{"ms":5,"message":"done"}"#, r#"{"ms":2500,"message":"done"}"#, r#"{"message":"x"}"#],
        output: &[
            r#"{"ms":5,"message":"done","speed":"fast"}"#,
            r#"{"ms":2500,"message":"done","tags":["slow"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Range::build(reader)?))),
};

options! {
    struct Options {
        /// Quadruples of a field, the least and the greatest value, and what to do: `drop`, `tag:NAME` or
        /// `field:NAME:VALUE`. Of a text the length counts.
        ranges: Vec<ConfigValue> = [],
        /// Do it where the value does not lie within the limits.
        negate: bool = false,
    }
}

#[derive(Debug)]
struct Range {
    /// Grouped by field, in the order in which the fields first appear.
    fields: Vec<(FieldReference, Vec<Limits>)>,
    negate: bool,
}

#[derive(Debug)]
struct Limits {
    min: f64,
    max: f64,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Drop,
    Tag(Template),
    Field(Template, FieldValue),
}

#[derive(Debug)]
enum FieldValue {
    Number(Value),
    Text(Template),
}

/// Why an event could not be given its tag or field.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Range {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { ranges, negate } = Options::read(reader)?;
        let mut fields: Vec<(FieldReference, Vec<Limits>)> = Vec::new();
        for tuple in ranges.chunks(4) {
            match read_tuple(tuple) {
                Ok((field, limits)) => match fields.iter_mut().find(|(known, _)| *known == field) {
                    Some((_, all)) => all.push(limits),
                    None => fields.push((field, vec![limits])),
                },
                Err(message) => {
                    reader.error("ranges", message);
                    return None;
                }
            }
        }
        Some(Range { fields, negate })
    }

    /// Whether the event is to be dropped.
    fn apply(&self, event: &mut Event) -> Result<bool, Failure> {
        for (field, all) in &self.fields {
            if !event.contains(field) {
                continue;
            }
            for limits in all {
                // An action may have changed the field.
                let within = limits.hold(event.get(field));
                if within == self.negate {
                    continue;
                }
                match &limits.action {
                    Action::Drop => return Ok(true),
                    Action::Tag(tag) => {
                        let tag = tag.render(event)?;
                        event.tag(&tag);
                    }
                    Action::Field(name, value) => add_field(event, name, value)?,
                }
            }
        }
        Ok(false)
    }
}

impl Limits {
    fn hold(&self, value: Option<&Value>) -> bool {
        let number = match value {
            Some(Value::Int(number)) => *number as f64,
            Some(Value::Float(number)) => *number,
            Some(Value::Str(text)) => text.chars().count() as f64,
            Some(Value::Big(big)) => match &**big {
                Big::Integer(number) => big_to_float(number),
                Big::Decimal(_) => return false,
            },
            _ => return false,
        };
        (self.min..=self.max).contains(&number)
    }
}

/// Sets a field, or appends to one that exists; what is appended is always text.
fn add_field(event: &mut Event, name: &Template, value: &FieldValue) -> Result<(), Failure> {
    let field = FieldReference::parse(&name.render(event)?)?;
    let (alone, appended) = match value {
        FieldValue::Number(number) => (number.clone(), Value::from(ruby_to_s(number))),
        FieldValue::Text(text) => {
            let text = Value::from(text.render(event)?);
            (text.clone(), text)
        }
    };
    let value = match event.get(&field) {
        None | Some(Value::Null | Value::Bool(false)) => alone,
        Some(Value::Array(items)) => Value::Array(items.iter().cloned().chain([appended]).collect()),
        Some(existing) => Value::Array(vec![existing.clone(), appended]),
    };
    Ok(event.assign(&field, value)?)
}

fn read_tuple(tuple: &[ConfigValue]) -> Result<(FieldReference, Limits), String> {
    let [field, min, max, action] = tuple else {
        return Err("it consists of quadruples: field, least value, greatest value, action".into());
    };
    let ConfigKind::Text(name) = &field.kind else {
        return Err(format!("the name of a field must be a string, not {}", field.describe()));
    };
    let field = FieldReference::parse(name).map_err(|_| format!("\"{name}\" is not a field reference"))?;
    let ConfigKind::Text(action) = &action.kind else {
        return Err(format!("the action for \"{name}\" must be a string, not {}", action.describe()));
    };
    let limit = |which: &str, value: &ConfigValue| match value.kind {
        ConfigKind::Integer(number) => Ok(number as f64),
        ConfigKind::Float(number) => Ok(number),
        _ => Err(format!("the {which} value of \"{name}\" should be a number, not {}", value.describe())),
    };
    let (min, max) = (limit("min", min)?, limit("max", max)?);
    Ok((field, Limits { min, max, action: read_action(action)? }))
}

fn read_action(action: &str) -> Result<Action, String> {
    // Ruby's split drops empty parts at the end.
    let parts: Vec<&str> = action.trim_end_matches(':').split(':').collect();
    match parts.as_slice() {
        ["drop"] => Ok(Action::Drop),
        ["drop", ..] => Err("the action \"drop\" accepts no parameters".into()),
        ["tag", tag] => Ok(Action::Tag(Template::parse(tag))),
        ["tag", ..] => Err("the action \"tag\" accepts exactly one parameter, a tag: \"tag:NAME\"".into()),
        ["field", name, value] => Ok(Action::Field(Template::parse(name), FieldValue::read(value))),
        ["field", ..] => {
            Err("the action \"field\" accepts exactly two parameters, a field and its value: \"field:NAME:VALUE\"".into())
        }
        _ => Err(format!("unsupported action \"{action}\"; there are \"drop\", \"tag:NAME\" and \"field:NAME:VALUE\"")),
    }
}

impl FieldValue {
    /// A text that Ruby would print for a number is that number.
    fn read(text: &str) -> Self {
        if let Ok(integer) = text.parse::<i64>()
            && integer.to_string() == text
        {
            return FieldValue::Number(Value::Int(integer));
        }
        let float = Value::Float(leading_float(text));
        match ruby_to_s(&float) == text {
            true => FieldValue::Number(float),
            false => FieldValue::Text(Template::parse(text)),
        }
    }
}

impl Filter for Range {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.apply(event) {
            Ok(false) => Outcome::Matched,
            Ok(true) => Outcome::Cancelled,
            Err(error) => {
                tracing::warn!(%error, "could not act on a value within its range");
                event.tag("_rangeerror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn run(ranges: &str, negate: bool, event: &str) -> String {
        let config = format!("filter {{ range {{ ranges => [{ranges}] negate => {negate} }} }}");
        let filter = testkit::filter(&config, &testkit::context()).unwrap();
        let mut event = testkit::event(event);
        filter.filter(&mut event, &mut Emit::default());
        testkit::fields(&event)
    }

    #[test]
    fn appended_numbers_become_text() {
        let ranges = r#""a", 0, 9, "field:b:7", "a", 0, 9, "field:c:1.5""#;
        assert_eq!(run(ranges, false, r#"{"a":1,"b":2,"c":false}"#), r#"{"a":1,"b":[2,"7"],"c":1.5}"#);
    }

    #[test]
    fn negation_covers_what_has_no_size() {
        assert_eq!(run(r#""a", 0, 9, "tag:t""#, true, r#"{"a":[1]}"#), r#"{"a":[1],"tags":["t"]}"#);
        assert_eq!(run(r#""a", 0, 9, "tag:t""#, true, r#"{"b":1}"#), r#"{"b":1}"#);
    }

    #[test]
    fn wrong_actions_are_refused() {
        for action in ["drop:x", "tag", "tag:", "tag:a:b", "field:a", "field:a:b:c", "", "add:x"] {
            assert!(read_action(action).is_err(), "{action}");
        }
    }
}
