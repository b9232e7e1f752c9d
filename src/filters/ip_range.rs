//! Addresses and networks as Ruby's `IPAddr` reads and prints them; the filters cidr, fingerprint and anonymize share it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A text that Ruby's `IPAddr.new` refuses, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    #[error("\"{0}\" is not an IP address")]
    Address(String),
    #[error("\"{0}\" is not a prefix length or netmask of its address")]
    Prefix(String),
}

/// A network: an address whose bits behind the prefix are zero. A host alone is one with a full prefix.
///
/// The families are never mixed: `::ffff:10.0.0.1` does not lie within `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    base: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// Reads `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `fe80::/10`, `[::1]`, `fe80::1%eth0`; bits behind the prefix are
    /// cut off.
    pub fn parse(text: &str) -> Result<Self, InvalidRange> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let base = parse_address(address).ok_or_else(|| InvalidRange::Address(text.to_owned()))?;
        let host = IpRange { base, prefix: width(base) };
        match prefix {
            None => Ok(host),
            Some(prefix) => prefix_length(prefix, base)
                .and_then(|length| host.masked(length))
                .ok_or_else(|| InvalidRange::Prefix(text.to_owned())),
        }
    }

    /// The network of this one's address with another prefix length; nothing when the family has no such length.
    pub fn masked(self, prefix: u8) -> Option<Self> {
        if prefix > width(self.base) {
            return None;
        }
        let base = match self.base {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        };
        Some(IpRange { base, prefix })
    }

    /// Whether every address of `other` is one of this network's.
    pub fn contains(self, other: IpRange) -> bool {
        self.base.is_ipv4() == other.base.is_ipv4()
            && self.prefix <= other.prefix
            && IpRange { base: other.base, prefix: self.prefix }.masked(self.prefix) == Some(self)
    }
}

impl fmt::Display for IpRange {
    /// The address alone, as `IPAddr#to_s`: IPv6 is shortened, and its last 32 bits behind zeros are dotted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            // Exactly two groups behind `::`; Rust dots only those behind `::ffff:`.
            IpAddr::V6(address) if (0x1_0000..=u128::from(u32::MAX)).contains(&address.to_bits()) => {
                write!(f, "::{}", Ipv4Addr::from_bits(address.to_bits() as u32))
            }
            address => address.fmt(f),
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Brackets and zones make an address one of IPv6.
fn parse_address(text: &str) -> Option<IpAddr> {
    let (bare, is_bracketed) = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match bare.rsplit_once('%') {
        Some((bare, zone)) if !zone.is_empty() && zone.chars().all(is_word) => {
            bare.parse().ok().map(IpAddr::V6)
        }
        _ if is_bracketed => bare.parse().ok().map(IpAddr::V6),
        _ => bare.parse().ok(),
    }
}

/// A number without leading zeros, or a netmask of the same family.
fn prefix_length(text: &str, base: IpAddr) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|_| text == "0" || !text.starts_with('0'));
    }
    let (ones, mask_is_contiguous) = match (parse_address(text)?, base) {
        (IpAddr::V4(mask), IpAddr::V4(_)) => {
            let bits = mask.to_bits();
            (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
        }
        (IpAddr::V6(mask), IpAddr::V6(_)) => {
            let bits = mask.to_bits();
            (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
        }
        _ => return None,
    };
    u8::try_from(ones).ok().filter(|_| mask_is_contiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> IpRange {
        IpRange::parse(text).unwrap()
    }

    #[test]
    fn what_ruby_takes_and_prints() {
        // From the documentation and tests of Ruby's ipaddr.
        for (text, printed) in [
            ("192.168.2.77/24", "192.168.2.0"),
            ("192.168.2.77/255.255.0.0", "192.168.0.0"),
            ("3ffe:505:2::1/48", "3ffe:505:2::"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("0:0:0:1::", "0:0:0:1::"),
            ("::192.168.1.2", "::192.168.1.2"),
            ("::ffff:192.168.1.2", "::ffff:192.168.1.2"),
            ("::5", "::5"),
            ("10.0.0.1/0", "0.0.0.0"),
            ("ffff::/0", "::"),
        ] {
            assert_eq!(range(text).to_string(), printed, "{text}");
        }
        for text in [
            "",
            "256.0.0.1",
            "010.0.0.1",
            "1.2.3",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/-1",
            "10.0.0.0/255.0.255.0",
            "10.0.0.0/ffff::",
            "10.0.0.0/",
            "[10.0.0.1]",
            "::/129",
            " 10.0.0.1",
        ] {
            assert!(IpRange::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn families_are_kept_apart() {
        assert!(range("10.0.0.0/8").contains(range("10.1.0.0/16")));
        assert!(!range("10.1.0.0/16").contains(range("10.0.0.0/8")));
        assert!(range("0.0.0.0/0").contains(range("1.2.3.4")));
        assert!(!range("0.0.0.0/0").contains(range("::ffff:1.2.3.4")));
        assert!(!range("::/0").contains(range("1.2.3.4")));
        assert!(range("::/0").contains(range("fe80::/64")));
        assert!(!range("10.0.0.5").contains(range("10.0.0.6")));
    }
}
