//! How the files of a sincedb began, in a file of their own beside it: Logstash's format has no room for it, and Logstash
//! shall still read the sincedb.
//!
//! A file that is truncated and written again while nobody looks may be longer than before by the time someone does. Its
//! position would then skip lines, unless its first bytes tell that it is another text.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::identity::Beginning;
use super::sincedb::Numbers;

/// The file, and what was written to it last.
#[derive(Debug, Default)]
pub struct Beginnings {
    /// `None` beside a device.
    path: Option<PathBuf>,
    written: String,
}

impl Beginnings {
    /// The file beside a sincedb, with what it holds. Its name is a hidden one, which wildcards do not find.
    pub fn beside(sincedb: &Path) -> (Self, HashMap<Numbers, Beginning>) {
        let mut name = OsString::from(".");
        let own = sincedb.file_name().unwrap_or_default().to_string_lossy();
        name.push(own.trim_start_matches('.'));
        name.push(".beginnings");
        let path = sincedb.with_file_name(name);
        let written = fs::read_to_string(&path).unwrap_or_default();
        let known = written.lines().filter_map(parse).collect();
        (Beginnings { path: Some(path), written }, known)
    }

    /// Writes what is known, if it is something new. Without this file, rstash knows as much as Logstash does.
    pub fn write<'b>(&mut self, all: impl Iterator<Item = (&'b Numbers, &'b Beginning)>) {
        let Some(path) = &self.path else { return };
        let mut text = String::new();
        for ((inode, major, minor), beginning) in all.filter(|(_, beginning)| beginning.is_known()) {
            let Beginning { length, digest } = beginning;
            _ = writeln!(text, "{inode} {major} {minor} {length} {digest}");
        }
        if text == self.written {
            return;
        }
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = fs::write(&temporary, &text).and_then(|()| fs::rename(&temporary, path));
        match written {
            Ok(()) => self.written = text,
            Err(error) => {
                _ = fs::remove_file(&temporary);
                tracing::debug!(path = %path.display(), %error, "could not write how files begin");
            }
        }
    }
}

/// A line `inode major minor length digest`.
fn parse(line: &str) -> Option<(Numbers, Beginning)> {
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (numbers, length) = ((number()?, number()?, number()?), number()?);
    let digest = words.next().filter(|digest| digest.len() == 32)?;
    Some((numbers, Beginning { length, digest: digest.into() }))
}

#[cfg(test)]
mod tests {
    use super::super::identity::FirstBytes;
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let sincedb = directory.path().join(".sincedb_x");
        let (mut beginnings, known) = Beginnings::beside(&sincedb);
        assert!(known.is_empty());
        let mut first = FirstBytes::default();
        first.extend(0, b"line 1\n");
        let (one, none) = (Beginning::of(&first), Beginning::default());
        assert_eq!((one.length, none.is_known()), (7, false));
        beginnings.write([(&(1, 2, 3), &one), (&(4, 5, 6), &none)].into_iter());
        assert!(directory.path().join(".sincedb_x.beginnings").is_file());
        let (_, known) = Beginnings::beside(&sincedb);
        assert_eq!(known, HashMap::from([((1, 2, 3), one)]));
        for line in ["", "1 2 3", "1 2 3 4 short", "a 2 3 4 00000000000000000000000000000000"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
