//! The dissect filter on arbitrary text: delimiters, padding, appended and indirect fields.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash_fuzz::Filters;

static FILTERS: LazyLock<Filters> = LazyLock::new(|| Filters::new("dissect", CONFIG));

const CONFIG: &str = r#"filter {
  dissect { mapping => { "message" => "%{ts} %{+ts} %{src->} %{?k}=%{&k}: %{rest}" } }
  dissect { mapping => { "message" => "<%{a}>[%{+a/2}|%{+a/1}]%{}" } convert_datatype => { "a" => "int" } }
}"#;

fuzz_target!(|data: &[u8]| FILTERS.run(data));
