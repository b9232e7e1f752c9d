//! Which server is asked, and how.

use super::*;

const OPTIONS: &str = "index => 'x' manage_template => false";

/// An address where nobody listens.
fn nobody() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn one_of_two_servers_is_enough() {
    run(async {
        let server = StandIn::start().await;
        let options = format!("hosts => ['{}', '{}'] {OPTIONS}", nobody(), server.address);
        let output = open_with("elasticsearch", &options, &testkit::context()).await;
        for _ in 0..5 {
            assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
        }
        assert_eq!(server.bulks().len(), 5);
    });
}

#[test]
fn a_server_that_dies_is_replaced_by_the_other() {
    run(async {
        let server = StandIn::start().await;
        let dying = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = dying.local_addr().unwrap();
        // It answers what it is asked first, and then only takes and closes connections.
        let dying = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let root = r#"{"version":{"number":"8.1.0"}}"#;
            let mut answers = vec![root, ""];
            loop {
                let (mut socket, _) = dying.accept().await.unwrap();
                let mut request = [0; 4096];
                while let Some(answer) = answers.pop() {
                    _ = socket.read(&mut request).await;
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
                    _ = socket.write_all(head.as_bytes()).await;
                }
            }
        });
        let options = format!("hosts => ['{address}', '{}'] {OPTIONS}", server.address);
        let output = open_with("elasticsearch", &options, &testkit::context()).await;
        for _ in 0..10 {
            assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
        }
        assert_eq!(server.bulks().len(), 10);
        dying.abort();
    });
}

#[test]
fn events_wait_for_a_server() {
    run(async {
        let address = nobody();
        let output =
            open_with("elasticsearch", &format!("hosts => '{address}' {OPTIONS}"), &testkit::context()).await;
        let events = events(&[r#"{"n":1}"#]);
        let delivery = deliver(&output, &events);
        tokio::pin!(delivery);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), &mut delivery).await.is_err());
        let server = StandIn::start_at(&address).await;
        assert_eq!(dead(&delivery.await), []);
        assert_eq!(server.bulks().len(), 1);
    });
}

#[test]
fn a_server_that_is_not_well_is_not_used() {
    run(async {
        let server = StandIn::start().await;
        server.health(503);
        let output = open(&server, OPTIONS).await;
        let events = events(&[r#"{"n":1}"#]);
        let delivery = deliver(&output, &events);
        tokio::pin!(delivery);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), &mut delivery).await.is_err());
        assert_eq!(server.bulks().len(), 0);
        server.health(200);
        assert_eq!(dead(&delivery.await), []);
    });
}

#[test]
fn requests_carry_what_the_options_say() {
    run(async {
        let server = StandIn::start().await;
        let options = format!(
            "hosts => 'http://{}/?z=1' {OPTIONS} path => '/es/' user => us password => pw parameters => {{ pipe => 'a b' }} custom_headers => {{ 'X-Mine' => yes }}",
            server.address
        );
        let output = open_with("elasticsearch", &options, &testkit::context()).await;
        deliver(&output, &events(&[r#"{"n":1}"#])).await;
        let seen = server.seen();
        let uris: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.method, seen.uri)).collect();
        let filter = "filter_path=errors,items.*.error,items.*.status";
        assert_eq!(
            uris,
            [
                "HEAD /es/?z=1&pipe=a%20b".to_owned(),
                "GET /es/?z=1&pipe=a%20b".to_owned(),
                format!("POST /es/_bulk?z=1&pipe=a%20b&{filter}")
            ]
        );
        for seen in seen {
            assert_eq!(seen.headers["authorization"], "Basic dXM6cHc=");
            assert_eq!(seen.headers["x-mine"], "yes");
            let count = seen.headers.get("x-elastic-event-count").map(|count| count.to_str().unwrap());
            assert_eq!(count, (seen.method == "POST").then_some("1"));
        }
    });
}

/// Passes connections on to a server and counts them.
async fn counting(to: String) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut outside, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut inside = tokio::net::TcpStream::connect(&to).await.unwrap();
            tokio::spawn(async move { _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    (address, count)
}

#[test]
fn connections_that_were_idle_too_long_are_not_used_again() {
    run(async {
        for (options, is_new) in
            [("validate_after_inactivity => 50", true), ("validate_after_inactivity => 60000", false)]
        {
            let server = StandIn::start().await;
            let (address, count) = counting(server.address.clone()).await;
            let options = format!("hosts => '{address}' {OPTIONS} {options}");
            let output = open_with("elasticsearch", &options, &testkit::context()).await;
            assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
            let before = count.load(std::sync::atomic::Ordering::Relaxed);
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":2}"#])).await), []);
            let after = count.load(std::sync::atomic::Ordering::Relaxed);
            assert_eq!(after > before, is_new, "{options}");
        }
    });
}

#[test]
fn no_more_requests_at_once_than_the_pool_has() {
    run(async {
        for (options, most) in [
            ("pool_max => 1", 1),
            ("pool_max_per_route => 2", 2),
            ("pool_max => 50 pool_max_per_route => 3", 3),
        ] {
            let server = StandIn::start().await;
            server.slow(std::time::Duration::from_millis(200));
            let output = open(&server, &format!("{OPTIONS} {options}")).await;
            let batches: Vec<_> = (0..6).map(|_| events(&[r#"{"n":1}"#])).collect();
            let all = batches.iter().map(|batch| deliver(&output, batch));
            futures_util::future::join_all(all).await;
            assert_eq!(server.bulks().len(), 6, "{options}");
            assert!(server.most_at_once() <= most, "{options}: {}", server.most_at_once());
        }
    });
}

#[test]
fn paths_can_be_moved() {
    run(async {
        let server = StandIn::start().await;
        let options = format!(
            "hosts => 'http://us%3Aer:p%40w@{}/own' {OPTIONS} bulk_path => '/b?filter_path=errors' healthcheck_path => 'up/'",
            server.address
        );
        server.has("/own/up");
        let output = open_with("elasticsearch", &options, &testkit::context()).await;
        deliver(&output, &events(&[r#"{"n":1}"#])).await;
        let seen = server.seen();
        let uris: Vec<_> = seen.iter().map(|seen| seen.uri.as_str()).collect();
        assert_eq!(uris, ["/own/up", "/own/", "/own/b?filter_path=errors"]);
        assert_eq!(seen[2].headers["authorization"], "Basic dXM6ZXI6cEB3");
    });
}

#[test]
fn the_clusters_own_list_is_followed() {
    run(async {
        let (first, second) = (StandIn::start().await, StandIn::start().await);
        first.lists(&[&second.address]);
        second.lists(&[&second.address]);
        let output = open(&first, &format!("{OPTIONS} sniffing => true sniffing_delay => 0.05")).await;
        let begun = std::time::Instant::now();
        while second.bulks().is_empty() {
            assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
            assert!(begun.elapsed() < testkit::LONG);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let before = first.bulks().len();
        deliver(&output, &events(&[r#"{"n":1}"#])).await;
        assert_eq!(first.bulks().len(), before);
    });
}

#[test]
fn a_server_need_not_tell_its_version() {
    run(async {
        let server = StandIn::start().await;
        server.is("");
        let options = format!("hosts => '{}' {OPTIONS} default_server_major_version => 2", server.address);
        let output = open_with("opensearch", &options, &testkit::context()).await;
        assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
        assert_eq!(server.bulks().len(), 1);
    });
}

#[test]
fn requests_go_through_a_proxy() {
    run(async {
        let proxy = StandIn::start().await;
        let options =
            format!("hosts => 'http://es.example:9200' {OPTIONS} proxy => 'http://{}'", proxy.address);
        let output = open_with("elasticsearch", &options, &testkit::context()).await;
        assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
        assert!(proxy.bulks()[0].uri.starts_with("http://es.example:9200/_bulk"));
    });
}
