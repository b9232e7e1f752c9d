//! What mutate's options name: fields, separators, and how an event can fail them.

use std::borrow::Cow;

use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, InvalidReference, SetError, SprintfError, Template, Value};
use crate::plugin::{ConfigKind, ConfigValue};
use crate::regex::{Error as RegexError, ReplaceError};

/// Why the rest of a mutate was skipped for an event.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Set(#[from] SetError),
    #[error("invalid value for {to}: {value}")]
    Conversion { to: &'static str, value: String },
    #[error("invalid regular expression: {0}")]
    Regex(#[from] RegexError),
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    #[error("strip: {0} is no text")]
    NotText(&'static str),
    #[error("{option}: the separator {separator} is no text")]
    Separator { option: &'static str, separator: String },
}

impl Failure {
    pub fn conversion(to: &'static str, value: &Value) -> Self {
        Failure::Conversion { to, value: ruby_to_s(value) }
    }
}

/// A field named in an option. A name that is no field reference fails with every event, as in Logstash.
#[derive(Debug)]
pub(super) struct Field(Result<FieldReference, InvalidReference>);

impl Field {
    pub fn new(text: &str) -> Self {
        Field(FieldReference::parse(text))
    }

    pub fn reference(&self) -> Result<&FieldReference, Failure> {
        self.0.as_ref().map_err(|invalid| invalid.clone().into())
    }
}

type Resolved<'a> = Result<Cow<'a, FieldReference>, Failure>;

/// A field whose name may hold `%{...}`.
#[derive(Debug)]
pub(super) enum NamedField {
    Fixed(Field),
    Computed(Template),
}

impl NamedField {
    pub fn new(text: &str) -> Self {
        let template = Template::parse(text);
        match template.as_literal() {
            Some(name) => NamedField::Fixed(Field::new(name)),
            None => NamedField::Computed(template),
        }
    }

    /// What the name means for this event. It fails at once where `%{...}` cannot be printed, and with an inner error
    /// where the name is no field reference, which Logstash finds only when it uses it.
    pub fn resolve(&self, event: &Event) -> Result<Resolved<'_>, Failure> {
        match self {
            NamedField::Fixed(field) => Ok(field.reference().map(Cow::Borrowed)),
            NamedField::Computed(name) => {
                Ok(FieldReference::parse(&name.render(event)?).map(Cow::Owned).map_err(Failure::from))
            }
        }
    }
}

/// A separator of `split` or `join`; one that is no text fails only when it is needed.
#[derive(Debug)]
pub(super) struct Separator {
    option: &'static str,
    text: Result<String, String>,
}

impl Separator {
    pub fn new(option: &'static str, value: &ConfigValue) -> Self {
        let text = match &value.kind {
            ConfigKind::Text(text) => Ok(text.clone()),
            _ => Err(ruby_to_s(&value.to_value())),
        };
        Separator { option, text }
    }

    pub fn text(&self) -> Result<&str, Failure> {
        let refuse =
            |separator: &String| Failure::Separator { option: self.option, separator: separator.clone() };
        self.text.as_ref().map(String::as_str).map_err(refuse)
    }
}
