//! The exit statuses of this program, all of them.
use std::process::ExitCode;

/// How the program ended. Logstash knows the same two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: the pipeline ended or was asked to, the configuration is good, the tests passed, the help was printed.
    Success,
    /// 1: wrong arguments, settings or configuration, a pipeline that failed, inputs that ended while outputs gave up on
    /// events, tests that failed.
    Failure,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => ExitCode::SUCCESS,
            Exit::Failure => ExitCode::FAILURE,
        }
    }
}
