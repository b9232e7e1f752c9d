//! What fields hold: their types, and how the bytes of each become values.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;

use crate::event::{Object, Value};

/// Numbers have at most that many bytes; longer ones are written as hexadecimal digits.
const LONGEST_NUMBER: usize = 16;
/// The engine of an application id whose selector begins with an enterprise number (PANA-L7-PEN of RFC 6759).
const PANA_L7_PEN: u8 = 20;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Unsigned,
    Signed,
    Float,
    Ipv4,
    Ipv6,
    Mac,
    Text,
    /// Bytes as hexadecimal digits.
    Octets,
    ApplicationId,
    ForwardingStatus,
    MplsLabel,
    /// Three numbers as hexadecimal digits, of Cisco's ASA.
    AclId,
    /// Not read.
    Skip,
}

/// The types by the names that definitions have for them; numbers are there in many sizes.
const NAMES: &[(&str, FieldKind)] = &[
    ("ip4_addr", FieldKind::Ipv4),
    ("ip6_addr", FieldKind::Ipv6),
    ("mac_addr", FieldKind::Mac),
    ("string", FieldKind::Text),
    ("octetarray", FieldKind::Octets),
    ("application_id", FieldKind::ApplicationId),
    ("forwarding_status", FieldKind::ForwardingStatus),
    ("mpls_label_stack_octets", FieldKind::MplsLabel),
    ("acl_id_asa", FieldKind::AclId),
    ("skip", FieldKind::Skip),
    ("float", FieldKind::Float),
    ("double", FieldKind::Float),
    ("uint", FieldKind::Unsigned),
    ("int", FieldKind::Signed),
];

impl FieldKind {
    /// The type of a name such as `uint32`, or of a number of bytes.
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.trim_start_matches(':').trim_end_matches(|last: char| last.is_ascii_digit());
        let plain = if plain.is_empty() { "uint" } else { plain };
        NAMES.iter().find(|(known, _)| *known == plain).map(|(_, kind)| *kind)
    }

    /// The name that [`named`](Self::named) reads.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("skip", |(name, _)| name)
    }

    /// The value of a field's bytes. An address that is not as long as it should be is written as octets.
    pub fn value(self, bytes: &[u8]) -> Value {
        match self {
            FieldKind::Unsigned => unsigned(bytes),
            FieldKind::Signed => signed(bytes),
            FieldKind::Float => float(bytes),
            FieldKind::Ipv4 => match <[u8; 4]>::try_from(bytes) {
                Ok(address) => Value::from(Ipv4Addr::from(address).to_string()),
                Err(_) => octets(bytes),
            },
            FieldKind::Ipv6 => match <[u8; 16]>::try_from(bytes) {
                Ok(address) => Value::from(ipv6(address.into())),
                Err(_) => octets(bytes),
            },
            FieldKind::Mac => {
                let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                Value::from(digits.join(":"))
            }
            FieldKind::Text => {
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                Value::from(text(bytes.get(..end).unwrap_or_default()))
            }
            FieldKind::Octets => octets(bytes),
            FieldKind::ApplicationId => application_id(bytes),
            FieldKind::ForwardingStatus => {
                let byte = i64::from(bytes.first().copied().unwrap_or(0));
                object([("status", byte >> 6), ("reason", byte & 0x3F)])
            }
            FieldKind::MplsLabel => mpls_label(bytes),
            FieldKind::AclId => {
                let parts: Vec<_> = bytes.chunks(4).map(hex).collect();
                Value::from(parts.join("-"))
            }
            FieldKind::Skip => Value::Null,
        }
    }
}

fn object<const N: usize>(fields: [(&str, i64); N]) -> Value {
    Value::from(fields.into_iter().map(|(name, number)| (name, Value::Int(number))).collect::<Object>())
}

/// A number of at most 64 bits, the last bytes counting.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn unsigned(bytes: &[u8]) -> Value {
    match bytes.len() {
        0..=8 => match i64::try_from(number(bytes)) {
            Ok(small) => Value::Int(small),
            Err(_) => Value::from_big_integer(number(bytes).into()),
        },
        9..=LONGEST_NUMBER => Value::from_big_integer(BigInt::from_bytes_be(num_bigint::Sign::Plus, bytes)),
        _ => octets(bytes),
    }
}

fn signed(bytes: &[u8]) -> Value {
    match bytes.len() {
        0..=8 => {
            let unused = 64 - 8 * bytes.len() as u32;
            let shifted = number(bytes).checked_shl(unused).unwrap_or(0) as i64;
            Value::Int(shifted.checked_shr(unused).unwrap_or(0))
        }
        _ => Value::from_big_integer(BigInt::from_signed_bytes_be(bytes)),
    }
}

fn float(bytes: &[u8]) -> Value {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Value::Float(f32::from_be_bytes(bytes).into());
    }
    <[u8; 8]>::try_from(bytes).map_or_else(|_| octets(bytes), |bytes| Value::Float(f64::from_be_bytes(bytes)))
}

/// As Ruby's `IPAddr` writes them: addresses that hold one of IPv4 end with its four numbers.
fn ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => address.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string does not fail.
        _ = write!(out, "{byte:02x}");
        out
    })
}

/// Text in UTF-8, or else, as in Logstash, the characters of ISO-8859-1.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn octets(bytes: &[u8]) -> Value {
    Value::from(hex(bytes))
}

/// `engine..selector` (RFC 6759).
fn application_id(bytes: &[u8]) -> Value {
    let (engine, selector) = bytes.split_first().map_or((0, bytes), |(engine, selector)| (*engine, selector));
    Value::from(match selector.split_at_checked(4) {
        Some((enterprise, selector)) if engine == PANA_L7_PEN && !selector.is_empty() => {
            format!("{engine}..{}..{}", number(enterprise), number(selector))
        }
        _ => format!("{engine}..{}", number(selector)),
    })
}

/// An entry of a label stack; of the three octets that templates usually give it the fourth is missing.
fn mpls_label(bytes: &[u8]) -> Value {
    let head = number(bytes.get(..3).unwrap_or(bytes)) as i64;
    let ttl = i64::from(bytes.get(3).copied().unwrap_or(0));
    object([
        ("label", head >> 4),
        ("experimental", (head >> 1) & 7),
        ("bottom_of_stack", head & 1),
        ("ttl", ttl),
    ])
}
