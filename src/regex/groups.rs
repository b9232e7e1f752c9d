//! Numbers the groups of a parsed pattern and checks what refers to them.
use super::ast::{GroupReference, Node, Pattern};
use super::cursor::Parsed;
use super::error::Error;

/// A back-reference, condition or call, and where it stands in the pattern.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub group: GroupReference,
    pub at: usize,
    pub call: bool,
}

/// Builds the pattern from its tree and the names of its groups in the order of their parentheses.
///
/// As in Ruby, plain parentheses stop capturing as soon as the pattern has a named group, and numbered references
/// are then errors.
pub(super) fn settle(
    mut node: Node,
    groups: Vec<Option<String>>,
    references: &[Reference],
) -> Parsed<Pattern> {
    let mut names: Vec<(String, Vec<usize>)> = Vec::new();
    let mut numbers = vec![0; groups.len() + 1];
    let any_named = groups.iter().any(Option::is_some);
    let mut count = 0;
    for (at, name) in groups.into_iter().enumerate() {
        if any_named && name.is_none() {
            continue;
        }
        count += 1;
        numbers[at + 1] = count;
        let Some(name) = name else { continue };
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_name)) => of_name.push(count),
            None => names.push((name, vec![count])),
        }
    }
    check(references, &names, count)?;
    if any_named {
        renumber(&mut node, &numbers);
    }
    Ok(Pattern { node, groups: count, names })
}

fn check(references: &[Reference], names: &[(String, Vec<usize>)], count: usize) -> Parsed<()> {
    for Reference { group, at, call } in references {
        match group {
            GroupReference::Number(0) if *call => {}
            GroupReference::Number(_) if !names.is_empty() => {
                return Err(Error::at("numbered backref/call is not allowed. (use name)", *at));
            }
            GroupReference::Number(number) if *number == 0 || *number > count => {
                let message = if *call { "undefined group reference" } else { "invalid backref number/name" };
                return Err(Error::at(message, *at));
            }
            GroupReference::Number(_) => {}
            GroupReference::Name(name) => match names.iter().find(|(known, _)| known == name) {
                None => return Err(Error::at(format!("undefined name <{name}> reference"), *at)),
                Some((_, groups)) if *call && groups.len() > 1 => {
                    return Err(Error::at(format!("multiplex definition name <{name}> call"), *at));
                }
                Some(_) => {}
            },
        }
    }
    Ok(())
}

/// Gives every group its final number; a group that lost its number becomes a plain one.
fn renumber(node: &mut Node, numbers: &[usize]) {
    match node {
        Node::Capture { group, node: inner } => {
            renumber(inner, numbers);
            match numbers.get(*group) {
                Some(&number) if number > 0 => *group = number,
                _ => *node = Node::Concat(vec![std::mem::replace(inner, Node::Empty)]),
            }
        }
        Node::Concat(nodes) | Node::Alternation(nodes) => {
            nodes.iter_mut().for_each(|node| renumber(node, numbers));
        }
        Node::Fold { node, .. } | Node::Look { node, .. } | Node::Atomic(node) | Node::Absent(node) => {
            renumber(node, numbers);
        }
        Node::Conditional { yes, no, .. } => {
            renumber(yes, numbers);
            renumber(no, numbers);
        }
        Node::Repeat(repeat) => renumber(&mut repeat.node, numbers),
        Node::Empty
        | Node::Literal(_)
        | Node::Any { .. }
        | Node::Type(_)
        | Node::Class(_)
        | Node::Property(_)
        | Node::Anchor(_)
        | Node::LineBreak
        | Node::Grapheme
        | Node::Keep
        | Node::Backreference { .. }
        | Node::Call(_) => {}
    }
}
