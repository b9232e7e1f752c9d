//! Turns the arguments of a command line into assignments of settings.
//!
//! Logstash reads its command line with clamp, patched to give switches an optional `true` or `false`
//! (logstash-core/lib/logstash/patches/clamp.rb). Where clap reads otherwise, [`split`] writes the arguments out for it.
use super::command::{ALLOW_MISSING_FILES, SETTING, SYNTAX_ONLY};
use super::running::Depth;
use crate::settings::layers::{Assignment, Origin};
use crate::settings::table::{self, DEPRECATED_FLAGS};
use crate::settings::value::Raw;
use clap::{Arg, ArgMatches, Command};
use std::ffi::OsString;

/// What a command line without a subcommand asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// In the order they were given.
    pub assignments: Vec<Assignment>,
    pub version: bool,
    /// How much a check of the configuration judges.
    pub depth: Depth,
    /// What to tell about deprecated flags.
    pub warnings: Vec<String>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UsageError {
    #[error("--setting {0}: write it as KEY=VALUE")]
    NotAPair(String),
    #[error("--version: `{0}` is not true or false")]
    Version(String),
}

impl Arguments {
    pub fn of(matches: &ArgMatches) -> Result<Self, UsageError> {
        let mut given = Vec::new();
        for setting in table::all() {
            let Some(flag) = setting.flag else { continue };
            let origin = Origin::Flag(format!("--{}", flag.long));
            given.extend(values(matches, setting.name).map(|(at, value)| {
                let (name, value) = (setting.name.to_owned(), Some(Raw::Text(value)));
                (at, Assignment { name, value, origin: origin.clone() })
            }));
        }
        let mut warnings = Vec::new();
        for flag in DEPRECATED_FLAGS {
            for (at, _) in values(matches, flag.long) {
                let origin = Origin::Flag(format!("--{}", flag.long));
                let (name, value) = (flag.setting.to_owned(), Some(Raw::Text(flag.value.to_owned())));
                given.push((at, Assignment { name, value, origin }));
                warnings.push(format!(
                    "the flag --{} is deprecated, use --{}={}",
                    flag.long, flag.setting, flag.value
                ));
            }
        }
        for (at, pair) in values(matches, SETTING) {
            given.push((at, pair_assignment(pair)?));
        }
        given.sort_by_key(|(at, _)| *at);
        let assignments: Vec<Assignment> = given.into_iter().map(|(_, assignment)| assignment).collect();
        let version = wants_version(&assignments)?;
        let depth = match (matches.get_flag(SYNTAX_ONLY), matches.get_flag(ALLOW_MISSING_FILES)) {
            (true, _) => Depth::Syntax,
            (false, true) => Depth::WithoutFiles,
            (false, false) => Depth::Full,
        };
        Ok(Arguments { assignments, version, depth, warnings })
    }
}

/// The values of a flag with their places on the command line.
fn values(matches: &ArgMatches, id: &str) -> impl Iterator<Item = (usize, String)> {
    let places = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<String>(id).into_iter().flatten().cloned();
    places.zip(values)
}

/// `KEY=VALUE` or `KEY:VALUE`; an empty value takes back what was set before.
fn pair_assignment(pair: String) -> Result<Assignment, UsageError> {
    let Some((name, value)) = pair.split_once([':', '=']).filter(|(name, _)| !name.is_empty()) else {
        return Err(UsageError::NotAPair(pair));
    };
    Ok(Assignment {
        name: name.to_owned(),
        value: (!value.is_empty()).then(|| Raw::Text(value.to_owned())),
        origin: Origin::Flag(format!("--setting {name}")),
    })
}

/// The version is printed before any file is read, so this one flag is judged here.
fn wants_version(assignments: &[Assignment]) -> Result<bool, UsageError> {
    match assignments.iter().rev().find(|assignment| assignment.name == "version") {
        Some(Assignment { value: Some(Raw::Text(text)), .. }) => {
            text.parse().map_err(|_| UsageError::Version(text.clone()))
        }
        _ => Ok(false),
    }
}

/// Writes `-tf x.conf` as `-t -f x.conf`: clap would take `f` as the optional value of `-t`.
pub fn split(command: &Command, arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter().peekable();
    let mut written: Vec<OsString> = arguments.next().into_iter().collect();
    while let Some(argument) = arguments.next() {
        let Some(text) = argument.to_str().filter(|text| text.starts_with('-') && *text != "--") else {
            // A subcommand, or a mistake: nothing from here on is a flag of this command.
            written.push(argument);
            written.extend(arguments);
            break;
        };
        match separate(command, text, &mut written) {
            Takes::Nothing => {}
            Takes::Value => written.extend(arguments.next()),
            Takes::OptionalValue => {
                let is_value = |next: &OsString| !next.as_encoded_bytes().starts_with(b"-");
                written.extend(arguments.next_if(is_value));
            }
        }
    }
    written
}

/// What a switch takes from the arguments after it.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Value,
    OptionalValue,
}

/// Writes out one argument that holds switches, and says what the last of them takes from the next argument.
fn separate(command: &Command, text: &str, written: &mut Vec<OsString>) -> Takes {
    if let Some(long) = text.strip_prefix("--") {
        written.push(text.into());
        let is_long = |argument: &Arg| {
            argument.get_long() == Some(long)
                || argument.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
        };
        return takes(command, is_long);
    }
    let mut letters = text.strip_prefix('-').unwrap_or(text).chars();
    while let Some(letter) = letters.next() {
        let found = takes(command, |argument| argument.get_short() == Some(letter));
        let rest = letters.as_str();
        match found {
            _ if rest.is_empty() => {
                written.push(format!("-{letter}").into());
                return found;
            }
            Takes::Value => {
                written.push(format!("-{letter}{rest}").into());
                return Takes::Nothing;
            }
            Takes::Nothing | Takes::OptionalValue => written.push(format!("-{letter}").into()),
        }
    }
    written.push(text.into());
    Takes::Nothing
}

/// Nothing for an unknown switch, which clap will complain about.
fn takes(command: &Command, is_meant: impl Fn(&Arg) -> bool) -> Takes {
    match command.get_arguments().find(|argument| is_meant(argument)) {
        Some(argument) if argument.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            Takes::OptionalValue
        }
        Some(argument) if argument.get_action().takes_values() => Takes::Value,
        _ => Takes::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::command;
    use super::*;

    fn splitted(line: &str) -> String {
        let arguments = split(&command(), line.split(' ').map(OsString::from));
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn parsed(line: &str) -> Arguments {
        let command = command();
        let arguments = split(&command, line.split(' ').map(OsString::from));
        let matches = command.try_get_matches_from(arguments).expect("the line is understood");
        Arguments::of(&matches).expect("the line makes sense")
    }

    /// What the line assigns, as `name=value`; a value taken back as `name`.
    fn assigned(line: &str) -> Vec<String> {
        let given = parsed(line).assignments.into_iter();
        given
            .map(|assignment| match assignment.value {
                Some(Raw::Text(text)) => format!("{}={text}", assignment.name),
                _ => assignment.name,
            })
            .collect()
    }

    #[test]
    fn combined_switches_are_separated() {
        assert_eq!(splitted("rstash -tf x.conf"), "rstash -t -f x.conf");
        assert_eq!(splitted("rstash -trw4"), "rstash -t -r -w4");
        assert_eq!(splitted("rstash -fx.conf -t"), "rstash -fx.conf -t");
        assert_eq!(splitted("rstash -e -tf -tw 1"), "rstash -e -tf -t -w 1");
        assert_eq!(splitted("rstash test -tf"), "rstash test -tf");
        assert_eq!(splitted("rstash --path.config -tf"), "rstash --path.config -tf");
        assert_eq!(splitted("rstash - -- -tf"), "rstash - -- -tf");
    }

    #[test]
    fn switches_take_an_optional_true_or_false() {
        assert_eq!(assigned("rstash -t"), ["config.test_and_exit=true"]);
        assert_eq!(assigned("rstash -t -w 1"), ["config.test_and_exit=true", "pipeline.workers=1"]);
        assert_eq!(assigned("rstash -t false"), ["config.test_and_exit=false"]);
        assert_eq!(assigned("rstash --config.test_and_exit=false"), ["config.test_and_exit=false"]);
        assert_eq!(assigned("rstash --configtest x.conf"), ["config.test_and_exit=x.conf"]);
        assert_eq!(assigned("rstash --config-test"), ["config.test_and_exit=true"]);
    }

    #[test]
    fn every_form_of_a_value_is_read() {
        for line in ["rstash -f x", "rstash -fx", "rstash --path.config x", "rstash --path.config=x"] {
            assert_eq!(assigned(line), ["path.config=x"], "{line}");
        }
        assert_eq!(assigned("rstash -w -1"), ["pipeline.workers=-1"]);
        assert_eq!(assigned("rstash -e input{}"), ["config.string=input{}"]);
    }

    #[test]
    fn assignments_keep_their_order() {
        assert_eq!(
            assigned("rstash -w 1 -S pipeline.workers=2 -w 3 --setting pipeline.workers="),
            ["pipeline.workers=1", "pipeline.workers=2", "pipeline.workers=3", "pipeline.workers"]
        );
        assert_eq!(assigned("rstash -S a:b=c"), ["a=b=c"]);
    }

    #[test]
    fn deprecated_flags_set_the_log_level_and_warn() {
        let arguments = parsed("rstash --debug false --quiet");
        assert_eq!(arguments.warnings.len(), 2, "{:?}", arguments.warnings);
        assert_eq!(assigned("rstash --debug false --quiet"), ["log.level=debug", "log.level=error"]);
    }

    #[test]
    fn the_version_is_known_before_any_file_is_read() {
        assert!(parsed("rstash -V").version && parsed("rstash --version true").version);
        assert!(!parsed("rstash -V false").version && !parsed("rstash -t").version);
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let refuse = |line: &str| {
            let command = command();
            let arguments = split(&command, line.split(' ').map(OsString::from));
            command.try_get_matches_from(arguments).is_err()
        };
        for line in [
            "rstash --no.such.flag",
            "rstash -f",
            "rstash nonsense",
            "rstash --syntax-only",
            "rstash -t -- x",
        ] {
            assert!(refuse(line), "{line} is accepted");
        }
        let command = command();
        let matches = command.try_get_matches_from(["rstash", "-S", "novalue"]).expect("clap takes any text");
        assert_eq!(Arguments::of(&matches), Err(UsageError::NotAPair("novalue".into())));
    }
}
