//! The sincedb: how far each file was read, in Logstash's own file (`sincedb_collection.rb`,
//! `sincedb_record_serializer.rb`).

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::beginnings::Beginnings;
use super::identity::{Beginning, Key, Stat, seconds};

/// What is known of a file that is not being read now.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Up to here it was read, in bytes.
    pub position: u64,
    /// When that was, in seconds since 1970; records of very old Logstashes do not tell.
    pub changed: Option<f64>,
    /// Where the file was.
    pub path: Option<Box<str>>,
    /// How it began. Not known of files that Logstash has read.
    pub beginning: Beginning,
}

impl Record {
    /// Whether a file with the same inode is the one that was recorded, and not another one that was made after that
    /// was deleted, and still has the same content. Where the file system does not tell when it was made, the path decides,
    /// as in Logstash. `beginning` is as long as the recorded one, where the file has as much.
    pub fn is_of(&self, path: &str, stat: &Stat, beginning: &Beginning) -> bool {
        if self.beginning.is_known() && self.beginning != *beginning {
            return false;
        }
        match (self.changed, stat.born) {
            (Some(changed), Some(born)) => {
                // Whole seconds have been cut, or written by hand.
                let unsure = if changed.fract() == 0.0 { 1.0 } else { 0.001 };
                seconds(born) <= changed + unsure
            }
            _ => self.beginning.is_known() || self.path.as_deref().is_none_or(|recorded| recorded == path),
        }
    }
}

/// An inode, and the two numbers of its device.
pub(super) type Numbers = (u64, u64, u64);

/// A file that is being read, as it goes into the sincedb.
pub struct Reading<'f> {
    pub key: Key,
    pub position: u64,
    /// When the position was reached, in seconds since 1970.
    pub changed: f64,
    pub path: &'f str,
    pub beginning: Beginning,
}

/// The records and their file.
#[derive(Debug)]
pub struct Sincedb {
    path: PathBuf,
    clean_after: f64,
    records: HashMap<Numbers, Record>,
    beginnings: Beginnings,
    /// Whether the file can be replaced as a whole.
    atomic: bool,
}

impl Sincedb {
    /// Reads the file, which is made when it is not there. Records that were not changed for longer than `clean_after`
    /// are left out.
    ///
    /// # Errors
    /// The file cannot be made or read.
    pub fn open(path: PathBuf, clean_after: Duration) -> io::Result<Self> {
        File::options().append(true).create(true).open(&path)?;
        let kind = fs::metadata(&path)?.file_type();
        let is_device = kind.is_char_device() || kind.is_block_device();
        let text = if is_device { Vec::new() } else { fs::read(&path)? };
        let (beginnings, mut known) = if is_device { Default::default() } else { Beginnings::beside(&path) };
        let mut sincedb = Sincedb {
            path,
            clean_after: clean_after.as_secs_f64(),
            records: HashMap::new(),
            beginnings,
            atomic: !is_device,
        };
        let now = seconds(SystemTime::now());
        for line in String::from_utf8_lossy(&text).lines().filter(|line| !line.trim().is_empty()) {
            match parse(line) {
                Some((_, record)) if sincedb.is_expired(record.changed.unwrap_or(now), now) => {
                    tracing::debug!(line, "a sincedb record has expired");
                }
                Some((numbers, mut record)) => {
                    record.beginning = known.remove(&numbers).unwrap_or_default();
                    sincedb.records.insert(numbers, record);
                }
                None => {
                    tracing::warn!(path = %sincedb.path.display(), line, "this line of the sincedb is none, it is left out");
                }
            }
        }
        Ok(sincedb)
    }

    fn is_expired(&self, changed: f64, now: f64) -> bool {
        now > changed + self.clean_after
    }

    /// Takes out the record of an inode.
    pub fn take(&mut self, key: Key) -> Option<Record> {
        let numbers = |(major, minor)| (key.inode, major, minor);
        let record = self.records.remove(&numbers(key.device_numbers()));
        record.or_else(|| self.records.remove(&numbers(key.linux_device_numbers())))
    }

    /// Keeps the record of a file that is not read any more.
    pub fn keep(&mut self, key: Key, record: Record) {
        let (major, minor) = key.device_numbers();
        self.records.insert((key.inode, major, minor), record);
    }

    /// Writes all records, with those of files being read, and forgets the expired ones.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write<'f>(&mut self, reading: impl Iterator<Item = Reading<'f>>) -> io::Result<()> {
        let now = seconds(SystemTime::now());
        let clean_after = self.clean_after;
        self.records.retain(|_, record| now <= record.changed.unwrap_or(now) + clean_after);
        let mut lines: Vec<(String, Numbers, u64, f64, Beginning)> = Vec::new();
        for (numbers, record) in &self.records {
            let path = record.path.as_deref().unwrap_or_default();
            let changed = record.changed.unwrap_or(now);
            lines.push((path.to_owned(), *numbers, record.position, changed, record.beginning.clone()));
        }
        for Reading { key, position, changed, path, beginning } in reading {
            if !self.is_expired(changed, now) {
                let (major, minor) = key.device_numbers();
                lines.push((path.to_owned(), (key.inode, major, minor), position, changed, beginning));
            }
        }
        lines.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let mut text = Vec::new();
        for (path, (inode, major, minor), position, changed, _) in &lines {
            let separator = if path.is_empty() { "" } else { " " };
            writeln!(text, "{inode} {major} {minor} {position} {changed:?}{separator}{path}")?;
        }
        self.replace(&text)?;
        // Afterwards: a new position with an old beginning is read again, the other way around would skip what is new.
        self.beginnings.write(lines.iter().map(|(_, numbers, .., beginning)| (numbers, beginning)));
        Ok(())
    }

    fn replace(&mut self, text: &[u8]) -> io::Result<()> {
        if self.atomic {
            match replace(&self.path, text) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(path = %self.path.display(), %error, "could not replace the sincedb as a whole, it is overwritten");
                    self.atomic = error.kind() != io::ErrorKind::PermissionDenied;
                }
            }
        }
        fs::write(&self.path, text)
    }
}

/// Puts a new file in the place of an old one, with its mode: at any time there is the old or the new text.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let path = fs::canonicalize(path)?;
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text)?;
        file.sync_data()?;
        fs::rename(&temporary, &path)
    });
    if written.is_err() {
        _ = fs::remove_file(&temporary);
    }
    written
}

/// A line `inode major minor position`, in newer ones with `timestamp path` behind.
fn parse(line: &str) -> Option<(Numbers, Record)> {
    let mut rest = line.trim_end_matches('\r').trim_start();
    let mut word = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after.trim_start();
        (!word.is_empty()).then_some(word)
    };
    let inode = word()?.parse().ok()?;
    let numbers = (inode, word()?.parse().ok()?, word()?.parse().ok()?);
    let position = word()?.parse().ok()?;
    let changed = match word() {
        Some(word) => Some(word.parse::<f64>().ok().filter(|seconds| seconds.is_finite())?),
        None => None,
    };
    let path = (!rest.is_empty()).then(|| rest.into());
    let changed = changed.filter(|seconds| *seconds != 0.0);
    Some((numbers, Record { position, changed, path, beginning: Beginning::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const DAY: Duration = Duration::from_secs(86_400);

    /// The lines of Logstash's own tests and documentation, and what is wrong.
    #[test]
    fn lines_of_both_versions() {
        let (numbers, record) = parse("2977152 1 4 94 1519319662.852678 /path/to/my file").unwrap();
        assert_eq!(numbers, (2977152, 1, 4));
        assert_eq!(record.position, 94);
        assert_eq!(record.changed, Some(1519319662.852678));
        assert_eq!(record.path.as_deref(), Some("/path/to/my file"));
        let (numbers, record) = parse("2977152 1 4 94").unwrap();
        assert_eq!(numbers, (2977152, 1, 4));
        assert_eq!((record.position, record.changed, record.path), (94, None, None));
        let (_, record) = parse("2977152 1 4 94 1519319662.0").unwrap();
        assert_eq!((record.changed, record.path), (Some(1519319662.0), None));
        for line in ["", "x", "1 2 3", "1 2 3 x", "1 2 3 4 when /path"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn records_are_kept_until_they_expire() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sincedb");
        let now = seconds(SystemTime::now());
        let (fresh, old) = (now - 3600.25, now - 90_000.0);
        fs::write(
            &path,
            format!("11 0 64768 5 {fresh} /a b\n12 0 64768 6 {old} /old\nnonsense\n13 253 0 7\n"),
        )
        .unwrap();
        let mut sincedb = Sincedb::open(path.clone(), DAY).unwrap();
        let key = |inode| Key { inode, device: 0xfd00 };
        assert_eq!(sincedb.take(key(12)), None);
        assert_eq!(sincedb.take(key(13)).unwrap().position, 7);
        let reading = |inode, changed, path| Reading {
            key: key(inode),
            position: 3,
            changed,
            path,
            beginning: Beginning::default(),
        };
        let reading = [reading(14, now - 10.5, "/reading"), reading(15, old, "/not changed for long")];
        sincedb.write(reading.into_iter()).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written, format!("11 0 64768 5 {fresh:?} /a b\n14 0 64768 3 {:?} /reading\n", now - 10.5));
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_device_takes_no_records() {
        let mut sincedb = Sincedb::open("/dev/null".into(), DAY).unwrap();
        sincedb.write(std::iter::empty()).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn another_file_with_the_same_inode_is_told_apart() {
        let at = |seconds| UNIX_EPOCH + Duration::from_millis(seconds);
        let record = |changed| Record {
            position: 9,
            changed,
            path: Some("/a".into()),
            beginning: Beginning::default(),
        };
        let stat = |born| Stat { key: Key { inode: 1, device: 1 }, size: 20, modified: at(0), born };
        let is_of = |record: Record, path, born| record.is_of(path, &stat(born), &Beginning::default());
        // Renamed meanwhile, or made before it was read.
        assert!(is_of(record(Some(1000.5)), "/a", Some(at(900_000))));
        assert!(is_of(record(Some(1000.5)), "/a.1", Some(at(900_000))));
        // Made after the recorded one was read for the last time.
        assert!(!is_of(record(Some(1000.5)), "/a", Some(at(1_001_000))));
        assert!(!is_of(record(Some(1000.5)), "/b", Some(at(1_001_000))));
        assert!(is_of(record(Some(1000.0)), "/a", Some(at(1_000_900))));
        // Nobody knows when it was made.
        assert!(is_of(record(Some(1000.5)), "/a", None));
        assert!(!is_of(record(Some(1000.5)), "/b", None));
        assert!(is_of(record(None), "/a", Some(at(1))));
    }
}
