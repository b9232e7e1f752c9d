//! Codec `msgpack`: one MessagePack map per message (logstash-codec-msgpack).

use crate::event::{Event, FieldReference, Template, Value};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::{packed, target};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "msgpack",
    summary: "MessagePack, one map per message.",
    options: Msgpack::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { stdout { codec => msgpack } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(Msgpack::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct Msgpack {
        /// The message of events that have none.
        format: Option<Template>,
        /// The field that gets the map. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

impl Msgpack {
    fn event_of(&self, bytes: &[u8]) -> Result<Event, String> {
        let (value, end) = packed::read(bytes)?;
        if end < bytes.len() {
            return Err(format!("{} bytes follow the value", bytes.len() - end));
        }
        let mut event = target::event_of(packed::to_value(value)?, self.target.as_ref())?;
        if let Some(format) = &self.format
            && event.data().get("message").is_none_or(Value::is_null)
        {
            let message = format.render(&event).map_err(|error| error.to_string())?;
            event.data_mut().insert("message", message.into());
        }
        Ok(event)
    }
}

impl Codec for Msgpack {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(
            self.event_of(bytes).unwrap_or_else(|error| {
                target::failure(SPEC.name, bytes, Some("_msgpackparsefailure"), &error)
            }),
        );
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        packed::write(&packed::of_object(event.data())?, out)
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::codecs::testkit::{codec, data, decode_one, event, show, tags};
    use crate::plugin::EcsMode;

    #[test]
    fn maps_of_the_specification() {
        // {"compact": true, "schema": 0}, the example of msgpack.org.
        let bytes = b"\x82\xa7compact\xc3\xa6schema\x00";
        assert_eq!(
            data(&decode_one("msgpack", EcsMode::V8, bytes)[0]),
            json!({"compact": true, "schema": 0})
        );
        let bytes = b"\x86\xa1a\xcb\x3f\xf8\0\0\0\0\0\0\x01\x92\xc0\xff\xa1b\xc4\x02hi\xa1c\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1d\xca\x3f\0\0\0\xa1e\xd1\x80\0";
        assert_eq!(
            data(&decode_one("msgpack", EcsMode::V8, bytes)[0]),
            json!({"a": 1.5, "1": [null, -1], "b": "hi", "c": u64::MAX, "d": 0.5, "e": -32768})
        );
    }

    #[test]
    fn the_message_may_be_made_of_fields() {
        let options = r#"msgpack { format => "%{a}!" }"#;
        assert_eq!(show(&decode_one(options, EcsMode::V8, b"\x81\xa1a\xa1x")[0], "message"), "x!");
        let given = b"\x82\xa1a\xa1x\xa7message\xa1m";
        assert_eq!(show(&decode_one(options, EcsMode::V8, given)[0], "message"), "m");
        let targeted = decode_one("msgpack { target => 'doc' }", EcsMode::V8, b"\x93\x01\x02\x03");
        assert_eq!(data(&targeted[0]), json!({"doc": [1, 2, 3]}));
    }

    #[test]
    fn what_is_not_one_map_is_the_message() {
        let deep = vec![0x91; 100_000];
        let (huge_array, huge_text) = (b"\xdd\xff\xff\xff\xff\x01", b"\xdb\xff\xff\xff\xff\x01");
        let cases: [&[u8]; 8] =
            [b"", b"\x81", b"\x01", b"\x80\x80", b"\x81\xa1a\xd4\x01\x01", &deep, huge_array, huge_text];
        for bytes in cases {
            assert_eq!(
                tags(&decode_one("msgpack", EcsMode::V8, bytes)[0]),
                ["_msgpackparsefailure"],
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn events_are_packed_with_their_time_as_text() {
        let codec = codec("msgpack", EcsMode::V8).unwrap();
        let mut out = Vec::new();
        let event = event(r#"{"@timestamp":"2024-05-06T07:08:09.123Z","a":[1,null,{"b":-1.5}]}"#);
        codec.encode(&event, &mut out).unwrap();
        let expected = b"\x83\xaa@timestamp\xb82024-05-06T07:08:09.123Z\xa1a\x93\x01\xc0\x81\xa1b\xcb\xbf\xf8\0\0\0\0\0\0\xa8@version\xa11";
        assert_eq!(out, expected);
        let big = crate::codecs::testkit::event(r#"{"n":123456789012345678901234567890}"#);
        assert!(codec.encode(&big, &mut Vec::new()).is_err());
    }
}
