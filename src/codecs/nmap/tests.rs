//! `nmap` with a report written after Nmap's own document type (nmap.dtd).

use serde_json::{Value, json};

use crate::codecs::testkit::{data, decode_one, tags};
use crate::plugin::EcsMode;

const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -A -oX - example.org" start="1714979289" version="7.01" xmloutputversion="1.04">
<host starttime="1714979290" endtime="1714979299"><status state="up" reason="syn-ack"/>
<address addr="93.184.216.34" addrtype="ipv4"/><address addr="00:11:22:33:44:55" addrtype="mac" vendor="X"/>
<hostnames><hostname name="example.org" type="user"/><hostname name="other" type="PTR"/></hostnames>
<ports><extraports state="filtered" count="998"/>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack" reason_ttl="64"/>
<service name="ssh" product="OpenSSH" version="7.1" extrainfo="x" method="probed" conf="10"/></port>
<port protocol="tcp" portid="443"><state state="closed" reason="reset"/>
<service name="https" tunnel="ssl" method="table" conf="3"/></port></ports>
<os><portused state="open" proto="tcp" portid="22"/><osmatch name="Linux 4" accuracy="98">
<osclass type="general purpose" vendor="Linux" osfamily="Linux" osgen="4.X" accuracy="98"/></osmatch></os>
<uptime seconds="86400" lastboot="Sun May  5 07:08:09 2024"/>
<trace port="80" proto="tcp"><hop ttl="1" ipaddr="10.0.0.1" rtt="2.50" host="router"/><hop ttl="2" ipaddr="10.0.0.2" rtt="7.10"/></trace>
<times srtt="1000" rttvar="200" to="100000"/></host>
<host><status state="down" reason="no-response"/><address addr="fe80::1" addrtype="ipv6"/></host>
<runstats><finished time="1714979300" elapsed="10.50" summary="done" exit="success"/><hosts up="1" down="1" total="2"/></runstats>
</nmaprun>"#;

fn events(options: &str) -> Vec<Value> {
    decode_one(&format!("nmap {{ {options} }}"), EcsMode::V8, REPORT.as_bytes()).iter().map(data).collect()
}

#[test]
fn a_report_is_a_scan_hosts_ports_and_links() {
    let events = events("");
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "nmap_scan_metadata",
            "nmap_port",
            "nmap_port",
            "nmap_traceroute_link",
            "nmap_traceroute_link",
            "nmap_host",
            "nmap_host",
        ]
    );
    let scan = events[0]["id"].as_str().unwrap();
    assert_eq!(
        events[0],
        json!({"type": "nmap_scan_metadata", "id": scan, "scan_id": scan, "arguments": "nmap -A -oX - example.org",
            "version": "7.01", "host_stats": {"up": 1, "down": 1, "total": 2},
            "start_time": "2024-05-06T07:08:09.000Z", "end_time": "2024-05-06T07:08:20.000Z",
            "run_stats": {"end_time": "2024-05-06T07:08:20.000Z", "elapsed": 10.5, "summary": "done",
                "exit_status": "success"}})
    );
    let ids: Vec<_> =
        events[1..].iter().map(|event| event["id"].as_str().unwrap().replace(scan, "")).collect();
    assert_eq!(ids, ["-h0-p0", "-h0-p1", "-h0-tl0", "-h0-tl1", "-h0", "-h1"]);
    assert_eq!(events[1]["scan_host_id"], format!("{scan}-h0"));
}

#[test]
fn hosts_have_what_nmap_found() {
    let events = events("emit_scan_metadata => false emit_ports => false emit_traceroute_links => false");
    let (host, down) = (&events[0], &events[1]);
    for (name, expected) in [
        ("start_time", json!("2024-05-06T07:08:10.000Z")),
        ("end_time", json!("2024-05-06T07:08:19.000Z")),
        ("times", json!({"srtt": 1000, "rttvar": 200, "to": 100_000})),
        (
            "addresses",
            json!([{"type": "ipv4", "addr": "93.184.216.34"}, {"type": "mac", "addr": "00:11:22:33:44:55"}]),
        ),
        ("address", json!("93.184.216.34")),
        ("ip", json!("93.184.216.34")),
        ("ipv6", json!(null)),
        ("mac", json!("00:11:22:33:44:55")),
        ("status", json!({"state": "up", "reason": "syn-ack"})),
        ("hostname", json!({"name": "example.org", "type": "user"})),
        (
            "os",
            json!({"ports_used": [22], "fingerprint": null, "matches": [{"name": "Linux 4", "accuracy": 98}],
            "classes": [{"type": "general purpose", "vendor": "Linux", "family": "Linux", "gen": "4.X", "accuracy": 98}]}),
        ),
        ("version", json!("7.01")),
    ] {
        assert_eq!(host[name], expected, "{name}");
    }
    assert_eq!(host["uptime"]["seconds"], 86400);
    assert!(host["uptime"]["last_boot"].as_str().unwrap().starts_with("2024-05-0"));
    assert_eq!(host["ports"].as_array().unwrap().len(), 2);
    assert_eq!(
        host["traceroute"]["hops"][1],
        json!({"address": "10.0.0.2", "hostname": null, "ttl": 2, "rtt": 7, "index": 1})
    );
    // A host without times has the scan's.
    assert_eq!(
        (&down["address"], &down["start_time"]),
        (&json!("fe80::1"), &json!("2024-05-06T07:08:09.000Z"))
    );
    assert_eq!((&down["ports"], &down["traceroute"], &down["os"]), (&json!([]), &json!(null), &json!(null)));
}

#[test]
fn ports_and_links() {
    let events = events("emit_scan_metadata => false emit_hosts => false");
    assert_eq!(
        events[0]["port"],
        json!({"number": 22, "reason": "syn-ack", "protocol": "tcp", "state": "open",
            "service": {"name": "ssh", "ssl": false, "protocol": null, "product": "OpenSSH", "version": "7.1",
                "hostname": null, "device_type": null, "fingerprint_method": "probed", "fingerprint": null,
                "confidence": 10}})
    );
    assert_eq!(events[1]["port"]["service"]["ssl"], true);
    let (first, last) = (&events[2], &events[3]);
    assert_eq!(
        (&first["from"]["address"], &first["to"]["address"], &first["rtt_diff"]),
        (&json!("10.0.0.1"), &json!("10.0.0.2"), &json!(5))
    );
    assert_eq!((&last["to"], &last["rtt_diff"]), (&json!(null), &json!(null)));
}

#[test]
fn what_is_no_report_is_kept() {
    let unfinished = REPORT.replace("<runstats>", "<!--").replace("</runstats>", "-->");
    let deep = "<a>".repeat(100_000);
    for text in ["", "not xml", "<other/>", &REPORT[..500], &unfinished, &deep] {
        let events = decode_one("nmap", EcsMode::V8, text.as_bytes());
        assert_eq!(tags(&events[0]), ["_nmapdecodefailure"]);
        assert_eq!(events.len(), 1);
    }
}
