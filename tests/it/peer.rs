//! Programs that tests talk to: found or said to be missing, started on loopback, ended with the test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shared::missing;

/// What takes longer has failed.
const LONGEST: Duration = Duration::from_secs(120);

/// A port on loopback that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// Where a program is, looked for where administrators' programs are as well.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|place| place.join(name)).find(|program| program.is_file());
    if found.is_none() {
        missing(&format!("no {name}"));
    }
    found
}

/// The client and server of go-lumber (`.ci/lumberjack`), if they were built.
pub fn go_lumber() -> Option<PathBuf> {
    let program = std::env::var_os("RSTASH_LUMBERJACK").map(PathBuf::from);
    if program.is_none() {
        missing("no go-lumber (build .ci/lumberjack and set RSTASH_LUMBERJACK to the program)");
    }
    program
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONGEST, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until somebody listens.
pub fn wait_for_port(port: u16) {
    wait_until(&format!("port {port} is open"), || TcpStream::connect(("127.0.0.1", port)).is_ok());
}

/// Sends one HTTP request as it stands and returns all that comes back.
pub fn exchange(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(LONGEST)).expect("a time-out");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A program that ends with the test, and its log.
pub struct Peer {
    child: Child,
    log: PathBuf,
}

impl Peer {
    /// Starts it; what it says goes to a file in `folder`.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Self {
        Self::start_with(Command::new(program).args(arguments), folder)
    }

    /// The same with a command of the test's own.
    pub fn start_with(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join(format!("log-{}", fastrand::u32(..)));
        let file = File::create(&log).expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("the program starts");
        Peer { child, log }
    }

    /// Waits until somebody listens on a port, and fails at once when the program has ended instead.
    pub fn wait_for_port(&mut self, port: u16) {
        wait_until(&format!("port {port} is open"), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("it ended with {status}:\n{}", self.log());
            }
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Those that have children end them when they are asked.
        let id = self.child.id().to_string();
        _ = Command::new("kill").args(["-TERM", &id]).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The whole lines of a file.
pub fn lines_of(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}
