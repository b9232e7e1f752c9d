//! The date filter on arbitrary text: each kind of format.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash_fuzz::Filters;

static FILTERS: LazyLock<Filters> = LazyLock::new(|| Filters::new("date", CONFIG));

const CONFIG: &str = r#"filter {
  date { match => ["message", "ISO8601", "UNIX", "UNIX_MS", "TAI64N"] }
  date { match => ["message", "dd/MMM/yyyy:HH:mm:ss Z", "MMM  d HH:mm:ss", "EEE, d MMM yyyy HH:mm:ss z", "yyyy-DDD G YY xxxx e a hh"] locale => "de" timezone => "Europe/Paris" }
  date { match => ["message", "yyyy-MM-dd HH:mm:ss.SSSSSSSSS VV"] precision => "ns" }
}"#;

fuzz_target!(|data: &[u8]| FILTERS.run(data));
