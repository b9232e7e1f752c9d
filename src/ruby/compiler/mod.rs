//! From source text to the tree that is evaluated: parsing, resolving variables, and what can be told before a script
//! runs.

mod arguments;
mod assignments;
mod calls;
mod definitions;
mod expressions;
mod facts;
mod literals;
mod patterns;
mod scope;
pub mod tree;

use std::rc::Rc;

use lib_ruby_parser::{Node as Ast, Parser, ParserOptions};

pub use facts::{Facts, Use};

use crate::ruby::interpreter::stack_pointer;
use crate::ruby::symbol::Sym;
use scope::Scopes;
use tree::{BlockCode, BodyCode, Node, RegexpOptions, Site};

/// How much stack compiling may use; expressions nested deeper are refused. Threads have 2 MiB, and evaluating what was
/// compiled uses less than compiling it.
const STACK_BUDGET: usize = 1 << 20;

const TOO_DEEP: &str = "code is nested too deeply";

/// What is wrong with a script, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct ScriptError {
    /// One sentence without a full stop.
    pub message: String,
    /// Bytes from the start of the source.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl ScriptError {
    /// A mistake at an offset of a source.
    pub fn at(source: &str, offset: usize, message: impl Into<String>) -> ScriptError {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = source.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        ScriptError { message: message.into(), offset, line, column }
    }
}

/// What stands before and behind a source to parse it as what it is.
struct Wrapping {
    before: String,
    after: &'static str,
}

/// Result of compiling: a tree and what was seen on the way, or everything that is wrong.
type Compiled<T> = Result<(T, Facts), Vec<ScriptError>>;

/// Compiles a script to a lambda with these parameters: `event, &new_event_block`.
pub fn compile_lambda(source: &str, file: &str, params: &str) -> Compiled<Rc<BlockCode>> {
    let wrapping = Wrapping { before: format!("lambda do |{params}|\n"), after: "\nend" };
    compile(source, file, &wrapping, |compiler, ast| {
        let Ast::Block(block) = ast else {
            return Err(compiler.error(0, "the code ends before its end"));
        };
        compiler.scopes.enter_body(true);
        let code = compiler.block_code(&block.args, block.body.as_deref(), 0);
        compiler.scopes.leave();
        code
    })
}

/// Compiles a script that stands alone: a file, or code that runs once.
pub fn compile_body(source: &str, file: &str) -> Compiled<Rc<BodyCode>> {
    let wrapping = Wrapping { before: String::new(), after: "" };
    compile(source, file, &wrapping, |compiler, ast| {
        compiler.scopes.enter_body(true);
        let body = compiler.node(ast);
        let slots = compiler.scopes.leave();
        Ok(Rc::new(BodyCode { slots, body: body?, file: compiler.file.clone() }))
    })
}

fn compile<T>(
    source: &str,
    file: &str,
    wrapping: &Wrapping,
    run: impl FnOnce(&mut Compiler, &Ast) -> Result<T, ScriptError>,
) -> Compiled<T> {
    let whole = format!("{}{source}{}", wrapping.before, wrapping.after);
    // The parser asserts what it believes of its own state; a script that proves it wrong is a script with an error.
    let parsed = std::panic::catch_unwind(|| {
        let options = ParserOptions { buffer_name: file.to_owned(), decoder: None, record_tokens: false };
        Parser::new(whole.as_bytes().to_vec(), options).do_parse()
    });
    let Ok(parsed) = parsed else {
        return Err(vec![ScriptError::at(source, 0, "this code is beyond the parser")]);
    };
    let place = |offset: usize| offset.saturating_sub(wrapping.before.len());
    let errors: Vec<ScriptError> = parsed
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| {
            ScriptError::at(source, place(diagnostic.loc.begin), syntax_message(&diagnostic.render_message()))
        })
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut compiler = Compiler {
        source: source.into(),
        file: file.into(),
        offset: wrapping.before.len(),
        line_shift: wrapping.before.matches('\n').count(),
        line_starts: line_starts(&whole),
        scopes: Scopes::default(),
        facts: Facts::default(),
        stack_base: stack_pointer(),
        method_params: Vec::new(),
    };
    let nothing = Ast::Nil(lib_ruby_parser::nodes::Nil { expression_l: Default::default() });
    let ast = parsed.ast.as_deref().unwrap_or(&nothing);
    match run(&mut compiler, ast) {
        Ok(code) => Ok((code, compiler.facts)),
        Err(error) => {
            if error.message == TOO_DEEP {
                // Dropping the parser's tree would go as deep again, without asking.
                std::mem::forget(parsed.ast);
            }
            Err(vec![error])
        }
    }
}

/// The parser's message with its tokens' inner names made readable.
fn syntax_message(message: &str) -> String {
    let message = message.replace("END_OF_INPUT", "end of the code").replace("unexpected k", "unexpected ");
    format!("syntax error: {message}")
}

fn line_starts(text: &str) -> Vec<usize> {
    let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    std::iter::once(0).chain(breaks).collect()
}

/// Turns the parser's tree into ours.
struct Compiler {
    source: Rc<str>,
    file: Rc<str>,
    /// Bytes that stand before the source in what was parsed.
    offset: usize,
    /// Lines that stand before the source in what was parsed.
    line_shift: usize,
    line_starts: Vec<usize>,
    scopes: Scopes,
    facts: Facts,
    /// Where the stack was when compiling began.
    stack_base: usize,
    /// The parameters of the method around, which a bare `super` passes on.
    method_params: Vec<(&'static str, Option<Sym>)>,
}

impl Compiler {
    /// A mistake at a place of what was parsed.
    fn error(&self, at: usize, message: impl Into<String>) -> ScriptError {
        ScriptError::at(&self.source, at.saturating_sub(self.offset), message)
    }

    fn refuse<T>(&self, ast: &Ast, what: &str) -> Result<T, ScriptError> {
        Err(self.error(ast.expression().begin, format!("{what} not available in scripts")))
    }

    /// The line of a place, from 1, as the source counts.
    fn line(&self, at: usize) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= at);
        u32::try_from(line.saturating_sub(self.line_shift)).unwrap_or(0)
    }

    fn site(&self, ast: &Ast) -> Site {
        Site { line: self.line(ast.expression().begin), cache: Default::default() }
    }

    /// Compiles an expression.
    fn node(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        if self.stack_base.abs_diff(stack_pointer()) > STACK_BUDGET {
            return Err(self.error(ast.expression().begin, TOO_DEEP));
        }
        self.expression(ast)
    }

    /// An expression that may be missing: `nil` then.
    fn optional(&mut self, ast: Option<&Ast>) -> Result<Node, ScriptError> {
        ast.map_or(Ok(Node::Nil), |ast| self.node(ast))
    }

    fn nodes(&mut self, asts: &[Ast]) -> Result<Box<[Node]>, ScriptError> {
        asts.iter().map(|ast| self.node(ast)).collect()
    }

    /// Statements one after the other.
    fn sequence(&mut self, asts: &[Ast]) -> Result<Node, ScriptError> {
        match asts {
            [] => Ok(Node::Nil),
            [one] => self.node(one),
            several => Ok(Node::Sequence(self.nodes(several)?)),
        }
    }

    fn boxed(&mut self, ast: &Ast) -> Result<Box<Node>, ScriptError> {
        Ok(Box::new(self.node(ast)?))
    }
}

/// The letters behind a regular expression.
fn regexp_options(options: Option<&str>) -> RegexpOptions {
    let has = |letter| options.is_some_and(|options| options.contains(letter));
    RegexpOptions { ignore_case: has('i'), multiline: has('m'), extended: has('x'), once: has('o') }
}
