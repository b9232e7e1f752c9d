//! Codec `cef`: ArcSight's Common Event Format (logstash-codec-cef).

mod decode;
mod encode;
mod extension;
mod fields;
#[cfg(test)]
mod tests;
mod time;

use std::sync::Arc;

use crate::event::{Event, FieldReference, Template};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, OptionReader, Spec, choices, options};

use self::decode::Reader;
use self::encode::Writer;
use self::fields::Names;
use self::time::Times;
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "cef",
    summary: "The Common Event Format of ArcSight.",
    options: CefOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"output { stdout { codec => cef { vendor => "Example" fields => ["message"] } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        reader.text_only(&["delimiter", "locale"]);
        let options = CefOptions::read(reader)?;
        Some(Box::new(Cef::new(options, reader)?))
    }),
};

choices! {
    /// What the fields of the device are about.
    enum Device { Observer = "observer", Host = "host" }
}

options! {
    struct CefOptions {
        /// The vendor in the header that is written.
        vendor: Template = "Elasticsearch",
        /// The product in the header that is written.
        product: Template = "Logstash",
        /// The product's version in the header that is written.
        version: Template = "1.0",
        /// The id of the kind of event in the header that is written.
        signature: Template = "Logstash",
        /// The name of the event in the header that is written.
        name: Template = "Logstash",
        /// The severity in the header that is written, a whole number from 0 to 10; 6 where it is anything else.
        severity: Template = "6",
        /// The fields that are written as extensions.
        fields: Vec<String> = [],
        /// Whether the short keys of extensions are written, not the full names.
        reverse_mapping: bool = false,
        /// What stands between events; \r and \n in it are line breaks. Without it: each read is one event.
        delimiter: Option<String>,
        /// The time zone of times without one. Without it: that of this machine.
        default_timezone: Option<String>,
        /// The language of the names of months, such as de_DE. Without it: English.
        locale: Option<String>,
        /// A field for the text as it came.
        raw_data_field: Option<FieldReference>,
        /// Whether the fields of the device describe the observer or the host of the event.
        device: Device = "observer",
    }
}

#[derive(Debug)]
struct Cef {
    reader: Arc<Reader>,
    writer: Arc<Writer>,
    tokenizer: Option<Tokenizer>,
}

impl Cef {
    fn new(options: CefOptions, reader: &mut OptionReader<'_>) -> Option<Self> {
        let delimiter = options.delimiter.map(|text| text.replace("\\r", "\r").replace("\\n", "\n"));
        if delimiter.as_deref() == Some("") {
            reader.error("delimiter", "is empty, so that events would never end; leave it out");
            return None;
        }
        let times = match Times::new(options.default_timezone.as_deref(), options.locale.as_deref()) {
            Ok(times) => times,
            Err(error) => {
                reader.error("default_timezone", error);
                return None;
            }
        };
        let ecs = reader.ecs();
        let names = Arc::new(Names::new(ecs, options.device == Device::Host, options.reverse_mapping));
        let fields: Result<Vec<_>, _> = options
            .fields
            .iter()
            .map(|name| FieldReference::parse(name).map(|field| (name, field)))
            .collect();
        let fields = match fields {
            Ok(fields) => fields,
            Err(error) => {
                reader.error("fields", error.to_string());
                return None;
            }
        };
        let writer = Writer {
            header: [options.vendor, options.product, options.version, options.signature, options.name],
            severity: options.severity,
            fields: fields
                .into_iter()
                .map(|(name, field)| (field, encode::extension_key(names.encode(name))))
                .collect(),
            delimiter: delimiter.clone().unwrap_or_default(),
        };
        let tokenizer = delimiter.map(|delimiter| Tokenizer::new(delimiter.as_bytes()));
        let reader = Reader::new(ecs, names, times, options.raw_data_field);
        Some(Cef { reader: Arc::new(reader), writer: Arc::new(writer), tokenizer })
    }
}

impl Codec for Cef {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let Cef { reader, tokenizer, .. } = self;
        match tokenizer {
            Some(tokenizer) => tokenizer.extract(bytes, |token| emit(event_of(reader, token))),
            None => emit(reader.read(bytes)),
        }
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let Cef { reader, tokenizer, .. } = self;
        if let Some(tokenizer) = tokenizer {
            tokenizer.flush(|token| emit(event_of(reader, token)));
        }
    }

    fn held(&self) -> usize {
        self.tokenizer.as_ref().map_or(0, Tokenizer::held)
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.writer.write(event, out)
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Cef {
            reader: Arc::clone(&self.reader),
            writer: Arc::clone(&self.writer),
            tokenizer: self.tokenizer.as_ref().map(Tokenizer::fresh),
        })
    }
}

fn event_of(reader: &Reader, token: Token<'_>) -> Event {
    let (Token::Whole(text) | Token::Cut(text)) = token;
    reader.read(text)
}
