//! The log file: full ones are put aside with a date and a number, as Logstash's log4j2.properties says.
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// When a file is put aside, and which of those put aside stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most bytes of a file. A new day puts a file aside too.
    pub bytes: u64,
    /// Most files put aside.
    pub files: usize,
    /// Greatest age of a file put aside.
    pub age: Duration,
}

impl Limits {
    /// `SizeBasedTriggeringPolicy`, `DefaultRolloverStrategy` and its `Delete` action.
    pub(super) const LOGSTASH: Limits =
        Limits { bytes: 100 << 20, files: 30, age: Duration::from_secs(7 * 24 * 3600) };
}

/// A log file `STEM.log` that becomes `STEM-DATE-NUMBER.log.gz` when it is full or its day is over.
#[derive(Debug)]
pub(super) struct RollingFile {
    directory: PathBuf,
    stem: &'static str,
    limits: Limits,
    file: File,
    /// Bytes in the file, as far as this process knows.
    size: u64,
    /// The day of the file's lines.
    day: String,
    /// When that day is over.
    midnight: Timestamp,
    /// Compresses the file that was put aside last.
    compressing: Option<JoinHandle<()>>,
}

impl RollingFile {
    /// Opens the file at its end; it and its directory are made if need be.
    pub(super) fn open(directory: &Path, stem: &'static str, limits: Limits) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let file = append(&current(directory, stem))?;
        let found = file.metadata()?;
        // A file of an earlier run belongs to the day of its last line.
        let written =
            found.modified().ok().filter(|_| found.len() > 0).and_then(|time| Timestamp::try_from(time).ok());
        let (day, midnight) = day_of(written.unwrap_or_else(Timestamp::now));
        let directory = directory.to_owned();
        Ok(RollingFile { directory, stem, limits, file, size: found.len(), day, midnight, compressing: None })
    }

    fn is_due(&mut self, more: u64) -> bool {
        let is_over = Timestamp::now() >= self.midnight;
        let is_due = |size: u64| size > 0 && (is_over || size.saturating_add(more) > self.limits.bytes);
        if !is_due(self.size) {
            return false;
        }
        // Somebody else may have emptied the file, as logrotate's copytruncate does.
        let size = self.file.metadata().map_or(self.size, |found| found.len());
        let still = is_due(size);
        self.size = size;
        still
    }

    /// Puts the file aside and begins another. If that fails, it is tried again a file's size or a day later.
    fn roll(&mut self) -> io::Result<()> {
        let aside = self.free_name();
        self.size = 0;
        (self.day, self.midnight) = day_of(Timestamp::now());
        fs::rename(current(&self.directory, self.stem), &aside)?;
        self.file = append(&current(&self.directory, self.stem))?;
        let (directory, stem, limits) = (self.directory.clone(), self.stem, self.limits);
        let before = self.compressing.take();
        let work = move || {
            // One after the other: a flood of lines must not become a flood of threads at work.
            if let Some(before) = before {
                let _ = before.join();
            }
            // What cannot be compressed stays as it is, and what cannot be removed stays until the next time.
            let _ = compress(&aside);
            let _ = remove_oldest(&directory, stem, limits);
        };
        self.compressing = thread::Builder::new().name("log-archive".to_owned()).spawn(work).ok();
        Ok(())
    }

    /// `STEM-DATE-NUMBER.log` with the number after the greatest that the day has.
    fn free_name(&self) -> PathBuf {
        let prefix = format!("{}-{}-", self.stem, self.day);
        let number = |name: &str| name.strip_prefix(&prefix)?.split('.').next()?.parse::<u64>().ok();
        let names = aside(&self.directory, self.stem);
        let last = names.iter().filter_map(|(name, _)| number(name)).max().unwrap_or(0);
        self.directory.join(format!("{prefix}{}.log", last.saturating_add(1)))
    }
}

impl Write for RollingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.is_due(more) {
            // A log that cannot be put aside goes on where it is.
            let _ = self.roll();
        }
        let written = self.file.write(bytes)?;
        self.size = self.size.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The file that is written to.
pub(super) fn current(directory: &Path, stem: &str) -> PathBuf {
    directory.join(format!("{stem}.log"))
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The local date of a moment, and when that day is over.
fn day_of(moment: Timestamp) -> (String, Timestamp) {
    let local = Zoned::new(moment, TimeZone::system());
    let tomorrow = local.date().tomorrow().and_then(|date| date.to_zoned(TimeZone::system()));
    let midnight = tomorrow.map_or(Timestamp::MAX, |midnight| midnight.timestamp());
    (local.date().to_string(), midnight)
}

/// The files put aside, with the time of each.
fn aside(directory: &Path, stem: &str) -> Vec<(String, SystemTime)> {
    let prefix = format!("{stem}-");
    let is_aside =
        |name: &String| name.starts_with(&prefix) && (name.ends_with(".log") || name.ends_with(".log.gz"));
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(is_aside)?;
            Some((name, entry.metadata().ok()?.modified().ok()?))
        })
        .collect()
}

fn compress(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let finished = PathBuf::from(&name);
    name.push(".part");
    let part = PathBuf::from(name);
    let mut encoder = GzEncoder::new(File::create(&part)?, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish()?;
    fs::rename(part, finished)?;
    fs::remove_file(path)
}

fn remove_oldest(directory: &Path, stem: &str, limits: Limits) -> io::Result<()> {
    let mut names = aside(directory, stem);
    names.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let now = SystemTime::now();
    let is_old = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age > limits.age);
    for (at, (name, time)) in names.iter().enumerate() {
        if at >= limits.files || is_old(*time) {
            fs::remove_file(directory.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const LIMITS: Limits = Limits { bytes: 100, files: 3, age: Duration::from_secs(3600) };
    const LINE: &[u8; 40] = b"a line of forty bytes, with its line end\n".first_chunk().unwrap();

    fn finish(log: &mut RollingFile) {
        if let Some(compressing) = log.compressing.take() {
            compressing.join().expect("no panic");
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    fn unpacked(path: &Path) -> Vec<u8> {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(File::open(path).expect("a file")).read_to_end(&mut text).expect("gzip");
        text
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = RollingFile::open(folder.path(), "logstash-plain", LIMITS).expect("opened");
        let today = day_of(Timestamp::now()).0;
        // Two lines fit into a file; the fifth file is the one that is written to.
        for number in 0..9 {
            log.write_all(LINE).expect("written");
            finish(&mut log);
            assert!(number > 0 || names(folder.path()) == ["logstash-plain.log"]);
        }
        let aside = |number| format!("logstash-plain-{today}-{number}.log.gz");
        assert_eq!(names(folder.path()), [aside(2), aside(3), aside(4), "logstash-plain.log".to_owned()]);
        assert_eq!(unpacked(&folder.path().join(aside(4))), LINE.repeat(2));
        assert_eq!(fs::read(folder.path().join("logstash-plain.log")).expect("read"), LINE);
    }

    #[test]
    fn a_file_of_another_day_is_put_aside_under_its_date() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("logstash-json.log");
        fs::write(&path, "yesterday\n").expect("written");
        let before = SystemTime::now() - Duration::from_secs(48 * 3600);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(before)).expect("set back");
        let limits = Limits { age: Duration::from_secs(72 * 3600), ..LIMITS };
        let mut log = RollingFile::open(folder.path(), "logstash-json", limits).expect("opened");
        log.write_all(b"today\n").expect("written");
        finish(&mut log);
        let day = day_of(Timestamp::try_from(before).expect("a time")).0;
        assert_eq!(
            names(folder.path()),
            [format!("logstash-json-{day}-1.log.gz"), "logstash-json.log".to_owned()]
        );
        assert_eq!(fs::read(&path).expect("read"), b"today\n");
    }

    #[test]
    fn old_files_go_and_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = folder.path().join("logstash-plain-2020-01-01-1.log.gz");
        for path in [&old, &folder.path().join("other-2020-01-01-1.log.gz")] {
            let file = File::create(path).expect("made");
            file.set_modified(SystemTime::now() - Duration::from_secs(7200)).expect("set back");
        }
        remove_oldest(folder.path(), "logstash-plain", LIMITS).expect("removed");
        assert_eq!(names(folder.path()), ["other-2020-01-01-1.log.gz"]);
    }

    #[test]
    fn a_file_that_was_emptied_is_not_put_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = RollingFile::open(folder.path(), "logstash-plain", LIMITS).expect("opened");
        log.write_all(&LINE.repeat(2)).expect("written");
        File::options()
            .write(true)
            .open(folder.path().join("logstash-plain.log"))
            .expect("opened")
            .set_len(0)
            .expect("emptied");
        log.write_all(LINE).expect("written");
        assert_eq!(names(folder.path()), ["logstash-plain.log"]);
        assert_eq!(fs::read(folder.path().join("logstash-plain.log")).expect("read"), LINE);
    }
}
