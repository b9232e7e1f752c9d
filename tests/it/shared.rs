//! What tests use that a clone may not have: recordings, servers, programs. A missing one is said in a line, or is a
//! failure where everything is required.

use std::path::{Path, PathBuf};

/// Says what a test lacks. With RSTASH_REQUIRE_ALL=1 that is a failure.
pub fn missing(what: &str) {
    let message = format!("not run: {what}");
    assert!(std::env::var_os("RSTASH_REQUIRE_ALL").is_none_or(|value| value != "1"), "{message}");
    println!("{message}");
}

/// The directory with the recordings that are too large or not free to be part of the project, if it is there.
pub fn recordings() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let directory = std::env::var_os("RSTASH_SHARED").map_or_else(beside, PathBuf::from);
    if !directory.is_dir() {
        missing(&format!("the recordings are missing ({}; set RSTASH_SHARED)", directory.display()));
        return None;
    }
    Some(directory)
}

/// Whether tests shall take the full numbers, however long that takes.
pub fn is_soak() -> bool {
    std::env::var_os("RSTASH_SOAK").is_some_and(|value| value == "1")
}
