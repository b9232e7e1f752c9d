//! `tracking_field`: the value that the last run came to, and the file that keeps it (`cursor_tracker.rb`).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Event, FieldReference, Value, text};

/// `:present` is as long ago: what was indexed since may not be visible yet.
const SETTLING: Duration = Duration::from_secs(30);

/// What is tracked, and where it is kept.
#[derive(Debug, Clone)]
pub(super) struct Tracking {
    pub field: FieldReference,
    pub seed: String,
    pub path: PathBuf,
}

impl Tracking {
    /// The value that the last run came to, or the seed.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn last(&self) -> io::Result<String> {
        match std::fs::read_to_string(&self.path) {
            Ok(value) => Ok(value),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.seed.clone()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file, another one first that then takes its place.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn keep(&self, value: &Value) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut unfinished = self.path.clone().into_os_string();
        unfinished.push(".tmp");
        std::fs::write(&unfinished, text::ruby_to_s(value))?;
        std::fs::rename(&unfinished, &self.path)
    }

    /// The value of an event; `None` where it has none.
    pub fn value_of(&self, event: &Event) -> Option<Value> {
        event.get(&self.field).filter(|value| !value.is_null()).cloned()
    }
}

/// The query with its places filled.
pub(super) fn inject(query: &str, last: &str) -> String {
    let query = query.replace(":last_value", last);
    if !query.contains(":present") {
        return query;
    }
    let present = jiff::Timestamp::now() - SETTLING;
    query.replace(":present", &format!("{present:.6}"))
}

/// The larger one of two values of the same kind, as Ruby compares them.
pub(super) fn larger(one: Value, other: Value) -> Value {
    let is_less = match (&one, &other) {
        (Value::Str(one), Value::Str(other)) => one < other,
        (Value::Timestamp(one), Value::Timestamp(other)) => one < other,
        _ => match (number(&one), number(&other)) {
            (Some(one), Some(other)) => one < other,
            _ => text::ruby_to_s(&one) < text::ruby_to_s(&other),
        },
    };
    if is_less { other } else { one }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn values_are_kept_as_logstash_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let tracking = Tracking {
            field: FieldReference::parse("[event][ingested]").unwrap(),
            seed: "1970-01-01T00:00:00.000000000Z".into(),
            path: folder.path().join("a/last_run_value"),
        };
        assert_eq!(tracking.last().unwrap(), tracking.seed);
        let time = Timestamp::parse("2024-10-04T09:00:08.080Z").unwrap();
        for (value, kept) in [
            (Value::from("2024-10-04T09:00:08.080Z"), "2024-10-04T09:00:08.080Z"),
            (Value::Timestamp(time), "2024-10-04T09:00:08.080Z"),
            (Value::Int(42), "42"),
        ] {
            tracking.keep(&value).unwrap();
            assert_eq!(tracking.last().unwrap(), kept);
        }
    }

    #[test]
    fn places_in_the_query_are_filled() {
        let query = inject(r#"{"range":{"t":{"gt":":last_value","lt":":present"}}}"#, "7");
        assert!(query.starts_with(r#"{"range":{"t":{"gt":"7","lt":""#), "{query}");
        let present = query.rsplit('"').nth(1).unwrap();
        let age = jiff::Timestamp::now() - present.parse::<jiff::Timestamp>().unwrap();
        assert!((30.0..300.0).contains(&age.total(jiff::Unit::Second).unwrap()), "{query}");
    }

    #[test]
    fn the_larger_value_wins() {
        assert_eq!(larger(Value::Int(9), Value::Int(10)), Value::Int(10));
        assert_eq!(larger(Value::from("b"), Value::from("a")), Value::from("b"));
        assert_eq!(larger(Value::Float(1.5), Value::Int(1)), Value::Float(1.5));
    }
}
