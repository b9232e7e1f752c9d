//! Filter `extractnumbers`: the numbers among the words of a text (logstash-filter-extractnumbers).

use crate::event::numbers::{hexadecimal_float, looks_hexadecimal, strict_float, strict_integer};
use crate::event::{Event, FieldReference, Key, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "extractnumbers",
    summary: "Copies the numbers among the words of a text into fields int1, int2, ... and float1, float2, ...",
    options: ExtractNumbers::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { extractnumbers { } }"#,
        input: &[r#"{"message":"took 12 ms of 0.5 s, 3 times"}"#],
        output: &[r#"{"message":"took 12 ms of 0.5 s, 3 times","int1":12,"int2":3,"float1":0.5}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(ExtractNumbers::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct ExtractNumbers {
        /// Field that holds the text, or an array of which the first element is taken.
        source: FieldReference = "message",
    }
}

impl Filter for ExtractNumbers {
    /// The plugin never reports a match, so its common options never apply; neither do they in Logstash.
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let text = match event.get(&self.source) {
            None | Some(Value::Null | Value::Bool(false)) => return Outcome::Unmatched,
            Some(Value::Array(items)) => items.first(),
            other => other,
        };
        let Some(Value::Str(text)) = text else {
            tracing::warn!(source = %self.source, "numbers can be extracted from text only");
            event.tag("_extractnumberserror");
            return Outcome::Failed;
        };
        let (integers, floats) = numbers(text);
        for (name, values) in [("int", integers), ("float", floats)] {
            for (at, value) in values.into_iter().enumerate() {
                event.data_mut().insert(Key::from(format!("{name}{}", at + 1)), value);
            }
        }
        Outcome::Unmatched
    }
}

/// The words that Ruby's `Integer()` takes, and those that only its `Float()` does.
fn numbers(text: &str) -> (Vec<Value>, Vec<Value>) {
    let (mut integers, mut floats) = (Vec::new(), Vec::new());
    for word in text.split_ascii_whitespace() {
        if let Some(integer) = strict_integer(word) {
            integers.push(Value::from_big_integer(integer));
        } else if let Some(float) = read_float(word) {
            floats.push(Value::Float(float));
        }
    }
    (integers, floats)
}

fn read_float(word: &str) -> Option<f64> {
    if looks_hexadecimal(word) { hexadecimal_float(word) } else { strict_float(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ruby_reads_as_numbers() {
        let (integers, floats) = numbers("12 -3 0x1F 1_000 08 1e3 -0.5 12, 1__0 NaN 12ms v2");
        assert_eq!(integers, [12, -3, 31, 1000].map(Value::Int));
        assert_eq!(floats, [8.0, 1000.0, -0.5].map(Value::Float));
    }

    #[test]
    fn arrays_give_their_first_element() {
        let filter = ExtractNumbers { source: FieldReference::top_level("m") };
        let mut event = Event::new();
        event.data_mut().insert("m", Value::Array(vec!["7 8".into(), "9".into()]));
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Unmatched);
        assert_eq!(event.data().get("int2"), Some(&Value::Int(8)));
        event.data_mut().insert("m", Value::Array(Vec::new()));
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Failed);
    }
}
