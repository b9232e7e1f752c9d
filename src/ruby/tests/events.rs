//! Events in scripts.

use crate::event::{Event, Object, json};
use crate::ruby::{Args, World, survey};

/// An event's fields without those of every event, sorted by name, as JSON.
fn fields(event: &Event) -> String {
    let mut fields: Vec<_> = event.data().iter().filter(|(key, _)| !key.starts_with('@')).collect();
    fields.sort_by_key(|(key, _)| *key);
    let object: Object = fields.into_iter().map(|(key, value)| (key, value.clone())).collect();
    let mut out = String::new();
    json::push_object(&mut out, &object);
    out
}

/// Runs code on events one after the other and prints what became of them.
fn filtered(code: &str, events: &[&str]) -> Vec<String> {
    let mut world = World::new();
    let (code, slot) = world.with(|interp| {
        let host = interp.new_host("Test");
        let code = interp.load_code(code, "(test)", "event", &host).expect("must compile");
        (interp.keep(code), interp.new_event_slot())
    });
    let mut printed = Vec::new();
    for text in events {
        let Ok(crate::event::Value::Object(object)) = json::parse(text, json::Decimals::Double) else {
            panic!()
        };
        let mut event = Event::from_object(*object).unwrap();
        let failure = world.with(|interp| {
            let code = interp.kept(code);
            interp.with_event(slot, &mut event, |interp, object| {
                let result = interp.run_code(&code, Args::of(std::slice::from_ref(object)));
                result.err().map(|control| interp.failure(control).to_string())
            })
        });
        let failure = failure.unwrap_or_else(|failure| Some(failure.to_string()));
        printed.push(failure.unwrap_or_else(|| fields(&event)));
    }
    printed
}

#[test]
fn what_a_script_keeps_of_an_event_is_the_event_it_was() {
    let code = "event.set('before', @last.get('n')) if @last; @last = event";
    assert_eq!(filtered(code, &["{\"n\":1}", "{\"n\":2}"]), ["{\"n\":1}", "{\"before\":1,\"n\":2}"]);
}

#[test]
fn texts_change_in_place_and_containers_do_not() {
    let change = "s = event.get('s'); s << '!'; event.get('h')['k'] << '?'; event.get('a')[0] = 5";
    let event = "{\"s\":\"x\",\"h\":{\"k\":\"y\"},\"a\":[1]}";
    assert_eq!(filtered(change, &[event]), ["{\"a\":[1],\"h\":{\"k\":\"y?\"},\"s\":\"x!\"}"]);
    // A text that is no longer in the event changes nothing in it.
    let replaced = "s = event.get('s'); event.set('s', 'new'); s << '!'";
    assert_eq!(filtered(replaced, &["{\"s\":\"x\"}"]), ["{\"s\":\"new\"}"]);
}

#[test]
fn what_no_field_can_hold_is_refused() {
    assert!(filtered("event.set('r', 1..2)", &["{}"])[0].contains("Range"));
    assert!(filtered("event.set('a', Object.new)", &["{}"])[0].contains("Object"));
    assert!(filtered("event.set('[a', 1)", &["{}"])[0].contains("Invalid FieldReference"));
    assert!(filtered("event.set('@timestamp', 'now')", &["{}"])[0].contains("LogStash::Timestamp"));
}

#[test]
fn scripts_that_keep_state_are_told_from_those_that_do_not() {
    let keeps = |code: &str, init: Option<&str>| {
        let mut parts = vec![(code, Some("event"))];
        parts.extend(init.map(|init| (init, None)));
        survey("(test)", &parts).unwrap().keeps_state
    };
    assert!(!keeps("event.set('a', event.get('b') + 1)", None));
    assert!(!keeps("event.set('a', @names.zip(event.get('m')))", Some("@names = ['a', 'b']")));
    assert!(!keeps("x = []; x << 1; event.set('a', x)", None));
    assert!(keeps("@n += 1", Some("@n = 0")));
    assert!(keeps("@seen[event.get('id')] = true", Some("@seen = {}")));
    assert!(keeps("@list << event.get('id')", Some("@list = []")));
    assert!(keeps("$n = 1", None));
    assert!(keeps("count()", Some("def count; @@n += 1; end")));
    assert!(keeps("@f.call", Some("@n = 0; @f = lambda { @n += 1 }")));
    assert!(keeps("@f.call", Some("n = 0; @f = lambda { n += 1 }")));
    assert!(keeps("SEEN[event.get('id')] = 1", Some("SEEN = {}")));
    assert!(!keeps("event.set('a', NAMES[event.get('id')])", Some("NAMES = {'a' => 1}")));
    assert!(!keeps("n = 0; [1].each { n += 1 }; event.set('n', n)", None));
}
