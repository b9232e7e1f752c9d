//! `IPAddr`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Native, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        includes: &["Comparable"],
        methods: &[METHODS, KINDS],
        singleton_methods: &[NEW],
        ..ClassDef::class("IPAddr")
    },
    ClassDef { superclass: Some("ArgumentError"), ..ClassDef::class("IPAddr::Error") },
    ClassDef { superclass: Some("IPAddr::Error"), ..ClassDef::class("IPAddr::InvalidAddressError") },
    ClassDef { superclass: Some("IPAddr::Error"), ..ClassDef::class("IPAddr::AddressFamilyError") },
    ClassDef {
        superclass: Some("IPAddr::InvalidAddressError"),
        ..ClassDef::class("IPAddr::InvalidPrefixError")
    },
    ClassDef {
        setup: Some(|interp, class| {
            interp.define_constant(class, "AF_INET", Value::Int(2));
            interp.define_constant(class, "AF_INET6", Value::Int(10));
        }),
        ..ClassDef::class("Socket")
    },
];

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Address {
    bits: u128,
    is_v4: bool,
    prefix: u32,
}

impl Native for Address {
    fn key_hash(&self) -> Option<u64> {
        Some((self.bits >> 64) as u64 ^ self.bits as u64 ^ u64::from(self.is_v4) << 63)
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other.downcast::<Address>() == Some(self)
    }
}

impl Address {
    fn width(&self) -> u32 {
        if self.is_v4 { 32 } else { 128 }
    }

    fn mask(&self) -> u128 {
        let ones = if self.is_v4 { u128::from(u32::MAX) } else { u128::MAX };
        let free = self.width() - self.prefix;
        if free >= 128 { 0 } else { ones >> free << free }
    }

    fn masked(self, prefix: u32) -> Address {
        let masked = Address { prefix, ..self };
        Address { bits: self.bits & masked.mask(), ..masked }
    }

    fn last(&self) -> u128 {
        let ones = if self.is_v4 { u128::from(u32::MAX) } else { u128::MAX };
        self.bits | (ones & !self.mask())
    }

    fn single(&self, bits: u128) -> Address {
        Address { bits, prefix: self.width(), ..*self }
    }

    fn ip(&self) -> IpAddr {
        match self.is_v4 {
            true => IpAddr::V4(Ipv4Addr::from(self.bits as u32)),
            false => IpAddr::V6(Ipv6Addr::from(self.bits)),
        }
    }

    fn includes(&self, other: &Address) -> bool {
        let mapped = |address: &Address| match (address.is_v4, address.bits >> 32) {
            (false, 0xFFFF) => Address {
                bits: address.bits & 0xFFFF_FFFF,
                is_v4: true,
                prefix: address.prefix.saturating_sub(96),
            },
            _ => *address,
        };
        let (own, other) = (mapped(self), mapped(other));
        own.is_v4 == other.is_v4 && other.bits >= own.bits && other.last() <= own.last()
    }
}

fn read(text: &str) -> Result<Address, (&'static str, String)> {
    let invalid = |text: &str| ("IPAddr::InvalidAddressError", format!("invalid address: {text}"));
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split('%').next().unwrap_or(bare);
    let ip: IpAddr = bare.parse().map_err(|_| invalid(text))?;
    let whole = match ip {
        IpAddr::V4(ip) => Address { bits: u32::from(ip).into(), is_v4: true, prefix: 32 },
        IpAddr::V6(ip) => Address { bits: ip.into(), is_v4: false, prefix: 128 },
    };
    match prefix {
        Some(prefix) => Ok(whole.masked(
            prefix_length(&whole, prefix)
                .map_err(|(class, message)| (class, format!("{message}: {text}")))?,
        )),
        None => Ok(whole),
    }
}

fn prefix_length(address: &Address, text: &str) -> Result<u32, (&'static str, String)> {
    if let Ok(length) = text.parse::<u32>() {
        if length <= address.width() {
            return Ok(length);
        }
        return Err(("IPAddr::InvalidPrefixError", "invalid length".into()));
    }
    let mask: IpAddr = text.parse().map_err(|_| ("IPAddr::InvalidPrefixError", "invalid mask".to_owned()))?;
    let ones = match mask {
        IpAddr::V4(mask) => u32::from(mask).leading_ones(),
        IpAddr::V6(mask) => u128::from(mask).leading_ones(),
    };
    Ok(ones)
}

fn wrap(interp: &mut Interp, address: Address) -> Value {
    let class = interp.class_named("IPAddr").unwrap_or_else(|| interp.classes.object.clone());
    Value::native(&class, address)
}

/// An address given as such, as text or as a number of its own family.
fn to_address(interp: &mut Interp, value: &Value, family: Option<&Address>) -> Outcome<Address> {
    if let Some(address) = value.as_native::<Address>() {
        return Ok(*address);
    }
    if let (Value::Int(_) | Value::Big(_), Some(family)) = (value, family) {
        let text = interp.to_s(value)?;
        return match text.parse::<u128>() {
            Ok(bits) if !family.is_v4 || bits <= u128::from(u32::MAX) => Ok(family.single(bits)),
            _ => Err(interp.error("IPAddr::InvalidAddressError", format!("invalid address: {text}"))),
        };
    }
    let text = interp.to_str(value)?.to_text();
    read(&text).map_err(|(class, message)| interp.error(class, message))
}

fn own(interp: &mut Interp, this: &Value) -> Outcome<Address> {
    match this.as_native::<Address>() {
        Some(address) => Ok(*address),
        None => Err(interp.type_error("not an IPAddr")),
    }
}

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, _, args| {
        if args.is_empty() {
            return Ok(wrap(interp, Address { bits: 0, is_v4: false, prefix: 128 }));
        }
        if let Value::Int(_) | Value::Big(_) = args.at(0) {
            let is_v4 = matches!(args.at(1), Value::Int(2));
            if args.len() < 2 {
                return Err(interp.error("IPAddr::AddressFamilyError", "unsupported address family: 0"));
            }
            let family = Address { bits: 0, is_v4, prefix: if is_v4 { 32 } else { 128 } };
            let address = to_address(interp, args.at(0), Some(&family))?;
            return Ok(wrap(interp, address));
        }
        let address = to_address(interp, args.at(0), None)?;
        Ok(wrap(interp, address))
    }),
    MethodDef("new_ntoh", exactly(1), |interp, _, args| {
        let bytes = args.string(interp, 0)?.borrow().bytes().to_vec();
        let address = match (<[u8; 4]>::try_from(bytes.as_slice()), <[u8; 16]>::try_from(bytes.as_slice())) {
            (Ok(four), _) => Address { bits: u32::from_be_bytes(four).into(), is_v4: true, prefix: 32 },
            (_, Ok(sixteen)) => Address { bits: u128::from_be_bytes(sixteen), is_v4: false, prefix: 128 },
            _ => return Err(interp.error("IPAddr::AddressFamilyError", "unsupported address family")),
        };
        Ok(wrap(interp, address))
    }),
];

const METHODS: &[MethodDef] = &[
    MethodDef("include?", exactly(1), includes),
    MethodDef("===", exactly(1), includes),
    MethodDef("to_s", exactly(0), |interp, this, _| Ok(Value::str(own(interp, this)?.ip().to_string()))),
    MethodDef("to_string", exactly(0), |interp, this, _| Ok(Value::str(full(&own(interp, this)?)))),
    MethodDef("to_i", exactly(0), |interp, this, _| Ok(Value::big(own(interp, this)?.bits.into()))),
    MethodDef("prefix", exactly(0), |interp, this, _| Ok(Value::Int(own(interp, this)?.prefix.into()))),
    MethodDef("cidr", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(Value::str(format!("{}/{}", address.ip(), address.prefix)))
    }),
    MethodDef("netmask", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(Value::str(address.single(address.mask()).ip().to_string()))
    }),
    MethodDef("mask", exactly(1), |interp, this, args| {
        let address = own(interp, this)?;
        let text = interp.to_s(args.at(0))?;
        match prefix_length(&address, &text) {
            Ok(prefix) => Ok(wrap(interp, address.masked(prefix))),
            Err((class, message)) => Err(interp.error(class, format!("{message}: {text}"))),
        }
    }),
    MethodDef("to_range", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        let (first, last) = (address.single(address.bits), address.single(address.last()));
        let (first, last) = (wrap(interp, first), wrap(interp, last));
        Ok(Value::range(first, last, false))
    }),
    MethodDef("succ", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(wrap(interp, address.single(address.bits.wrapping_add(1))))
    }),
    MethodDef("+", exactly(1), |interp, this, args| moved(interp, this, args, 1)),
    MethodDef("-", exactly(1), |interp, this, args| moved(interp, this, args, -1)),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let address = own(interp, this)?;
        Ok(match to_address(interp, args.at(0), Some(&address)) {
            Ok(other) if other.is_v4 == address.is_v4 => Value::Int(address.bits.cmp(&other.bits) as i64),
            _ => Value::Nil,
        })
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let address = own(interp, this)?;
        Ok(Value::Bool(match to_address(interp, args.at(0), Some(&address)) {
            Ok(other) => other.is_v4 == address.is_v4 && other.bits == address.bits,
            Err(_) => false,
        }))
    }),
    MethodDef("&", exactly(1), |interp, this, args| {
        let address = own(interp, this)?;
        let other = to_address(interp, args.at(0), Some(&address))?;
        Ok(wrap(interp, address.single(address.bits & other.bits)))
    }),
    MethodDef("|", exactly(1), |interp, this, args| {
        let address = own(interp, this)?;
        let other = to_address(interp, args.at(0), Some(&address))?;
        Ok(wrap(interp, address.single(address.bits | other.bits)))
    }),
    MethodDef("hton", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(Value::bytes(
            match address.ip() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            },
            Encoding::Binary,
        ))
    }),
    MethodDef("reverse", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(Value::str(match address.ip() {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(ip) => {
                let digits = format!("{:032x}", u128::from(ip));
                let reversed: Vec<String> = digits.chars().rev().map(String::from).collect();
                format!("{}.ip6.arpa", reversed.join("."))
            }
        }))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        let (kind, mask) = (if address.is_v4 { "IPv4" } else { "IPv6" }, address.single(address.mask()));
        Ok(Value::str(format!("#<IPAddr: {kind}:{}/{}>", full(&address), full(&mask))))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
    MethodDef("native", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        let mapped = !address.is_v4 && address.bits >> 32 == 0xFFFF;
        Ok(match mapped {
            true => wrap(interp, Address { bits: address.bits & 0xFFFF_FFFF, is_v4: true, prefix: 32 }),
            false => this.clone(),
        })
    }),
    MethodDef("ipv4_mapped", exactly(0), |interp, this, _| {
        let address = own(interp, this)?;
        Ok(wrap(
            interp,
            Address { bits: address.bits | 0xFFFF << 32, is_v4: false, prefix: address.prefix + 96 },
        ))
    }),
];

/// IPv6 without abbreviation.
fn full(address: &Address) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|segment| format!("{segment:04x}")).join(":"),
    }
}

fn includes(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let address = own(interp, this)?;
    let other = to_address(interp, args.at(0), Some(&address))?;
    Ok(Value::Bool(address.includes(&other)))
}

fn moved(interp: &mut Interp, this: &Value, args: Args<'_>, sign: i128) -> Outcome {
    let address = own(interp, this)?;
    let by = i128::from(args.int(interp, 0)?) * sign;
    let moved =
        address.bits.checked_add_signed(by).filter(|bits| !address.is_v4 || *bits <= u128::from(u32::MAX));
    match moved {
        Some(bits) => Ok(wrap(interp, address.single(bits))),
        None => Err(interp.error("IPAddr::InvalidAddressError", "invalid address")),
    }
}

/// A test of the address.
macro_rules! test {
    ($name:literal, $test:expr) => {
        MethodDef($name, exactly(0), |interp, this, _| {
            let address = own(interp, this)?;
            let test: fn(IpAddr) -> bool = $test;
            Ok(Value::Bool(test(address.ip())))
        })
    };
}

const KINDS: &[MethodDef] = &[
    test!("ipv4?", |ip| ip.is_ipv4()),
    test!("ipv6?", |ip| ip.is_ipv6()),
    test!("loopback?", |ip| ip.is_loopback()),
    test!("private?", |ip| match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }),
    test!("link_local?", |ip| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }),
    test!("ipv4_mapped?", |ip| matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())),
    MethodDef("family", exactly(0), |interp, this, _| {
        Ok(Value::Int(if own(interp, this)?.is_v4 { 2 } else { 10 }))
    }),
];
