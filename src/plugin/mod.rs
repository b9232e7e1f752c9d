//! What a plugin is: its `Spec`, the four traits, typed options and the common options every plugin has.
//!
//! A plugin is one file in `inputs/`, `filters/`, `outputs/` or `codecs/`: a struct declared with [`options!`], one of
//! the traits below, and a [`Spec`] that names both. This room knows no particular plugin; it reaches them through
//! the [`Registry`] that the pipeline hands in.

mod block;
pub mod blocking;
mod catalogue;
mod charset;
mod codec;
mod decoration;
mod filter;
mod input;
mod options;
mod output;
mod registry;
mod shared;
mod stdout;
mod stream_codec;
mod types;
mod variables;

use std::path::PathBuf;
use std::sync::Arc;

pub use crate::language::{Diagnostic as Problem, Severity};
use crate::queue::bus::Bus;
pub use block::{Block, BlockOption, ConfigKind, ConfigValue};
pub use catalogue::{CatalogueOption, catalogue_options};
pub use charset::{Charset, CharsetError};
pub use codec::{Apart, Codec, CodecFactory, EncodeError};
pub use decoration::{AddField, DecorateError, FieldName, FilterDecoration, InputDecoration};
pub use filter::{Emit, Emitted, Filter, Outcome};
pub use input::{Input, RunError, Shutdown, Sink};
pub use options::{
    FromOption, OptionReader, OptionSpec, common_options, count_options, join_options, option_name,
};
pub use output::{Delivery, Output, Undelivered};
pub(crate) use registry::NOT_AVAILABLE;
pub use registry::{Registry, is_logstash_plugin};
pub use shared::Shared;
pub use stdout::Stdout;
pub use stream_codec::StreamCodec;
pub use types::{Bytes, Choice, Pairs, Password, SecretText, choice_type_name, read_choice};
pub use variables::{Environment, UndefinedVariable, expand_whole};

pub(crate) use catalogue::check_unavailable;
pub(crate) use decoration::{take_common, take_unused_codec};
pub(crate) use options::options;
pub(crate) use types::choices;

/// The four kinds of plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Input,
    Filter,
    Output,
    Codec,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Filter => "filter",
            Kind::Output => "output",
            Kind::Codec => "codec",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A plugin's declaration: everything that checks, docs, listings and the pipeline need to know of it.
pub struct Spec {
    pub kind: Kind,
    /// The name used in configs.
    pub name: &'static str,
    /// One sentence for listings and the reference.
    pub summary: &'static str,
    /// The options of its own; the common ones of its kind come on top.
    pub options: &'static [OptionSpec],
    /// Old names of options, `(old, new)`: read as the new ones, with a warning.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Options that still work but are better not used: `(option, what to use)`.
    pub deprecated: &'static [(&'static str, &'static str)],
    /// Options that Logstash once had, or that make no sense here: `(option, why, and what to do instead)`.
    pub refused: &'static [(&'static str, &'static str)],
    /// The codec used when the config names none; `None` for plugins without a codec.
    pub default_codec: Option<&'static str>,
    pub example: Example,
    pub build: Build,
}

/// A config that shows the plugin at work. Filters' examples run as tests.
pub struct Example {
    pub config: &'static str,
    /// Events as JSON, right behind the inputs.
    pub input: &'static [&'static str],
    /// Events as JSON, as they reach the outputs; `@timestamp` is left out of the comparison where it is not named.
    pub output: &'static [&'static str],
}

/// How a plugin is made of its options. A builder reports problems to the reader and then returns `None`; it does no
/// I/O but reading files that options name, so that `--config-test` can call it.
pub enum Build {
    Input(fn(&mut OptionReader<'_>) -> Option<Box<dyn Input>>),
    Filter(fn(&mut OptionReader<'_>) -> Option<Box<dyn Filter>>),
    Output(fn(&mut OptionReader<'_>) -> Option<Box<dyn Output>>),
    Codec(fn(&mut OptionReader<'_>) -> Option<Box<dyn Codec>>),
}

/// `pipeline.ecs_compatibility`: which field names plugins use by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EcsMode {
    Disabled,
    V1,
    #[default]
    V8,
}

impl EcsMode {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "disabled" => Some(EcsMode::Disabled),
            "v1" => Some(EcsMode::V1),
            "v8" => Some(EcsMode::V8),
            _ => None,
        }
    }

    pub fn is_enabled(self) -> bool {
        self != EcsMode::Disabled
    }

    /// The legacy name or the ECS one, by mode.
    pub fn select<T>(self, disabled: T, ecs: T) -> T {
        if self.is_enabled() { ecs } else { disabled }
    }
}

/// What plugins may know of the pipeline they are built for.
#[derive(Clone)]
pub struct Context {
    pub pipeline_id: Arc<str>,
    pub node_name: Arc<str>,
    /// `path.data`: where plugins keep their state.
    pub data_path: PathBuf,
    pub ecs: EcsMode,
    /// `pipeline.workers`
    pub workers: usize,
    /// `pipeline.batch.size`
    pub batch_size: usize,
    pub registry: &'static Registry,
    /// The addresses of the pipelines of this process.
    pub bus: Bus,
    /// What plugins of this pipeline have together.
    pub shared: Shared,
    pub environment: Environment,
    /// Where the stdout output writes.
    pub stdout: Stdout,
    /// Whether a file that an option names and that is not there is but a warning: for checks on another machine than the
    /// one that will run the pipeline.
    pub files_may_miss: bool,
}

impl Context {
    /// A pipeline `main` of one worker with Logstash's defaults (ECS v8 among them), which sees no environment variables and
    /// keeps what its stdout output writes.
    pub fn new(registry: &'static Registry) -> Self {
        Context {
            pipeline_id: "main".into(),
            node_name: "rstash".into(),
            data_path: ".".into(),
            ecs: EcsMode::V8,
            workers: 1,
            batch_size: 125,
            registry,
            bus: Bus::default(),
            shared: Shared::default(),
            environment: Environment::new(|_| None),
            stdout: Stdout::Capture(Arc::default()),
            files_may_miss: false,
        }
    }
}

#[cfg(test)]
pub(crate) mod testkit;
