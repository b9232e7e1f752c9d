//! The csv filter on arbitrary text: quotes, separators, conversions.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash_fuzz::Filters;

static FILTERS: LazyLock<Filters> = LazyLock::new(|| Filters::new("csv", CONFIG));

const CONFIG: &str = r#"filter {
  csv { }
  csv { columns => ["a", "b", "c"] convert => { "a" => "integer" "b" => "float" "c" => "date" } }
  csv { separator => ";" quote_char => "'" skip_empty_columns => true skip_empty_rows => true }
}"#;

fuzz_target!(|data: &[u8]| FILTERS.run(data));
