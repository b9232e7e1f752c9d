//! Writes a syntax tree for Oniguruma's C library and runs it there, with a time limit that interrupts.
//!
//! The library is a close relative of Joni, the engine inside JRuby, but its defaults differ: its `\w \d \s` are
//! Unicode, and its Ruby syntax knows constructs that Ruby has not. The written expression therefore spells every
//! class out and names groups afresh, and leaves nothing to defaults.
use std::cell::RefCell;
use std::time::{Duration, Instant};

use onig::{MatchParam, RegexOptions, Region, SearchOptions, Syntax};

use super::ast::{Anchor, Class, ClassItem, GroupReference, Node, Pattern, Property, Repeat, TypeKind};
use super::cursor::Parsed;
use super::error::{Error, SearchError};
use super::writer::{self, ClassDialect};

/// Entries of the backtracking stack at which a search is given up; an entry takes some tens of bytes.
const STACK_LIMIT: u32 = 16 << 20;
/// Backtracking steps a search with a time limit may take before the clock is looked at for the first time.
const UNTIMED_STEPS: u32 = 5_000;
/// Bytes up to which a text may be searched in one go before the clock is looked at.
const UNTIMED_LENGTH: usize = 32 << 10;
/// Steps at one start position between the first two looks at the clock.
const TIMED_STEPS: u32 = 100_000;

// What Oniguruma's `oniguruma.h` calls ONIGERR_RETRY_LIMIT_IN_MATCH_OVER.
const RETRY_LIMIT_IN_MATCH_OVER: i32 = -17;

/// A compiled expression of the C library.
#[derive(Debug)]
pub(super) struct Backtracking {
    engine: onig::Regex,
    /// `\G` ties a match to the place where the search began, which then cannot be split.
    search_start: bool,
}

thread_local! {
    /// Where the library leaves the groups of a match; kept because it allocates.
    static REGION: RefCell<Region> = RefCell::new(Region::new());
}

impl Backtracking {
    pub fn compile(pattern: &Pattern) -> Parsed<Self> {
        let mut writer = Writer { out: String::new(), pattern, folding: false, search_start: false };
        writer.node(&pattern.node);
        let Writer { out, search_start, .. } = writer;
        let engine =
            onig::Regex::with_options(&out, RegexOptions::REGEX_OPTION_CAPTURE_GROUP, Syntax::ruby());
        match engine {
            Ok(engine) => Ok(Backtracking { engine, search_start }),
            Err(error) => Err(Error::whole(error.description().to_owned())),
        }
    }

    /// Searches `text` from byte `start` on and puts the groups of the first match into `spans`.
    pub fn search(
        &self,
        text: &str,
        start: usize,
        timeout: Option<Duration>,
        spans: &mut Vec<Option<(usize, usize)>>,
    ) -> Result<bool, SearchError> {
        REGION.with_borrow_mut(|region| {
            let found = match timeout {
                None => self.attempt(text, start, Scope::FromHere, 0, region)?.unwrap_or(false),
                Some(timeout) => self.timed(text, start, timeout, region)?,
            };
            spans.clear();
            if found {
                spans.extend((0..region.len()).map(|group| region.pos(group)));
            }
            Ok(found)
        })
    }

    /// One search; `None` when a start position took more than `steps` (0: any number).
    fn attempt(
        &self,
        text: &str,
        start: usize,
        scope: Scope,
        steps: u32,
        region: &mut Region,
    ) -> Result<Option<bool>, SearchError> {
        let mut limits = MatchParam::default();
        limits.set_match_stack_limit(STACK_LIMIT);
        limits.set_retry_limit_in_match(steps);
        let options = SearchOptions::SEARCH_OPTION_NONE;
        let result = match scope {
            Scope::FromHere => {
                self.engine.search_with_param(text, start, text.len(), options, Some(region), limits)
            }
            Scope::OnlyHere => self.engine.match_with_param(text, start, options, Some(region), limits),
        };
        match result {
            Ok(found) => Ok(Some(found.is_some())),
            Err(error) if error.code() == RETRY_LIMIT_IN_MATCH_OVER => Ok(None),
            Err(_) => Err(SearchError::TooComplex),
        }
    }

    /// A search that gives up after `timeout`.
    ///
    /// The library counts steps, not time, and cannot be resumed. So nearly every search ends within a first, small
    /// allowance of steps; one that does not is begun again position by position with the clock read between them,
    /// and a position that needs more steps gets as many as, by its own pace, fit into the time left.
    fn timed(
        &self,
        text: &str,
        start: usize,
        timeout: Duration,
        region: &mut Region,
    ) -> Result<bool, SearchError> {
        let deadline = Deadline { began: Instant::now(), timeout };
        if self.search_start {
            return deadline.persist(|steps| self.attempt(text, start, Scope::FromHere, steps, region));
        }
        if text.len().saturating_sub(start) <= UNTIMED_LENGTH
            && let Some(found) = self.attempt(text, start, Scope::FromHere, UNTIMED_STEPS, region)?
        {
            return Ok(found);
        }
        let mut at = start;
        loop {
            if deadline.persist(|steps| self.attempt(text, at, Scope::OnlyHere, steps, region))? {
                return Ok(true);
            }
            let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else { return Ok(false) };
            at += next.len_utf8();
            deadline.left()?;
        }
    }
}

/// The start positions of an attempt.
#[derive(Clone, Copy)]
enum Scope {
    FromHere,
    OnlyHere,
}

struct Deadline {
    began: Instant,
    timeout: Duration,
}

impl Deadline {
    fn left(&self) -> Result<Duration, SearchError> {
        let left = self.timeout.checked_sub(self.began.elapsed()).filter(|left| !left.is_zero());
        left.ok_or(SearchError::Timeout)
    }

    /// Repeats an attempt with ever more steps until it ends or the time is up.
    fn persist(
        &self,
        mut attempt: impl FnMut(u32) -> Result<Option<bool>, SearchError>,
    ) -> Result<bool, SearchError> {
        let mut steps = TIMED_STEPS;
        loop {
            let round = Instant::now();
            if let Some(found) = attempt(steps)? {
                return Ok(found);
            }
            let pace = f64::from(steps) / round.elapsed().as_secs_f64().max(1e-9);
            let affordable = (pace * self.left()?.as_secs_f64()) as u32;
            steps = steps.saturating_mul(8).min(affordable.max(TIMED_STEPS));
        }
    }
}

/// Whether the library would take this operand for an assertion.
fn is_bare_assertion(node: &Node) -> bool {
    match node {
        Node::Anchor(_) | Node::Look { .. } | Node::Keep => true,
        Node::Alternation(nodes) => nodes.iter().any(is_bare_assertion),
        Node::Concat(nodes) => matches!(nodes.as_slice(), [only] if is_bare_assertion(only)),
        _ => false,
    }
}

/// Whether folding changes nothing about a class: it holds class letters and characters without case only.
fn is_caseless(class: &Class) -> bool {
    class.unions.iter().flatten().all(|item| match item {
        ClassItem::Range(low, high) => high.is_ascii() && !(*low..=*high).any(|c| c.is_ascii_alphabetic()),
        ClassItem::Type(class_type) => {
            let letters = [TypeKind::Word, TypeKind::Digit, TypeKind::Space, TypeKind::Xdigit];
            class_type.ascii && letters.contains(&class_type.kind)
        }
        ClassItem::Property(_) => false,
        ClassItem::Nested(nested) => is_caseless(nested),
    })
}

struct Writer<'p> {
    out: String,
    pattern: &'p Pattern,
    /// Inside `(?i:..)`.
    folding: bool,
    search_start: bool,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => self.out.push_str("(?:)"),
            Node::Literal(character) => writer::literal(&mut self.out, *character),
            Node::Any { newline: true } => self.out.push_str("(?m:.)"),
            Node::Any { newline: false } => self.out.push_str("(?-m:.)"),
            Node::Type(class_type) => {
                // Never folded: `\w` would match the Kelvin sign, and `\S` the two letters of a ligature.
                self.out.push_str(if self.folding { "(?-i:[" } else { "[" });
                let mut out = String::new();
                writer::members(&mut out, *class_type, self);
                self.out.push_str(&out);
                self.out.push_str(if self.folding { "])" } else { "]" });
            }
            Node::Class(class) => {
                let unfolded = self.folding && is_caseless(class);
                let outer = self.folding;
                self.folding &= !unfolded;
                let mut out = String::new();
                writer::class(&mut out, class, self);
                self.folding = outer;
                self.out.push_str(&if unfolded { format!("(?-i:{out})") } else { out });
            }
            Node::Property(Property { name, negated }) => {
                // Outside of brackets the case is folded before the negation.
                let open = if *negated { "[^" } else { "[" };
                self.out.push_str(&format!(r"{open}\p{{{name}}}]"));
            }
            Node::Anchor(anchor) => self.anchor(*anchor),
            Node::LineBreak => self.out.push_str(r"\R"),
            Node::Grapheme => self.out.push_str(r"\X"),
            Node::Keep => self.out.push_str(r"\K"),
            Node::Concat(nodes) => nodes.iter().for_each(|node| self.branch_of_concat(node)),
            Node::Alternation(nodes) => {
                for (at, node) in nodes.iter().enumerate() {
                    if at > 0 {
                        self.out.push('|');
                    }
                    self.node(node);
                }
            }
            Node::Capture { group, node } => {
                let open = match self.pattern.name_index_of(*group) {
                    Some(name) => format!("(?<n{name}>"),
                    None => "(".to_owned(),
                };
                self.enclosed(&open, node);
            }
            Node::Fold { ignore_case, node } => {
                let outer = std::mem::replace(&mut self.folding, *ignore_case);
                self.enclosed(if *ignore_case { "(?i:" } else { "(?-i:" }, node);
                self.folding = outer;
            }
            Node::Look { ahead, negated, node } => {
                let open = match (ahead, negated) {
                    (true, false) => "(?=",
                    (true, true) => "(?!",
                    (false, false) => "(?<=",
                    (false, true) => "(?<!",
                };
                self.enclosed(open, node);
            }
            Node::Atomic(node) => self.enclosed("(?>", node),
            Node::Absent(node) => {
                // The inner group keeps `(?~|..)` from being read as the library's own range operator.
                self.out.push_str("(?~");
                self.enclosed("(?:", node);
                self.out.push(')');
            }
            Node::Conditional { group, yes, no } => self.conditional(group, yes, no),
            Node::Repeat(repeat) => self.repeat(repeat),
            Node::Backreference { group, level } => {
                let level = level.map(|level| format!("{level:+}")).unwrap_or_default();
                let name = self.reference(group);
                self.out.push_str(&format!(r"\k<{name}{level}>"));
            }
            Node::Call(group) => {
                let name = self.reference(group);
                self.out.push_str(&format!(r"\g<{name}>"));
            }
        }
    }

    fn enclosed(&mut self, open: &str, node: &Node) {
        self.out.push_str(open);
        self.node(node);
        self.out.push(')');
    }

    fn branch_of_concat(&mut self, node: &Node) {
        match node {
            Node::Alternation(_) => self.enclosed("(?:", node),
            _ => self.node(node),
        }
    }

    fn anchor(&mut self, anchor: Anchor) {
        self.search_start |= anchor == Anchor::SearchStart;
        let word = TypeKind::Word.ascii_members();
        self.out.push_str(&match anchor {
            Anchor::LineStart => "^".to_owned(),
            Anchor::LineEnd => "$".to_owned(),
            Anchor::TextStart => r"\A".to_owned(),
            Anchor::TextEnd => r"\z".to_owned(),
            Anchor::TextEndNewline => r"\Z".to_owned(),
            Anchor::SearchStart => r"\G".to_owned(),
            Anchor::WordBoundary { ascii: false } => r"\b".to_owned(),
            Anchor::NotWordBoundary { ascii: false } => r"\B".to_owned(),
            Anchor::WordBoundary { ascii: true } => {
                format!("(?-i:(?<=[{word}])(?![{word}])|(?<![{word}])(?=[{word}]))")
            }
            Anchor::NotWordBoundary { ascii: true } => {
                format!("(?-i:(?<=[{word}])(?=[{word}])|(?<![{word}])(?![{word}]))")
            }
        });
    }

    fn conditional(&mut self, group: &GroupReference, yes: &Node, no: &Node) {
        let condition = match group {
            GroupReference::Number(number) => number.to_string(),
            GroupReference::Name(_) => format!("<{}>", self.reference(group)),
        };
        self.out.push_str(&format!("(?({condition})"));
        self.branch_of_concat(yes);
        self.out.push('|');
        self.branch_of_concat(no);
        self.out.push(')');
    }

    fn repeat(&mut self, repeat: &Repeat) {
        match repeat.node {
            Node::Literal(_) | Node::Any { .. } | Node::Class(_) | Node::Capture { .. } | Node::Atomic(_) => {
                self.node(&repeat.node);
            }
            _ if is_bare_assertion(&repeat.node) => {
                // The library refuses to repeat an assertion, which Ruby allows; beside an empty text it does not.
                self.out.push_str("(?:(?:)");
                self.enclosed("(?:", &repeat.node);
                self.out.push(')');
            }
            _ => self.enclosed("(?:", &repeat.node),
        }
        writer::repeat_operator(&mut self.out, repeat);
    }

    fn reference(&self, group: &GroupReference) -> String {
        match group {
            GroupReference::Number(number) => number.to_string(),
            GroupReference::Name(name) => {
                self.pattern.name_index(name).map_or_else(|| name.clone(), |index| format!("n{index}"))
            }
        }
    }
}

impl ClassDialect for Writer<'_> {
    fn unicode_type(&mut self, out: &mut String, kind: TypeKind, negated: bool) {
        if kind == TypeKind::Punct {
            // Ruby adds nine ASCII symbols to the punctuation, the library every symbol.
            let open = if negated { "[^" } else { "[" };
            return out.push_str(&format!(r"{open}\p{{P}}$+<=>\^`|~]"));
        }
        out.push_str(if negated { "[:^" } else { "[:" });
        out.push_str(kind.name());
        out.push_str(":]");
    }

    fn ascii_type(&mut self, out: &mut String, kind: TypeKind, negated: bool) {
        if negated && self.folding {
            // U+017F and U+212A fold to `s` and `k`, which must not make these two members of `\W`.
            out.push_str(&format!(r"[^{}\x{{17F}}\x{{212A}}]", kind.ascii_members()));
        } else {
            writer::ascii_members(out, kind, negated);
        }
    }

    fn property(&mut self, out: &mut String, property: &Property) {
        out.push_str(if property.negated { r"\P{" } else { r"\p{" });
        out.push_str(&property.name);
        out.push('}');
    }
}
