//! Takes out what alternatives begin with alike: `(?:ab|ac)` becomes `a(?:b|c)`.
//!
//! The pattern for IPv6 addresses has eight alternatives that begin with up to four hexadecimal digits and a colon, and
//! texts that are no such address are told from it by one attempt instead of eight.
use super::lower::Tree;
use super::program::Mode;
use super::sets::{CharSet, First};

/// Pieces taken out of one alternation after the other; an address of version 6 has fourteen.
const MAX_PIECES: usize = 32;

/// Factors every alternation within a tree.
pub(super) fn factored(tree: Tree, sets: &[CharSet]) -> Tree {
    let boxed = |tree: Box<Tree>| Box::new(factored(*tree, sets));
    match tree {
        Tree::Concat(trees) => Tree::Concat(trees.into_iter().map(|tree| factored(tree, sets)).collect()),
        Tree::Alternation(trees) => {
            alternation(trees.into_iter().map(|tree| factored(tree, sets)).collect(), sets, MAX_PIECES)
        }
        Tree::Capture(group, tree) => Tree::Capture(group, boxed(tree)),
        Tree::Look { ahead, negated, tree } => Tree::Look { ahead, negated, tree: boxed(tree) },
        Tree::Atomic(tree) => Tree::Atomic(boxed(tree)),
        Tree::Repeat { tree, min, max, mode } => Tree::Repeat { tree: boxed(tree), min, max, mode },
        leaf @ (Tree::Empty | Tree::Text(_) | Tree::Set(_) | Tree::Assert(_)) => leaf,
    }
}

/// Joins neighbours that begin alike, at most `pieces` times in a row. Their order stays, and with it what is preferred.
fn alternation(trees: Vec<Tree>, sets: &[CharSet], pieces: usize) -> Tree {
    if pieces == 0 {
        return Tree::Alternation(trees);
    }
    let mut groups: Vec<Vec<Tree>> = Vec::new();
    for tree in trees {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| begin_alike(first, &tree)) => group.push(tree),
            _ => groups.push(vec![tree]),
        }
    }
    let mut joined: Vec<Tree> = groups.into_iter().flat_map(|group| join(group, sets, pieces - 1)).collect();
    match joined.len() {
        1 => joined.pop().unwrap_or(Tree::Empty),
        _ => Tree::Alternation(joined),
    }
}

fn begin_alike(one: &Tree, other: &Tree) -> bool {
    match (split(one), split(other)) {
        (Some((one, _)), Some((other, _))) => one == other,
        _ => false,
    }
}

/// A group of alternatives as one, or as they were where that would not be the same.
fn join(group: Vec<Tree>, sets: &[CharSet], pieces: usize) -> Vec<Tree> {
    if group.len() < 2 {
        return group;
    }
    let parts: Option<Vec<(Tree, Tree)>> = group.iter().map(split).collect();
    let Some(parts) = parts else { return group };
    let (mut heads, tails): (Vec<Tree>, Vec<Tree>) = parts.into_iter().unzip();
    let Some(head) = heads.pop() else { return group };
    let behind = tails.iter().fold(First::NOTHING, |all, tail| all.or(tail.first(sets, First::ANYTHING)));
    if !matches_in_one_way(&head, behind, sets) {
        return group;
    }
    vec![chain(head, alternation(tails, sets, pieces))]
}

/// Whether there is at most one way to match `head` before something that `behind` admits. Otherwise all ways would
/// have to be tried with the first alternative before any is tried with the second.
fn matches_in_one_way(head: &Tree, behind: First, sets: &[CharSet]) -> bool {
    match head {
        Tree::Text(_) | Tree::Set(_) => true,
        Tree::Repeat { tree, min, max, .. } => match **tree {
            Tree::Set(set) => {
                let members = sets.get(set as usize).map_or(First::ANYTHING, CharSet::first);
                *max == Some(*min) || members.bytes.intersection(behind.bytes).is_empty()
            }
            _ => false,
        },
        _ => false,
    }
}

/// The first piece of a tree and what comes behind it, if it begins with text, a set or a run of a set.
fn split(tree: &Tree) -> Option<(Tree, Tree)> {
    match tree {
        Tree::Text(_) | Tree::Set(_) => Some((tree.clone(), Tree::Empty)),
        Tree::Concat(trees) => {
            let (first, rest) = trees.split_first()?;
            let (head, tail) = split(first)?;
            Some((head, chain(tail, Tree::Concat(rest.to_vec()))))
        }
        Tree::Repeat { tree: inner, min, max, mode } => match **inner {
            Tree::Set(_) => Some((tree.clone(), Tree::Empty)),
            _ if *min == 0 || *mode == Mode::Possessive => None,
            _ => {
                let (head, tail) = split(inner)?;
                let max = max.map(|max| max - 1);
                let rest = Tree::Repeat { tree: inner.clone(), min: min - 1, max, mode: *mode };
                Some((head, chain(tail, if max == Some(0) { Tree::Empty } else { rest })))
            }
        },
        _ => None,
    }
}

fn chain(first: Tree, second: Tree) -> Tree {
    let mut trees = Vec::new();
    for tree in [first, second] {
        match tree {
            Tree::Empty => {}
            Tree::Concat(inner) => trees.extend(inner),
            other => trees.push(other),
        }
    }
    match trees.len() {
        0 => Tree::Empty,
        1 => trees.pop().unwrap_or(Tree::Empty),
        _ => Tree::Concat(trees),
    }
}
