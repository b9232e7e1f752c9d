//! What a setting is: its name, type, default, flag, and how far this program honours it.
//!
//! One row declares a setting, and everything else is derived from the rows: the command line and its help page, the reading of
//! logstash.yml and pipelines.yml, and the refusals of what does not exist. The rows themselves stand in `known` and `foreign`.
use super::{foreign, known};

/// One row of the declaration table.
#[derive(Debug)]
pub struct Setting {
    /// Dotted name, as in logstash.yml.
    pub name: &'static str,
    pub kind: Kind,
    pub default: Preset,
    /// One line for the help page and the reference; empty for settings that no help page lists.
    pub help: &'static str,
    pub group: Group,
    pub flag: Option<Flag>,
    pub support: Support,
    /// What a file that asks for this is answered in place of a refusal, once for all settings that the switch governs.
    pub tolerated: Option<&'static str>,
    /// Whether an entry of pipelines.yml may give it.
    pub per_pipeline: bool,
}

/// The type of a setting's value, and with it how text becomes that value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Text,
    /// Text out of a fixed list.
    Choice(&'static [&'static str]),
    /// A whole number from 1 up.
    PositiveInteger,
    /// A number, with or without fraction.
    Number,
    Path,
    List,
    /// A duration such as `3s`, `500ms` or `2d`; a bare number counts nanoseconds.
    Time,
    /// A size such as `64mb`, in steps of 1024; a bare number counts bytes.
    Bytes,
    /// `9600` or `9600-9700`.
    PortRange,
    /// Text that no message may repeat.
    Password,
}

/// The value a setting has when nobody gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// As it would be written in logstash.yml.
    Text(&'static str),
    /// Found out at start; the text says how.
    Computed(&'static str),
    /// No value: only such a setting may be set to null.
    Unset,
}

/// How far a setting is honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Honoured,
    /// Accepted with a warning that says why it changes nothing.
    NoMeaning(&'static str),
    /// Refused with the reason, unless the value is one of `harmless`: those that ask for nothing.
    NotYet {
        reason: &'static str,
        harmless: &'static [&'static str],
    },
    /// Matters only while another setting has a value, here and in Logstash; refused while it has.
    OnlyWith {
        switch: &'static str,
        is: &'static str,
    },
    /// Gone from Logstash itself; the text says what to do.
    Removed(&'static str),
    /// An old name: read as the setting with this one, with a warning.
    Renamed(&'static str),
}

/// Heading of the help page under which a flag is listed, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Configuration,
    Testing,
    Pipeline,
    Paths,
    Logging,
    Other,
}

impl Group {
    pub fn heading(self) -> &'static str {
        match self {
            Group::Configuration => "Configuration",
            Group::Testing => "Testing",
            Group::Pipeline => "Pipeline",
            Group::Paths => "Paths",
            Group::Logging => "Logging",
            Group::Other => "Other",
        }
    }
}

/// How a setting is given on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Without the dash.
    pub short: Option<char>,
    /// Without the dashes.
    pub long: &'static str,
    /// Further long names, kept out of the help page.
    pub aliases: &'static [&'static str],
    /// Name of the value in the help page; `None` is a switch that takes an optional `true` or `false`.
    pub value_name: Option<&'static str>,
}

/// A flag that Logstash deprecated: it still works, sets `setting` to `value`, and warns.
pub struct DeprecatedFlag {
    pub long: &'static str,
    pub setting: &'static str,
    pub value: &'static str,
}

/// After Logstash's `deprecated_option` declarations (runner.rb).
pub static DEPRECATED_FLAGS: &[DeprecatedFlag] = &[
    DeprecatedFlag { long: "debug", setting: "log.level", value: "debug" },
    DeprecatedFlag { long: "quiet", setting: "log.level", value: "error" },
    DeprecatedFlag { long: "verbose", setting: "log.level", value: "info" },
];

impl Setting {
    const fn row(name: &'static str, kind: Kind, default: Preset, support: Support) -> Self {
        let group = Group::Other;
        Setting {
            name,
            kind,
            default,
            help: "",
            group,
            flag: None,
            support,
            tolerated: None,
            per_pipeline: false,
        }
    }

    pub(super) const fn honoured(
        name: &'static str,
        kind: Kind,
        default: Preset,
        group: Group,
        help: &'static str,
    ) -> Self {
        let mut row = Self::row(name, kind, default, Support::Honoured);
        row.group = group;
        row.help = help;
        row
    }

    pub(super) const fn no_meaning(
        name: &'static str,
        kind: Kind,
        default: Preset,
        reason: &'static str,
    ) -> Self {
        Self::row(name, kind, default, Support::NoMeaning(reason))
    }

    pub(super) const fn not_yet(
        name: &'static str,
        kind: Kind,
        default: Preset,
        harmless: &'static [&'static str],
        reason: &'static str,
    ) -> Self {
        Self::row(name, kind, default, Support::NotYet { reason, harmless })
    }

    pub(super) const fn only_with(
        name: &'static str,
        kind: Kind,
        default: Preset,
        switch: &'static str,
        is: &'static str,
    ) -> Self {
        Self::row(name, kind, default, Support::OnlyWith { switch, is })
    }

    pub(super) const fn removed(name: &'static str, advice: &'static str) -> Self {
        Self::row(name, Kind::Text, Preset::Unset, Support::Removed(advice))
    }

    pub(super) const fn renamed(name: &'static str, new: &'static str) -> Self {
        Self::row(name, Kind::Text, Preset::Unset, Support::Renamed(new))
    }

    /// Gives the setting a flag with a value.
    pub(super) const fn flag(mut self, long: &'static str, value_name: &'static str) -> Self {
        self.flag = Some(Flag { short: None, long, aliases: &[], value_name: Some(value_name) });
        self
    }

    /// Gives the setting a flag with an optional `true` or `false`.
    pub(super) const fn toggle(mut self, long: &'static str) -> Self {
        self.flag = Some(Flag { short: None, long, aliases: &[], value_name: None });
        self
    }

    /// One-letter form of the flag given before.
    pub(super) const fn short(mut self, letter: char) -> Self {
        if let Some(flag) = &mut self.flag {
            flag.short = Some(letter);
        }
        self
    }

    /// Further long names of the flag given before.
    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        if let Some(flag) = &mut self.flag {
            flag.aliases = aliases;
        }
        self
    }

    /// Lets files ask for it with no more than this warning, because files that everybody has do.
    pub(super) const fn tolerated(mut self, warning: &'static str) -> Self {
        self.tolerated = Some(warning);
        self
    }

    pub(super) const fn per_pipeline(mut self) -> Self {
        self.per_pipeline = true;
        self
    }

    /// Whether the help page lists the flag: it does for what does something.
    pub fn is_listed(&self) -> bool {
        self.support == Support::Honoured
    }
}

/// Every declared setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    known::SETTINGS.iter().chain(foreign::tables().into_iter().flatten())
}

/// The row of a setting.
pub fn find(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.name == name)
}

/// The declared name closest to a mistyped one, if one is close enough to be meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    all()
        .filter(|setting| !matches!(setting.support, Support::Removed(_) | Support::Renamed(_)))
        .map(|setting| (strsim::normalized_damerau_levenshtein(name, setting.name), setting.name))
        .filter(|(likeness, _)| *likeness >= 0.7)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_flags_are_unique() {
        let mut seen = HashSet::new();
        for setting in all() {
            assert!(seen.insert(setting.name.to_owned()), "{} is declared twice", setting.name);
        }
        let mut switches: HashSet<String> =
            DEPRECATED_FLAGS.iter().map(|flag| flag.long.to_owned()).collect();
        for flag in all().filter_map(|setting| setting.flag) {
            let short = flag.short.map(String::from);
            let longs = flag.aliases.iter().chain([&flag.long]).map(|long| (*long).to_owned());
            for switch in longs.chain(short) {
                assert!(switches.insert(switch.clone()), "-{switch} is declared twice");
            }
        }
    }

    #[test]
    fn governing_switches_are_declared_and_refused() {
        for setting in all() {
            let Support::OnlyWith { switch, is } = setting.support else { continue };
            let governing = find(switch).map(|row| row.support);
            let Some(Support::NotYet { harmless, .. }) = governing else {
                panic!("{}: {switch} is not a setting that is still missing", setting.name);
            };
            assert!(!harmless.contains(&is), "{}: {switch}={is} is allowed", setting.name);
        }
    }

    #[test]
    fn honoured_flags_have_help() {
        for setting in all().filter(|setting| setting.flag.is_some() && setting.is_listed()) {
            assert!(!setting.help.is_empty(), "{} has no help", setting.name);
        }
    }

    #[test]
    fn typing_errors_find_their_name() {
        assert_eq!(nearest("pipeline.worker"), Some("pipeline.workers"));
        assert_eq!(nearest("path.conf"), Some("path.config"));
        assert_eq!(nearest("colour"), None);
    }
}
