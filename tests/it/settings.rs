//! logstash.yml, pipelines.yml and the command line: every setting and flag of Logstash is honoured, or something is said.

use std::collections::BTreeSet;
use std::path::Path;

use rstash::plugin::Environment;
use rstash::settings::layers::{Assignment, Origin};
use rstash::settings::table::{self, Kind, Preset, Support};
use rstash::settings::value::{Raw, Value, read};
use rstash::settings::{Loaded, SettingsError, load};
use serde::Deserialize;

use crate::cli::{directory, output, stderr, stdout};
use crate::shared::recordings;

/// A setting as the catalogue has it.
#[derive(Deserialize)]
struct Known {
    name: String,
    default: Option<serde_json::Value>,
    default_expr: Option<String>,
    pipeline_setting: bool,
    #[serde(default)]
    allowed: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    setting: String,
}

#[derive(Deserialize)]
struct Catalogue {
    settings: Vec<Known>,
    only_in_8_19: Vec<Named>,
    aliases_in_8_19: Vec<Alias>,
    pipelines_yml_settings: Vec<String>,
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn catalogue() -> Option<Catalogue> {
    Some(json(&recordings()?.join("catalogue/settings.json")))
}

/// Reads these two files, with a config where neither names one, as a process without variables.
fn load_files(logstash: &str, pipelines: Option<&str>) -> Result<Loaded, SettingsError> {
    let mut files = vec![("logstash.yml", logstash)];
    files.extend(pipelines.map(|text| ("pipelines.yml", text)));
    let place = directory(&files);
    let flag = |name: &str, value: String| Assignment {
        name: name.to_owned(),
        value: Some(Raw::Text(value)),
        origin: Origin::Flag(format!("--{name}")),
    };
    let mut flags = vec![flag("path.settings", place.path().display().to_string())];
    let mut given = logstash.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let has_config = given
        .any(|line| ["path.config:", "config.string:", "config: "].iter().any(|name| line.starts_with(name)));
    if pipelines.is_none() && !has_config {
        flags.push(flag("config.string", String::new()));
    }
    load(flags, &Environment::new(|_| None))
}

/// What the program makes of a logstash.yml.
#[derive(Debug)]
enum Answer {
    /// The settings differ from those of an empty file.
    Honoured,
    /// One or several lines.
    Said(String),
    Silent,
}

fn answer(yml: &str) -> Answer {
    match load_files(yml, None) {
        Err(error) => Answer::Said(error.to_string()),
        Ok(loaded) if !loaded.warnings.is_empty() => Answer::Said(loaded.warnings.join("\n")),
        Ok(loaded) => {
            let mut plain = load_files("", None).expect("an empty file is fine").settings;
            // Every load has a directory of its own.
            plain.paths.settings.clone_from(&loaded.settings.paths.settings);
            if plain == loaded.settings { Answer::Silent } else { Answer::Honoured }
        }
    }
}

/// A value that a setting does not have by itself.
fn other_value(setting: &table::Setting) -> String {
    let default = match setting.default {
        Preset::Text(text) => text,
        Preset::Computed(_) | Preset::Unset => "",
    };
    match setting.kind {
        Kind::Bool => (default != "true").to_string(),
        Kind::Choice(words) => words.iter().find(|word| **word != default).expect("two choices").to_string(),
        Kind::PositiveInteger | Kind::Number => "77".to_owned(),
        Kind::Time => "77s".to_owned(),
        Kind::Bytes => "77mb".to_owned(),
        Kind::PortRange => "9777".to_owned(),
        Kind::Path => "/tmp".to_owned(),
        Kind::List => "[\"seventy\"]".to_owned(),
        Kind::Text | Kind::Password => "seventy".to_owned(),
    }
}

/// What no file can ask for, or what has no value to see.
const NOT_IN_FILES: &[(&str, &str)] = &[
    ("path.settings", "says where the file is"),
    ("version", "is a flag"),
    ("pipeline.ordered", "with `true` it needs one worker"),
];

#[test]
fn no_setting_is_unknown_or_silently_ignored() {
    let Some(catalogue) = catalogue() else { return };
    let mut wrong = Vec::new();
    for known in &catalogue.settings {
        let name = known.name.as_str();
        let Some(setting) = table::find(name) else {
            wrong.push(format!("{name}: unknown"));
            continue;
        };
        if NOT_IN_FILES.iter().any(|(left_out, _)| *left_out == name) {
            continue;
        }
        let other = other_value(setting);
        let asks_for_nothing =
            matches!(setting.support, Support::NotYet { harmless, .. } if harmless.contains(&other.as_str()));
        // Then it is on by itself, and off is what everybody has here.
        let line = format!("{name}: {}\n", if asks_for_nothing { "true".to_owned() } else { other });
        let yml = match setting.support {
            // It belongs to something that is off, in Logstash too.
            Support::OnlyWith { switch, is } => format!("{line}{switch}: {is}\n"),
            _ => line,
        };
        let told = match answer(&yml) {
            Answer::Honoured if setting.support == Support::Honoured => continue,
            Answer::Said(text) if setting.support != Support::Honoured => text,
            other => {
                wrong.push(format!("{name} ({:?}): {other:?}", setting.support));
                continue;
            }
        };
        // One line for all of `api.*` is enough.
        let governing = match setting.support {
            Support::OnlyWith { switch, .. } => table::find(switch).unwrap_or(setting),
            _ => setting,
        };
        let is_named =
            told.contains(name) || governing.tolerated.is_some_and(|warning| told.contains(warning));
        const MISMATCHES: [&str; 6] = [
            "is not one of",
            "is not true",
            "is not a number",
            "is not a whole",
            "is not a size",
            "is not a duration",
        ];
        let is_refused_for_its_type = MISMATCHES.iter().any(|text| told.contains(text));
        if !is_named || is_refused_for_its_type || told.contains("there is no such setting") {
            wrong.push(format!("{yml}    {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn settings_have_logstashs_defaults_and_choices() {
    /// Where this program has another default on purpose, as docs/compatibility.md tells.
    const OTHER_DEFAULTS: &[&str] = &["allow_superuser", "path.logs"];
    let Some(catalogue) = catalogue() else { return };
    let mut wrong = Vec::new();
    for known in &catalogue.settings {
        let Some(setting) = table::find(&known.name) else { continue };
        let name = setting.name;
        for word in &known.allowed {
            let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            if read(setting.kind, true, &Raw::Plain(word.clone())).is_err() {
                wrong.push(format!("{name}: {word} is not accepted"));
            }
        }
        let belongs = catalogue.pipelines_yml_settings.iter().any(|it| it == name) || known.pipeline_setting;
        let is_process_only = ["config.reload.automatic", "config.reload.interval"].contains(&name);
        if setting.per_pipeline != (belongs && !is_process_only) {
            wrong.push(format!("{name}: in pipelines.yml {}, not {belongs}", setting.per_pipeline));
        }
        if known.default_expr.is_some() || OTHER_DEFAULTS.contains(&name) {
            continue;
        }
        let own = match setting.default {
            Preset::Text(text) => read(setting.kind, true, &Raw::Plain(text.to_owned())),
            Preset::Unset => Ok(Value::Null),
            // Logstash computes it too; the catalogue has what came out.
            Preset::Computed(_) => continue,
        };
        let theirs = match &known.default {
            None | Some(serde_json::Value::Null) => Ok(Value::Null),
            Some(serde_json::Value::Array(items)) => {
                let items = items.iter().map(|item| item.as_str().unwrap_or_default().to_owned());
                Ok(Value::List(items.collect()))
            }
            Some(serde_json::Value::String(text)) => read(setting.kind, true, &Raw::Plain(text.clone())),
            Some(other) => read(setting.kind, true, &Raw::Plain(other.to_string())),
        };
        let both_are_nothing = |value: &Value| {
            *value == Value::Null || *value == Value::List(vec![]) || *value == Value::List(vec!["[]".into()])
        };
        match (&own, &theirs) {
            (Ok(own), Ok(theirs)) if both_are_nothing(own) && both_are_nothing(theirs) => {}
            (own, theirs) if own == theirs => {}
            _ => wrong.push(format!("{name}: {own:?}, in Logstash {theirs:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn settings_of_logstash_8_are_read_or_refused_by_name() {
    let Some(catalogue) = catalogue() else { return };
    for Named { name } in &catalogue.only_in_8_19 {
        let Answer::Said(told) = answer(&format!("{name}: x\n")) else { panic!("{name}: nothing is said") };
        assert!(told.contains(&format!("logstash.yml:1: {name}: ")), "{told}");
        assert!(told.contains("removed in Logstash 9"), "{told}");
    }
    for Alias { alias, setting } in &catalogue.aliases_in_8_19 {
        let value = other_value(table::find(setting).expect("the new name is known"));
        let loaded = load_files(&format!("{alias}: {value}\n"), None);
        let loaded = loaded.unwrap_or_else(|error| panic!("{alias}: {error}"));
        let told = loaded.warnings.join("\n");
        assert!(told.contains(&format!("{alias} is an old name, it is called {setting} now")), "{told}");
    }
}

#[derive(Deserialize)]
struct KnownFlag {
    switches: Vec<String>,
    takes: String,
    setting: Option<String>,
}

#[derive(Deserialize)]
struct Flags {
    flags: Vec<KnownFlag>,
    only_in_8_19: Vec<KnownFlag>,
}

#[test]
fn every_flag_of_logstash_is_known() {
    let Some(shared) = recordings() else { return };
    let flags: Flags = json(&shared.join("catalogue/flags.json"));
    let data = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for flag in flags.flags.iter().chain(&flags.only_in_8_19) {
        for switch in &flag.switches {
            let setting = flag.setting.as_deref().and_then(table::find);
            let value = match (flag.takes.as_str(), setting) {
                ("flag", _) => None,
                _ if switch == "--setting" || switch == "-S" => Some("pipeline.workers=2".to_owned()),
                (_, Some(setting)) if setting.kind == Kind::List => Some("seventy".to_owned()),
                (_, Some(setting)) if setting.name == "path.logs" || setting.name == "path.data" => {
                    Some(data.path().display().to_string())
                }
                (_, Some(setting)) if setting.name == "pipeline.ordered" => Some("auto".to_owned()),
                (_, Some(setting)) => Some(other_value(setting)),
                (_, None) => Some("seventy".to_owned()),
            };
            let mut arguments = vec![switch.as_str()];
            arguments.extend(value.as_deref());
            if !["-e", "-f", "--config.string", "--path.config"].contains(&switch.as_str()) {
                arguments.extend(["-e", ""]);
            }
            arguments.extend(["-t", "true"]);
            let answer = output(&arguments);
            let told = format!("{}{}", stdout(&answer), stderr(&answer));
            let is_judged = match answer.status.code() {
                Some(0) => true,
                // Refused for what it asks, by its name; or the text is no config.
                Some(1) => flag.switches.iter().any(|switch| {
                    told.contains(&format!("{switch}: "))
                        || ["--config.string", "--path.config"].contains(&switch.as_str())
                }),
                _ => false,
            };
            if !is_judged || told.contains("unexpected argument") || told.contains("there is no such setting")
            {
                wrong.push(format!("{arguments:?}: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
struct RealFile {
    repo: String,
    path: String,
    kind: String,
    text: String,
}

/// The value every variable has here; no number, no path, no choice.
const ANY: &str = "77";

#[test]
fn real_files_have_no_unknown_settings() {
    let Some(shared) = recordings() else { return };
    let text = std::fs::read_to_string(shared.join("corpus/other-files.jsonl")).expect("it can be read");
    let (mut read, mut wrong, mut reasons) = (0, Vec::new(), BTreeSet::new());
    for file in text.lines().map(|line| serde_json::from_str::<RealFile>(line).expect("a line of JSON")) {
        let result = match file.kind.as_str() {
            "logstash_yml" => load_files_with(&file.text, None),
            "pipelines_yml" => load_files_with("", Some(&file.text)),
            _ => continue,
        };
        let name = format!("{}/{}", file.repo, file.path);
        match result {
            Ok(_) => read += 1,
            // A template of something else is no YAML yet; the stock file has nothing but comments.
            Err(error) if file.text.contains("{{") || file.text.contains("{%") => {
                reasons.insert(format!("{name}: a template: {error}"));
            }
            Err(error) if error.to_string().contains("it holds no pipeline") => read += 1,
            Err(error) => {
                let told = error.to_string();
                if told.contains("no such setting") || !matches!(error, SettingsError::Invalid(_)) {
                    wrong.push(format!("{name}: {told}"));
                } else {
                    reasons.insert(format!("{name}: {told}"));
                }
            }
        }
    }
    println!("{read} files are taken; the others:");
    reasons.iter().for_each(|reason| println!("  {reason}"));
    assert!(read > 25, "only {read} files are taken");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// [`load_files`] where every variable is set.
fn load_files_with(logstash: &str, pipelines: Option<&str>) -> Result<Loaded, SettingsError> {
    let expanded = |text: &str| {
        let mut out = String::new();
        for (number, part) in text.split("${").enumerate() {
            let rest = part.split_once('}').filter(|_| number > 0);
            out.push_str(&rest.map_or_else(|| part.to_owned(), |(_, rest)| format!("{ANY}{rest}")));
        }
        out
    };
    // A choice has no 77.
    let logstash = expanded(logstash).replace("queue.type: 77", "queue.type: memory");
    load_files(&logstash, pipelines.map(expanded).as_deref())
}

/// Of two layers the higher wins: flags over a container's variables over logstash.yml.
#[test]
fn a_process_takes_flags_over_variables_over_the_file() {
    let place = directory(&[("logstash.yml", "pipeline:\n  id: ${NAME:from_default}\nlog.level: debug\n")]);
    let path = place.path().display().to_string();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = crate::cli::rstash(arguments);
        command.args(["-t", "-e", "input { generator { count => 1 } }"]).envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    let settings = ["--path.settings", &path];
    // It is told that the pipeline of this name has no output.
    assert!(run(&settings, &[]).contains("from_default"));
    assert!(run(&settings, &[("NAME", "from_name")]).contains("from_name"));
    let container = [("ELASTIC_CONTAINER", "true"), ("PIPELINE_ID", "from_variable")];
    assert!(run(&settings, &container).contains("from_variable"));
    let told = run(&["--path.settings", &path, "--pipeline.id", "from_flag"], &container);
    assert!(told.contains("from_flag") && !told.contains("from_variable"), "{told}");
    // The directory by its variable.
    let by_variable = run(&[], &[("LS_SETTINGS_DIR", &path)]);
    assert!(by_variable.contains("from_default"), "{by_variable}");
}
