//! Replaces the references of an expression by the patterns they name, until there are none.
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::dictionary::Dictionary;
use super::reference::{self, Reference};

/// References replaced in one expression at most (ruby-grok's `iterations_left`).
const MAX_REFERENCES: usize = 10_000;
/// Bytes of an expanded expression at most; those of the library stay below 200 kB.
const MAX_LENGTH: usize = 4 << 20;

/// A regular expression made of an expression, and where its pieces come from.
#[derive(Debug)]
pub(super) struct Expanded {
    pub regex: String,
    pieces: Vec<Piece>,
}

/// A piece of the regular expression, which ends where the next one begins.
#[derive(Debug)]
struct Piece {
    start: usize,
    /// Where it stands in the expression.
    from: Range<usize>,
    /// It is a copy of that place, byte by byte.
    verbatim: bool,
}

/// Why an expression cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A pattern is not defined.
    Unknown(String),
    /// A pattern refers to itself.
    Recursive(String),
    TooLarge,
}

impl Expanded {
    /// The place in the expression from which byte `at` of the regular expression comes.
    pub fn origin(&self, at: usize) -> Range<usize> {
        let after = self.pieces.partition_point(|piece| piece.start <= at);
        match self.pieces.get(..after).and_then(<[_]>::last) {
            Some(piece) if piece.verbatim => {
                let place = (piece.from.start + (at - piece.start)).min(piece.from.end);
                place..place
            }
            Some(piece) => piece.from.clone(),
            None => 0..0,
        }
    }
}

/// Expands an expression. The error comes with the place of the reference that led to it.
pub(super) fn expand(
    expression: &str,
    dictionary: &Dictionary,
    named_captures_only: bool,
) -> Result<Expanded, (Range<usize>, Trouble)> {
    let mut expander = Expander {
        dictionary,
        defined: HashMap::new(),
        named_captures_only,
        left: MAX_REFERENCES,
        out: String::with_capacity(expression.len() * 4),
        open: Vec::new(),
    };
    let mut pieces = Vec::new();
    let mut copied = 0;
    while let Some(reference) = reference::find(expression, copied) {
        pieces.push(Piece { start: expander.out.len(), from: copied..reference.start, verbatim: true });
        expander.out.push_str(expression.get(copied..reference.start).unwrap_or_default());
        let from = reference.start..reference.end;
        pieces.push(Piece { start: expander.out.len(), from: from.clone(), verbatim: false });
        copied = reference.end;
        expander.replace(&reference).map_err(|trouble| (from, trouble))?;
    }
    pieces.push(Piece { start: expander.out.len(), from: copied..expression.len(), verbatim: true });
    expander.out.push_str(expression.get(copied..).unwrap_or_default());
    Ok(Expanded { regex: expander.out, pieces })
}

struct Expander<'d> {
    dictionary: &'d Dictionary,
    /// What the expression defines itself.
    defined: HashMap<String, String>,
    named_captures_only: bool,
    left: usize,
    out: String,
    /// The patterns being expanded, each with its text.
    open: Vec<(String, String)>,
}

impl Expander<'_> {
    fn replace(&mut self, reference: &Reference<'_>) -> Result<(), Trouble> {
        self.left = self.left.checked_sub(1).ok_or(Trouble::TooLarge)?;
        if self.out.len() > MAX_LENGTH {
            return Err(Trouble::TooLarge);
        }
        if let Some(definition) = reference.definition {
            self.defined.insert(reference.pattern.to_owned(), definition.to_owned());
        }
        let known = match self.defined.get(reference.pattern) {
            Some(defined) => Cow::Owned(defined.clone()),
            None => {
                let found = self.dictionary.get(reference.pattern);
                Cow::Borrowed(found.ok_or_else(|| Trouble::Unknown(reference.pattern.to_owned()))?)
            }
        };
        if self.open.iter().any(|(name, text)| name == reference.pattern && *text == known) {
            return Err(Trouble::Recursive(reference.pattern.to_owned()));
        }
        if self.named_captures_only && !reference.name.contains(':') {
            self.out.push_str("(?:");
        } else {
            self.out.push_str("(?<");
            self.out.push_str(reference.name);
            self.out.push('>');
        }
        self.open.push((reference.pattern.to_owned(), known.clone().into_owned()));
        self.text(&known)?;
        self.open.pop();
        self.out.push(')');
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Trouble> {
        let mut copied = 0;
        while let Some(reference) = reference::find(text, copied) {
            self.out.push_str(text.get(copied..reference.start).unwrap_or_default());
            copied = reference.end;
            self.replace(&reference)?;
        }
        self.out.push_str(text.get(copied..).unwrap_or_default());
        Ok(())
    }
}
