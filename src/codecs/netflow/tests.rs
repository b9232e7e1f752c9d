//! `netflow` against packets built by hand from RFC 3954, RFC 7011 and Cisco's description of version 5.

use std::net::SocketAddr;

use serde_json::json;

use crate::codecs::testkit::{codec, data, decode_one, fails, show};
use crate::event::Event;
use crate::plugin::{Codec, EcsMode};

/// A packet of numbers, each with its size in bytes.
fn packet(parts: &[(u64, usize)]) -> Vec<u8> {
    parts.iter().flat_map(|(number, size)| number.to_be_bytes()[8 - size..].to_vec()).collect()
}

fn run(codec: &mut dyn Codec, packets: &[Vec<u8>]) -> Vec<Event> {
    let mut events = Vec::new();
    packets.iter().for_each(|packet| codec.decode(packet, &mut |event| events.push(event)));
    events
}

fn netflow(options: &str) -> Box<dyn Codec> {
    codec(&format!("netflow {{ {options} }}"), EcsMode::V8).unwrap()
}

/// A header of version 9: uptime 10,000 ms at 2024-05-06T07:08:09Z.
fn v9(source: u64, sets: &[Vec<u8>]) -> Vec<u8> {
    let head = packet(&[(9, 2), (1, 2), (10_000, 4), (1_714_979_289, 4), (7, 4), (source, 4)]);
    [head, sets.concat()].concat()
}

fn ipfix(sets: &[Vec<u8>]) -> Vec<u8> {
    let body = sets.concat();
    let head = packet(&[(10, 2), (16 + body.len() as u64, 2), (1_714_979_289, 4), (1, 4), (5, 4)]);
    [head, body].concat()
}

fn set(id: u64, body: Vec<u8>) -> Vec<u8> {
    [packet(&[(id, 2), (4 + body.len() as u64, 2)]), body].concat()
}

/// A template 256 with an address, a port of two bytes, counters of odd sizes and the two times.
fn v9_template() -> Vec<u8> {
    let fields = [(8, 4), (7, 2), (1, 3), (2, 8), (22, 4), (21, 4), (82, 4)];
    let fields = fields.iter().flat_map(|(field, size)| [(*field, 2), (*size, 2)]);
    set(0, packet(&[(256, 2), (7, 2)].into_iter().chain(fields).collect::<Vec<_>>()))
}

fn v9_data() -> Vec<u8> {
    let mut record =
        packet(&[(0x0A00_0001, 4), (443, 2), (0x01_0000, 3), (u64::MAX, 8), (9_500, 4), (9_000, 4)]);
    record.extend(b"eth\0");
    // Three bytes of padding behind the record.
    set(256, [record, vec![0; 3]].concat())
}

#[test]
fn version_5() {
    let head = packet(&[
        (5, 2),
        (1, 2),
        (10_000, 4),
        (1_714_979_289, 4),
        (600_123_456, 4),
        (9, 4),
        (1, 1),
        (2, 1),
        (0x4064, 2),
    ]);
    let record = packet(&[
        (0xC0A8_0001, 4),
        (0x0A00_0002, 4),
        (0, 4),
        (3, 2),
        (4, 2),
        (5, 4),
        (6, 4),
        (9_900, 4),
        (9_000, 4),
        (53, 2),
        (54, 2),
        (0xFF, 1),
        (0x12, 1),
        (17, 1),
        (8, 1),
        (65_000, 2),
        (65_001, 2),
        (24, 1),
        (8, 1),
        (0xFFFF, 2),
    ]);
    let events = run(&mut *netflow(""), &[[head.clone(), record.clone()].concat()]);
    assert_eq!(show(&events[0], "@timestamp"), "2024-05-06T07:08:09.600123Z");
    assert_eq!(
        data(&events[0])["netflow"],
        json!({"version": 5, "flow_seq_num": 9, "engine_type": 1, "engine_id": 2, "sampling_algorithm": 1,
            "sampling_interval": 100, "flow_records": 1, "ipv4_src_addr": "192.168.0.1",
            "ipv4_dst_addr": "10.0.0.2", "ipv4_next_hop": "0.0.0.0", "input_snmp": 3, "output_snmp": 4, "in_pkts": 5,
            "in_bytes": 6, "first_switched": "2024-05-06T07:08:09.500123Z",
            "last_switched": "2024-05-06T07:08:08.600123Z", "l4_src_port": 53, "l4_dst_port": 54, "tcp_flags": 18,
            "protocol": 17, "src_tos": 8, "src_as": 65000, "dst_as": 65001, "src_mask": 24, "dst_mask": 8})
    );
    // Too many records, none, and fewer than announced.
    for (at, byte) in [(3, 31), (3, 0), (3, 2)] {
        let mut wrong = [head.clone(), record.clone()].concat();
        wrong[at] = byte;
        assert!(run(&mut *netflow(""), &[wrong]).is_empty());
    }
    assert!(run(&mut *netflow("versions => [9]"), &[[head, record].concat()]).is_empty());
}

#[test]
fn version_9_needs_a_template() {
    let mut codec = netflow("target => '[flow]'");
    assert!(run(&mut *codec, &[v9(1, &[v9_data()])]).is_empty());
    let events = run(&mut *codec, &[v9(1, &[v9_template(), v9_data()]), v9(2, &[v9_data()])]);
    assert_eq!(events.len(), 1, "templates count for their own source");
    assert_eq!(show(&events[0], "@timestamp"), "2024-05-06T07:08:09.000Z");
    assert_eq!(
        data(&events[0])["flow"],
        json!({"version": 9, "flow_seq_num": 7, "flowset_id": 256, "ipv4_src_addr": "10.0.0.1", "l4_src_port": 443,
            "in_bytes": 65536, "in_pkts": u64::MAX, "first_switched": "2024-05-06T07:08:09.500Z",
            // A whole second leaves a million microseconds: Logstash's arithmetic.
            "last_switched": "2024-05-06T07:08:09.000Z", "if_name": "eth"})
    );
    // A connection of its own knows what others were told.
    assert_eq!(run(&mut *codec.fresh(), &[v9(1, &[v9_data()])]).len(), 1);
}

#[test]
fn senders_of_datagrams_have_templates_of_their_own() {
    let mut codec = netflow("");
    let (first, second): (SocketAddr, SocketAddr) =
        ("10.0.0.1:2055".parse().unwrap(), "10.0.0.2:2055".parse().unwrap());
    let mut count = 0;
    codec.decode_from(&v9(1, &[v9_template()]), first, &mut |_| panic!("no data yet"));
    codec.decode_from(&v9(1, &[v9_data()]), second, &mut |_| count += 10);
    codec.decode_from(&v9(1, &[v9_data()]), first, &mut |_| count += 1);
    assert_eq!(count, 1);
}

#[test]
fn options_of_version_9() {
    // Scope system and an unknown one; options sampling_interval and sampling_algorithm; two bytes of padding.
    let template = set(
        1,
        packet(&[
            (300, 2),
            (8, 2),
            (8, 2),
            (1, 2),
            (4, 2),
            (77, 2),
            (1, 2),
            (34, 2),
            (4, 2),
            (35, 2),
            (1, 2),
            (0, 2),
        ]),
    );
    let record = set(300, packet(&[(5, 4), (1, 1), (100, 4), (2, 1)]));
    let events = run(&mut *netflow(""), &[v9(1, &[template, record])]);
    assert_eq!(
        data(&events[0])["netflow"],
        json!({"version": 9, "flow_seq_num": 7, "flowset_id": 300, "scope_system": 5, "sampling_interval": 100,
            "sampling_algorithm": 2})
    );
}

/// Octets, a start in milliseconds, an end in NTP's microseconds, a name of variable length and a field of VMware.
fn ipfix_template() -> Vec<u8> {
    set(
        2,
        packet(&[
            (256, 2),
            (6, 2),
            (1, 2),
            (8, 2),
            (152, 2),
            (8, 2),
            (155, 2),
            (8, 2),
            (82, 2),
            (65535, 2),
            (0x8000 | 880, 2),
            (1, 2),
            (6876, 4),
            (27, 2),
            (16, 2),
        ]),
    )
}

fn ipfix_data() -> Vec<u8> {
    let mut record =
        packet(&[(1000, 8), (1_714_979_289_123, 8), (1_714_979_289 + 2_208_988_800, 4), (1 << 31, 4)]);
    record.extend([4, b'w', b'l', b'a', b'n', 17]);
    record.extend(packet(&[(0x2001_0DB8_0000_0000, 8), (1, 8)]));
    set(256, record)
}

#[test]
fn ipfix_with_enterprises_and_variable_lengths() {
    let mut codec = netflow("include_flowset_id => true");
    let events = run(&mut *codec, &[ipfix(&[ipfix_template()]), ipfix(&[ipfix_data()])]);
    assert_eq!(
        data(&events[0])["netflow"],
        json!({"version": 10, "flowset_id": 256, "octetDeltaCount": 1000,
            "flowStartMilliseconds": "2024-05-06T07:08:09.123Z", "flowEndMicroseconds": "2024-05-06T07:08:09.500Z",
            "interfaceName": "wlan", "vmwareTenantProtocol": 17, "sourceIPv6Address": "2001:db8::1"})
    );
    assert_eq!(show(&events[0], "@timestamp"), "2024-05-06T07:08:09.000Z");
    // A template without fields withdraws the one before it.
    let withdrawn = set(2, packet(&[(256, 2), (0, 2)]));
    assert!(run(&mut *codec, &[ipfix(&[withdrawn]), ipfix(&[ipfix_data()])]).is_empty());
}

#[test]
fn a_template_with_an_unknown_field_is_none() {
    let unknown = set(0, packet(&[(256, 2), (1, 2), (60_000, 2), (4, 2)]));
    assert!(run(&mut *netflow(""), &[v9(1, &[unknown, set(256, vec![0; 8])])]).is_empty());
    let unknown = set(2, packet(&[(256, 2), (1, 2), (0x8001, 2), (4, 2), (99_999, 4)]));
    assert!(run(&mut *netflow(""), &[ipfix(&[unknown, set(256, vec![0; 8])])]).is_empty());
}

#[test]
fn definitions_add_and_replace_fields() {
    let folder = tempfile::tempdir().unwrap();
    let (nine, ten) = (folder.path().join("9.yaml"), folder.path().join("10.yaml"));
    std::fs::write(&nine, "---\n8:\n- :mac_addr\n- :my_mac\n7:\n- 2\n- :my_port\n2:\n- :skip\n").unwrap();
    std::fs::write(&ten, "6876:\n  880: [:uint8, :mine]\n").unwrap();
    let mut codec = netflow(&format!(
        "netflow_definitions => '{}' ipfix_definitions => '{}'",
        nine.display(),
        ten.display()
    ));
    let packets = [v9(1, &[v9_template(), v9_data()]), ipfix(&[ipfix_template(), ipfix_data()])];
    let events: Vec<_> =
        run(&mut *codec, &packets).iter().map(|event| data(event)["netflow"].clone()).collect();
    assert_eq!((&events[0]["my_mac"], &events[0]["my_port"]), (&json!("0a:00:00:01"), &json!(443)));
    assert!(events[0].get("in_pkts").is_none());
    assert_eq!(events[1]["mine"], 17);
    fails("netflow { netflow_definitions => '/nosuch.yaml' }", "nosuch");
}

#[test]
fn templates_are_kept_over_restarts_and_forgotten_with_age() {
    let folder = tempfile::tempdir().unwrap();
    let options = format!("cache_save_path => '{}'", folder.path().display());
    run(&mut *netflow(&options), &[v9(1, &[v9_template()]), ipfix(&[ipfix_template()])]);
    assert!(folder.path().join("netflow_templates.cache").exists());
    let packets = [v9(1, &[v9_data()]), ipfix(&[ipfix_data()])];
    assert_eq!(run(&mut *netflow(&options), &packets).len(), 2);
    std::fs::write(folder.path().join("ipfix_templates.cache"), "{\"0|256\":[[\"uint\",\"x\",0]],\"a\":1")
        .unwrap();
    assert_eq!(run(&mut *netflow(&options), &packets).len(), 1);
    let mut forgetful = netflow("cache_ttl => 0");
    run(&mut *forgetful, &[v9(1, &[v9_template()])]);
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert!(run(&mut *forgetful, &[v9(1, &[v9_data()])]).is_empty());
}

#[test]
fn hostile_packets_end_nothing() {
    let empty_records = set(0, packet(&[(256, 2), (1, 2), (1, 2), (0, 2)]));
    let long = set(2, packet(&[(256, 2), (65535, 2), (1, 2), (8, 2)]));
    let packets = [v9(1, &[empty_records, set(256, vec![0; 64])]), ipfix(&[long])];
    assert!(run(&mut *netflow(""), &packets).is_empty());
    // Every packet cut short, and every byte of one changed.
    let good = [v9(1, &[v9_template(), v9_data()]), ipfix(&[ipfix_template(), ipfix_data()])];
    let mut codec = netflow("");
    for packet in good {
        for cut in 0..packet.len() {
            run(&mut *codec, &[packet[..cut].to_vec()]);
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut changed = packet.clone();
                changed[cut] = byte;
                run(&mut *codec, &[changed.clone(), changed]);
            }
        }
    }
    assert!(decode_one("netflow", EcsMode::V8, b"").is_empty());
}
