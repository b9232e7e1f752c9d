//! The inputs: one file per plugin, named as in Logstash.

mod kafka;
mod twitter;

use crate::plugin::Spec;

/// Every input of this build, sorted by name.
pub static SPECS: &[&Spec] = &[&kafka::SPEC, &twitter::SPEC];
