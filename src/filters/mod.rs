//! The filters: one file per plugin, named as in Logstash.

mod clone;
mod date;
mod drop;
mod json;
mod mutate;
mod sleep;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] =
    &[&clone::SPEC, &date::SPEC, &drop::SPEC, &json::SPEC, &mutate::SPEC, &sleep::SPEC];
