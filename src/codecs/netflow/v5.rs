//! NetFlow version 5: a header and up to 30 records of one fixed form.

use crate::event::{Object, Timestamp, Value};

use super::kind::FieldKind::{self, Ipv4, Skip, Unsigned};
use super::wire::{Invalid, Reader};
use super::{Packet, switched};

/// The fields of a record with their sizes; those that end with `_switched` are times.
const FIELDS: [(&str, FieldKind, usize); 20] = [
    ("ipv4_src_addr", Ipv4, 4),
    ("ipv4_dst_addr", Ipv4, 4),
    ("ipv4_next_hop", Ipv4, 4),
    ("input_snmp", Unsigned, 2),
    ("output_snmp", Unsigned, 2),
    ("in_pkts", Unsigned, 4),
    ("in_bytes", Unsigned, 4),
    ("first_switched", Unsigned, 4),
    ("last_switched", Unsigned, 4),
    ("l4_src_port", Unsigned, 2),
    ("l4_dst_port", Unsigned, 2),
    ("", Skip, 1),
    ("tcp_flags", Unsigned, 1),
    ("protocol", Unsigned, 1),
    ("src_tos", Unsigned, 1),
    ("src_as", Unsigned, 2),
    ("dst_as", Unsigned, 2),
    ("src_mask", Unsigned, 1),
    ("dst_mask", Unsigned, 1),
    ("", Skip, 2),
];
const RECORD_SIZE: usize = 48;
const MOST_RECORDS: u16 = 30;

pub fn decode(bytes: &[u8], packet: &mut Packet<'_>) -> Result<(), Invalid> {
    let mut reader = Reader::new(bytes);
    let (version, count) = (reader.u16()?, reader.u16()?);
    let (uptime, seconds, nanos) = (reader.i64_of_u32()?, reader.i64_of_u32()?, reader.i64_of_u32()?);
    let (sequence, engine_type, engine_id) = (reader.u32()?, reader.u8()?, reader.u8()?);
    let sampling = reader.u16()?;
    if !(1..=MOST_RECORDS).contains(&count) {
        return Err(Invalid("it does not have 1 to 30 records"));
    }
    let records = reader.take(usize::from(count) * RECORD_SIZE)?;
    let micros = nanos / 1000;
    let time = Timestamp::new(seconds + micros / 1_000_000, (micros % 1_000_000 * 1000) as u32);
    let header: [(&str, u32); 7] = [
        ("version", version.into()),
        ("flow_seq_num", sequence),
        ("engine_type", engine_type.into()),
        ("engine_id", engine_id.into()),
        ("sampling_algorithm", (sampling >> 14).into()),
        ("sampling_interval", (sampling & 0x3FFF).into()),
        ("flow_records", count.into()),
    ];
    for record in records.chunks_exact(RECORD_SIZE) {
        let mut fields: Object =
            header.iter().map(|(name, number)| (*name, Value::Int((*number).into()))).collect();
        let mut reader = Reader::new(record);
        for (name, kind, size) in FIELDS {
            let value = kind.value(reader.take(size)?);
            match value {
                _ if kind == Skip => {}
                Value::Int(at) if name.ends_with("_switched") => {
                    // A fraction below zero gets its second back but does not take it from the seconds, as in Logstash.
                    let fraction = |part: i64| match micros - part {
                        below @ ..0 => below + 1_000_000,
                        fraction => fraction,
                    };
                    fields.insert(name, switched(uptime, at, seconds, fraction).into());
                }
                value => _ = fields.insert(name, value),
            }
        }
        packet.emit(time.unwrap_or(Timestamp::EPOCH), fields);
    }
    Ok(())
}
