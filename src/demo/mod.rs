//! `rstash demo`: a stand-in Twitter and an embedded Kafka, so that a tutorial's two pipelines, tweets into Kafka and
//! from there onto the screen, run on a machine that has neither.

mod kafka;
mod shown;
pub mod signature;
mod stream;
pub mod tweets;
pub mod twitter_endpoint;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use rdkafka::error::KafkaError;
use tokio::task::{JoinError, JoinHandle};

use self::kafka::Kafka;
use self::shown::Shown;
use self::twitter_endpoint::{Endpoint, Options, Window};
use crate::language::{ParseOptions, Sources, render_all};
use crate::pipeline::{self, Ended, PipelineSettings, Plan};
use crate::plugin::{Context, Environment, Registry, RunError, Shutdown, Stdout};

/// The tutorial's two configs, as they were published.
const PRODUCER: &str = include_str!("../../fixtures/post/producer.conf");
const CONSUMER: &str = include_str!("../../fixtures/post/consumer.conf");
/// The broker that they name.
const PUBLISHED_BROKER: &str = "172.31.15.105:9092";
const TOPIC: &str = "twitter";
/// The group of a kafka input that names none.
const GROUP: &str = "logstash";

#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Tweets a second
    #[arg(long, value_name = "N", default_value = "5", value_parser = parse_rate)]
    pub rate: f64,
    /// Print one of the two configs instead, to start from
    #[arg(long, value_name = "WHICH", conflicts_with_all = ["count", "rate"])]
    pub print: Option<Which>,
}

/// One of the demo's configs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    Producer,
    Consumer,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("expected a number above 0, up to 1000000".to_owned()),
    }
}

/// Why the demo did not come about.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("cannot start the embedded kafka: {0}")]
    Kafka(#[from] KafkaError),
    #[error("cannot start the stand-in twitter: {0}")]
    Endpoint(io::Error),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    #[error("the {which} cannot run:\n{problems}")]
    Config { which: &'static str, problems: String },
    #[error("the {which} failed: {reason}")]
    Pipeline { which: &'static str, reason: String },
}

/// Runs the demo with the plugins of this build, until `count` events were shown or somebody stops it. Events go to
/// standard output, what is said about them to `notes`.
pub fn run(arguments: &DemoArgs, notes: &mut dyn Write) -> Result<(), DemoError> {
    run_with(arguments, crate::registry(), Stdout::Process, notes)
}

/// [`run`] with other plugins and another place for the events.
pub fn run_with(
    arguments: &DemoArgs,
    registry: &'static Registry,
    stdout: Stdout,
    notes: &mut dyn Write,
) -> Result<(), DemoError> {
    if let Some(which) = arguments.print {
        let text = if which == Which::Producer { PRODUCER } else { CONSUMER };
        return Ok(stdout.write(text.as_bytes())?);
    }
    let shown = Shown::default();
    let kafka = Kafka::start(TOPIC, GROUP)?;
    let twitter = Endpoint::start(Options {
        seed: fastrand::u64(..),
        count: arguments.count,
        rate: Some(arguments.rate),
        // The broker throws old messages away: what is on the way must fit.
        window: Some(Window { arrived: shown.counter(), most: Kafka::KEPT_BYTES / (16 << 10) }),
        ..Options::default()
    })
    .map_err(DemoError::Endpoint)?;
    introduce(arguments, &kafka, &twitter, notes)?;

    let servers = kafka.bootstrap_servers();
    let load = |which, text: &str| {
        let text = text.replace(PUBLISHED_BROKER, &servers);
        load(which, &text, &context(which, registry, twitter.base_url(), stdout.clone()))
    };
    let producer = load("producer", PRODUCER)?;
    let mut consumer = load("consumer", CONSUMER)?;
    shown.watch(&mut consumer);

    let started = Instant::now();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(DemoError::Runtime)?;
    runtime.block_on(run_both(producer, consumer, &shown, arguments.count))?;
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        notes,
        "demo: {} events went from twitter through kafka to here in {seconds:.1} s",
        shown.events()
    )?;
    Ok(())
}

fn introduce(
    arguments: &DemoArgs,
    kafka: &Kafka,
    twitter: &Endpoint,
    notes: &mut dyn Write,
) -> Result<(), DemoError> {
    let (servers, url) = (kafka.bootstrap_servers(), twitter.base_url());
    let rate = arguments.rate;
    writeln!(notes, "demo: kafka     {servers}, a broker inside this process, with the topic {TOPIC}")?;
    writeln!(notes, "demo: twitter   {url}, made-up tweets, {rate} a second")?;
    writeln!(
        notes,
        "demo: producer  twitter -> kafka, a config anybody can have: rstash demo --print producer"
    )?;
    writeln!(notes, "demo: consumer  kafka -> stdout, as rubydebug: rstash demo --print consumer")?;
    writeln!(
        notes,
        "demo: with your own Kafka, put its address into bootstrap_servers of both and run: rstash -f consumer.conf, \
         and while this demo runs: RSTASH_TWITTER_BASE_URL={url} rstash -f producer.conf"
    )?;
    if arguments.count.is_none() {
        writeln!(notes, "demo: Ctrl-C ends it")?;
    }
    Ok(())
}

fn context(which: &'static str, registry: &'static Registry, base_url: String, stdout: Stdout) -> Context {
    let process = Environment::process();
    let environment = Environment::new(move |name| match name {
        "RSTASH_TWITTER_BASE_URL" => Some(base_url.clone()),
        _ => process.get(name),
    });
    Context {
        pipeline_id: which.into(),
        node_name: gethostname::gethostname().to_string_lossy().as_ref().into(),
        data_path: std::env::temp_dir(),
        environment,
        stdout,
        ..Context::new(registry)
    }
}

fn load(which: &'static str, text: &str, context: &Context) -> Result<Plan, DemoError> {
    let sources = Sources::single(format!("{which}.conf"), text);
    let (plan, problems) = Plan::load(&sources, ParseOptions::default(), context);
    plan.ok_or_else(|| DemoError::Config { which, problems: render_all(&problems, &sources, false) })
}

/// Runs both pipelines until enough was shown, somebody stops the program, or one of them ends by itself.
async fn run_both(
    producer: Plan,
    consumer: Plan,
    shown: &Shown,
    count: Option<u64>,
) -> Result<(), DemoError> {
    let (stop, shutdown) = Shutdown::channel();
    let mut consumer = start("consumer", consumer, shutdown.clone());
    let mut producer = start("producer", producer, shutdown);
    let (mut consumed, mut produced) = (None, None);
    tokio::select! {
        () = shown.reached(count) => {}
        () = stop_signal() => {}
        ended = &mut consumer => consumed = Some(ended),
        ended = &mut producer => produced = Some(ended),
    }
    // Nobody listens where both have ended.
    _ = stop.send(true);
    let produced = match produced {
        Some(ended) => ended,
        None => producer.await,
    };
    let consumed = match consumed {
        Some(ended) => ended,
        None => consumer.await,
    };
    check("producer", produced)?;
    check("consumer", consumed)
}

type Running = JoinHandle<Result<Ended, RunError>>;

fn start(which: &'static str, plan: Plan, shutdown: Shutdown) -> Running {
    let settings = PipelineSettings {
        id: Arc::from(which),
        workers: 1,
        batch_size: 125,
        batch_delay: Duration::from_millis(50),
    };
    tokio::spawn(pipeline::run(plan, settings, shutdown))
}

fn check(which: &'static str, ended: Result<Result<Ended, RunError>, JoinError>) -> Result<(), DemoError> {
    let reason = match ended {
        Ok(Ok(Ended { failed: false, .. })) => return Ok(()),
        Ok(Ok(_)) => "the log says why".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(DemoError::Pipeline { which, reason })
}

/// SIGINT or SIGTERM. Where they cannot be listened to, the program ends by them as any other does.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
