//! NetFlow version 9 (RFC 3954): records of forms that templates describe.

use crate::event::{Object, Timestamp, Value};

use super::kind::FieldKind;
use super::registry::{Field, Key, Template};
use super::wire::{Invalid, Reader};
use super::{Packet, switched};

const TEMPLATES: u16 = 0;
const OPTIONS_TEMPLATES: u16 = 1;
const FIRST_DATA: u16 = 256;

/// What an options template's records are about (RFC 3954, 6.1).
const SCOPES: [&str; 5] =
    ["scope_system", "scope_interface", "scope_line_card", "scope_netflow_cache", "scope_template"];

struct Header {
    version: u16,
    uptime: i64,
    seconds: i64,
    sequence: u32,
    source: u32,
}

pub fn decode(bytes: &[u8], packet: &mut Packet<'_>) -> Result<(), Invalid> {
    let mut reader = Reader::new(bytes);
    let (version, _count) = (reader.u16()?, reader.u16()?);
    let (uptime, seconds) = (reader.i64_of_u32()?, reader.i64_of_u32()?);
    let header = Header { version, uptime, seconds, sequence: reader.u32()?, source: reader.u32()? };
    // One flow set that is wrong makes all of them doubtful.
    for (id, set) in flow_sets(reader)? {
        let decoded = match id {
            TEMPLATES => templates(set, &header, packet),
            OPTIONS_TEMPLATES => options_templates(set, &header, packet),
            id => {
                data(id, set, &header, packet);
                Ok(())
            }
        };
        if let Err(Invalid(error)) = decoded {
            tracing::warn!(error, source = header.source, flowset = id, "invalid netflow v9 record");
        }
    }
    Ok(())
}

/// The flow sets of a packet by number. One of no length is padding: what follows it is not looked at.
fn flow_sets(mut reader: Reader<'_>) -> Result<Vec<(u16, Reader<'_>)>, Invalid> {
    let mut sets = Vec::new();
    while !reader.is_empty() {
        let (id, length) = (reader.u16()?, reader.u16()?);
        if !matches!(id, TEMPLATES | OPTIONS_TEMPLATES | FIRST_DATA..) {
            return Err(Invalid("it has a flow set of an unknown number"));
        }
        match length {
            0 if id == TEMPLATES => break,
            0..=4 => return Err(Invalid("it has a flow set of no length")),
            _ => sets.push((id, Reader::new(reader.take(usize::from(length) - 4)?))),
        }
    }
    Ok(sets)
}

fn key(header: &Header, template: u16, packet: &Packet<'_>) -> Key {
    Key { source: header.source, template, peer: packet.peer }
}

fn templates(mut set: Reader<'_>, header: &Header, packet: &Packet<'_>) -> Result<(), Invalid> {
    // Less than a template's head is padding.
    while set.len() >= 4 {
        let (id, count) = (set.u16()?, set.u16()?);
        let mut fields = Some(Vec::new());
        for _ in 0..count {
            let (number, length) = (set.u16()?, set.u16()?);
            if length > 0 {
                add(&mut fields, field(number, length, id, packet));
            }
        }
        register(id, fields, header, packet);
    }
    Ok(())
}

fn options_templates(mut set: Reader<'_>, header: &Header, packet: &Packet<'_>) -> Result<(), Invalid> {
    while set.len() >= 6 {
        let (id, scope_length, option_length) = (set.u16()?, set.u16()?, set.u16()?);
        if id < FIRST_DATA {
            // Padding behind the templates.
            return Ok(());
        }
        if scope_length == 0 || option_length == 0 {
            return Err(Invalid("it has an options template without scopes or without options"));
        }
        let mut fields = Some(Vec::new());
        for _ in 0..scope_length / 4 {
            let (number, length) = (set.u16()?, set.u16()?);
            let scope = usize::from(number).checked_sub(1).and_then(|at| SCOPES.get(at));
            if length > 0 {
                // A scope nobody knows takes its bytes, but has no name.
                let kind = if scope.is_some() { FieldKind::Unsigned } else { FieldKind::Skip };
                add(&mut fields, Some(Field::new(kind, scope.copied().unwrap_or_default(), length)));
            }
        }
        for _ in 0..option_length / 4 {
            let (number, length) = (set.u16()?, set.u16()?);
            if length == 0 {
                return Err(Invalid("it has an option of no length"));
            }
            add(&mut fields, field(number, length, id, packet));
        }
        register(id, fields, header, packet);
    }
    Ok(())
}

/// A field of a template; nothing, which is logged, where nobody knows its number.
fn field(number: u16, length: u16, template: u16, packet: &Packet<'_>) -> Option<Field> {
    let definition = packet.shared.netflow_fields.get(0, number);
    if definition.is_none() {
        tracing::warn!(template, number, length, "unsupported field in template");
    }
    definition.map(|definition| Field::new(definition.kind, &definition.name, length))
}

/// Adds a field; without it, the whole template is none.
pub fn add(fields: &mut Option<Vec<Field>>, field: Option<Field>) {
    match field {
        Some(field) => fields.iter_mut().for_each(|fields| fields.push(field.clone())),
        None => *fields = None,
    }
}

fn register(id: u16, fields: Option<Vec<Field>>, header: &Header, packet: &Packet<'_>) {
    if let Some(template) = fields.and_then(Template::new) {
        packet.shared.netflow_templates.register(key(header, id, packet), template);
    }
}

fn data(id: u16, mut set: Reader<'_>, header: &Header, packet: &mut Packet<'_>) {
    let Some(template) = packet.shared.netflow_templates.get(&key(header, id, packet)) else {
        return tracing::warn!(
            flowset = id,
            source = header.source,
            "can't (yet) decode this flow set: no template for it has been received. This message usually goes away \
             after a minute"
        );
    };
    let least = template.least_size();
    if least > set.len() {
        return tracing::warn!(
            flowset = id,
            template = least,
            set = set.len(),
            "template length exceeds flowset length"
        );
    }
    let time = Timestamp::new(header.seconds, 0).unwrap_or(Timestamp::EPOCH);
    while set.len() >= least {
        let mut fields = Object::with_capacity(16);
        fields.insert("version", Value::Int(header.version.into()));
        fields.insert("flow_seq_num", Value::Int(header.sequence.into()));
        fields.insert("flowset_id", Value::Int(id.into()));
        let read = template.read(&mut set, |field, value| match value {
            Value::Int(at) if field.name.ends_with("_switched") => {
                // There are no fractions of seconds in this version's header.
                let text = switched(header.uptime, at, header.seconds, |part| 1_000_000 - part);
                fields.insert(&*field.name, text.into());
            }
            value => _ = fields.insert(&*field.name, value),
        });
        match read {
            Ok(()) => packet.emit(time, fields),
            Err(Invalid(error)) => return tracing::warn!(error, flowset = id, "invalid netflow v9 record"),
        }
    }
}
