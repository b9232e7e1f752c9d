//! Runs a program on a text.
use std::cell::RefCell;

use super::super::ast::Anchor;
use super::program::{Branches, Mode, Op, Program, Start};
use super::sets::{CharSet, First, before};

/// Steps after which a search is left to another engine: one that runs in linear time, or Oniguruma, which has more ways
/// out of a catastrophe and a time limit.
///
/// At a few nanoseconds a step that is 1 or 2 ms, and no ordinary line comes near it.
const PATIENCE: u32 = 200_000;
/// The value of a slot whose group took no part.
const UNSET: usize = usize::MAX;

/// Another engine must answer: the search takes too many steps, or the text is beyond what is matched exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Elsewhere;

/// What can be done instead when an operation fails.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Restores a slot; no alternative itself.
    Slot { slot: usize, old: usize },
    /// Tries the branches of a `Branch` from `index` on.
    Branch { pc: usize, index: usize, at: usize },
    /// Ends a greedy run before `at`, at `low` at the earliest.
    Greedy { pc: usize, low: usize, at: usize },
    /// Takes another character into a lazy run.
    Lazy { pc: usize, at: usize, left: Option<u32> },
}

#[derive(Default)]
struct Scratch {
    slots: Vec<usize>,
    frames: Vec<Frame>,
}

thread_local! {
    /// Kept because it allocates.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What comes of an operation.
enum Step {
    /// On at an operation and a place.
    Go(usize, usize),
    Fail,
    Accept,
}

impl Program {
    /// Searches `text` from byte `from` on and puts the groups of the first match into `spans`.
    pub fn search(
        &self,
        text: &str,
        from: usize,
        spans: &mut Vec<Option<(usize, usize)>>,
    ) -> Result<bool, Elsewhere> {
        spans.clear();
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        if self.literal.as_ref().is_some_and(|literal| literal.find(rest).is_none()) {
            return Ok(false);
        }
        if self.ascii_only && !text.is_ascii() {
            return Err(Elsewhere);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let found = Run::new(self, text, scratch).search(from)?;
            if let Some((start, end)) = found {
                spans.push(Some((start, end)));
                spans.extend(scratch.slots.chunks_exact(2).skip(1).map(|slots| match slots {
                    [start, end] if *start != UNSET && *end != UNSET => Some((*start, *end)),
                    _ => None,
                }));
            }
            Ok(found.is_some())
        })
    }
}

struct Run<'r> {
    program: &'r Program,
    text: &'r str,
    scratch: &'r mut Scratch,
    /// Steps left.
    steps: u32,
    /// Look-arounds and atomic groups around the current operation.
    nested: usize,
}

impl<'r> Run<'r> {
    fn new(program: &'r Program, text: &'r str, scratch: &'r mut Scratch) -> Self {
        Run { program, text, scratch, steps: PATIENCE, nested: 0 }
    }

    fn search(&mut self, from: usize) -> Result<Option<(usize, usize)>, Elsewhere> {
        let mut at = from;
        while let Some(start) = self.next_start(from, at) {
            self.scratch.frames.clear();
            self.scratch.slots.clear();
            self.scratch.slots.resize(self.program.groups * 2, UNSET);
            if let Some(end) = self.execute(0, start)? {
                return Ok(Some((start, end)));
            }
            self.tick(1)?;
            at = start + 1;
        }
        Ok(None)
    }

    /// The first place from `at` on where a match may begin.
    fn next_start(&self, from: usize, at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        match self.program.start {
            Start::Text => return (at == 0).then_some(0),
            Start::Here => return (at == from).then_some(from),
            Start::Line => {
                if at == 0 {
                    return Some(0);
                }
                let newline = memchr::memchr(b'\n', bytes.get(at - 1..)?)?;
                return Some(at + newline).filter(|start| *start < bytes.len());
            }
            Start::Anywhere => {}
        }
        let Some(first) = &self.program.first else {
            return (at..=bytes.len()).find(|at| self.text.is_char_boundary(*at));
        };
        let rest = bytes.get(at..)?;
        let skipped = match first.only() {
            Some(byte) => memchr::memchr(byte, rest),
            // A character never begins with 10xxxxxx.
            None => rest.iter().position(|byte| first.bytes.contains(*byte) && byte & 0xC0 != 0x80),
        };
        match skipped {
            Some(skipped) => Some(at + skipped),
            None => first.end.then_some(bytes.len()),
        }
    }

    /// Counts work, and ends the search when there was too much of it. As a step makes one choice point at most, it
    /// bounds the memory too.
    #[inline]
    fn tick(&mut self, work: usize) -> Result<(), Elsewhere> {
        let left = u32::try_from(work).ok().and_then(|work| self.steps.checked_sub(work));
        self.steps = left.ok_or(Elsewhere)?;
        Ok(())
    }

    /// Runs from an operation on until `Accept`; the place of that, or `None` when there is no match.
    fn execute(&mut self, pc: usize, at: usize) -> Result<Option<usize>, Elsewhere> {
        let base = self.scratch.frames.len();
        let (mut pc, mut at) = (pc, at);
        loop {
            match self.step(pc, at)? {
                Step::Go(next, place) => (pc, at) = (next, place),
                Step::Accept => return Ok(Some(at)),
                Step::Fail => match self.resume(base)? {
                    Some((next, place)) => (pc, at) = (next, place),
                    None => return Ok(None),
                },
            }
        }
    }

    fn step(&mut self, pc: usize, at: usize) -> Result<Step, Elsewhere> {
        let Some(op) = self.program.ops.get(pc) else { return Ok(Step::Fail) };
        let matched = match op {
            Op::Byte(byte) => (self.text.as_bytes().get(at) == Some(byte)).then_some(at + 1),
            Op::Text(text) => {
                let rest = self.text.as_bytes().get(at..).unwrap_or_default();
                rest.starts_with(text).then_some(at + text.len())
            }
            Op::Set(set) => self.set(*set).and_then(|set| set.step(self.text, at)),
            Op::Save(slot) => {
                self.save(*slot as usize, at);
                Some(at)
            }
            Op::Assert(anchor) => self.holds(*anchor, at)?.then_some(at),
            Op::Beside { set, ahead, negated } => {
                let member = self.set(*set).is_some_and(|set| match ahead {
                    true => set.step(self.text, at).is_some(),
                    false => set.ends_at(self.text, at),
                });
                (member != *negated).then_some(at)
            }
            Op::Loop { set, min, max, mode, follow } => {
                return self.enter_loop(pc, at, *set, (*min, *max), *mode, *follow);
            }
            Op::Branch(branches) => return self.branch(pc, branches, 0, at),
            Op::Jump(next) => return Ok(Step::Go(*next as usize, at)),
            Op::Atomic { next } => return self.atomic(pc, *next as usize, at),
            Op::Look { back, negated, next } => return self.look(pc, *back, *negated, *next as usize, at),
            Op::Accept => return Ok(Step::Accept),
        };
        Ok(matched.map_or(Step::Fail, |at| Step::Go(self.behind(pc), at)))
    }

    /// The operation behind one.
    fn behind(&self, pc: usize) -> usize {
        self.program.next.get(pc).map_or(usize::MAX, |next| *next as usize)
    }

    fn set(&self, set: u32) -> Option<&'r CharSet> {
        self.program.sets.get(set as usize)
    }

    fn save(&mut self, slot: usize, at: usize) {
        let Some(place) = self.scratch.slots.get_mut(slot) else { return };
        let old = std::mem::replace(place, at);
        // Without a choice point nothing comes back to what was here before.
        if self.nested > 0 || !self.scratch.frames.is_empty() {
            self.scratch.frames.push(Frame::Slot { slot, old });
        }
    }

    /// Takes the first branch from `index` on that the next byte admits, and remembers the one behind it.
    fn branch(&mut self, pc: usize, branches: &Branches, index: usize, at: usize) -> Result<Step, Elsewhere> {
        self.tick(1)?;
        let (first, second) = branches.admitted(self.text.as_bytes().get(at), index);
        let Some((target, _)) = first.and_then(|first| branches.arms.get(first)) else {
            return Ok(Step::Fail);
        };
        if let Some(index) = second {
            self.scratch.frames.push(Frame::Branch { pc, index, at });
        }
        Ok(Step::Go(*target as usize, at))
    }

    fn atomic(&mut self, pc: usize, next: usize, at: usize) -> Result<Step, Elsewhere> {
        let base = self.scratch.frames.len();
        self.nested += 1;
        let end = self.execute(pc + 1, at)?;
        self.nested -= 1;
        let Some(end) = end else { return Ok(Step::Fail) };
        self.commit(base);
        Ok(Step::Go(next, end))
    }

    fn look(
        &mut self,
        pc: usize,
        back: usize,
        negated: bool,
        next: usize,
        at: usize,
    ) -> Result<Step, Elsewhere> {
        let base = self.scratch.frames.len();
        let start = (0..back).try_fold(at, |at, _| before(self.text, at));
        let mut found = false;
        if let Some(start) = start {
            self.nested += 1;
            found = self.execute(pc + 1, start)?.is_some();
            self.nested -= 1;
        }
        match (found, negated) {
            (true, false) => self.commit(base),
            (true, true) => self.undo(base),
            (false, _) => {}
        }
        Ok(if found != negated { Step::Go(next, at) } else { Step::Fail })
    }

    /// Drops the choices made since `base`, keeping what restores slots.
    fn commit(&mut self, base: usize) {
        let frames = &mut self.scratch.frames;
        let mut kept = base;
        for index in base..frames.len() {
            if matches!(frames.get(index), Some(Frame::Slot { .. })) {
                frames.swap(kept, index);
                kept += 1;
            }
        }
        frames.truncate(kept);
    }

    /// Takes back everything done since `base`.
    fn undo(&mut self, base: usize) {
        while self.scratch.frames.len() > base {
            if let Some(Frame::Slot { slot, old }) = self.scratch.frames.pop()
                && let Some(place) = self.scratch.slots.get_mut(slot)
            {
                *place = old;
            }
        }
    }

    /// Goes back to the last choice since `base`.
    fn resume(&mut self, base: usize) -> Result<Option<(usize, usize)>, Elsewhere> {
        while self.scratch.frames.len() > base {
            self.tick(1)?;
            let Some(frame) = self.scratch.frames.pop() else { break };
            let step = match frame {
                Frame::Slot { slot, old } => {
                    if let Some(place) = self.scratch.slots.get_mut(slot) {
                        *place = old;
                    }
                    continue;
                }
                Frame::Branch { pc, index, at } => match self.program.ops.get(pc) {
                    Some(Op::Branch(branches)) => self.branch(pc, branches, index, at)?,
                    _ => Step::Fail,
                },
                Frame::Greedy { pc, low, at } => match (self.program.ops.get(pc), before(self.text, at)) {
                    (Some(Op::Loop { follow, .. }), Some(before)) => {
                        self.give_back(pc, low, before, *follow)?
                    }
                    _ => Step::Fail,
                },
                Frame::Lazy { pc, at, left } => self.lengthen(pc, at, left)?,
            };
            if let Step::Go(pc, at) = step {
                return Ok(Some((pc, at)));
            }
        }
        Ok(None)
    }

    fn enter_loop(
        &mut self,
        pc: usize,
        at: usize,
        set: u32,
        (min, max): (u32, Option<u32>),
        mode: Mode,
        follow: First,
    ) -> Result<Step, Elsewhere> {
        let Some(set) = self.set(set) else { return Ok(Step::Fail) };
        let Some(low) = (0..min).try_fold(at, |at, _| set.step(self.text, at)) else {
            return Ok(Step::Fail);
        };
        let left = max.map(|max| max - min);
        if mode == Mode::Lazy {
            return self.extend(pc, low, left, set, follow);
        }
        let end = set.run(self.text, low, left);
        self.tick((end - low) >> 4)?;
        match mode {
            Mode::Greedy => self.give_back(pc, low, end, follow),
            _ => Ok(Step::Go(self.behind(pc), end)),
        }
    }

    /// Ends a greedy run at the last place between `low` and `at` behind which the program can go on.
    fn give_back(&mut self, pc: usize, low: usize, at: usize, follow: First) -> Result<Step, Elsewhere> {
        let bytes = self.text.as_bytes();
        let mut end = at;
        if let Some(only) = follow.only() {
            let within = bytes.get(low..(at + 1).min(bytes.len())).unwrap_or_default();
            match memchr::memrchr(only, within) {
                Some(place) => end = low + place,
                None => return Ok(Step::Fail),
            }
        } else {
            while !follow.admits(bytes.get(end)) {
                match before(self.text, end) {
                    Some(before) if before >= low => end = before,
                    _ => return Ok(Step::Fail),
                }
            }
        }
        self.tick((at - end) >> 4)?;
        if end > low {
            self.scratch.frames.push(Frame::Greedy { pc, low, at: end });
        }
        Ok(Step::Go(self.behind(pc), end))
    }

    /// Takes one more character into a lazy run, and as many as it needs.
    fn lengthen(&mut self, pc: usize, at: usize, left: Option<u32>) -> Result<Step, Elsewhere> {
        let Some(Op::Loop { set, follow, .. }) = self.program.ops.get(pc) else { return Ok(Step::Fail) };
        let Some(set) = self.set(*set) else { return Ok(Step::Fail) };
        match set.step(self.text, at) {
            Some(next) => self.extend(pc, next, left.map(|left| left - 1), set, *follow),
            None => Ok(Step::Fail),
        }
    }

    /// Ends a lazy run at the first place from `at` on behind which the program can go on.
    fn extend(
        &mut self,
        pc: usize,
        at: usize,
        left: Option<u32>,
        set: &CharSet,
        follow: First,
    ) -> Result<Step, Elsewhere> {
        let bytes = self.text.as_bytes();
        let (mut end, mut left) = (at, left);
        if let (Some(only), None, true) = (follow.only(), left, set.is_everything()) {
            match memchr::memchr(only, bytes.get(at..).unwrap_or_default()) {
                Some(skipped) => end = at + skipped,
                None => return Ok(Step::Fail),
            }
        }
        while !follow.admits(bytes.get(end)) {
            match set.step(self.text, end) {
                Some(next) if left != Some(0) => end = next,
                _ => return Ok(Step::Fail),
            }
            left = left.map(|left| left - 1);
        }
        self.tick((end - at) >> 4)?;
        if left != Some(0) && end < bytes.len() {
            self.scratch.frames.push(Frame::Lazy { pc, at: end, left });
        }
        Ok(Step::Go(self.behind(pc), end))
    }

    fn holds(&self, anchor: Anchor, at: usize) -> Result<bool, Elsewhere> {
        let bytes = self.text.as_bytes();
        let last = at.checked_sub(1).and_then(|before| bytes.get(before));
        let next = bytes.get(at);
        Ok(match anchor {
            Anchor::LineStart => at == 0 || (last == Some(&b'\n') && next.is_some()),
            Anchor::LineEnd => matches!(next, None | Some(b'\n')),
            Anchor::TextStart => at == 0,
            Anchor::TextEnd => next.is_none(),
            Anchor::TextEndNewline => next.is_none() || (next == Some(&b'\n') && at + 1 == bytes.len()),
            Anchor::WordBoundary { ascii } => is_word(last, ascii)? != is_word(next, ascii)?,
            Anchor::NotWordBoundary { ascii } => is_word(last, ascii)? == is_word(next, ascii)?,
            Anchor::SearchStart => return Err(Elsewhere),
        })
    }
}

/// Whether the byte beside a place is of a word. What is one beyond ASCII only Oniguruma's tables know.
fn is_word(byte: Option<&u8>, ascii: bool) -> Result<bool, Elsewhere> {
    match byte {
        Some(byte) if byte.is_ascii() => Ok(byte.is_ascii_alphanumeric() || *byte == b'_'),
        Some(_) if !ascii => Err(Elsewhere),
        _ => Ok(false),
    }
}
