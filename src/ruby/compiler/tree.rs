//! The compiled form of a script: a tree with variables resolved to slots and names interned, which is evaluated as it
//! stands.

use std::cell::RefCell;
use std::rc::Rc;

use crate::ruby::symbol::Sym;
use crate::ruby::value::{Method, RClass, Value, Visibility};

/// A named group, and the variable its text goes to: how many environments out, and the slot there.
pub type GroupLocal = (Rc<str>, u32, u32);

/// An expression.
pub enum Node {
    Nil,
    True,
    False,
    SelfValue,
    /// A value that is the same each time: numbers, symbols, ranges and regular expressions without interpolation.
    Literal(Value),
    /// A string literal: a new string each time.
    Str(Rc<str>),
    /// A string literal with bytes that are no UTF-8.
    Bytes(Rc<[u8]>),
    /// A string with interpolation.
    Interpolated(Box<[Node]>),
    InterpolatedSymbol(Box<[Node]>),
    InterpolatedRegexp(Box<RegexpNode>),
    Array(Box<[Node]>),
    Hash(Box<[PairNode]>),
    Range(Box<(Node, Node, bool)>),
    /// `*value` among arguments or items.
    Splat(Box<Node>),
    Local {
        depth: u32,
        slot: u32,
    },
    SetLocal {
        depth: u32,
        slot: u32,
        value: Box<Node>,
    },
    InstanceVariable(Sym),
    SetInstanceVariable(Sym, Box<Node>),
    Global(Sym),
    SetGlobal(Sym, Box<Node>),
    ClassVariable(Sym),
    SetClassVariable(Sym, Box<Node>),
    /// `$1`
    NthMatch(usize),
    /// `` $& $` $' $+ ``
    BackReference(char),
    Constant(Box<ConstantNode>),
    SetConstant(Box<(ConstantScope, Sym, Node)>),
    Sequence(Box<[Node]>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    Not(Box<Node>),
    If(Box<(Node, Node, Node)>),
    While(Box<LoopNode>),
    For(Box<ForNode>),
    Case(Box<CaseNode>),
    CaseIn(Box<CaseInNode>),
    /// `value in pattern`, which is a boolean, and `value => pattern`, which raises.
    Match(Box<MatchNode>),
    Binary(Box<BinaryNode>),
    Index(Box<IndexNode>),
    Call(Box<CallNode>),
    Super(Box<SuperNode>),
    Yield(Box<ArgumentList>),
    Assign(Box<(Target, Node)>),
    MultipleAssign(Box<(MultiTarget, Node)>),
    OperatorAssign(Box<OperatorAssignNode>),
    Rescue(Box<RescueNode>),
    Ensure(Box<(Node, Node)>),
    Return(Box<Node>),
    Break {
        value: Box<Node>,
        in_loop: bool,
    },
    Next {
        value: Box<Node>,
        in_loop: bool,
    },
    Redo,
    Retry,
    Lambda(Rc<BlockCode>),
    Def(Rc<MethodCode>),
    DefOn(Box<(Node, Rc<MethodCode>)>),
    Class(Box<ClassNode>),
    /// `class << object`
    SingletonClass(Box<(Node, Rc<BodyCode>)>),
    Alias(Sym, Sym),
    Undef(Box<[Sym]>),
    Defined(Box<Node>),
    /// `if /re/ =~ text` with named groups: the match, and the slots its groups go to.
    MatchIntoLocals(Box<(Node, Vec<GroupLocal>)>),
    /// `__method__`
    CurrentMethodName,
    /// `block_given?`
    BlockGiven,
    /// `private` and its like, alone on a line: what follows gets this visibility.
    SetVisibility {
        visibility: Visibility,
        module_function: bool,
    },
}

impl Node {
    /// Whether this is made of integers and variables of the innermost scope alone, a few operators deep: looking at
    /// it changes nothing, and it can be reckoned without values in between where the variables hold integers.
    pub fn is_plain(&self) -> bool {
        fn within(node: &Node, levels: usize) -> bool {
            match node {
                Node::Local { depth: 0, .. } | Node::Literal(Value::Int(_)) => true,
                Node::Binary(node) => {
                    levels > 0 && within(&node.left, levels - 1) && within(&node.right, levels - 1)
                }
                _ => false,
            }
        }
        within(self, 4)
    }
}

/// A regular expression with interpolation.
pub struct RegexpNode {
    pub parts: Box<[Node]>,
    pub options: RegexpOptions,
    /// The last text and what it compiled to: it rarely changes.
    pub last: RefCell<Option<(String, Value)>>,
}

/// `/../imxo`
#[derive(Clone, Copy, Default)]
pub struct RegexpOptions {
    pub ignore_case: bool,
    pub multiline: bool,
    pub extended: bool,
    pub once: bool,
}

pub enum PairNode {
    Pair(Node, Node),
    /// `**hash`
    Splat(Node),
}

/// Where a constant is looked for.
pub enum ConstantScope {
    /// The modules around the code, then their ancestors.
    Lexical,
    /// `::Name`
    Top,
    /// `scope::Name`
    In(Node),
}

pub struct ConstantNode {
    pub scope: ConstantScope,
    pub name: Sym,
    pub line: u32,
    /// The value and the interpreter's count of constants at which it was found.
    pub cache: RefCell<Option<(u64, Value)>>,
}

pub struct LoopNode {
    pub condition: Node,
    pub body: Node,
    /// `until`
    pub negated: bool,
    /// `begin ... end while`
    pub body_first: bool,
}

pub struct ForNode {
    pub target: Target,
    pub iterated: Node,
    pub body: Node,
}

pub struct CaseNode {
    pub subject: Option<Node>,
    pub whens: Box<[(Box<[Node]>, Node)]>,
    pub otherwise: Node,
}

pub struct CaseInNode {
    pub subject: Node,
    pub branches: Box<[InBranch]>,
    /// `None` raises NoMatchingPatternError.
    pub otherwise: Option<Node>,
}

pub struct InBranch {
    pub pattern: Pattern,
    /// The condition, and whether it must be false (`unless`).
    pub guard: Option<(Node, bool)>,
    pub body: Node,
}

pub struct MatchNode {
    pub value: Node,
    pub pattern: Pattern,
    pub raises: bool,
}

/// A pattern of `case ... in`.
pub enum Pattern {
    /// Compared with `===`.
    Value(Node),
    Bind {
        depth: u32,
        slot: u32,
    },
    Alternatives(Box<[Pattern]>),
    /// `pattern => name`
    As(Box<Pattern>, u32, u32),
    Array {
        constant: Option<Node>,
        before: Box<[Pattern]>,
        rest: Rest,
        after: Box<[Pattern]>,
    },
    Find {
        constant: Option<Node>,
        before: Rest,
        middle: Box<[Pattern]>,
        after: Rest,
    },
    Hash {
        constant: Option<Node>,
        pairs: Box<[(Sym, HashPatternValue)]>,
        rest: HashRest,
    },
}

pub enum HashPatternValue {
    Pattern(Pattern),
    /// `{name:}`
    Bind {
        depth: u32,
        slot: u32,
    },
}

#[derive(Clone, Copy)]
pub enum Rest {
    None,
    Ignored,
    Slot(u32, u32),
}

#[derive(Clone, Copy)]
pub enum HashRest {
    /// Further keys are allowed.
    Open,
    /// `**nil`
    Closed,
    Slot(u32, u32),
}

/// Operators that are quick on numbers and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    ShiftLeft,
}

pub struct BinaryNode {
    pub operator: BinaryOperator,
    /// Whether both sides are plain (`Node::is_plain`).
    pub is_plain: bool,
    pub name: Sym,
    pub left: Node,
    pub right: Node,
    pub site: Site,
}

/// `receiver[argument]`
pub struct IndexNode {
    pub receiver: Node,
    pub argument: Node,
    pub site: Site,
}

/// What a place of a call remembers.
pub struct Site {
    pub line: u32,
    pub cache: RefCell<Option<CachedMethod>>,
}

pub struct CachedMethod {
    pub class: Rc<RClass>,
    pub epoch: u64,
    pub method: Rc<Method>,
}

pub struct CallNode {
    pub receiver: Option<Node>,
    pub name: Sym,
    pub arguments: ArgumentList,
    pub block: BlockArgument,
    /// `&.`
    pub safe: bool,
    /// A bare name, which might have been meant for a variable.
    pub is_bare: bool,
    pub site: Site,
}

pub struct SuperNode {
    pub arguments: ArgumentList,
    pub block: BlockArgument,
    pub line: u32,
}

#[derive(Default)]
pub struct ArgumentList {
    pub items: Box<[Node]>,
    /// Whether any item is a splat.
    pub has_splat: bool,
    /// Whether the last item is the hash of the keywords.
    pub has_keywords: bool,
}

#[derive(Default)]
pub enum BlockArgument {
    #[default]
    None,
    Literal(Rc<BlockCode>),
    /// `&value`
    Pass(Box<Node>),
    /// The block of the method around, handed on by a bare `super`.
    Forwarded,
}

/// What can stand left of `=`.
pub enum Target {
    Local { depth: u32, slot: u32 },
    InstanceVariable(Sym),
    Global(Sym),
    ClassVariable(Sym),
    Constant(ConstantScope, Sym),
    Attribute { receiver: Node, name: Sym, safe: bool, site: Site },
    Index { receiver: Node, arguments: ArgumentList, site: Site },
    Multiple(Box<MultiTarget>),
}

/// `a, *b, c`
pub struct MultiTarget {
    pub before: Box<[Target]>,
    /// `Some(None)` is a splat without a name.
    pub splat: Option<Option<Target>>,
    pub after: Box<[Target]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AssignOperator {
    And,
    Or,
    Method(Sym),
}

pub struct OperatorAssignNode {
    pub target: Target,
    pub operator: AssignOperator,
    /// The operator, where it is one with short cuts.
    pub quick: Option<BinaryOperator>,
    /// Whether the value is plain (`Node::is_plain`).
    pub is_plain: bool,
    pub value: Node,
    pub site: Site,
}

pub struct RescueNode {
    pub body: Node,
    pub clauses: Box<[RescueClause]>,
    pub otherwise: Option<Node>,
}

pub struct RescueClause {
    /// Nothing stands for StandardError.
    pub classes: Box<[Node]>,
    pub target: Option<Target>,
    pub body: Node,
}

pub struct ClassNode {
    pub is_module: bool,
    pub scope: ConstantScope,
    pub name: Sym,
    pub superclass: Option<Node>,
    pub body: Rc<BodyCode>,
    pub line: u32,
}

/// The body of a class or module, or a whole script.
pub struct BodyCode {
    pub slots: usize,
    pub body: Node,
    pub file: Rc<str>,
}

/// A method.
pub struct MethodCode {
    pub name: Sym,
    pub params: Params,
    pub slots: usize,
    pub body: Node,
    pub line: u32,
    pub file: Rc<str>,
}

/// A block or lambda.
pub struct BlockCode {
    pub params: Params,
    pub slots: usize,
    pub body: Node,
    pub line: u32,
    pub file: Rc<str>,
}

/// Parameters of a method or block. Slots are those of the method's or block's own variables.
#[derive(Default)]
pub struct Params {
    pub required: Box<[Param]>,
    pub optional: Box<[(u32, Node)]>,
    pub rest: RestParam,
    pub post: Box<[Param]>,
    pub keywords: Box<[KeywordParam]>,
    pub keyword_rest: KeywordRest,
    pub block: Option<u32>,
    /// `|a,|` takes an array apart as `|a, b|` does.
    pub trailing_comma: bool,
    /// Names with their kinds, for `parameters`.
    pub names: Box<[(&'static str, Option<Sym>)]>,
}

pub enum Param {
    Slot(u32),
    /// `(a, b)`
    Destructured(MultiTarget),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum RestParam {
    #[default]
    None,
    Ignored,
    Slot(u32),
}

pub struct KeywordParam {
    pub name: Sym,
    pub slot: u32,
    /// `None` where the keyword is required.
    pub default: Option<Node>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum KeywordRest {
    #[default]
    None,
    /// `**nil`
    Refused,
    Ignored,
    Slot(u32),
}

impl Params {
    /// Whether there is nothing but required parameters with names.
    pub fn is_simple(&self) -> bool {
        self.optional.is_empty()
            && self.rest == RestParam::None
            && self.post.is_empty()
            && !self.has_keywords()
            && self.block.is_none()
            && self.required.iter().all(|param| matches!(param, Param::Slot(_)))
    }

    pub fn has_keywords(&self) -> bool {
        !self.keywords.is_empty() || self.keyword_rest != KeywordRest::None
    }

    /// Number of required positional parameters.
    pub fn required_len(&self) -> usize {
        self.required.len() + self.post.len()
    }

    /// Whether a block takes a single array apart.
    pub fn spreads(&self) -> bool {
        let named = self.required_len() + self.optional.len();
        named > 1
            || self.trailing_comma
            || (named == 1 && (self.rest != RestParam::None || self.has_keywords()))
    }

    /// As Ruby's `arity` counts; strictly for methods and lambdas.
    pub fn arity(&self, strict: bool) -> i64 {
        let required = self.required_len() as i64;
        let key_required = self.keywords.iter().any(|keyword| keyword.default.is_none());
        let open = self.rest != RestParam::None || (strict && !self.optional.is_empty());
        let counted = required + i64::from(key_required);
        let optional_keywords =
            strict && !key_required && (!self.keywords.is_empty() || self.keyword_rest != KeywordRest::None);
        if open || optional_keywords { -counted - 1 } else { counted }
    }
}
