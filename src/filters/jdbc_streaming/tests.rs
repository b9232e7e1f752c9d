use super::*;
use crate::plugin::testkit;
use crate::plugin::testkit::{event, fields};

/// A database file with a table of people.
async fn people(folder: &tempfile::TempDir) -> (String, Database) {
    let string = format!("jdbc:sqlite:{}", folder.path().join("people.db").display());
    let url = JdbcUrl::parse(&string, None, None).unwrap_or_else(|error| panic!("{error}"));
    let database = Database::open(&url, &PoolSettings::default(), Clock::utc());
    let sql = "CREATE TABLE people (id INTEGER, name TEXT, height REAL, grown BOOLEAN, born TIMESTAMP, note TEXT);
               INSERT INTO people VALUES (1, 'Ann', 1.75, 1, '2001-02-03 04:05:06', NULL), (2, 'O''Hara', 1.5, 0, NULL, 'x');";
    database.execute(sql).await.unwrap();
    (string, database)
}

fn built(url: &str, options: &str) -> Box<dyn Filter> {
    let config = format!(
        "filter {{ jdbc_streaming {{ jdbc_connection_string => '{url}' target => 'rows' {options} }} }}"
    );
    testkit::filter(&config, &testkit::context()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(filter: &dyn Filter, input: &str) -> String {
    let mut event = event(input);
    assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
    fields(&event)
}

fn with_people(test: impl FnOnce(&str, &Database)) {
    let folder = tempfile::tempdir().unwrap();
    let (url, database) = runs_on(async { Ok(people(&folder).await) }).unwrap();
    test(&url, &database);
}

#[test]
fn rows_have_the_types_of_their_columns() {
    with_people(|url, _| {
        let statement =
            "SELECT id, name, height, grown, note FROM people WHERE name = :who OR id = :id ORDER BY id";
        let filter = built(
            url,
            &format!("statement => \"{statement}\" parameters => {{ who => '%{{first}}' id => '[n]' }}"),
        );
        filter.start().unwrap();
        assert_eq!(
            run(&*filter, r#"{"first":"O'Hara","n":1}"#),
            r#"{"first":"O'Hara","n":1,"rows":[{"id":1,"name":"Ann","height":1.75,"grown":true,"note":null},{"id":2,"name":"O'Hara","height":1.5,"grown":false,"note":"x"}]}"#
        );
    });
}

#[test]
fn what_is_not_found_gets_the_default() {
    with_people(|url, _| {
        let options = "statement => 'SELECT name FROM people WHERE id = :id' parameters => { id => 'n' }";
        let filter = built(url, &format!("{options} default_hash => {{ name => 'nobody' }}"));
        assert_eq!(
            run(&*filter, r#"{"n":9}"#),
            r#"{"n":9,"rows":[{"name":"nobody"}],"tags":["_jdbcstreamingdefaultsused"]}"#
        );
        // A missing field is NULL, and no default is an empty object.
        assert_eq!(
            run(&*built(url, options), "{}"),
            r#"{"rows":[{}],"tags":["_jdbcstreamingdefaultsused"]}"#
        );
    });
}

#[test]
fn a_statement_that_fails_is_tagged_twice() {
    with_people(|url, _| {
        let filter = built(url, "statement => 'SELECT * FROM nowhere'");
        let expected = r#"{"rows":[{}],"tags":["_jdbcstreamingfailure","_jdbcstreamingdefaultsused"]}"#;
        assert_eq!(run(&*filter, "{}"), expected);
    });
}

#[test]
fn answers_are_kept() {
    with_people(|url, database| {
        let options = "statement => 'SELECT name FROM people WHERE id = :id' parameters => { id => 'n' } cache_expiration => 3600";
        let (keeps, asks) = (built(url, options), built(url, &format!("{options} use_cache => false")));
        let before = r#"{"n":1,"rows":[{"name":"Ann"}]}"#;
        assert_eq!((run(&*keeps, r#"{"n":1}"#), run(&*asks, r#"{"n":1}"#)), (before.into(), before.into()));
        runs_on(database.execute("UPDATE people SET name = 'Bea' WHERE id = 1")).unwrap();
        assert_eq!(run(&*keeps, r#"{"n":1}"#), before);
        assert_eq!(run(&*asks, r#"{"n":1}"#), r#"{"n":1,"rows":[{"name":"Bea"}]}"#);
    });
}

#[test]
fn prepared_statements() {
    with_people(|url, _| {
        let filter = built(
            url,
            "statement => 'SELECT id, ? AS k FROM people WHERE name = ? AND id < ?' use_prepared_statements => true
             prepared_statement_name => 'p' prepared_statement_bind_values => ['%{k}!', '[who]', 5]",
        );
        assert_eq!(
            run(&*filter, r#"{"k":"v","who":"Ann"}"#),
            r#"{"k":"v","rows":[{"id":1,"k":"v!"}],"who":"Ann"}"#
        );
    });
}

#[test]
fn mistakes_are_named() {
    for (options, culprit) in [
        ("statement => 's' jdbc_connection_string => 'jdbc:oracle:thin:@h'", "oracle"),
        (
            "statement => 's ?' jdbc_connection_string => 'jdbc:sqlite:' use_prepared_statements => true",
            "must have a name",
        ),
        (
            "statement => 's ?' jdbc_connection_string => 'jdbc:sqlite:' use_prepared_statements => true prepared_statement_name => 'n'",
            "1 placeholders",
        ),
        (
            "statement => 's' jdbc_connection_string => 'jdbc:sqlite:' sequel_opts => { servers => 'x' }",
            "servers",
        ),
        ("statement => 's' jdbc_connection_string => 'jdbc:sqlite:' cache_size => 0", "cache_size"),
        (
            "statement => 's' jdbc_connection_string => 'jdbc:sqlite:' parameters => { 'a' => 5 }",
            "parameters",
        ),
    ] {
        let config = format!("filter {{ jdbc_streaming {{ target => 't' {options} }} }}");
        let problems = testkit::filter(&config, &testkit::context()).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.message.contains(culprit)), "{options}: {problems:?}");
    }
}

#[test]
fn a_database_that_is_away_keeps_the_pipeline_from_starting() {
    let filter = built(
        "jdbc:postgresql://127.0.0.1:1/d?connectTimeout=1&sslmode=disable",
        "jdbc_user => 'u' statement => 'SELECT 1' sequel_opts => { pool_timeout => 1 }",
    );
    let error = filter.start().unwrap_err().to_string();
    assert!(error.contains("could not connect") && error.contains("jdbc_connection_string"), "{error}");
}
