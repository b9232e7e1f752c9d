//! Precedence of flags, files and defaults, and what the typed settings hold.
use super::*;
use tempfile::TempDir;
use value::Raw;

fn flag(name: &str, value: &str) -> Assignment {
    let origin = Origin::Flag(format!("--{name}"));
    Assignment { name: name.to_owned(), value: Some(Raw::Text(value.to_owned())), origin }
}

/// A settings directory with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file can be written");
    }
    directory
}

fn load_in(directory: &TempDir, flags: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    let path = directory.path().display().to_string();
    let mut given: Vec<Assignment> = flags.iter().map(|(name, value)| flag(name, value)).collect();
    given.push(flag("path.settings", &path));
    load(given, &Environment::new(|name| (name == "WORKERS").then(|| "6".to_owned())))
}

fn settings(directory: &TempDir, flags: &[(&str, &str)]) -> Settings {
    match load_in(directory, flags) {
        Ok(loaded) => loaded.settings,
        Err(error) => panic!("the settings are refused: {error}"),
    }
}

fn refusal(directory: &TempDir, flags: &[(&str, &str)]) -> String {
    match load_in(directory, flags) {
        Ok(loaded) => panic!("the settings are accepted: {loaded:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn without_files_the_defaults_are_logstash_s() {
    let flags = vec![flag("config.string", "")];
    let loaded = load(flags, &Environment::new(|_| None)).expect("an empty configuration is enough");
    let settings = loaded.settings;
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(settings.pipelines[0].id, "main");
    assert_eq!(settings.pipelines[0].batch_size.get(), 125);
    assert_eq!(settings.pipelines[0].batch_delay, Duration::from_millis(50));
    assert_eq!(settings.pipelines[0].ecs_compatibility, EcsMode::V8);
    assert_eq!(settings.pipelines[0].workers, thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    assert!(!settings.pipelines[0].preserve_order && !settings.pipelines[0].support_escapes);
    assert_eq!(settings.log, LogSettings { level: LogLevel::Info, format: LogFormat::Plain });
    assert_eq!(settings.pipelines[0].config, ConfigLocation::Text(String::new()));
    assert_eq!((settings.paths.logs, settings.paths.settings), (None, None));
    assert!(!settings.node_name.is_empty());
}

#[test]
fn flags_win_over_logstash_yml_over_defaults() {
    let yml =
        "pipeline:\n  workers: ${WORKERS}\n  batch.size: ${SIZE:40}\nlog.level: debug\nconfig.string: ''\n";
    let directory = directory(&[("logstash.yml", yml)]);
    let from_file = settings(&directory, &[]);
    assert_eq!(from_file.pipelines[0].workers.get(), 6);
    assert_eq!(from_file.pipelines[0].batch_size.get(), 40);
    assert_eq!(from_file.log.level, LogLevel::Debug);
    let from_flags = settings(&directory, &[("pipeline.workers", "2"), ("log.level", "warn")]);
    assert_eq!(from_flags.pipelines[0].workers.get(), 2);
    assert_eq!(from_flags.pipelines[0].batch_size.get(), 40);
    assert_eq!(from_flags.log.level, LogLevel::Warn);
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let directory =
        directory(&[("logstash.yml", "pipeline.wokers: 2\nqueue.type: persisted\nnode.name: ${NOBODY}\n")]);
    let error = refusal(&directory, &[("config.string", ""), ("pipeline.batch.size", "0")]);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 4, "{error}");
    for part in [
        "logstash.yml:1: pipeline.wokers: there is no such setting, did you mean `pipeline.workers`?",
        "logstash.yml:2: queue.type: the persisted queue is not available yet",
        "logstash.yml:3: node.name: environment variable `NOBODY` is not set",
        "--pipeline.batch.size: `0` is not a whole number above 0",
    ] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn a_settings_directory_without_logstash_yml_warns() {
    let loaded = load_in(&directory(&[]), &[("config.string", "")]).expect("the defaults do");
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    let unreadable = directory(&[]);
    fs::create_dir(unreadable.path().join("logstash.yml")).expect("a directory can be made");
    assert!(refusal(&unreadable, &[("config.string", "")]).starts_with("cannot read"));
    let broken = directory(&[("logstash.yml", "a: [")]);
    assert!(refusal(&broken, &[("config.string", "")]).starts_with("cannot parse"));
}

#[test]
fn the_settings_directory_may_come_from_the_environment() {
    let directory = directory(&[("logstash.yml", "pipeline.id: from_file\n")]);
    let path = directory.path().display().to_string();
    let environment = Environment::new(move |name| (name == "LS_SETTINGS_DIR").then(|| path.clone()));
    let loaded = load(vec![flag("config.string", "")], &environment).expect("the file is read");
    assert_eq!(loaded.settings.pipelines[0].id, "from_file");
    assert_eq!(loaded.settings.paths.settings.as_deref(), Some(directory.path()));
}

#[test]
fn text_and_path_exclude_each_other() {
    let directory = directory(&[("logstash.yml", "path.config: /etc/pipeline.conf\n")]);
    assert!(refusal(&directory, &[("config.string", "")]).contains("cannot be used together"));
    let config = settings(&directory, &[]).pipelines.remove(0).config;
    assert_eq!(config, ConfigLocation::Path("/etc/pipeline.conf".into()));
    assert!(matches!(load(vec![], &Environment::new(|_| None)), Err(SettingsError::NoConfig)));
}

#[test]
fn one_pipeline_of_pipelines_yml_is_taken() {
    let yml = "- pipeline.id: orders\n  path.config: /etc/orders.conf\n  pipeline.workers: ${WORKERS}\n";
    let one = directory(&[("logstash.yml", "pipeline.workers: 2\n"), ("pipelines.yml", yml)]);
    let taken = settings(&one, &[]);
    assert_eq!((taken.pipelines[0].id.as_str(), taken.pipelines[0].workers.get()), ("orders", 6));
    assert_eq!(taken.pipelines[0].config, ConfigLocation::Path("/etc/orders.conf".into()));
    let ignored = load_in(&one, &[("config.string", "")]).expect("the text is enough");
    assert_eq!(ignored.settings.pipelines[0].id, "main");
    assert_eq!(ignored.warnings.len(), 1, "{:?}", ignored.warnings);
}

#[test]
fn every_pipeline_of_pipelines_yml_has_settings_of_its_own() {
    let yml =
        "- pipeline.id: a\n  config.string: ''\n  pipeline.workers: 3\n- pipeline.id: b\n  path.config: /b\n";
    let two = directory(&[("logstash.yml", "pipeline.workers: 2\n"), ("pipelines.yml", yml)]);
    let taken = settings(&two, &[]).pipelines;
    let seen: Vec<_> = taken.iter().map(|one| (one.id.as_str(), one.workers.get())).collect();
    assert_eq!(seen, [("a", 3), ("b", 2)]);
    assert_eq!(taken[1].config, ConfigLocation::Path("/b".into()));
}

#[test]
fn other_pipelines_yml_are_refused() {
    let twice = "- pipeline.id: a\n  path.config: x\n- pipeline.id: a\n  path.config: y\n";
    let twice = directory(&[("logstash.yml", ""), ("pipelines.yml", twice)]);
    assert!(refusal(&twice, &[]).contains("two pipelines have the pipeline.id a"));
    let aimless = directory(&[("logstash.yml", ""), ("pipelines.yml", "- pipeline.id: a\n")]);
    assert!(refusal(&aimless, &[]).contains("neither path.config nor config.string"));
    let empty = directory(&[("logstash.yml", ""), ("pipelines.yml", "# none\n")]);
    assert!(refusal(&empty, &[]).ends_with("it holds no pipeline"));
    let missing = directory(&[("logstash.yml", "")]);
    assert!(refusal(&missing, &[]).starts_with("cannot read"));
    let process =
        directory(&[("logstash.yml", ""), ("pipelines.yml", "- config.string: ''\n  log.level: debug\n")]);
    assert!(refusal(&process, &[]).contains("pipelines.yml:2: log.level: it cannot be set for one pipeline"));
}

#[test]
fn order_needs_one_worker() {
    let directory = directory(&[("logstash.yml", "config.string: ''\n")]);
    let order = |flags: &[(&str, &str)]| settings(&directory, flags).pipelines[0].preserve_order;
    assert!(order(&[("pipeline.workers", "1")]));
    assert!(order(&[("pipeline.workers", "1"), ("pipeline.ordered", "true")]));
    assert!(!order(&[("pipeline.workers", "1"), ("pipeline.ordered", "false")]));
    assert!(!order(&[("pipeline.workers", "2")]));
    let error = refusal(&directory, &[("pipeline.workers", "2"), ("pipeline.ordered", "true")]);
    assert!(error.contains("pipeline.workers is 2"), "{error}");
}

#[test]
fn the_data_directory_must_be_possible() {
    let directory = directory(&[("logstash.yml", "config.string: ''\n")]);
    let inside = |name: &str| directory.path().join(name).display().to_string();
    assert_eq!(settings(&directory, &[("path.data", &inside("new"))]).paths.data, Path::new(&inside("new")));
    for wrong in [inside("logstash.yml"), inside("no/new")] {
        let error = refusal(&directory, &[("path.data", &wrong)]);
        assert!(error.contains("cannot become one"), "{error}");
    }
}

#[test]
fn the_files_of_the_docker_image_are_taken_with_one_warning() {
    // docker/data/logstash/config of Logstash 9, with two more settings of the API.
    let yml = "api.http.host: \"0.0.0.0\"\napi.http.port: 9600\napi.enabled: true\n\
               xpack.monitoring.elasticsearch.hosts: [ \"http://elasticsearch:9200\" ]\n";
    let pipelines = "- pipeline.id: main\n  path.config: \"/usr/share/logstash/pipeline\"\n";
    let directory = directory(&[("logstash.yml", yml), ("pipelines.yml", pipelines)]);
    let loaded = load_in(&directory, &[]).unwrap_or_else(|error| panic!("{error}"));
    let [warning] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert!(warning.contains("logstash.yml:") && warning.contains("rstash has no HTTP API"), "{warning}");
    let error = refusal(&directory, &[("api.http.port", "9601")]);
    assert!(error.starts_with("--api.http.port: the HTTP API is not available yet"), "{error}");
}
