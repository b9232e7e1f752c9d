//! Codec `cloudtrail`: the records of AWS CloudTrail (logstash-integration-aws).

use std::net::IpAddr;

use crate::event::json::{self, Decimals};
use crate::event::{Event, Object, TIMESTAMP, Value};
use crate::plugin::{Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::{target, text};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "cloudtrail",
    summary: "Records of AWS CloudTrail: each one is an event.",
    options: CloudTrail::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "input { stdin { codec => cloudtrail } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(CloudTrail::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct CloudTrail {
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
    }
}

impl Codec for CloudTrail {
    /// Takes a whole document, an object with a list `Records`.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let mut fail =
            |error: &str| emit(target::failure(SPEC.name, bytes, Some("_cloudtraildecodefailure"), error));
        let document = match json::parse(&self.charset.decode(bytes), Decimals::Exact) {
            Ok(Value::Object(document)) => document,
            Ok(other) => return fail(&format!("found {}, but records come in an object", other.kind())),
            Err(error) => return fail(&error.to_string()),
        };
        let mut document = *document;
        let records = match document.remove("Records") {
            None | Some(Value::Null) => return,
            Some(Value::Array(records)) => records,
            Some(other) => return fail(&format!("found {}, but Records is an array", other.kind())),
        };
        for record in records {
            match record_event(record) {
                Ok(event) => emit(event),
                Err(error) => tracing::warn!(error, "a record of CloudTrail makes no event"),
            }
        }
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

fn record_event(record: Value) -> Result<Event, String> {
    let Value::Object(mut record) = record else {
        return Err(format!("found {}, but a record is an object", record.kind()));
    };
    let time = record.remove("eventTime").unwrap_or_default();
    record.insert(TIMESTAMP, time);
    if let Some(Value::Object(parameters)) = record.get_mut("requestParameters")
        && let Some(flag) = parameters.get_mut("disableApiTermination")
        && flag.as_object().is_none()
    {
        // Some records have the bare value where others have an object: one kind for all of them.
        let bare = std::mem::take(flag);
        *flag = Value::from([("value", bare)].into_iter().collect::<Object>());
    }
    // What is no address is the name of a service.
    let is_address = |value: &Value| value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok());
    if record.get("sourceIpAddress").is_some_and(|source| !source.is_null() && !is_address(source))
        && let Some(source) = record.remove("sourceIpAddress")
    {
        record.insert("sourceHost", source);
    }
    Event::from_object(*record).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::codecs::testkit::{data, decode_one, show, tags};
    use crate::plugin::EcsMode;

    #[test]
    fn records_become_events_of_their_time() {
        let text = r#"{"Records":[
            {"eventTime":"2012-12-12T07:08:09Z","sourceIpAddress":"1.2.3.4","requestParameters":{"disableApiTermination":true}},
            {"eventTime":"2012-12-12T07:08:10Z","sourceIpAddress":"autoscaling.amazonaws.com",
             "requestParameters":{"disableApiTermination":{"value":false}}},
            {"sourceIpAddress":"::1","requestParameters":null}, 5]}"#;
        let events = decode_one("cloudtrail", EcsMode::V8, text.as_bytes());
        assert_eq!(show(&events[0], "@timestamp"), "2012-12-12T07:08:09.000Z");
        assert_eq!(
            events.iter().map(data).collect::<Vec<_>>(),
            [
                json!({"sourceIpAddress": "1.2.3.4", "requestParameters": {"disableApiTermination": {"value": true}}}),
                json!({"sourceHost": "autoscaling.amazonaws.com",
                    "requestParameters": {"disableApiTermination": {"value": false}}}),
                json!({"sourceIpAddress": "::1", "requestParameters": null})
            ]
        );
    }

    #[test]
    fn other_documents_are_kept_or_empty() {
        for text in ["{", "[]", r#"{"Records":5}"#] {
            assert_eq!(
                tags(&decode_one("cloudtrail", EcsMode::V8, text.as_bytes())[0]),
                ["_cloudtraildecodefailure"]
            );
        }
        for text in ["{}", r#"{"Records":null}"#, r#"{"Records":[]}"#] {
            assert!(decode_one("cloudtrail", EcsMode::V8, text.as_bytes()).is_empty());
        }
    }
}
