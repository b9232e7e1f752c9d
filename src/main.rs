//! The program: arguments in, exit status out.
use std::process::ExitCode;

/// Events are born on an input's thread and die on a worker's, which glibc's allocator answers with locks: 500,000 lines
/// of JSON from stdin to null took 3.9 s of CPU with it (`benches/whole.sh`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rstash::cli::run(std::env::args_os()).into()
}
