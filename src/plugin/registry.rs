//! `Registry`: which plugins there are.

use super::{Kind, Problem, Spec};
use crate::language::Span;
use crate::language::nearest;

/// Every plugin of this build, sorted by kind and name.
pub struct Registry {
    specs: Vec<&'static Spec>,
}

impl Registry {
    pub fn new(specs: impl IntoIterator<Item = &'static Spec>) -> Self {
        let mut specs: Vec<_> = specs.into_iter().collect();
        specs.sort_by_key(|spec| (spec.kind, spec.name));
        Registry { specs }
    }

    pub fn get(&self, kind: Kind, name: &str) -> Option<&'static Spec> {
        let found = self.specs.binary_search_by_key(&(kind, name), |spec| (spec.kind, spec.name)).ok()?;
        self.specs.get(found).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'static Spec> {
        self.specs.iter().copied()
    }

    /// The plugin that a misspelt name most likely means.
    pub fn nearest(&self, kind: Kind, name: &str) -> Option<&'static str> {
        let names: Vec<_> =
            self.specs.iter().filter(|spec| spec.kind == kind).map(|spec| spec.name).collect();
        nearest(name, &names)
    }

    /// What to say of a plugin that is not there: whether Logstash has it, or which one was probably meant.
    pub fn unknown(&self, kind: Kind, name: &str, span: Span) -> Problem {
        if is_logstash_plugin(kind, name) {
            return Problem::error(span, format!("the {kind} \"{name}\" {NOT_AVAILABLE}"))
                .label("Logstash has this plugin, rstash does not yet");
        }
        let problem = Problem::error(span, format!("there is no {kind} \"{name}\"")).label("unknown plugin");
        if let Some((_, _, instead)) = REMOVED_PLUGINS.iter().find(|(of, old, _)| (*of, *old) == (kind, name))
        {
            return problem.label("Logstash has removed this plugin").help(*instead);
        }
        match self.nearest(kind, name) {
            Some(near) => problem.help(format!("did you mean \"{near}\"?")),
            None => problem.help("rstash plugins lists those there are"),
        }
    }
}

/// Plugins that Logstash once had and that configs still name: kind, name, and what took their place.
const REMOVED_PLUGINS: &[(Kind, &str, &str)] = &[(
    Kind::Filter,
    "multiline",
    "use the multiline codec in the input, e.g. codec => multiline { pattern => \"^\\s\" what => \"previous\" }",
)];

/// How the message about a plugin ends that Logstash has and this build has not.
pub(crate) const NOT_AVAILABLE: &str = "is not available yet";

/// Whether Logstash has a plugin of this name, so that a config using it is right even if this build lacks it.
pub fn is_logstash_plugin(kind: Kind, name: &str) -> bool {
    LOGSTASH_PLUGINS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .any(|(plugin_kind, names)| plugin_kind == kind.name() && names.split(' ').any(|known| known == name))
}

/// One line per kind: the kind, then the names of the plugins that Logstash or its authors publish.
const LOGSTASH_PLUGINS: &str = include_str!("logstash_plugins.txt");
