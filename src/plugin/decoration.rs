//! The common options: what every input and filter does to events beside its own work, in Logstash's order.

use crate::event::{
    Event, FieldReference, InvalidReference, SetError, SprintfError, TAGS, TIMESTAMP, Template, Value, text,
};

use super::block::{ConfigKind, ConfigValue};
use super::options::OptionReader;
use super::types::Pairs;

/// A common option that could not be applied to an event.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecorateError {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Set(#[from] SetError),
}

/// A field name that may hold `%{...}`; a plain one is parsed at load.
#[derive(Debug, Clone)]
pub struct FieldName {
    template: Template,
    fixed: Option<Result<FieldReference, InvalidReference>>,
}

impl FieldName {
    pub fn new(text: &str) -> Self {
        let template = Template::parse(text);
        let fixed = template.as_literal().map(FieldReference::parse);
        FieldName { template, fixed }
    }

    /// Calls `with` with the reference that the name means for this event.
    fn with<T>(
        &self,
        event: &mut Event,
        with: impl FnOnce(&mut Event, &FieldReference) -> Result<T, DecorateError>,
    ) -> Result<T, DecorateError> {
        match &self.fixed {
            Some(Ok(field)) => with(event, field),
            Some(Err(invalid)) => Err(invalid.clone().into()),
            None => {
                let field = FieldReference::parse(&self.template.render(event)?)?;
                with(event, &field)
            }
        }
    }
}

/// `add_field`: names and the values each gets, one after the other.
#[derive(Debug, Clone, Default)]
pub struct AddField(Vec<(FieldName, Vec<Template>)>);

impl AddField {
    pub fn new(pairs: &Pairs) -> Self {
        AddField(pairs.iter().map(|(name, value)| (FieldName::new(name), field_values(value))).collect())
    }

    /// Sets each field; one that exists becomes an array with the value appended (`Decorators.add_fields`).
    pub fn apply(&self, event: &mut Event) -> Result<(), DecorateError> {
        for (name, values) in &self.0 {
            for value in values {
                // The name comes first: it may not see what its own value adds.
                name.with(event, |event, field| {
                    let value = value.render(event)?;
                    append(event, field, value)
                })?;
            }
        }
        Ok(())
    }
}

fn append(event: &mut Event, field: &FieldReference, value: String) -> Result<(), DecorateError> {
    let Some(existing) = event.get_mut(field) else {
        return Ok(event.assign(field, value)?);
    };
    if field.as_top_level().is_some_and(|name| name != TAGS && name != TIMESTAMP) {
        let mut items = into_array(std::mem::take(existing));
        items.push(value.into());
        *existing = Value::Array(items);
        return Ok(());
    }
    let mut items = into_array(existing.clone());
    items.push(value.into());
    Ok(event.assign(field, Value::Array(items))?)
}

/// Ruby's `Array(value)`: null is nothing, a hash its pairs, a scalar an array of one.
fn into_array(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| Value::Array(vec![Value::from(key.as_str()), value]))
            .collect(),
        scalar => vec![scalar],
    }
}

/// The templates of an `add_field` value: the elements of an array; a hash's pairs as Ruby prints them.
fn field_values(value: &ConfigValue) -> Vec<Template> {
    let texts: Vec<Value> = match &value.kind {
        ConfigKind::Array(items) => items.iter().map(ConfigValue::to_value).collect(),
        ConfigKind::Hash(_) => into_array(value.to_value()),
        _ => vec![value.to_value()],
    };
    texts.iter().map(|value| Template::parse(&text::ruby_to_s(value))).collect()
}

/// A list option whose elements may hold `%{...}`, such as `add_tag`.
fn templates(reader: &mut OptionReader<'_>, name: &'static str) -> Vec<Template> {
    let values: Option<Option<ConfigValue>> = reader.take(name, None);
    let Some(Some(value)) = values else { return Vec::new() };
    field_values(&value)
}

fn add_tags(tags: &[Template], event: &mut Event) -> Result<(), DecorateError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut rendered = Vec::with_capacity(tags.len());
    for tag in tags {
        rendered.push(Value::from(tag.render(event)?));
    }
    match event.data_mut().get_mut(TAGS) {
        Some(existing) => {
            let mut items = into_array(std::mem::take(existing));
            items.extend(rendered);
            *existing = Value::Array(items);
        }
        None => _ = event.data_mut().insert(TAGS, Value::Array(rendered)),
    }
    Ok(())
}

/// What an input's common options do to each of its events (`LogStash::Inputs::Base#decorate`).
#[derive(Debug, Clone, Default)]
pub struct InputDecoration {
    event_type: Option<String>,
    add_field: AddField,
    tags: Vec<Template>,
}

impl InputDecoration {
    pub fn read(reader: &mut OptionReader<'_>) -> Option<Self> {
        let event_type: Option<Option<String>> = reader.take("type", None);
        let add_field: Option<Pairs> = reader.take("add_field", Some("{}"));
        let tags = templates(reader, "tags");
        Some(InputDecoration { event_type: event_type?, add_field: AddField::new(&add_field?), tags })
    }

    pub fn apply(&self, event: &mut Event) {
        if let Some(event_type) = &self.event_type
            && !event.data().contains_key("type")
        {
            event.data_mut().insert("type", Value::from(event_type.as_str()));
        }
        let applied = self.add_field.apply(event).and_then(|()| add_tags(&self.tags, event));
        if let Err(error) = applied {
            tracing::warn!(%error, "could not apply the common options of an input");
            event.tag("_inputerror");
        }
    }
}

/// What a filter's common options do to an event it matched (`LogStash::Filters::Base#filter_matched`).
#[derive(Debug, Clone, Default)]
pub struct FilterDecoration {
    add_field: AddField,
    remove_field: Vec<FieldName>,
    add_tag: Vec<Template>,
    remove_tag: Vec<Template>,
}

impl FilterDecoration {
    pub fn read(reader: &mut OptionReader<'_>) -> Option<Self> {
        let add_field: Option<Pairs> = reader.take("add_field", Some("{}"));
        let remove_field = templates(reader, "remove_field");
        let add_tag = templates(reader, "add_tag");
        let remove_tag = templates(reader, "remove_tag");
        let _: Option<bool> = reader.take("periodic_flush", Some("false"));
        // In Logstash it decides whether the pipeline's timer calls the filter's flush, where it has one.
        reader.no_effect("periodic_flush", "a filter that holds events back hands them on in time by itself");
        Some(FilterDecoration {
            add_field: AddField::new(&add_field?),
            remove_field: remove_field.iter().map(|name| FieldName::new(name.source())).collect(),
            add_tag,
            remove_tag,
        })
    }

    /// Applies the options in order. What was applied before an error stays.
    pub fn apply(&self, event: &mut Event) -> Result<(), DecorateError> {
        self.add_field.apply(event)?;
        for name in &self.remove_field {
            name.with(event, |event, field| {
                event.remove(field);
                Ok(())
            })?;
        }
        add_tags(&self.add_tag, event)?;
        self.remove_tags(event)
    }

    fn remove_tags(&self, event: &mut Event) -> Result<(), DecorateError> {
        if self.remove_tag.is_empty() || event.data().get(TAGS).is_none_or(Value::is_null) {
            return Ok(());
        }
        let mut unwanted = Vec::with_capacity(self.remove_tag.len());
        for tag in &self.remove_tag {
            unwanted.push(tag.render(event)?);
        }
        if let Some(existing) = event.data_mut().get_mut(TAGS) {
            let mut items = into_array(std::mem::take(existing));
            items.retain(|tag| !unwanted.iter().any(|unwanted| tag.as_str() == Some(unwanted)));
            *existing = Value::Array(items);
        }
        Ok(())
    }
}

/// Reads the options that every plugin has and that change nothing but how it is named and counted.
pub(crate) fn take_common(reader: &mut OptionReader<'_>) {
    let id: Option<Option<String>> = reader.take("id", None);
    if id.flatten().is_some_and(|id| id.is_empty()) {
        reader.error("id", "a plugin's name cannot be empty");
    }
    let _: Option<bool> = reader.take("enable_metric", Some("true"));
}

/// Reads the option `codec` of an output that has one but encodes nothing.
pub(crate) fn take_unused_codec(reader: &mut OptionReader<'_>) {
    let _: Option<Option<super::CodecFactory>> = reader.take("codec", None);
}
