//! The codecs against cases recorded from Logstash 9.5.2 (fixtures/codecs), and what no case shows.

use std::path::Path;

use crate::event::json::{self, Decimals};
use crate::event::text::push_ruby_string;
use crate::event::{Event, FieldReference, METADATA, Object, TIMESTAMP, Timestamp, VERSION, Value};
use crate::plugin::EcsMode;

use super::testkit::{codec, decode, encode};

/// The cases of a fixture.
fn cases(name: &str) -> Vec<Object> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let case = |line| match json::parse(line, Decimals::Double) {
        Ok(Value::Object(case)) => *case,
        other => panic!("{line}: {other:?}"),
    };
    text.lines().map(case).collect()
}

fn field<'v>(object: &'v Object, path: &[&str]) -> Option<&'v Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(object, |object, key| object.get(key)?.as_object())?;
    parent.get(last)
}

fn text<'v>(object: &'v Object, path: &[&str]) -> &'v str {
    field(object, path).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'v>(object: &'v Object, path: &[&str]) -> Vec<&'v str> {
    field(object, path)
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

fn ecs(case: &Object) -> EcsMode {
    EcsMode::parse(text(case, &["settings", "pipeline.ecs_compatibility"])).unwrap_or_default()
}

/// The same value with the keys of every object sorted as they are printed, which is how the cases have them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.sort_by_cached_key(|(key, _)| {
                let mut printed = String::new();
                push_ruby_string(&mut printed, key);
                printed
            });
            Value::from(fields.into_iter().collect::<Object>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// The event of recorded data, without fields that a new event has on its own.
fn event(data: &Value) -> Event {
    let Value::Object(object) = sorted(data) else { panic!("{data:?} is no event") };
    let mut event = Event::from_object((*object).clone()).unwrap();
    let own = [TIMESTAMP, VERSION];
    own.iter().filter(|name| !object.contains_key(name)).for_each(|name| _ = event.data_mut().remove(name));
    let Value::Object(in_order) = sorted(&Value::from(event.data().clone())) else { return event };
    *event.data_mut() = *in_order;
    event
}

#[test]
fn recorded_cases_of_decoding() {
    for case in cases("decode.jsonl") {
        let name = text(&case, &["name"]);
        let made = codec(text(&case, &["codec"]), ecs(&case));
        if field(&case, &["expect", "ok"]) == Some(&Value::Bool(false)) {
            assert!(made.is_err(), "{name} is accepted");
            continue;
        }
        let mut codec = made.unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let input = texts(&case, &["input"]);
        let pieces: Vec<_> = input.iter().map(|piece| piece.as_bytes()).collect();
        let expected = texts(&case, &["expect", "json"]);
        let events = decode(&mut *codec, &pieces);
        let json: Vec<String> = events
            .iter()
            .map(|event| {
                let mut data = event.data().clone();
                if text(&case, &["config"]).contains("remove_field") {
                    data.remove(TIMESTAMP);
                }
                let mut out = Vec::new();
                json::write_value(&mut out, &sorted(&Value::from(data)));
                String::from_utf8(out).unwrap()
            })
            .collect();
        assert_eq!(json, expected, "{name}");
        let recorded = field(&case, &["expect", "events"]).and_then(Value::as_array).unwrap_or_default();
        for (event, recorded) in events.iter().zip(recorded) {
            let metadata = recorded.as_object().and_then(|fields| fields.get(METADATA)?.as_object());
            assert_eq!(event.metadata(), metadata.unwrap_or(&Object::new()), "{name}");
        }
    }
}

#[test]
fn recorded_cases_of_encoding() {
    for case in cases("encode.jsonl") {
        let name = text(&case, &["name"]);
        let (_, config) = text(&case, &["config"]).split_once("codec => ").unwrap();
        let codec = codec(config.trim_end_matches(" } }"), ecs(&case));
        let codec = codec.unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let events = field(&case, &["expect", "events"]).and_then(Value::as_array).unwrap_or_default();
        let printed: String = events.iter().map(|data| encode(&*codec, &event(data))).collect();
        assert_eq!(printed, text(&case, &["expect", "stdout"]), "{name}");
    }
}

#[test]
fn recorded_cases_of_rubydebug() {
    for case in cases("rubydebug.jsonl") {
        let name = text(&case, &["name"]);
        let codec = codec("rubydebug", ecs(&case)).unwrap();
        let events = field(&case, &["expect", "events"]).and_then(Value::as_array).unwrap_or_default();
        let printed: Vec<_> = events.iter().map(|data| encode(&*codec, &event(data))).collect();
        assert_eq!(printed, texts(&case, &["expect", "rubydebug"]), "{name}");
    }
}

fn sample() -> Event {
    let text = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","@metadata":{"a":{"b":1}},"s":"x\ny",
        "n":[1,2.5,1e20,123456789012345678901234567890,true,null,[],{}],"o":{"k":"v"}}"#;
    let Value::Object(object) = json::parse(text, Decimals::Double).unwrap() else { panic!() };
    Event::from_object(*object).unwrap()
}

#[test]
fn rubydebug_prints_metadata_when_asked() {
    let codec = codec("rubydebug { metadata => true }", EcsMode::V8).unwrap();
    let printed = encode(&*codec, &sample());
    let expected = "{\n     \"@metadata\" => {\n        \"a\" => {\n            \"b\" => 1\n        }\n    },\n    \"@timestamp\" =>";
    assert!(printed.starts_with(expected), "{printed}");
}

#[test]
fn rubydebug_prints_timestamps_bare_and_decimals_in_full() {
    let mut event = sample();
    *event.data_mut() = Object::new();
    event.data_mut().insert("t", Value::Timestamp(Timestamp::parse("2020-01-02T03:04:05.678Z").unwrap()));
    for (name, number) in
        [("a", "1.50"), ("b", "1e30"), ("c", "0.0000001234567890123456789"), ("d", "1e100000")]
    {
        event.data_mut().insert(name, json::parse(number, Decimals::Lossless).unwrap());
    }
    let printed = encode(&*codec("rubydebug", EcsMode::V8).unwrap(), &event);
    assert!(printed.contains("\"t\" => 2020-01-02T03:04:05.678Z,\n"), "{printed}");
    // As Ruby's BigDecimal#to_s("F") prints them, but for the last, which is kept short.
    assert!(printed.contains("\"c\" => 0.0000001234567890123456789,\n"), "{printed}");
    assert!(printed.contains("\"d\" => 1E+100000\n"), "{printed}");
}

/// Takes the escape sequences of colours out.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = sequence.split_once('m').unwrap().1;
    }
    plain + rest
}

#[test]
fn colours_change_nothing_else() {
    for name in ["json", "json_lines", "rubydebug", "rubydebug { metadata => true }"] {
        let codec = codec(name, EcsMode::V8).unwrap();
        let mut out = Vec::new();
        codec.encode_for_terminal(&sample(), &mut out).unwrap();
        let coloured = String::from_utf8(out).unwrap();
        let plain = encode(&*codec, &sample());
        assert_ne!(coloured, plain, "{name}");
        assert_eq!(without_colours(&coloured), plain, "{name}");
    }
    for name in ["plain", "line", "dots"] {
        let codec = codec(name, EcsMode::V8).unwrap();
        let mut out = Vec::new();
        codec.encode_for_terminal(&sample(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), encode(&*codec, &sample()), "{name}");
    }
}

#[test]
fn dots_are_dots() {
    assert_eq!(encode(&*codec("dots", EcsMode::V8).unwrap(), &sample()), ".");
}

#[test]
fn what_only_encodes_keeps_the_data() {
    for name in ["dots", "rubydebug"] {
        let events = decode(&mut *codec(name, EcsMode::V8).unwrap(), &[b"text"]);
        let data = events.first().unwrap().data();
        assert_eq!(data.get("message"), Some(&Value::from("text")));
        assert_eq!(data.get("tags"), Some(&Value::Array(vec![format!("_{name}decodefailure").into()])));
    }
}

#[test]
fn long_lines_of_json_are_cut_and_the_next_one_is_read() {
    let mut codec = codec("json_lines { decode_size_limit_bytes => 10 }", EcsMode::V8).unwrap();
    let events = decode(&mut *codec, &[b"{\"a\":1}\n{\"a\":\"01234", b"56789\"}\n{\"a\":2}\n"]);
    let field = |name: &str| {
        let field = FieldReference::top_level(name);
        events.iter().map(|event| event.get(&field).cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(field("a"), [Value::Int(1), Value::Null, Value::Int(2)]);
    assert_eq!(field("message"), [Value::Null, Value::from("{\"a\":\"0123"), Value::Null]);
    assert_eq!(field("tags"), [Value::Null, Value::Array(vec!["_jsonparsefailure".into()]), Value::Null]);
}

#[test]
fn what_cannot_work_is_refused() {
    for (text, part) in [
        ("line { delimiter => \"\" }", "delimiter"),
        ("json_lines { delimiter => \"\" }", "delimiter"),
        ("json_lines { decode_size_limit_bytes => 0 }", "decode_size_limit_bytes"),
        ("plain { charset => \"UTF-7\" }", "UTF-7"),
        ("plain { charset => \"utf-8\" }", "utf-8"),
        ("rubydebug { metadata => \"yes\" }", "metadata"),
    ] {
        let problems = codec(text, EcsMode::V8).err().unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(problems.iter().any(|problem| problem.message.contains(part)), "{text}: {problems:?}");
    }
}

#[test]
fn null_is_an_event_in_an_array_only() {
    let mut codec = codec("json", EcsMode::Disabled).unwrap();
    let events = decode(&mut *codec, &[b"null", b"[null]", b"[null,null]"]);
    let tagged: Vec<_> = events.iter().map(|event| event.data().contains_key("tags")).collect();
    assert_eq!(tagged, [true, false, false, false]);
}

#[test]
fn a_broken_format_fails_to_encode() {
    let codec = codec("plain { format => \"%{[a}\" }", EcsMode::V8).unwrap();
    assert!(codec.encode(&sample(), &mut Vec::new()).is_err());
}

#[test]
fn a_fresh_codec_has_seen_nothing() {
    for name in ["line", "json_lines"] {
        let mut codec = codec(name, EcsMode::Disabled).unwrap();
        codec.decode(b"{\"a\":1}", &mut |_| panic!("{name}: there is no line yet"));
        assert!(decode(&mut *codec.fresh(), &[]).is_empty(), "{name}");
        assert_eq!(decode(&mut *codec, &[]).len(), 1, "{name}");
    }
}
