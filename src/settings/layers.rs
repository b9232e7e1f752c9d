//! Collects what files and flags give, the later over the earlier, and judges it against the declaration table.
use super::substitution::Undefined;
use super::table::{self, Preset, Setting, Support};
use super::value::{self, Mismatch, Raw, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The switch as it was typed, such as `--pipeline.workers` or `-S pipeline.workers`.
    Flag(String),
    /// A variable of the environment, as Docker images are given their settings.
    Variable(String),
    File {
        path: PathBuf,
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(switch) => formatter.write_str(switch),
            Origin::Variable(name) => write!(formatter, "environment variable {name}"),
            Origin::File { path, line } => write!(formatter, "{}:{line}", path.display()),
        }
    }
}

/// One setting as somebody gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    /// `None` takes back what was given before, as `--setting KEY=` does.
    pub value: Option<Raw>,
    pub origin: Origin,
}

/// What is wrong with a given setting.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}: {problem}", self.place())]
pub struct SettingError {
    pub origin: Origin,
    pub name: String,
    pub problem: Problem,
}

impl SettingError {
    /// A switch tells the setting; a line of a file needs its name besides.
    fn place(&self) -> String {
        match &self.origin {
            Origin::Flag(switch) => switch.clone(),
            other => format!("{other}: {}", self.name),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    #[error("there is no such setting{}", .nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    Unknown { nearest: Option<&'static str> },
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// A feature that does not exist, or no longer does.
    #[error("{0}")]
    Refused(&'static str),
    #[error("it cannot be set for one pipeline, only in logstash.yml")]
    NotPerPipeline,
    #[error("`{0}` is not a directory, and cannot become one")]
    NotADirectory(String),
}

/// The settings given so far.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    given: BTreeMap<&'static str, (Value, Origin)>,
    /// What was said under an old name: where, that name, and the new one.
    old_names: Vec<(Origin, &'static str, &'static str)>,
}

impl Layers {
    /// Adds one setting over whatever was given before it.
    pub fn assign(&mut self, assignment: Assignment) -> Result<(), SettingError> {
        let Assignment { name, value, origin } = assignment;
        let fail = |problem, origin| SettingError { origin, name: name.clone(), problem };
        let Some(setting) = table::find(&name) else {
            return Err(fail(Problem::Unknown { nearest: table::nearest(&name) }, origin));
        };
        match setting.support {
            Support::Removed(advice) => return Err(fail(Problem::Refused(advice), origin)),
            Support::Renamed(new) => {
                self.old_names.push((origin.clone(), setting.name, new));
                return self.assign(Assignment { name: new.to_owned(), value, origin });
            }
            _ => {}
        }
        let Some(raw) = value else {
            self.given.remove(setting.name);
            return Ok(());
        };
        match value::read(setting.kind, setting.default == Preset::Unset, &raw) {
            Ok(value) => {
                self.given.insert(setting.name, (value, origin));
                Ok(())
            }
            Err(mismatch) => Err(fail(mismatch.into(), origin)),
        }
    }

    /// Where a setting was given, if it was.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.given.get(name).map(|(_, origin)| origin)
    }

    /// The value of a setting: as given, else its preset; null when the preset is computed.
    pub fn value(&self, name: &str) -> Value {
        match (self.given.get(name), table::find(name)) {
            (Some((value, _)), _) => value.clone(),
            (None, Some(Setting { kind, default: Preset::Text(text), .. })) => {
                value::read(*kind, true, &Raw::Text((*text).to_owned())).unwrap_or(Value::Null)
            }
            (None, _) => Value::Null,
        }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.value(name) == Value::Bool(true)
    }

    /// Finds what is given and cannot be honoured: errors for what is refused, warnings for what has no meaning.
    pub fn judge(&self) -> (Vec<SettingError>, Vec<String>) {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let mut tolerated = BTreeMap::new();
        for (name, (value, origin)) in &self.given {
            let Some(setting) = table::find(name) else { continue };
            match (self.refusal(setting, value), tolerance(setting, origin)) {
                (Some(_), Some(warning)) => _ = tolerated.entry(warning).or_insert(origin),
                (Some(reason), None) => errors.push(SettingError {
                    origin: origin.clone(),
                    name: (*name).to_owned(),
                    problem: Problem::Refused(reason),
                }),
                (None, _) => {
                    if let Support::NoMeaning(reason) = setting.support {
                        warnings.push(format!("{origin}: the setting {name} changes nothing: {reason}"));
                    }
                }
            }
        }
        warnings.extend(tolerated.into_iter().map(|(warning, origin)| format!("{origin}: {warning}")));
        let renamed = self.old_names.iter();
        warnings.extend(renamed.map(|(origin, old, new)| {
            format!("{origin}: the setting {old} is an old name, it is called {new} now")
        }));
        (errors, warnings)
    }

    fn refusal(&self, setting: &Setting, value: &Value) -> Option<&'static str> {
        let asks_nothing = |harmless: &[&str], value: &Value| {
            let same = |text: &&str| is(setting, text, value);
            *value == Value::Null || *value == Value::List(Vec::new()) || harmless.iter().any(same)
        };
        match setting.support {
            Support::NotYet { reason, harmless } => (!asks_nothing(harmless, value)).then_some(reason),
            Support::OnlyWith { switch, is: on } => {
                let switch = table::find(switch)?;
                let Support::NotYet { reason, .. } = switch.support else { return None };
                is(switch, on, &self.value(switch.name)).then_some(reason)
            }
            Support::Removed(advice) => Some(advice),
            Support::Honoured | Support::NoMeaning(_) | Support::Renamed(_) => None,
        }
    }
}

/// The warning that a setting given in a file gets in place of a refusal. Whoever types a flag wants what it says.
fn tolerance(setting: &Setting, origin: &Origin) -> Option<&'static str> {
    let of_switch = match setting.support {
        Support::OnlyWith { switch, .. } => table::find(switch)?.tolerated,
        _ => setting.tolerated,
    };
    of_switch.filter(|_| !matches!(origin, Origin::Flag(_)))
}

/// Whether `text` is how one would write `value`.
fn is(setting: &Setting, text: &str, value: &Value) -> bool {
    value::read(setting.kind, true, &Raw::Text(text.to_owned())).as_ref() == Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(name: &str, value: &str) -> Assignment {
        let origin = Origin::Flag(format!("--{name}"));
        Assignment { name: name.to_owned(), value: Some(Raw::Text(value.to_owned())), origin }
    }

    fn judged(given: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let mut layers = Layers::default();
        for (name, value) in given {
            layers.assign(flag(name, value)).expect("the value has the right type");
        }
        let (errors, warnings) = layers.judge();
        (errors.iter().map(ToString::to_string).collect(), warnings)
    }

    #[test]
    fn the_later_wins_and_an_empty_one_resets() {
        let mut layers = Layers::default();
        layers.assign(flag("pipeline.workers", "2")).expect("2 workers are fine");
        layers.assign(flag("pipeline.workers", "3")).expect("3 workers are fine");
        assert_eq!(layers.value("pipeline.workers"), Value::Integer(3));
        let reset = Assignment { value: None, ..flag("pipeline.workers", "") };
        layers.assign(reset).expect("a reset needs no value");
        assert_eq!(layers.origin("pipeline.workers"), None);
        assert_eq!(layers.value("pipeline.batch.size"), Value::Integer(125));
    }

    #[test]
    fn unknown_and_removed_settings_are_errors() {
        let mut layers = Layers::default();
        let error = layers.assign(flag("pipeline.wokers", "2")).expect_err("there is no such setting");
        assert_eq!(error.problem, Problem::Unknown { nearest: Some("pipeline.workers") });
        let error = layers.assign(flag("cloud.id", "x")).expect_err("it was removed");
        assert!(error.to_string().contains("removed in Logstash 9"), "{error}");
        let error = layers.assign(flag("pipeline.workers", "no")).expect_err("it is no number");
        assert_eq!(error.to_string(), "--pipeline.workers: `no` is not a whole number above 0");
    }

    #[test]
    fn missing_features_are_refused_by_name_unless_turned_off() {
        let (errors, _) = judged(&[("config.reload.automatic", "true"), ("queue.type", "persisted")]);
        assert_eq!(
            errors,
            [
                "--config.reload.automatic: automatic reloading is not available yet",
                "--queue.type: the persisted queue is not available yet"
            ]
        );
        let off = [
            ("config.reload.automatic", "false"),
            ("queue.type", "memory"),
            ("slowlog.threshold.info", "-1"),
        ];
        assert_eq!(judged(&off), (vec![], vec![]));
        assert_eq!(judged(&[("slowlog.threshold.info", "0")]).0.len(), 1);
    }

    #[test]
    fn what_belongs_to_a_missing_feature_follows_its_switch() {
        assert_eq!(judged(&[("queue.max_bytes", "4gb")]), (vec![], vec![]));
        assert_eq!(judged(&[("queue.max_bytes", "4gb"), ("queue.type", "persisted")]).0.len(), 2);
        assert_eq!(judged(&[("api.http.host", "0.0.0.0")]).0.len(), 1);
        assert_eq!(judged(&[("api.http.host", "0.0.0.0"), ("api.enabled", "false")]), (vec![], vec![]));
    }

    #[test]
    fn an_old_name_is_the_new_one_with_a_warning() {
        let mut layers = Layers::default();
        let origin = Origin::File { path: "logstash.yml".into(), line: 3 };
        layers.assign(Assignment { origin, ..flag("http.host", "0.0.0.0") }).expect("the old name is known");
        assert_eq!(layers.text("api.http.host").as_deref(), Some("0.0.0.0"));
        let (errors, warnings) = layers.judge();
        assert_eq!(errors, []);
        let told = |part: &str| warnings.iter().filter(|warning| warning.contains(part)).count();
        assert_eq!(
            told("logstash.yml:3: the setting http.host is an old name, it is called api.http.host now"),
            1
        );
        assert_eq!((told("rstash has no HTTP API"), warnings.len()), (1, 2), "{warnings:?}");
    }

    #[test]
    fn what_has_no_meaning_warns() {
        let (errors, warnings) = judged(&[("pipeline.buffer.type", "heap")]);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(warnings.len(), 1);
    }
}
