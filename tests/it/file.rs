//! The input `file` of a running program: restarts, kills, rotation, and very many files.

mod limits;
mod rotation;
mod takeover;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cli::{directory, rstash};

const TIME_LIMIT: Duration = Duration::from_secs(60);

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < TIME_LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A directory with logs, where the program keeps its data and writes the messages it reads.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(directory(&[]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("a file can be written");
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).expect("a file opens");
        file.write_all(text.as_bytes()).expect("a file can be written");
    }

    /// Starts the program on files of this directory.
    fn start(&self, pattern: &str, options: &str) -> Running {
        self.start_limited(pattern, options, None)
    }

    /// The same under a limit, such as `ulimit -n 256`.
    fn start_limited(&self, pattern: &str, options: &str, limit: Option<&str>) -> Running {
        let at = self.0.path().display();
        let config = format!(
            "input {{ file {{ path => '{at}/{pattern}' {options} }} }}
             output {{ file {{ path => '{at}/out' codec => line {{ format => '%{{message}}' }} }} }}"
        );
        let data = self.path("data").display().to_string();
        let log = File::options().append(true).create(true).open(self.path("log")).expect("a file opens");
        let mut command = rstash(&["--path.data", &data, "--path.logs", &data, "-e", &config]);
        if let Some(limit) = limit {
            let program = std::mem::replace(&mut command, Command::new("sh"));
            command.args(["-c", &format!("{limit} && exec \"$@\""), "sh"]).arg(program.get_program());
            command.args(program.get_args()).stdin(Stdio::null());
        }
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program starts");
        Running(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The lines that have been written.
    fn lines(&self) -> Vec<String> {
        let bytes = fs::read(self.path("out")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    fn wait_for(&self, count: usize) {
        wait_until("not all lines came", || self.lines().len() >= count);
    }
}

struct Running(Child);

impl Running {
    /// Nothing that runs: a process that has ended.
    fn none() -> Self {
        let mut ended = Command::new("true").spawn().expect("true runs");
        ended.wait().expect("it ends");
        Running(ended)
    }

    /// Waits for the end, which has to be a success.
    fn succeed(mut self, place: &Place) {
        wait_until("it does not end", || self.0.try_wait().expect("a child can be asked").is_some());
        let status = self.0.wait().expect("a child can be waited for");
        assert!(status.success(), "{status}: {}", place.log());
    }

    /// Asks it to stop, as an operator does.
    fn stop(self, place: &Place) {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success());
        self.succeed(place);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

const TAIL: &str = "start_position => beginning stat_interval => 0.05 discover_interval => 2";

#[test]
fn restarts_lose_nothing_and_repeat_nothing() {
    let place = Place::new();
    let mut expected = Vec::new();
    for round in 0..3 {
        let line = |what: &str| format!("{what} {round}");
        place.append("a.log", &format!("{}\n", line("while stopped")));
        let running = place.start("a.log", TAIL);
        place.wait_for(expected.len() + 1);
        place.append("a.log", &format!("{}\n", line("while running")));
        place.wait_for(expected.len() + 2);
        fs::rename(place.path("a.log"), place.path("a.log.1")).expect("a file can be renamed");
        place.append("a.log.1", &format!("{}\n", line("after the rename")));
        place.wait_for(expected.len() + 3);
        place.write("a.log", format!("{}\n", line("anew")));
        place.wait_for(expected.len() + 4);
        running.stop(&place);
        expected.extend(["while stopped", "while running", "after the rename", "anew"].map(line));
    }
    assert_eq!(place.lines(), expected);
    // The sincedb, and how the files began.
    let kept: Vec<_> =
        fs::read_dir(place.path("data/plugins/inputs/file")).expect("it is there").flatten().collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
}

/// A kill may repeat lines, but not lose one.
#[test]
fn kills_lose_nothing() {
    const LINES: usize = 200_000;
    let place = Place::new();
    let text: String = (0..LINES).map(|number| format!("{number}\n")).collect();
    let (first, second) = text.split_at(text.len() / 2);
    place.write("a.log", first);
    let options = format!("{TAIL} sincedb_write_interval => 0.01");
    for _ in 0..3 {
        let before = place.lines().len();
        let running = place.start("a.log", &options);
        wait_until("nothing comes", || place.lines().len() > before + 1000);
        drop(running);
    }
    place.append("a.log", second);
    let running = place.start("a.log", &options);
    let last = (LINES - 1).to_string();
    wait_until("the last line does not come", || place.lines().last() == Some(&last));
    running.stop(&place);
    let seen: HashSet<String> = place.lines().into_iter().collect();
    let missing: Vec<_> = (0..LINES).filter(|number| !seen.contains(&number.to_string())).collect();
    assert!(missing.is_empty(), "{} are missing, e.g. {:?}", missing.len(), missing.first());
}

#[test]
fn a_batch_of_files_is_read_and_the_program_ends() {
    let place = Place::new();
    let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    archive.write_all(b"3\n4\n").expect("it can be packed");
    place.write("1.log", "1\n2");
    place.write("2.log.gz", archive.finish().expect("it can be packed"));
    place.write("3.log", "5\n");
    let options = format!(
        "mode => read exit_after_read => true file_sort_by => path file_completed_action => log_and_delete
         file_completed_log_path => '{}'",
        place.path("completed").display()
    );
    place.start("*.log*", &options).succeed(&place);
    let mut lines = place.lines();
    lines.sort();
    assert_eq!(lines, ["1", "2", "3", "4", "5"]);
    let names = ["1.log", "2.log.gz", "3.log"].map(|name| place.path(name));
    let completed = fs::read_to_string(place.path("completed")).expect("it was written");
    assert_eq!(completed.lines().map(PathBuf::from).collect::<Vec<_>>(), names);
    assert!(names.iter().all(|name| !name.exists()));
}

#[test]
fn very_many_files_are_tailed() {
    const FILES: usize = 10_000;
    let place = Place::new();
    for number in 0..FILES {
        place.write(&format!("{number}.log"), format!("first {number}\n"));
    }
    let running = place.start("*.log", TAIL);
    place.wait_for(FILES);
    for number in (0..FILES).step_by(7) {
        place.append(&format!("{number}.log"), &format!("second {number}\n"));
    }
    let more = FILES.div_ceil(7);
    place.wait_for(FILES + more);
    running.stop(&place);
    let lines = place.lines();
    assert_eq!(lines.len(), FILES + more, "{}", place.log());
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), FILES + more);
}
