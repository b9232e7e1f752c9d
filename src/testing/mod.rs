//! `rstash test`: runs a config on given events and compares what comes out with what is expected.
//!
//! A case is one JSON object on one line: `name`, `config`, and the optional `settings`, `codec`, `input`, `files`,
//! `mode`, `expect`, `volatile`. Events enter right behind the inputs; what the filters let through to the outputs is
//! compared.

mod case;
mod inject;
mod raw;
mod report;

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

pub use case::{Case, Mode};
pub use report::{Format, Status, Verdict};

/// Runs every case of every file and writes the verdicts. Returns whether all passed.
///
/// # Errors
/// A file that cannot be read, or a report that cannot be written.
pub fn run_files(files: &[PathBuf], format: Format, out: &mut dyn Write) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = report::Report::new(format, out);
    for path in files {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let lines = BufReader::new(std::fs::File::open(path).map_err(named)?).lines();
        for (number, line) in lines.enumerate() {
            let line = line.map_err(named)?;
            if line.trim().is_empty() {
                continue;
            }
            let verdict = match Case::parse(&line) {
                Ok(case) => case.run(&runtime),
                Err(error) => Verdict::error(format!("{}:{}", path.display(), number + 1), error),
            };
            report.add(&verdict)?;
        }
    }
    report.finish()
}
