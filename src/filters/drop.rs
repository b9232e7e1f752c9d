//! Filter `drop`: takes events out of the pipeline (logstash-filter-drop).

use crate::event::Event;
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "drop",
    summary: "Drops all events, or a share of them.",
    options: Drop::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { if [level] == "debug" { drop { } } }"#,
        input: &[r#"{"level":"debug"}"#, r#"{"level":"info"}"#],
        output: &[r#"{"level":"info"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Drop::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Drop {
        /// How many of a hundred events to drop, chosen at random.
        percentage: f64 = 100,
    }
}

impl Filter for Drop {
    fn filter(&self, _event: &mut Event, _emit: &mut Emit) -> Outcome {
        if self.percentage >= 100.0 || fastrand::f64() * 100.0 < self.percentage {
            return Outcome::Cancelled;
        }
        Outcome::Unmatched
    }
}
