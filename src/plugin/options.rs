//! Typed options: one declaration gives a plugin's struct, its checks and its reference page.

use std::collections::HashSet;

use super::Problem;
use super::block::{Block, BlockOption, ConfigValue};
use super::{Context, EcsMode, Kind, Spec};
use crate::language::Span;
use crate::language::nearest;

/// One option as the reference page shows it.
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
        self.block.options.iter().find(|option| option.name == name)
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
        let span = self.span(option);
        let message =
            format!("option \"{option}\" of the {} {}: {}", self.block.name, self.block.kind, message.into());
        self.problems.push(Problem::error(span, message));
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
            ("periodic_flush", "boolean", "Call the filter's flush at regular intervals. Default: false."),
        ]),
        Kind::Output => common.extend([
            ("codec", "codec", "How events become bytes."),
            ("workers", "number", "Ignored by plugins that deliver concurrently anyway. Default: 1."),
        ]),
        Kind::Codec => {}
    }
    common
}

/// Declares a plugin's options: a struct, its `OPTIONS` for docs and checks, and `read`.
///
/// `name: Type = default` has a default in the config language; `name: Option<Type>` may be missing; `name: Type` is
/// required. Doc comments become the reference. Escape Rust's keywords: `r#type`.
macro_rules! options {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl $name {
            /// The options, for checks and for the reference.
            pub const OPTIONS: &'static [$crate::plugin::OptionSpec] = &[
                $( $crate::plugin::OptionSpec {
                    name: $crate::plugin::option_name(stringify!($field)),
                    doc: concat!($($doc, "\n"),*),
                    type_name: <$type as $crate::plugin::FromOption>::type_name,
                    default: $crate::plugin::options!(@default $($default)?),
                    required: <$type as $crate::plugin::FromOption>::REQUIRED
                        && $crate::plugin::options!(@default $($default)?).is_none(),
                }, )*
            ];

            /// Reads every option, so that all problems are found at once.
            pub fn read(reader: &mut $crate::plugin::OptionReader<'_>) -> Option<Self> {
                $( let $field = reader.take(
                    $crate::plugin::option_name(stringify!($field)),
                    $crate::plugin::options!(@default $($default)?),
                ); )*
                _ = &reader;
                Some(Self { $( $field: $field? ),* })
            }
        }
    };
    (@default) => { None::<&'static str> };
    (@default $default:expr) => { Some(stringify!($default)) };
}
pub(crate) use options;

/// The name of an option whose field had to be written as a raw identifier (`r#type`).
pub const fn option_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}
