//! Filter `split`: makes one event of each line of a text, or of each element of an array (logstash-filter-split).

use crate::event::{Event, FieldReference, SetError, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "split",
    summary: "Makes one event of each line of a text, or of each element of an array.",
    options: Split::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { split { field => "items" target => "item" remove_field => ["items"] } }"#,
        input: &[r#"{"order":7,"items":["a",null,"b"]}"#, r#"{"order":8}"#],
        output: &[
            r#"{"order":7,"item":"a"}"#,
            r#"{"order":7,"item":"b"}"#,
            r#"{"order":8,"tags":["_split_type_failure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Split::read(reader)?))),
};

/// The tag of an event whose field is neither text nor an array.
const TYPE_FAILURE_TAG: &str = "_split_type_failure";

/// The tag of an event whose parts do not fit into the target; Logstash stops the pipeline then.
const ERROR_TAG: &str = "_spliterror";

options! {
    #[derive(Debug)]
    pub struct Split {
        /// What stands between the parts of a text. A single space stands for any white space.
        terminator: String = "\n",
        /// The field to split: text, or an array.
        field: FieldReference = "message",
        /// Field that takes the part. Without it, the part takes the place of the whole.
        target: Option<FieldReference>,
    }
}

impl Filter for Split {
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        match event.get(&self.field) {
            Some(Value::Array(_)) => {}
            Some(Value::Str(text)) => {
                if is_one_part(text, &self.terminator) {
                    return Outcome::Unmatched;
                }
            }
            other => {
                let kind = other.map_or("missing", Value::kind);
                tracing::warn!(field = %self.field, kind, "only text and arrays can be split");
                event.tag(TYPE_FAILURE_TAG);
                return Outcome::Failed;
            }
        }
        match self.split(event, emit) {
            Ok(()) => Outcome::Cancelled,
            Err(error) => {
                tracing::warn!(field = %self.field, %error, "could not store a part");
                event.tag(ERROR_TAG);
                Outcome::Failed
            }
        }
    }
}

impl Split {
    /// Emits a copy of the event for each part but the empty ones. On an error the event is as it was, and so are the
    /// copies that came before it.
    fn split(&self, event: &mut Event, emit: &mut Emit) -> Result<(), SetError> {
        // Where the parts take the place of the whole, the copies need not hold it first: that would cost the product
        // of both lengths.
        let mut taken = match self.target {
            None => event.get_mut(&self.field).map(std::mem::take),
            Some(_) => None,
        };
        let result = match taken.as_ref().or_else(|| event.get(&self.field)) {
            Some(Value::Array(items)) => self.emit_parts(items.iter().cloned(), event, emit),
            Some(Value::Str(text)) => {
                let parts = split_all(text, &self.terminator).into_iter();
                self.emit_parts(parts.filter(|part| !part.is_empty()).map(Value::from), event, emit)
            }
            _ => Ok(()),
        };
        if let (Err(_), Some(place), Some(whole)) = (&result, event.get_mut(&self.field), taken.take()) {
            *place = whole;
        }
        result
    }

    fn emit_parts(
        &self,
        parts: impl Iterator<Item = Value>,
        event: &Event,
        emit: &mut Emit,
    ) -> Result<(), SetError> {
        let target = self.target.as_ref().unwrap_or(&self.field);
        for part in parts {
            if part.is_null() || part.as_str() == Some("") {
                continue;
            }
            let mut copy = event.duplicate();
            copy.assign(target, part)?;
            emit.matched(copy);
        }
        Ok(())
    }
}

/// Whether a text is but one part, so that there is nothing to do.
fn is_one_part(text: &str, terminator: &str) -> bool {
    match terminator {
        "" | " " => split_all(text, terminator).len() == 1,
        _ => !text.is_empty() && !text.contains(terminator),
    }
}

/// Ruby's `text.split(terminator, -1)`, which keeps empty parts at the end, but makes none of an empty text.
fn split_all<'t>(text: &'t str, terminator: &str) -> Vec<&'t str> {
    if text.is_empty() {
        return Vec::new();
    }
    match terminator {
        " " => split_at_white_space(text),
        "" => {
            let mut parts: Vec<&str> =
                text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8())).collect();
            parts.push("");
            parts
        }
        _ => text.split(terminator).collect(),
    }
}

/// White space before the first part is left out, and there is an empty part behind white space at the end.
fn split_at_white_space(text: &str) -> Vec<&str> {
    let is_space = |c: char| matches!(c, '\t'..='\r' | ' ');
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(end) = rest.find(is_space) {
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind.trim_start_matches(is_space);
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    #[test]
    fn splitting_as_ruby_does() {
        // As irb answers text.split(terminator, -1).
        for (text, terminator, parts) in [
            ("", "\n", &[][..]),
            ("a\n", "\n", &["a", ""]),
            (",a,,b,", ",", &["", "a", "", "b", ""]),
            ("x", "", &["x", ""]),
            ("한b", "", &["한", "b", ""]),
            ("  a \t b\n", " ", &["a", "b", ""]),
            (" a", " ", &["a"]),
            ("   ", " ", &[""]),
            ("a::b:c", "::", &["a", "b:c"]),
        ] {
            assert_eq!(split_all(text, terminator), parts, "{text:?} {terminator:?}");
        }
    }

    fn split(field: &str, target: Option<&str>) -> Split {
        let reference = |text| FieldReference::parse(text).unwrap();
        Split { terminator: "\n".into(), field: reference(field), target: target.map(reference) }
    }

    #[test]
    fn parts_that_do_not_fit_leave_the_event_whole() {
        let mut event = Event::from_message("a\nb");
        let mut emit = Emit::default();
        assert_eq!(split("message", Some("[message][x]")).filter(&mut event, &mut emit), Outcome::Failed);
        assert_eq!(testkit::fields(&event), r#"{"message":"a\nb","tags":["_spliterror"]}"#);
        let mut event = Event::new();
        event.data_mut().insert("tags", Value::Array(vec![Value::Int(1)]));
        assert_eq!(split("tags", None).filter(&mut event, &mut emit), Outcome::Failed);
        assert!(emit.is_empty());
        assert_eq!(testkit::fields(&event), r#"{"tags":[1,"_spliterror"]}"#);
    }

    #[test]
    fn a_text_of_many_lines_takes_no_quadratic_time() {
        // 400 kB in 200,000 lines: copies of the whole would be 80 GB.
        let mut event = Event::from_message("a\n".repeat(200_000));
        let mut emit = Emit::default();
        assert_eq!(split("message", None).filter(&mut event, &mut emit), Outcome::Cancelled);
        assert_eq!(emit.drain().count(), 200_000);
    }
}
