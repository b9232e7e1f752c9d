//! The outputs: one file per plugin, named as in Logstash.

mod kafka;
mod null;

use crate::plugin::Spec;

/// Every output of this build, sorted by name.
pub static SPECS: &[&Spec] = &[&kafka::SPEC, &null::SPEC];
