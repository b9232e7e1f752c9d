//! Reads a Ruby regular expression into its tree, with the position of whatever is wrong.
//!
//! Follows Joni's `Lexer` and `Parser` under `Syntax.RUBY` and the escapes that Ruby itself resolves before the
//! engine sees them. Where Oniguruma's C library reads a construct that Joni does not know (callouts, `\N`, `\O`,
//! `\y`), Joni's reading wins.
use super::ast::{Anchor, GroupReference, Node, Pattern, Property, Repeat, RepeatMode};
use super::class::{Ranges, letter_type, parse_class, property};
use super::cursor::{Cursor, Parsed};
use super::error::Error;
use super::groups;

/// Groups nested deeper than this are refused; expanded grok patterns stay far below.
const MAX_DEPTH: usize = 250;
/// Longest pattern in bytes.
const MAX_LENGTH: usize = 4 << 20;
/// Largest number in `{n,m}` (Joni's `MAX_REPEAT_NUM`).
const MAX_REPEAT: u32 = 100_000;
/// Most capturing groups (Joni's `MAX_CAPTURE_GROUP_NUM`).
const MAX_GROUPS: usize = 32_767;

/// The options of `Regexp.new`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub ignore_case: bool,
    pub multiline: bool,
    pub extended: bool,
}

/// Parses `pattern`; `names` in the result are those of its named groups.
pub(super) fn parse(pattern: &str, options: Options) -> Parsed<Pattern> {
    if pattern.len() > MAX_LENGTH {
        return Err(Error::whole(format!("regular expression is longer than {MAX_LENGTH} bytes")));
    }
    let flags = Flags {
        ignore_case: options.ignore_case,
        multiline: options.multiline,
        extended: options.extended,
        types_ascii: true,
        posix_ascii: false,
        bounds_ascii: false,
    };
    let mut parser = Parser {
        cursor: Cursor::new(pattern),
        flags,
        depth: 0,
        stacked_repeats: 0,
        groups: Vec::new(),
        references: Vec::new(),
    };
    let node = parser.alternation()?;
    if parser.cursor.peek().is_some() {
        return parser.cursor.fail("unmatched close parenthesis");
    }
    let node = match options.ignore_case {
        true => Node::Fold { ignore_case: true, node: Box::new(node) },
        false => node,
    };
    groups::settle(node, parser.groups, &parser.references)
}

/// The options in force at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flags {
    ignore_case: bool,
    multiline: bool,
    extended: bool,
    types_ascii: bool,
    posix_ascii: bool,
    bounds_ascii: bool,
}

struct Parser<'p> {
    cursor: Cursor<'p>,
    flags: Flags,
    depth: usize,
    /// Repeat operators that repeat a repetition, in the whole pattern.
    stacked_repeats: usize,
    /// The name of every group opened so far, `None` for `(..)`.
    groups: Vec<Option<String>>,
    /// Every reference to a group and where it stands, checked when all groups are known.
    references: Vec<groups::Reference>,
}

impl<'p> Parser<'p> {
    fn alternation(&mut self) -> Parsed<Node> {
        let first = self.branch()?;
        if self.cursor.peek() != Some('|') {
            return Ok(first);
        }
        let mut branches = vec![first];
        while self.cursor.eat("|") {
            branches.push(self.branch()?);
        }
        Ok(Node::Alternation(branches))
    }

    fn branch(&mut self) -> Parsed<Node> {
        let mut nodes = Vec::new();
        loop {
            self.skip_ignored()?;
            if matches!(self.cursor.peek(), None | Some('|' | ')')) {
                break;
            }
            self.expression(&mut nodes)?;
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    /// Skips `(?#..)` and, under `x`, white space and comments.
    fn skip_ignored(&mut self) -> Parsed<()> {
        loop {
            if self.cursor.rest().starts_with("(?#") {
                self.comment()?;
                continue;
            }
            match self.cursor.peek() {
                Some('#') if self.flags.extended => while self.cursor.next().is_some_and(|c| c != '\n') {},
                Some(' ' | '\t' | '\n' | '\r' | '\x0C') if self.flags.extended => {
                    self.cursor.next();
                }
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Parsed<()> {
        self.cursor.eat("(?#");
        loop {
            match self.cursor.next() {
                Some(')') => return Ok(()),
                Some('\\') => {
                    self.cursor.next();
                }
                Some(_) => {}
                None => return self.cursor.fail("end pattern in group"),
            }
        }
    }

    /// Reads one operand with its repetitions and appends it.
    fn expression(&mut self, nodes: &mut Vec<Node>) -> Parsed<()> {
        let start = self.cursor.offset();
        if self.interval_or_operator()?.is_some() {
            return Err(Error::at("target of repeat operator is not specified", start));
        }
        match self.operand()? {
            Operand::One(node) => nodes.push(self.repeated(node)?),
            Operand::Text(mut text) => {
                let last = text.pop();
                nodes.extend(text.into_iter().map(Node::Literal));
                if let Some(last) = last {
                    nodes.push(self.repeated(Node::Literal(last))?);
                }
            }
            Operand::Rest(node) => nodes.push(node),
        }
        Ok(())
    }

    fn repeated(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            self.skip_ignored()?;
            let Some((min, max, mode)) = self.interval_or_operator()? else { return Ok(node) };
            if matches!(node, Node::Repeat(_)) {
                self.stacked_repeats += 1;
            }
            if self.stacked_repeats > MAX_DEPTH {
                return self.cursor.fail("too many stacked repeat operators");
            }
            node = Node::Repeat(Box::new(Repeat { node, min, max, mode }));
        }
    }

    /// Reads a repeat operator, if one stands here.
    fn interval_or_operator(&mut self) -> Parsed<Option<(u32, Option<u32>, RepeatMode)>> {
        let (min, max) = match self.cursor.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.interval(),
            _ => return Ok(None),
        };
        self.cursor.next();
        let mode = match () {
            () if self.cursor.eat("?") => RepeatMode::Lazy,
            () if self.cursor.eat("+") => RepeatMode::Possessive,
            () => RepeatMode::Greedy,
        };
        Ok(Some((min, max, mode)))
    }

    /// Reads `{n}`, `{n,}`, `{,m}` or `{n,m}`; anything else with a brace is ordinary text.
    ///
    /// In Ruby's syntax `{n}?` is an optional `{n}` and `{n,m}+` is a repeated `{n,m}`, so neither suffix is read
    /// here except the lazy one of a real range.
    fn interval(&mut self) -> Parsed<Option<(u32, Option<u32>, RepeatMode)>> {
        let start = self.cursor.offset();
        self.cursor.next();
        let low = self.cursor.number(10, usize::MAX);
        let (min, max, fixed) = if self.cursor.eat(",") {
            let high = self.cursor.number(10, usize::MAX);
            if low.is_none() && high.is_none() {
                self.cursor.rewind(start);
                return Ok(None);
            }
            (low.unwrap_or(0), high, false)
        } else {
            let Some(count) = low else {
                self.cursor.rewind(start);
                return Ok(None);
            };
            (count, Some(count), true)
        };
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT) {
            return Err(Error::at("too big number for repeat range", start));
        }
        if !self.cursor.eat("}") {
            self.cursor.rewind(start);
            return Ok(None);
        }
        if max.is_some_and(|max| max < min) {
            return Err(Error::at("upper is smaller than lower in repeat range", start));
        }
        let lazy = !fixed && self.cursor.eat("?");
        Ok(Some((min, max, if lazy { RepeatMode::Lazy } else { RepeatMode::Greedy })))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let start = self.cursor.offset();
        let Some(first) = self.cursor.next() else { return Ok(Operand::One(Node::Empty)) };
        let node = match first {
            '\\' => return self.escape(start),
            '(' => return self.group(start),
            '[' => {
                let ranges =
                    Ranges { types_ascii: self.flags.types_ascii, posix_ascii: self.flags.posix_ascii };
                Node::Class(parse_class(&mut self.cursor, ranges, 0)?)
            }
            '.' => Node::Any { newline: self.flags.multiline },
            '^' => Node::Anchor(Anchor::LineStart),
            '$' => Node::Anchor(Anchor::LineEnd),
            other => Node::Literal(other),
        };
        Ok(Operand::One(node))
    }

    fn escape(&mut self, start: usize) -> Parsed<Operand> {
        let Some(letter) = self.cursor.peek() else {
            return Err(Error::at("too short escape sequence", start));
        };
        if let Some(class_type) = letter_type(letter, self.flags.types_ascii) {
            self.cursor.next();
            return Ok(Operand::One(Node::Type(class_type)));
        }
        let ascii = self.flags.bounds_ascii;
        let node = match letter {
            'b' => Node::Anchor(Anchor::WordBoundary { ascii }),
            'B' => Node::Anchor(Anchor::NotWordBoundary { ascii }),
            'A' => Node::Anchor(Anchor::TextStart),
            'Z' => Node::Anchor(Anchor::TextEndNewline),
            'z' => Node::Anchor(Anchor::TextEnd),
            'G' => Node::Anchor(Anchor::SearchStart),
            'R' => Node::LineBreak,
            'X' => Node::Grapheme,
            'K' => Node::Keep,
            _ => return self.longer_escape(letter, start),
        };
        self.cursor.next();
        Ok(Operand::One(node))
    }

    fn longer_escape(&mut self, letter: char, start: usize) -> Parsed<Operand> {
        let rest = self.cursor.rest();
        let node = match letter {
            '1'..='9' => match self.numbered_reference() {
                Some(node) => node,
                None => Node::Literal(self.cursor.escaped_char(false)?),
            },
            'k' if rest.starts_with("k<") || rest.starts_with("k'") => self.named_reference(start)?,
            'g' if rest.starts_with("g<") || rest.starts_with("g'") => self.call(start)?,
            'p' | 'P' if rest.get(1..).is_some_and(|name| name.starts_with('{')) => {
                let Property { name, negated } = property(&mut self.cursor)?;
                Node::Property(Property { name, negated })
            }
            'u' if rest.starts_with("u{") => {
                self.cursor.next();
                return Ok(Operand::Text(self.cursor.unicode_list()?));
            }
            _ => Node::Literal(self.cursor.escaped_char(false)?),
        };
        Ok(Operand::One(node))
    }

    /// `\1`: a reference when the number is a digit or a group opened before; otherwise it is an octal escape.
    fn numbered_reference(&mut self) -> Option<Node> {
        let start = self.cursor.offset();
        let number = self.cursor.number(10, usize::MAX)? as usize;
        if number <= 9 || number <= self.groups.len() {
            let group = GroupReference::Number(number);
            self.references.push(groups::Reference { group: group.clone(), at: start, call: false });
            return Some(Node::Backreference { group, level: None });
        }
        self.cursor.rewind(start);
        None
    }

    fn named_reference(&mut self, start: usize) -> Parsed<Node> {
        self.cursor.next();
        let text = self.name()?;
        let (text, level) = split_level(text);
        let group = self.reference_of(text, start)?;
        self.references.push(groups::Reference { group: group.clone(), at: start, call: false });
        Ok(Node::Backreference { group, level })
    }

    fn call(&mut self, start: usize) -> Parsed<Node> {
        self.cursor.next();
        let text = self.name()?;
        let group = match text.strip_prefix('+').and_then(|n| n.parse::<usize>().ok()) {
            Some(ahead) => GroupReference::Number(self.groups.len() + ahead),
            None if text == "0" => GroupReference::Number(0),
            None => self.reference_of(text, start)?,
        };
        self.references.push(groups::Reference { group: group.clone(), at: start, call: true });
        Ok(Node::Call(group))
    }

    fn reference_of(&self, text: &str, start: usize) -> Parsed<GroupReference> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(GroupReference::Name(text.to_owned()));
        }
        let number = digits.parse::<usize>().ok().filter(|n| *n > 0);
        let number = number.ok_or_else(|| Error::at(format!("invalid group name <{text}>"), start))?;
        if digits.len() == text.len() {
            return Ok(GroupReference::Number(number));
        }
        match (self.groups.len() + 1).checked_sub(number).filter(|n| *n > 0) {
            Some(absolute) => Ok(GroupReference::Number(absolute)),
            None => Err(Error::at("invalid backref number/name", start)),
        }
    }

    /// Reads `<name>` or `'name'`.
    fn name(&mut self) -> Parsed<&'p str> {
        let closing = if self.cursor.next() == Some('\'') { '\'' } else { '>' };
        let start = self.cursor.offset();
        let rest = self.cursor.rest();
        let length = rest.find([closing, ')']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        if !after.starts_with(closing) {
            return Err(Error::at(format!("invalid group name <{name}>"), start));
        }
        if name.is_empty() {
            return Err(Error::at("group name is empty", start));
        }
        self.cursor.rewind(start + length + 1);
        Ok(name)
    }

    fn group(&mut self, start: usize) -> Parsed<Operand> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::at("too deep nest of groups", start));
        }
        let operand = self.group_inside(start)?;
        self.depth -= 1;
        Ok(operand)
    }

    fn group_inside(&mut self, start: usize) -> Parsed<Operand> {
        if !self.cursor.eat("?") {
            return Ok(Operand::One(self.capture(None, start)?));
        }
        let rest = self.cursor.rest();
        if let Some((mark, build)) = UNNAMED_GROUPS.iter().find(|(mark, _)| rest.starts_with(mark)) {
            self.cursor.eat(mark);
            return Ok(Operand::One(build(Box::new(self.inside(start)?))));
        }
        match self.cursor.peek() {
            Some('<' | '\'') => {
                let name = self.definition_name()?;
                Ok(Operand::One(self.capture(Some(name), start)?))
            }
            Some('(') => Ok(Operand::One(self.conditional(start)?)),
            Some(_) => self.option_group(start),
            None => Err(Error::at("end pattern in group", start)),
        }
    }

    fn definition_name(&mut self) -> Parsed<String> {
        let start = self.cursor.offset();
        let name = self.name()?.to_owned();
        if name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(Error::at(format!("invalid group name <{name}>"), start));
        }
        Ok(name)
    }

    fn capture(&mut self, name: Option<String>, start: usize) -> Parsed<Node> {
        self.groups.push(name);
        let group = self.groups.len();
        if group > MAX_GROUPS {
            return Err(Error::at("too many capture groups are specified", start));
        }
        let node = Box::new(self.inside(start)?);
        Ok(Node::Capture { group, node })
    }

    /// Reads up to and over the closing parenthesis; options set inside end with the group.
    fn inside(&mut self, start: usize) -> Parsed<Node> {
        let flags = self.flags;
        let node = self.alternation()?;
        self.flags = flags;
        if !self.cursor.eat(")") {
            return Err(Error::at("end pattern with unmatched parenthesis", start));
        }
        Ok(node)
    }

    fn conditional(&mut self, start: usize) -> Parsed<Node> {
        self.cursor.next();
        let group = match self.cursor.peek() {
            Some('<' | '\'') => {
                let text = self.name()?;
                let (text, _) = split_level(text);
                self.reference_of(text, start)?
            }
            Some('0'..='9') => {
                let number = self.cursor.number(10, usize::MAX).unwrap_or(0) as usize;
                GroupReference::Number(number)
            }
            _ => return Err(Error::at("invalid conditional pattern", start)),
        };
        if !self.cursor.eat(")") {
            return Err(Error::at("invalid conditional pattern", start));
        }
        self.references.push(groups::Reference { group: group.clone(), at: start, call: false });
        let (yes, no) = match self.inside(start)? {
            Node::Alternation(mut branches) if branches.len() == 2 => {
                let no = branches.pop().unwrap_or(Node::Empty);
                (branches.pop().unwrap_or(Node::Empty), no)
            }
            Node::Alternation(_) => return Err(Error::at("invalid conditional pattern", start)),
            yes => (yes, Node::Empty),
        };
        Ok(Node::Conditional { group, yes: Box::new(yes), no: Box::new(no) })
    }

    /// `(?i-mx:..)`, or `(?i)`, which holds for the rest of the enclosing group including its later branches.
    fn option_group(&mut self, start: usize) -> Parsed<Operand> {
        let mut flags = self.flags;
        let mut on = true;
        loop {
            match self.cursor.next() {
                Some('-') => on = false,
                Some('i') => flags.ignore_case = on,
                Some('m') => flags.multiline = on,
                Some('x') => flags.extended = on,
                Some(letter @ ('a' | 'u' | 'd')) if on => {
                    flags.types_ascii = letter != 'u';
                    flags.posix_ascii = letter == 'a';
                    flags.bounds_ascii = letter == 'a';
                }
                Some(end @ (':' | ')')) => return self.with_options(flags, end == ':', start),
                Some(_) => return Err(Error::at("undefined group option", start)),
                None => return Err(Error::at("end pattern in group", start)),
            }
        }
    }

    fn with_options(&mut self, flags: Flags, enclosed: bool, start: usize) -> Parsed<Operand> {
        let outer = std::mem::replace(&mut self.flags, flags);
        let node = if enclosed { self.inside(start)? } else { self.alternation()? };
        self.flags = outer;
        let node = match flags.ignore_case == outer.ignore_case {
            true => Node::Concat(vec![node]),
            false => Node::Fold { ignore_case: flags.ignore_case, node: Box::new(node) },
        };
        Ok(if enclosed { Operand::One(node) } else { Operand::Rest(node) })
    }
}

/// What one step of the parser read.
enum Operand {
    One(Node),
    /// Several characters from one escape; a repeat operator takes the last.
    Text(Vec<char>),
    /// Everything up to the end of the enclosing group.
    Rest(Node),
}

type Wrap = fn(Box<Node>) -> Node;

/// What stands behind `(?` in groups without a name, and the node each becomes.
const UNNAMED_GROUPS: [(&str, Wrap); 7] = [
    (":", |node| Node::Concat(vec![*node])),
    ("=", |node| Node::Look { ahead: true, negated: false, node }),
    ("!", |node| Node::Look { ahead: true, negated: true, node }),
    ("<=", |node| Node::Look { ahead: false, negated: false, node }),
    ("<!", |node| Node::Look { ahead: false, negated: true, node }),
    (">", Node::Atomic),
    ("~", Node::Absent),
];

/// Splits `name+1` into the name and its recursion level.
fn split_level(text: &str) -> (&str, Option<i32>) {
    let Some(sign) = text.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at)
    else {
        return (text, None);
    };
    let (name, level) = text.split_at(sign);
    match level.parse::<i32>() {
        Ok(level) => (name, Some(level)),
        Err(_) => (text, None),
    }
}
