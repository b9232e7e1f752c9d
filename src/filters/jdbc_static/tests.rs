use super::*;
use crate::plugin::testkit::{self, event, fields};
use crate::sql::{Clock, Database, JdbcUrl, PoolSettings};

const TABLES: &str = r#"
    loaders => [{ query => "SELECT ip, up, seen FROM hosts" local_table => "Servers" max_rows => 3 }]
    local_db_objects => [
      { name => "servers" index_columns => ["ip"]
        columns => [["ip", "varchar(15)"], ["up", "boolean"], ["seen", "timestamp"]] }
    ]"#;

/// A database file with two hosts, and the filter that copies them.
fn with_hosts(lookups: &str, test: impl FnOnce(&JdbcStatic, &Database)) {
    let folder = tempfile::tempdir().unwrap();
    let string = format!("jdbc:sqlite:{}", folder.path().join("hosts.db").display());
    let url = JdbcUrl::parse(&string, None, None).unwrap_or_else(|error| panic!("{error}"));
    let database = runs_on(async {
        let database = Database::open(&url, &PoolSettings::default(), Clock::utc());
        database
            .execute(
                "CREATE TABLE hosts (ip TEXT, up BOOLEAN, seen TIMESTAMP);
                 INSERT INTO hosts VALUES ('10.0.0.1', 1, '2024-01-31T10:00:00Z'), ('10.0.0.2', 0, NULL)",
            )
            .await?;
        Ok(database)
    });
    let config = format!("jdbc_connection_string => '{string}' {TABLES} local_lookups => {lookups}");
    let built = build(&config);
    let filter = built.unwrap_or_else(|problems| panic!("{problems:?}"));
    test(&filter, &database.unwrap());
}

fn build(options: &str) -> Result<JdbcStatic, Vec<crate::plugin::Problem>> {
    use crate::language::{ParseOptions, Sources, ast::Item, parse};
    let config = format!("filter {{ jdbc_static {{ {options} }} }}");
    let parsed = parse(&Sources::single("test", config), ParseOptions::default());
    let Some(Item::Plugin(plugin)) = parsed.config.sections.first().and_then(|section| section.items.first())
    else {
        panic!("{:?}", parsed.diagnostics)
    };
    let (context, mut problems) = (testkit::context(), Vec::new());
    let block = crate::plugin::Block::new(Kind::Filter, plugin, &context.environment, &mut problems);
    let mut reader = OptionReader::new(&block, &context, "jdbc_static".into());
    let built = JdbcStatic::build(&mut reader);
    problems.extend(reader.finish(&SPEC));
    built.filter(|_| !problems.iter().any(crate::plugin::Problem::is_error)).ok_or(problems)
}

fn run(filter: &JdbcStatic, input: &str) -> (Outcome, String) {
    let mut event = event(input);
    (filter.filter(&mut event, &mut Emit::default()), fields(&event))
}

#[test]
fn rows_are_copied_and_looked_up() {
    let lookups = r#"[
        { query => "SELECT ip AS Address, up, seen FROM servers WHERE ip = :ip" parameters => { ip => "10.0.0.%{n}" } target => "host" },
        { id => "all" query => "SELECT COUNT(*) AS n FROM SERVERS WHERE up = ? AND ip LIKE '10%'" prepared_parameters => ["[up]"] }
    ]"#;
    with_hosts(lookups, |filter, _| {
        filter.start().unwrap();
        assert_eq!(
            run(filter, r#"{"n":1,"up":true}"#),
            (
                Outcome::Matched,
                r#"{"all":[{"n":1}],"host":[{"address":"10.0.0.1","up":true,"seen":"2024-01-31T10:00:00.000Z"}],"n":1,"up":true}"#.into()
            )
        );
    });
}

#[test]
fn defaults_and_failures_are_tagged() {
    let lookups = r#"[
        { id => "one" query => "SELECT up FROM servers WHERE ip = :ip" parameters => { ip => "ip" } default_hash => { up => "?" } },
        { id => "two" query => "SELECT nothing FROM servers" tag_on_failure => ["_two"] }
    ]"#;
    with_hosts(lookups, |filter, _| {
        filter.start().unwrap();
        assert_eq!(
            run(filter, r#"{"ip":"x"}"#),
            (
                Outcome::Failed,
                r#"{"ip":"x","one":[{"up":"?"}],"tags":["_jdbcstaticdefaultsused","_two"]}"#.into()
            )
        );
        // What is no single value is not looked up, and the target stays unset.
        assert_eq!(
            run(filter, r#"{"ip":["x"]}"#),
            (Outcome::Failed, r#"{"ip":["x"],"tags":["_jdbcstaticfailure","_two"]}"#.into())
        );
    });
}

#[test]
fn loading_again_replaces_the_rows() {
    let lookups = r#"[{ id => "ips" query => "SELECT ip FROM servers ORDER BY ip" }]"#;
    with_hosts(lookups, |filter, database| {
        filter.start().unwrap();
        let load = || runs_on(async { Ok(filter.copies.load().await) }).unwrap();
        let shown = || run(filter, "{}").1;
        assert_eq!(shown(), r#"{"ips":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]}"#);
        runs_on(database.execute("DELETE FROM hosts WHERE up")).unwrap();
        load().unwrap();
        assert_eq!(shown(), r#"{"ips":[{"ip":"10.0.0.2"}]}"#);
        // No rows, or more than max_rows, leave the table as it is.
        runs_on(database.execute("DELETE FROM hosts")).unwrap();
        load().unwrap();
        assert_eq!(shown(), r#"{"ips":[{"ip":"10.0.0.2"}]}"#);
        runs_on(database.execute("INSERT INTO hosts (ip) VALUES (1), (2), (3), (4)")).unwrap();
        load().unwrap();
        assert_eq!(shown(), r#"{"ips":[{"ip":"10.0.0.2"}]}"#);
        runs_on(database.execute("DROP TABLE hosts")).unwrap();
        assert!(load().unwrap_err().to_string().contains("Servers"));
        assert_eq!(shown(), r#"{"ips":[{"ip":"10.0.0.2"}]}"#);
    });
}

#[test]
fn a_loader_that_fails_keeps_the_pipeline_from_starting() {
    let lookups = "[{ query => 'SELECT 1' }]";
    with_hosts(lookups, |filter, database| {
        runs_on(database.execute("DROP TABLE hosts")).unwrap();
        assert!(filter.start().unwrap_err().to_string().contains("hosts"));
    });
}

#[test]
fn mistakes_are_named() {
    let url = "jdbc_connection_string => 'jdbc:sqlite:'";
    for (options, culprit) in [
        ("local_lookups => [{ id => 'a' }]", "\"query\" is missing"),
        ("local_lookups => [{ query => 'a = ?' prepared_parameters => [] }]", "1 placeholders"),
        ("local_lookups => [{ query => 'a' id => 'x' }, { query => 'b' id => 'x' }]", "given twice"),
        ("local_lookups => [{ query => 'a' target => 'x' }, { query => 'b' target => 'x' }]", "same target"),
        ("local_lookups => [{ query => 'a' parameter => 'x' }]", "\"parameter\""),
        ("local_lookups => [] loaders => [{ query => 'a' }]", "\"local_table\" is missing"),
        (
            "local_lookups => [] loaders => [{ query => 'a' local_table => 't' jdbc_connection_string => 'jdbc:db2:x' }]",
            "db2",
        ),
        (
            "local_lookups => [] local_db_objects => [{ name => 't' columns => [['a', 'b', 'c']] }]",
            "two strings",
        ),
        (
            "local_lookups => [] local_db_objects => [{ name => 't' columns => [['a', 'int']] index_columns => ['b'] }]",
            "\"b\"",
        ),
        ("local_lookups => [] loader_schedule => 'now'", "loader_schedule"),
    ] {
        let problems = build(&format!("{url} {options}")).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.message.contains(culprit)), "{options}: {problems:?}");
    }
}
