//! Reads the Ruby files for version 2, which ruby-protocol-buffers makes: a class for each message.

use std::collections::HashSet;
use std::sync::LazyLock;

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use regex::{Captures, Regex};

use super::definitions::{Parsed, path_name};
use super::{ruby, ruby_text};

struct Patterns {
    scope: Regex,
    field: Regex,
    value: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        scope: Regex::new(r"^(module|class)\s+(?:::)?([\w:]+)\s*(<\s*::ProtocolBuffers::Message)?\s*$")
            .ok()?,
        field: Regex::new(r"^(optional|required|repeated)\s+(:{1,2})([\w:]+),\s*:(\w+),\s*(\d+)").ok()?,
        value: Regex::new(r"^([A-Z]\w*)\s*=\s*(-?\d+)$").ok()?,
    })
});

/// Whether a file is one of version 2.
pub fn is_version_2(text: &str) -> bool {
    text.contains("::ProtocolBuffers::")
}

/// What a module or class turned out to be.
#[derive(Clone, Copy)]
enum Scope {
    Message(usize),
    Enumeration(usize),
    Other,
}

struct Reader {
    file: FileDescriptorProto,
    /// The open modules and classes with their names; other blocks have none.
    open: Vec<(String, Scope)>,
    enumerations: HashSet<String>,
}

/// Reads a file. The types have the names of their Ruby constants. Fails with the reason.
pub fn parse(text: &str, name: &str) -> Result<Parsed, String> {
    let patterns = PATTERNS.as_ref().ok_or("the patterns of its lines are broken")?;
    let mut reader =
        Reader { file: ruby::new_file(name, "proto2"), open: Vec::new(), enumerations: HashSet::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        reader.line(line, patterns)?;
    }
    let Reader { mut file, enumerations, .. } = reader;
    // Only now it is known which names are enums.
    let fields = file.message_type.iter_mut().flat_map(|message| message.field.iter_mut());
    for field in fields {
        let is_enumeration = field.type_name.as_ref().is_some_and(|name| enumerations.contains(name));
        if is_enumeration {
            field.r#type = Some(Type::Enum.into());
        }
    }
    Ok(Parsed { descriptor: Some(file), requires: ruby_text::requires(text) })
}

impl Reader {
    fn path(&self, name: &str) -> String {
        let scopes = self.open.iter().map(|(scope, _)| scope.as_str()).filter(|scope| !scope.is_empty());
        path_name(&scopes.chain([name]).collect::<Vec<_>>().join("::"))
    }

    fn line(&mut self, line: &str, patterns: &Patterns) -> Result<(), String> {
        let group = |found: &Captures<'_>, at: usize| {
            found.get(at).map(|group| group.as_str().to_owned()).unwrap_or_default()
        };
        if line == "end" {
            self.open.pop();
        } else if let Some(found) = patterns.scope.captures(line) {
            let name = group(&found, 2);
            let scope = match found.get(3) {
                Some(_) => {
                    let path = Some(self.path(&name));
                    self.file.message_type.push(DescriptorProto { name: path, ..DescriptorProto::default() });
                    Scope::Message(self.file.message_type.len() - 1)
                }
                None => Scope::Other,
            };
            self.open.push((name, scope));
        } else if line == "include ::ProtocolBuffers::Enum" {
            self.begin_enumeration();
        } else if let Some(found) = patterns.value.captures(line) {
            let value = EnumValueDescriptorProto {
                name: Some(group(&found, 1)),
                number: group(&found, 2).parse().ok(),
                options: None,
            };
            if let Some((_, Scope::Enumeration(at))) = self.open.last()
                && let Some(enumeration) = self.file.enum_type.get_mut(*at)
            {
                enumeration.value.push(value);
            }
        } else if let Some(found) = patterns.field.captures(line) {
            let label = match group(&found, 1).as_str() {
                "repeated" => Label::Repeated,
                "required" => Label::Required,
                _ => Label::Optional,
            };
            let kind = group(&found, 3);
            let is_class = group(&found, 2) == "::";
            let class = is_class.then(|| path_name(&kind));
            let kind = if is_class { "message" } else { &kind };
            self.field(ruby::field(&group(&found, 4), label, kind, &group(&found, 5), class)?);
        } else if ruby::opens_block(line) {
            self.open.push((String::new(), Scope::Other));
        }
        Ok(())
    }

    /// The module that is open is an enum.
    fn begin_enumeration(&mut self) {
        let Some((name, _)) = self.open.pop() else { return };
        let path = self.path(&name);
        self.enumerations.insert(format!(".{path}"));
        self.file.enum_type.push(EnumDescriptorProto { name: Some(path), ..EnumDescriptorProto::default() });
        self.open.push((name, Scope::Enumeration(self.file.enum_type.len() - 1)));
    }

    fn field(&mut self, field: FieldDescriptorProto) {
        if let Some((_, Scope::Message(at))) = self.open.last()
            && let Some(message) = self.file.message_type.get_mut(*at)
        {
            message.field.push(field);
        }
    }
}
