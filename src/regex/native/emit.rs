//! Writes the program of a lowered pattern.
//!
//! Everything is written with knowledge of what can follow it, so that choices which cannot matter are not written.
use memchr::memmem::Finder;

use super::super::ast::Anchor;
use super::factor::factored;
use super::lower::{Lowered, Tree};
use super::program::{Branches, Mode, Op, Program, Start};
use super::sets::{CharSet, First};

/// Repeats are written out; a program that grows larger than this is none for this matcher.
const MAX_OPS: usize = 20_000;

/// Writes the program of a pattern with `groups` groups, group 0 included; `None` when it grows too large.
pub(super) fn emit(lowered: Lowered, groups: usize) -> Option<Program> {
    let Lowered { tree, sets, ascii_only } = lowered;
    let tree = factored(tree, &sets);
    let first = tree.first(&sets, First::ANYTHING);
    let start = start_of(&tree, &sets);
    let mut literal = Vec::new();
    required(&tree, &mut literal);
    let mut emitter = Emitter { ops: Vec::new(), sets, choices: false };
    emitter.tree(&tree, First::ANYTHING)?;
    emitter.push(Op::Accept)?;
    emitter.thread_jumps();
    let next = (0..emitter.here()).map(|at| emitter.threaded(at + 1)).collect();
    Some(Program {
        ops: emitter.ops,
        next,
        sets: emitter.sets,
        groups,
        first: (first != First::ANYTHING).then_some(first),
        start,
        literal: (literal.len() > 1).then(|| Finder::new(&literal).into_owned()),
        ascii_only,
    })
}

/// Where a match of `tree` can begin.
fn start_of(tree: &Tree, sets: &[CharSet]) -> Start {
    match tree {
        Tree::Assert(Anchor::TextStart) => Start::Text,
        Tree::Assert(Anchor::LineStart) => Start::Line,
        Tree::Concat(trees) => trees.first().map_or(Start::Anywhere, |tree| start_of(tree, sets)),
        Tree::Capture(_, tree) => start_of(tree, sets),
        Tree::Alternation(trees) => {
            let mut starts = trees.iter().map(|tree| start_of(tree, sets));
            let first = starts.next().unwrap_or(Start::Anywhere);
            if starts.all(|start| start == first) { first } else { Start::Anywhere }
        }
        Tree::Repeat { tree, max: None, mode: Mode::Greedy | Mode::Lazy, .. } => match **tree {
            Tree::Set(set) if sets.get(set as usize).is_some_and(CharSet::is_everything) => Start::Here,
            _ => Start::Anywhere,
        },
        _ => Start::Anywhere,
    }
}

/// Leaves the longest text that every match contains in `longest`.
fn required(tree: &Tree, longest: &mut Vec<u8>) {
    match tree {
        Tree::Text(text) if text.len() > longest.len() => longest.clone_from(text),
        Tree::Concat(trees) => trees.iter().for_each(|tree| required(tree, longest)),
        Tree::Capture(_, tree) | Tree::Atomic(tree) => required(tree, longest),
        Tree::Repeat { tree, min, .. } if *min > 0 => required(tree, longest),
        _ => {}
    }
}

struct Emitter {
    ops: Vec<Op>,
    sets: Vec<CharSet>,
    /// An operation has been written that may leave a choice point behind.
    choices: bool,
}

impl Emitter {
    /// The number of the next operation.
    fn here(&self) -> u32 {
        u32::try_from(self.ops.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, op: Op) -> Option<usize> {
        self.ops.push(op);
        (self.ops.len() <= MAX_OPS).then_some(self.ops.len() - 1)
    }

    fn replace(&mut self, at: usize, op: Op) {
        if let Some(slot) = self.ops.get_mut(at) {
            *slot = op;
        }
    }

    /// Where one gets from an operation by jumps alone.
    fn threaded(&self, at: u32) -> u32 {
        let mut at = at;
        // Only jumps behind a body go back, and those lead to a `Branch`.
        while let Some(Op::Jump(next)) = self.ops.get(at as usize) {
            at = *next;
        }
        at
    }

    /// Makes every branch lead to where its jumps would.
    fn thread_jumps(&mut self) {
        for at in 0..self.ops.len() {
            if let Some(Op::Branch(branches)) = self.ops.get(at) {
                let threaded = branches.arms.iter().map(|(target, first)| (self.threaded(*target), *first));
                let threaded = Branches::new(threaded.collect());
                self.replace(at, Op::Branch(threaded));
            }
        }
    }

    /// Writes a tree; what comes behind it matches only where `follow` admits.
    fn tree(&mut self, tree: &Tree, follow: First) -> Option<()> {
        match tree {
            Tree::Empty => {}
            Tree::Text(text) => {
                self.push(match text.as_slice() {
                    [byte] => Op::Byte(*byte),
                    text => Op::Text(text.into()),
                })?;
            }
            Tree::Set(set) => _ = self.push(Op::Set(*set))?,
            Tree::Assert(anchor) => _ = self.push(Op::Assert(*anchor))?,
            Tree::Concat(trees) => self.concat(trees, follow)?,
            Tree::Alternation(trees) => self.alternation(trees, follow)?,
            Tree::Capture(group, tree) => {
                let slot = u32::try_from(group * 2).ok()?;
                self.push(Op::Save(slot))?;
                self.tree(tree, follow)?;
                self.push(Op::Save(slot + 1))?;
            }
            Tree::Look { ahead, negated, tree } => self.look(*ahead, *negated, tree, follow)?,
            Tree::Atomic(tree) => self.atomic(tree, follow)?,
            Tree::Repeat { tree, min, max, mode } => match (&**tree, mode) {
                (Tree::Set(set), _) => self.run(*set, *min, *max, *mode, follow)?,
                (_, Mode::Possessive) => {
                    let greedy =
                        Tree::Repeat { tree: tree.clone(), min: *min, max: *max, mode: Mode::Greedy };
                    self.atomic(&greedy, follow)?;
                }
                (tree, _) => self.repeat(tree, *min, *max, *mode == Mode::Greedy, follow)?,
            },
        }
        Some(())
    }

    fn concat(&mut self, trees: &[Tree], follow: First) -> Option<()> {
        let mut follows = vec![follow; trees.len()];
        let mut behind = follow;
        for (slot, tree) in follows.iter_mut().zip(trees).rev() {
            *slot = behind;
            behind = tree.first(&self.sets, behind);
        }
        trees.iter().zip(follows).try_for_each(|(tree, follow)| self.tree(tree, follow))
    }

    fn branch(&mut self, at: usize, branches: Vec<(u32, First)>) {
        let apart = branches.iter().enumerate().all(|(index, (_, first))| {
            branches.iter().skip(index + 1).all(|(_, other)| first.excludes(*other))
        });
        self.choices |= !apart;
        self.replace(at, Op::Branch(Branches::new(branches.into())));
    }

    fn alternation(&mut self, trees: &[Tree], follow: First) -> Option<()> {
        let fork = self.push(Op::Accept)?;
        let mut branches = Vec::with_capacity(trees.len());
        let mut ends = Vec::with_capacity(trees.len());
        for tree in trees {
            branches.push((self.here(), tree.first(&self.sets, follow)));
            self.tree(tree, follow)?;
            ends.push(self.push(Op::Accept)?);
        }
        let behind = self.here();
        ends.into_iter().for_each(|end| self.replace(end, Op::Jump(behind)));
        self.branch(fork, branches);
        Some(())
    }

    /// Writes a repeat of one character.
    fn run(&mut self, set: u32, min: u32, max: Option<u32>, mode: Mode, follow: First) -> Option<()> {
        if (min, max) == (1, Some(1)) {
            self.push(Op::Set(set))?;
            return Some(());
        }
        let members = self.sets.get(set as usize)?.first();
        let mode = match mode {
            // Wherever a shorter run could end, a member follows, and nothing that comes behind begins with one.
            _ if max == Some(min) || members.bytes.intersection(follow.bytes).is_empty() => Mode::Possessive,
            other => other,
        };
        self.choices |= mode != Mode::Possessive;
        self.push(Op::Loop { set, min, max, mode, follow })?;
        Some(())
    }

    /// Writes any other repeat: the copies that must match, then those that may, or a loop.
    fn repeat(&mut self, tree: &Tree, min: u32, max: Option<u32>, greedy: bool, follow: First) -> Option<()> {
        let again = tree.first(&self.sets, follow);
        let order = |body: u32, exit: u32| match greedy {
            true => vec![(body, again), (exit, follow)],
            false => vec![(exit, follow), (body, again)],
        };
        let behind_copy = follow.or(again);
        let Some(max) = max else {
            for _ in 1..min {
                self.tree(tree, again)?;
            }
            let start = self.here();
            if min > 0 {
                self.tree(tree, behind_copy)?;
                let fork = self.push(Op::Accept)?;
                let branches = order(start, self.here());
                self.branch(fork, branches);
                return Some(());
            }
            let fork = self.push(Op::Accept)?;
            self.tree(tree, behind_copy)?;
            self.push(Op::Jump(start))?;
            let branches = order(start + 1, self.here());
            self.branch(fork, branches);
            return Some(());
        };
        for copy in 1..=min {
            let behind = if copy < min { again } else { behind_copy };
            self.tree(tree, if copy == max { follow } else { behind })?;
        }
        let mut forks = Vec::new();
        for copy in min..max {
            forks.push(self.push(Op::Accept)?);
            self.tree(tree, if copy + 1 == max { follow } else { behind_copy })?;
        }
        let behind = self.here();
        for fork in forks {
            let branches = order(u32::try_from(fork).ok()? + 1, behind);
            self.branch(fork, branches);
        }
        Some(())
    }

    /// Writes `(?>..)`: as it is when it makes no choice that could be taken back.
    fn atomic(&mut self, tree: &Tree, follow: First) -> Option<()> {
        let start = self.ops.len();
        let outer = std::mem::replace(&mut self.choices, false);
        self.tree(tree, follow)?;
        if std::mem::replace(&mut self.choices, outer) {
            self.ops.truncate(start);
            let enter = self.push(Op::Accept)?;
            self.enclosed(tree)?;
            let next = self.here();
            self.replace(enter, Op::Atomic { next });
        }
        Some(())
    }

    /// Writes what is matched for itself, whatever follows. Its choices end with it.
    fn enclosed(&mut self, tree: &Tree) -> Option<()> {
        let outer = self.choices;
        self.tree(tree, First::ANYTHING)?;
        self.choices = outer;
        self.push(Op::Accept)?;
        Some(())
    }

    fn look(&mut self, ahead: bool, negated: bool, tree: &Tree, follow: First) -> Option<()> {
        if let Tree::Set(set) = tree {
            let members = self.sets.get(*set as usize)?.first();
            if ahead && negated && members.bytes.intersection(follow.bytes).is_empty() {
                // What follows makes sure of it.
                return Some(());
            }
            self.push(Op::Beside { set: *set, ahead, negated })?;
            return Some(());
        }
        let enter = self.push(Op::Accept)?;
        self.enclosed(tree)?;
        let next = self.here();
        let back = if ahead { 0 } else { tree.characters()? };
        self.replace(enter, Op::Look { back, negated, next });
        Some(())
    }
}
