//! rstash: a Logstash-compatible pipeline.
pub mod codecs;
pub mod event;
pub mod filters;
pub mod inputs;
pub mod kafka;
pub mod language;
pub mod outputs;
pub mod pipeline;
pub mod plugin;
pub mod queue;
pub mod regex;
