//! The literals that every match of a pattern contains: with many patterns, most need not be searched for, or even
//! compiled.
use super::ast::Node;
use super::error::Error;
use super::{RegexBuilder, parser};

/// Shorter literals stand in too many texts to tell anything.
const MIN_LENGTH: usize = 3;
/// More alternatives than this are not worth looking for.
const MAX_ALTERNATIVES: usize = 64;

impl RegexBuilder {
    /// Texts of three bytes or more, with ASCII letters in lower case, of which every match contains at least one
    /// once its own ASCII letters are in lower case; `None` when the pattern has none to offer. Parses the pattern,
    /// but does not compile it.
    ///
    /// Where a pattern ignores case, only ASCII's letters are thought of: a Unicode text may match it without
    /// (`\u{212A}`, the Kelvin sign, is a `k` then).
    ///
    /// # Errors
    /// When it is not a valid Ruby regular expression.
    pub fn required_literals(&self) -> Result<Option<Vec<String>>, Error> {
        let pattern =
            parser::parse(&self.pattern, self.options).map_err(|error| error.in_pattern(&self.pattern))?;
        Ok(required(&pattern.node, false))
    }
}

/// The best literals of a node; `folding` inside `(?i:..)`.
fn required(node: &Node, folding: bool) -> Option<Vec<String>> {
    let mut best = Best::default();
    best.visit(node, folding);
    best.end_run();
    best.found
}

/// Walks along what must be matched one after the other.
#[derive(Default)]
struct Best {
    /// The literal characters read last, with nothing between them.
    run: String,
    found: Option<Vec<String>>,
}

impl Best {
    fn visit(&mut self, node: &Node, folding: bool) {
        match node {
            // Beyond ASCII, one character may fold to another, or to two.
            Node::Literal(character) if character.is_ascii() || !folding => {
                self.run.push(character.to_ascii_lowercase());
            }
            Node::Empty | Node::Anchor(_) | Node::Keep | Node::Look { .. } => {}
            Node::Concat(nodes) => nodes.iter().for_each(|node| self.visit(node, folding)),
            Node::Capture { node, .. } | Node::Atomic(node) => self.visit(node, folding),
            Node::Fold { ignore_case, node } => self.visit(node, *ignore_case),
            Node::Alternation(nodes) => {
                self.end_run();
                let each: Option<Vec<_>> = nodes.iter().map(|node| required(node, folding)).collect();
                self.offer(each.map(|each| each.concat()));
            }
            Node::Repeat(repeat) if repeat.min > 0 => {
                self.end_run();
                self.offer(required(&repeat.node, folding));
            }
            _ => self.end_run(),
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        self.offer((run.len() >= MIN_LENGTH).then(|| vec![run]));
    }

    /// Keeps the literals of which the shortest is longest, for they are rarest.
    fn offer(&mut self, literals: Option<Vec<String>>) {
        let Some(literals) = literals.filter(|literals| literals.len() <= MAX_ALTERNATIVES) else { return };
        let shortest = |literals: &Vec<String>| literals.iter().map(String::len).min().unwrap_or(0);
        let is_better = self.found.as_ref().is_none_or(|found| shortest(found) < shortest(&literals));
        if is_better {
            self.found = Some(literals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Regex;

    fn required(pattern: &str) -> Vec<String> {
        Regex::builder(pattern).required_literals().unwrap().unwrap_or_default()
    }

    #[test]
    fn what_every_match_contains() {
        for (pattern, literals) in [
            (r"(Firefox)/(\d+)\.(\d+)", vec!["firefox/"]),
            (r"^(?:MSIE|Trident) \d", vec!["msie", "trident"]),
            (r"(?i)ipad|iphone", vec!["ipad", "iphone"]),
            (r"a(b(cd))+e?fgh", vec!["bcd"]),
            (r"\bAndroid\b.*Build/", vec!["android"]),
            (r"(?:long alternative|x)\d", vec![]),
            (r"abc?\d|xyz", vec![]),
            (r"(?:abc)*", vec![]),
            (r"(?!abc)[abc]+", vec![]),
            (r"(?i)Straße", vec!["stra"]),
            (r"Straße", vec!["straße"]),
            (r"(?~abc)", vec![]),
        ] {
            assert_eq!(required(pattern), literals, "{pattern}");
        }
        assert!(Regex::builder("(").required_literals().is_err());
    }

    #[test]
    fn matches_contain_one_of_them() {
        for (pattern, text) in [
            (r"(?i)k(?:elvin|alt)\d", "KELVIN5"),
            (r"x(?<q>abc|def)\k<q>", "xabcabc"),
            (r"(abc)(?(1)d|efgh)", "abcd"),
        ] {
            let regex = Regex::new(pattern).unwrap();
            let Some(found) = regex.find(text) else { continue };
            let found = found.as_str().to_ascii_lowercase();
            let literals = required(pattern);
            assert!(
                literals.is_empty() || literals.iter().any(|literal| found.contains(literal.as_str())),
                "{pattern}"
            );
        }
    }
}
