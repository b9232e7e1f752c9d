//! Reads the Ruby files that protoc makes for version 3: `add_message`, `optional`, `map`, `oneof`, `add_enum`. Files for
//! version 2 are told apart and read by [`ruby2`](super::ruby2).

use std::sync::LazyLock;

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, MessageOptions, OneofDescriptorProto,
};
use regex::{Captures, Regex};

use super::definitions::Parsed;
use super::{ruby_text, ruby2};

/// What a line may be, in the order they are tried.
struct Patterns {
    file: Regex,
    message: Regex,
    enumeration: Regex,
    value: Regex,
    oneof: Regex,
    map: Regex,
    field: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        file: Regex::new(r#"^add_file\s*\(?\s*"([^"]*)"(?:.*:syntax\s*=>\s*:(\w+))?.*do$"#).ok()?,
        message: Regex::new(r#"^add_message\s+"([^"]+)".*do$"#).ok()?,
        enumeration: Regex::new(r#"^add_enum\s+"([^"]+)".*do$"#).ok()?,
        value: Regex::new(r"^value\s+:(\w+),\s*(-?\d+)").ok()?,
        oneof: Regex::new(r"^oneof\s+:(\w+)\s+do$").ok()?,
        map: Regex::new(r#"^map\s+:(\w+),\s*:(\w+),\s*:(\w+),\s*(\d+)(?:,\s*"([^"]+)")?"#).ok()?,
        field: Regex::new(
            r#"^(optional|proto3_optional|required|repeated)\s+:(\w+),\s*:(\w+),\s*(\d+)(?:,\s*"([^"]+)")?"#,
        )
        .ok()?,
    })
});

/// Reads a file. Fails with the reason.
pub fn parse(text: &str, name: &str) -> Result<Parsed, String> {
    if ruby2::is_version_2(text) {
        return ruby2::parse(text, name);
    }
    let mut reader = Reader { file: new_file(name, "proto3"), open: Vec::new() };
    let patterns = PATTERNS.as_ref().ok_or("the patterns of its lines are broken")?;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        reader.line(line, patterns)?;
    }
    Ok(Parsed { descriptor: Some(reader.file), requires: ruby_text::requires(text) })
}

/// A file without anything in it yet.
pub fn new_file(name: &str, syntax: &str) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.to_owned()),
        syntax: Some(syntax.to_owned()),
        ..FileDescriptorProto::default()
    }
}

/// A block that has not ended.
enum Block {
    Message(usize),
    Enumeration(usize),
    /// The message, and the number of the oneof in it.
    Oneof(usize, i32),
    Other,
}

struct Reader {
    file: FileDescriptorProto,
    open: Vec<Block>,
}

impl Reader {
    fn line(&mut self, line: &str, patterns: &Patterns) -> Result<(), String> {
        let group = |found: &Captures<'_>, at: usize| found.get(at).map(|group| group.as_str().to_owned());
        if line == "end" {
            self.open.pop();
        } else if let Some(found) = patterns.file.captures(line) {
            if let Some(syntax) = group(&found, 2) {
                self.file.syntax = Some(syntax);
            }
            self.open.push(Block::Other);
        } else if let Some(found) = patterns.message.captures(line) {
            self.open.push(Block::Message(self.file.message_type.len()));
            self.file
                .message_type
                .push(DescriptorProto { name: group(&found, 1), ..DescriptorProto::default() });
        } else if let Some(found) = patterns.enumeration.captures(line) {
            self.open.push(Block::Enumeration(self.file.enum_type.len()));
            self.file
                .enum_type
                .push(EnumDescriptorProto { name: group(&found, 1), ..EnumDescriptorProto::default() });
        } else if let Some(found) = patterns.value.captures(line) {
            self.value(group(&found, 1), group(&found, 2));
        } else if let Some(found) = patterns.oneof.captures(line) {
            self.oneof(group(&found, 1));
        } else if let Some(found) = patterns.map.captures(line) {
            let text = |at| group(&found, at).unwrap_or_default();
            self.map(&text(1), [&text(2), &text(3)], &text(4), group(&found, 5))?;
        } else if let Some(found) = patterns.field.captures(line) {
            let text = |at| group(&found, at).unwrap_or_default();
            let label = match text(1).as_str() {
                "repeated" => Label::Repeated,
                "required" => Label::Required,
                _ => Label::Optional,
            };
            let new = field(&text(2), label, &text(3), &text(4), group(&found, 5))?;
            self.field(new, text(1) == "proto3_optional");
        } else if opens_block(line) {
            self.open.push(Block::Other);
        }
        Ok(())
    }

    fn value(&mut self, name: Option<String>, number: Option<String>) {
        let number = number.and_then(|number| number.parse().ok());
        if let Some(Block::Enumeration(at)) = self.open.last()
            && let Some(enumeration) = self.file.enum_type.get_mut(*at)
        {
            enumeration.value.push(EnumValueDescriptorProto { name, number, options: None });
        }
    }

    fn oneof(&mut self, name: Option<String>) {
        let message = match self.open.last() {
            Some(Block::Message(at)) => self.file.message_type.get_mut(*at).map(|message| (*at, message)),
            _ => None,
        };
        match message {
            Some((at, message)) => {
                let number = i32::try_from(message.oneof_decl.len()).unwrap_or(i32::MAX);
                message.oneof_decl.push(OneofDescriptorProto { name, options: None });
                self.open.push(Block::Oneof(at, number));
            }
            None => self.open.push(Block::Other),
        }
    }

    fn field(&mut self, mut field: FieldDescriptorProto, is_optional: bool) {
        let (at, oneof) = match self.open.last() {
            Some(Block::Message(at)) => (*at, None),
            Some(Block::Oneof(at, number)) => (*at, Some(*number)),
            _ => return,
        };
        let Some(message) = self.file.message_type.get_mut(at) else { return };
        field.oneof_index = oneof;
        if is_optional {
            // Such a field stands in a oneof of its own.
            field.proto3_optional = Some(true);
            field.oneof_index = i32::try_from(message.oneof_decl.len()).ok();
            let name = format!("_{}", field.name.as_deref().unwrap_or_default());
            message.oneof_decl.push(OneofDescriptorProto { name: Some(name), options: None });
        }
        message.field.push(field);
    }

    /// A map is a repeated message of a key and a value, which is made for it.
    fn map(
        &mut self,
        name: &str,
        kinds: [&str; 2],
        number: &str,
        class: Option<String>,
    ) -> Result<(), String> {
        let Some(Block::Message(at)) = self.open.last() else { return Ok(()) };
        let Some(message) = self.file.message_type.get_mut(*at) else { return Ok(()) };
        let [key, value] = kinds;
        // The name that protoc gives it: the field's in camel case.
        let entry = format!("{}Entry", camel_case(name));
        let full_name = format!("{}.{entry}", message.name.as_deref().unwrap_or_default());
        message.nested_type.push(DescriptorProto {
            name: Some(entry),
            field: vec![
                field("key", Label::Optional, key, "1", None)?,
                field("value", Label::Optional, value, "2", class)?,
            ],
            options: Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() }),
            ..DescriptorProto::default()
        });
        message.field.push(field(name, Label::Repeated, "message", number, Some(full_name))?);
        Ok(())
    }
}

fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str()))
    });
    words.collect()
}

/// Whether a line begins a block that an `end` of its own line ends.
pub fn opens_block(line: &str) -> bool {
    let is_balanced = line.ends_with("end") && line.contains(';');
    let keyword = line.split([' ', ';']).next().unwrap_or_default();
    let opens = matches!(keyword, "module" | "class" | "begin" | "if" | "unless" | "def" | "case")
        || line.ends_with(" do")
        || (line.contains(" do |") && line.ends_with('|'));
    opens && !is_balanced
}

/// A field; `class` is the full name of a message or an enum. Fails where the type is none.
pub fn field(
    name: &str,
    label: Label,
    kind: &str,
    number: &str,
    class: Option<String>,
) -> Result<FieldDescriptorProto, String> {
    let kind = type_of(kind).ok_or_else(|| format!("field {name} has the unknown type {kind}"))?;
    let number: i32 = number.parse().map_err(|_| format!("field {name} has an impossible number"))?;
    Ok(FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(kind.into()),
        type_name: class.map(|class| format!(".{class}")),
        ..FieldDescriptorProto::default()
    })
}

fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "double" => Type::Double,
        "float" => Type::Float,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "uint32" => Type::Uint32,
        "uint64" => Type::Uint64,
        "sint32" => Type::Sint32,
        "sint64" => Type::Sint64,
        "fixed32" => Type::Fixed32,
        "fixed64" => Type::Fixed64,
        "sfixed32" => Type::Sfixed32,
        "sfixed64" => Type::Sfixed64,
        "bool" => Type::Bool,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "message" => Type::Message,
        "enum" => Type::Enum,
        _ => return None,
    })
}
