//! Calls of methods.

use lib_ruby_parser::{Node as Ast, nodes};

use super::tree::{ArgumentList, BinaryNode, BlockArgument, CallNode, IndexNode, Node, SuperNode};
use super::{Compiler, ScriptError};
use crate::ruby::interpreter::operator_named;
use crate::ruby::loading::{Loading, is_path};
use crate::ruby::symbol::Sym;
use crate::ruby::value::{Value, Visibility};

/// Methods that neither keep nor change a text they are given, so that a literal need not be a new string each time.
const TAKE_SHARED_TEXT: &[&str] = &[
    "get",
    "set",
    "remove",
    "tag",
    "include?",
    "[]",
    "fetch",
    "key?",
    "has_key?",
    "dig",
    "start_with?",
    "end_with?",
    "split",
    "gsub",
    "sub",
    "gsub!",
    "sub!",
    "delete_prefix",
    "delete_suffix",
    "==",
    "!=",
    "===",
    "=~",
    "index",
    "rindex",
    "strftime",
    "parse",
    "strptime",
    "join",
    "count",
    "tr",
    "tr_s",
    "delete",
    "match",
    "match?",
    "scan",
    "partition",
    "rpartition",
    "sprintf",
    "rjust",
    "ljust",
    "center",
    "casecmp",
    "casecmp?",
    "eql?",
    "unpack",
    "unpack1",
    "to_s",
    "require",
    "encode",
    "force_encoding",
    "debug",
    "info",
    "warn",
    "error",
];

impl Compiler {
    pub(super) fn call_or_definition(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        match ast {
            Ast::Send(send) => self.send(ast, send, BlockArgument::None),
            Ast::CSend(send) => self.safe_send(ast, send, BlockArgument::None),
            Ast::Index(index) => self.index(ast, index),
            Ast::Block(block) => self.call_with_block(block),
            Ast::Numblock(block) => {
                let code = self.block_code(&None, Some(&block.body), block.numargs)?;
                self.with_block(&block.call, BlockArgument::Literal(code))
            }
            Ast::Super(call) => {
                let (arguments, block) = self.arguments(&call.args)?;
                let line = self.line(ast.expression().begin);
                Ok(Node::Super(Box::new(SuperNode { arguments, block, line })))
            }
            Ast::ZSuper(_) => Ok(self.bare_super(ast, BlockArgument::Forwarded)),
            Ast::Yield(call) => Ok(Node::Yield(Box::new(self.arguments(&call.args)?.0))),
            Ast::MatchWithLvasgn(parts) => self.match_operator(ast, &parts.re, &parts.value),
            _ => self.definition(ast),
        }
    }

    fn call_with_block(&mut self, block: &nodes::Block) -> Result<Node, ScriptError> {
        let code = self.block_code(&block.args, block.body.as_deref(), 0)?;
        if matches!(&*block.call, Ast::Lambda(_)) {
            return Ok(Node::Lambda(code));
        }
        self.with_block(&block.call, BlockArgument::Literal(code))
    }

    /// A call with the block that stands behind it.
    fn with_block(&mut self, call: &Ast, block: BlockArgument) -> Result<Node, ScriptError> {
        match call {
            Ast::Send(send) => self.send(call, send, block),
            Ast::CSend(send) => self.safe_send(call, send, block),
            Ast::Lambda(_) => match block {
                BlockArgument::Literal(code) => Ok(Node::Lambda(code)),
                _ => Ok(Node::Nil),
            },
            Ast::Super(call) => {
                let (arguments, _) = self.arguments(&call.args)?;
                let line = self.line(call.expression_l.begin);
                Ok(Node::Super(Box::new(SuperNode { arguments, block, line })))
            }
            Ast::ZSuper(_) => Ok(self.bare_super(call, block)),
            other => self.refuse(other, "a block behind this is"),
        }
    }

    fn bare_super(&mut self, ast: &Ast, block: BlockArgument) -> Node {
        let params = self.method_params.clone();
        let arguments = self.passed_on(&params);
        Node::Super(Box::new(SuperNode { arguments, block, line: self.line(ast.expression().begin) }))
    }

    fn send(&mut self, ast: &Ast, send: &nodes::Send, block: BlockArgument) -> Result<Node, ScriptError> {
        let name = send.method_name.as_str();
        let at = send.selector_l.unwrap_or(send.expression_l).begin;
        if let Some(node) = self.bare_name(ast, send, &block)? {
            return Ok(node);
        }
        match (name, send.recv.as_deref(), send.args.as_slice()) {
            ("!", Some(receiver), []) => return Ok(Node::Not(self.boxed(receiver)?)),
            ("=~", Some(receiver @ Ast::Regexp(_)), [value]) => {
                return self.match_operator(ast, receiver, value);
            }
            (_, Some(receiver), [argument])
                if !matches!(argument, Ast::Splat(_) | Ast::BlockPass(_) | Ast::Kwargs(_)) =>
            {
                if let (Some(operator), BlockArgument::None) = (operator_named(name), &block) {
                    self.facts.note_call(name, at.saturating_sub(self.offset));
                    let left = self.node(receiver)?;
                    let right = self.node(argument)?;
                    return Ok(Node::Binary(Box::new(BinaryNode {
                        operator,
                        is_plain: left.is_plain() && right.is_plain(),
                        name: Sym::new(name),
                        left,
                        right: if matches!(name, "==" | "!=") { shared(right) } else { right },
                        site: self.site(ast),
                    })));
                }
            }
            _ => {}
        }
        if name.ends_with('=')
            && send.args.len() == 1
            && send.recv.is_some()
            && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        {
            let target = self.target(ast)?;
            let value = self.optional(send.args.first())?;
            return Ok(Node::Assign(Box::new((target, value))));
        }
        let receiver = match &send.recv {
            Some(receiver) => Some(self.node(receiver)?),
            None => None,
        };
        self.call(receiver, send, block, at)
    }

    fn call(
        &mut self,
        receiver: Option<Node>,
        send: &nodes::Send,
        block: BlockArgument,
        at: usize,
    ) -> Result<Node, ScriptError> {
        let name = send.method_name.as_str();
        let (mut arguments, passed) = self.arguments(&send.args)?;
        if TAKE_SHARED_TEXT.contains(&name) {
            self.share_texts(name, &mut arguments);
        }
        self.note_send(name, receiver.is_none(), send, at);
        let block = if matches!(block, BlockArgument::None) { passed } else { block };
        let is_bare = receiver.is_none() && send.args.is_empty() && send.begin_l.is_none();
        let site = super::tree::Site { line: self.line(at), cache: Default::default() };
        Ok(Node::Call(Box::new(CallNode {
            receiver,
            name: Sym::new(name),
            arguments,
            block,
            safe: false,
            is_bare,
            site,
        })))
    }

    /// `event.set(name, value)` keeps its value, which must stay a string of its own.
    fn share_texts(&self, name: &str, arguments: &mut ArgumentList) {
        let count = if matches!(name, "set" | "fetch") { 1 } else { arguments.items.len() };
        for item in arguments.items.iter_mut().take(count) {
            share_text(item);
        }
    }

    fn safe_send(
        &mut self,
        ast: &Ast,
        send: &nodes::CSend,
        block: BlockArgument,
    ) -> Result<Node, ScriptError> {
        let name = send.method_name.as_str();
        if name.ends_with('=') && send.args.len() == 1 {
            let target = self.target(ast)?;
            let value = self.optional(send.args.first())?;
            return Ok(Node::Assign(Box::new((target, value))));
        }
        let receiver = Some(self.node(&send.recv)?);
        let at = send.selector_l.unwrap_or(send.expression_l).begin;
        let (arguments, passed) = self.arguments(&send.args)?;
        self.facts.note_call(name, at.saturating_sub(self.offset));
        Ok(Node::Call(Box::new(CallNode {
            receiver,
            name: Sym::new(name),
            arguments,
            block: if matches!(block, BlockArgument::None) { passed } else { block },
            safe: true,
            is_bare: false,
            site: self.site(ast),
        })))
    }

    fn index(&mut self, ast: &Ast, index: &nodes::Index) -> Result<Node, ScriptError> {
        let receiver = self.node(&index.recv)?;
        let (mut arguments, block) = self.arguments(&index.indexes)?;
        arguments.items.iter_mut().for_each(share_text);
        let site = self.site(ast);
        let simple = !arguments.has_splat && !arguments.has_keywords && arguments.items.len() == 1;
        if simple {
            let argument = arguments.items.into_iter().next().unwrap_or(Node::Nil);
            return Ok(Node::Index(Box::new(IndexNode { receiver, argument, site })));
        }
        Ok(Node::Call(Box::new(CallNode {
            receiver: Some(receiver),
            name: Sym::new("[]"),
            arguments,
            block,
            safe: false,
            is_bare: false,
            site,
        })))
    }

    /// A bare name: a variable that the parser does not know of, or a word that only looks like a call.
    fn bare_name(
        &mut self,
        ast: &Ast,
        send: &nodes::Send,
        block: &BlockArgument,
    ) -> Result<Option<Node>, ScriptError> {
        if send.recv.is_some() || !send.args.is_empty() || !matches!(block, BlockArgument::None) {
            return Ok(None);
        }
        let name = send.method_name.as_str();
        if send.begin_l.is_none() {
            if let Some((depth, slot)) = self.scopes.find(name) {
                return Ok(Some(Node::Local { depth, slot }));
            }
            if name == "it"
                && let Some(slot) = self.scopes.use_it()
            {
                return Ok(Some(Node::Local { depth: 0, slot }));
            }
        }
        let visibility = |visibility| Node::SetVisibility { visibility, module_function: false };
        Ok(Some(match name {
            "block_given?" => Node::BlockGiven,
            "__method__" => Node::CurrentMethodName,
            "private" => visibility(Visibility::Private),
            "public" => visibility(Visibility::Public),
            "protected" => visibility(Visibility::Protected),
            "module_function" => {
                Node::SetVisibility { visibility: Visibility::Private, module_function: true }
            }
            "java" | "javax" | "org" | "com" => {
                let at = ast.expression().begin;
                return Err(self.error(at, "Java classes are not available in scripts"));
            }
            _ => return Ok(None),
        }))
    }

    /// Notes what a call tells of the script before it runs.
    fn note_send(&mut self, name: &str, is_own: bool, send: &nodes::Send, at: usize) {
        let offset = at.saturating_sub(self.offset);
        self.facts.note_call(name, offset);
        let literal = |ast: &Ast| match ast {
            Ast::Str(text) => Some(text.value.to_string_lossy()),
            Ast::Sym(symbol) => Some(symbol.name.to_string_lossy()),
            _ => None,
        };
        let names: Vec<String> = send.args.iter().filter_map(literal).collect();
        match name {
            "require" | "require_relative" | "load" if is_own => {
                for name in names {
                    let loading = match send.method_name.as_str() {
                        "require_relative" => Loading::Relative,
                        "load" => Loading::Load,
                        _ => Loading::Require,
                    };
                    let at = super::Use { name, offset };
                    match loading {
                        Loading::Require if !is_path(&at.name) => self.facts.required.push(at),
                        _ => self.facts.files.push((at, loading)),
                    }
                }
            }
            "define_method" | "define_singleton_method" | "alias_method" | "attr_reader" | "attr" => {
                self.facts.defined_methods.extend(names);
            }
            "attr_accessor" | "attr_writer" | "new" => {
                let writers: Vec<String> = names.iter().map(|name| format!("{name}=")).collect();
                self.facts.defined_methods.extend(names);
                self.facts.defined_methods.extend(writers);
            }
            "const_set" => self.facts.defined_constants.extend(names),
            _ => {}
        }
    }

    /// `/re/ =~ text`: named groups become variables.
    fn match_operator(&mut self, ast: &Ast, regexp: &Ast, value: &Ast) -> Result<Node, ScriptError> {
        let regexp = self.node(regexp)?;
        let names: Vec<String> = match &regexp {
            Node::Literal(Value::Regexp(regexp)) => {
                regexp.regex.names().map(|(name, _)| name.to_owned()).collect()
            }
            _ => Vec::new(),
        };
        let value = self.node(value)?;
        self.facts.note_call("=~", ast.expression().begin.saturating_sub(self.offset));
        let call = Node::Call(Box::new(CallNode {
            receiver: Some(regexp),
            name: Sym::new("=~"),
            arguments: ArgumentList { items: Box::new([value]), ..Default::default() },
            block: BlockArgument::None,
            safe: false,
            is_bare: false,
            site: self.site(ast),
        }));
        let variables: Vec<_> = names
            .into_iter()
            .filter(|name| name.starts_with(|first: char| first.is_lowercase() || first == '_'))
            .map(|name| {
                let (depth, slot) = self.scopes.find_or_declare(&name);
                (name.into(), depth, slot)
            })
            .collect();
        if variables.is_empty() {
            return Ok(call);
        }
        Ok(Node::MatchIntoLocals(Box::new((call, variables))))
    }
}

/// Makes a literal text the same frozen string each time.
pub(super) fn share_text(node: &mut Node) {
    if let Node::Str(text) = node {
        *node = super::literals::shared_text(text.as_bytes());
    }
}

fn shared(mut node: Node) -> Node {
    share_text(&mut node);
    node
}
