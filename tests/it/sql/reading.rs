//! The input jdbc: where it goes on, pages, parameters, schedules, and what it says when it cannot.

use std::fs;

use crate::kafka::program::Rstash;

use super::Server;
use super::server::{Kind, PASSWORD};

/// Runs an input to its end, and returns the lines of `format` that its events make, sorted.
fn read(server: &Server, options: &str, format: &str) -> Vec<String> {
    let rstash = start(server, options, format);
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut lines = rstash.lines();
    lines.sort();
    lines
}

fn start(server: &Server, options: &str, format: &str) -> Rstash {
    Rstash::start(&format!(
        r#"input {{ jdbc {{ {} {options} }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "{format}" }} }} }}"#,
        server.options()
    ))
}

fn songs(ids: std::ops::RangeInclusive<u32>) -> Vec<String> {
    let mut songs: Vec<_> = ids.map(|id| format!("{id}: song '{id}'")).collect();
    songs.sort();
    songs
}

const SONG: &str = "%{id}: %{title}";

#[test]
fn a_number_is_tracked_over_restarts_in_logstashs_own_file() {
    for server in Server::all() {
        let table = server.songs(1..=5);
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("last_run");
        let options = format!(
            r#"statement => "SELECT id, title FROM {table} WHERE id > :sql_last_value ORDER BY id"
               use_column_value => true tracking_column => "id" last_run_metadata_path => "{}""#,
            state.display()
        );
        // As Logstash has left it.
        fs::write(&state, "--- 2\n").expect("written");
        assert_eq!(read(&server, &options, SONG), songs(3..=5));
        assert_eq!(fs::read_to_string(&state).expect("it is there"), "--- 5\n");
        assert!(read(&server, &options, SONG).is_empty());
        server.add_songs(&table, 6..=300);
        assert_eq!(read(&server, &options, SONG), songs(6..=300));
        assert_eq!(fs::read_to_string(&state).expect("it is there"), "--- 300\n");
    }
}

#[test]
fn a_time_is_tracked_over_restarts() {
    for server in Server::all() {
        let kind = if server.kind == Kind::Postgres { "timestamptz" } else { "datetime(6)" };
        let table = server.table(&format!("id integer, changed {kind}"));
        let add = |id: u32, time: &str| {
            let zone = if server.kind == Kind::Postgres { "+00" } else { "" };
            server.run(&format!("INSERT INTO {table} VALUES ({id}, '{time}{zone}')"));
        };
        add(1, "2024-01-31 10:00:00");
        add(2, "2024-01-31 10:00:00.5");
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("last_run");
        let options = format!(
            r#"statement => "SELECT id, changed FROM {table} WHERE changed > :sql_last_value ORDER BY changed"
               use_column_value => true tracking_column => "changed" tracking_column_type => "timestamp"
               sequel_opts => {{ "fractional_seconds" => true }} jdbc_default_timezone => "UTC"
               last_run_metadata_path => "{}""#,
            state.display()
        );
        assert_eq!(read(&server, &options, "%{id}"), ["1", "2"]);
        let kept = fs::read_to_string(&state).expect("it is there");
        assert_eq!(kept, "--- !ruby/object:DateTime '2024-01-31 10:00:00.500000000 Z'\n");
        assert!(read(&server, &options, "%{id}").is_empty());
        add(3, "2024-01-31 10:00:01");
        assert_eq!(read(&server, &options, "%{id}"), ["3"]);
    }
}

#[test]
fn pages() {
    for server in Server::all() {
        let table = server.songs(1..=100);
        let paged = "jdbc_paging_enabled => true jdbc_page_size => 7";
        let auto = format!(r#"statement => "SELECT id, title FROM {table} ORDER BY id;" {paged}"#);
        assert_eq!(read(&server, &auto, SONG), songs(1..=100));
        let explicit = format!(
            r#"statement => "SELECT id, title FROM {table} ORDER BY id LIMIT :size OFFSET :offset" {paged} jdbc_paging_mode => "explicit""#
        );
        assert_eq!(read(&server, &explicit, SONG), songs(1..=100));
    }
}

#[test]
fn parameters_and_prepared_statements() {
    for server in Server::all() {
        let table = server.songs(1..=20);
        let named = format!(
            r#"statement => "SELECT id, title FROM {table} WHERE (title = :name OR id IN :ids) AND title <> ':name'"
               parameters => {{ "name" => "song '7'" "ids" => [3, 4] }}"#
        );
        assert_eq!(read(&server, &named, "%{id}"), ["3", "4", "7"]);
        let prepared = format!(
            r#"statement => "SELECT id, title FROM {table} WHERE id > ? AND title <> ? AND id < ?"
               use_prepared_statements => true prepared_statement_name => "songs" use_column_value => true tracking_column => "id"
               prepared_statement_bind_values => [":sql_last_value", "song '2'", 5]"#
        );
        assert_eq!(read(&server, &prepared, SONG), [songs(1..=1), songs(3..=4)].concat());
    }
}

#[test]
fn a_schedule_brings_what_is_new() {
    for server in Server::all() {
        let table = server.songs(1..=3);
        let rstash = start(
            &server,
            &format!(
                r#"statement => "SELECT id, title FROM {table} WHERE id > :sql_last_value" schedule => "* * * * * *"
                   use_column_value => true tracking_column => "id""#
            ),
            SONG,
        );
        rstash.wait_for_lines(3);
        server.add_songs(&table, 4..=6);
        let mut lines = rstash.wait_for_lines(6);
        lines.sort();
        assert_eq!(lines, songs(1..=6));
        assert!(rstash.stop().success());
        assert_eq!(rstash.lines().len(), 6);
    }
}

/// One line for a person, and no password in it.
fn assert_says(rstash: &Rstash, words: &[&str]) {
    assert!(!rstash.wait().success(), "{}", rstash.log());
    let log = rstash.log();
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    let [error] = errors.as_slice() else { panic!("not one line:\n{log}") };
    assert!(words.iter().all(|word| error.contains(word)), "{words:?}:\n{log}");
    assert!(!log.contains(PASSWORD) && !log.contains("not-the-password"), "{log}");
}

#[test]
fn what_is_wrong_is_said_in_a_line_without_the_password() {
    for server in Server::all() {
        let config = |string: &str, password: &str| {
            Rstash::start(&format!(
                r#"input {{ jdbc {{ jdbc_connection_string => "{string}" jdbc_user => "rstash" jdbc_password => "{password}" statement => "SELECT 1" }} }}
                   output {{ null {{ }} }}"#
            ))
        };
        let string = server.string("");
        assert_says(&config(&string, "not-the-password"), &["could not connect", "rstash"]);
        let elsewhere = string.replace("127.0.0.1", "no-such-host.invalid");
        assert_says(&config(&elsewhere, PASSWORD), &["could not connect", "no-such-host.invalid"]);
        // A port that nobody listens on: bound, and then left.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let (before, _) = string.rsplit_once(':').expect("a port");
        let closed = format!("{before}:{port}/rstash");
        assert_says(&config(&closed, PASSWORD), &["could not connect", &port.to_string()]);
        let nowhere = string.replace("/rstash", "/nowhere");
        assert_says(&config(&nowhere, PASSWORD), &["could not connect", "nowhere"]);
        let in_url = format!("{string}?user=rstash&password=not-the-password");
        let rstash = Rstash::start(&format!(
            r#"input {{ jdbc {{ jdbc_connection_string => "{in_url}" statement => "SELECT 1" }} }} output {{ null {{ }} }}"#
        ));
        assert_says(&rstash, &["could not connect"]);
    }
}
