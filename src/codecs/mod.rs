//! The codecs: one file per plugin, named as in Logstash.

mod avro;
mod cef;
mod cloudfront;
mod cloudtrail;
mod collectd;
mod csv;
mod documents;
mod dots;
mod edn;
mod edn_lines;
mod es_bulk;
mod fluent;
mod graphite;
mod gzip;
mod gzip_lines;
mod json;
mod json_lines;
mod line;
mod msgpack;
mod multiline;
mod netflow;
mod nmap;
mod numbers;
mod packed;
mod plain;
mod protobuf;
pub mod rubydebug;
mod target;
pub mod terminal;
mod text;
mod tokenizer;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

use crate::plugin::Spec;

/// Every codec of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &avro::SPEC,
    &cef::SPEC,
    &cloudfront::SPEC,
    &cloudtrail::SPEC,
    &collectd::SPEC,
    &csv::SPEC,
    &dots::SPEC,
    &edn::SPEC,
    &edn_lines::SPEC,
    &es_bulk::SPEC,
    &fluent::SPEC,
    &graphite::SPEC,
    &gzip_lines::SPEC,
    &json::SPEC,
    &json_lines::SPEC,
    &line::SPEC,
    &msgpack::SPEC,
    &multiline::SPEC,
    &netflow::SPEC,
    &nmap::SPEC,
    &plain::SPEC,
    &protobuf::SPEC,
    &rubydebug::SPEC,
];
