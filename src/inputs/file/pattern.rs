//! The patterns of `path` and `exclude`, as Ruby's `Dir.glob` and `File.fnmatch` read them.
//!
//! Names need not be UTF-8, links to directories are not followed by `**`, and a directory that cannot be read is as
//! one without files.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use regex::bytes::Regex;

/// A pattern for the name of one file or directory: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before what is meant as it is.
#[derive(Debug, Clone)]
pub struct NamePattern {
    regex: Regex,
    /// Whether it says the dot that hidden names begin with: no wildcard stands for it.
    finds_hidden: bool,
}

impl NamePattern {
    /// Fails when a range such as `[z-a]` is no range.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        let mut regex = String::from("(?s)^");
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            match c {
                '*' => regex.push_str("(?s-u:.)*"),
                '?' => regex.push('.'),
                '\\' => push_escaped(&mut regex, rest.next().unwrap_or('\\')),
                '[' => match class(rest.as_str()) {
                    Some((class, after)) => {
                        regex.push_str(&class);
                        rest = after.chars();
                    }
                    None => push_escaped(&mut regex, '['),
                },
                c => push_escaped(&mut regex, c),
            }
        }
        regex.push('$');
        let finds_hidden = pattern.starts_with('.') || pattern.starts_with("\\.");
        Ok(NamePattern { regex: Regex::new(&regex)?, finds_hidden })
    }

    pub fn matches(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        (self.finds_hidden || !name.starts_with(b".")) && self.regex.is_match(name)
    }
}

fn push_escaped(regex: &mut String, c: char) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// The class that begins behind a `[`, as a regular expression, and what stands behind it.
fn class(text: &str) -> Option<(String, &str)> {
    let negated = text.strip_prefix(['!', '^']);
    let mut rest = negated.unwrap_or(text).chars();
    let mut class = String::from(if negated.is_some() { "[^" } else { "[" });
    let opening = class.len();
    loop {
        match rest.next()? {
            ']' if class.len() == opening => return None,
            ']' => break,
            '-' => class.push('-'),
            '\\' => push_escaped(&mut class, rest.next()?),
            c => push_escaped(&mut class, c),
        }
    }
    class.push(']');
    Some((class, rest.as_str()))
}

/// One step of a path.
#[derive(Debug, Clone)]
enum Step {
    Name(OsString),
    Pattern(NamePattern),
    /// `**`: the directory itself and all below it.
    AnyDepth,
}

/// A pattern of an absolute path.
#[derive(Debug, Clone)]
pub struct PathPattern(Vec<Vec<Step>>);

impl PathPattern {
    /// Fails as [`NamePattern::new`] does.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        let mut alternatives = Vec::new();
        for path in braces(pattern) {
            let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
            let last = names.len().saturating_sub(1);
            let steps = names.iter().enumerate().map(|(index, name)| match *name {
                "**" if index < last => Ok(Step::AnyDepth),
                name if name.contains(['*', '?', '[']) => NamePattern::new(name).map(Step::Pattern),
                name => Ok(Step::Name(unescaped(name).into())),
            });
            alternatives.push(steps.collect::<Result<_, _>>()?);
        }
        Ok(PathPattern(alternatives))
    }

    /// The files there are now. One that several alternatives find comes several times.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        self.0.iter().for_each(|steps| walk(Path::new("/"), steps, &mut found));
        found
    }
}

fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        plain.push(if c == '\\' { rest.next().unwrap_or(c) } else { c });
    }
    plain
}

/// Every text that a pattern with `{a,b}` stands for. Braces may stand in braces.
fn braces(pattern: &str) -> Vec<String> {
    let (mut depth, mut escaped) = (0, false);
    let (mut open, mut commas) = (0, Vec::new());
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => {
                if depth == 0 {
                    (open, commas) = (at, Vec::new());
                }
                depth += 1;
            }
            ',' if depth == 1 => commas.push(at),
            '}' if depth == 1 => return one_brace(pattern, open, &commas, at),
            '}' if depth > 1 => depth -= 1,
            _ => {}
        }
    }
    vec![pattern.to_owned()]
}

/// Writes out the brace between `open` and `close`, and then those that are left.
fn one_brace(pattern: &str, open: usize, commas: &[usize], close: usize) -> Vec<String> {
    let (before, after) = (pattern.get(..open), pattern.get(close + 1..));
    let starts = std::iter::once(open).chain(commas.iter().copied());
    let ends = commas.iter().copied().chain([close]);
    let choices = starts.zip(ends).filter_map(|(start, end)| pattern.get(start + 1..end));
    choices
        .flat_map(|choice| {
            braces(&format!("{}{choice}{}", before.unwrap_or_default(), after.unwrap_or_default()))
        })
        .collect()
}

fn walk(directory: &Path, steps: &[Step], found: &mut Vec<PathBuf>) {
    let Some((step, rest)) = steps.split_first() else { return };
    match step {
        Step::Name(name) => {
            let path = directory.join(name);
            if !rest.is_empty() {
                walk(&path, rest, found);
            } else if path.is_file() {
                found.push(path);
            }
        }
        Step::Pattern(pattern) => {
            for entry in entries(directory).filter(|entry| pattern.matches(&entry.file_name())) {
                match rest.is_empty() {
                    true if is(&entry, fs::FileType::is_file, Path::is_file) => found.push(entry.path()),
                    false if is(&entry, fs::FileType::is_dir, Path::is_dir) => {
                        walk(&entry.path(), rest, found);
                    }
                    _ => {}
                }
            }
        }
        Step::AnyDepth => {
            walk(directory, rest, found);
            for entry in entries(directory) {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_directory && !entry.file_name().as_bytes().starts_with(b".") {
                    walk(&entry.path(), steps, found);
                }
            }
        }
    }
}

/// Whether an entry is of a kind, or a link to something that is. Most file systems tell without a look at the entry.
fn is(entry: &DirEntry, kind: fn(&fs::FileType) -> bool, target: fn(&Path) -> bool) -> bool {
    match entry.file_type() {
        Ok(found) if found.is_symlink() => target(&entry.path()),
        Ok(found) => kind(&found),
        Err(_) => false,
    }
}

fn entries(directory: &Path) -> impl Iterator<Item = DirEntry> {
    let read = fs::read_dir(directory).inspect_err(|error| {
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            tracing::debug!(directory = %directory.display(), %error, "could not look for files");
        }
    });
    read.into_iter().flatten().filter_map(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).unwrap().matches(OsStr::new(name))
    }

    /// The examples of Ruby's documentation of `File.fnmatch`, and some of its tests.
    #[test]
    fn names_as_ruby_matches_them() {
        for (pattern, name) in [
            ("cat", "cat"),
            ("c?t", "cat"),
            ("c*", "cats"),
            ("ca[a-z]", "cat"),
            ("ca[^s]", "cat"),
            ("ca[!s]", "cat"),
            ("\\?", "?"),
            ("\\a", "a"),
            ("[\\?]", "?"),
            ("[a-z]", "a"),
            (".*", ".profile"),
            ("**.rb", "main.rb"),
            ("c{at,ub}s", "c{at,ub}s"),
            ("*.log", "ü.log"),
            ("?.log", "ü.log"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("cat", "category"),
            ("c??t", "cat"),
            ("cat", "CAT"),
            ("ca[^t]", "cat"),
            ("?", ".profile"),
            ("*", ".profile"),
            ("[.]profile", ".profile"),
            ("c{at,ub}s", "cats"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(NamePattern::new("*.log").unwrap().matches(OsStr::from_bytes(b"\xff\xfe.log")));
    }

    #[test]
    fn braces_are_written_out() {
        assert_eq!(
            braces("/a/{b,c}/{d,e{f,g}}"),
            ["/a/b/d", "/a/b/ef", "/a/b/eg", "/a/c/d", "/a/c/ef", "/a/c/eg"]
        );
        assert_eq!(braces("/a{,.gz}"), ["/a", "/a.gz"]);
        assert_eq!(braces("/a\\{b,c}"), ["/a\\{b,c}"]);
        assert_eq!(braces("/a{b"), ["/a{b"]);
    }

    #[test]
    fn files_are_found_at_any_depth() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for name in [
            "one.log",
            "two.txt",
            "a/three.log",
            "a/b/four.log",
            "a/.hidden/five.log",
            ".six.log",
            "a/b/l.log.d/x",
        ] {
            let path = at.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(at.join("a"), at.join("link")).unwrap();
        std::os::unix::fs::symlink(at.join("one.log"), at.join("linked.log")).unwrap();
        fs::write(at.join(OsStr::from_bytes(b"\xff.log")), "").unwrap();
        let found = |pattern: &str| {
            let pattern = PathPattern::new(&format!("{}/{pattern}", at.display())).unwrap();
            let mut found: Vec<_> = pattern
                .files()
                .iter()
                .map(|path| path.strip_prefix(at).unwrap().to_string_lossy().into_owned())
                .collect();
            found.sort();
            found
        };
        assert_eq!(found("*.log"), ["linked.log", "one.log", "\u{fffd}.log"]);
        assert_eq!(
            found("**/*.log"),
            ["a/b/four.log", "a/three.log", "linked.log", "one.log", "\u{fffd}.log"]
        );
        assert_eq!(found("{one.log,*.txt,none}"), ["one.log", "two.txt"]);
        assert_eq!(found("link/*.log"), ["link/three.log"]);
        assert_eq!(found("a/**/b/*"), ["a/b/four.log"]);
        assert_eq!(found(".s*"), [".six.log"]);
        assert_eq!(found("**"), ["linked.log", "one.log", "two.txt", "\u{fffd}.log"]);
        assert!(found("none/*").is_empty() && found("one.log/*").is_empty());
    }
}
