//! A backtracking matcher of our own for the constructs that nearly every pattern keeps to.
//!
//! It walks the same syntax tree as the two other engines in the same order of preference, so it finds the same
//! match, and it is quick where grok patterns are: a repeat that cannot give anything back makes no choice point, a
//! branch whose first byte cannot match is not entered, and a text without a literal that the pattern requires is
//! not searched at all. Whatever it does not know (references, properties, `\K` and so on) it leaves to the others, and
//! so it does with a search that takes too many steps.
//!
//! `lower` turns the tree into a smaller one with resolved sets, `factor` joins what alternatives begin with alike, `emit`
//! makes a program of it, `run` runs that.
mod emit;
mod factor;
mod lower;
mod program;
mod run;
mod sets;
#[cfg(test)]
mod tests;

pub(super) use program::Program;
pub(super) use run::Elsewhere;

use super::ast::Pattern;

impl Program {
    /// A text that every match contains.
    pub fn literal(&self) -> Option<&[u8]> {
        self.literal.as_ref().map(memchr::memmem::Finder::needle)
    }
}

/// Compiles a pattern; `None` when it holds something that this matcher does not know, or grows too large.
pub(super) fn compile(pattern: &Pattern) -> Option<Program> {
    let lowered = lower::lower(pattern)?;
    emit::emit(lowered, pattern.groups + 1)
}
