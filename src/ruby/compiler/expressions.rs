//! Expressions: one arm for each kind of node of the parser.

use lib_ruby_parser::{Node as Ast, nodes};

use super::tree::{CaseNode, LoopNode, Node, RescueClause, RescueNode};
use super::{Compiler, ScriptError};
use crate::ruby::symbol::Sym;
use crate::ruby::value::Value;

impl Compiler {
    pub(super) fn expression(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        Ok(match ast {
            Ast::Nil(_) | Ast::EmptyElse(_) => Node::Nil,
            Ast::True(_) => Node::True,
            Ast::False(_) => Node::False,
            Ast::Self_(_) => Node::SelfValue,
            Ast::Int(number) => self.integer(ast, &number.value)?,
            Ast::Float(number) => self.float(ast, &number.value)?,
            Ast::Rational(number) => self.rational(ast, &number.value),
            Ast::Str(text) => Self::string(&text.value.raw),
            Ast::Dstr(text) => self.text(&text.parts)?,
            Ast::Heredoc(text) => self.text(&text.parts)?,
            Ast::Sym(symbol) => Node::Literal(Value::Sym(Sym::new(&symbol.name.to_string_lossy()))),
            Ast::Dsym(symbol) => self.dynamic_symbol(&symbol.parts)?,
            Ast::Regexp(regexp) => self.regexp(ast, regexp)?,
            Ast::Array(array) => Node::Array(self.nodes(&array.elements)?),
            Ast::Hash(hash) => self.hash(&hash.pairs)?,
            Ast::Kwargs(hash) => self.hash(&hash.pairs)?,
            Ast::Irange(range) => self.range(range.left.as_deref(), range.right.as_deref(), false)?,
            Ast::Erange(range) => self.range(range.left.as_deref(), range.right.as_deref(), true)?,
            Ast::Splat(splat) => Node::Splat(Box::new(self.optional(splat.value.as_deref())?)),
            Ast::Line(_) => Node::Literal(Value::Int(self.line(ast.expression().begin).into())),
            Ast::File(_) => Node::Str(self.file.clone()),
            Ast::Encoding(_) => self.encoding_constant(ast),
            Ast::Begin(begin) => self.sequence(&begin.statements)?,
            Ast::KwBegin(begin) => self.sequence(&begin.statements)?,
            _ => self.variable(ast)?,
        })
    }

    fn encoding_constant(&mut self, ast: &Ast) -> Node {
        use super::tree::{ConstantNode, ConstantScope};
        let line = self.line(ast.expression().begin);
        let constant = |scope, name: &str| {
            Node::Constant(Box::new(ConstantNode {
                scope,
                name: Sym::new(name),
                line,
                cache: Default::default(),
            }))
        };
        let encoding = constant(ConstantScope::Top, "Encoding");
        constant(ConstantScope::In(encoding), "UTF_8")
    }

    fn variable(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        Ok(match ast {
            Ast::Lvar(variable) => {
                let (depth, slot) = self.scopes.find_or_declare(&variable.name);
                if self.scopes.is_lasting(depth) {
                    self.facts.note_state_read();
                }
                Node::Local { depth, slot }
            }
            Ast::Ivar(variable) => {
                self.facts.note_state_read();
                Node::InstanceVariable(Sym::new(&variable.name))
            }
            Ast::Gvar(variable) => {
                self.note_global(&variable.name);
                Node::Global(Sym::new(&variable.name))
            }
            Ast::Cvar(variable) => {
                self.facts.note_state_read();
                Node::ClassVariable(Sym::new(&variable.name))
            }
            Ast::NthRef(reference) => {
                Node::NthMatch(reference.name.trim_start_matches('$').parse().unwrap_or(0))
            }
            Ast::BackRef(reference) => Node::BackReference(reference.name.chars().next_back().unwrap_or('&')),
            Ast::Const(constant) => self.constant(ast, constant.scope.as_deref(), &constant.name)?,
            Ast::Lvasgn(_)
            | Ast::Ivasgn(_)
            | Ast::Gvasgn(_)
            | Ast::Cvasgn(_)
            | Ast::Casgn(_)
            | Ast::Masgn(_)
            | Ast::OpAsgn(_)
            | Ast::OrAsgn(_)
            | Ast::AndAsgn(_)
            | Ast::IndexAsgn(_) => self.assignment(ast)?,
            _ => self.control(ast)?,
        })
    }

    /// Notes a global variable of the user's; those of a match are each run's own.
    pub(super) fn note_global(&mut self, name: &str) {
        const OWN: &[&str] =
            &["$~", "$!", "$@", "$0", "$$", "$,", "$/", "$;", "$PROGRAM_NAME", "$stdout", "$stderr"];
        self.facts.uses_globals |= !OWN.contains(&name);
    }

    fn control(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        Ok(match ast {
            Ast::And(pair) => Node::And(Box::new((self.node(&pair.lhs)?, self.node(&pair.rhs)?))),
            Ast::Or(pair) => Node::Or(Box::new((self.node(&pair.lhs)?, self.node(&pair.rhs)?))),
            Ast::If(parts) => {
                self.condition(&parts.cond, parts.if_true.as_deref(), parts.if_false.as_deref())?
            }
            Ast::IfMod(parts) => {
                // What stands before the `if` comes first in the source, and its variables are known first.
                let yes = self.optional(parts.if_true.as_deref())?;
                let no = self.optional(parts.if_false.as_deref())?;
                let condition = self.node(&parts.cond)?;
                Node::If(Box::new((condition, yes, no)))
            }
            Ast::IfTernary(parts) => {
                self.condition(&parts.cond, Some(&parts.if_true), Some(&parts.if_false))?
            }
            Ast::While(parts) => self.while_loop(&parts.cond, parts.body.as_deref(), false, false)?,
            Ast::Until(parts) => self.while_loop(&parts.cond, parts.body.as_deref(), true, false)?,
            Ast::WhilePost(parts) => self.while_loop(&parts.cond, Some(&parts.body), false, true)?,
            Ast::UntilPost(parts) => self.while_loop(&parts.cond, Some(&parts.body), true, true)?,
            Ast::For(parts) => self.for_loop(parts)?,
            Ast::Case(case) => self.case(case)?,
            Ast::CaseMatch(case) => self.case_in(case)?,
            Ast::MatchPattern(parts) => self.match_pattern(&parts.value, &parts.pattern, true)?,
            Ast::MatchPatternP(parts) => self.match_pattern(&parts.value, &parts.pattern, false)?,
            Ast::Rescue(rescue) => self.rescue(rescue)?,
            Ast::Ensure(parts) => {
                let body = self.optional(parts.body.as_deref())?;
                Node::Ensure(Box::new((body, self.optional(parts.ensure.as_deref())?)))
            }
            Ast::Return(jump) => Node::Return(Box::new(self.jump_value(&jump.args)?)),
            Ast::Break(jump) => {
                let value = Box::new(self.jump_value(&jump.args)?);
                Node::Break { value, in_loop: self.scopes.in_loop() }
            }
            Ast::Next(jump) => {
                let value = Box::new(self.jump_value(&jump.args)?);
                Node::Next { value, in_loop: self.scopes.in_loop() }
            }
            Ast::Redo(_) => Node::Redo,
            Ast::Retry(_) => Node::Retry,
            Ast::Defined(defined) => {
                self.facts.tentative += 1;
                let inner = self.node(&defined.value);
                self.facts.tentative -= 1;
                Node::Defined(Box::new(inner?))
            }
            Ast::MatchCurrentLine(_) => return self.refuse(ast, "a match against the last line read is"),
            Ast::IFlipFlop(_) | Ast::EFlipFlop(_) => return self.refuse(ast, "flip-flops are"),
            Ast::Xstr(_) | Ast::XHeredoc(_) => return self.refuse(ast, "running commands is"),
            Ast::Preexe(_) | Ast::Postexe(_) => return self.refuse(ast, "BEGIN and END are"),
            Ast::Complex(_) => return self.refuse(ast, "complex numbers are"),
            _ => self.call_or_definition(ast)?,
        })
    }

    fn condition(
        &mut self,
        condition: &Ast,
        yes: Option<&Ast>,
        no: Option<&Ast>,
    ) -> Result<Node, ScriptError> {
        let condition = self.node(condition)?;
        let yes = self.optional(yes)?;
        Ok(Node::If(Box::new((condition, yes, self.optional(no)?))))
    }

    fn while_loop(
        &mut self,
        condition: &Ast,
        body: Option<&Ast>,
        negated: bool,
        body_first: bool,
    ) -> Result<Node, ScriptError> {
        let condition = self.node(condition)?;
        self.scopes.enter_loop();
        let body = self.optional(body);
        self.scopes.leave_loop();
        Ok(Node::While(Box::new(LoopNode { condition, body: body?, negated, body_first })))
    }

    fn for_loop(&mut self, parts: &nodes::For) -> Result<Node, ScriptError> {
        let iterated = self.node(&parts.iteratee)?;
        let target = self.target(&parts.iterator)?;
        self.scopes.enter_loop();
        let body = self.optional(parts.body.as_deref());
        self.scopes.leave_loop();
        Ok(Node::For(Box::new(super::tree::ForNode { target, iterated, body: body? })))
    }

    fn case(&mut self, case: &nodes::Case) -> Result<Node, ScriptError> {
        let subject = match &case.expr {
            Some(subject) => Some(self.node(subject)?),
            None => None,
        };
        let mut whens = Vec::with_capacity(case.when_bodies.len());
        for when in &case.when_bodies {
            let Ast::When(when) = when else { continue };
            let conditions: Vec<Node> =
                when.patterns.iter().map(|pattern| self.when_pattern(pattern)).collect::<Result<_, _>>()?;
            whens.push((conditions.into(), self.optional(when.body.as_deref())?));
        }
        let otherwise = self.optional(case.else_body.as_deref())?;
        Ok(Node::Case(Box::new(CaseNode { subject, whens: whens.into(), otherwise })))
    }

    /// A text after `when` can be the same each time.
    fn when_pattern(&mut self, pattern: &Ast) -> Result<Node, ScriptError> {
        match pattern {
            Ast::Str(text) => Ok(super::literals::shared_text(&text.value.raw)),
            other => self.node(other),
        }
    }

    fn rescue(&mut self, rescue: &nodes::Rescue) -> Result<Node, ScriptError> {
        let body = self.optional(rescue.body.as_deref())?;
        let mut clauses = Vec::with_capacity(rescue.rescue_bodies.len());
        for clause in &rescue.rescue_bodies {
            let Ast::RescueBody(clause) = clause else { continue };
            let classes = match clause.exc_list.as_deref() {
                Some(Ast::Array(list)) => self.nodes(&list.elements)?,
                Some(one) => Box::new([self.node(one)?]),
                None => Box::default(),
            };
            let target = match &clause.exc_var {
                Some(target) => Some(self.target(target)?),
                None => None,
            };
            clauses.push(RescueClause { classes, target, body: self.optional(clause.body.as_deref())? });
        }
        let otherwise = match &rescue.else_ {
            Some(otherwise) => Some(self.node(otherwise)?),
            None => None,
        };
        Ok(Node::Rescue(Box::new(RescueNode { body, clauses: clauses.into(), otherwise })))
    }

    /// What `return a, b` and its like give.
    fn jump_value(&mut self, args: &[Ast]) -> Result<Node, ScriptError> {
        match args {
            [] => Ok(Node::Nil),
            [one] if !matches!(one, Ast::Splat(_)) => self.node(one),
            several => Ok(Node::Array(self.nodes(several)?)),
        }
    }
}
