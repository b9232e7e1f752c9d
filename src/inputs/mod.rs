//! The inputs: one file per plugin, named as in Logstash.

mod generator;
mod heartbeat;
mod stdin;
pub mod twitter;

use crate::plugin::Spec;

/// Every input of this build, sorted by name.
pub static SPECS: &[&Spec] = &[&generator::SPEC, &heartbeat::SPEC, &stdin::SPEC, &twitter::SPEC];
