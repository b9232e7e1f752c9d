//! JSON to values and back: whatever can be read is written so that it reads and is written as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rstash::event::json::{Decimals, parse, write_value};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    _ = parse(&text, Decimals::Double);
    let Ok(value) = parse(&text, Decimals::Exact) else { return };
    let write = |value| {
        let mut written = Vec::new();
        write_value(&mut written, value);
        String::from_utf8(written).expect("JSON is UTF-8")
    };
    let written = write(&value);
    let again = parse(&written, Decimals::Exact).expect("what was written can be read");
    // The texts: a decimal such as 1e0 is written as 1, which reads as an integer.
    assert_eq!(write(&again), written);
});
