//! Filter `age`: how old an event is (logstash-filter-age).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::{Event, FieldReference, Timestamp};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "age",
    summary: "Calculates how old an event is.",
    options: Age::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  age { }
  if [@metadata][age] > 86400 { mutate { add_tag => ["late"] remove_field => ["[@metadata][age]"] } }
}"#,
        input: &[r#"{"@timestamp":"2001-02-03T04:05:06.000Z"}"#],
        output: &[r#"{"@timestamp":"2001-02-03T04:05:06.000Z","tags":["late"]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Age::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Age {
        /// Field that takes the age in seconds, with parts of a second.
        target: FieldReference = "[@metadata][age]",
    }
}

impl Filter for Age {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let Some(time) = event.timestamp() else {
            tracing::warn!("an event without @timestamp has no age");
            event.tag("_ageerror");
            return Outcome::Failed;
        };
        match event.assign(&self.target, age(time, SystemTime::now())) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(target_field = %self.target, %error, "could not set the age of an event");
                event.tag("_ageerror");
                Outcome::Failed
            }
        }
    }
}

/// Seconds from `time` to `now`; negative for an event of the future.
fn age(time: Timestamp, now: SystemTime) -> f64 {
    let now = match now.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    now - (time.epoch_seconds() as f64 + f64::from(time.nanos()) / 1e9)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ages_have_fractions_and_signs() {
        let now = UNIX_EPOCH + Duration::from_millis(10_500);
        assert_eq!(age(Timestamp::from_millis(8_250), now), 2.25);
        assert_eq!(age(Timestamp::from_millis(11_000), now), -0.5);
    }

    #[test]
    fn an_event_without_a_time_is_tagged() {
        let age = Age { target: FieldReference::top_level("age") };
        let mut event = Event::new();
        event.data_mut().remove("@timestamp");
        assert_eq!(age.filter(&mut event, &mut Emit::default()), Outcome::Failed);
        assert!(!event.data().contains_key("age") && event.data().contains_key("tags"));
    }
}
