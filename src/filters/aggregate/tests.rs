//! What no recorded case shows: maps that outlive a run.

use super::*;
use crate::plugin::testkit::{context, fields, filter};

const COUNT: &str =
    "task_id => '%{id}' code => 'map[\"n\"] ||= 0; map[\"n\"] += 1; event.set(\"n\", map[\"n\"])'";

fn event(id: &str) -> Event {
    let mut event = Event::new();
    event.data_mut().insert("id", Value::from(id));
    event
}

/// Runs one event through a filter and returns its fields.
fn one(config: &str, id: &str) -> String {
    let filter = filter(config, &context()).unwrap();
    let mut event = event(id);
    filter.filter(&mut event, &mut Emit::default());
    fields(&event)
}

#[test]
fn maps_are_kept_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maps");
    let config = format!("filter {{ aggregate {{ {COUNT} aggregate_maps_path => '{}' }} }}", path.display());
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":1}"#);
    assert!(path.exists());
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":2}"#);
    // A filter that never saw an event leaves the file alone.
    drop(filter(&config, &context()).unwrap());
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":3}"#);
    std::fs::write(&path, b"\x04\x08{\0").unwrap();
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":1}"#);
}

#[test]
fn tasks_of_other_pipelines_are_others() {
    let config = format!("filter {{ aggregate {{ {COUNT} }} }}");
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":1}"#);
    assert_eq!(one(&config, "a"), r#"{"id":"a","n":1}"#);
}
