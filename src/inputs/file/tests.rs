//! The input as a whole, on files of a temporary directory.

mod read_mode;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::event::Event;
use crate::plugin::testkit::{self, LONG};
use crate::plugin::{Context, RunError, Shutdown};
use crate::queue::{Ack, Receiver, Taken};

/// Options that make the input look often.
const QUICK: &str = "stat_interval => 0.01 discover_interval => 1 sincedb_write_interval => 0";

/// A directory with logs and a sincedb.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Starts the input on files that a pattern finds here.
    fn start(&self, pattern: &str, options: &str) -> Running {
        self.start_in(&testkit::legacy_context(), pattern, options)
    }

    fn start_in(&self, context: &Context, pattern: &str, options: &str) -> Running {
        let (path, sincedb) = (self.path(pattern), self.path("sincedb"));
        let config = format!(
            "input {{ file {{ path => '{}' sincedb_path => '{}' {QUICK} {options} }} }}",
            path.display(),
            sincedb.display()
        );
        let (input, decoration) =
            testkit::input(&config, context).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (sink, receiver) = testkit::sink(decoration, 10_000);
        let (stop, shutdown) = Shutdown::channel();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let task = runtime.spawn(input.run(sink, shutdown));
        Running { runtime, receiver, stop, task, ready: Vec::new() }
    }

    /// Inode and position of the records.
    fn positions(&self) -> Vec<(u64, u64)> {
        let text = fs::read_to_string(self.path("sincedb")).unwrap();
        let record = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            (words[0].parse().unwrap(), words[3].parse().unwrap())
        };
        text.lines().map(record).collect()
    }

    fn position(&self, name: &str) -> Option<u64> {
        let inode = fs::metadata(self.path(name)).unwrap().ino();
        self.positions().into_iter().find(|(found, _)| *found == inode).map(|(_, position)| position)
    }

    /// A record as Logstash writes it.
    fn record(&self, name: &str, position: u64, changed: &str, recorded_path: &Path) -> String {
        let metadata = fs::metadata(self.path(name)).unwrap();
        let (major, minor) = ((metadata.dev() >> 24) & 0xff, metadata.dev() & 0xff_ffff);
        format!("{} {major} {minor} {position} {changed} {}\n", metadata.ino(), recorded_path.display())
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

struct Running {
    runtime: Runtime,
    receiver: Receiver,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), RunError>>,
    ready: Vec<Event>,
}

impl Running {
    /// The next batch, acknowledged; `None` at the end.
    fn batch(&mut self) -> Option<Vec<Event>> {
        self.batch_with(drop)
    }

    fn batch_with(&mut self, settle: impl FnOnce(Vec<Ack>)) -> Option<Vec<Event>> {
        match self.receiver.take(1000, Duration::ZERO, LONG) {
            Taken::Batch { events, acks } => {
                settle(acks);
                Some(events)
            }
            Taken::Idle => panic!("nothing came"),
            Taken::End => None,
        }
    }

    /// The next events.
    fn events(&mut self, count: usize) -> Vec<Event> {
        while self.ready.len() < count {
            let batch = self.batch().expect("the input goes on");
            self.ready.extend(batch);
        }
        self.ready.drain(..count).collect()
    }

    fn lines(&mut self, count: usize) -> Vec<String> {
        self.events(count).iter().map(message).collect()
    }

    /// Waits until the input itself comes to its end, and returns what it still sent.
    fn rest(mut self) -> Vec<String> {
        while let Some(batch) = self.batch() {
            self.ready.extend(batch);
        }
        self.runtime.block_on(self.task).unwrap().unwrap();
        self.ready.iter().map(message).collect()
    }

    /// Stops the input and returns what it still sent.
    fn stop(self) -> Vec<String> {
        self.stop.send(true).unwrap();
        self.rest()
    }
}

fn message(event: &Event) -> String {
    let mut text = event.data().get("message").unwrap().as_str().unwrap().to_owned();
    for tag in event.data().get("tags").and_then(|tags| tags.as_array()).into_iter().flatten() {
        text.push_str(&format!(" #{}", tag.as_str().unwrap()));
    }
    text
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const BEGINNING: &str = "start_position => beginning";

#[test]
fn tails_what_is_there_from_its_end_and_what_comes_from_its_beginning() {
    let place = Place::new();
    place.write("old.log", "before\n");
    let mut running = place.start("*.log", "");
    wait_until("the file is noted", || fs::metadata(place.path("sincedb")).is_ok_and(|it| it.len() > 0));
    place.append("old.log", "after\nno end");
    assert_eq!(running.lines(1), ["after"]);
    place.append("old.log", " yet\n");
    assert_eq!(running.lines(1), ["no end yet"]);
    place.write("new.log", "from the beginning\n");
    assert_eq!(running.lines(1), ["from the beginning"]);
    place.write(".hidden.log", "x\n");
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("old.log"), Some(24));
    assert_eq!(place.position("new.log"), Some(19));
}

#[test]
fn events_tell_where_they_come_from() {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    for (context, host_field, path_field) in [
        (testkit::legacy_context(), "[host]", "[path]"),
        (testkit::context(), "[host][name]", "[log][file][path]"),
    ] {
        let place = Place::new();
        let path = place.write("a.log", "{\"a\":1}\n");
        let options = format!("{BEGINNING} codec => json type => 'test'");
        let event = place.start_in(&context, "a.log", &options).events(1).remove(0);
        let get = |field: &str| {
            let field = crate::event::FieldReference::parse(field).unwrap();
            event.get(&field).and_then(|value| value.as_str()).map(str::to_owned)
        };
        let path = path.display().to_string();
        assert_eq!(get(host_field).as_ref(), Some(&host));
        assert_eq!(get(path_field).as_ref(), Some(&path));
        assert_eq!(get("[@metadata][path]").as_ref(), Some(&path));
        assert_eq!(get("[@metadata][host]").as_ref(), Some(&host));
        assert_eq!(get("type").as_deref(), Some("test"));
    }
    // What the event brings itself stays.
    let place = Place::new();
    place.write("a.log", "{\"message\":\"m\",\"path\":\"own\",\"host\":{\"b\":1}}\n");
    let event = place.start("a.log", &format!("{BEGINNING} codec => json")).events(1).remove(0);
    assert_eq!(testkit::fields(&event), r#"{"host":{"b":1},"message":"m","path":"own"}"#);
}

#[test]
fn every_file_has_a_codec_of_its_own() {
    let place = Place::new();
    place.write("a.log", "a\n a1\n");
    place.write("b.log", "b\n b1\nb2\n");
    let codec = "codec => multiline { pattern => '^ ' what => previous }";
    let mut running = place.start("*.log", &format!("{BEGINNING} {codec} file_sort_by => path"));
    assert_eq!(running.lines(1), ["b\n b1 #multiline"]);
    // What is held back is not safe yet.
    wait_until("the position is written", || place.position("b.log") == Some(6));
    assert_eq!(place.position("a.log"), Some(0));
    place.append("a.log", " a2\nx\n");
    assert_eq!(running.lines(1), ["a\n a1\n a2 #multiline"]);
    let mut rest = running.stop();
    rest.sort();
    assert_eq!(rest, ["b2", "x"]);
    assert_eq!((place.position("a.log"), place.position("b.log")), (Some(12), Some(9)));
}

#[test]
fn a_quiet_file_flushes_its_codec() {
    let place = Place::new();
    place.write("a.log", "a\n b\n c");
    let codec = "codec => multiline { pattern => '^ ' what => previous auto_flush_interval => 0.25 }";
    let mut running = place.start("a.log", &format!("{BEGINNING} {codec}"));
    assert_eq!(running.lines(1), ["a\n b #multiline"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("a.log"), Some(5));
}

#[test]
fn codecs_that_look_for_line_ends_get_them() {
    let place = Place::new();
    place.write("a.log", "{\"message\":\"1\"}\n\n{\"message\":\"2\"}\n{\"mess");
    let mut running = place.start("a.log", &format!("{BEGINNING} codec => json_lines"));
    assert_eq!(running.lines(2), ["1", "2"]);
    place.append("a.log", "age\":\"3\"}\n");
    assert_eq!(running.lines(1), ["3"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("a.log"), Some(place.path("a.log").metadata().unwrap().len()));
}

#[test]
fn goes_on_where_it_stopped() {
    let place = Place::new();
    place.write("a.log", "1\n2\n");
    let mut running = place.start("*.log", BEGINNING);
    assert_eq!(running.lines(2), ["1", "2"]);
    place.append("a.log", "3\npart");
    assert_eq!(running.lines(1), ["3"]);
    assert_eq!(running.stop(), [""; 0]);
    place.append("a.log", " of 4\n5\n");
    // Rotated while nobody looked.
    fs::rename(place.path("a.log"), place.path("a.1.log")).unwrap();
    place.write("a.log", "6\n");
    let mut running = place.start("*.log", &format!("{BEGINNING} file_sort_by => path"));
    assert_eq!(running.lines(3), ["part of 4", "5", "6"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.start("*.log", BEGINNING).stop(), [""; 0]);
}

#[test]
fn lines_that_were_not_delivered_come_again() {
    let place = Place::new();
    place.write("a.log", "1\n");
    let mut running = place.start("a.log", BEGINNING);
    assert_eq!(running.lines(1), ["1"]);
    place.append("a.log", "2\n");
    let lost = running.batch_with(|acks| acks.iter().for_each(Ack::fail)).unwrap();
    assert_eq!(lost.len(), 1);
    place.append("a.log", "3\n");
    assert_eq!(running.lines(1), ["3"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("a.log"), Some(2));
    assert_eq!(place.start("a.log", BEGINNING).lines(2), ["2", "3"]);
}

#[test]
fn sincedbs_of_logstash_are_read() {
    let place = Place::new();
    let path = place.write("a.log", "1\n2\n3\n");
    let second = place.write("b.log", "4\n5\n");
    let metadata = fs::metadata(&second).unwrap();
    // The second in the form of old versions, with the numbers that Linux gives the device.
    let key = super::identity::Key { inode: metadata.ino(), device: metadata.dev() };
    let (major, minor) = key.linux_device_numbers();
    let sincedb = format!(
        "{}{} {major} {minor} 2\n12345 0 64768 77 {:?} /somewhere else/x.log\n",
        place.record("a.log", 4, &format!("{:?}", now()), &path),
        metadata.ino(),
        now(),
    );
    place.write("sincedb", &sincedb);
    let mut running = place.start("*.log", "file_sort_by => path");
    assert_eq!(running.lines(2), ["3", "5"]);
    assert_eq!(running.stop(), [""; 0]);
    let written = fs::read_to_string(place.path("sincedb")).unwrap();
    assert!(written.contains(" 0 64768 77 ") && written.contains(" /somewhere else/x.log\n"), "{written}");
    assert!(written.lines().any(|line| line.ends_with(&format!(" {}", path.display()))), "{written}");
    assert_eq!((place.position("a.log"), place.position("b.log")), (Some(6), Some(4)));
}

#[test]
fn records_of_other_files_do_not_count() {
    let place = Place::new();
    let path = place.write("a.log", "1\n2\n");
    // A file that had the inode before this one was made, and one that was longer.
    for record in [
        place.record("a.log", 2, &format!("{:?}", now() - 1000.25), &path),
        place.record("a.log", 1000, &format!("{:?}", now()), &path),
    ] {
        place.write("sincedb", record);
        let mut running = place.start("a.log", "");
        assert_eq!(running.lines(2), ["1", "2"]);
        running.stop();
    }
}

#[test]
fn a_renamed_file_is_read_to_its_end() {
    let place = Place::new();
    place.write("a.log", "1\n");
    let mut running = place.start("a.log", BEGINNING);
    assert_eq!(running.lines(1), ["1"]);
    let mut writer = File::options().append(true).open(place.path("a.log")).unwrap();
    fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
    place.write("a.log", "new 1\n");
    assert_eq!(running.lines(1), ["new 1"]);
    // Its writer does not know of the rotation yet.
    writer.write_all(b"2\n").unwrap();
    assert_eq!(running.lines(1), ["2"]);
    place.append("a.log", "new 2\n");
    assert_eq!(running.lines(1), ["new 2"]);
    writer.write_all(b"3\n").unwrap();
    fs::remove_file(place.path("a.log.1")).unwrap();
    assert_eq!(running.lines(1), ["3"]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn a_cascade_of_renames_reads_nothing_twice() {
    let place = Place::new();
    for (name, text) in [("a.log", "a\n"), ("a.log.1", "b\n"), ("a.log.2", "c\n")] {
        place.write(name, text);
    }
    let mut running = place.start("a.log*", &format!("{BEGINNING} file_sort_by => path"));
    assert_eq!(running.lines(3), ["a", "b", "c"]);
    for round in 0..3 {
        for number in [3, 2, 1] {
            _ = fs::rename(
                place.path(&format!("a.log.{number}")),
                place.path(&format!("a.log.{}", number + 1)),
            );
        }
        place.append("a.log", &format!("last {round}\n"));
        fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
        place.write("a.log", format!("first {round}\n"));
        let mut lines = running.lines(2);
        lines.sort();
        assert_eq!(lines, [format!("first {round}"), format!("last {round}")]);
    }
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let place = Place::new();
    place.write("a.log", "1\n2\npart");
    let mut running = place.start("a.log", BEGINNING);
    assert_eq!(running.lines(2), ["1", "2"]);
    // Shorter.
    place.write("a.log", "3\n");
    assert_eq!(running.lines(2), ["part", "3"]);
    // Longer, so that its size does not tell.
    place.write("a.log", "four, five, six\n");
    assert_eq!(running.lines(1), ["four, five, six"]);
    // Just as long.
    place.write("a.log", "six, five, four\n");
    assert_eq!(running.lines(1), ["six, five, four"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("a.log"), Some(16));
}

#[test]
fn a_file_with_the_inode_of_another_is_another() {
    let place = Place::new();
    place.write("a.log", "1\n");
    let mut running = place.start("*.log", &format!("{BEGINNING} close_older => 0"));
    assert_eq!(running.lines(1), ["1"]);
    // Where nobody has the file open, ext4 and tmpfs give the next one its inode.
    for round in 0..5 {
        std::thread::sleep(Duration::from_millis(30));
        fs::remove_file(place.path("a.log")).unwrap();
        place.write("a.log", format!("1\nround {round}\n"));
        assert_eq!(running.lines(2), ["1".to_owned(), format!("round {round}")]);
    }
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn old_files_are_left_alone_until_they_change() {
    let place = Place::new();
    let path = place.write("a.log", "old\n");
    let day_ago = SystemTime::now() - Duration::from_secs(86_400);
    File::options().append(true).open(&path).unwrap().set_modified(day_ago).unwrap();
    place.write("b.log", "fresh\n");
    let mut running = place.start("*.log", &format!("{BEGINNING} ignore_older => '2 hours'"));
    assert_eq!(running.lines(1), ["fresh"]);
    place.append("a.log", "new\n");
    assert_eq!(running.lines(1), ["new"]);
    assert_eq!(running.stop(), [""; 0]);
    assert_eq!(place.position("a.log"), Some(8));
}

#[test]
fn names_can_be_excluded() {
    let place = Place::new();
    place.write("a.log", "a\n");
    place.write("a.log.gz", "b\n");
    place.write("c/a.log", "c\n");
    let mut running =
        place.start("**/*", &format!("{BEGINNING} exclude => ['*.gz', 'since*'] file_sort_by => path"));
    assert_eq!(running.lines(2), ["a", "c"]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn more_files_than_may_be_open_are_all_read() {
    let place = Place::new();
    for number in 0..20 {
        place.write(&format!("{number:02}.log"), format!("{number}\n"));
    }
    let mut running = place.start("*.log", &format!("{BEGINNING} max_open_files => 3 file_sort_by => path"));
    let expected: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(running.lines(20), expected);
    for number in (0..20).rev() {
        place.append(&format!("{number:02}.log"), "more\n");
    }
    assert_eq!(running.lines(20), vec!["more"; 20]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn files_take_turns() {
    let place = Place::new();
    place.write("a.log", "a1\na2\na3\n");
    place.write("b.log", "b1\nb2\n");
    let whole = place.start("*.log", "mode => read exit_after_read => true file_sort_by => path file_sort_direction => desc file_completed_action => log file_completed_log_path => '/dev/null'");
    assert_eq!(whole.rest(), ["b1", "b2", "a1", "a2", "a3"]);
    fs::remove_file(place.path("sincedb")).unwrap();
    let striped = place.start("*.log", "mode => read exit_after_read => true file_sort_by => path file_chunk_size => 3 file_chunk_count => 1");
    assert_eq!(striped.rest(), ["a1", "b1", "a2", "b2", "a3"]);
    assert!(!place.path("a.log").exists());
}

#[test]
fn a_line_without_end_is_taken_in_pieces() {
    const SIZE: usize = 21 * 1024 * 1024;
    let place = Place::new();
    place.write("a.log", vec![b'x'; SIZE]);
    let running = place.start("a.log", "mode => read exit_after_read => true file_chunk_size => 1048576");
    let lengths: Vec<_> = running.rest().iter().map(String::len).collect();
    assert_eq!(lengths, [20 * 1024 * 1024, 1024 * 1024]);
}

#[test]
fn delimiters_of_several_bytes() {
    let place = Place::new();
    place.write("a.log", "a|b||c||d|");
    let mut running = place.start("a.log", &format!("{BEGINNING} delimiter => '||' file_chunk_size => 2"));
    assert_eq!(running.lines(2), ["a|b", "c"]);
    place.append("a.log", "|");
    assert_eq!(running.lines(1), ["d"]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn options_are_checked() {
    let context = testkit::context();
    let problems =
        |options: &str| match testkit::input(&format!("input {{ file {{ {options} }} }}"), &context) {
            Ok(_) => String::new(),
            Err(problems) => problems.into_iter().map(|problem| problem.message + "\n").collect(),
        };
    assert_eq!(problems("path => '/a' sincedb_clean_after => 7 close_older => '5 min'"), "");
    for (options, part) in [
        ("mode => read", "path"),
        ("path => 'relative/*.log'", "must be absolute"),
        ("path => []", "path"),
        ("path => '/a' stat_interval => '5 fortnights'", "expected a duration"),
        ("path => '/a' exit_after_read => true", "works only with mode"),
        ("path => '/a' mode => read file_completed_action => log", "needs file_completed_log_path"),
        ("path => '/a' sincedb_path => '/'", "must be a file"),
        ("path => '/a' delimiter => ''", "is empty"),
        ("path => '/a' file_chunk_size => 0", "at least 1"),
        ("path => '/a' mode => follow", "tail"),
    ] {
        assert!(problems(options).contains(part), "{options}: {}", problems(options));
    }
}

/// The MD5 of "/no/such/a.log,/no/such/b.log", by md5sum.
#[test]
fn the_sincedb_is_where_logstash_has_it() {
    let place = Place::new();
    let context = Context { data_path: place.path("data"), ..testkit::legacy_context() };
    let config = "input { file { path => ['/no/such/a.log', '/no/such/b.log'] mode => read exit_after_read => true } }";
    let (input, decoration) =
        testkit::input(config, &context).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (sink, _receiver) = testkit::sink(Arc::clone(&decoration), 10);
    let (_stop, shutdown) = Shutdown::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(input.run(sink, shutdown)).unwrap();
    assert!(place.path("data/plugins/inputs/file/.sincedb_7c5c21d09dd18f01d5e549d812ed3130").is_file());
}
