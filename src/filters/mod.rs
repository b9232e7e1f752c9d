//! The filters: one file per plugin, named as in Logstash.

mod date;
mod drop;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[&date::SPEC, &drop::SPEC];
