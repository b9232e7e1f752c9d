//! Where each event's file lies: the option `path`, and the root that no event can leave.

use std::path::{Path, PathBuf};

use crate::event::{Event, Template};

/// The option `path` is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the starting part of the path should not be dynamic; put at least one fixed directory first")]
    DynamicRoot,
    #[error("{0}")]
    Reference(String),
    #[error("there is no home directory to put in place of ~; write the path out")]
    NoHome,
    #[error("a path needs the name of a file")]
    NoName,
}

/// Which file an event goes to.
#[derive(Debug)]
pub struct Paths {
    template: Template,
    /// The path itself where it does not depend on the event.
    fixed: Option<PathBuf>,
    /// The directory that all files lie in: the one before the first `%{...}`.
    root: PathBuf,
    failure: PathBuf,
}

impl Paths {
    /// Reads the options `path` and `filename_failure`. A relative path is one below `current`, `~` is `home`.
    pub fn new(path: &str, failure: &str, current: &Path, home: Option<&Path>) -> Result<Self, PathError> {
        let absolute = expand(path, current, home)?;
        let template = Template::parse(&absolute);
        if let Some(error) = template.error() {
            return Err(PathError::Reference(error.to_string()));
        }
        let is_fixed = template.as_literal().is_some();
        let literal = if is_fixed { absolute.as_str() } else { literal_start(&absolute) };
        let (root, name) = literal.rsplit_once('/').ok_or(PathError::NoName)?;
        if is_fixed && name.is_empty() {
            return Err(PathError::NoName);
        }
        if !is_fixed && root.is_empty() {
            return Err(PathError::DynamicRoot);
        }
        let root = PathBuf::from(if root.is_empty() { "/" } else { root });
        let fixed = is_fixed.then(|| PathBuf::from(&absolute));
        Ok(Paths { failure: root.join(failure), template, fixed, root })
    }

    /// The path that does not depend on the event.
    pub fn fixed(&self) -> Option<&Path> {
        self.fixed.as_deref()
    }

    /// Where events go that cannot have the file they ask for.
    pub fn failure(&self) -> &Path {
        &self.failure
    }

    /// The path as the event writes it.
    pub fn render(&self, event: &Event) -> Option<String> {
        self.template.render(event).ok()
    }

    /// The file that a rendered path means, or `None` where it does not lie below the root. `..` is resolved by the
    /// text alone, and the file is opened by the result, so that no link can lead the check astray.
    pub fn inside_root(&self, rendered: &str) -> Option<PathBuf> {
        let path = PathBuf::from(normalize(rendered));
        (path.starts_with(&self.root) && path != self.root).then_some(path)
    }
}

/// The text before the first `%{...}`.
fn literal_start(path: &str) -> &str {
    path.find("%{").and_then(|at| path.get(..at)).unwrap_or(path)
}

/// `File.expand_path`: absolute, without `.`, `..` and repeated slashes.
fn expand(path: &str, current: &Path, home: Option<&Path>) -> Result<String, PathError> {
    let absolute = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            format!("{}{rest}", home.ok_or(PathError::NoHome)?.display())
        }
        Some(_) => return Err(PathError::NoHome),
        None if path.starts_with('/') => path.to_owned(),
        None => format!("{}/{path}", current.display()),
    };
    // A reference may hold dots and slashes of its own: only what stands before it can be resolved now. The rest is,
    // event by event.
    let (literal, dynamic) = absolute.split_at(literal_start(&absolute).len());
    if dynamic.is_empty() {
        let name_is_missing = literal.ends_with('/') || literal.is_empty();
        return if name_is_missing { Err(PathError::NoName) } else { Ok(normalize(literal)) };
    }
    let (directory, name) = literal.rsplit_once('/').unwrap_or(("", literal));
    let directory = normalize(directory);
    Ok(format!("{}/{name}{dynamic}", directory.trim_end_matches('/')))
}

/// Resolves `.`, `..` and repeated slashes of an absolute path by its text alone.
fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FieldReference, Timestamp};

    fn paths(path: &str) -> Result<Paths, PathError> {
        Paths::new(path, "_failed", Path::new("/cwd"), Some(Path::new("/home/me")))
    }

    #[test]
    fn the_first_directory_is_fixed() {
        // From logstash-output-file's file_spec.rb.
        for path in ["/%{name}", "/a%{name}/", "/a %{name}/", "/a- %{name}/", "/a- %{name}", "/x/../%{name}"]
        {
            assert_eq!(paths(path).unwrap_err(), PathError::DynamicRoot, "{path}");
        }
        assert!(paths("/tmp/%{name}").is_ok());
        assert!(paths("%{name}").is_ok());
        assert_eq!(paths("/tmp/").unwrap_err(), PathError::NoName);
        assert!(matches!(paths("/tmp/%{[a}"), Err(PathError::Reference(_))));
    }

    #[test]
    fn roots_and_failure_files() {
        for (path, failure) in [
            ("/var/log/x.log", "/var/log/_failed"),
            ("/var//log/%{a}/x", "/var/log/_failed"),
            ("/var/log/x-%{a}", "/var/log/_failed"),
            ("x/y.log", "/cwd/x/_failed"),
            ("./x-%{+YYYY/MM}.log", "/cwd/_failed"),
            ("~/../x/%{a}", "/home/x/_failed"),
            ("/x", "/_failed"),
        ] {
            assert_eq!(paths(path).unwrap().failure(), Path::new(failure), "{path}");
        }
    }

    #[test]
    fn events_stay_below_the_root() {
        let paths = paths("/root/dir/%{f}").unwrap();
        let file = |value: &str| {
            let mut event = Event::new();
            event.set(&FieldReference::top_level("f"), value).unwrap();
            paths.inside_root(&paths.render(&event).unwrap())
        };
        let inside = |path: &str| Some(PathBuf::from(path));
        assert_eq!(file("x.log"), inside("/root/dir/x.log"));
        assert_eq!(file("/inside/../deep/x"), inside("/root/dir/deep/x"));
        assert_eq!(file("%2E%2E%2ftest"), inside("/root/dir/%2E%2E%2ftest"));
        for outside in ["..", "../x", "../..//test", "../../../../etc/passwd", "../dirt/x", "", ".", "a/.."] {
            assert_eq!(file(outside), None, "{outside:?}");
        }
    }

    #[test]
    fn dates_may_make_directories() {
        let paths = paths("/logs/%{+YYYY/MM}/x.log").unwrap();
        let event = Event::at(Timestamp::parse("2024-05-06T07:08:09Z").unwrap());
        let rendered = paths.render(&event).unwrap();
        assert_eq!(paths.inside_root(&rendered), Some(PathBuf::from("/logs/2024/05/x.log")));
    }
}
