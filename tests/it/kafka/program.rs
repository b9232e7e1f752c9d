//! A running rstash with one config, a file that it writes and its log.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What takes longer has failed.
const LONGEST: Duration = Duration::from_secs(60);

/// A process that ends with the test.
pub struct Rstash {
    child: Mutex<Child>,
    folder: TempDir,
}

impl Rstash {
    /// Starts a pipeline. `{out}` in the config is the path of the file that [`lines`](Self::lines) reads.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// Starts a pipeline whose standard input is the test's to write.
    pub fn start_fed(config: &str) -> (Self, ChildStdin) {
        let rstash = Self::spawn(config, &[], Stdio::piped());
        let input = rstash.child.lock().expect("no panic").stdin.take().expect("a pipe");
        (rstash, input)
    }

    /// The same with variables in its environment.
    pub fn start_with(config: &str, variables: &[(&str, &str)]) -> Self {
        Self::spawn(config, variables, Stdio::null())
    }

    fn spawn(config: &str, variables: &[(&str, &str)], input: Stdio) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = File::create(folder.path().join("log")).expect("a log file");
        let out = folder.path().join("out");
        let child = Command::new(env!("CARGO_BIN_EXE_rstash"))
            .arg("--path.data")
            .arg(folder.path().join("data"))
            .arg("-e")
            .arg(config.replace("{out}", &out.to_string_lossy()))
            .envs(variables.iter().copied())
            .stdin(input)
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("rstash starts");
        Rstash { child: Mutex::new(child), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All that was logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The whole lines of the output file.
    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("out")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    /// Waits for so many lines in the output file.
    pub fn wait_for_lines(&self, count: usize) -> Vec<String> {
        self.wait_for("lines", count, || self.lines().len());
        self.lines()
    }

    /// Waits until so many are there, and panics with the log when they do not come.
    pub fn wait_for(&self, what: &str, wanted: usize, mut count: impl FnMut() -> usize) {
        let begun = Instant::now();
        loop {
            let counted = count();
            if counted >= wanted {
                return;
            }
            assert!(begun.elapsed() < LONGEST * 2, "{counted} of {wanted} {what}; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the log holds a text.
    pub fn wait_for_log(&self, text: &str) {
        self.wait_for(text, 1, || self.log().matches(text).count());
    }

    /// Memory that the process holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it has held, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        let id = self.child.lock().expect("no panic").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it holds memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Whether the process lives.
    pub fn is_running(&self) -> bool {
        matches!(self.child.lock().expect("no panic").try_wait(), Ok(None))
    }

    /// Waits for the end.
    pub fn wait(&self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) =
                self.child.lock().expect("no panic").try_wait().expect("a process to wait for")
            {
                return status;
            }
            assert!(begun.elapsed() < LONGEST * 2, "it does not end; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end and returns what was logged.
    pub fn log_of_run(&self) -> String {
        self.wait();
        self.log()
    }

    /// Asks it to stop, as a supervisor does, and waits for the end.
    pub fn stop(&self) -> ExitStatus {
        let id = self.child.lock().expect("no panic").id();
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "kill -TERM {id}");
        self.wait()
    }

    /// Ends it without asking and returns what it had written.
    pub fn kill(self) -> Vec<String> {
        self.child.lock().expect("no panic").kill().expect("killed");
        self.wait();
        self.lines()
    }
}

impl Drop for Rstash {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}
