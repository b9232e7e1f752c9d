//! Codec `cloudfront`: the access logs of Amazon CloudFront, compressed (logstash-integration-aws).

use crate::event::{Event, Value};
use crate::plugin::{Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::{gzip, target, text};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "cloudfront",
    summary: "Access logs of Amazon CloudFront, in gzip files.",
    options: Cloudfront::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "input { stdin { codec => cloudfront } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(Cloudfront::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct Cloudfront {
        /// The character encoding of the text.
        charset: Charset = "UTF-8",
    }
}

impl Codec for Cloudfront {
    /// Takes a whole file: two lines that describe it, then one event a line.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let (mut version, mut fields) = (Value::Null, Value::Null);
        let mut number = 0_u64;
        let read = gzip::each_line(bytes, |line| {
            number += 1;
            let line = self.charset.decode(line);
            match number {
                1 => version = header(&line, "#Version: "),
                2 => fields = header(&line, "#Fields: "),
                _ => {
                    let mut event = Event::from_message(line.into_owned());
                    event.data_mut().insert("cloudfront_version", version.clone());
                    event.data_mut().insert("cloudfront_fields", fields.clone());
                    emit(event);
                }
            }
        });
        if let Err(error) = read {
            emit(target::failure(SPEC.name, bytes, Some("_cloudfrontdecodefailure"), &error.to_string()));
        }
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

/// What a line of the head tells; null where it is another line.
fn header(line: &str, name: &str) -> Value {
    match line.trim().strip_prefix(name) {
        Some(value) if !value.is_empty() => Value::from(value),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use crate::codecs::testkit::{data, decode_one, tags};
    use crate::plugin::EcsMode;

    fn events(text: &str) -> Vec<serde_json::Value> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        decode_one("cloudfront", EcsMode::V8, &encoder.finish().unwrap()).iter().map(data).collect()
    }

    #[test]
    fn every_line_has_the_head_of_its_file() {
        assert_eq!(
            events("#Version: 1.0\n#Fields: date time c-ip\n2024-05-06\t07:08:09\t1.2.3.4\nx\n"),
            [
                json!({"message": "2024-05-06\t07:08:09\t1.2.3.4\n", "cloudfront_version": "1.0",
                    "cloudfront_fields": "date time c-ip"}),
                json!({"message": "x\n", "cloudfront_version": "1.0", "cloudfront_fields": "date time c-ip"})
            ]
        );
        assert_eq!(
            events("a\nb\nc"),
            [json!({"message": "c", "cloudfront_version": null, "cloudfront_fields": null})]
        );
        assert!(events("").is_empty());
    }

    #[test]
    fn what_is_not_compressed_is_kept() {
        let failed = decode_one("cloudfront", EcsMode::V8, b"#Version: 1.0\n");
        assert_eq!(tags(&failed[0]), ["_cloudfrontdecodefailure"]);
    }
}
