//! Tests of the redis output against a server that answers as they wish; those with a real one are in `tests/it`.

use crate::event::Event;
use crate::plugin::{Delivery, Output, Problem, testkit};
use crate::redis::fake;

fn output(port: u16, options: &str) -> Result<Box<dyn Output>, Vec<Problem>> {
    let config = format!("output {{ redis {{ port => {port} reconnect_interval => 0.05 {options} }} }}");
    testkit::output(&config, &testkit::context())
}

fn events(keys: &[&str]) -> Vec<Event> {
    let event =
        |(number, key): (usize, &&str)| testkit::event(&format!(r#"{{"key":"{key}","n":"{number}"}}"#));
    keys.iter().enumerate().map(event).collect()
}

const LIST: &str = "data_type => list key => '%{key}' codec => line { format => '%{n}' delimiter => ';' }";

async fn deliver(output: &dyn Output, events: &[Event]) {
    let delivery = output.deliver(&events.iter().collect::<Vec<_>>()).await;
    assert_eq!(delivery, Delivery::done());
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_go_by_key() {
    let (port, commands) = fake::start(|_| Some(":1\r\n".into()));
    let output = output(port, &format!("{LIST} batch => true batch_events => 2")).unwrap();
    deliver(&*output, &events(&["a", "b", "a", "a", "b"])).await;
    assert_eq!(
        *commands.lock().unwrap(),
        [vec!["rpush", "a", "0;", "2;"], vec!["rpush", "b", "1;", "4;"], vec!["rpush", "a", "3;"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_not_answered_is_sent_again() {
    let mut count = 0;
    let (port, commands) = fake::start(move |_| {
        count += 1;
        match count {
            1 => Some(":1\r\n".into()),
            2 => Some("-OOM command not allowed\r\n".into()),
            3 => None,
            _ => Some(":1\r\n".into()),
        }
    });
    let output = output(port, LIST).unwrap();
    deliver(&*output, &events(&["a", "b", "c", "d"])).await;
    let keys: Vec<_> = commands.lock().unwrap().iter().map(|command| command[1].clone()).collect();
    // The third was not answered, the fourth not even read.
    assert_eq!(keys, ["a", "b", "c", "b", "c", "d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_waited_for() {
    let mut lengths = [9, 6, 5].into_iter();
    let (port, commands) = fake::start(move |command| {
        let length = if command[0] == "llen" { lengths.next().unwrap() } else { 1 };
        Some(format!(":{length}\r\n"))
    });
    let options = format!("{LIST} congestion_threshold => 5 congestion_interval => 0.05");
    let output = output(port, &options).unwrap();
    deliver(&*output, &events(&["a"])).await;
    let names: Vec<_> = commands.lock().unwrap().iter().map(|command| command[0].clone()).collect();
    assert_eq!(names, ["llen", "llen", "llen", "rpush"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_server_is_tried() {
    let (port, commands) = fake::start(|_| Some(":1\r\n".into()));
    // A port that nobody listens on: bound, and then left.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = output(
        port,
        &format!("{LIST} shuffle_hosts => false host => ['127.0.0.1:{closed}', '127.0.0.1'] db => 2 password => 's'"),
    )
    .unwrap();
    deliver(&*output, &events(&["a"])).await;
    let names: Vec<_> = commands.lock().unwrap().iter().map(|command| command[0].clone()).collect();
    assert_eq!(names, ["auth", "select", "rpush"]);
}

#[test]
fn options_are_checked() {
    for options in [
        "key => 'k'",
        "data_type => list",
        "key => 'k' data_type => channel batch => true",
        "key => 'k' data_type => list batch => true batch_events => 0",
        "key => 'k' data_type => list host => []",
        "key => 'k' data_type => list host => 'a:b'",
        "key => 'k' data_type => list ssl_enabled => true ssl_key => '/no/such/file'",
        "key => 'k' data_type => list reconnect_interval => -1",
    ] {
        let problems = testkit::output(&format!("output {{ redis {{ {options} }} }}"), &testkit::context());
        assert!(problems.err().unwrap().iter().any(Problem::is_error), "{options}");
    }
}
