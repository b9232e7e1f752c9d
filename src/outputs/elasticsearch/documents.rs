//! What the bulk API is told of an event: the action and the document, written straight into the request's body
//! (`elasticsearch.rb`, `event_action_tuple` and `common_event_params`; `http_client.rb`, `update_action_builder`).

use std::hash::{DefaultHasher, Hash, Hasher};

use super::data_stream::DataStream;
use super::options::ScriptType;
use crate::event::json::{self, Decimals};
use crate::event::{Event, FieldReference, Object, Template, Value};

/// The actions of the bulk API.
const ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];

/// Where documents go.
#[derive(Debug, Clone)]
pub enum Destination {
    Index {
        name: Template,
        /// Whether the config leaves the name open, so that an event may choose its own.
        open: bool,
    },
    Stream(DataStream),
}

/// What an update does.
#[derive(Debug, Clone, Default)]
pub struct Update {
    pub script: Option<Script>,
    pub upsert: Option<Template>,
    pub doc_as_upsert: bool,
    pub scripted_upsert: bool,
    pub retry_on_conflict: u32,
}

/// The script of an update.
#[derive(Debug, Clone)]
pub struct Script {
    pub text: Template,
    pub kind: ScriptType,
    pub language: String,
    pub variable: String,
}

/// The relation to a parent document.
#[derive(Debug, Clone)]
pub struct Join {
    pub parent: Template,
    pub field: FieldReference,
}

/// How events become actions and documents.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    pub action: Option<Template>,
    pub document_type: Option<Template>,
    pub id: Option<Template>,
    pub routing: Option<Template>,
    pub join: Option<Join>,
    pub pipeline: Option<Template>,
    pub version: Option<Template>,
    pub version_type: Option<&'static str>,
    pub update: Update,
    /// Whether an index's name that still holds `%{...}` is an error.
    pub refuse_placeholders: bool,
    /// `[@metadata][_ingest_document]`, by which an event may choose what the config leaves open.
    pub control: Option<FieldReference>,
    /// `[@metadata][target_ingest_pipeline]`, likewise.
    pub target_pipeline: Option<FieldReference>,
}

/// An event that no action can be made of, and why.
pub type Unmappable = String;

/// The fields of an action's line.
struct Line<'b> {
    out: &'b mut Vec<u8>,
    first: bool,
}

impl Line<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        json::write_string(self.out, name);
        self.out.push(b':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        json::write_string(self.out, text);
    }

    fn value(&mut self, name: &str, value: &Value) {
        self.name(name);
        json::write_value(self.out, value);
    }
}

impl Documents {
    /// What tells documents apart whose order matters; `None` where the server makes the id.
    pub fn identity(&self, event: &Event) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        match (&self.id, self.control(event).and_then(|control| chosen(control, "id"))) {
            (Some(template), _) => template.render(event).ok()?.hash(&mut hasher),
            (None, Some(id)) => {
                let mut text = Vec::new();
                json::write_value(&mut text, id);
                text.hash(&mut hasher);
            }
            (None, None) => return None,
        }
        Some(hasher.finish())
    }

    fn control<'e>(&self, event: &'e Event) -> Option<&'e Object> {
        // Nearly every event has no metadata at all.
        event.get(self.control.as_ref()?)?.as_object()
    }

    /// Appends an event's lines, or nothing. `types` says whether the server knows mapping types.
    ///
    /// # Errors
    /// Why no action can be made of the event.
    pub fn write(
        &self,
        event: &Event,
        destination: &Destination,
        types: bool,
        out: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), Unmappable> {
        let start = out.len();
        let written = self.write_lines(event, destination, types, out, scratch);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn write_lines(
        &self,
        event: &Event,
        destination: &Destination,
        types: bool,
        out: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), Unmappable> {
        let action = self.action(event, destination, scratch)?;
        out.push(b'{');
        json::write_string(out, action);
        out.extend_from_slice(b":{");
        let mut line = Line { out, first: true };
        self.write_target(event, destination, &mut line, scratch)?;
        if types && let Some(template) = &self.document_type {
            line.text("_type", render(template, event, scratch)?);
        }
        if let Destination::Index { .. } = destination {
            self.write_version(event, &mut line, scratch)?;
            if action == "update" {
                line.value("retry_on_conflict", &Value::Int(self.update.retry_on_conflict.into()));
            }
        }
        out.extend_from_slice(b"}}\n");
        match action {
            "delete" => return Ok(()),
            "update" => self.write_update(event, out, scratch)?,
            _ => self.write_document(event, destination, out)?,
        }
        out.push(b'\n');
        Ok(())
    }

    fn action(
        &self,
        event: &Event,
        destination: &Destination,
        scratch: &mut String,
    ) -> Result<&'static str, Unmappable> {
        let action = match (destination, &self.action) {
            (Destination::Stream(_), _) => return Ok("create"),
            (Destination::Index { .. }, None) => return Ok("index"),
            (Destination::Index { .. }, Some(template)) => render(template, event, scratch)?,
        };
        ACTIONS
            .into_iter()
            .find(|known| *known == action)
            .ok_or_else(|| format!("the bulk API has no action \"{action}\""))
    }

    /// `_id`, `_index`, `routing` and `pipeline`.
    fn write_target(
        &self,
        event: &Event,
        destination: &Destination,
        line: &mut Line<'_>,
        scratch: &mut String,
    ) -> Result<(), Unmappable> {
        let control = self.control(event);
        let choice = |name: &str| chosen(control?, name);
        match (&self.id, choice("id")) {
            (Some(template), _) => line.text("_id", render(template, event, scratch)?),
            (None, Some(id)) => line.value("_id", id),
            (None, None) => {}
        }
        let (index, open) = match destination {
            Destination::Index { name, open } => (render(name, event, scratch)?, *open),
            Destination::Stream(stream) => (stream.name_for(event, scratch), false),
        };
        if self.refuse_placeholders && holds_placeholder(index) {
            return Err(format!("the index's name still holds a placeholder: {index}"));
        }
        match choice("index").filter(|_| open) {
            Some(own) => line.value("_index", own),
            None => line.text("_index", index),
        }
        match (&self.join, &self.routing, choice("routing")) {
            (Some(join), _, _) => line.text("routing", render(&join.parent, event, scratch)?),
            (None, Some(template), _) => line.text("routing", render(template, event, scratch)?),
            (None, None, Some(routing)) => line.value("routing", routing),
            (None, None, None) => {}
        }
        self.write_pipeline(event, choice("pipeline"), line, scratch)
    }

    fn write_pipeline(
        &self,
        event: &Event,
        chosen: Option<&Value>,
        line: &mut Line<'_>,
        scratch: &mut String,
    ) -> Result<(), Unmappable> {
        let pipeline = match (&self.pipeline, chosen) {
            (Some(template), _) => render(template, event, scratch)?,
            (None, Some(pipeline)) => {
                if pipeline.as_str() != Some("") {
                    line.value("pipeline", pipeline);
                }
                return Ok(());
            }
            (None, None) => match self.target_pipeline.as_ref().and_then(|field| event.get(field)) {
                None | Some(Value::Null) => return Ok(()),
                Some(target) => {
                    let template = Template::parse(&crate::event::text::ruby_to_s(target));
                    render(&template, event, scratch)?
                }
            },
        };
        if !pipeline.is_empty() {
            line.text("pipeline", pipeline);
        }
        Ok(())
    }

    fn write_version(
        &self,
        event: &Event,
        line: &mut Line<'_>,
        scratch: &mut String,
    ) -> Result<(), Unmappable> {
        let control = self.control(event);
        match (&self.version, control.and_then(|control| chosen(control, "version"))) {
            (Some(template), _) => line.text("version", render(template, event, scratch)?),
            (None, Some(version)) => line.value("version", version),
            (None, None) => {}
        }
        match (self.version_type, control.and_then(|control| chosen(control, "version_type"))) {
            (Some(word), _) => line.text("version_type", word),
            (None, Some(kind)) => line.value("version_type", kind),
            (None, None) => {}
        }
        Ok(())
    }

    fn write_document(
        &self,
        event: &Event,
        destination: &Destination,
        out: &mut Vec<u8>,
    ) -> Result<(), Unmappable> {
        match destination {
            Destination::Stream(stream) => {
                stream.write_document(event, out);
                Ok(())
            }
            Destination::Index { .. } => self.write_plain(event, out),
        }
    }

    /// The event, with the relation to its parent where there is one.
    fn write_plain(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), Unmappable> {
        let Some(join) = &self.join else {
            json::write_object(out, event.data());
            return Ok(());
        };
        let mut related = event.clone();
        let parent = join.parent.render(event).map_err(|error| error.to_string())?;
        let name = event.get(&join.field).cloned().unwrap_or_default();
        let relation: Object = [("name", name), ("parent", Value::from(parent))].into_iter().collect();
        related.set(&join.field, relation).map_err(|error| error.to_string())?;
        json::write_object(out, related.data());
        Ok(())
    }

    fn write_update(&self, event: &Event, out: &mut Vec<u8>, scratch: &mut String) -> Result<(), Unmappable> {
        match &self.update.script {
            Some(script) => {
                out.extend_from_slice(b"{\"script\":{\"params\":{");
                json::write_string(out, &script.variable);
                out.push(b':');
                self.write_plain(event, out)?;
                out.extend_from_slice(b"},");
                let (key, with_language) = match script.kind {
                    ScriptType::Indexed => ("id", false),
                    ScriptType::Inline | ScriptType::File => ("source", !script.language.is_empty()),
                };
                let mut line = Line { out, first: true };
                line.text(key, render(&script.text, event, scratch)?);
                if with_language {
                    line.text("lang", &script.language);
                }
                out.push(b'}');
                if self.update.scripted_upsert {
                    out.extend_from_slice(b",\"scripted_upsert\":true,\"upsert\":{}");
                } else if self.update.doc_as_upsert {
                    out.extend_from_slice(b",\"upsert\":");
                    self.write_plain(event, out)?;
                } else {
                    self.write_upsert(event, out, scratch)?;
                }
            }
            None => {
                out.extend_from_slice(b"{\"doc\":");
                self.write_plain(event, out)?;
                if self.update.doc_as_upsert {
                    out.extend_from_slice(b",\"doc_as_upsert\":true");
                } else {
                    self.write_upsert(event, out, scratch)?;
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn write_upsert(&self, event: &Event, out: &mut Vec<u8>, scratch: &mut String) -> Result<(), Unmappable> {
        let Some(template) = &self.update.upsert else { return Ok(()) };
        // Read and written again, for it must not hold line breaks.
        let upsert = json::parse(render(template, event, scratch)?, Decimals::Exact)
            .map_err(|error| format!("upsert is no JSON for this event: {error}"))?;
        out.extend_from_slice(b",\"upsert\":");
        json::write_value(out, &upsert);
        Ok(())
    }
}

/// What an event chooses; null and false choose nothing, as in Ruby.
fn chosen<'o>(control: &'o Object, name: &str) -> Option<&'o Value> {
    control.get(name).filter(|value| !matches!(value, Value::Null | Value::Bool(false)))
}

/// A template's text, in a buffer that is used again and again.
fn render<'s>(template: &Template, event: &Event, scratch: &'s mut String) -> Result<&'s str, Unmappable> {
    scratch.clear();
    template.render_into(event, scratch).map_err(|error| error.to_string())?;
    Ok(scratch)
}

fn holds_placeholder(name: &str) -> bool {
    name.find("%{").and_then(|at| name.get(at..)).is_some_and(|rest| rest.contains('}'))
}
