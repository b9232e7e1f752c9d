//! The twitter input in a running pipeline, against the stand-in endpoint: what it sends arrives, and what it does wrong
//! is survived.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use rstash::demo::twitter_endpoint::{Act, Connection, Endpoint, Options};
use rstash::event::{Event, json};
use rstash::language::{ParseOptions, Sources, parse};
use rstash::pipeline::{Ended, PipelineSettings, Plan};
use rstash::plugin::{
    Build, Context, Delivery, Environment, Example, Kind, Output, Registry, RunError, Shutdown, Spec, Stdout,
};
use serde_json::{Value, json};

use crate::kafka::program::Rstash;
use crate::tls::{Authority, Terminator};

/// Longer than any of these tests takes on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(60);

const CREDENTIALS: &str = r#"
    consumer_key => "xvz1evFS4wEEPTGEFPHBog"
    consumer_secret => "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"
    oauth_token => "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"
    oauth_token_secret => "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"
"#;

/// An output that hands events to the test, one line of JSON each.
struct Lines(Stdout);

impl Output for Lines {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let mut lines = Vec::new();
            for event in events {
                json::write_object(&mut lines, event.data());
                lines.push(b'\n');
            }
            self.0.write(&lines).unwrap();
            Delivery::done()
        })
    }
}

static LINES: Spec = Spec {
    kind: Kind::Output,
    name: "lines",
    summary: "Hands events to the test.",
    options: &[],
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { lines {} }", input: &[], output: &[] },
    build: Build::Output(|reader| Some(Box::new(Lines(reader.context.stdout.clone())))),
};

fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> =
        LazyLock::new(|| Registry::new(rstash::inputs::SPECS.iter().copied().chain([&LINES])));
    &REGISTRY
}

/// Bytes that several threads write and the test reads.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a pipeline did until a condition was met.
struct Outcome {
    events: Vec<Value>,
    log: String,
    ended: Result<Ended, RunError>,
}

/// Runs `input { twitter { <options> } }` against the endpoint until `enough` says so of the events and the log.
fn run_until(endpoint: &Endpoint, options: &str, enough: impl Fn(&[Value], &str) -> bool) -> Outcome {
    let text = format!("input {{ twitter {{ {options} }} }} output {{ lines {{}} }}");
    let sources = Sources::single("test.conf", text);
    let config = parse(&sources, ParseOptions::default()).into_result().unwrap();
    let output = Buffer::default();
    let base_url = endpoint.base_url();
    let variable = move |name: &str| (name == "RSTASH_TWITTER_BASE_URL").then(|| base_url.clone());
    let context = Context {
        environment: Environment::new(variable),
        stdout: Stdout::Capture(Arc::clone(&output.0)),
        ..Context::new(registry())
    };
    let (plan, problems) = Plan::build(&config, &context, &|_| "test".into());
    let plan = plan.unwrap_or_else(|| panic!("{problems:?}"));
    let settings = PipelineSettings {
        id: "main".into(),
        workers: 1,
        batch_size: 125,
        batch_delay: Duration::from_millis(5),
    };
    let log = Buffer::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let events =
        || output.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    // Inputs are tasks, and those of this runtime run on this thread: their log lines go to this subscriber.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let (stop, shutdown) = Shutdown::channel();
            let watch = async {
                while !enough(&events(), &log.text()) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let ran = rstash::pipeline::run(plan, settings, shutdown);
            tokio::pin!(ran);
            let both = async {
                tokio::select! {
                    ended = &mut ran => return ended,
                    () = watch => stop.send(true).unwrap(),
                }
                ran.await
            };
            tokio::time::timeout(TIME_LIMIT, both).await.unwrap_or_else(|_| {
                panic!("not enough after {TIME_LIMIT:?}: {} events, log:\n{}", events().len(), log.text())
            })
        })
    });
    Outcome { events: events(), log: log.text(), ended }
}

fn endpoint(count: u64, script: Vec<Connection>) -> Endpoint {
    let options = Options {
        seed: 42,
        start: "2022-01-19T00:00:00Z".parse().unwrap(),
        count: Some(count),
        keep_alive: Duration::from_millis(100),
        script,
        record: true,
        ..Options::default()
    };
    Endpoint::start(options).unwrap()
}

/// What an event carries of the tweet, without what every event has.
fn without_own_fields(event: &Value) -> Value {
    let mut event = event.as_object().unwrap().clone();
    event.remove("@timestamp");
    event.remove("@version");
    Value::Object(event)
}

fn sent(endpoint: &Endpoint) -> Vec<Value> {
    endpoint.sent().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn by_id(mut tweets: Vec<Value>) -> Vec<Value> {
    tweets.sort_by_key(|tweet| tweet["id"].as_u64());
    tweets
}

fn paths(endpoint: &Endpoint) -> Vec<(String, u16)> {
    endpoint
        .requests()
        .into_iter()
        .map(|seen| (format!("{} {}", seen.method, seen.path), seen.status))
        .collect()
}

#[test]
fn full_tweets_arrive_as_they_were_sent() {
    let endpoint = endpoint(200, vec![]);
    let options =
        format!(r#"{CREDENTIALS} keywords => ["news", "big data", "AI&ML", "게임"] full_tweet => true"#);
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 200);
    let arrived: Vec<Value> = outcome.events.iter().map(without_own_fields).collect();
    assert_eq!(arrived, sent(&endpoint));
    let seen = &endpoint.requests()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.status),
        ("POST", "/1.1/statuses/filter.json", 200)
    );
    assert_eq!(seen.parameters, [("track".to_owned(), "news,big data,AI&ML,게임".to_owned())]);
    assert!(!outcome.ended.unwrap().failed);
}

#[test]
fn the_events_time_is_the_tweets() {
    let endpoint = endpoint(5, vec![]);
    let options = format!("{CREDENTIALS} keywords => news full_tweet => true");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 5);
    for event in &outcome.events {
        let written =
            jiff::fmt::strtime::parse("%a %b %d %H:%M:%S %z %Y", event["created_at"].as_str().unwrap());
        let time: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!(time, written.unwrap().to_timestamp().unwrap());
        assert_eq!(event["@version"], "1");
    }
}

/// The fields that `from_tweet` of the plugin makes, written down from its source.
fn short_form(tweet: &Value) -> Value {
    let original = &tweet["retweeted_status"];
    let message = match original.is_null() {
        true => tweet["text"].as_str().unwrap().to_owned(),
        false => format!(
            "RT @{}: {}",
            original["user"]["screen_name"].as_str().unwrap(),
            original["text"].as_str().unwrap()
        ),
    };
    let name = tweet["user"]["screen_name"].as_str().unwrap();
    let entities = &tweet["entities"];
    let mut fields = BTreeMap::from([
        ("message", json!(message)),
        ("user", json!(name)),
        ("client", tweet["source"].clone()),
        ("retweeted", json!(false)),
        ("source", json!(format!("http://twitter.com/{name}/status/{}", tweet["id"]))),
        ("hashtags", entities["hashtags"].clone()),
        ("symbols", entities["symbols"].clone()),
        ("user_mentions", entities["user_mentions"].clone()),
    ]);
    if !tweet["in_reply_to_status_id"].is_null() {
        fields.insert("in-reply-to", tweet["in_reply_to_status_id"].clone());
    }
    let urls: Vec<&Value> =
        entities["urls"].as_array().unwrap().iter().map(|url| &url["expanded_url"]).collect();
    if !urls.is_empty() {
        fields.insert("urls", json!(urls));
    }
    json!(fields)
}

#[test]
fn short_tweets_have_logstashs_fields() {
    let endpoint = endpoint(300, vec![]);
    let options = format!("{CREDENTIALS} keywords => news");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 300);
    let expected: Vec<Value> = sent(&endpoint).iter().map(short_form).collect();
    assert!(expected.iter().any(|event| event["message"].as_str().unwrap().starts_with("RT @")));
    assert!(expected.iter().any(|event| !event["in-reply-to"].is_null()));
    let arrived: Vec<Value> = outcome.events.iter().map(without_own_fields).collect();
    assert_eq!(arrived, expected);
}

#[test]
fn retweets_can_be_left_out_and_everything_put_under_a_target() {
    let endpoint = endpoint(100, vec![]);
    let options = format!(
        r#"{CREDENTIALS} use_samples => true keywords => ignored ignore_retweets => true target => "[twitter]"
        full_tweet => true add_field => {{ "from" => "%{{[twitter][user][screen_name]}}" }} tags => ["t"] type => tweet"#
    );
    let kept = |sent: Vec<Value>| {
        sent.into_iter().filter(|tweet| tweet["retweeted_status"].is_null()).collect::<Vec<_>>()
    };
    let outcome = run_until(&endpoint, &options, |events, _| {
        endpoint.sent().len() == 100 && events.len() >= kept(sent(&endpoint)).len()
    });
    let kept = kept(sent(&endpoint));
    assert!(kept.len() < 100);
    let expected: Vec<Value> = kept
        .iter()
        .map(|tweet| json!({ "twitter": tweet, "from": tweet["user"]["screen_name"], "tags": ["t"], "type": "tweet" }))
        .collect();
    assert_eq!(outcome.events.iter().map(without_own_fields).collect::<Vec<_>>(), expected);
    assert_eq!(paths(&endpoint), [("GET /1.1/statuses/sample.json".to_owned(), 200)]);
    assert_eq!(endpoint.requests()[0].parameters, []);
}

#[test]
fn a_line_that_is_not_json_is_skipped_and_named() {
    let acts = vec![
        Act::Tweets(3),
        Act::Line("<html>502 bad gateway</html>".into()),
        Act::Line(r#"{"delete":{"status":{"id":1,"user_id":2}}}"#.into()),
        Act::Line(r#"{"limit":{"track":7}}"#.into()),
        Act::Line(r#"{"warning":{"code":"FALLING_BEHIND","message":"the queue is 60% full"}}"#.into()),
        Act::Line("{\"id\":1,".into()),
        Act::Line("[1,2]".into()),
    ];
    let endpoint = endpoint(10, vec![Connection::Streamed(acts)]);
    let options = format!("{CREDENTIALS} keywords => news full_tweet => true");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 10);
    assert_eq!(outcome.events.iter().map(without_own_fields).collect::<Vec<_>>(), sent(&endpoint));
    assert_eq!(outcome.log.matches("skipped a line that is not JSON").count(), 2, "{}", outcome.log);
    assert!(outcome.log.contains("<html>502 bad gateway</html>"), "{}", outcome.log);
    assert!(outcome.log.contains("the queue is 60% full"), "{}", outcome.log);
    assert_eq!(paths(&endpoint).len(), 1);
}

#[test]
fn wrong_credentials_are_one_line_that_names_the_options() {
    let endpoint = endpoint(10, vec![]);
    let options = CREDENTIALS.replace("LswwdoUaIvS8", "WrongSecretX") + "keywords => news";
    // The wait that follows is a minute long; whoever looped would ask many times until the pipeline is stopped.
    let refused_at = std::cell::Cell::new(None);
    let lines = |log: &str| log.lines().filter(|line| line.contains("refuses the credentials")).count();
    let outcome = run_until(&endpoint, &options, |_, log| {
        if refused_at.get().is_none() && lines(log) > 0 {
            refused_at.set(Some(std::time::Instant::now()));
        }
        refused_at.get().is_some_and(|at| at.elapsed() > Duration::from_millis(700))
    });
    assert_eq!(lines(&outcome.log), 1, "{}", outcome.log);
    let line = outcome.log.lines().find(|line| line.contains("refuses the credentials")).unwrap();
    for name in ["consumer_key", "consumer_secret", "oauth_token", "oauth_token_secret", "401"] {
        assert!(line.contains(name), "{line}");
    }
    assert!(
        !outcome.log.contains("WrongSecretX") && !outcome.log.contains("kAcSOqF21Fu85"),
        "{}",
        outcome.log
    );
    assert_eq!(paths(&endpoint), [("POST /1.1/statuses/filter.json".to_owned(), 401)]);
    assert!(outcome.events.is_empty());
    assert!(!outcome.ended.unwrap().failed);
}

#[test]
fn limits_are_waited_for_as_long_as_the_server_says() {
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
    let refused = |status, header| Connection::Refused {
        status,
        header,
        body: "Exceeded connection limit for user\r\n",
    };
    let script = vec![refused(420, Some(("x-rate-limit-reset", soon.to_string()))), refused(429, None)];
    let endpoint = endpoint(10, script);
    // Were the header or the option ignored, the time limit would pass first.
    let options = format!("{CREDENTIALS} keywords => news rate_limit_reset_in => 1");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 10);
    assert_eq!(paths(&endpoint).iter().map(|(_, status)| *status).collect::<Vec<_>>(), [420, 429, 200]);
    assert_eq!(outcome.log.matches("too many requests or connections").count(), 2, "{}", outcome.log);
    assert!(outcome.log.contains("Exceeded connection limit for user"), "{}", outcome.log);
}

#[test]
fn a_broken_stream_is_opened_again_and_goes_on() {
    let script = vec![
        Connection::Streamed(vec![Act::Tweets(20), Act::HalfTweet, Act::Break]),
        Connection::Streamed(vec![Act::Tweets(20), Act::End]),
        Connection::Streamed(vec![Act::Tweets(20), Act::HalfTweet, Act::End]),
        Connection::Refused { status: 503, header: None, body: "" },
    ];
    let endpoint = endpoint(100, script);
    let options = format!("{CREDENTIALS} keywords => news full_tweet => true");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 100);
    // Nothing that was sent in full is missing, and nothing came twice.
    assert_eq!(outcome.events.iter().map(without_own_fields).collect::<Vec<_>>(), sent(&endpoint));
    assert_eq!(
        paths(&endpoint).iter().map(|(_, status)| *status).collect::<Vec<_>>(),
        [200, 200, 200, 503, 200]
    );
}

#[test]
fn a_silent_stream_is_given_up() {
    let endpoint = endpoint(10, vec![Connection::Streamed(vec![Act::Tweets(5), Act::Stall])]);
    let options = format!("{CREDENTIALS} keywords => news stall_timeout => 1");
    let outcome = run_until(&endpoint, &options, |events, _| events.len() >= 10);
    assert_eq!(paths(&endpoint).len(), 2);
    assert!(outcome.log.contains("no data for 1 s"), "{}", outcome.log);
}

#[test]
fn names_of_followed_users_are_looked_up() {
    let endpoint = endpoint(1, vec![]);
    let options = format!(r#"{CREDENTIALS} follows => ["12345678", "theborg"] languages => ["ko", "en"]"#);
    run_until(&endpoint, &options, |events, _| !events.is_empty());
    let requests = endpoint.requests();
    assert_eq!(requests[0].path, "/1.1/users/show.json");
    assert_eq!(requests[0].parameters, [("screen_name".to_owned(), "theborg".to_owned())]);
    let id = rstash::demo::tweets::user_id("theborg");
    assert_eq!(
        requests[1].parameters,
        [("language".to_owned(), "ko,en".to_owned()), ("follow".to_owned(), format!("12345678,{id}")),]
    );
}

#[test]
fn a_user_that_does_not_exist_ends_the_input() {
    let endpoint = endpoint(1, vec![]);
    let options = format!(r#"{CREDENTIALS} follows => ["nobody"]"#);
    let outcome = run_until(&endpoint, &options, |_, _| false);
    assert!(outcome.ended.unwrap().failed);
    let line = outcome
        .log
        .lines()
        .find(|line| line.contains("\"nobody\"") || line.contains("\\\"nobody\\\""))
        .unwrap();
    assert!(line.contains("follows"), "{line}");
}

#[test]
fn thousands_of_users_are_signed_and_sent_in_the_body() {
    let endpoint = endpoint(1, vec![]);
    let ids: Vec<String> = (0..2000).map(|number| (1_000_000 + number).to_string()).collect();
    let options = format!(r#"{CREDENTIALS} follows => "{}""#, ids.join("\", \""))
        .replace("follows => ", "follows => [")
        + "]";
    run_until(&endpoint, &options, |events, _| !events.is_empty());
    assert_eq!(endpoint.requests()[0].parameters, [("follow".to_owned(), ids.join(","))]);
}

#[test]
fn requests_go_through_the_proxy() {
    // A proxy for plain HTTP is asked for whole addresses, and the endpoint takes them: it plays both parts.
    let endpoint = endpoint(1, vec![]);
    let (_, port) =
        endpoint.base_url().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let options = format!(
        r#"{CREDENTIALS} keywords => news base_url => "http://twitter.invalid" use_proxy => true proxy_port => {port}"#
    );
    let outcome = run_until(&endpoint, &options, |events, _| !events.is_empty());
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(paths(&endpoint), [("POST /1.1/statuses/filter.json".to_owned(), 200)]);
}

const V2: &str = r#"api_version => "2" bearer_token => "AAAAAAAAAAAAAAAAAAAAAExample" "#;

#[test]
fn v2_posts_arrive_and_the_rules_are_kept_in_step() {
    let endpoint = endpoint(40, vec![]);
    let outcome = run_until(
        &endpoint,
        &format!(r#"{V2} keywords => ["news", "AI"] full_tweet => true"#),
        |events, _| events.len() >= 20,
    );
    assert!(
        outcome.events.iter().map(without_own_fields).zip(sent(&endpoint)).all(|(event, post)| event == post)
    );
    let rules = "/2/tweets/search/stream/rules";
    let calls =
        |from: usize| paths(&endpoint).into_iter().skip(from).map(|(call, _)| call).collect::<Vec<_>>();
    assert_eq!(
        calls(0),
        [format!("GET {rules}"), format!("POST {rules}"), "GET /2/tweets/search/stream".to_owned()]
    );
    // A second start with the same wishes changes nothing; with others the old rule goes and the new one comes.
    let before = endpoint.sent().len();
    run_until(&endpoint, &format!(r#"{V2} keywords => ["news", "AI"]"#), |_, log| {
        log.contains("reading the stream")
    });
    assert_eq!(calls(3), [format!("GET {rules}"), "GET /2/tweets/search/stream".to_owned()]);
    run_until(&endpoint, &format!(r#"{V2} keywords => ["game"]"#), |_, log| {
        log.contains("reading the stream")
    });
    assert_eq!(calls(5)[..3], [format!("GET {rules}"), format!("POST {rules}"), format!("POST {rules}")]);
    assert!(before >= 20);
}

#[test]
fn v2_short_posts_have_the_fields_of_v1() {
    let endpoint = endpoint(50, vec![]);
    let outcome = run_until(&endpoint, &format!("{V2} keywords => news"), |events, _| events.len() >= 50);
    for (event, message) in outcome.events.iter().zip(sent(&endpoint)) {
        let post = &message["data"];
        let username = message["includes"]["users"][0]["username"].as_str().unwrap();
        assert_eq!(event["message"], post["text"]);
        assert_eq!(event["user"], username);
        assert_eq!(
            event["source"],
            format!("http://twitter.com/{username}/status/{}", post["id"].as_str().unwrap())
        );
        let tags: Vec<&Value> =
            post["entities"]["hashtags"].as_array().into_iter().flatten().map(|tag| &tag["tag"]).collect();
        let texts: Vec<&Value> =
            event["hashtags"].as_array().unwrap().iter().map(|tag| &tag["text"]).collect();
        assert_eq!(texts, tags);
        let time: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!(Ok(time), post["created_at"].as_str().unwrap().parse().map_err(drop));
    }
}

#[test]
fn v2_names_the_token_when_it_is_refused() {
    let endpoint = endpoint(1, vec![]);
    let outcome =
        run_until(&endpoint, r#"api_version => "2" bearer_token => "hunter2" keywords => news"#, |_, log| {
            log.contains("refuses the credentials")
        });
    assert!(outcome.log.contains("check bearer_token"), "{}", outcome.log);
    assert!(!outcome.log.contains("hunter2"), "{}", outcome.log);
}

/// The endpoint behind TLS, and rstash as a process that trusts this authority.
fn over_tls(
    endpoint: &Endpoint,
    server: &Authority,
    trusted: &Authority,
) -> (tokio::runtime::Runtime, Rstash) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (_, port) =
        endpoint.base_url().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let tls = Terminator::start(&runtime, server, port.parse().unwrap());
    let config = format!(
        "input {{ twitter {{ {CREDENTIALS} keywords => news full_tweet => true }} }} output {{ file {{ path => \"{{out}}\" codec => json_lines }} }}"
    );
    let (url, store) = (format!("https://localhost:{}", tls.port()), trusted.path());
    let rstash = Rstash::start_with(&config, &[("RSTASH_TWITTER_BASE_URL", &url), ("SSL_CERT_FILE", &store)]);
    (runtime, rstash)
}

fn signed_over_tls(count: u64) -> Endpoint {
    Endpoint::start(Options { count: Some(count), scheme: "https", record: true, ..Options::default() })
        .unwrap()
}

#[test]
fn tweets_come_over_tls_from_a_server_that_is_trusted() {
    let (endpoint, authority) = (signed_over_tls(20), Authority::new());
    let (_runtime, rstash) = over_tls(&endpoint, &authority, &authority);
    let lines = rstash.wait_for_lines(20);
    let arrived: Vec<Value> =
        lines.iter().map(|line| without_own_fields(&serde_json::from_str(line).unwrap())).collect();
    // Batches of several workers may overtake each other.
    assert_eq!(by_id(arrived), by_id(sent(&endpoint)));
    assert!(rstash.stop().success());
}

#[test]
fn a_server_that_is_not_trusted_is_one_line() {
    let endpoint = signed_over_tls(20);
    let (_runtime, rstash) = over_tls(&endpoint, &Authority::new(), &Authority::new());
    rstash.wait_for_log("SSL_CERT_FILE");
    // Attempts go on, the first of them within the second; the log does not grow with them.
    std::thread::sleep(Duration::from_secs(3));
    let log = rstash.log();
    assert_eq!(log.lines().filter(|line| line.contains("certificate")).count(), 1, "{log}");
    assert!(endpoint.requests().is_empty());
    assert!(rstash.is_running(), "{log}");
    assert!(rstash.stop().success(), "{log}");
}
