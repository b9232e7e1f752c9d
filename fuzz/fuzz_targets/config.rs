//! The config parser on arbitrary bytes: it ends, and what is wrong can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rstash::language::{ParseOptions, Sources, parse, refused_at_start, render_all};

fuzz_target!(|data: &[u8]| {
    let sources = Sources::single("fuzz", data);
    for support_escapes in [false, true] {
        let parsed = parse(&sources, ParseOptions { support_escapes });
        let refused = refused_at_start(&parsed.config);
        // Rendering is for people: thousands of findings would only slow the search down.
        for problems in [&parsed.diagnostics, &refused] {
            let shown = problems.get(..20).unwrap_or(problems);
            render_all(shown, &sources, true);
        }
    }
});
