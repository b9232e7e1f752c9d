use std::time::Duration;

use super::*;
use crate::plugin::testkit::{self, fields};
use crate::plugin::{Context, Shutdown};
use crate::queue::Taken;
use crate::sql::Database;

/// A database file with three songs, and a place for the state.
struct Songs {
    folder: tempfile::TempDir,
    database: Database,
}

impl Songs {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("jdbc:sqlite:{}", folder.path().join("songs.db").display());
        let url = JdbcUrl::parse(&url, None, None).unwrap_or_else(|error| panic!("{error}"));
        let database = Database::open(&url, &PoolSettings::default(), Clock::utc());
        let sql = "CREATE TABLE songs (ID INTEGER, Title TEXT, added TIMESTAMP);
                   INSERT INTO songs VALUES (1, 'a', '2024-01-01 00:00:00'), (2, 'b', '2024-01-02 00:00:00'), (3, 'c', '2024-01-03 00:00:00');";
        database.execute(sql).await.unwrap();
        Songs { folder, database }
    }

    fn context(&self) -> Context {
        Context { data_path: self.folder.path().to_owned(), ..testkit::context() }
    }

    fn state(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("plugins/inputs/jdbc/logstash_jdbc_last_run")).ok()
    }

    /// The events of one run.
    async fn read(&self, options: &str) -> Vec<String> {
        let url = self.folder.path().join("songs.db");
        let config = format!(
            "input {{ jdbc {{ jdbc_connection_string => 'jdbc:sqlite:{}' {options} }} }}",
            url.display()
        );
        let built = testkit::input(&config, &self.context());
        let (input, decoration) = built.unwrap_or_else(|problems| panic!("{problems:?}"));
        let (sink, receiver) = testkit::sink(decoration, 10);
        let (_stop, shutdown) = Shutdown::channel();
        let reads = tokio::task::spawn_blocking(move || testkit::drain(&receiver));
        input.run(sink, shutdown).await.unwrap();
        reads.await.unwrap().iter().map(fields).collect()
    }
}

const TRACKED: &str = "statement => 'SELECT ID, Title FROM songs WHERE id > :sql_last_value ORDER BY id'
    use_column_value => true tracking_column => id";

#[tokio::test(flavor = "multi_thread")]
async fn a_tracked_column_goes_on_where_it_was() {
    let songs = Songs::new().await;
    let all = [r#"{"id":1,"title":"a"}"#, r#"{"id":2,"title":"b"}"#, r#"{"id":3,"title":"c"}"#];
    assert_eq!(songs.read(TRACKED).await, all);
    assert_eq!(songs.state().as_deref(), Some("--- 3\n"));
    assert!(songs.read(TRACKED).await.is_empty());
    songs.database.execute("INSERT INTO songs VALUES (4, 'd', NULL)").await.unwrap();
    assert_eq!(songs.read(TRACKED).await, [r#"{"id":4,"title":"d"}"#]);
    assert_eq!(songs.read(&format!("{TRACKED} clean_run => true record_last_run => false")).await.len(), 4);
    assert_eq!(songs.state().as_deref(), Some("--- 4\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracked_time_is_compared_in_the_databases_zone() {
    let songs = Songs::new().await;
    let options =
        "statement => 'SELECT id, added FROM songs WHERE added > :sql_last_value ORDER BY id LIMIT 2'
        use_column_value => true tracking_column => added tracking_column_type => timestamp
        jdbc_default_timezone => 'America/Chicago' target => '[song]'";
    assert_eq!(
        songs.read(options).await,
        [
            r#"{"song":{"id":1,"added":"2024-01-01T06:00:00.000Z"}}"#,
            r#"{"song":{"id":2,"added":"2024-01-02T06:00:00.000Z"}}"#
        ]
    );
    assert_eq!(
        songs.state().as_deref(),
        Some("--- !ruby/object:DateTime '2024-01-02 06:00:00.000000000 Z'\n")
    );
    assert_eq!(songs.read(options).await, [r#"{"song":{"id":3,"added":"2024-01-03T06:00:00.000Z"}}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_prepared_statements() {
    let songs = Songs::new().await;
    let ids = [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#];
    let pages = "jdbc_paging_enabled => true jdbc_page_size => 2 statement =>";
    assert_eq!(songs.read(&format!("{pages} 'SELECT id FROM songs ORDER BY id;'")).await, ids);
    let explicit =
        "'SELECT id FROM songs ORDER BY id LIMIT :size OFFSET :offset' jdbc_paging_mode => explicit";
    assert_eq!(songs.read(&format!("{pages} {explicit}")).await, ids);
    let prepared =
        "statement => 'SELECT ID FROM songs WHERE id < ? AND added > ?' use_prepared_statements => true
        prepared_statement_name => 'p' prepared_statement_bind_values => [2, ':sql_last_value']
        lowercase_column_names => false clean_run => true";
    assert_eq!(songs.read(prepared).await, [r#"{"ID":1}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_is_kept_only_when_the_rows_are_safe() {
    let songs = Songs::new().await;
    let url = songs.folder.path().join("songs.db");
    let config =
        format!("input {{ jdbc {{ jdbc_connection_string => 'jdbc:sqlite:{}' {TRACKED} }} }}", url.display());
    for lose in [true, false] {
        let (input, decoration) =
            testkit::input(&config, &songs.context()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (sink, receiver) = testkit::sink(decoration, 10);
        let (_stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(input.run(sink, shutdown));
        let taken = tokio::task::spawn_blocking(move || receiver.take(10, Duration::ZERO, testkit::LONG));
        let Taken::Batch { events, acks } = taken.await.unwrap() else { panic!("no rows") };
        assert_eq!((events.len(), songs.state()), (3, None));
        if lose {
            acks.iter().for_each(crate::queue::Ack::fail);
        }
        drop(acks);
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(songs.state().as_deref(), Some("--- 3\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_decoded_and_parameters_filled_in() {
    let songs = Songs::new().await;
    // UTF-8 that was put in as ISO-8859-1 comes out as each byte's character.
    let options = "statement => \"SELECT 'ü' AS one, 'ü' AS two, :wanted AS three\" parameters => { wanted => \"it's\" }
        columns_charset => { one => 'ISO-8859-1' }";
    assert_eq!(songs.read(options).await, [r#"{"one":"Ã¼","three":"it's","two":"ü"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_runs_again_until_the_end() {
    let songs = Songs::new().await;
    let url = songs.folder.path().join("songs.db");
    let config = format!(
        "input {{ jdbc {{ jdbc_connection_string => 'jdbc:sqlite:{}' statement => 'SELECT 1 AS one' interval => '0.01s' }} }}",
        url.display()
    );
    let (input, decoration) =
        testkit::input(&config, &songs.context()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (sink, receiver) = testkit::sink(decoration, 100);
    let (stop, shutdown) = Shutdown::channel();
    let running = tokio::spawn(input.run(sink, shutdown));
    tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            let Taken::Batch { events, .. } = receiver.take(1, Duration::ZERO, testkit::LONG) else {
                panic!("no row")
            };
            assert_eq!(fields(&events[0]), r#"{"one":1}"#);
        }
        stop.send(true).unwrap();
        receiver
    })
    .await
    .unwrap();
    tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
}

#[test]
fn mistakes_are_named() {
    for (options, culprit) in [
        ("", "either statement or statement_filepath"),
        ("statement => 's' statement_filepath => 'x'", "either statement or statement_filepath"),
        ("statement => 's' use_column_value => true", "tracking_column"),
        ("statement => 's' schedule => '* * * * *' interval => '1m'", "only one of"),
        ("statement => 's' schedule => 'soon'", "schedule"),
        ("statement => 's' period => 'x'", "period"),
        ("statement => 's' jdbc_default_timezone => 'Mars/X'", "Mars/X"),
        ("statement => 's' columns_charset => { one => 'x' }", "columns_charset"),
        ("statement => 's' jdbc_password => 'xy' jdbc_password_filepath => 'y'", "excludes"),
        (
            "statement => 's ?' use_prepared_statements => true prepared_statement_name => 'nn'",
            "1 placeholders",
        ),
    ] {
        let config = format!("input {{ jdbc {{ jdbc_connection_string => 'jdbc:sqlite:' {options} }} }}");
        let problems = testkit::input(&config, &testkit::context()).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.message.contains(culprit)), "{options}: {problems:?}");
    }
}
