//! The filters jdbc_streaming and jdbc_static with real servers.

use crate::kafka::program::Rstash;

use super::Server;

/// Runs events through a filter, and returns them sorted by their number.
fn run(documents: &[&str], filter: &str) -> Vec<serde_json::Value> {
    let lines: Vec<_> = documents.iter().map(|document| format!("'{document}'")).collect();
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 1 lines => [{}] codec => json }} }}
           filter {{ {filter} mutate {{ remove_field => ["host", "event", "@timestamp", "@version"] }} }}
           output {{ file {{ path => "{{out}}" codec => json_lines }} }}"#,
        lines.join(", ")
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut events: Vec<serde_json::Value> =
        rstash.lines().iter().map(|line| serde_json::from_str(line).expect("a document")).collect();
    events.sort_by_key(|event| event["n"].as_u64());
    assert_eq!(events.len(), documents.len(), "{}", rstash.log());
    events
}

#[test]
fn rows_are_asked_for_event_by_event() {
    for server in Server::all() {
        let table = server.table("id integer, name varchar(20), seen timestamp NULL, level decimal(6,2)");
        server.run(&format!(
            "INSERT INTO {table} VALUES (1, 'O''Hara', '2024-01-31 10:00:00', 1.25), (2, 'Ann', NULL, 2), (2, 'Bea', NULL, 3)"
        ));
        let statement = |where_: &str| {
            format!(r#"statement => "SELECT name, level FROM {table} WHERE {where_} ORDER BY name""#)
        };
        let events = run(
            &[r#"{"n":1,"who":1}"#, r#"{"n":2,"who":2}"#, r#"{"n":3,"who":3}"#, r#"{"n":4}"#],
            &format!(
                r#"jdbc_streaming {{ {} {} parameters => {{ "id" => "who" }} target => "rows" default_hash => {{ "name" => "nobody" }} }}"#,
                server.options(),
                statement("id = :id")
            ),
        );
        let defaults = serde_json::json!(["_jdbcstreamingdefaultsused"]);
        let nobody = serde_json::json!([{ "name": "nobody" }]);
        assert_eq!(events[0]["rows"], serde_json::json!([{ "name": "O'Hara", "level": 1.25 }]));
        assert_eq!(
            events[1]["rows"],
            serde_json::json!([{ "name": "Ann", "level": 2.0 }, { "name": "Bea", "level": 3.0 }])
        );
        for event in &events[2..] {
            assert_eq!((&event["rows"], &event["tags"]), (&nobody, &defaults));
        }
        let events = run(
            &[r#"{"n":1,"who":"O\u0027Hara"}"#, r#"{"n":2,"who":"\u0027 OR 1=1 --"}"#],
            &format!(
                r#"jdbc_streaming {{ {} {} target => "rows" use_prepared_statements => true prepared_statement_name => "p"
                   prepared_statement_bind_values => ["[who]", 5] }}"#,
                server.options(),
                statement("name = ? AND id < ?")
            ),
        );
        assert_eq!(events[0]["rows"][0]["name"], "O'Hara");
        assert_eq!(events[1]["tags"], defaults);
        let events = run(
            &[r#"{"n":1}"#],
            &format!(
                r#"jdbc_streaming {{ {} statement => "SELECT * FROM no_such_table" target => "rows" }}"#,
                server.options()
            ),
        );
        assert_eq!(
            events[0]["tags"],
            serde_json::json!(["_jdbcstreamingfailure", "_jdbcstreamingdefaultsused"])
        );
    }
}

fn static_filter(server: &Server, table: &str, more: &str) -> String {
    format!(
        r#"jdbc_static {{
             {}
             loaders => [{{ id => "hosts" query => "SELECT ip, name, level FROM {table}" local_table => "hosts" }}]
             local_db_objects => [{{ name => "hosts" index_columns => ["ip"]
               columns => [["ip", "varchar(15)"], ["name", "varchar(20)"], ["level", "decimal(6,2)"]] }}]
             local_lookups => [{{ query => "SELECT name, level FROM hosts WHERE ip = :ip" parameters => {{ ip => "[ip]" }} target => "host_of" }}]
             {more}
           }}"#,
        server.options()
    )
}

#[test]
fn tables_are_copied_and_asked_locally() {
    for server in Server::all() {
        let table = server.table("ip varchar(15), name varchar(20), level decimal(6,2)");
        server.run(&format!("INSERT INTO {table} VALUES ('10.0.0.1', 'ü', 1.25), ('10.0.0.2', NULL, NULL)"));
        let events = run(
            &[r#"{"n":1,"ip":"10.0.0.1"}"#, r#"{"n":2,"ip":"10.0.0.2"}"#, r#"{"n":3,"ip":"10.0.0.3"}"#],
            &static_filter(&server, &table, ""),
        );
        assert_eq!(events[0]["host_of"], serde_json::json!([{ "name": "ü", "level": 1.25 }]));
        assert_eq!(events[1]["host_of"], serde_json::json!([{ "name": null, "level": null }]));
        assert_eq!(events[2]["host_of"], serde_json::json!([]));
    }
}

#[test]
fn tables_are_copied_again_on_a_schedule() {
    for server in Server::all() {
        let table = server.table("ip varchar(15), name varchar(20), level decimal(6,2)");
        server.run(&format!("INSERT INTO {table} VALUES ('10.0.0.1', 'before', 1)"));
        let filter = static_filter(&server, &table, r#"loader_schedule => "* * * * * *""#);
        let rstash = Rstash::start(&format!(
            r#"input {{ heartbeat {{ interval => 0.1 add_field => {{ "ip" => "10.0.0.1" }} }} }} filter {{ {filter} }}
               output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{[host_of][0][name]}}" }} }} }}"#
        ));
        rstash.wait_for("copies", 1, || rstash.lines().iter().filter(|line| *line == "before").count());
        server.run(&format!("UPDATE {table} SET name = 'after'"));
        rstash.wait_for("new copies", 1, || rstash.lines().iter().filter(|line| *line == "after").count());
        assert!(rstash.stop().success());
    }
}

#[test]
fn a_server_that_refuses_keeps_the_pipeline_from_starting() {
    for server in Server::all() {
        for filter in [
            r#"jdbc_streaming { jdbc_connection_string => "URL" jdbc_user => "rstash" jdbc_password => "not-the-password" statement => "SELECT 1" target => "t" }"#,
            r#"jdbc_static { jdbc_connection_string => "URL" jdbc_user => "rstash" jdbc_password => "not-the-password"
                 loaders => [{ query => "SELECT 1 AS one" local_table => "t" }]
                 local_db_objects => [{ name => "t" columns => [["one", "int"]] }]
                 local_lookups => [{ query => "SELECT * FROM t" target => "t" }] }"#,
        ] {
            let filter = filter.replace("URL", &server.string(""));
            let rstash = Rstash::start(&format!(
                "input {{ generator {{ count => 1 }} }} filter {{ {filter} }} output {{ null {{ }} }}"
            ));
            assert!(!rstash.wait().success(), "{}", rstash.log());
            let log = rstash.log();
            let refusals = ["password authentication failed", "Access denied"];
            assert!(refusals.iter().any(|refusal| log.contains(refusal)), "{log}");
            assert!(!log.contains("not-the-password"), "{log}");
        }
    }
}
