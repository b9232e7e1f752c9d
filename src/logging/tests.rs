//! What the log's lines look like, and which of them a level lets through.
use super::*;
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, MutexGuard, PoisonError};
use tracing::{debug, error, info, info_span, warn};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that `act` logs.
fn logged(level: LogLevel, format: LogFormat, act: impl FnOnce()) -> Vec<String> {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = subscriber(LogSettings { level, format }, move || writer.clone());
    tracing::subscriber::with_default(subscriber, act);
    let text = String::from_utf8(captured.bytes().clone()).expect("the log is UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// A plain line with the digits of its time as `9`.
fn without_time(line: &str) -> String {
    let (time, rest) = line.split_at(line.find(']').unwrap_or(0));
    let time = time.replace(|letter: char| letter.is_ascii_digit(), "9");
    format!("{time}{rest}")
}

#[test]
fn plain_lines_have_time_level_target_names_message_and_fields() {
    let lines = logged(LogLevel::Info, LogFormat::Plain, || {
        let _pipeline = info_span!("pipeline", pipeline.id = %"main").entered();
        warn!(target: "rstash::pipeline", workers = 2, path = "/a b", plain = "x", "pipeline started");
        let _plugin = info_span!("plugin", plugin.id = "in").entered();
        info!(target: "rstash::inputs::stdin", "reading");
    });
    let lines: Vec<String> = lines.iter().map(|line| without_time(line)).collect();
    assert_eq!(
        lines,
        [
            "[9999-99-99T99:99:99,999][WARN ][rstash.pipeline][main] pipeline started workers=2 path=\"/a b\" plain=x",
            "[9999-99-99T99:99:99,999][INFO ][rstash.inputs.stdin][main][in] reading",
        ]
    );
}

#[test]
fn json_lines_have_logstash_s_keys() {
    let lines = logged(LogLevel::Info, LogFormat::Json, || {
        let _pipeline = info_span!("pipeline", pipeline.id = "main").entered();
        error!(target: "rstash::pipeline", count = 3, ok = true, "it \"broke\"");
    });
    let [line] = lines.as_slice() else { panic!("one line is logged, not {lines:?}") };
    let line: Value = serde_json::from_str(line).expect("the line is JSON");
    assert_eq!(line.get("level"), Some(&"ERROR".into()));
    assert_eq!(line.get("loggerName"), Some(&"rstash.pipeline".into()));
    assert_eq!(line.get("pipeline.id"), Some(&"main".into()));
    assert!(line.get("timeMillis").is_some_and(Value::is_i64));
    let expected = serde_json::json!({ "message": "it \"broke\"", "count": 3, "ok": true });
    assert_eq!(line.get("logEvent"), Some(&expected));
}

#[test]
fn levels_let_through_what_they_name_and_fatal_always() {
    let all = || {
        error!(target: FATAL, "end");
        warn!(target: "rstash::a", "warn");
        debug!(target: "rstash::a", "debug");
        warn!(target: "library", "library warn");
        info!(target: "library", "library info");
    };
    let counts: Vec<usize> =
        [LogLevel::Fatal, LogLevel::Error, LogLevel::Warn, LogLevel::Debug, LogLevel::Trace]
            .into_iter()
            .map(|level| logged(level, LogFormat::Plain, all).len())
            .collect();
    assert_eq!(counts, [1, 1, 3, 4, 5]);
    let fatal = logged(LogLevel::Fatal, LogFormat::Plain, all);
    assert!(fatal.iter().all(|line| line.ends_with("[FATAL][rstash] end")), "{fatal:?}");
}

#[test]
fn a_directory_gets_a_file() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let logs = directory.path().join("logs");
    log_file(&logs, LogFormat::Json).expect("the directory can be made");
    assert!(logs.join("logstash-json.log").is_file());
    let error =
        log_file(&logs.join("logstash-json.log"), LogFormat::Plain).expect_err("a file is no directory");
    assert!(error.to_string().starts_with("cannot write the log to"), "{error}");
}
