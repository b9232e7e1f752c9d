//! IPFIX (RFC 7011), which its packets call version 10.

use crate::event::{Object, Timestamp, Value};

use super::registry::{Field, Key, Template};
use super::v9::add;
use super::wire::{Invalid, Reader};
use super::{Packet, time_text};

const TEMPLATES: u16 = 2;
const OPTIONS_TEMPLATES: u16 = 3;
const FIRST_DATA: u16 = 256;
const HEADER_SIZE: usize = 16;
/// The bit of a field's number that says that an enterprise follows.
const ENTERPRISE: u16 = 0x8000;
/// Seconds from 1900, when NTP begins, to 1970.
const NTP_EPOCH: i64 = 2_208_988_800;

struct Header {
    version: u16,
    seconds: i64,
    domain: u32,
}

pub fn decode(bytes: &[u8], packet: &mut Packet<'_>) -> Result<(), Invalid> {
    let mut reader = Reader::new(bytes);
    let (version, length) = (reader.u16()?, reader.u16()?);
    let (seconds, _sequence, domain) = (reader.i64_of_u32()?, reader.u32()?, reader.u32()?);
    let header = Header { version, seconds, domain };
    let body = usize::from(length).checked_sub(HEADER_SIZE).ok_or(Invalid("it has no length"))?;
    for (id, set) in sets(Reader::new(reader.take(body)?))? {
        let decoded = match id {
            TEMPLATES => templates(set, false, &header, packet),
            OPTIONS_TEMPLATES => templates(set, true, &header, packet),
            id => {
                data(id, set, &header, packet);
                Ok(())
            }
        };
        if let Err(Invalid(error)) = decoded {
            tracing::warn!(error, domain = header.domain, set = id, "invalid IPFIX record");
        }
    }
    Ok(())
}

/// The sets of a message by number.
fn sets(mut reader: Reader<'_>) -> Result<Vec<(u16, Reader<'_>)>, Invalid> {
    let mut sets = Vec::new();
    while !reader.is_empty() {
        let (id, length) = (reader.u16()?, reader.u16()?);
        if !matches!(id, TEMPLATES | OPTIONS_TEMPLATES | FIRST_DATA..) {
            return Err(Invalid("it has a set of an unknown number"));
        }
        if length <= 4 {
            return Err(Invalid("it has a set of no length"));
        }
        sets.push((id, Reader::new(reader.take(usize::from(length) - 4)?)));
    }
    Ok(sets)
}

fn templates(
    mut set: Reader<'_>,
    with_scopes: bool,
    header: &Header,
    packet: &Packet<'_>,
) -> Result<(), Invalid> {
    // Less than a template's head is padding.
    while set.len() >= 4 {
        let (id, count) = (set.u16()?, set.u16()?);
        if id < FIRST_DATA {
            return Ok(());
        }
        let key = Key { source: header.domain, template: id, peer: None };
        if count == 0 {
            packet.shared.ipfix_templates.withdraw(&key);
            continue;
        }
        if with_scopes && set.u16()? == 0 {
            return Err(Invalid("it has an options template without scopes"));
        }
        let mut fields = Some(Vec::new());
        for _ in 0..count {
            let (number, length) = (set.u16()?, set.u16()?);
            let enterprise = if number & ENTERPRISE == 0 { 0 } else { set.u32()? };
            add(&mut fields, field(number & !ENTERPRISE, enterprise, length, packet));
        }
        if let Some(template) = fields.and_then(Template::new) {
            packet.shared.ipfix_templates.register(key, template);
        }
    }
    Ok(())
}

fn field(number: u16, enterprise: u32, length: u16, packet: &Packet<'_>) -> Option<Field> {
    let definition = packet.shared.ipfix_fields.get(enterprise, number);
    if definition.is_none() {
        tracing::warn!(enterprise, number, length, "unsupported enterprise field");
    }
    definition.map(|definition| Field::new(definition.kind, &definition.name, length))
}

fn data(id: u16, mut set: Reader<'_>, header: &Header, packet: &mut Packet<'_>) {
    let key = Key { source: header.domain, template: id, peer: None };
    let Some(template) = packet.shared.ipfix_templates.get(&key) else {
        return tracing::warn!(
            set = id,
            domain = header.domain,
            "can't (yet) decode this set: no template for it has been received. This message usually goes away after a \
             minute"
        );
    };
    let time = Timestamp::new(header.seconds, 0).unwrap_or(Timestamp::EPOCH);
    while set.len() >= template.least_size() {
        let mut fields = Object::with_capacity(16);
        fields.insert("version", Value::Int(header.version.into()));
        if packet.shared.include_flowset_id {
            fields.insert("flowset_id", Value::Int(id.into()));
        }
        let read = template.read(&mut set, |field, value| {
            let value = match flow_time(&field.name, &value) {
                Some(text) => Value::from(text),
                None => value,
            };
            fields.insert(&*field.name, value);
        });
        // What is left behind the last record is padding.
        if read.is_err() {
            return;
        }
        packet.emit(time, fields);
    }
}

/// The text of a field that holds a flow's first or last moment.
fn flow_time(name: &str, value: &Value) -> Option<String> {
    let unit = name.strip_prefix("flowStart").or_else(|| name.strip_prefix("flowEnd"))?;
    let number = match value {
        Value::Int(number) => *number,
        // Times of NTP use the highest bit.
        Value::Big(_) => value_bits(value)?,
        _ => return None,
    };
    match unit {
        "Seconds" => Some(time_text(number, 0)),
        "Milliseconds" => Some(time_text(number.div_euclid(1000), number.rem_euclid(1000) * 1_000_000)),
        "Microseconds" | "Nanoseconds" => {
            let bits = number as u64;
            let fraction = (bits & 0xFFFF_FFFF) as f64 / 4_294_967_296.0;
            Some(time_text((bits >> 32) as i64 - NTP_EPOCH, (fraction * 1e9) as i64))
        }
        _ => None,
    }
}

/// The bits of a number between 2^63 and 2^64.
fn value_bits(value: &Value) -> Option<i64> {
    match value {
        Value::Big(big) => match &**big {
            crate::event::Big::Integer(number) => u64::try_from(number).ok().map(|number| number as i64),
            crate::event::Big::Decimal(_) => None,
        },
        _ => None,
    }
}
