//! Values of every type, as Logstash's events have them: those of the JDBC drivers, through Sequel.

use crate::kafka::program::Rstash;

use super::Server;

/// The only row of a table, as an event in JSON without what every event has.
fn read(server: &Server, table: &str, options: &str) -> serde_json::Value {
    let rstash = Rstash::start(&format!(
        r#"input {{ jdbc {{ {} statement => "SELECT * FROM {table}" {options} }} }}
           filter {{ mutate {{ remove_field => ["@timestamp", "@version"] }} }}
           output {{ file {{ path => "{{out}}" codec => json_lines }} }}"#,
        server.options()
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let lines = rstash.lines();
    assert_eq!(lines.len(), 1, "{}", rstash.log());
    serde_json::from_str(&lines[0]).expect("a document")
}

fn assert_fields(event: &serde_json::Value, expected: &[(&str, serde_json::Value)]) {
    for (field, value) in expected {
        assert_eq!(event.get(field), Some(value), "{field} of {event}");
    }
    assert_eq!(event.as_object().map(serde_json::Map::len), Some(expected.len()), "{event}");
}

#[test]
fn types_of_postgresql() {
    let Some(server) = Server::postgres() else { return };
    let table = server.table(
        r#"small smallint, big bigint, exact numeric(30,10), real8 double precision, yes boolean, no boolean,
           nothing text, words text, fixed char(3), "Mixed" varchar, day date, clock timestamp, zoned timestamptz,
           doc json, docb jsonb, bytes bytea, numbers int[], names text[], nested int[][], id uuid, ip inet, span interval,
           never timestamp"#,
    );
    server.run(&format!(
        r#"INSERT INTO {table} VALUES (-7, 9007199254740993, 12345678901234567890.0123456789, 0.1, true, false,
           NULL, 'ü "q" \ 😀', 'ab', 'm', '2024-01-31', '2024-07-01 10:00:00.123456', '2024-01-31 10:00:00+02',
           '{{"a" : 1}}', '{{"b":[1,2]}}', '\x68c3bc', '{{1,NULL,3}}', '{{"a,b",NULL,"c\"d"}}', '{{{{1,2}},{{3,4}}}}',
           'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1/8', '1 day 02:03:04', 'infinity')"#
    ));
    let event = read(&server, &table, r#"jdbc_default_timezone => "Europe/Berlin""#);
    let exact = serde_json::from_str("12345678901234567890.0123456789").expect("a number");
    assert_fields(
        &event,
        &[
            ("small", (-7).into()),
            ("big", 9_007_199_254_740_993_i64.into()),
            ("exact", exact),
            ("real8", 0.1.into()),
            ("yes", true.into()),
            ("no", false.into()),
            ("nothing", serde_json::Value::Null),
            ("words", "ü \"q\" \\ 😀".into()),
            ("fixed", "ab ".into()),
            ("mixed", "m".into()),
            // Midnight in Berlin.
            ("day", "2024-01-30T23:00:00.000Z".into()),
            ("clock", "2024-07-01T08:00:00.123456Z".into()),
            ("zoned", "2024-01-31T08:00:00.000Z".into()),
            ("doc", r#"{"a" : 1}"#.into()),
            ("docb", r#"{"b": [1, 2]}"#.into()),
            ("bytes", "hü".into()),
            ("numbers", serde_json::json!([1, null, 3])),
            ("names", serde_json::json!(["a,b", null, "c\"d"])),
            ("nested", serde_json::json!([[1, 2], [3, 4]])),
            ("id", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into()),
            ("ip", "10.0.0.1/8".into()),
            ("span", "1 day 02:03:04".into()),
            ("never", "infinity".into()),
        ],
    );
}

#[test]
fn types_of_mariadb() {
    let Some(server) = Server::mariadb() else { return };
    let table = server.table(
        "small smallint, big bigint unsigned, exact decimal(30,10), real8 double, yes tinyint(1), no bit(1), many bit(12),
         nothing text, words varchar(50), day date, clock datetime(6), stamp timestamp NULL, era year, doc json,
         bytes blob, kind enum('a','b'), kinds set('a','b'), MixedCase int",
    );
    server.run(&format!(
        r#"INSERT INTO {table} VALUES (-7, 18446744073709551615, 12345678901234567890.0123456789, 0.1, 1, b'0', b'101',
           NULL, 'ü "q" 😀', '2024-01-31', '2024-07-01 10:00:00.123456', '2024-01-31 10:00:00', 2024, '{{"a": 1}}',
           x'68c3bc', 'b', 'a,b', 5)"#
    ));
    let event = read(&server, &table, r#"jdbc_default_timezone => "Europe/Berlin""#);
    let exact = serde_json::from_str("12345678901234567890.0123456789").expect("a number");
    assert_fields(
        &event,
        &[
            ("small", (-7).into()),
            ("big", u64::MAX.into()),
            ("exact", exact),
            ("real8", 0.1.into()),
            ("yes", true.into()),
            ("no", false.into()),
            ("many", 5.into()),
            ("nothing", serde_json::Value::Null),
            ("words", "ü \"q\" 😀".into()),
            ("day", "2024-01-30T23:00:00.000Z".into()),
            ("clock", "2024-07-01T08:00:00.123456Z".into()),
            ("stamp", "2024-01-31T09:00:00.000Z".into()),
            ("era", "2023-12-31T23:00:00.000Z".into()),
            ("doc", r#"{"a": 1}"#.into()),
            ("bytes", "hü".into()),
            ("kind", "b".into()),
            ("kinds", "a,b".into()),
            ("mixedcase", 5.into()),
        ],
    );
}

#[test]
fn names_and_targets() {
    for server in Server::all() {
        let table = server.songs(1..=1);
        let statement =
            format!("lowercase_column_names => false statement => 'SELECT id AS MyId FROM {table}'");
        let rstash = Rstash::start(&format!(
            r#"input {{ jdbc {{ {} target => "[a][row]" {statement} }} }}
               output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{[a][row]}}" }} }} }}"#,
            server.options()
        ));
        assert!(rstash.wait().success(), "{}", rstash.log());
        // PostgreSQL itself makes names small that are not quoted.
        let name = if server.kind == super::server::Kind::Postgres { "myid" } else { "MyId" };
        assert_eq!(rstash.lines(), [format!(r#"{{"{name}":1}}"#)]);
    }
}
