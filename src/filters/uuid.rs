//! Filter `uuid`: gives events a random UUID (logstash-filter-uuid).

use crate::event::{Event, FieldReference, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "uuid",
    summary: "Gives events a random UUID.",
    options: Uuid::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        // What is random is made visible by a condition.
        config: r#"filter {
  uuid { target => "id" }
  if [id] =~ /^\h{8}-\h{4}-4\h{3}-[89ab]\h{3}-\h{12}$/ { mutate { replace => { "id" => "a random UUID" } } }
}"#,
        input: &[r#"{"message":"m"}"#, r#"{"message":"m","id":"kept"}"#],
        output: &[r#"{"message":"m","id":"a random UUID"}"#, r#"{"message":"m","id":"kept"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Uuid::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Uuid {
        /// Field that gets the UUID.
        target: FieldReference,
        /// Replace what the field holds. Otherwise a field that exists and is not null keeps its value.
        overwrite: bool = false,
    }
}

impl Filter for Uuid {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        if self.overwrite || event.get(&self.target).is_none_or(Value::is_null) {
            let uuid = uuid::Uuid::new_v4().to_string();
            if let Err(error) = event.assign(&self.target, uuid) {
                tracing::warn!(%error, target = %self.target, "could not set the target of a uuid filter");
                event.tag("_uuiderror");
                return Outcome::Failed;
            }
        }
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(overwrite: bool, present: Value) -> Value {
        let filter = Uuid { target: FieldReference::top_level("id"), overwrite };
        let mut event = Event::new();
        event.data_mut().insert("id", present);
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
        event.data().get("id").cloned().unwrap_or_default()
    }

    #[test]
    fn a_value_is_kept_unless_it_is_to_be_overwritten() {
        assert_eq!(run(false, Value::from("mine")), Value::from("mine"));
        assert_eq!(run(false, Value::Bool(false)), Value::Bool(false));
        assert_ne!(run(true, Value::from("mine")), Value::from("mine"));
        // Version 4 of RFC 9562 stands at the 15th character.
        let uuid = run(false, Value::Null);
        assert_eq!(uuid.as_str().and_then(|text| text.chars().nth(14)), Some('4'));
    }

    #[test]
    fn a_target_that_cannot_be_set_is_tagged() {
        let filter = Uuid { target: FieldReference::parse("[s][x]").unwrap(), overwrite: false };
        let mut event = Event::new();
        event.data_mut().insert("s", Value::from("text"));
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Failed);
        assert!(event.data().contains_key("tags"));
    }
}
