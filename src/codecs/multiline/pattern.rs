//! The pattern of `multiline`: a regular expression in which names of grok patterns may stand.

use std::sync::LazyLock;
use std::time::Duration;

use crate::regex::Regex;

/// A line that takes longer to match does not match.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Compiles a pattern as jls-grok does, with `.` matching newlines. Fails with what is wrong with the pattern.
pub fn compile(pattern: &str, patterns_dir: &[String]) -> Result<Regex, String> {
    let expanded = expand_grok(pattern, patterns_dir)?;
    Regex::builder(&expanded)
        .multiline(true)
        .timeout(Some(TIMEOUT))
        .build()
        .map_err(|error| error.to_string())
}

/// Puts the definitions of grok patterns, `%{NAME}` or `%{NAME:field}`, in the place of their names. Fails where one is
/// not known. Definitions are not there yet: every name fails.
fn expand_grok(pattern: &str, _patterns_dir: &[String]) -> Result<String, String> {
    static REFERENCE: LazyLock<Option<regex::Regex>> =
        LazyLock::new(|| regex::Regex::new(r"%\{([A-Za-z0-9_]+)[^}]*\}").ok());
    let name = REFERENCE.as_ref().and_then(|reference| reference.captures(pattern)?.get(1));
    match name {
        Some(name) => Err(format!(
            "pattern %{{{0}}} is not defined; write the regular expression that {0} stands for",
            name.as_str()
        )),
        None => Ok(pattern.to_owned()),
    }
}
