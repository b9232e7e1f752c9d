//! Databases written for the purpose, and what the filter tells from them.

use std::path::Path;
use std::time::SystemTime;

use ipnet::IpNet;
use mmdb_writer::{Value as Data, Writer};
use tempfile::TempDir;

use super::*;
use crate::event::json::{Decimals, parse};
use crate::plugin::testkit;

/// Writes a database with one record.
fn database(kind: &str, network: &str, record: Data) -> Vec<u8> {
    let mut writer = Writer::builder(kind).build_epoch(SystemTime::UNIX_EPOCH).build();
    writer.insert_value(network.parse::<IpNet>().unwrap(), record).unwrap();
    writer.to_bytes().unwrap()
}

fn names(en: &str) -> (&'static str, Data) {
    ("names", Data::map([("en", en), ("de", "anders")]))
}

/// A record of a city with all that the filter reads.
fn city() -> Data {
    Data::map([
        ("city", Data::map([names("Springfield")])),
        ("continent", Data::map([("code", Data::from("NA")), names("North America")])),
        ("country", Data::map([("iso_code", Data::from("US")), names("United States")])),
        ("registered_country", Data::map([("iso_code", Data::from("XX"))])),
        (
            "location",
            Data::map([
                ("latitude", Data::from(44.05)),
                ("longitude", Data::from(-123.02)),
                ("metro_code", Data::U16(801)),
                ("time_zone", Data::from("America/Los_Angeles")),
            ]),
        ),
        ("postal", Data::map([("code", "97477")])),
        (
            "subdivisions",
            Data::array([
                Data::map([("iso_code", Data::from("OR")), names("Oregon")]),
                Data::map([("iso_code", Data::from("LN")), names("Lane")]),
            ]),
        ),
        ("traits", traits()),
    ])
}

fn traits() -> Data {
    Data::map([
        ("autonomous_system_number", Data::U32(64512)),
        ("autonomous_system_organization", Data::from("Example")),
        ("isp", Data::from("Example Access")),
        ("organization", Data::from("Example Org")),
        ("domain", Data::from("example.com")),
        ("is_anonymous", Data::Bool(true)),
        ("is_tor_exit_node", Data::Bool(true)),
    ])
}

/// A filter with a database of its own.
struct Fixture {
    filter: GeoIp,
    _folder: TempDir,
}

impl Fixture {
    fn new(kind: &str, record: Data, ecs: EcsMode, fields: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.mmdb");
        std::fs::write(&path, database(kind, "192.0.2.0/25", record)).unwrap();
        let database = Database::open(&path).unwrap();
        let fields = match fields {
            [] => database.kind.default_fields(ecs),
            names => names.iter().map(|name| Field::parse(name).unwrap()).collect(),
        };
        let filter = GeoIp {
            source: FieldReference::parse("[c][ip]").unwrap(),
            target: FieldReference::parse(ecs.select("geoip", "[c]")).unwrap(),
            ecs,
            fields,
            database: Some(database),
            known: Some(Cache::new(10)),
            tag_on_failure: vec!["_geoip_lookup_failure".into()],
        };
        Fixture { filter, _folder: folder }
    }

    /// What becomes of an event.
    fn run(&self, event: &str) -> (Outcome, String) {
        let Ok(Value::Object(object)) = parse(event, Decimals::Double) else { panic!("{event}") };
        let mut event = Event::from_object(*object).unwrap();
        // Twice, for the second answer comes from what was kept.
        let mut again = event.clone();
        let outcome = self.filter.filter(&mut event, &mut Emit::default());
        assert_eq!(self.filter.filter(&mut again, &mut Emit::default()), outcome);
        assert_eq!(testkit::fields(&again), testkit::fields(&event));
        (outcome, testkit::fields(&event))
    }

    /// What is told of an address that is in the database.
    fn told(&self) -> serde_json::Value {
        let (outcome, fields) = self.run(r#"{"c":{"ip":"192.0.2.1"}}"#);
        assert_eq!(outcome, Outcome::Matched);
        let fields: serde_json::Value = serde_json::from_str(&fields).unwrap();
        let mut told = fields.get("geoip").or(fields.get("c")).cloned().unwrap();
        told.as_object_mut().map(|told| told.remove("ip")).unwrap();
        told
    }
}

#[test]
fn the_examples_database_is_what_is_written_here() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/geoip/city.mmdb");
    let wanted = database("Example-City", "192.0.2.0/24", city());
    if std::fs::read(&path).ok().as_ref() != Some(&wanted) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
        panic!("{} was out of date and has been written anew", path.display());
    }
}

#[test]
fn cities() {
    let told = Fixture::new("GeoLite2-City", city(), EcsMode::Disabled, &[]).told();
    let expected = serde_json::json!({
        "city_name": "Springfield", "continent_code": "NA", "country_name": "United States", "country_code2": "US",
        "country_code3": "US", "postal_code": "97477", "dma_code": 801, "region_name": "Lane", "region_code": "LN",
        "timezone": "America/Los_Angeles", "location": {"lat": 44.05, "lon": -123.02}, "latitude": 44.05,
        "longitude": -123.02,
    });
    assert_eq!(told, expected);
    let told = Fixture::new("GeoLite2-City", city(), EcsMode::V8, &[]).told();
    let expected = serde_json::json!({
        "geo": {
            "city_name": "Springfield", "continent_code": "NA", "country_name": "United States",
            "country_iso_code": "US", "postal_code": "97477", "region_name": "Lane", "region_iso_code": "US-LN",
            "timezone": "America/Los_Angeles", "location": {"lat": 44.05, "lon": -123.02},
        },
        "mmdb": {"dma_code": 801},
    });
    assert_eq!(told, expected);
}

#[test]
fn other_databases() {
    let place = serde_json::json!({
        "country_name": "United States", "country_code2": "US", "continent_name": "North America",
    });
    for (kind, record, fields, expected) in [
        ("GeoLite2-Country", city(), [].as_slice(), place),
        ("GeoLite2-ASN", traits(), &[], serde_json::json!({"asn": 64512, "as_org": "Example"})),
        ("GeoLite2-ASN", traits(), &["network"], serde_json::json!({"network": "192.0.2.0/25"})),
        (
            "GeoIP2-ISP",
            traits(),
            &[],
            serde_json::json!({
                "asn": 64512, "as_org": "Example", "isp": "Example Access", "organization": "Example Org",
            }),
        ),
        ("GeoIP2-Domain", traits(), &[], serde_json::json!({"domain": "example.com"})),
        (
            "GeoIP2-Anonymous-IP",
            traits(),
            &[],
            serde_json::json!({
                "hosting_provider": false, "tor_exit_node": true, "anonymous_vpn": false, "anonymous": true,
                "public_proxy": false, "residential_proxy": false,
            }),
        ),
        (
            "GeoIP2-Enterprise",
            city(),
            &["ip", "city_name", "autonomous_system_number", "anonymous", "domain"],
            serde_json::json!({"city_name": "Springfield", "asn": 64512, "anonymous": true}),
        ),
    ] {
        let told = match kind {
            // It does not tell the address.
            "GeoIP2-Domain" | "GeoIP2-Anonymous-IP" => {
                let (outcome, fields) =
                    Fixture::new(kind, record, EcsMode::Disabled, fields).run(r#"{"c":{"ip":"192.0.2.1"}}"#);
                assert_eq!(outcome, Outcome::Matched);
                let fields: serde_json::Value = serde_json::from_str(&fields).unwrap();
                fields.get("geoip").cloned().unwrap()
            }
            _ => Fixture::new(kind, record, EcsMode::Disabled, fields).told(),
        };
        assert_eq!(told, expected, "{kind} {fields:?}");
    }
}

#[test]
fn what_is_not_found_is_tagged() {
    let fixture = Fixture::new("GeoLite2-City", city(), EcsMode::Disabled, &["city_name"]);
    let failed = r#""tags":["_geoip_lookup_failure"]"#;
    for (ip, rest) in [
        (r#""192.0.2.200""#, r#","geoip":{}"#),
        (r#""localhost""#, r#","geoip":{}"#),
        (r#""::1""#, r#","geoip":{}"#),
        (r#""  ""#, ""),
        ("null", ""),
    ] {
        let (outcome, fields) = fixture.run(&format!(r#"{{"c":{{"ip":{ip}}}}}"#));
        assert_eq!(outcome, Outcome::Failed);
        assert_eq!(fields, format!(r#"{{"c":{{"ip":{ip}}}{rest},{failed}}}"#));
    }
    for ip in ["5", "[]", "{}", "[5]"] {
        let (outcome, fields) = fixture.run(&format!(r#"{{"c":{{"ip":{ip}}}}}"#));
        assert_eq!(outcome, Outcome::Failed);
        assert_eq!(fields, format!(r#"{{"c":{{"ip":{ip}}},"tags":["_geoiperror"]}}"#));
    }
}

#[test]
fn what_stands_in_the_target_stays() {
    let fixture = Fixture::new("GeoLite2-City", city(), EcsMode::V8, &["ip", "city_name", "dma_code"]);
    let (outcome, fields) =
        fixture.run(r#"{"c":{"ip":["::ffff:192.0.2.1","1.1.1.1"],"geo":{"mine":1,"city_name":"?"}}}"#);
    assert_eq!(outcome, Outcome::Matched);
    let expected =
        r#"{"c":{"ip":"192.0.2.1","geo":{"mine":1,"city_name":"Springfield"},"mmdb":{"dma_code":801}}}"#;
    assert_eq!(fields, expected);
    let (outcome, fields) = fixture.run(r#"{"c":{"ip":"192.0.2.1","geo":"text"}}"#);
    assert_eq!(outcome, Outcome::Failed);
    assert!(fields.contains("_geoiperror"), "{fields}");
}

#[test]
fn a_place_without_coordinates_is_none() {
    let nowhere = Data::map([("city", Data::map([names("Nowhere")]))]);
    let fixture = Fixture::new("GeoLite2-City", nowhere, EcsMode::Disabled, &["city_name"]);
    assert_eq!(fixture.run(r#"{"c":{"ip":"192.0.2.1"}}"#).0, Outcome::Failed);
}
