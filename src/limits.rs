//! How many files the system lets this process have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit on open files as far as the process may by itself, as good servers do: the usual soft limit of 1024 is
/// there for programs that call `select`. Programs that this one starts get the raised limit too.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum || current.is_none() {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(from = current, to = maximum, "raised the limit on open files"),
        Err(error) => tracing::debug!(%error, "could not raise the limit on open files"),
    }
}

/// How many files may be open; `None`: any number.
pub fn open_files() -> Option<usize> {
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
