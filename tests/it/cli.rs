//! The program from outside: exit statuses, and what goes to standard output and standard error.
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program with these arguments, without the settings of whoever runs the tests.
pub fn rstash(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rstash"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["LS_SETTINGS_DIR", "LOGSTASH_HOME"] {
        command.env_remove(variable);
    }
    command
}

pub fn output(arguments: &[&str]) -> Output {
    rstash(arguments).output().expect("the program starts")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that the arguments are refused with a text on standard error, and nothing on standard output.
pub fn refused(arguments: &[&str], part: &str) {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
    assert!(stderr(&output).contains(part), "{part:?} is missing in: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{arguments:?}");
}

pub fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file can be written");
    }
    directory
}

#[test]
fn the_version_needs_no_settings() {
    for flag in ["-V", "--version"] {
        let output = output(&[flag, "--path.settings", "/no/such/directory"]);
        assert_eq!(output.status.code(), Some(0));
        let version = format!("rstash {} (compatible with Logstash 9.5)\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(stdout(&output), version);
    }
}

#[test]
fn the_help_page_goes_to_standard_output() {
    for flag in ["-h", "--help"] {
        let output = output(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("--path.config"), "{}", stdout(&output));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_closed_standard_output_is_not_an_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let output = rstash(&["--help"]).stdout(writer).output().expect("the program starts");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn wrong_arguments_end_with_1() {
    refused(&["--no.such.flag"], "--no.such.flag");
    refused(&["--pipeline.worker", "2"], "--pipeline.workers");
    refused(&["nonsense"], "nonsense");
    refused(&["-e", "", "-w", "none"], "--pipeline.workers: `none` is not a whole number above 0");
    refused(&["-e", "", "-t", "maybe"], "--config.test_and_exit: `maybe` is not true or false");
    refused(&["-e", "", "-S", "pipeline.wokers=2"], "did you mean `pipeline.workers`?");
    refused(&["-e", "", "-f", "x.conf"], "cannot be used together");
    refused(&[], "no configuration was given");
}

#[test]
fn settings_of_the_api_in_a_file_are_a_warning() {
    let settings = directory(&[("logstash.yml", "api.http.host: 0.0.0.0\n")]);
    let path = settings.path().display().to_string();
    let config = "input { generator { count => 1 } } output { null { } }";
    let output = output(&["--path.settings", &path, "-e", config]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("rstash has no HTTP API").count(), 1, "{}", stderr(&output));
}

#[test]
fn missing_features_are_refused_by_name() {
    refused(&["-e", "", "-r"], "--config.reload.automatic: automatic reloading is not available yet");
    refused(&["-r"], "--config.reload.automatic: automatic reloading is not available yet");
    refused(&["-i", "irb"], "--interactive: there is no Ruby shell");
    refused(&["-e", "", "--api.http.port", "9600"], "--api.http.port: the HTTP API is not available yet");
    refused(&["-e", "", "-S", "queue.type=persisted"], "the persisted queue is not available yet");
    refused(&["-e", "", "--modules", "netflow"], "modules were removed in Logstash 9");
    refused(&["-e", "", "--http.port", "1"], "--http.port: the HTTP API is not available yet");
}

#[test]
fn settings_files_are_read_and_refused_with_their_line() {
    let settings = directory(&[("logstash.yml", "node.name: a\npipeline:\n  wokers: 2\n")]);
    let path = settings.path().display().to_string();
    refused(
        &["--path.settings", &path, "-e", ""],
        "logstash.yml:3: pipeline.wokers: there is no such setting",
    );
    let output =
        rstash(&["-e", ""]).env("LS_SETTINGS_DIR", settings.path()).output().expect("the program starts");
    assert!(stderr(&output).contains("pipeline.wokers"), "{}", stderr(&output));
}

#[test]
fn missing_config_files_are_named() {
    let configs = directory(&[("only.conf~", "")]);
    let path = configs.path().display().to_string();
    refused(&["-f", &path], "no config files found in");
    refused(&["-t", "-f", &format!("{path}/none.conf")], "none.conf");
    refused(&["-f", "http://localhost/x.conf"], "configs are not fetched over the network");
}

/// A pipeline that waits on its standard input until it is told to stop.
struct Waiting(Child);

impl Waiting {
    /// Starts one and returns when its output has taken the first line.
    fn start(arguments: &[&str], mark: &std::path::Path) -> Self {
        let output = format!("output {{ file {{ path => \"{}\" }} }}", mark.display());
        let config = format!("input {{ stdin {{ }} }} {output}");
        let mut command = rstash(arguments);
        let mut child = command
            .args(["-e", &config])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.as_mut().expect("a pipe");
        std::io::Write::write_all(stdin, b"line\n").expect("written");
        let begun = Instant::now();
        while !mark.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{arguments:?}: it does not run");
            std::thread::sleep(Duration::from_millis(20));
        }
        Waiting(child)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_data_directory_belongs_to_one_instance() {
    let place = directory(&[]);
    let data = place.path().join("data").display().to_string();
    let first = Waiting::start(&["--path.data", &data], &place.path().join("first"));
    assert!(place.path().join("data/.lock").is_file(), "it is made and locked");
    refused(
        &["--path.data", &data, "-e", "input { generator { count => 1 } }"],
        "in use by another instance",
    );
    // Checking a configuration disturbs nobody.
    let check = output(&["--path.data", &data, "-t", "-e", "input { generator { count => 1 } }"]);
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    drop(first);
    let next =
        output(&["--path.data", &data, "-e", "input { generator { count => 1 } } output { null { } }"]);
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
}

#[test]
fn without_a_data_directory_given_instances_run_side_by_side_and_write_nothing() {
    let place = directory(&[]);
    let home = place.path().join("home");
    let run = |name: &str| {
        let mut command =
            rstash(&["-e", "input { generator { count => 1 } } output { stdout { codec => line } }"]);
        command.env("HOME", &home).env("XDG_DATA_HOME", home.join(name));
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    let _first = Waiting::start(&[], &place.path().join("first"));
    run("a");
    assert!(!home.exists(), "nothing is made that nobody needs");
}

#[test]
fn the_log_goes_to_standard_error_and_to_a_file() {
    let place = directory(&[]);
    let logs = place.path().join("logs").display().to_string();
    let output = output(&["--debug", "-f", "/no/such.conf", "-l", &logs]);
    let line = "the flag --debug is deprecated, use --log.level=debug";
    assert!(stderr(&output).contains(line), "{}", stderr(&output));
    let file = fs::read_to_string(place.path().join("logs/logstash-plain.log")).expect("the log is written");
    assert!(file.contains("[WARN ][rstash.cli]") && file.contains(line), "{file}");
}

const GOOD: &str = "input { nosuch {} } output { null {} }";

#[test]
fn a_configuration_is_checked_as_far_as_asked() {
    let output = output(&["-t", "--syntax-only", "-e", GOOD]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "Configuration OK\n");
    refused(&["-t", "-e", GOOD], "nosuch");
    refused(&["-t", "--syntax-only", "-e", "filter { oops"], "oops");
    refused(&["-e", GOOD], "nosuch");
}

#[test]
fn files_of_another_machine_may_miss_where_that_is_asked_for() {
    const CONFIG: &str = r#"input { stdin {} } output { null {} } filter {
        translate { source => "a" target => "b" dictionary_path => "/no/such/words.yml" }
        grok { patterns_dir => ["/no/such/patterns"] match => { "message" => "%{FROM_THERE:x}" } }
        ruby { path => "/no/such/script.rb" } }"#;
    refused(&["-t", "-e", CONFIG], "/no/such/words.yml");
    let output = output(&["-t", "--allow-missing-files", "-e", CONFIG]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for missing in ["/no/such/words.yml", "/no/such/patterns", "/no/such/script.rb"] {
        assert!(stderr(&output).contains(missing), "{}", stderr(&output));
    }
    let mistaken = CONFIG.replace("target =>", "tarjet =>");
    refused(&["-t", "--allow-missing-files", "-e", &mistaken], "tarjet");
}

#[test]
fn combined_switches_check_a_file() {
    let configs = directory(&[("a.conf", "input { nosuch {} }\n"), ("b.conf", "output { null {} \n")]);
    let all = configs.path().display().to_string();
    refused(&["--syntax-only", "-tf", &all], "b.conf:");
    let output = output(&["--syntax-only", "-tf", &format!("{all}/{{a,}}.conf")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn test_cases_decide_the_exit_status() {
    let case = |ok: bool| {
        format!(r#"{{"name":"c","mode":"check","config":"filter {{ drop {{}} }}","expect":{{"ok":{ok}}}}}"#)
    };
    let cases = directory(&[("good.jsonl", &case(true)), ("bad.jsonl", &case(false))]);
    let run =
        |name: &str| output(&["test", &cases.path().join(name).display().to_string(), "--format", "json"]);
    let good = run("good.jsonl");
    assert_eq!(good.status.code(), Some(0), "{}{}", stdout(&good), stderr(&good));
    let bad = run("bad.jsonl");
    assert_eq!(bad.status.code(), Some(1), "{}{}", stdout(&bad), stderr(&bad));
    let missing = run("missing.jsonl");
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("missing.jsonl"), "{}", stderr(&missing));
}

#[test]
fn plugins_are_listed_and_explained() {
    let list = output(&["plugins"]);
    assert_eq!(list.status.code(), Some(0));
    assert!(stdout(&list).contains("filter/drop"), "{}", stdout(&list));
    let page = output(&["plugins", "filter/drop"]);
    assert!(stdout(&page).contains("Options:"), "{}", stdout(&page));
    refused(&["plugins", "filter/dorp"], "did you mean `filter/drop`?");
    assert!(stdout(&output(&["plugins", "--help"])).contains("KIND/NAME"));
}
