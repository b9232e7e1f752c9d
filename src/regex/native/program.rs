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
    Branch(Branches),
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

/// Places to go on at, in order of preference, each with what must follow there.
#[derive(Debug)]
pub(super) struct Branches {
    pub arms: Box<[(u32, First)]>,
    /// For choices of many: the arms, as bits, that each byte admits, and the end of the text behind the bytes.
    by_byte: Option<Box<[u16; 257]>>,
}

impl Branches {
    /// From so many arms on a table is quicker than a walk, and a set of 16 bits holds as many.
    const TABLED: std::ops::RangeInclusive<usize> = 5..=16;

    pub fn new(arms: Box<[(u32, First)]>) -> Self {
        let by_byte = Self::TABLED.contains(&arms.len()).then(|| {
            let mut table = Box::new([0; 257]);
            for (byte, slot) in table.iter_mut().enumerate() {
                let next = u8::try_from(byte).ok();
                for (bit, (_, first)) in arms.iter().enumerate() {
                    *slot |= u16::from(first.admits(next.as_ref())) << bit;
                }
            }
            table
        });
        Branches { arms, by_byte }
    }

    /// The first two arms from `index` on that a byte, or the end of the text, admits.
    #[inline]
    pub fn admitted(&self, next: Option<&u8>, index: usize) -> (Option<usize>, Option<usize>) {
        let Some(table) = &self.by_byte else {
            let mut admitted = self.arms.iter().enumerate().skip(index);
            let mut another = || admitted.find(|(_, (_, first))| first.admits(next)).map(|(arm, _)| arm);
            return (another(), another());
        };
        let bits = table.get(next.map_or(256, |byte| usize::from(*byte))).copied().unwrap_or(0);
        // `index` counts arms, of which there are 16 at most.
        let bits = (u32::from(bits) >> index) << index;
        let lowest = |bits: u32| (bits != 0).then(|| bits.trailing_zeros() as usize);
        (lowest(bits), lowest(bits & bits.wrapping_sub(1)))
    }
}

/// How a run treats what it could give back or take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Greedy,
    Lazy,
    /// Never gives back: it is written so, or what follows shows that it would be in vain.
    Possessive,
}
