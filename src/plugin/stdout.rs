//! `Stdout`: the process's standard output, or a buffer that stands in for it in tests of configs.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Clone)]
pub enum Stdout {
    Process,
    Capture(Arc<Mutex<Vec<u8>>>),
}

impl Stdout {
    /// Writes all bytes at once, so that lines of several workers do not mix.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stdout::Process => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes)?;
                stdout.flush()
            }
            Stdout::Capture(buffer) => {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Whether a person is looking, who may like colours.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Stdout::Process) && io::stdout().is_terminal()
    }
}
