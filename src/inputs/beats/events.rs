//! What becomes of an event that a Beat sent: where it came from, its line through the codec, its tags
//! (`message_listener.rb` and the `*_transform.rb` of logstash-input-beats).

use crate::event::{Event, FieldReference, METADATA, Object, TIMESTAMP, Timestamp, Value, text};
use crate::lumberjack::{Malformed, Received};
use crate::plugin::{Codec, EcsMode, Sink};

/// The field with the line of a Beat, and that of older shippers.
const LINES: [&str; 2] = ["message", "line"];

/// Names of the fields that tell of a connection: keys from the outside in.
struct Names {
    ip: &'static [&'static str],
    protocol: &'static [&'static str],
    subject: &'static [&'static str],
    cipher: &'static [&'static str],
}

static LEGACY: Names = Names {
    ip: &[METADATA, "ip_address"],
    protocol: &[METADATA, "tls_peer", "protocol"],
    subject: &[METADATA, "tls_peer", "subject"],
    cipher: &[METADATA, "tls_peer", "cipher_suite"],
};

static ECS: Names = Names {
    ip: &[METADATA, "input", "beats", "host", "ip"],
    protocol: &[METADATA, "input", "beats", "tls", "version_protocol"],
    subject: &[METADATA, "input", "beats", "tls", "client", "subject"],
    cipher: &[METADATA, "input", "beats", "tls", "cipher"],
};

/// Who is at the other end of a connection.
pub struct Peer {
    pub ip: String,
    /// What is known of it by TLS, where events shall tell of it.
    pub tls: Option<TlsPeer>,
}

/// A client that could show a certificate.
pub enum TlsPeer {
    Verified {
        protocol: String,
        subject: String,
        cipher: String,
    },
    /// It showed none.
    Unverified,
}

/// What one connection brings.
pub struct Receiving<'a> {
    pub enricher: &'a Enricher,
    pub codec: Box<dyn Codec>,
    pub peer: Peer,
    pub sink: &'a Sink,
}

impl Received for Receiving<'_> {
    fn receive(&mut self, fields: Object, events: &mut Vec<Event>) -> Result<(), Malformed> {
        self.enricher.decode(fields, &self.peer, &mut *self.codec, self.sink, events)
    }

    fn flush(&mut self, events: &mut Vec<Event>) {
        let held = events.len();
        self.codec.flush(&mut |event| events.push(event));
        events.iter_mut().skip(held).for_each(|event| self.enricher.finish(event, self.sink));
    }
}

/// Makes events of what Beats send.
pub struct Enricher {
    names: &'static Names,
    hostname: FieldReference,
    beat_hostname: FieldReference,
    add_hostname: bool,
    source: bool,
    /// The tags of events that went through the codec, and of those that had no line for it.
    tags: Option<(String, &'static str)>,
}

impl Enricher {
    /// `source`: whether events get the address. `codec`: the name of the codec for the tag, where there is to be one.
    pub fn new(ecs: EcsMode, add_hostname: bool, source: bool, codec: Option<&str>) -> Option<Self> {
        let hostname = ecs.select("host", "[@metadata][input][beats][host][name]");
        Some(Enricher {
            names: ecs.select(&LEGACY, &ECS),
            hostname: FieldReference::parse(hostname).ok()?,
            beat_hostname: FieldReference::parse("[beat][hostname]").ok()?,
            add_hostname,
            source,
            tags: codec.map(|codec| (format!("beats_input_codec_{codec}_applied"), "beats_input_raw_event")),
        })
    }

    /// Appends the events that the fields of one frame give, with the input's common options applied.
    ///
    /// # Errors
    /// An `@metadata` that is no object, or has none where one belongs.
    pub fn decode(
        &self,
        mut fields: Object,
        peer: &Peer,
        codec: &mut dyn Codec,
        sink: &Sink,
        events: &mut Vec<Event>,
    ) -> Result<(), Malformed> {
        self.describe(&mut fields, peer)?;
        let Some(line) = take_line(&mut fields) else {
            let event = Event::from_object(fields);
            let mut event = event.map_err(|error| Malformed::Document(error.to_string()))?;
            self.finish(&mut event, sink);
            if let Some((_, raw)) = &self.tags {
                event.tag(raw);
            }
            events.push(event);
            return Ok(());
        };
        let from = events.len();
        codec.decode(line.as_bytes(), &mut |event| events.push(event));
        // The time goes to the first event of a line alone.
        let mut time = fields.remove(TIMESTAMP).and_then(|value| time_of(&value));
        let last = events.len().saturating_sub(1);
        for (at, event) in events.iter_mut().enumerate().skip(from) {
            if let Some(time) = time.take() {
                event.set_timestamp(time);
            }
            merge(event, if at == last { std::mem::take(&mut fields) } else { fields.clone() });
            self.finish(event, sink);
            if let Some((decoded, _)) = &self.tags {
                event.tag(decoded);
            }
        }
        Ok(())
    }

    /// What every event gets, those too that a codec held back to the end of a connection.
    pub fn finish(&self, event: &mut Event, sink: &Sink) {
        if self.add_hostname
            && let Some(host) = event
                .get(&self.beat_hostname)
                .filter(|host| !matches!(host, Value::Null | Value::Bool(false)))
            && event.get(&self.hostname).is_none_or(Value::is_null)
        {
            let host = host.clone();
            if let Err(error) = event.set(&self.hostname, host) {
                tracing::warn!(%error, "add_hostname: could not set the host");
            }
        }
        sink.decorate(event);
    }

    fn describe(&self, fields: &mut Object, peer: &Peer) -> Result<(), Malformed> {
        if self.source {
            set_nested(fields, self.names.ip, peer.ip.as_str().into())?;
        }
        let status = &[METADATA, "tls_peer"];
        let said = |text: &str| {
            let mut said = Object::new();
            said.insert("status", text.into());
            Value::from(said)
        };
        match &peer.tls {
            None => Ok(()),
            Some(TlsPeer::Unverified) => set_nested(fields, status, said("unverified")),
            Some(TlsPeer::Verified { protocol, subject, cipher }) => {
                set_nested(fields, status, said("verified"))?;
                set_nested(fields, self.names.protocol, protocol.as_str().into())?;
                set_nested(fields, self.names.subject, subject.as_str().into())?;
                set_nested(fields, self.names.cipher, cipher.as_str().into())
            }
        }
    }
}

/// Sets a value at a path of keys, making the objects on the way.
fn set_nested(fields: &mut Object, path: &[&'static str], value: Value) -> Result<(), Malformed> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut at = fields;
    for key in parents {
        if at.get(key).is_none_or(Value::is_null) {
            at.insert(*key, Object::new().into());
        }
        let Some(Value::Object(inner)) = at.get_mut(key) else {
            return Err(Malformed::NoObject((*key).to_owned()));
        };
        at = inner;
    }
    at.insert(*last, value);
    Ok(())
}

/// Takes out the text for the codec: what Ruby's `to_s` makes of the field, which for lists and maps is Java's.
fn take_line(fields: &mut Object) -> Option<String> {
    let name = LINES.into_iter().find(|name| fields.get(name).is_some_and(|value| !value.is_null()))?;
    Some(match fields.remove(name)? {
        Value::Str(text) => text.into(),
        value @ (Value::Array(_) | Value::Object(_)) => {
            let mut line = String::new();
            text::push_java(&mut line, &value);
            line
        }
        value => text::ruby_to_s(&value),
    })
}

fn time_of(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::Null => return None,
        Value::Str(text) => Timestamp::parse(text),
        Value::Timestamp(time) => Some(*time),
        _ => None,
    };
    if time.is_none() {
        tracing::warn!(value = %text::ruby_to_s(value), "cannot read an event's @timestamp, it gets the time of now");
    }
    time
}

/// Adds the Beat's fields to what the codec made: objects are merged, one level deep, all else is replaced.
fn merge(event: &mut Event, fields: Object) {
    for (name, value) in fields {
        // A name in brackets is a field reference, as in `Event#set`.
        let field = match name.starts_with('[') {
            true => FieldReference::parse(&name).unwrap_or_else(|_| FieldReference::top_level(&name)),
            false if name == METADATA => match FieldReference::parse(METADATA) {
                Ok(field) => field,
                Err(_) => continue,
            },
            false => FieldReference::top_level(&name),
        };
        let value = match (event.get_mut(&field), value) {
            (Some(Value::Object(existing)), Value::Object(more)) => {
                for (key, value) in *more {
                    existing.insert(key, value);
                }
                continue;
            }
            (_, value) => value,
        };
        if let Err(error) = event.set(&field, value) {
            tracing::warn!(%error, field = %name, "could not set a field of an event");
        }
    }
}
