//! Codec `protobuf`: one protocol buffer message per message (logstash-codec-protobuf).
//!
//! Definitions are the Ruby files that protoc makes for Logstash, read without running them, or descriptor sets
//! (`protoc --descriptor_set_out`), which Logstash does not take.

mod decode;
mod definitions;
mod encode;
mod ruby;
mod ruby2;
mod ruby_text;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use prost_reflect::{DynamicMessage, MessageDescriptor};

use crate::event::{Event, FieldReference, Value};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, OptionReader, Spec, choices, options};

use super::target;

/// The tag of what cannot be read.
const FAILURE_TAG: &str = "_protobufdecodefailure";

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "protobuf",
    summary: "Protocol buffers, one message of one class per message.",
    options: ProtobufOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"input { stdin { codec => protobuf { class_name => "animals.Cat" class_file => "fixtures/codecs/animals_pb.rb" protobuf_version => 3 } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = ProtobufOptions::read(reader)?;
        let class = load(&options, reader)?;
        Some(Box::new(Protobuf {
            class,
            version: options.protobuf_version,
            stop_on_error: options.stop_on_error,
            converts: options.pb3_encoder_autoconvert_types,
            oneof_field: match options.pb3_set_oneof_metainfo {
                true => Some(FieldReference::parse("[@metadata][pb_oneof]").ok()?),
                false => None,
            },
        }))
    }),
};

choices! {
    /// The version of protocol buffers that the definitions are made for.
    enum Version { Two = "2", Three = "3" }
}

options! {
    struct ProtobufOptions {
        /// The message's class: `package.Name` for version 3, `Module::Name` for version 2.
        class_name: String,
        /// The file that defines the class, made by protoc: Ruby, or a descriptor set.
        class_file: String = "",
        /// The folder that class_file and what it requires are looked for in.
        protobuf_root_directory: Option<PathBuf>,
        /// Files that define the class, where there are several; what one needs comes before it.
        include_path: Vec<PathBuf> = [],
        /// The version of protocol buffers.
        protobuf_version: Version = 2,
        /// Whether data that cannot be read is an error in the log. It is kept as a tagged event either way.
        stop_on_error: bool = false,
        /// Whether values of other types are converted where events are written.
        pb3_encoder_autoconvert_types: bool = true,
        /// Whether `[@metadata][pb_oneof]` tells which field of each oneof is set.
        pb3_set_oneof_metainfo: bool = false,
    }
}

fn load(options: &ProtobufOptions, reader: &mut OptionReader<'_>) -> Option<MessageDescriptor> {
    let class_file = options.class_file.trim();
    let (option, files) = match (class_file.is_empty(), options.include_path.is_empty()) {
        (true, true) => {
            reader.error("class_name", "needs its definition: give class_file or include_path");
            return None;
        }
        (false, false) => {
            reader.error("include_path", "cannot be used together with class_file");
            return None;
        }
        (false, true) => ("class_file", vec![PathBuf::from(class_file)]),
        (true, false) => ("include_path", options.include_path.clone()),
    };
    let loaded = definitions::load(&files, options.protobuf_root_directory.as_deref());
    let pool = loaded.map_err(|error| reader.error(option, error)).ok()?;
    let class = options.class_name.as_str();
    let names =
        [class.trim_start_matches("::").to_owned(), class.trim_start_matches("::").replace("::", ".")];
    let found = names.iter().find_map(|name| pool.get_message_by_name(&definitions::path_name(name)));
    if found.is_none() {
        reader.error("class_name", format!("{class} is not defined in the files of {option}"));
    }
    found
}

#[derive(Debug, Clone)]
struct Protobuf {
    class: MessageDescriptor,
    version: Version,
    stop_on_error: bool,
    converts: bool,
    /// Where the set fields of oneofs are told.
    oneof_field: Option<FieldReference>,
}

impl Protobuf {
    fn event_of(&self, bytes: &[u8]) -> Result<Event, String> {
        let message = DynamicMessage::decode(self.class.clone(), bytes).map_err(|error| error.to_string())?;
        if self.version == Version::Two {
            return target::event_of(Value::from(decode::set_fields(&message)), None);
        }
        let mut event = target::event_of(Value::from(decode::all_fields(&message)), None)?;
        if let Some(field) = &self.oneof_field {
            let set = decode::oneofs(&message);
            event.set(field, set).map_err(|error| error.to_string())?;
        }
        Ok(event)
    }
}

impl Codec for Protobuf {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(self.event_of(bytes).unwrap_or_else(|error| {
            if self.stop_on_error {
                tracing::error!(error, "couldn't decode protobuf");
            }
            let mut event = target::failure(SPEC.name, bytes, Some(FAILURE_TAG), &error);
            event.data_mut().insert("decoder_exception", error.into());
            event
        }));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let converts = self.converts && self.version == Version::Three;
        let message = encode::message(&self.class, event.data(), converts)
            .map_err(|error| EncodeError(format!("the event is not a {}: {error}", self.class.name())))?;
        out.extend_from_slice(&prost_reflect::prost::Message::encode_to_vec(&message));
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
