//! Files of test cases, in every form: reading them ends, whatever they hold. Nothing is run.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| rstash::testing::read_any(&String::from_utf8_lossy(data)));
