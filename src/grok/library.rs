//! The patterns that come with Logstash (logstash-patterns-core), in two sets.
//!
//! Most of the legacy ones are taken from the crate `grok`; the others stand in files of our own, `patterns/`, whose
//! notation is that of any pattern file, `NAME expression`, with two additions:
//! - `NAME joined by "X"` is followed by indented lines, which X joins to one expression;
//! - `%-{NAME:field}` is short for `(?:-|%{NAME:field})`, a dash where there is no value.
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The two sets of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// Field names of before the Elastic Common Schema.
    Legacy,
    /// Field names of the Elastic Common Schema.
    EcsV1,
}

type Patterns = HashMap<&'static str, Cow<'static, str>>;

const BOTH: &str = include_str!("patterns/both");

const LEGACY: &str = include_str!("patterns/legacy");

const ECS_V1: [&str; 10] = [
    include_str!("patterns/ecs-v1/aws"),
    include_str!("patterns/ecs-v1/bacula"),
    include_str!("patterns/ecs-v1/base"),
    include_str!("patterns/ecs-v1/bro"),
    include_str!("patterns/ecs-v1/firewalls"),
    include_str!("patterns/ecs-v1/java"),
    include_str!("patterns/ecs-v1/nagios"),
    include_str!("patterns/ecs-v1/servers"),
    include_str!("patterns/ecs-v1/web"),
    include_str!("patterns/ecs-v1/zeek"),
];

/// Patterns of the crate that use names of the Elastic Common Schema and are not in the legacy set.
const ECS_ONLY: [&str; 7] = [
    "IPTABLES",
    "IPTABLES4_FRAG",
    "IPTABLES4_PART",
    "IPTABLES6_PART",
    "IPTABLES_TCP_FLAGS",
    "IPTABLES_TCP_PART",
    "SFW2_LOG_PREFIX",
];

impl Library {
    /// The expression of a pattern.
    pub fn get(self, name: &str) -> Option<&'static str> {
        self.patterns().get(name).map(|pattern| &**pattern)
    }

    /// The names of all its patterns, in no particular order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.patterns().keys().copied()
    }

    /// Read when the first pattern is asked for: a config without grok pays nothing.
    fn patterns(self) -> &'static Patterns {
        static LEGACY_SET: LazyLock<Patterns> = LazyLock::new(|| {
            let mut patterns = crate_patterns();
            patterns.retain(|name, _| !ECS_ONLY.contains(name));
            patterns.extend(read(BOTH).chain(read(LEGACY)));
            patterns
        });
        static ECS_V1_SET: LazyLock<Patterns> = LazyLock::new(|| {
            let mut patterns = crate_patterns();
            patterns.extend(read(BOTH).chain(ECS_V1.into_iter().flat_map(read)));
            patterns
        });
        match self {
            Library::Legacy => &LEGACY_SET,
            Library::EcsV1 => &ECS_V1_SET,
        }
    }
}

fn crate_patterns() -> Patterns {
    ::grok::patterns().iter().map(|(name, pattern)| (*name, Cow::Borrowed(*pattern))).collect()
}

/// Reads a file of `patterns/`.
fn read(text: &'static str) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    std::iter::from_fn(move || {
        let (name, rest) = lines.next()?.split_once(' ')?;
        let Some(joint) = rest.strip_prefix("joined by \"").and_then(|rest| rest.strip_suffix('"')) else {
            return Some((name, with_dashes(rest.into())));
        };
        let mut parts = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            parts.push(line.trim());
        }
        Some((name, with_dashes(parts.join(joint).into())))
    })
}

/// Writes `%-{..}` out.
fn with_dashes(pattern: Cow<'static, str>) -> Cow<'static, str> {
    let mut pieces = pattern.split("%-{");
    let first = pieces.next().unwrap_or_default();
    if first.len() == pattern.len() {
        return pattern;
    }
    let mut written = first.to_owned();
    for piece in pieces {
        let (reference, behind) = piece.split_once('}').unwrap_or((piece, ""));
        written.push_str("(?:-|%{");
        written.push_str(reference);
        written.push_str("})");
        written.push_str(behind);
    }
    written.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_as_large_as_those_of_logstash() {
        // As many names as logstash-patterns-core 4.3.4 has; the ECS set has gained CLOUDFRONT_EDGE_LOCATION.
        assert_eq!(Library::Legacy.names().count(), 317);
        assert_eq!(Library::EcsV1.names().count(), 362);
    }

    #[test]
    fn files_are_read() {
        let text = "# comment\nA x y \nB joined by \"\\t\"\n    %-{A:a}\n    b\n\nC <z>\n";
        let patterns: Vec<_> = read(text).collect();
        assert_eq!(
            patterns,
            [("A", "x y ".into()), ("B", "(?:-|%{A:a})\\tb".into()), ("C", Cow::Borrowed("<z>"))]
        );
    }
}
