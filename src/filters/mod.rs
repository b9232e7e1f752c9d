//! The filters: one file per plugin, named as in Logstash.

mod clone;
mod csv;
mod date;
mod dissect;
mod drop;
mod json;
mod json_encode;
mod kv;
mod mutate;
mod prune;
mod sleep;
mod split;
mod truncate;
mod urldecode;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &clone::SPEC,
    &csv::SPEC,
    &date::SPEC,
    &dissect::SPEC,
    &drop::SPEC,
    &json::SPEC,
    &json_encode::SPEC,
    &kv::SPEC,
    &mutate::SPEC,
    &prune::SPEC,
    &sleep::SPEC,
    &split::SPEC,
    &truncate::SPEC,
    &urldecode::SPEC,
];
