//! Tests of the filter `metrics` with flushes as the pipeline calls them.

use super::*;
use crate::plugin::testkit;

fn metrics(options: &str) -> Box<dyn Filter> {
    testkit::filter(&format!("filter {{ metrics {{ {options} }} }}"), &testkit::context()).unwrap()
}

fn feed(filter: &dyn Filter, events: &[&str]) {
    for event in events {
        assert_eq!(filter.filter(&mut testkit::event(event), &mut Emit::default()), Outcome::Unmatched);
    }
}

fn flush(filter: &dyn Filter) -> Option<Event> {
    let mut emit = Emit::default();
    filter.flush(false, &mut emit);
    let emitted = emit.drain().next()?;
    assert!(emitted.decorate);
    Some(emitted.event)
}

fn count(event: &Event, name: &str) -> Option<Value> {
    event.get(&FieldReference::parse(&format!("[{name}][count]")).unwrap()).cloned()
}

#[test]
fn intervals_are_counted_in_flushes() {
    let filter = metrics("meter => [\"e\"] flush_interval => 10 clear_interval => 20");
    feed(&*filter, &["{}", "{}"]);
    assert!(flush(&*filter).is_none());
    assert_eq!(count(&flush(&*filter).unwrap(), "e"), Some(Value::Int(2)));
    feed(&*filter, &["{}"]);
    assert!(flush(&*filter).is_none());
    assert_eq!(count(&flush(&*filter).unwrap(), "e"), Some(Value::Int(3)));
    // 20 seconds have passed: all begins anew, and nothing is reported before there is something.
    assert!(flush(&*filter).is_none() && flush(&*filter).is_none());
    feed(&*filter, &["{}"]);
    assert_eq!(count(&flush(&*filter).unwrap(), "e"), Some(Value::Int(1)));
}

#[test]
fn names_may_nest() {
    let filter = metrics("meter => [\"[a][%{k}]\", \"[a]\"] rates => []");
    feed(&*filter, &[r#"{"k":"x"}"#]);
    let event = flush(&*filter).unwrap();
    assert_eq!(count(&event, "[a][x]"), Some(Value::Int(1)));
    assert_eq!(count(&event, "a"), Some(Value::Int(1)));
}

#[test]
fn timers_take_what_a_text_begins_with() {
    let filter = metrics("timer => { \"t\" => \"%{ms}\" } rates => [] percentiles => [99.5]");
    feed(&*filter, &[r#"{"ms":"8 ms"}"#, r#"{"ms":-1}"#, r#"{"other":1}"#]);
    let event = flush(&*filter).unwrap();
    let Some(Value::Object(timer)) = event.data().get("t") else { panic!("{event:?}") };
    // The missing field reads as 0, the negative value does not count.
    assert_eq!(timer.get("count"), Some(&Value::Int(2)));
    assert_eq!(timer.get("mean"), Some(&Value::Float(4.0)));
    assert_eq!(timer.get("p99.5"), Some(&Value::Float(8.0)));
}

#[test]
fn old_events_do_not_count() {
    let filter = metrics("meter => [\"e\"] ignore_older_than => 3600");
    feed(&*filter, &[r#"{"@timestamp":"2001-01-01T00:00:00Z"}"#]);
    assert!(flush(&*filter).is_none());
    feed(&*filter, &["{}"]);
    assert!(flush(&*filter).is_some());
}

#[test]
fn figures_that_cannot_be_are_refused() {
    for options in ["rates => [2]", "rates => [\"1\"]", "percentiles => [101]", "percentiles => [\"50\"]"] {
        let config = format!("filter {{ metrics {{ {options} }} }}");
        assert!(testkit::filter(&config, &testkit::context()).is_err(), "{options}");
    }
}
