//! The records of MaxMind's databases, as far as the filter reads them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::field::Field;
use crate::event::{Object, Value};

/// A record of a database of places. Those of databases of networks are [`Traits`] alone.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Record<'a> {
    #[serde(borrow)]
    city: Place<'a>,
    #[serde(borrow)]
    continent: Place<'a>,
    #[serde(borrow)]
    country: Place<'a>,
    #[serde(borrow)]
    location: Location<'a>,
    #[serde(borrow)]
    postal: Postal<'a>,
    #[serde(borrow)]
    subdivisions: Vec<Place<'a>>,
    #[serde(borrow)]
    traits: Traits<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Place<'a> {
    /// Of continents.
    code: Option<&'a str>,
    iso_code: Option<&'a str>,
    #[serde(borrow)]
    names: Names<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Location<'a> {
    latitude: Option<f64>,
    longitude: Option<f64>,
    metro_code: Option<Number>,
    time_zone: Option<&'a str>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Postal<'a> {
    code: Option<&'a str>,
}

/// What is known of a network.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Traits<'a> {
    autonomous_system_number: Option<Number>,
    autonomous_system_organization: Option<&'a str>,
    domain: Option<&'a str>,
    isp: Option<&'a str>,
    organization: Option<&'a str>,
    is_anonymous: bool,
    is_anonymous_vpn: bool,
    is_hosting_provider: bool,
    is_public_proxy: bool,
    is_residential_proxy: bool,
    is_tor_exit_node: bool,
}

/// An integer of whatever width a database gives it.
#[derive(Debug, Clone, Copy)]
struct Number(i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        i64::try_from(number).map(Number).map_err(E::custom)
    }
}

impl<'a> From<Traits<'a>> for Record<'a> {
    fn from(traits: Traits<'a>) -> Self {
        Record { traits, ..Record::default() }
    }
}

impl Record<'_> {
    /// Whether the record names a place on the map.
    pub fn has_location(&self) -> bool {
        self.location.latitude.is_some() || self.location.longitude.is_some()
    }

    /// The value of a field; nothing where the record does not tell. `network` says which network the record is of.
    pub fn value(
        &self,
        field: Field,
        address: IpAddr,
        network: impl FnOnce() -> Option<String>,
    ) -> Option<Value> {
        // The last of them is the most specific one.
        let subdivision = self.subdivisions.last();
        let region_code = subdivision.and_then(|subdivision| subdivision.iso_code);
        let text = |text: Option<&str>| text.map(Value::from);
        let number = |number: Option<Number>| number.map(|Number(number)| Value::Int(number));
        match field {
            Field::AutonomousSystemNumber => number(self.traits.autonomous_system_number),
            Field::AutonomousSystemOrganization => text(self.traits.autonomous_system_organization),
            Field::CityName => text(self.city.names.en),
            Field::CountryName => text(self.country.names.en),
            Field::ContinentCode => text(self.continent.code),
            Field::ContinentName => text(self.continent.names.en),
            Field::CountryCode2 | Field::CountryCode3 => text(self.country.iso_code),
            // Set to null where it is unknown, as in Logstash.
            Field::Domain => Some(self.traits.domain.map_or(Value::Null, Value::from)),
            Field::Ip => Some(Value::from(java_address(address))),
            Field::Isp => text(self.traits.isp),
            Field::PostalCode => text(self.postal.code),
            Field::DmaCode => number(self.location.metro_code),
            Field::RegionName => text(subdivision.and_then(|subdivision| subdivision.names.en)),
            Field::RegionCode => text(region_code),
            Field::RegionIsoCode => self
                .country
                .iso_code
                .zip(region_code)
                .map(|(country, region)| Value::from(format!("{country}-{region}"))),
            Field::Timezone => text(self.location.time_zone),
            Field::Location => {
                let (latitude, longitude) = self.location.latitude.zip(self.location.longitude)?;
                let pair = [("lat", Value::Float(latitude)), ("lon", Value::Float(longitude))];
                Some(Value::from(pair.into_iter().collect::<Object>()))
            }
            Field::Latitude => self.location.latitude.map(Value::Float),
            Field::Longitude => self.location.longitude.map(Value::Float),
            Field::Organization => text(self.traits.organization),
            Field::Network => network().map(Value::from),
            Field::HostingProvider => Some(Value::Bool(self.traits.is_hosting_provider)),
            Field::TorExitNode => Some(Value::Bool(self.traits.is_tor_exit_node)),
            Field::AnonymousVpn => Some(Value::Bool(self.traits.is_anonymous_vpn)),
            Field::Anonymous => Some(Value::Bool(self.traits.is_anonymous)),
            Field::PublicProxy => Some(Value::Bool(self.traits.is_public_proxy)),
            Field::ResidentialProxy => Some(Value::Bool(self.traits.is_residential_proxy)),
        }
    }
}

/// Java's `InetAddress.getHostAddress`: IPv6 is written with all its groups.
pub fn java_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => long(address),
    }
}

fn long(address: Ipv6Addr) -> String {
    address.segments().map(|group| format!("{group:x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_java_writes_them() {
        for (address, text) in [("2607:f0d0:1002:51::4", "2607:f0d0:1002:51:0:0:0:4"), ("1.2.3.4", "1.2.3.4")]
        {
            assert_eq!(java_address(address.parse().unwrap()), text);
        }
    }

    #[test]
    fn what_a_record_does_not_tell_is_left_out() {
        let record = Record::default();
        let value = |field| record.value(field, IpAddr::from([1, 2, 3, 4]), || None);
        assert_eq!(value(Field::RegionIsoCode), None);
        assert_eq!(value(Field::Location), None);
        assert_eq!(value(Field::Domain), Some(Value::Null));
        assert_eq!(value(Field::Anonymous), Some(Value::Bool(false)));
    }
}
