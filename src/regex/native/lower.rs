//! Turns the syntax tree into a smaller one: sets resolved, case folding spelled out, letters joined to texts.
use super::super::ast::{Anchor, Class, ClassItem, ClassType, Node, Pattern, RepeatMode, TypeKind};
use super::program::Mode;
use super::sets::{CharSet, First, Ranges, complement, intersection, normalized};

/// A lowered pattern.
pub(super) struct Lowered {
    pub tree: Tree,
    pub sets: Vec<CharSet>,
    pub ascii_only: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Empty,
    Text(Vec<u8>),
    Set(u32),
    Assert(Anchor),
    Concat(Vec<Tree>),
    Alternation(Vec<Tree>),
    Capture(usize, Box<Tree>),
    Look { ahead: bool, negated: bool, tree: Box<Tree> },
    Atomic(Box<Tree>),
    Repeat { tree: Box<Tree>, min: u32, max: Option<u32>, mode: Mode },
}

/// Lowers a pattern; `None` when it holds something that the matcher does not know.
pub(super) fn lower(pattern: &Pattern) -> Option<Lowered> {
    let mut lowering = Lowering { sets: Vec::new(), folding: false, ascii_only: false };
    let tree = lowering.node(&pattern.node)?;
    Some(Lowered { tree, sets: lowering.sets, ascii_only: lowering.ascii_only })
}

struct Lowering {
    sets: Vec<CharSet>,
    /// Inside `(?i:..)`.
    folding: bool,
    ascii_only: bool,
}

impl Lowering {
    fn node(&mut self, node: &Node) -> Option<Tree> {
        Some(match node {
            Node::Empty => Tree::Empty,
            Node::Literal(character) => self.literal(*character)?,
            Node::Any { newline: true } => self.set(&complement(&Ranges::new())),
            Node::Any { newline: false } => self.set(&complement(&vec![(0x0A, 0x0A)])),
            Node::Type(class_type) => {
                let ranges = self.class_type(*class_type)?;
                self.set(&ranges)
            }
            Node::Class(class) => {
                let ranges = self.class(class)?;
                self.set(&ranges)
            }
            Node::Anchor(Anchor::SearchStart) => return None,
            Node::Anchor(anchor) => Tree::Assert(*anchor),
            Node::Concat(nodes) => self.concat(nodes)?,
            Node::Alternation(nodes) => {
                Tree::Alternation(nodes.iter().map(|node| self.node(node)).collect::<Option<_>>()?)
            }
            Node::Capture { group, node } => Tree::Capture(*group, Box::new(self.node(node)?)),
            Node::Fold { ignore_case, node } => {
                self.ascii_only |= *ignore_case;
                let outer = std::mem::replace(&mut self.folding, *ignore_case);
                let tree = self.node(node)?;
                self.folding = outer;
                tree
            }
            Node::Look { ahead, negated, node } => self.look(*ahead, *negated, node)?,
            Node::Atomic(node) => Tree::Atomic(Box::new(self.node(node)?)),
            Node::Repeat(repeat) => {
                // A repeated operand that can be empty ends its loop by rules of its own.
                if repeat.max != Some(1) && !repeat.node.consumes() {
                    return None;
                }
                let mode = match repeat.mode {
                    RepeatMode::Greedy => Mode::Greedy,
                    RepeatMode::Lazy => Mode::Lazy,
                    RepeatMode::Possessive => Mode::Possessive,
                };
                flattened(self.operand(&repeat.node)?, repeat.min, repeat.max, mode)
            }
            Node::Property(_)
            | Node::LineBreak
            | Node::Grapheme
            | Node::Keep
            | Node::Absent(_)
            | Node::Conditional { .. }
            | Node::Backreference { .. }
            | Node::Call(_) => return None,
        })
    }

    fn set(&mut self, ranges: &Ranges) -> Tree {
        let set = CharSet::new(ranges);
        let known = self.sets.iter().position(|known| *known == set);
        let index = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        Tree::Set(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn literal(&mut self, character: char) -> Option<Tree> {
        if self.folding && !character.is_ascii() {
            return None;
        }
        if self.folding && character.is_ascii_alphabetic() {
            let code = |character: char| (u32::from(character), u32::from(character));
            let both = [character.to_ascii_uppercase(), character.to_ascii_lowercase()];
            return Some(self.set(&normalized(both.map(code).to_vec())));
        }
        Some(Tree::Text(character.encode_utf8(&mut [0; 4]).as_bytes().to_vec()))
    }

    /// What is repeated: a single letter becomes a set, for which there is a fast loop.
    fn operand(&mut self, node: &Node) -> Option<Tree> {
        match node {
            Node::Literal(character) if !self.folding => {
                Some(self.set(&vec![(u32::from(*character), u32::from(*character))]))
            }
            _ => self.node(node),
        }
    }

    fn concat(&mut self, nodes: &[Node]) -> Option<Tree> {
        let mut trees: Vec<Tree> = Vec::with_capacity(nodes.len());
        for node in nodes {
            match (trees.last_mut(), self.node(node)?) {
                (_, Tree::Empty) => {}
                (Some(Tree::Text(text)), Tree::Text(more)) => text.extend(more),
                (_, Tree::Concat(inner)) => trees.extend(inner),
                (_, tree) => trees.push(tree),
            }
        }
        Some(match trees.len() {
            0 => Tree::Empty,
            1 => trees.pop().unwrap_or(Tree::Empty),
            _ => Tree::Concat(trees),
        })
    }

    fn look(&mut self, ahead: bool, negated: bool, node: &Node) -> Option<Tree> {
        let tree = Box::new(self.node(node)?);
        // What Ruby allows behind is a question of its own beyond texts and sets of one length.
        let plain = ahead || (tree.characters().is_some() && tree.is_plain());
        plain.then_some(Tree::Look { ahead, negated, tree })
    }

    fn class_type(&mut self, class_type: ClassType) -> Option<Ranges> {
        let ClassType { kind, negated, ascii } = class_type;
        if !ascii && !matches!(kind, TypeKind::Xdigit | TypeKind::Ascii) {
            self.ascii_only = true;
        }
        if self.folding && matches!(kind, TypeKind::Upper | TypeKind::Lower) {
            return None;
        }
        let members = (0..0x80u8).filter(|byte| is_member(kind, *byte)).map(u32::from);
        let ranges = normalized(members.map(|code| (code, code)).collect());
        Some(if negated { complement(&ranges) } else { ranges })
    }

    fn class(&mut self, class: &Class) -> Option<Ranges> {
        let mut all = complement(&Ranges::new());
        if self.folding && class.unions.len() != 1 {
            return None;
        }
        for items in &class.unions {
            let mut ranges = Ranges::new();
            for item in items {
                ranges.extend(self.class_item(item)?);
            }
            all = intersection(&all, &normalized(ranges));
        }
        Some(if class.negated { complement(&all) } else { all })
    }

    fn class_item(&mut self, item: &ClassItem) -> Option<Ranges> {
        match item {
            ClassItem::Range(low, high) => {
                let (low, high) = (u32::from(*low), u32::from(*high));
                Some(if self.folding { folded(low, high)? } else { vec![(low, high)] })
            }
            ClassItem::Type(class_type) => self.class_type(*class_type),
            ClassItem::Nested(_) if self.folding => None,
            ClassItem::Nested(nested) => self.class(nested),
            ClassItem::Property(_) => None,
        }
    }
}

/// A repeat, of which one within the other becomes one where that is the same: `(?:a+)+` is `a+`, and needs no
/// exponential time.
fn flattened(tree: Tree, min: u32, max: Option<u32>, mode: Mode) -> Tree {
    match tree {
        Tree::Repeat { tree, min: 1, max: None, mode: Mode::Greedy }
            if mode == Mode::Greedy && min <= 1 && matches!(max, None | Some(1)) =>
        {
            Tree::Repeat { tree, min, max: None, mode }
        }
        tree => Tree::Repeat { tree: Box::new(tree), min, max, mode },
    }
}

/// A range of ASCII characters with the other case of its letters.
fn folded(low: u32, high: u32) -> Option<Ranges> {
    let mut ranges = vec![(low, high)];
    for code in low..=high {
        let byte = u8::try_from(code).ok().filter(u8::is_ascii)?;
        for other in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
            ranges.push((other.into(), other.into()));
        }
    }
    Some(ranges)
}

fn is_member(kind: TypeKind, byte: u8) -> bool {
    match kind {
        TypeKind::Alnum => byte.is_ascii_alphanumeric(),
        TypeKind::Alpha => byte.is_ascii_alphabetic(),
        TypeKind::Ascii => byte.is_ascii(),
        TypeKind::Blank => matches!(byte, b' ' | b'\t'),
        TypeKind::Cntrl => byte.is_ascii_control(),
        TypeKind::Digit => byte.is_ascii_digit(),
        TypeKind::Graph => byte.is_ascii_graphic(),
        TypeKind::Lower => byte.is_ascii_lowercase(),
        TypeKind::Print => matches!(byte, b' '..=b'~'),
        TypeKind::Punct => byte.is_ascii_punctuation(),
        TypeKind::Space => matches!(byte, b'\t'..=b'\r' | b' '),
        TypeKind::Upper => byte.is_ascii_uppercase(),
        TypeKind::Word => byte.is_ascii_alphanumeric() || byte == b'_',
        TypeKind::Xdigit => byte.is_ascii_hexdigit(),
    }
}

impl Tree {
    /// Number of characters of every match, if it is always the same.
    pub fn characters(&self) -> Option<usize> {
        match self {
            Tree::Empty | Tree::Assert(_) | Tree::Look { .. } => Some(0),
            Tree::Text(text) => Some(text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()),
            Tree::Set(_) => Some(1),
            Tree::Concat(trees) => trees.iter().map(Tree::characters).sum(),
            Tree::Alternation(trees) => {
                let mut lengths = trees.iter().map(Tree::characters);
                let first = lengths.next()??;
                lengths.all(|length| length == Some(first)).then_some(first)
            }
            Tree::Capture(_, tree) | Tree::Atomic(tree) => tree.characters(),
            Tree::Repeat { tree, min, max, .. } => {
                (*max == Some(*min)).then_some(())?;
                tree.characters()?.checked_mul(usize::try_from(*min).ok()?)
            }
        }
    }

    /// Whether there is nothing in it but texts and sets.
    fn is_plain(&self) -> bool {
        match self {
            Tree::Empty | Tree::Text(_) | Tree::Set(_) => true,
            Tree::Concat(trees) | Tree::Alternation(trees) => trees.iter().all(Tree::is_plain),
            _ => false,
        }
    }

    /// What a match can begin with when what matches `follow` comes behind it.
    pub fn first(&self, sets: &[CharSet], follow: First) -> First {
        match self {
            Tree::Empty | Tree::Look { .. } => follow,
            Tree::Text(text) => match text.first() {
                Some(byte) => {
                    let mut first = First::NOTHING;
                    first.bytes.insert(*byte);
                    first
                }
                None => follow,
            },
            Tree::Set(set) => match sets.get(*set as usize) {
                Some(set) => set.first(),
                None => First::ANYTHING,
            },
            Tree::Assert(anchor) => first_at(*anchor, follow),
            Tree::Concat(trees) => trees.iter().rev().fold(follow, |follow, tree| tree.first(sets, follow)),
            Tree::Alternation(trees) => {
                trees.iter().fold(First::NOTHING, |all, tree| all.or(tree.first(sets, follow)))
            }
            Tree::Capture(_, tree) | Tree::Atomic(tree) => tree.first(sets, follow),
            Tree::Repeat { max: Some(0), .. } => follow,
            Tree::Repeat { tree, min: 0, .. } => tree.first(sets, follow).or(follow),
            Tree::Repeat { tree, .. } => tree.first(sets, follow),
        }
    }
}

/// What stands behind an anchor that holds.
fn first_at(anchor: Anchor, follow: First) -> First {
    let mut here = First { bytes: super::sets::ByteSet::EMPTY, end: true };
    match anchor {
        Anchor::TextEnd => {}
        Anchor::LineEnd | Anchor::TextEndNewline => here.bytes.insert(b'\n'),
        _ => return follow,
    }
    follow.and(here)
}
