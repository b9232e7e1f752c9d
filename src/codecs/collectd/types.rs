//! The names of the values that a type of collectd has (types.db(5)).

use std::collections::HashMap;
use std::path::PathBuf;

/// The types of collectd's own types.db that have several values. A single value is called `value`, whatever its type.
#[rustfmt::skip]
const SEVERAL: &[(&str, &[&str])] = &[
    ("arc_counts", &["demand_data", "demand_metadata", "prefetch_data", "prefetch_metadata"]),
    ("arc_l2_bytes", &["read", "write"]),
    ("arc_size", &["current", "target", "minlimit", "maxlimit"]),
    ("compression", &["uncompressed", "compressed"]),
    ("df", &["used", "free"]),
    ("disk_io_time", &["io_time", "weighted_io_time"]),
    ("disk_latency", &["read", "write"]),
    ("disk_merged", &["read", "write"]),
    ("disk_octets", &["read", "write"]),
    ("disk_ops", &["read", "write"]),
    ("disk_time", &["read", "write"]),
    ("dns_octets", &["queries", "responses"]),
    ("domain_state", &["state", "reason"]),
    ("ib_octets", &["rx", "tx"]),
    ("ib_packets", &["rx", "tx"]),
    ("if_dropped", &["rx", "tx"]),
    ("if_errors", &["rx", "tx"]),
    ("if_octets", &["rx", "tx"]),
    ("if_packets", &["rx", "tx"]),
    ("io_octets", &["rx", "tx"]),
    ("io_ops", &["read", "write"]),
    ("io_packets", &["rx", "tx"]),
    ("load", &["shortterm", "midterm", "longterm"]),
    ("memcached_octets", &["rx", "tx"]),
    ("mysql_octets", &["rx", "tx"]),
    ("mysql_qcache", &["hits", "inserts", "not_cached", "lowmem_prunes", "queries_in_cache"]),
    ("mysql_threads", &["running", "connected", "cached", "created"]),
    ("node_octets", &["rx", "tx"]),
    ("pmu_counter", &["scaled", "raw", "enabled", "running"]),
    ("ps_count", &["processes", "threads"]),
    ("ps_cputime", &["user", "syst"]),
    ("ps_disk_octets", &["read", "write"]),
    ("ps_disk_ops", &["read", "write"]),
    ("ps_pagefaults", &["minflt", "majflt"]),
    ("serial_octets", &["rx", "tx"]),
    ("smart_attribute", &["current", "worst", "threshold", "pretty"]),
    ("vf_bytes", &["vf_rx", "vf_tx"]),
    ("vf_dropped", &["vf_rx", "vf_tx"]),
    ("vf_packets", &["vf_rx", "vf_tx"]),
    ("vmpage_faults", &["minflt", "majflt"]),
    ("vmpage_io", &["in", "out"]),
    ("voltage_threshold", &["value", "threshold"]),
];

/// The names of values by type.
#[derive(Debug, Default)]
pub struct Types(HashMap<String, Vec<String>>);

impl Types {
    /// Reads files in the form of types.db, or takes collectd's own types where there are none. Fails where a file
    /// cannot be read.
    pub fn load(files: Option<&[PathBuf]>) -> Result<Self, String> {
        let mut types = Types::default();
        let Some(files) = files else {
            let several = SEVERAL.iter().map(|(name, values)| {
                ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
            });
            return Ok(Types(several.collect()));
        };
        for file in files {
            let text =
                std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            text.lines().for_each(|line| types.add(line));
        }
        Ok(types)
    }

    /// Takes a line such as `if_octets rx:DERIVE:0:U, tx:DERIVE:0:U`.
    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next().filter(|name| !name.starts_with('#')) else { return };
        let values = words.map(|word| word.split(':').next().unwrap_or_default().to_owned());
        self.0.insert(name.to_owned(), values.collect());
    }

    /// The name of a type's value.
    pub fn name(&self, kind: &str, at: usize) -> Option<&str> {
        self.0.get(kind)?.get(at).map(String::as_str)
    }
}
