//! Arguments of calls and parameters of methods and blocks.

use std::rc::Rc;

use lib_ruby_parser::Node as Ast;

use super::tree::{
    ArgumentList, BlockArgument, BlockCode, KeywordParam, KeywordRest, MultiTarget, Node, PairNode, Param,
    Params, RestParam, Target,
};
use super::{Compiler, ScriptError};
use crate::ruby::symbol::Sym;
use crate::ruby::value::Value;

/// Names that cannot be written, for parameters without one that are passed on.
const ANONYMOUS_REST: &str = "*";
const ANONYMOUS_KEYWORDS: &str = "**";
const ANONYMOUS_BLOCK: &str = "&";

impl Compiler {
    /// Arguments, and the block passed as the last of them (`&block`).
    pub(super) fn arguments(&mut self, args: &[Ast]) -> Result<(ArgumentList, BlockArgument), ScriptError> {
        let mut items = Vec::with_capacity(args.len());
        let mut list = ArgumentList::default();
        let mut block = BlockArgument::None;
        for arg in args {
            match arg {
                Ast::BlockPass(pass) => block = self.block_pass(pass.value.as_deref())?,
                Ast::Kwargs(keywords) => {
                    list.has_keywords = true;
                    items.push(self.keywords(&keywords.pairs)?);
                }
                Ast::ForwardedArgs(_) => {
                    self.forward_all(&mut items, &mut block);
                    list.has_splat = true;
                    list.has_keywords = true;
                }
                Ast::Splat(splat) => {
                    list.has_splat = true;
                    let inner = match &splat.value {
                        Some(value) => self.node(value)?,
                        None => self.local(ANONYMOUS_REST),
                    };
                    items.push(Node::Splat(Box::new(inner)));
                }
                other => items.push(self.node(other)?),
            }
        }
        list.items = items.into();
        Ok((list, block))
    }

    /// The keywords of a call; `f(x:)` stands for `f(x: x)`.
    fn keywords(&mut self, pairs: &[Ast]) -> Result<Node, ScriptError> {
        match pairs {
            [Ast::Kwsplat(splat)] => {
                let node = self.node(&splat.value)?;
                Ok(Node::Hash(Box::new([PairNode::Splat(node)])))
            }
            _ => self.hash(pairs),
        }
    }

    fn block_pass(&mut self, value: Option<&Ast>) -> Result<BlockArgument, ScriptError> {
        let node = match value {
            None => self.local(ANONYMOUS_BLOCK),
            Some(Ast::Sym(name)) => {
                let offset = name.expression_l.begin.saturating_sub(self.offset);
                self.facts.note_call(&name.name.to_string_lossy(), offset);
                Node::Literal(Value::Sym(Sym::new(&name.name.to_string_lossy())))
            }
            Some(value) => self.node(value)?,
        };
        Ok(BlockArgument::Pass(Box::new(node)))
    }

    /// `(...)`
    fn forward_all(&mut self, items: &mut Vec<Node>, block: &mut BlockArgument) {
        items.push(Node::Splat(Box::new(self.local(ANONYMOUS_REST))));
        let keywords = self.local(ANONYMOUS_KEYWORDS);
        items.push(Node::Hash(Box::new([PairNode::Splat(keywords)])));
        *block = BlockArgument::Pass(Box::new(self.local(ANONYMOUS_BLOCK)));
    }

    fn local(&mut self, name: &str) -> Node {
        let (depth, slot) = self.scopes.find_or_declare(name);
        Node::Local { depth, slot }
    }

    /// A block's code: a scope of its own within the one around.
    pub(super) fn block_code(
        &mut self,
        args: &Option<Box<Ast>>,
        body: Option<&Ast>,
        numbered: u8,
    ) -> Result<Rc<BlockCode>, ScriptError> {
        let line = body.map_or(0, |body| self.line(body.expression().begin));
        self.scopes.enter_block();
        self.facts.deferred += 1;
        let compiled = self.block_parts(args, body, numbered);
        self.facts.deferred -= 1;
        let slots = self.scopes.leave();
        let (params, body) = compiled?;
        Ok(Rc::new(BlockCode { params, slots, body, line, file: self.file.clone() }))
    }

    fn block_parts(
        &mut self,
        args: &Option<Box<Ast>>,
        body: Option<&Ast>,
        numbered: u8,
    ) -> Result<(Params, Node), ScriptError> {
        let mut params = match args.as_deref() {
            Some(Ast::Args(args)) => self.params(&args.args, true)?,
            _ => Params::default(),
        };
        if numbered > 0 {
            let required: Vec<Param> = (1..=numbered)
                .map(|number| Param::Slot(self.scopes.declare(&format!("_{number}"))))
                .collect();
            params.required = required.into();
        } else if args.is_none() {
            self.scopes.allow_it();
        }
        let body = self.optional(body)?;
        if let Some(slot) = self.scopes.it_slot() {
            params.required = Box::new([Param::Slot(slot)]);
        }
        Ok((params, body))
    }

    /// Parameters; they become variables of the innermost scope.
    pub(super) fn params(&mut self, args: &[Ast], is_block: bool) -> Result<Params, ScriptError> {
        let mut params = Params::default();
        let (mut required, mut post, mut optional) = (Vec::new(), Vec::new(), Vec::new());
        let (mut keywords, mut names) = (Vec::new(), Vec::new());
        for arg in args {
            let behind = params.rest != RestParam::None || !optional.is_empty();
            match arg {
                Ast::Arg(_) | Ast::Mlhs(_) | Ast::Procarg0(_) => {
                    let list = if behind { &mut post } else { &mut required };
                    list.push(self.positional(arg, &mut names)?);
                }
                Ast::Optarg(arg) => {
                    names.push(("opt", Some(Sym::new(&arg.name))));
                    let slot = self.scopes.declare(&arg.name);
                    optional.push((slot, self.node(&arg.default)?));
                }
                Ast::Restarg(arg) => {
                    names.push(("rest", Some(Sym::new(arg.name.as_deref().unwrap_or("*")))));
                    let name = arg.name.as_deref().unwrap_or(ANONYMOUS_REST);
                    params.rest = RestParam::Slot(self.scopes.declare(name));
                }
                Ast::Kwarg(arg) => {
                    names.push(("keyreq", Some(Sym::new(&arg.name))));
                    let slot = self.scopes.declare(&arg.name);
                    keywords.push(KeywordParam { name: Sym::new(&arg.name), slot, default: None });
                }
                Ast::Kwoptarg(arg) => {
                    names.push(("key", Some(Sym::new(&arg.name))));
                    let slot = self.scopes.declare(&arg.name);
                    let default = Some(self.node(&arg.default)?);
                    keywords.push(KeywordParam { name: Sym::new(&arg.name), slot, default });
                }
                Ast::Kwrestarg(arg) => {
                    names.push(("keyrest", Some(Sym::new(arg.name.as_deref().unwrap_or("**")))));
                    let name = arg.name.as_deref().unwrap_or(ANONYMOUS_KEYWORDS);
                    params.keyword_rest = KeywordRest::Slot(self.scopes.declare(name));
                }
                Ast::Kwnilarg(_) => params.keyword_rest = KeywordRest::Refused,
                Ast::Blockarg(arg) => {
                    names.push(("block", Some(Sym::new(arg.name.as_deref().unwrap_or("&")))));
                    let name = arg.name.as_deref().unwrap_or(ANONYMOUS_BLOCK);
                    params.block = Some(self.scopes.declare(name));
                }
                Ast::ForwardArg(_) => {
                    params.rest = RestParam::Slot(self.scopes.declare(ANONYMOUS_REST));
                    params.keyword_rest = KeywordRest::Slot(self.scopes.declare(ANONYMOUS_KEYWORDS));
                    params.block = Some(self.scopes.declare(ANONYMOUS_BLOCK));
                }
                Ast::Shadowarg(arg) => _ = self.scopes.declare(&arg.name),
                other => return self.refuse(other, "this kind of parameter is"),
            }
        }
        params.trailing_comma = is_block && matches!(args, [Ast::Arg(_)]);
        params.required = required.into();
        params.optional = optional.into();
        params.post = post.into();
        params.keywords = keywords.into();
        params.names = names.into();
        Ok(params)
    }

    fn positional(
        &mut self,
        arg: &Ast,
        names: &mut Vec<(&'static str, Option<Sym>)>,
    ) -> Result<Param, ScriptError> {
        match arg {
            Ast::Arg(arg) => {
                names.push(("req", Some(Sym::new(&arg.name))));
                Ok(Param::Slot(self.scopes.declare(&arg.name)))
            }
            Ast::Procarg0(arg) => match arg.args.as_slice() {
                [one @ Ast::Arg(_)] => self.positional(one, names),
                several => {
                    names.push(("req", None));
                    Ok(Param::Destructured(self.destructured(several)?))
                }
            },
            Ast::Mlhs(list) => {
                names.push(("req", None));
                Ok(Param::Destructured(self.destructured(&list.items)?))
            }
            other => self.refuse(other, "this kind of parameter is"),
        }
    }

    /// `(a, *b, c)` among parameters.
    fn destructured(&mut self, items: &[Ast]) -> Result<MultiTarget, ScriptError> {
        let (mut before, mut after, mut splat) = (Vec::new(), Vec::new(), None);
        for item in items {
            let target = match item {
                Ast::Arg(arg) => Target::Local { depth: 0, slot: self.scopes.declare(&arg.name) },
                Ast::Mlhs(list) => Target::Multiple(Box::new(self.destructured(&list.items)?)),
                Ast::Restarg(rest) => {
                    splat = Some(
                        rest.name
                            .as_deref()
                            .map(|name| Target::Local { depth: 0, slot: self.scopes.declare(name) }),
                    );
                    continue;
                }
                other => return self.refuse(other, "this kind of parameter is"),
            };
            if splat.is_some() { after.push(target) } else { before.push(target) }
        }
        Ok(MultiTarget { before: before.into(), splat, after: after.into() })
    }

    /// The arguments that a bare `super` passes: the method's parameters as they are now.
    pub(super) fn passed_on(&mut self, params: &[(&'static str, Option<Sym>)]) -> ArgumentList {
        let mut list = ArgumentList::default();
        let (mut items, mut pairs) = (Vec::new(), Vec::new());
        for (kind, name) in params {
            let Some(name) = name else { continue };
            let value = self.local(name.as_str());
            match *kind {
                "req" | "opt" => items.push(value),
                "rest" => {
                    list.has_splat = true;
                    items.push(Node::Splat(Box::new(value)));
                }
                "key" | "keyreq" => pairs.push(PairNode::Pair(Node::Literal(Value::Sym(*name)), value)),
                "keyrest" => pairs.push(PairNode::Splat(value)),
                _ => {}
            }
        }
        if !pairs.is_empty() {
            list.has_keywords = true;
            items.push(Node::Hash(pairs.into()));
        }
        list.items = items.into();
        list
    }
}
