//! What the geoip filter can tell of an address, by both modes' names (`Field.java` of the plugin).

use crate::plugin::EcsMode;

/// One thing that a database may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    AutonomousSystemNumber,
    AutonomousSystemOrganization,
    CityName,
    CountryName,
    ContinentCode,
    ContinentName,
    CountryCode2,
    CountryCode3,
    Domain,
    Ip,
    Isp,
    PostalCode,
    DmaCode,
    RegionName,
    RegionCode,
    RegionIsoCode,
    Timezone,
    Location,
    Latitude,
    Longitude,
    Organization,
    Network,
    HostingProvider,
    TorExitNode,
    AnonymousVpn,
    Anonymous,
    PublicProxy,
    ResidentialProxy,
}

/// A field's name in the option fields, where it goes with ECS, and where without. No path: it is left out.
type Row = (Field, &'static str, &'static [&'static str], &'static str);

const ROWS: [Row; 28] = [
    (Field::AutonomousSystemNumber, "AUTONOMOUS_SYSTEM_NUMBER", &["as", "number"], "asn"),
    (
        Field::AutonomousSystemOrganization,
        "AUTONOMOUS_SYSTEM_ORGANIZATION",
        &["as", "organization", "name"],
        "as_org",
    ),
    (Field::CityName, "CITY_NAME", &["geo", "city_name"], "city_name"),
    (Field::CountryName, "COUNTRY_NAME", &["geo", "country_name"], "country_name"),
    (Field::ContinentCode, "CONTINENT_CODE", &["geo", "continent_code"], "continent_code"),
    (Field::ContinentName, "CONTINENT_NAME", &["geo", "continent_name"], "continent_name"),
    (Field::CountryCode2, "COUNTRY_CODE2", &["geo", "country_iso_code"], "country_code2"),
    (Field::CountryCode3, "COUNTRY_CODE3", &[], "country_code3"),
    (Field::Domain, "DOMAIN", &["domain"], "domain"),
    (Field::Ip, "IP", &["ip"], "ip"),
    (Field::Isp, "ISP", &["mmdb", "isp"], "isp"),
    (Field::PostalCode, "POSTAL_CODE", &["geo", "postal_code"], "postal_code"),
    (Field::DmaCode, "DMA_CODE", &["mmdb", "dma_code"], "dma_code"),
    (Field::RegionName, "REGION_NAME", &["geo", "region_name"], "region_name"),
    (Field::RegionCode, "REGION_CODE", &["geo", "region_code"], "region_code"),
    (Field::RegionIsoCode, "REGION_ISO_CODE", &["geo", "region_iso_code"], "region_iso_code"),
    (Field::Timezone, "TIMEZONE", &["geo", "timezone"], "timezone"),
    (Field::Location, "LOCATION", &["geo", "location"], "location"),
    (Field::Latitude, "LATITUDE", &["geo", "location", "lat"], "latitude"),
    (Field::Longitude, "LONGITUDE", &["geo", "location", "lon"], "longitude"),
    (Field::Organization, "ORGANIZATION", &["mmdb", "organization"], "organization"),
    (Field::Network, "NETWORK", &["ip_traits", "network"], "network"),
    (Field::HostingProvider, "HOSTING_PROVIDER", &["ip_traits", "hosting_provider"], "hosting_provider"),
    (Field::TorExitNode, "TOR_EXIT_NODE", &["ip_traits", "tor_exit_node"], "tor_exit_node"),
    (Field::AnonymousVpn, "ANONYMOUS_VPN", &["ip_traits", "anonymous_vpn"], "anonymous_vpn"),
    (Field::Anonymous, "ANONYMOUS", &["ip_traits", "anonymous"], "anonymous"),
    (Field::PublicProxy, "PUBLIC_PROXY", &["ip_traits", "public_proxy"], "public_proxy"),
    (Field::ResidentialProxy, "RESIDENTIAL_PROXY", &["ip_traits", "residential_proxy"], "residential_proxy"),
];

impl Field {
    /// Reads a name in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let row = ROWS.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(name))?;
        Some(row.0)
    }

    /// All names, for messages.
    pub fn names() -> String {
        let names: Vec<_> = ROWS.iter().map(|(_, name, ..)| name.to_ascii_lowercase()).collect();
        names.join(", ")
    }

    /// The path below the target; empty for a field that the mode has no place for.
    pub fn path(self, ecs: EcsMode) -> &'static [&'static str] {
        let row = ROWS.iter().find(|(field, ..)| *field == self);
        row.map_or(
            &[],
            |(_, _, path, legacy)| if ecs.is_enabled() { path } else { std::slice::from_ref(legacy) },
        )
    }
}

/// The kinds of databases, told apart by their type (`Database.java` of the plugin).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    City,
    Country,
    Domain,
    Asn,
    Isp,
    Enterprise,
    AnonymousIp,
}

impl Kind {
    /// The kind that a database's metadata speak of, as in `GeoLite2-City` or `DBIP-Country-Lite`.
    pub fn of(database_type: &str) -> Option<Self> {
        let kinds = [
            ("City", Kind::City),
            ("Country", Kind::Country),
            ("GeoIP2-Domain", Kind::Domain),
            ("GeoLite2-ASN", Kind::Asn),
            ("GeoIP2-ISP", Kind::Isp),
            ("Enterprise", Kind::Enterprise),
            ("GeoIP2-Anonymous-IP", Kind::AnonymousIp),
        ];
        kinds.into_iter().find(|(part, _)| database_type.contains(part)).map(|(_, kind)| kind)
    }

    /// The fields that a database of this kind can tell.
    pub fn fields(self) -> &'static [Field] {
        use Field::*;
        match self {
            Kind::City => &[
                CityName,
                CountryName,
                ContinentCode,
                ContinentName,
                CountryCode2,
                CountryCode3,
                Ip,
                PostalCode,
                DmaCode,
                RegionName,
                RegionCode,
                RegionIsoCode,
                Timezone,
                Location,
                Latitude,
                Longitude,
            ],
            Kind::Country => &[CountryName, ContinentName, CountryCode2, Ip],
            Kind::Domain => &[Domain],
            Kind::Asn => &[AutonomousSystemNumber, AutonomousSystemOrganization, Ip, Network],
            Kind::Isp => &[AutonomousSystemNumber, AutonomousSystemOrganization, Ip, Isp, Organization],
            Kind::Enterprise => &[
                AutonomousSystemNumber,
                AutonomousSystemOrganization,
                CityName,
                CountryName,
                ContinentName,
                CountryCode2,
                Ip,
                RegionName,
                RegionIsoCode,
                Timezone,
                Location,
                Network,
                HostingProvider,
                TorExitNode,
                AnonymousVpn,
                Anonymous,
                PublicProxy,
                ResidentialProxy,
            ],
            Kind::AnonymousIp => {
                &[Ip, HostingProvider, TorExitNode, AnonymousVpn, Anonymous, PublicProxy, ResidentialProxy]
            }
        }
    }

    /// The fields that are told unless the config chooses.
    pub fn default_fields(self, ecs: EcsMode) -> Vec<Field> {
        use Field::*;
        let left_out: &[Field] = match self {
            Kind::City => &[ContinentName, ecs.select(RegionIsoCode, RegionCode)],
            Kind::Asn => &[Network],
            Kind::Enterprise => &[
                AutonomousSystemNumber,
                AutonomousSystemOrganization,
                Timezone,
                Network,
                HostingProvider,
                TorExitNode,
                AnonymousVpn,
                Anonymous,
                PublicProxy,
                ResidentialProxy,
            ],
            Kind::AnonymousIp => &[Ip],
            Kind::Country | Kind::Domain | Kind::Isp => &[],
        };
        self.fields().iter().copied().filter(|field| !left_out.contains(field)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_told_by_their_type() {
        for (name, kind) in [
            ("GeoLite2-City", Some(Kind::City)),
            ("DBIP-Country-Lite", Some(Kind::Country)),
            ("GeoIP2-Precision-Enterprise", Some(Kind::Enterprise)),
            ("GeoIP2-Connection-Type", None),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }

    #[test]
    fn names_and_places() {
        assert_eq!(Field::parse("country_code2"), Some(Field::CountryCode2));
        assert_eq!(
            Field::parse("latitude").map(|field| field.path(EcsMode::V8)),
            Some(["geo", "location", "lat"].as_slice())
        );
        assert_eq!(Field::CountryCode3.path(EcsMode::V1), [""; 0]);
        assert_eq!(Field::CountryCode3.path(EcsMode::Disabled), ["country_code3"]);
        assert_eq!(Field::parse("city"), None);
        assert!(Kind::City.default_fields(EcsMode::Disabled).contains(&Field::RegionCode));
        assert!(!Kind::City.default_fields(EcsMode::V8).contains(&Field::RegionCode));
    }
}
