//! What a user agent's text tells, as the plugin's Java classes make it of matches (`UserAgentParser`, `OSParser`,
//! `DeviceParser`) and its Ruby code puts versions together.

use std::borrow::Cow;

use super::definitions::{Definition, Definitions};
use super::rules::Rules;
use crate::regex::{Captures, Error};

/// The name of what no pattern knows.
const OTHER: &str = "Other";

/// Patterns for the three things that a user agent tells of itself.
#[derive(Debug)]
pub struct AgentParser {
    agents: Rules<Definition>,
    systems: Rules<Definition>,
    devices: Rules<Definition>,
}

/// A user agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub name: String,
    /// Major, minor, patch and the fourth part, as far as they are known.
    pub parts: [Option<String>; 4],
    pub version: Option<String>,
    pub device: String,
    pub os: System,
}

/// An operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    pub name: String,
    /// Major, minor, patch and the fourth part, as far as they are known; they may be empty.
    pub parts: [Option<String>; 4],
    pub version: Option<String>,
}

impl AgentParser {
    pub fn new(definitions: Definitions) -> Result<Self, Error> {
        let rules = |mut definitions: Vec<Definition>| {
            let patterns = definitions.drain(..).map(|mut definition| {
                (std::mem::take(&mut definition.regex), definition.ignore_case, definition)
            });
            Rules::new(patterns)
        };
        Ok(AgentParser {
            agents: rules(definitions.agents)?,
            systems: rules(definitions.systems)?,
            devices: rules(definitions.devices)?,
        })
    }

    pub fn parse(&self, text: &str) -> Agent {
        let lowered = text.to_ascii_lowercase();
        let (name, parts) =
            self.agents.find(text, &lowered, agent).unwrap_or_else(|| (OTHER.to_owned(), Default::default()));
        let (os_name, os_parts) = self
            .systems
            .find(text, &lowered, system)
            .unwrap_or_else(|| (OTHER.to_owned(), Default::default()));
        let device = self.devices.find(text, &lowered, device).unwrap_or_else(|| OTHER.to_owned());
        Agent {
            version: agent_version(&parts, text),
            name,
            parts,
            device,
            os: System { version: os_version(&os_parts), name: os_name, parts: os_parts },
        }
    }
}

/// The text of a group; `None` where it took no part in the match, or does not exist.
fn group<'t>(captures: &Captures<'_, 't>, group: usize) -> Option<&'t str> {
    captures.get(group).map(|found| found.as_str())
}

fn agent(definition: &Definition, captures: &Captures<'_, '_>) -> Option<(String, [Option<String>; 4])> {
    let first = group(captures, 1);
    let name = match (&definition.family, first) {
        (Some(replacement), Some(first)) => replacement.replacen("$1", first, 1),
        (Some(replacement), None) => replacement.clone(),
        (None, first) => first?.to_owned(),
    };
    let filled = |number| group(captures, number).filter(|text| !text.is_empty()).map(str::to_owned);
    let [major, minor, _] = &definition.version;
    let major = major.clone().or_else(|| filled(2));
    let parts = match minor {
        Some(minor) => [major, Some(minor.clone()), None, None],
        None => [major, filled(3), filled(4), filled(5)],
    };
    Some((name, parts))
}

fn system(definition: &Definition, captures: &Captures<'_, '_>) -> Option<(String, [Option<String>; 4])> {
    let first = group(captures, 1);
    let name = match &definition.family {
        Some(replacement) if captures.len() > 1 => replacement.replace("$1", first.unwrap_or_default()),
        Some(replacement) => replacement.clone(),
        None => first?.to_owned(),
    };
    let part = |replacement: &Option<String>, number: usize| match replacement {
        Some(replacement) => match replacement.strip_prefix('$').map(str::parse) {
            Some(Ok(number)) => group(captures, number).map(str::to_owned),
            _ => Some(replacement.clone()),
        },
        None => group(captures, number).map(str::to_owned),
    };
    let [major, minor, patch] = &definition.version;
    Some((name, [part(major, 2), part(minor, 3), part(patch, 4), part(&None, 5)]))
}

fn device(definition: &Definition, captures: &Captures<'_, '_>) -> Option<String> {
    match &definition.family {
        Some(replacement) if replacement.contains('$') => {
            Some(fill_in(replacement, captures).trim().to_owned())
        }
        Some(replacement) => Some(replacement.clone()),
        None => group(captures, 1).map(str::to_owned),
    }
}

/// A text with its `$1` to `$9` replaced by groups.
fn fill_in<'d>(template: &'d str, captures: &Captures<'_, '_>) -> Cow<'d, str> {
    let Some((before, mut rest)) = template.split_once('$') else { return Cow::Borrowed(template) };
    let mut out = before.to_owned();
    loop {
        match rest.chars().next().and_then(|digit| digit.to_digit(10)) {
            Some(number) => {
                out.push_str(group(captures, number as usize).unwrap_or_default());
                rest = rest.get(1..).unwrap_or_default();
            }
            None => out.push('$'),
        }
        match rest.split_once('$') {
            Some((before, behind)) => {
                out.push_str(before);
                rest = behind;
            }
            None => {
                out.push_str(rest);
                return Cow::Owned(out);
            }
        }
    }
}

/// The parts with points between. Where the patterns give three parts, a fourth is read from the text itself.
fn agent_version(parts: &[Option<String>; 4], text: &str) -> Option<String> {
    let [major, minor, patch, fourth] = parts;
    let mut version = major.clone()?;
    let Some(minor) = minor else { return Some(version) };
    version.extend([".", minor]);
    let Some(patch) = patch else { return Some(version) };
    version.extend([".", patch]);
    let read = || {
        let (_, behind) = text.split_once(version.as_str())?;
        let (fourth, _) = behind.strip_prefix('.')?.split_once(' ')?;
        is_plain_number(fourth).then_some(fourth)
    };
    if let Some(fourth) = fourth.as_deref().or_else(read) {
        let fourth = fourth.to_owned();
        version.extend([".", &fourth]);
    }
    Some(version)
}

/// The parts with points between; behind a name (`Vista`) stands a space.
fn os_version(parts: &[Option<String>; 4]) -> Option<String> {
    let [major, minor, patch, fourth] = parts;
    let major = major.as_ref()?;
    let mut version = major.clone();
    let separators = [if is_plain_number(major) { "." } else { " " }, ".", "."];
    for (part, separator) in [minor, patch, fourth].into_iter().zip(separators) {
        let Some(part) = part else { break };
        version.extend([separator, part]);
    }
    Some(version)
}

/// Whether a text is what Ruby prints of the integer it reads from it: `0`, `12`, `-3`, but neither `01` nor `XP`.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (!digits.starts_with('0') || text == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser(agents: &str, systems: &str, devices: &str) -> AgentParser {
        let text =
            format!("user_agent_parsers: [{agents}]\nos_parsers: [{systems}]\ndevice_parsers: [{devices}]\n");
        AgentParser::new(Definitions::parse(&text).unwrap()).unwrap()
    }

    fn versions(agent: &Agent) -> (&str, Option<&str>) {
        (&agent.name, agent.version.as_deref())
    }

    #[test]
    fn a_fourth_part_is_read_from_the_text() {
        let parser = parser(r"{regex: '(App)/(\d+)\.(\d+)\.(\d+)'}", "", "");
        for (text, version) in [
            ("App/1.2.3.4 x", "1.2.3.4"),
            ("App/1.2.3.04 x", "1.2.3"),
            ("App/1.2.3.4", "1.2.3"),
            ("App/1.2.3.4b x", "1.2.3"),
            ("App/1.2.3 4 x", "1.2.3"),
        ] {
            assert_eq!(versions(&parser.parse(text)), ("App", Some(version)), "{text}");
        }
    }

    #[test]
    fn replacements_of_agents() {
        let agents = [
            r"{regex: '(?:(Foo)|bar)/(\d*)\.(\d+)\.(\d+)', family_replacement: 'X $1 $1', v1_replacement: '9'}",
            r"{regex: '(q)?uux(\d+)'}",
            r"{regex: '(uux)(\d*)\.(\d+)\.(\d+)', v2_replacement: '7'}",
        ];
        let parser = parser(&agents.join(", "), "", "");
        assert_eq!(versions(&parser.parse("Foo/1.2.3")), ("X Foo $1", Some("9.2.3")));
        assert_eq!(versions(&parser.parse("bar/1.2.3")), ("X $1 $1", Some("9.2.3")));
        // The second pattern gives no name, so the third one is tried; a replaced minor part ends the version.
        assert_eq!(versions(&parser.parse("uux5.6.8")), ("uux", Some("5.7")));
        assert_eq!(versions(&parser.parse("nothing")), ("Other", None));
    }

    #[test]
    fn versions_of_systems() {
        let systems = [
            r"{regex: '(Win) (XP|\d+)(?: (SP\d))?', os_v3_replacement: 'end'}",
            r"{regex: 'Mac (\d+)_(\d+)', os_replacement: 'Mac OS', os_v1_replacement: '$1', os_v2_replacement: '$2'}",
            r"{regex: '(Tizen)/(\d*)'}",
        ];
        let parser = parser("", &systems.join(", "), "");
        let os = |text: &str| {
            let os = parser.parse(text).os;
            format!("{} | {}", os.name, os.version.unwrap_or("-".into()))
        };
        assert_eq!(os("Win XP SP3"), "Win | XP SP3.end");
        assert_eq!(os("Win 10"), "Win | 10");
        assert_eq!(os("Mac 10_15"), "Mac OS | 10.15");
        assert_eq!(os("Tizen/"), "Tizen | ");
        assert_eq!(os("else"), "Other | -");
    }

    #[test]
    fn replacements_of_devices() {
        let devices = [
            r"{regex: 'dev;(\w+)?;(\w+)?', device_replacement: '$2 $1$3 $'}",
            r"{regex: '(?:(HTC)|htc)x', regex_flag: 'i'}",
            "{regex: 'htc', device_replacement: 'plain'}",
        ];
        let parser = parser("", "", &devices.join(", "));
        for (text, device) in
            [("dev;a;b", "b a $"), ("dev;;", "$"), ("htcX", "htc"), ("HTC", "Other"), ("htc-", "plain")]
        {
            assert_eq!(parser.parse(text).device, device, "{text}");
        }
    }
}
