//! The inputs: one file per plugin, named as in Logstash.

mod kafka;
pub mod twitter;

use crate::plugin::Spec;

/// Every input of this build, sorted by name.
pub static SPECS: &[&Spec] = &[&kafka::SPEC, &twitter::SPEC];
