//! rstash: a Logstash-compatible pipeline.
pub mod cli;
pub mod codecs;
pub mod event;
pub mod filters;
pub mod inputs;
pub mod language;
pub mod logging;
pub mod outputs;
pub mod pipeline;
pub mod plugin;
pub mod queue;
pub mod regex;
pub mod settings;
