//! `collectd` against packets built by hand from the description of collectd's binary protocol.

use hmac::{Hmac, Mac};
use openssl::symm::{Cipher, encrypt};
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::codecs::testkit::{codec, data, decode, decode_one, fails, show, tags};
use crate::plugin::EcsMode;

fn part(number: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap();
    [&number.to_be_bytes()[..], &length.to_be_bytes(), body].concat()
}

fn text(number: u16, text: &str) -> Vec<u8> {
    part(number, format!("{text}\0").as_bytes())
}

fn number(number: u16, value: u64) -> Vec<u8> {
    part(number, &value.to_be_bytes())
}

/// Values with their types.
fn values(values: &[(u8, [u8; 8])]) -> Vec<u8> {
    let count = u16::try_from(values.len()).unwrap().to_be_bytes();
    let types: Vec<u8> = values.iter().map(|(kind, _)| *kind).collect();
    let numbers: Vec<u8> = values.iter().flat_map(|(_, bytes)| *bytes).collect();
    part(6, &[&count[..], &types, &numbers].concat())
}

/// 2024-05-06T07:08:09.5Z in units of 2^-30 seconds.
const TIME: u64 = (1_714_979_289 << 30) | (1 << 29);

fn head() -> Vec<u8> {
    [text(0, "h"), number(8, TIME), number(9, 10 << 30), text(2, "interface"), text(3, "eth0")].concat()
}

fn load() -> Vec<u8> {
    let gauge = [0.5_f64, 1.5, f64::NAN].map(|gauge| (1, gauge.to_le_bytes()));
    [head(), text(4, "load"), text(5, ""), values(&gauge)].concat()
}

fn shown(options: &str, packet: &[u8]) -> Vec<serde_json::Value> {
    decode_one(&format!("collectd {{ {options} }}"), EcsMode::Disabled, packet).iter().map(data).collect()
}

#[test]
fn values_have_the_names_of_their_type() {
    let octets =
        [text(4, "if_octets"), values(&[(2, 7_u64.to_be_bytes()), (2, (-7_i64).to_be_bytes())])].concat();
    let one =
        [text(4, "entropy"), text(3, ""), text(5, "x"), values(&[(0, u64::MAX.to_be_bytes())])].concat();
    let packet = [head(), octets, one].concat();
    assert_eq!(
        shown("", &packet),
        [
            json!({"host": "h", "plugin": "interface", "plugin_instance": "eth0", "collectd_type": "if_octets",
                "rx": 7, "tx": -7}),
            json!({"host": "h", "plugin": "interface", "collectd_type": "entropy", "type_instance": "x",
                "value": u64::MAX}),
        ]
    );
    let events = decode_one("collectd { target => '[c]' }", EcsMode::V8, &packet);
    assert_eq!(show(&events[0], "[c][@timestamp]"), "2024-05-06T07:08:09.500Z");
    let plain = decode_one("collectd", EcsMode::V8, &packet);
    assert_eq!(show(&plain[1], "@timestamp"), "2024-05-06T07:08:09.500Z");
}

#[test]
fn intervals_are_events_when_they_are_kept() {
    let packet = [text(0, "h"), number(7, 10), number(9, 20 << 30), number(1, 5)].concat();
    assert!(shown("", &packet).is_empty());
    let kept = shown("prune_intervals => false", &packet);
    assert_eq!(kept, [json!({"host": "h", "interval": 10}), json!({"host": "h", "interval": 20})]);
}

#[test]
fn notifications_have_a_message_and_a_severity() {
    let packet =
        [text(0, "h"), number(1, 1_714_979_289), number(257, 2), text(256, "Careful"), text(256, "Again")];
    assert_eq!(
        shown("", &packet.concat()),
        [json!({"host": "h", "severity": 2, "message": "Careful"}), json!({"host": "h", "message": "Again"})]
    );
}

#[test]
fn what_is_not_a_number_is_replaced_or_dropped() {
    let events = decode_one("collectd { nan_value => 1.5 nan_tag => 'nan' }", EcsMode::V8, &load());
    assert_eq!(tags(&events[0]), ["nan"]);
    assert_eq!(
        (data(&events[0])["shortterm"].clone(), data(&events[0])["longterm"].clone()),
        (json!(0.5), json!(1.5))
    );
    assert_eq!(shown("nan_handling => warn", &load())[0]["longterm"], 0);
    let packet = [load(), values(&[(1, 2.0_f64.to_le_bytes())])].concat();
    assert_eq!(shown("nan_handling => drop", &packet).len(), 1);
    fails("collectd { nan_value => 'x' }", "nan_value");
}

#[test]
fn types_may_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("types.db");
    std::fs::write(&file, "# mine\n\nload a:GAUGE:0:1, b:GAUGE:0:1\n").unwrap();
    let event = shown(&format!("typesdb => ['{}']", file.display()), &load()).remove(0);
    assert_eq!((&event["a"], &event["b"]), (&json!(0.5), &json!(1.5)));
    fails("collectd { typesdb => ['/nosuch'] }", "nosuch");
}

#[test]
fn signatures_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth");
    std::fs::write(&file, "nonsense\nuser: secret\n").unwrap();
    let signed = |password: &str| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(password.as_bytes()).unwrap();
        hmac.update(b"user");
        hmac.update(&load());
        [part(512, &[&hmac.finalize().into_bytes()[..], b"user"].concat()), load()].concat()
    };
    let options = format!("security_level => 'Sign' authfile => '{}'", file.display());
    assert_eq!(shown(&options, &signed("secret")).len(), 1);
    assert!(shown(&options, &signed("wrong")).is_empty());
    assert_eq!(shown("", &signed("wrong")).len(), 1);
    fails("collectd { security_level => 'Sign' }", "authfile");
    fails("collectd { security_level => 'Sign' authfile => '/nosuch' }", "nosuch");
}

#[test]
fn encrypted_packets_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth");
    std::fs::write(&file, "user: secret\n").unwrap();
    let plain = [&Sha1::digest(load())[..], &load()].concat();
    let iv = [7; 16];
    let content = encrypt(Cipher::aes_256_ofb(), &Sha256::digest("secret"), Some(&iv), &plain).unwrap();
    let packet = part(528, &[&[0, 4], &b"user"[..], &iv, &content].concat());
    let options = format!("security_level => 'Encrypt' authfile => '{}'", file.display());
    assert_eq!(shown(&options, &packet).len(), 1);
    assert!(shown(&options, &load()).is_empty());
    assert!(shown("", &packet).is_empty());
    let mut wrong = packet.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert!(shown(&options, &wrong).is_empty());
}

#[test]
fn broken_packets_give_what_came_before() {
    let good = load();
    for broken in [
        &[0, 6][..],
        &[0, 2, 0, 3],
        &[0, 2, 255, 255, 1],
        &[0, 8, 0, 5, 1],
        &part(6, &[0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(shown("", &[&good, broken].concat()).len(), 1, "{broken:?}");
    }
    let after_unknown = [part(999, b"x"), good.clone()].concat();
    assert_eq!(shown("", &after_unknown).len(), 1);
    assert_eq!(shown("", &[good.clone(), part(6, &[0, 1, 1])].concat())[1]["values"], json!(null));
    let mut codec = codec("collectd", EcsMode::V8).unwrap();
    for cut in 0..good.len() {
        decode(&mut *codec, &[&good[..cut]]);
        let mut changed = good.clone();
        changed[cut] ^= 0xFF;
        decode(&mut *codec, &[&changed]);
    }
}
