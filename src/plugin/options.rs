//! Typed options: one declaration gives a plugin's struct, its checks and its reference page.

use std::collections::HashSet;
use std::path::Path;

use super::Problem;
use super::block::{Block, BlockOption, ConfigKind, ConfigValue};
use super::{Context, EcsMode, Kind, Spec};
use crate::language::Span;
use crate::language::nearest;

/// One option as the reference page shows it.
#[derive(Clone, Copy)]
pub struct OptionSpec {
    pub name: &'static str,
    pub doc: &'static str,
    /// The word for the type, e.g. `string` or `one of "a", "b"`.
    pub type_name: fn() -> String,
    /// The default in the config language, with escapes on.
    pub default: Option<&'static str>,
    pub required: bool,
}

/// A type that an option can have: what it accepts, and how Logstash coerces towards it (`config/mixin.rb`).
pub trait FromOption: Sized {
    /// Whether an option of this type without a default must be given.
    const REQUIRED: bool = true;

    /// The word for the type in messages and in the reference.
    fn type_name() -> String;

    /// Reads a value. Problems point at the value or at the part of it that is wrong.
    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>>;

    /// The value of an option that is not given and has no default.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether an optional option with this value counts as not given.
    fn is_nil(_value: &ConfigValue) -> bool {
        false
    }
}

impl<T: FromOption> FromOption for Option<T> {
    const REQUIRED: bool = false;

    fn type_name() -> String {
        T::type_name()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        // An empty list is how Logstash writes nil.
        if matches!(&value.kind, super::ConfigKind::Array(items) if items.is_empty()) && !T::accepts_empty() {
            return Ok(None);
        }
        if T::is_nil(value) {
            return Ok(None);
        }
        T::from_option(value, context).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Helper of the `Option` implementation: whether `[]` is a value of its own.
trait AcceptsEmpty {
    fn accepts_empty() -> bool;
}

impl<T: FromOption> AcceptsEmpty for T {
    fn accepts_empty() -> bool {
        let name = T::type_name();
        name.starts_with("array") || name.starts_with("hash")
    }
}

/// Hands a plugin its options, one by one, and collects everything that is wrong with them.
pub struct OptionReader<'a> {
    pub context: &'a Context,
    block: &'a Block,
    taken: HashSet<&'static str>,
    renamed: &'static [(&'static str, &'static str)],
    /// Options about which a problem has been noted instead of reading them.
    given_up: HashSet<&'a str>,
    problems: Vec<Problem>,
    ecs: EcsMode,
    id: String,
}

impl<'a> OptionReader<'a> {
    pub fn new(block: &'a Block, context: &'a Context, id: String) -> Self {
        let mut reader = OptionReader {
            context,
            block,
            taken: HashSet::new(),
            renamed: &[],
            given_up: HashSet::new(),
            problems: Vec::new(),
            ecs: context.ecs,
            id,
        };
        let ecs: Option<Option<super::types::EcsOption>> = reader.take("ecs_compatibility", None);
        if let Some(Some(super::types::EcsOption(mode))) = ecs {
            reader.ecs = mode;
        }
        reader
    }

    /// Reads options by their old names, `(old, new)`, where the new ones are not given.
    pub fn with_renamed(mut self, renamed: &'static [(&'static str, &'static str)]) -> Self {
        self.renamed = renamed;
        self
    }

    /// The plugin's id: the option `id`, or one made from its place in the config.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The mode for field names: the plugin's own `ecs_compatibility`, or the pipeline's.
    pub fn ecs(&self) -> EcsMode {
        self.ecs
    }

    pub fn kind(&self) -> Kind {
        self.block.kind
    }

    pub fn plugin_name(&self) -> &str {
        &self.block.name
    }

    /// Whether the config gives this option.
    pub fn is_given(&self, name: &str) -> bool {
        self.option(name).is_some()
    }

    fn option(&self, name: &str) -> Option<&'a BlockOption> {
        let given = |name: &str| self.block.options.iter().find(|option| option.name == name);
        given(name).or_else(|| {
            let old_names = self.renamed.iter().filter(|(_, new)| *new == name);
            old_names.filter_map(|(old, _)| given(old)).next()
        })
    }

    /// The place of an option's value, or of the plugin's name where the option is not given.
    pub fn span(&self, name: &str) -> Span {
        self.option(name).map_or(self.block.name_span, |option| option.value.span)
    }

    /// The value as it stands in the config, for checks that need the places inside it.
    pub fn value(&self, name: &str) -> Option<&'a ConfigValue> {
        self.option(name).map(|option| &option.value)
    }

    /// Reads one option. `None` means that there is a problem, which has been noted.
    pub fn take<T: FromOption>(&mut self, name: &'static str, default: Option<&str>) -> Option<T> {
        self.taken.insert(name);
        if let Some(option) = self.option(name) {
            return match T::from_option(&option.value, self.context) {
                Ok(value) => Some(value),
                Err(problems) => {
                    let plugin = format!("{} {}", self.block.name, self.block.kind);
                    self.problems.extend(problems.into_iter().map(|problem| Problem {
                        message: format!("option \"{name}\" of the {plugin}: {}", problem.message),
                        ..problem
                    }));
                    None
                }
            };
        }
        if let Some(default) = default {
            return self.read_default(name, default);
        }
        let absent = T::absent();
        if absent.is_none() {
            let message =
                format!("missing required option \"{name}\" of the {} {}", self.block.name, self.block.kind);
            let help = format!("add {name} => ... ({})", T::type_name());
            self.problems
                .push(Problem::error(self.block.name_span, message).label("option is missing").help(help));
        }
        absent
    }

    fn read_default<T: FromOption>(&mut self, name: &str, default: &str) -> Option<T> {
        let parsed = crate::language::parse_value(default).map_err(|error| error.message);
        let read = parsed.and_then(|value| {
            let value = ConfigValue::new(&value, &self.context.environment, &mut self.problems);
            T::from_option(&value, self.context).map_err(|problems| format!("{problems:?}"))
        });
        if let Err(error) = &read {
            // A declaration that does not fit its own type; the test that reads every default finds it.
            self.problems
                .push(Problem::error(self.block.name_span, format!("default of \"{name}\": {error}")));
        }
        read.ok()
    }

    /// Notes a mistake that only the plugin can see, at an option's value.
    pub fn error(&mut self, option: &str, message: impl Into<String>) {
        if self.may_miss(option) {
            return self.warning(option, message);
        }
        let span = self.span(option);
        let message =
            format!("option \"{option}\" of the {} {}: {}", self.block.name, self.block.kind, message.into());
        self.problems.push(Problem::error(span, message));
    }

    /// Whether an option names a file that is not here, and [`Context::files_may_miss`] says that it need not be.
    pub fn may_miss(&self, option: &str) -> bool {
        let missing = |value: &ConfigValue| match &value.kind {
            ConfigKind::Text(path) => !path.is_empty() && !Path::new(path).exists(),
            _ => false,
        };
        self.context.files_may_miss
            && self.value(option).is_some_and(|value| value.as_list().iter().any(missing))
    }

    /// Notes that an option works otherwise than one might think, at its value.
    pub fn warning(&mut self, option: &str, message: impl Into<String>) {
        let span = self.span(option);
        let message =
            format!("option \"{option}\" of the {} {}: {}", self.block.name, self.block.kind, message.into());
        self.problems.push(Problem::warning(span, message));
    }

    /// Notes that an option does nothing here, and why. Nothing is said of an option that the config leaves out.
    pub fn no_effect(&mut self, option: &str, why: &str) {
        let Some(given) = self.option(option) else { return };
        let message = format!(
            "option \"{option}\" of the {} {} has no effect: {why}",
            self.block.name, self.block.kind
        );
        self.problems.push(Problem::warning(given.name_span, message).label("remove this"));
    }

    /// Notes that an option must not be given, if it is, and why.
    pub(super) fn refuse(&mut self, name: &str, why: &str) {
        if let Some(option) = self.option(name) {
            let message =
                format!("option \"{name}\" of the {} {} is {why}", self.block.name, self.block.kind);
            self.problems.push(Problem::error(option.name_span, message).label("remove this"));
            self.given_up.insert(&option.name);
        }
    }

    /// Notes anything at a place of its own.
    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// What was found, with an error for every option that nobody asked for.
    pub fn finish(mut self, spec: &Spec) -> Vec<Problem> {
        let plugin = format!("the {} {}", self.block.name, self.block.kind);
        for option in &self.block.options {
            let name = option.name.as_str();
            if let Some(problem) = self.old_name(option, &plugin) {
                self.problems.push(problem);
                self.given_up.insert(name);
                continue;
            }
            if let Some((_, advice)) = spec.refused.iter().find(|(refused, _)| *refused == name) {
                let message = format!("option \"{name}\" of {plugin} is not available: {advice}");
                self.problems.push(Problem::error(option.name_span, message).label("remove this"));
                self.given_up.insert(name);
            }
            if let Some((_, advice)) = spec.deprecated.iter().find(|(deprecated, _)| *deprecated == name) {
                let message = format!("option \"{name}\" of {plugin} is deprecated: {advice}");
                self.problems.push(Problem::warning(option.name_span, message).label("deprecated"));
            }
        }
        let names: Vec<_> = spec.options.iter().map(|option| option.name).collect();
        self.finish_with(&names)
    }

    /// [`finish`](Self::finish) for a plugin that has no declaration, only these options.
    pub(super) fn finish_with(mut self, names: &[&str]) -> Vec<Problem> {
        let plugin = format!("the {} {}", self.block.name, self.block.kind);
        for option in &self.block.options {
            let name = option.name.as_str();
            if self.taken.contains(name) || self.given_up.contains(name) {
                continue;
            }
            if let Some(advice) = removed_common(self.block.kind, name) {
                let message = format!("option \"{name}\" of {plugin} is obsolete: {advice}");
                self.problems.push(Problem::error(option.name_span, message).label("remove this"));
                continue;
            }
            let known: Vec<_> = self.taken.iter().copied().chain(names.iter().copied()).collect();
            let message = format!("unknown option \"{name}\" for {plugin}");
            let problem = Problem::error(option.name_span, message).label("no such option");
            self.problems.push(match nearest(name, &known) {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem.help(self.known_options(names)),
            });
        }
        self.problems
    }

    /// What there is to say of an option that stands under its old name.
    fn old_name(&self, option: &BlockOption, plugin: &str) -> Option<Problem> {
        let (old, new) =
            self.renamed.iter().find(|(old, new)| *old == option.name && self.taken.contains(new))?;
        if self.block.options.iter().any(|other| other.name == *new) {
            let message = format!("\"{old}\" is an old name of \"{new}\": {plugin} has both");
            return Some(Problem::error(option.name_span, message).label("remove this"));
        }
        let message = format!("option \"{old}\" of {plugin} is deprecated: it is called \"{new}\" now");
        Some(Problem::warning(option.name_span, message).label("deprecated"))
    }

    fn known_options(&self, names: &[&str]) -> String {
        let (name, kind) = (&self.block.name, self.block.kind);
        match names.is_empty() {
            true => format!("the {name} {kind} has only the options common to every {kind}"),
            false => format!("it has: {}", names.join(", ")),
        }
    }
}

/// Options that every plugin of a kind once had.
fn removed_common(kind: Kind, name: &str) -> Option<&'static str> {
    Some(match (kind, name) {
        (Kind::Input, "debug") => "it no longer has any effect",
        (Kind::Input, "format") => "use the codec option instead",
        (Kind::Input | Kind::Output, "message_format") => "it is no longer valid; use a codec with a format",
        (Kind::Input, "charset") => "use the codec's charset, e.g. codec => plain { charset => \"UTF-8\" }",
        (Kind::Filter, "type" | "tags" | "exclude_tags")
        | (Kind::Output, "type" | "tags" | "exclude_tags") => {
            "put the plugin into an if, e.g. if [type] == \"x\" { ... }"
        }
        _ => return None,
    })
}

/// The options that every plugin of a kind has, as the reference shows them.
pub fn common_options(kind: Kind) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut common = vec![
        ("id", "string", "Name of this plugin in logs and metrics."),
        ("enable_metric", "boolean", "Whether this plugin's metrics are counted. Default: true."),
        (
            "ecs_compatibility",
            "string",
            "disabled, v1 or v8: the field names to use. Default: the pipeline's.",
        ),
    ];
    match kind {
        Kind::Input => common.extend([
            ("codec", "codec", "How bytes become events."),
            ("type", "string", "Sets the field type unless the event has one."),
            ("tags", "array of strings", "Tags added to every event."),
            ("add_field", "hash", "Fields added to every event."),
        ]),
        Kind::Filter => common.extend([
            ("add_field", "hash", "Fields added when the filter succeeds."),
            ("remove_field", "array of strings", "Fields removed when the filter succeeds."),
            ("add_tag", "array of strings", "Tags added when the filter succeeds."),
            ("remove_tag", "array of strings", "Tags removed when the filter succeeds."),
            (
                "periodic_flush",
                "boolean",
                "Has no effect: a filter that holds events back hands them on by itself.",
            ),
        ]),
        Kind::Output => common.extend([
            ("codec", "codec", "How events become bytes."),
            ("workers", "number", "Has no effect: batches are delivered concurrently anyway."),
        ]),
        Kind::Codec => {}
    }
    common
}

/// Declares a plugin's options: a struct, its `OPTIONS` for docs and checks, and `read`.
///
/// `name: Type = default` has a default in the config language; `name: Option<Type>` may be missing; `name: Type` is
/// required. Doc comments become the reference. Escape Rust's keywords: `r#type`. `..name: Group` at the end takes in
/// another such struct, as a field.
macro_rules! options {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(= $default:expr)?, )*
            $( ..$group:ident : $members:ty, )*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
            $( pub $group: $members, )*
        }

        impl $name {
            /// The options, for checks and for the reference.
            pub const OPTIONS: &'static [$crate::plugin::OptionSpec] = $crate::plugin::options!(
                @all [ $( $members ),* ]
                $( $crate::plugin::OptionSpec {
                    name: $crate::plugin::option_name(stringify!($field)),
                    doc: concat!($($doc, "\n"),*),
                    type_name: <$type as $crate::plugin::FromOption>::type_name,
                    default: $crate::plugin::options!(@default $($default)?),
                    required: <$type as $crate::plugin::FromOption>::REQUIRED
                        && $crate::plugin::options!(@default $($default)?).is_none(),
                }, )*
            );

            /// Reads every option, so that all problems are found at once.
            pub fn read(reader: &mut $crate::plugin::OptionReader<'_>) -> Option<Self> {
                $( let $field = reader.take(
                    $crate::plugin::option_name(stringify!($field)),
                    $crate::plugin::options!(@default $($default)?),
                ); )*
                $( let $group = <$members>::read(reader); )*
                _ = &reader;
                Some(Self { $( $field: $field?, )* $( $group: $group?, )* })
            }
        }
    };
    (@all [] $($option:expr,)*) => { &[ $($option),* ] };
    (@all [ $($members:ty),+ ] $($option:expr,)*) => {{
        const GROUPS: &[&[$crate::plugin::OptionSpec]] = &[ &[ $($option),* ] $(, <$members>::OPTIONS )+ ];
        const COUNT: usize = $crate::plugin::count_options(GROUPS);
        const JOINED: [$crate::plugin::OptionSpec; COUNT] = $crate::plugin::join_options(GROUPS);
        &JOINED
    }};
    (@default) => { None::<&'static str> };
    (@default $default:expr) => { Some(stringify!($default)) };
}
pub(crate) use options;

/// How many options there are in several groups.
pub const fn count_options(groups: &[&[OptionSpec]]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < groups.len() {
        count += groups[at].len();
        at += 1;
    }
    count
}

/// The options of several groups behind each other; `N` is their [count](count_options).
pub const fn join_options<const N: usize>(groups: &[&[OptionSpec]]) -> [OptionSpec; N] {
    let nothing = OptionSpec { name: "", doc: "", type_name: String::new, default: None, required: false };
    let mut joined = [nothing; N];
    let (mut filled, mut group) = (0, 0);
    while group < groups.len() {
        let mut at = 0;
        while at < groups[group].len() {
            joined[filled] = groups[group][at];
            (filled, at) = (filled + 1, at + 1);
        }
        group += 1;
    }
    joined
}

/// The name of an option whose field had to be written as a raw identifier (`r#type`).
pub const fn option_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Plan;
    use crate::plugin::testkit;
    use crate::plugin::{Block, Severity};

    options! {
        /// What two plugins share.
        struct Shared {
            /// A name.
            label: String = "none",
        }
    }

    options! {
        struct Whole {
            /// A number.
            count: i64 = 1,
            ..shared: Shared,
        }
    }

    const RENAMED: &[(&str, &str)] = &[("title", "label")];

    fn read(config: &str) -> (Option<Whole>, Vec<Problem>) {
        let parsed = crate::language::parse(
            &crate::language::Sources::single("test", format!("filter {{ drop {{ {config} }} }}")),
            crate::language::ParseOptions::default(),
        );
        let item = parsed.config.sections.first().and_then(|section| section.items.first());
        let Some(crate::language::ast::Item::Plugin(plugin)) = item else { panic!("no plugin") };
        let context = testkit::context();
        let mut problems = Vec::new();
        let block = Block::new(Kind::Filter, plugin, &context.environment, &mut problems);
        let mut reader = OptionReader::new(&block, &context, "drop".into()).with_renamed(RENAMED);
        let whole = Whole::read(&mut reader);
        let spec = crate::registry().get(Kind::Filter, "drop").unwrap();
        problems.extend(reader.finish(spec));
        (whole, problems)
    }

    #[test]
    fn a_group_is_part_of_the_options() {
        let names: Vec<_> = Whole::OPTIONS.iter().map(|option| option.name).collect();
        assert_eq!(names, ["count", "label"]);
        let (whole, problems) = read("count => 3 label => abc");
        let whole = whole.unwrap();
        assert_eq!((whole.count, whole.shared.label.as_str()), (3, "abc"));
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn old_names_are_read_with_a_warning() {
        let (whole, problems) = read("title => old");
        assert_eq!(whole.unwrap().shared.label, "old");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].severity, Severity::Warning);
        assert!(problems[0].message.contains("\"label\""), "{}", problems[0].message);
        let (_, problems) = read("title => old label => new");
        assert!(problems.iter().any(Problem::is_error), "{problems:?}");
    }

    /// What loading a config warns of, each with the text that it points at.
    fn warnings(config: &str) -> Vec<(String, String)> {
        let sources = crate::language::Sources::single("test.conf", config);
        let (plan, problems) = Plan::load(&sources, Default::default(), &testkit::context());
        assert!(plan.is_some(), "{problems:?}");
        let shown = |problem: Problem| {
            assert!(!problem.is_error(), "{problem:?}");
            let span = problem.span.unwrap();
            (problem.message, config[span.range()].to_owned())
        };
        problems.into_iter().map(shown).collect()
    }

    #[test]
    fn common_options_that_do_nothing_say_so() {
        let found = warnings(
            "input { generator {} } filter { drop { periodic_flush => true } } output { null { workers => 2 } }",
        );
        let [(flush, flush_at), (workers, workers_at)] = found.as_slice() else { panic!("{found:?}") };
        assert!(flush.starts_with("option \"periodic_flush\" of the drop filter has no effect: "), "{flush}");
        assert!(workers.starts_with("option \"workers\" of the null output has no effect: "), "{workers}");
        assert_eq!((flush_at.as_str(), workers_at.as_str()), ("periodic_flush", "workers"));
        assert_eq!(warnings("input { generator {} } filter { drop {} } output { null {} }"), []);
    }

    #[test]
    fn a_warning_does_not_hide_a_wrong_value() {
        let sources = crate::language::Sources::single("test.conf", "output { null { workers => many } }");
        let (plan, problems) = Plan::load(&sources, Default::default(), &testkit::context());
        assert!(plan.is_none() && problems.iter().any(Problem::is_error), "{problems:?}");
    }
}
