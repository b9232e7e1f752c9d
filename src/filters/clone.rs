//! Filter `clone`: makes copies of an event (logstash-filter-clone).

use crate::event::{Event, Key, TAGS, Value};
use crate::plugin::{Build, EcsMode, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "clone",
    summary: "Makes copies of an event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { clone { clones => ["audit"] add_field => { "copy" => "yes" } } }"#,
        input: &[r#"{"message":"m"}"#],
        output: &[r#"{"message":"m"}"#, r#"{"message":"m","tags":["audit"],"copy":"yes"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Clone::build(reader)?))),
};

options! {
    struct Options {
        /// One copy for each: it gets the word as a tag, or as its `type` without ECS field names.
        clones: Vec<String>,
    }
}

#[derive(Debug)]
struct Clone {
    words: Vec<String>,
    ecs: EcsMode,
}

impl Clone {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { clones } = Options::read(reader)?;
        if clones.is_empty() {
            tracing::warn!("the option clones of a clone filter is empty, so no clones will be created");
        }
        Some(Clone { words: clones, ecs: reader.ecs() })
    }
}

impl Filter for Clone {
    /// The common options apply to the copies, not to the event itself.
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        for word in &self.words {
            let mut copy = event.duplicate();
            if self.ecs.is_enabled() {
                add_tag(&mut copy, word);
            } else {
                copy.data_mut().insert(Key::const_new("type"), Value::from(word.as_str()));
            }
            emit.matched(copy);
        }
        Outcome::Unmatched
    }
}

/// Appends a tag, also one that the event has already.
fn add_tag(event: &mut Event, tag: &str) {
    let mut tags = match event.data_mut().get_mut(TAGS).map(std::mem::take) {
        Some(Value::Array(tags)) => tags,
        None | Some(Value::Null) => Vec::new(),
        Some(single) => vec![single],
    };
    tags.push(tag.into());
    event.data_mut().insert(Key::const_new(TAGS), Value::Array(tags));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_appended_even_twice() {
        let mut event = Event::new();
        event.data_mut().insert(TAGS, Value::from("a"));
        add_tag(&mut event, "a");
        assert_eq!(event.data().get(TAGS), Some(&Value::Array(vec!["a".into(), "a".into()])));
    }
}
