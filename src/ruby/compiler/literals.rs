//! Literals: numbers, texts, symbols, regular expressions, arrays, hashes, ranges.

use std::rc::Rc;

use lib_ruby_parser::{Node as Ast, nodes};
use num_bigint::BigInt;

use super::tree::{
    ArgumentList, BlockArgument, CallNode, ConstantNode, ConstantScope, Node, PairNode, RegexpNode,
};
use super::{Compiler, ScriptError, regexp_options};
use crate::ruby::interpreter::make_regexp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::Value;

impl Compiler {
    pub(super) fn integer(&self, ast: &Ast, text: &str) -> Result<Node, ScriptError> {
        let clean: String = text.chars().filter(|c| *c != '_').collect();
        let (sign, digits) = match clean.strip_prefix(['-', '+']) {
            Some(digits) => (clean.starts_with('-'), digits),
            None => (false, clean.as_str()),
        };
        let lower = digits.to_ascii_lowercase();
        let (radix, digits) = match lower.get(..2) {
            Some("0x") => (16, lower.get(2..)),
            Some("0b") => (2, lower.get(2..)),
            Some("0o") => (8, lower.get(2..)),
            Some("0d") => (10, lower.get(2..)),
            Some(other) if other.starts_with('0') => (8, lower.get(1..)),
            _ => (10, Some(lower.as_str())),
        };
        let number = BigInt::parse_bytes(digits.unwrap_or("0").as_bytes(), radix);
        match number {
            Some(number) => Ok(Node::Literal(Value::big(if sign { -number } else { number }))),
            None => Err(self.error(ast.expression().begin, format!("{text} is no number"))),
        }
    }

    pub(super) fn float(&self, ast: &Ast, text: &str) -> Result<Node, ScriptError> {
        let clean: String = text.chars().filter(|c| *c != '_').collect();
        match clean.parse() {
            Ok(number) => Ok(Node::Literal(Value::Float(number))),
            Err(_) => Err(self.error(ast.expression().begin, format!("{text} is no number"))),
        }
    }

    /// `3r`, `1.5r`: a call of `Rational("1.5")`.
    pub(super) fn rational(&mut self, ast: &Ast, text: &str) -> Node {
        let text = text.trim_end_matches('r');
        self.facts.note_call("Rational", ast.expression().begin.saturating_sub(self.offset));
        Node::Call(Box::new(CallNode {
            receiver: None,
            name: sym!("Rational"),
            arguments: ArgumentList { items: Box::new([Node::Str(text.into())]), ..Default::default() },
            block: BlockArgument::None,
            safe: false,
            is_bare: false,
            site: self.site(ast),
        }))
    }

    pub(super) fn string(value: &[u8]) -> Node {
        match std::str::from_utf8(value) {
            Ok(text) => Node::Str(text.into()),
            Err(_) => Node::Bytes(value.into()),
        }
    }

    /// A text of several parts; one without interpolation becomes a plain literal.
    pub(super) fn text(&mut self, parts: &[Ast]) -> Result<Node, ScriptError> {
        let nodes = self.parts(parts)?;
        Ok(match nodes.len() {
            0 => Node::Str("".into()),
            1 if matches!(nodes.first(), Some(Node::Str(_) | Node::Bytes(_))) => {
                nodes.into_iter().next().unwrap_or(Node::Nil)
            }
            _ => Node::Interpolated(nodes.into()),
        })
    }

    /// Parts of a text, neighbouring literals joined.
    fn parts(&mut self, parts: &[Ast]) -> Result<Vec<Node>, ScriptError> {
        let mut nodes: Vec<Node> = Vec::with_capacity(parts.len());
        for part in parts {
            let node = match part {
                Ast::Str(literal) => Self::string(&literal.value.raw),
                Ast::Dstr(inner) => {
                    nodes.extend(self.parts(&inner.parts)?);
                    continue;
                }
                other => self.node(other)?,
            };
            match (nodes.last_mut(), node) {
                (Some(Node::Str(before)), Node::Str(text)) => *before = format!("{before}{text}").into(),
                (_, node) => nodes.push(node),
            }
        }
        Ok(nodes)
    }

    pub(super) fn dynamic_symbol(&mut self, parts: &[Ast]) -> Result<Node, ScriptError> {
        Ok(match self.text(parts)? {
            Node::Str(text) => Node::Literal(Value::Sym(Sym::new(&text))),
            Node::Interpolated(parts) => Node::InterpolatedSymbol(parts),
            other => other,
        })
    }

    pub(super) fn regexp(&mut self, ast: &Ast, regexp: &nodes::Regexp) -> Result<Node, ScriptError> {
        let options = match regexp.options.as_deref() {
            Some(Ast::RegOpt(options)) => regexp_options(options.options.as_deref()),
            _ => regexp_options(None),
        };
        match self.text(&regexp.parts)? {
            Node::Str(source) => match make_regexp(&source, options) {
                Ok(regexp) => Ok(Node::Literal(Value::Regexp(Rc::new(regexp)))),
                Err(error) => {
                    let message = format!("invalid regular expression /{source}/: {error}");
                    Err(self.error(ast.expression().begin, message))
                }
            },
            Node::Interpolated(parts) => Ok(Node::InterpolatedRegexp(Box::new(RegexpNode {
                parts,
                options,
                last: Default::default(),
            }))),
            _ => Err(self.error(ast.expression().begin, "invalid bytes in a regular expression")),
        }
    }

    pub(super) fn hash(&mut self, pairs: &[Ast]) -> Result<Node, ScriptError> {
        let mut compiled = Vec::with_capacity(pairs.len());
        for pair in pairs {
            compiled.push(match pair {
                Ast::Pair(pair) => PairNode::Pair(self.hash_key(&pair.key)?, self.node(&pair.value)?),
                Ast::Kwsplat(splat) => PairNode::Splat(self.node(&splat.value)?),
                other => return self.refuse(other, "this kind of hash element is"),
            });
        }
        Ok(Node::Hash(compiled.into()))
    }

    /// A key of a literal hash: a text can be the same frozen string each time.
    fn hash_key(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        match ast {
            Ast::Str(text) => Ok(shared_text(&text.value.raw)),
            other => self.node(other),
        }
    }

    pub(super) fn range(
        &mut self,
        left: Option<&Ast>,
        right: Option<&Ast>,
        exclusive: bool,
    ) -> Result<Node, ScriptError> {
        let (left, right) = (self.optional(left)?, self.optional(right)?);
        Ok(match (left, right) {
            (Node::Literal(start @ Value::Int(_)), Node::Literal(end @ Value::Int(_))) => {
                Node::Literal(Value::range(start, end, exclusive))
            }
            (Node::Literal(start @ Value::Int(_)), Node::Nil) => {
                Node::Literal(Value::range(start, Value::Nil, exclusive))
            }
            (left, right) => Node::Range(Box::new((left, right, exclusive))),
        })
    }

    pub(super) fn constant(
        &mut self,
        ast: &Ast,
        scope: Option<&Ast>,
        name: &str,
    ) -> Result<Node, ScriptError> {
        let at = ast.expression().begin;
        let path = self.constant_path(ast);
        if let Some(path) = path {
            self.facts.note_constant(&path, at.saturating_sub(self.offset));
        }
        self.facts.answers_all |= name == "OpenStruct";
        let scope = self.constant_scope(scope)?;
        Ok(Node::Constant(Box::new(ConstantNode {
            scope,
            name: Sym::new(name),
            line: self.line(at),
            cache: Default::default(),
        })))
    }

    /// The full path of a constant whose scopes are all constants.
    fn constant_path(&self, ast: &Ast) -> Option<String> {
        let Ast::Const(constant) = ast else { return None };
        match constant.scope.as_deref() {
            None | Some(Ast::Cbase(_)) => Some(constant.name.clone()),
            Some(scope) => Some(format!("{}::{}", self.constant_path(scope)?, constant.name)),
        }
    }

    pub(super) fn constant_scope(&mut self, scope: Option<&Ast>) -> Result<ConstantScope, ScriptError> {
        Ok(match scope {
            None => ConstantScope::Lexical,
            Some(Ast::Cbase(_)) => ConstantScope::Top,
            Some(scope) => ConstantScope::In(self.node(scope)?),
        })
    }
}

/// A text that nobody can change: the same value each time.
pub(super) fn shared_text(bytes: &[u8]) -> Node {
    match Compiler::string(bytes) {
        Node::Str(text) => {
            let value = Value::str(&*text);
            if let Value::Str(string) = &value {
                string.freeze();
            }
            Node::Literal(value)
        }
        other => other,
    }
}
