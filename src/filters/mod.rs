//! The filters: one file per plugin, named as in Logstash.

mod clone;
mod date;
mod drop;
mod grok;
mod json;
mod json_encode;
mod mutate;
mod sleep;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] =
    &[&clone::SPEC, &date::SPEC, &drop::SPEC, &grok::SPEC, &json::SPEC, &json_encode::SPEC, &mutate::SPEC, &sleep::SPEC];
