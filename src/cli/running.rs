//! Checks and runs the pipelines that the settings describe, and stops them on signals as Logstash does.
use super::{Failure, complain, pages};
use crate::language::{self, Diagnostic, ParseOptions, Sources};
use crate::limits;
use crate::logging::FATAL;
use crate::pipeline::{self, Ended, Plan};
use crate::plugin::{Context, Environment, RunError, Shutdown, Stdout};
use crate::queue::bus::{Bus, Scope};
use crate::settings::config_source::ConfigSource;
use crate::settings::{PipelineSettings, Settings};
use futures_util::future::join_all;
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tracing::Instrument;

/// How long pipeline.unsafe_shutdown lets a pipeline go on: three of Logstash's five-second stall reports.
const UNSAFE_SHUTDOWN: Duration = Duration::from_secs(15);

/// After so long, starting up is over.
const STARTED: Duration = Duration::from_secs(1);

/// How much of a configuration a check judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The language alone: what Logstash's grammar and compile step refuse.
    Syntax,
    /// The plugins and their options too, but for files that are not on this machine.
    WithoutFiles,
    /// The plugins and their options, and that the files are there that options name.
    Full,
}

/// Checks the configuration of every pipeline without running it. `texts` goes with the settings' pipelines. What is
/// wrong is printed on standard error.
pub fn check(settings: &Settings, texts: Vec<Vec<ConfigSource>>, depth: Depth) -> Result<(), Failure> {
    let sources: Vec<_> = texts.into_iter().map(sources).collect();
    if depth != Depth::Syntax {
        let all_stand = plans(settings, &sources, depth).into_iter().all(|plan| plan.is_some());
        return if all_stand { Ok(()) } else { Err(Failure::InvalidConfig) };
    }
    let judged = settings.pipelines.iter().zip(&sources).map(|(pipeline, sources)| {
        report(&language::parse(sources, parse_options(pipeline)).diagnostics, sources)
    });
    // Every pipeline is judged before the first error counts.
    judged.collect::<Vec<_>>().into_iter().collect()
}

/// Runs the pipelines until their inputs end or a signal asks them to stop. One that is wrong does not keep the others
/// from running, as in Logstash.
pub fn run(settings: &Settings, texts: Vec<Vec<ConfigSource>>) -> Result<(), Failure> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting rstash");
    limits::raise_open_files();
    let sources: Vec<_> = texts.into_iter().map(sources).collect();
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
    let _inside = runtime.enter();
    let mut invalid = false;
    let mut runs = Vec::new();
    for (pipeline, plan) in settings.pipelines.iter().zip(plans(settings, &sources, Depth::Full)) {
        match plan {
            Some(plan) => runs.push((pipeline, plan)),
            None => {
                invalid = true;
                if settings.pipelines.len() > 1 {
                    tracing::error!(pipeline = %pipeline.id, "the pipeline is invalid and does not run");
                }
            }
        }
    }
    if runs.is_empty() {
        return Err(Failure::InvalidConfig);
    }
    runtime.spawn(async {
        tokio::time::sleep(STARTED).await;
        pages::give_back();
    });
    let ended = runtime.block_on(until_signal(settings, runs));
    // What still runs after a forced end is not waited for.
    runtime.shutdown_background();
    let (ended, was_stopped) = ended?;
    let failed: Vec<_> = ended.iter().filter(|(_, ended)| ended.is_none_or(|ended| ended.failed)).collect();
    for (id, _) in &failed {
        tracing::error!(target: FATAL, "pipeline {id} failed");
    }
    if invalid || !failed.is_empty() {
        return Err(Failure::Reported);
    }
    let ended = || ended.iter().filter_map(|(_, ended)| *ended);
    let events: u64 = ended().map(|ended| ended.delivered).sum();
    let dead: u64 = ended().map(|ended| ended.dead).sum();
    if dead > 0 && !was_stopped {
        // Whoever runs a batch looks at the exit status. A service that is stopped has told of them when it gave them up.
        tracing::error!(events, dead, "all inputs have ended, but outputs gave up on some events");
        return Err(Failure::Reported);
    }
    tracing::info!(events, "rstash shut down");
    Ok(())
}

fn sources(texts: Vec<ConfigSource>) -> Sources {
    let mut sources = Sources::new();
    for text in texts {
        sources.add(text.name, text.text);
    }
    sources
}

fn parse_options(pipeline: &PipelineSettings) -> ParseOptions {
    ParseOptions { support_escapes: pipeline.support_escapes }
}

/// Builds every pipeline and prints what is wrong; those that cannot run are missing.
fn plans(settings: &Settings, sources: &[Sources], depth: Depth) -> Vec<Option<Plan>> {
    let bus = Bus::default();
    let pipelines = || settings.pipelines.iter().zip(sources);
    let mut plans: Vec<_> =
        pipelines().map(|(pipeline, sources)| plan(settings, pipeline, sources, &bus, depth)).collect();
    let scope = if settings.pipelines.len() > 1 { Scope::All } else { Scope::Single };
    let findings = bus.seal(scope);
    for (at, (pipeline, sources)) in pipelines().enumerate() {
        let own: Vec<_> = findings
            .iter()
            .filter(|(id, _)| **id == *pipeline.id)
            .map(|(_, problem)| problem.clone())
            .collect();
        if report(&own, sources).is_err()
            && let Some(plan) = plans.get_mut(at)
        {
            *plan = None;
        }
    }
    plans
}

fn plan(
    settings: &Settings,
    pipeline: &PipelineSettings,
    sources: &Sources,
    bus: &Bus,
    depth: Depth,
) -> Option<Plan> {
    let context = Context {
        pipeline_id: pipeline.id.as_str().into(),
        node_name: settings.node_name.as_str().into(),
        data_path: settings.paths.data.clone(),
        ecs: pipeline.ecs_compatibility,
        workers: pipeline.workers.get(),
        batch_size: pipeline.batch_size.get(),
        registry: crate::registry(),
        bus: bus.clone(),
        shared: Default::default(),
        environment: Environment::process(),
        stdout: Stdout::Process,
        files_may_miss: depth == Depth::WithoutFiles,
    };
    let (plan, problems) = Plan::load(sources, parse_options(pipeline), &context);
    report(&problems, sources).ok().and(plan)
}

/// Prints every finding; an error among them is a failure.
fn report(problems: &[Diagnostic], sources: &Sources) -> Result<(), Failure> {
    if !problems.is_empty() {
        let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        complain(&language::render_all(problems, sources, color));
    }
    if problems.iter().any(Diagnostic::is_error) { Err(Failure::InvalidConfig) } else { Ok(()) }
}

/// An end that the log tells of, also the one in a file.
fn fatal(message: String) -> Failure {
    tracing::error!(target: FATAL, "{message}");
    Failure::Reported
}

/// How each pipeline ended, by its id; nothing where it could not start.
type Ends = Vec<(String, Option<Ended>)>;

/// Returns how the pipelines ended, and whether a signal made them.
async fn until_signal(
    settings: &Settings,
    plans: Vec<(&PipelineSettings, Plan)>,
) -> Result<(Ends, bool), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let (stop, shutdown) = Shutdown::channel();
    let runs = plans.into_iter().map(|(pipeline, plan)| run_one(pipeline, plan, shutdown.clone()));
    let mut running = pin!(join_all(runs));
    let mut stopping = false;
    let mut deadline: Option<Instant> = None;
    loop {
        let name = tokio::select! {
            ended = &mut running => return Ok((ended, stopping)),
            name = signals.next() => name,
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Err(fatal("forcefully exiting, events in flight are lost".to_owned()));
            }
        };
        match name {
            "SIGHUP" => {
                tracing::warn!("SIGHUP received, but reloading is not available yet");
                continue;
            }
            _ if stopping => return Err(fatal(format!("{name} received again, terminating immediately"))),
            _ => tracing::warn!("{name} received, shutting down"),
        }
        stopping = true;
        // The pipelines may have ended in this very moment, then nobody listens any more.
        let _ = stop.send(true);
        if settings.unsafe_shutdown {
            deadline.get_or_insert_with(|| Instant::now() + UNSAFE_SHUTDOWN);
        }
    }
}

/// Runs one pipeline to its end, with a log line when it cannot start.
async fn run_one(pipeline: &PipelineSettings, plan: Plan, shutdown: Shutdown) -> (String, Option<Ended>) {
    let run_settings = pipeline::PipelineSettings {
        id: pipeline.id.as_str().into(),
        workers: pipeline.workers.get(),
        batch_size: pipeline.batch_size.get(),
        batch_delay: pipeline.batch_delay,
    };
    let span = tracing::info_span!("pipeline", pipeline.id = %pipeline.id);
    let ended = pipeline::run(plan, run_settings, shutdown).instrument(span).await;
    let ended = ended.map_err(|RunError(message)| tracing::error!(target: FATAL, "{message}")).ok();
    (pipeline.id.clone(), ended)
}

/// The signals that Logstash listens to.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Name of the next signal.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            Some(()) = self.interrupt.recv() => "SIGINT",
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.hang_up.recv() => "SIGHUP",
            else => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::InputNode;
    use crate::plugin::{Input, InputDecoration, Sink};
    use crate::settings::layers::{Assignment, Origin};
    use crate::settings::value::Raw;
    use futures_util::future::BoxFuture;
    use std::process::{Command, id};
    use std::sync::Arc;

    /// Sends its own process a signal, and ends when it is asked to.
    struct SignalsItself;

    impl Input for SignalsItself {
        fn run(self: Box<Self>, _: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
            Box::pin(async move {
                let status = Command::new("kill").args(["-TERM", &id().to_string()]).status();
                assert!(status.is_ok_and(|status| status.success()), "the signal cannot be sent");
                shutdown.requested().await;
                Ok(())
            })
        }
    }

    fn settings() -> Settings {
        let given = Assignment {
            name: "config.string".to_owned(),
            value: Some(Raw::Text(String::new())),
            origin: Origin::Flag("-e".to_owned()),
        };
        let loaded = crate::settings::load(vec![given], &Environment::new(|_| None));
        loaded.expect("an empty configuration is enough").settings
    }

    #[test]
    fn a_signal_stops_the_inputs_and_ends_the_pipeline_in_order() {
        let input = InputNode {
            id: "input".to_owned(),
            name: "signals_itself",
            input: Box::new(SignalsItself),
            decoration: Arc::new(InputDecoration::default()),
        };
        let plan = Plan { inputs: vec![input], filters: Vec::new(), outputs: Vec::new(), routes: Vec::new() };
        let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
        let limited = async {
            let settings = settings();
            let plans = vec![(&settings.pipelines[0], plan)];
            tokio::time::timeout(Duration::from_secs(60), until_signal(&settings, plans)).await
        };
        let ended = runtime.block_on(limited).expect("the pipeline ends").expect("in order");
        assert!(matches!(&ended.0[..], [(_, Some(Ended { failed: false, .. }))]), "{ended:?}");
        assert!(ended.1, "a signal stopped it");
    }
}
