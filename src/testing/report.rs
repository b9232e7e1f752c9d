//! Reports: verdicts for people, for programs, and for CI servers.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::coverage::Coverage;
use super::judge::{Status, Verdict};

/// How verdicts are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A diff for each failed case and a closing line `N passed, N failed`.
    Human,
    /// One JSON object a case; with coverage, one more for it.
    Json,
    /// One XML document as JUnit writes it, with a suite for each file; coverage goes to standard error.
    Junit,
}

/// Prints verdicts as they come.
pub struct Report<'o> {
    format: Format,
    out: &'o mut dyn Write,
    passed: usize,
    failed: usize,
    suites: Vec<TestSuite>,
}

impl<'o> Report<'o> {
    pub fn new(format: Format, out: &'o mut dyn Write) -> Self {
        Report { format, out, passed: 0, failed: 0, suites: Vec::new() }
    }

    /// Adds a verdict of a case that stands in `file`. Verdicts of one file come one after the other.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn add(&mut self, file: &str, verdict: &Verdict) -> io::Result<()> {
        match verdict.status {
            Status::Passed => self.passed += 1,
            Status::Failed | Status::Error => self.failed += 1,
        }
        match self.format {
            Format::Json => writeln!(self.out, "{}", verdict.to_json()),
            Format::Junit => {
                self.add_to_suite(file, verdict);
                Ok(())
            }
            Format::Human if verdict.status == Status::Passed => Ok(()),
            Format::Human => {
                writeln!(self.out, "FAILED {}", verdict.name)?;
                for line in verdict.reasons().iter().flat_map(|reason| reason.lines()) {
                    writeln!(self.out, "    {line}")?;
                }
                writeln!(self.out)
            }
        }
    }

    fn add_to_suite(&mut self, file: &str, verdict: &Verdict) {
        if self.suites.last().is_none_or(|suite| suite.name.as_str() != file) {
            self.suites.push(TestSuite::new(file));
        }
        let Some(suite) = self.suites.last_mut() else { return };
        let mut status = match verdict.status {
            Status::Passed => TestCaseStatus::success(),
            Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        if verdict.status != Status::Passed {
            let reasons = verdict.reasons().join("\n");
            status.set_message(reasons.lines().next().unwrap_or_default()).set_description(reasons);
        }
        let mut case = TestCase::new(verdict.name.as_str(), status);
        case.set_classname(file).set_time(verdict.time);
        suite.add_test_case(case);
        suite.set_time(suite.time.unwrap_or_default() + verdict.time);
    }

    /// Prints what comes after the last verdict; returns whether every case passed.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn finish(mut self, coverage: Option<&Coverage>, took: Duration) -> io::Result<bool> {
        match self.format {
            Format::Human => {
                writeln!(self.out, "{} passed, {} failed", self.passed, self.failed)?;
                if let Some(coverage) = coverage {
                    write!(self.out, "{}", coverage.summary())?;
                }
            }
            Format::Json => {
                if let Some(coverage) = coverage {
                    writeln!(self.out, "{}", coverage.to_json())?;
                }
            }
            Format::Junit => {
                let mut report = quick_junit::Report::new("rstash test");
                report.set_time(took).add_test_suites(std::mem::take(&mut self.suites));
                report.serialize(&mut *self.out).map_err(io::Error::other)?;
                if let Some(coverage) = coverage {
                    write!(io::stderr(), "{}", coverage.summary())?;
                }
            }
        }
        self.out.flush()?;
        Ok(self.failed == 0)
    }
}
