//! Ruby regular expressions as Logstash configs write them, behind one type, [`Regex`].
//!
//! Logstash runs on JRuby, whose engine (Joni) is a port of Oniguruma. A pattern is parsed into a tree once
//! (`parser`), so that mistakes are reported with their place, and the tree is then written for the fastest engine
//! that finds the identical match:
//!
//! | construct | engine |
//! |---|---|
//! | literals, `.`, `\w \d \s \h` (ASCII), brackets with `&&`, groups, names (also repeated ones), `\A \z ^ $`, greedy and lazy repeats, `(?mx-mx:..)` | `regex` crate, linear time |
//! | `[[:alpha:]]`, `\p{Alpha}`, `\b`, `(?i)` | `regex` crate for ASCII texts, Oniguruma for the others |
//! | `^` that no character must follow (`^$`, `x*^`) | `regex` crate for texts without a final newline, else Oniguruma |
//! | look-around, `(?>..)`, `a++`, `\Z`; whatever stands above, when its groups are wanted | `native`, backtracking, for what it knows; then the engine above or below |
//! | `\1`, `\k<n>`, `\g<n>`, `(?~..)`, `(?(1)..)`, `\G \K \R \X`, other `\p{..}`, `(a*)*` | Oniguruma, backtracking |
//!
//! Ruby's semantics hold throughout: `^` and `$` are line anchors, `.` leaves out newlines unless `m` is set,
//! plain parentheses do not capture beside named groups, case folding knows `ß` and `ss`.
mod ast;
mod backtracking;
mod class;
mod cursor;
mod error;
mod groups;
mod linear;
mod literals;
mod native;
mod parser;
mod replace;
mod search;
mod split;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::OnceLock;
use std::time::Duration;

pub use error::{Error, SearchError};
pub use replace::ReplaceError;
pub use search::{Captures, Locations, Match, Matches};

use backtracking::Backtracking;
use linear::Guard;

/// A compiled Ruby regular expression.
///
/// Searches come in two forms: those called `try_..` report a search that was given up (time limit, memory), the
/// plain ones take that for "no match".
#[derive(Debug)]
pub struct Regex {
    pattern: Box<str>,
    /// The quickest for groups, where it knows the pattern.
    native: Option<Box<native::Program>>,
    engine: LazyEngine,
    /// Number of groups with group 0.
    groups: usize,
    /// Group names in order of first appearance, with their groups.
    names: Vec<(Box<str>, Vec<usize>)>,
    timeout: Option<Duration>,
}

#[derive(Debug)]
enum Engine {
    Linear { regex: regex::Regex, guard: Guard, fallback: Option<Box<Backtracking>> },
    Backtracking(Box<Backtracking>),
}

/// The engine behind `native`. A pattern that `native` knows nearly always does without, so it is made when it is
/// first needed; grok patterns are large, and a config may hold hundreds.
#[derive(Debug)]
struct LazyEngine {
    pattern: ast::Pattern,
    made: OnceLock<Option<Engine>>,
}

impl LazyEngine {
    /// `None` when the pattern is beyond what both engines can compile.
    fn get(&self) -> Option<&Engine> {
        self.made.get_or_init(|| Engine::compile(&self.pattern).ok()).as_ref()
    }
}

impl Engine {
    fn compile(pattern: &ast::Pattern) -> Result<Engine, Error> {
        Ok(match linear_engine(pattern) {
            Some((regex, guard)) => {
                let fallback = guard.is_partial().then(|| Backtracking::compile(pattern)).transpose()?;
                Engine::Linear { regex, guard, fallback: fallback.map(Box::new) }
            }
            None => Engine::Backtracking(Box::new(Backtracking::compile(pattern)?)),
        })
    }
}

/// Options of a regular expression; made by [`Regex::builder`].
#[derive(Debug, Clone)]
pub struct RegexBuilder {
    pattern: String,
    options: parser::Options,
    timeout: Option<Duration>,
}

impl RegexBuilder {
    /// Ruby's `i`: letters match without regard to case.
    pub fn ignore_case(mut self, yes: bool) -> Self {
        self.options.ignore_case = yes;
        self
    }

    /// Ruby's `m`: `.` matches a newline too. (`^` and `$` are line anchors anyway.)
    pub fn multiline(mut self, yes: bool) -> Self {
        self.options.multiline = yes;
        self
    }

    /// Ruby's `x`: white space and `#` comments in the pattern are left out.
    pub fn extended(mut self, yes: bool) -> Self {
        self.options.extended = yes;
        self
    }

    /// Time after which one search gives up. Only a backtracking search can take long; it is really interrupted.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Compiles the pattern.
    ///
    /// # Errors
    /// When it is not a valid Ruby regular expression, or is beyond what can be compiled.
    pub fn build(self) -> Result<Regex, Error> {
        self.compile().map_err(|error| error.in_pattern(&self.pattern))
    }

    fn compile(&self) -> Result<Regex, Error> {
        let pattern = parser::parse(&self.pattern, self.options)?;
        let native = native::compile(&pattern).map(Box::new);
        let made = OnceLock::new();
        if native.is_none() || pattern.groups == 0 {
            let engine = Engine::compile(&pattern)?;
            made.get_or_init(|| Some(engine));
        }
        Ok(Regex {
            pattern: self.pattern.as_str().into(),
            native,
            groups: pattern.groups + 1,
            names: pattern
                .names
                .iter()
                .map(|(name, groups)| (name.as_str().into(), groups.clone()))
                .collect(),
            timeout: self.timeout,
            engine: LazyEngine { pattern, made },
        })
    }
}

fn linear_engine(pattern: &ast::Pattern) -> Option<(regex::Regex, Guard)> {
    let (written, guard) = linear::write(&pattern.node)?;
    // Repeats multiply here and do not in the other engine, which then takes what is too large.
    let regex = regex::RegexBuilder::new(&written).size_limit(4 << 20).build().ok()?;
    (regex.captures_len() == pattern.groups + 1).then_some((regex, guard))
}

impl Regex {
    /// Compiles `pattern` without options, as Ruby's `Regexp.new(pattern)` does.
    ///
    /// # Errors
    /// When it is not a valid Ruby regular expression.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        Regex::builder(pattern).build()
    }

    /// Starts with `pattern`, no options and no time limit.
    pub fn builder(pattern: &str) -> RegexBuilder {
        RegexBuilder { pattern: pattern.to_owned(), options: parser::Options::default(), timeout: None }
    }

    /// Escapes `text` so that a pattern matches it literally, as Ruby's `Regexp.escape` does.
    pub fn escape(text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            let letter = match character {
                '\n' => 'n',
                '\t' => 't',
                '\r' => 'r',
                '\x0C' => 'f',
                '\x0B' => 'v',
                _ if "[]{}()|-*.\\?+^$# ".contains(character) => character,
                _ => {
                    escaped.push(character);
                    continue;
                }
            };
            escaped.push('\\');
            escaped.push(letter);
        }
        escaped
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Number of groups, counting group 0, the whole match.
    pub fn captures_len(&self) -> usize {
        self.groups
    }

    /// The names of the groups in order of first appearance, each with its groups in ascending order (several when
    /// the name is used repeatedly).
    pub fn names(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.names.iter().map(|(name, groups)| (&**name, groups.as_slice()))
    }

    /// The groups that carry `name`; empty when there is none.
    pub fn groups_of(&self, name: &str) -> &[usize] {
        self.names.iter().find(|(known, _)| &**known == name).map_or(&[], |(_, groups)| groups.as_slice())
    }

    /// A text without which there is no match, where one is known.
    pub fn required_text(&self) -> Option<&[u8]> {
        self.native.as_deref().and_then(native::Program::literal)
    }

    /// Whether every search takes time linear in the text, whatever the text is.
    pub fn is_linear(&self) -> bool {
        matches!(self.engine.get(), Some(Engine::Linear { fallback: None, .. }))
    }
}

/// Equal when the pattern reads the same; for tests and plan comparison.
impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.timeout == other.timeout
    }
}
