//! What the matcher runs: a list of operations.
use memchr::memmem::Finder;

use super::super::ast::Anchor;
use super::sets::{CharSet, First};

/// A compiled pattern.
#[derive(Debug)]
pub(in super::super) struct Program {
    pub(super) ops: Vec<Op>,
    /// By operation: the one that follows, jumps left out.
    pub(super) next: Vec<u32>,
    pub(super) sets: Vec<CharSet>,
    /// Number of groups with group 0.
    pub(super) groups: usize,
    /// What a match can begin with; `None` when that excludes nothing.
    pub(super) first: Option<First>,
    pub(super) start: Start,
    /// A text that every match contains.
    pub(super) literal: Option<Finder<'static>>,
    /// Only texts that are ASCII throughout are matched exactly (case folding, Unicode classes).
    pub(super) ascii_only: bool,
}

/// Where a match can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Anywhere,
    /// `\A`
    Text,
    /// `^`
    Line,
    /// Only where the search begins: the pattern begins with a repeat of any character, which reaches every later
    /// place from there.
    Here,
}

/// One operation; unless it says otherwise, the next one follows.
#[derive(Debug)]
pub(super) enum Op {
    Byte(u8),
    Text(Box<[u8]>),
    /// One member of a set.
    Set(u32),
    /// A run of members of a set.
    Loop {
        set: u32,
        min: u32,
        max: Option<u32>,
        mode: Mode,
        /// What the text behind the run must look like.
        follow: First,
    },
    /// Keeps the place as the start or end of a group.
    Save(u32),
    /// Goes on at one of several places, the first that matches.
    Branch(Box<[(u32, First)]>),
    Jump(u32),
    Assert(Anchor),
    /// `(?=[..])`, `(?<![..])`: one character beside the place belongs to a set, or not.
    Beside {
        set: u32,
        ahead: bool,
        negated: bool,
    },
    /// Looks around with the operations that follow up to their `Accept`, and goes on at `next`.
    Look {
        /// Number of characters to step back first.
        back: usize,
        negated: bool,
        next: u32,
    },
    /// Matches the operations that follow up to their `Accept` without coming back to them, and goes on at `next`.
    Atomic {
        next: u32,
    },
    Accept,
}

/// How a run treats what it could give back or take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Greedy,
    Lazy,
    /// Never gives back: it is written so, or what follows shows that it would be in vain.
    Possessive,
}
