//! What plugins declare: the page made of it, and whether it is all that Logstash's plugins have.

use std::path::Path;
use std::process::Command;

use rstash::plugin::{catalogue_options, common_options};

/// The page is what the program prints. `RSTASH_BLESS=1` writes it anew.
#[test]
fn the_reference_page_is_up_to_date() {
    let printed = Command::new(env!("CARGO_BIN_EXE_rstash")).args(["plugins", "--markdown"]).output();
    let printed = printed.expect("the program starts");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plugins.md");
    if std::env::var_os("RSTASH_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &printed.stdout).expect("the page can be written");
    }
    let there = std::fs::read(&path).expect("the page is there");
    assert!(
        there == printed.stdout,
        "docs/plugins.md is out of date: cargo run -- plugins --markdown > docs/plugins.md"
    );
}

/// Every option that a plugin has in Logstash is honoured here, or refused by its name with the reason.
#[test]
fn no_option_of_logstash_is_unknown() {
    let mut missing = Vec::new();
    for spec in rstash::registry().iter() {
        let common = common_options(spec.kind);
        for option in catalogue_options(spec.kind, spec.name).unwrap_or_default() {
            let known = spec.options.iter().any(|it| it.name == option.name)
                || spec.renamed.iter().any(|(old, _)| *old == option.name)
                || spec.refused.iter().any(|(name, _)| *name == option.name)
                || common.iter().any(|(name, _, _)| *name == option.name);
            if !known && !option.obsolete {
                missing.push(format!("{} {}: {}", spec.kind, spec.name, option.name));
            }
        }
    }
    assert!(missing.is_empty(), "neither declared nor refused:\n{}", missing.join("\n"));
}
