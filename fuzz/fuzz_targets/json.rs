//! JSON to values and back: whatever can be read is written so that it can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rstash::event::json::{Decimals, parse, write_value};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    _ = parse(&text, Decimals::Double);
    let Ok(value) = parse(&text, Decimals::Exact) else { return };
    let mut written = Vec::new();
    write_value(&mut written, &value);
    let written = String::from_utf8(written).expect("JSON is UTF-8");
    let again = parse(&written, Decimals::Exact).expect("what was written can be read");
    assert_eq!(again, value, "{written}");
});
