//! The kv filter on arbitrary text: each way of splitting it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash_fuzz::Filters;

static FILTERS: LazyLock<Filters> = LazyLock::new(|| Filters::new("kv", CONFIG));

const CONFIG: &str = r#"filter {
  kv { }
  kv { field_split_pattern => "[&?;]+" value_split => ":=" trim_key => "<>" trim_value => "\"" recursive => true }
  kv { whitespace => strict include_brackets => false remove_char_value => "x" transform_key => "lowercase" }
}"#;

fuzz_target!(|data: &[u8]| FILTERS.run(data));
