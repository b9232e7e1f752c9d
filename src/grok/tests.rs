//! What expressions capture, and what is said of those that are wrong.
use std::time::Duration;

use super::{Coercion, Dictionary, Expression, Library};
use crate::regex::{Locations, SearchError};

fn compiled(source: &str) -> Expression {
    let dictionary = Dictionary::new(Library::Legacy);
    Expression::compile(source, &dictionary, true).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn captured(source: &str, text: &str) -> Vec<(String, Option<String>)> {
    let expression = compiled(source);
    let mut locations = Locations::default();
    assert_eq!(expression.matches(text, None, &mut locations), Ok(true), "{source} on {text}");
    let value = |capture: &super::Capture| capture.text(text, &locations).map(str::to_owned);
    expression.captures().iter().map(|capture| (capture.field.clone(), value(capture))).collect()
}

#[test]
fn groups_are_named_by_field_and_type() {
    let expression =
        compiled("%{INT:n:int} %{WORD:[a][b]} (?<inline>x) (?<y:int>1) %{INT:n:int} %{INT:m:long}");
    let captures: Vec<_> =
        expression.captures().iter().map(|capture| (capture.field.as_str(), capture.coercion)).collect();
    assert_eq!(
        captures,
        [
            ("n", Coercion::Integer),
            ("n", Coercion::Text),
            ("[a][b]", Coercion::Text),
            ("inline", Coercion::Text),
            ("int", Coercion::Text),
            ("m", Coercion::Text),
        ]
    );
}

#[test]
fn a_group_without_part_has_no_text() {
    let found = captured("(?:%{INT:a}|%{WORD:b})", "x");
    assert_eq!(found, [("a".to_owned(), None), ("b".to_owned(), Some("x".to_owned()))]);
}

#[test]
fn definitions_on_the_spot_hold_from_there_on() {
    let found = captured("%{TWO:t=[0-9]{2}}-%{TWO:u}", "12-34");
    assert_eq!(found, [("t".to_owned(), Some("12".to_owned())), ("u".to_owned(), Some("34".to_owned()))]);
}

#[test]
fn pattern_files_are_read_by_line() {
    let mut dictionary = Dictionary::new(Library::Legacy);
    dictionary.define_lines("# no pattern\n\n  A  x y \r\nEMPTY\nB %{A}z");
    assert_eq!(dictionary.get("A"), Some("x y "));
    assert_eq!(dictionary.get("EMPTY"), Some(""));
    assert!(Expression::compile("^%{B:b}$", &dictionary, true).is_ok_and(|b| b.regex().is_match("x y z")));
}

#[test]
fn mistakes_are_found_where_they_are() {
    let mut dictionary = Dictionary::new(Library::Legacy);
    dictionary.define("OUTER", "a%{INNR}");
    dictionary.define("BROKEN", "(x");
    dictionary.define("LOOP", "a%{LOOP}");
    for (source, message, place, help) in [
        ("x %{IPP:ip}", "pattern %{IPP:ip} is not defined", Some(2..11), "did you mean %{IP}?"),
        ("%{word:w}", "pattern %{word:w} is not defined", Some(0..9), "did you mean %{WORD}?"),
        (
            "-%{OUTER}",
            "pattern %{INNR}, to which %{OUTER} refers, is not defined",
            Some(1..9),
            "define it in pattern_definitions, or in a file below patterns_dir",
        ),
        ("%{IP} (a", "end pattern with unmatched parenthesis", Some(6..6), ""),
        ("a+ %{INT}é[z-a]", "empty range in char class", Some(14..14), ""),
        (
            "a%{BROKEN}",
            "end pattern with unmatched parenthesis",
            Some(1..10),
            "the mistake is in what %{BROKEN} stands for: /a(?:(x)/",
        ),
        ("%{LOOP}", "pattern %{LOOP} refers to itself, so %{LOOP} has no end", Some(0..7), ""),
    ] {
        let error = Expression::compile(source, &dictionary, true).expect_err(source);
        assert_eq!(
            (error.message(), error.place(), error.help().unwrap_or_default()),
            (message, place, help),
            "{source}"
        );
    }
}

#[test]
fn every_pattern_of_the_library_compiles() {
    for library in [Library::Legacy, Library::EcsV1] {
        let dictionary = Dictionary::new(library);
        let mut names: Vec<_> = library.names().collect();
        names.sort_unstable();
        for name in names {
            let compiled = Expression::compile(&format!("%{{{name}}}"), &dictionary, false);
            assert!(compiled.is_ok(), "{library:?} {name}: {:?}", compiled.err());
        }
    }
}

/// Lines of the formats that the library is for, and some of none.
const LINES: [&str; 22] = [
    r#"198.51.100.23 - frank [10/Oct/2023:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.1" 200 2326 "http://example.org/" "Mozilla/5.0 (X11)""#,
    r#"2001:db8::1 - - [10/Oct/2023:13:55:36 -0700] "POST /form" 404 -"#,
    "[Wed Oct 11 14:32:52 2023] [error] [client 192.0.2.1] client denied by server configuration",
    "[Fri Feb 01 22:03:08.318615 2023] [core:error] [pid 9:tid 8756] (13)FileNotFound: [client 192.0.2.7:80] AH1: File does not exist",
    "May  6 07:08:09 bastion sshd[4242]: Failed password for invalid user admin from 203.0.113.5 port 51022 ssh2",
    "<165>1 2024-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [x@3 a=\"3\"] An event",
    "2024-05-06T07:08:09,123+09:00 WARN [main] com.example.App$Inner - it took 12.5 ms",
    "    at com.example.Shop.checkout(Shop.java:42)",
    "2014-01-09 20:03:28,269 -0800 | ERROR | com.example.Bar - error",
    "05-Jun 02:15 dir-srv JobId 4711: Start Backup JobId 4711, Job=nightly-web01.2024-06-05_02.15.00_03",
    "Built outbound TCP connection 3 for out:192.0.2.1/80 (192.0.2.1/80) to in:10.0.0.1/99 (10.0.0.1/99)",
    "<166>May  6 2024 07:08:09 asa : %ASA-6-302013: Built outbound",
    "Deny tcp src out:192.0.2.1/80(LOCAL\\joe) dst in:10.0.0.1/99 by access-group \"acl\" [0x0, 0x0]",
    r#"May  6 07:08:09 lb haproxy[77]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
    "[1427925600] SERVICE ALERT: web;HTTP;CRITICAL;SOFT;1;connection refused",
    "2024-03-01T12:00:01.123456Z my-elb 198.51.100.9:51234 10.0.1.15:8080 0.00 0.01 0.00 200 200 17 5120 \"GET https://www.example.net:443/shop?q=2 HTTP/1.1\"",
    "1525344856.123 5 192.0.2.9 TCP_MISS/200 4512 CONNECT example.com:443 - HIER_DIRECT/198.51.100.1 text/html",
    "mail joe.bloggs@example.co.uk or 'quoted \\' text' at C:\\dir\\file.txt and /var/log/x.log",
    "ff:FF:00:11:22:33 00-11-22-33-44-55 0011.2233.4455 0xDEADBEEF -17.5e3 urn:isbn:0451450523",
    "3F2504E0-4F89-11D3-9A0C-0305E82C3301 fe80::1%eth0 ::ffff:192.0.2.1 https://u:p@h:1/p?q=a&b#c",
    "naïve café 한글 🙂 ñ=é",
    "",
];

#[test]
fn the_library_matches_as_oniguruma_matches() {
    const PATTERNS: [&str; 34] = [
        "COMBINEDAPACHELOG",
        "HTTPD_ERRORLOG",
        "SYSLOGLINE",
        "SYSLOG5424LINE",
        "IPORHOST",
        "IPV6",
        "URI",
        "PATH",
        "UUID",
        "MAC",
        "NUMBER",
        "BASE16FLOAT",
        "QUOTEDSTRING",
        "EMAILADDRESS",
        "HOSTPORT",
        "TIMESTAMP_ISO8601",
        "DATESTAMP",
        "LOGLEVEL",
        "WORD",
        "WINPATH",
        "JAVASTACKTRACEPART",
        "TOMCATLOG",
        "BACULA_LOGLINE",
        "CISCOFW302013_302014_302015_302016",
        "CISCO_TAGGED_SYSLOG",
        "CISCOFW106023",
        "HAPROXYHTTP",
        "NAGIOSLOGLINE",
        "ELB_ACCESS_LOG",
        "SQUID3",
        "EXIM",
        "URN",
        "MONGO3_LOG",
        "SYSLOGPAMSESSION",
    ];
    for library in [Library::Legacy, Library::EcsV1] {
        let dictionary = Dictionary::new(library);
        for name in PATTERNS {
            let source = format!("%{{{name}:whole}}");
            let expression = Expression::compile(&source, &dictionary, false).expect(name);
            let mut known = 0;
            for (line, (ours, theirs)) in LINES.iter().zip(expression.regex().by_both_engines(LINES)) {
                if let Some(ours) = ours {
                    assert_eq!(ours, theirs, "{library:?} {name} on {line}");
                    known += 1;
                }
            }
            assert!(
                known > LINES.len() / 2,
                "{library:?} {name} is hardly ever matched by the native matcher"
            );
        }
    }
}

#[test]
fn a_catastrophe_ends_in_time() {
    let expression = compiled("^(([a-z0-9])+.)+[A-Z]([a-z0-9])+$");
    let result =
        expression.matches(&"a".repeat(80), Some(Duration::from_millis(50)), &mut Locations::default());
    assert!(matches!(result, Err(SearchError::Timeout) | Ok(false)), "{result:?}");
}
