//! `Registry`: the templates that senders have announced, bounded, with an age, and kept in a file if asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::event::json::{self, Decimals};
use crate::event::{Object, Value};

use super::kind::FieldKind;
use super::wire::{Invalid, Reader};

/// How many templates are kept; a sender that announces ever new ones pushes old ones out.
const MOST_TEMPLATES: usize = 10_000;
/// The length of a field that says with each value how long it is (RFC 7011, 7).
const VARIABLE: u16 = u16::MAX;

/// What a template is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The source id or the observation domain.
    pub source: u32,
    pub template: u16,
    pub peer: Option<SocketAddr>,
}

impl Key {
    /// `source|template`, with the sender's address and port behind it where they count.
    fn text(&self) -> String {
        let Key { source, template, peer } = self;
        match peer {
            Some(peer) => format!("{source}|{template}|{}|{}", peer.ip(), peer.port()),
            None => format!("{source}|{template}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let (source, template) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let peer = match (parts.next(), parts.next()) {
            (Some(host), Some(port)) => Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?)),
            _ => None,
        };
        Some(Key { source, template, peer })
    }
}

/// One field of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub kind: FieldKind,
    pub name: Box<str>,
    /// In bytes; nothing where each value tells.
    pub length: Option<u16>,
}

impl Field {
    /// A field of a template's length.
    pub fn new(kind: FieldKind, name: &str, length: u16) -> Self {
        Field { kind, name: name.into(), length: (length != VARIABLE).then_some(length) }
    }

    /// The bytes of this field's next value.
    fn take<'b>(&self, reader: &mut Reader<'b>) -> Result<&'b [u8], Invalid> {
        let length = match self.length {
            Some(length) => length.into(),
            None => match reader.u8()? {
                u8::MAX => reader.u16()?.into(),
                short => short.into(),
            },
        };
        reader.take(length)
    }
}

/// How the records of a set are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Field>);

impl Template {
    /// Nothing where records would take no space, so that there would be no end of them.
    pub fn new(fields: Vec<Field>) -> Option<Self> {
        let template = Template(fields);
        (template.least_size() > 0).then_some(template)
    }

    /// How many bytes a record takes at least.
    pub fn least_size(&self) -> usize {
        self.0.iter().map(|field| field.length.map_or(1, usize::from)).sum()
    }

    /// Reads one record; `each` gets the fields that have a name.
    pub fn read(&self, reader: &mut Reader<'_>, mut each: impl FnMut(&Field, Value)) -> Result<(), Invalid> {
        for field in &self.0 {
            let bytes = field.take(reader)?;
            if field.kind != FieldKind::Skip {
                each(field, field.kind.value(bytes));
            }
        }
        Ok(())
    }

    /// As the cache file has it: `[type, name, length]` for each field.
    fn to_value(&self) -> Value {
        let field = |field: &Field| {
            let length = field.length.map_or(Value::Null, |length| Value::Int(length.into()));
            Value::Array(vec![field.kind.name().into(), (*field.name).into(), length])
        };
        Value::Array(self.0.iter().map(field).collect())
    }

    fn of_value(value: &Value) -> Option<Self> {
        let field = |value: &Value| {
            let [kind, name, length] = value.as_array()? else { return None };
            let length = match length {
                Value::Null => None,
                Value::Int(length) => Some(u16::try_from(*length).ok()?),
                _ => return None,
            };
            Some(Field { kind: FieldKind::named(kind.as_str()?)?, name: name.as_str()?.into(), length })
        };
        Template::new(value.as_array()?.iter().map(field).collect::<Option<_>>()?)
    }
}

#[derive(Debug)]
pub struct Registry {
    templates: Cache<Key, (Arc<Template>, Instant)>,
    ttl: Duration,
    /// Held while the file is written.
    file: Option<Mutex<PathBuf>>,
}

impl Registry {
    /// Reads the file where there is one; what is wrong with it is logged and forgotten.
    pub fn new(ttl: Duration, file: Option<PathBuf>) -> Self {
        let registry = Registry { templates: Cache::new(MOST_TEMPLATES), ttl, file: file.map(Mutex::new) };
        registry.load();
        registry
    }

    pub fn get(&self, key: &Key) -> Option<Arc<Template>> {
        let (template, since) = self.templates.get(key)?;
        if since.elapsed() > self.ttl {
            self.templates.remove(key);
            return None;
        }
        Some(template)
    }

    /// Keeps a template; one that is known gets young again.
    pub fn register(&self, key: Key, template: Template) {
        let known = self.get(&key).is_some_and(|known| *known == template);
        self.templates.insert(key, (Arc::new(template), Instant::now()));
        if !known {
            self.save();
        }
    }

    /// Forgets a template that its sender has withdrawn.
    pub fn withdraw(&self, key: &Key) {
        if self.templates.remove(key).is_some() {
            self.save();
        }
    }

    fn load(&self) {
        let Some(Ok(file)) = self.file.as_ref().map(Mutex::lock) else { return };
        let text = match std::fs::read_to_string(&*file) {
            Ok(text) => text,
            Err(error) => {
                return tracing::warn!(file = %file.display(), %error, "there is no template cache yet");
            }
        };
        let Ok(Value::Object(templates)) = json::parse(&text, Decimals::Double) else {
            return tracing::error!(file = %file.display(), "the template cache is not JSON, it begins anew");
        };
        for (key, template) in templates.iter() {
            match (Key::parse(key), Template::of_value(template)) {
                (Some(key), Some(template)) => {
                    self.templates.insert(key, (Arc::new(template), Instant::now()));
                }
                _ => tracing::warn!(key, "a template of the cache cannot be read"),
            }
        }
    }

    /// Writes a new file and puts it in the old one's place, so that there is never half of one.
    fn save(&self) {
        let Some(Ok(file)) = self.file.as_ref().map(Mutex::lock) else { return };
        let alive = self.templates.iter().filter(|(_, (_, since))| since.elapsed() <= self.ttl);
        let templates: Object = alive.map(|(key, (template, _))| (key.text(), template.to_value())).collect();
        let mut out = Vec::new();
        json::write_object(&mut out, &templates);
        let draft = file.with_extension("cache.new");
        let written = std::fs::write(&draft, &out).and_then(|()| std::fs::rename(&draft, &*file));
        if let Err(error) = written {
            tracing::error!(file = %file.display(), %error, "the template cache could not be saved");
        }
    }
}
