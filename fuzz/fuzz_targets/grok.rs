//! The grok filter on arbitrary text: patterns that backtrack, and the time limit.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash_fuzz::Filters;

static FILTERS: LazyLock<Filters> = LazyLock::new(|| Filters::new("grok", CONFIG));

const CONFIG: &str = r#"filter {
  grok { match => { "message" => ["%{COMBINEDAPACHELOG}", "%{SYSLOGLINE}", "%{URI:u} %{QS:q} %{IP:i}", "%{TIMESTAMP_ISO8601:t} %{GREEDYDATA:a},%{GREEDYDATA:b}"] } timeout_millis => 1000 }
}"#;

fuzz_target!(|data: &[u8]| FILTERS.run(data));
