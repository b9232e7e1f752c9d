//! `StringScanner`, `Queue` and `Shellwords`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::regexp::{self, Spans, Subject};
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Native, RObject, RRegexp, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { methods: &[SCANNING, STATE], singleton_methods: &[NEW], ..ClassDef::class("StringScanner") },
    ClassDef { methods: &[QUEUE], singleton_methods: &[NEW_QUEUE], ..ClassDef::class("Queue") },
    ClassDef { superclass: Some("Queue"), ..ClassDef::class("SizedQueue") },
    ClassDef { functions: &[SHELLWORDS], ..ClassDef::module("Shellwords") },
];

struct Scanner {
    text: RefCell<Subject>,
    at: Cell<usize>,
    /// The last match, with the position before it.
    last: RefCell<Option<(Spans, usize, Rc<RRegexp>)>>,
}

impl Native for Scanner {}

const NEW: &[MethodDef] = &[MethodDef("new", between(1, 3), |interp, this, args| {
    let text = Subject::of(interp, args.at(0))?;
    let class = interp.to_class(this)?;
    let scanner = Scanner { text: RefCell::new(text), at: Cell::new(0), last: RefCell::default() };
    Ok(Value::Object(Rc::new(RObject::with_native(&class, scanner))))
})];

fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Scanner> {
    match this.as_native() {
        Some(scanner) => Ok(scanner),
        None => Err(interp.type_error("uninitialized StringScanner object")),
    }
}

/// What a scanning method gives for a match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Text,
    Length,
}

/// Looks for a pattern, here or (`until`) further on; moves behind it where `advance` says so.
fn scan(
    interp: &mut Interp,
    this: &Value,
    args: Args<'_>,
    until: bool,
    advance: bool,
    gives: Gives,
) -> Outcome {
    let scanner = own(interp, this)?;
    let pattern = match args.at(0) {
        Value::Regexp(pattern) => pattern.clone(),
        other => {
            let text = interp.to_str(other)?.to_text();
            let source = crate::regex::Regex::escape(&text);
            let options = crate::ruby::compiler::tree::RegexpOptions::default();
            match interp.new_regexp(&source, options)? {
                Value::Regexp(pattern) => pattern,
                _ => return Ok(Value::Nil),
            }
        }
    };
    let (start, text) = (scanner.at.get(), scanner.text.borrow().clone());
    // What was scanned is gone for the pattern: `^` and `\A` match at the position.
    let rest = text.rest(start);
    let found = regexp::search(interp, &pattern, &rest, 0)?;
    let spans = found.filter(|spans| until || matches!(spans.first(), Some(Some((0, _)))));
    let Some(spans) = spans else {
        *scanner.last.borrow_mut() = None;
        return Ok(Value::Nil);
    };
    let spans: Spans =
        spans.into_iter().map(|span| span.map(|(from, to)| (from + start, to + start))).collect();
    let end = spans.first().copied().flatten().map_or(start, |(_, end)| end);
    *scanner.last.borrow_mut() = Some((spans, start, pattern));
    if advance {
        scanner.at.set(end);
    }
    Ok(match gives {
        Gives::Text => text.value(start, end),
        Gives::Length => Value::from(end - start),
    })
}

const SCANNING: &[MethodDef] = &[
    MethodDef("scan", exactly(1), |interp, this, args| scan(interp, this, args, false, true, Gives::Text)),
    MethodDef("scan_until", exactly(1), |interp, this, args| {
        scan(interp, this, args, true, true, Gives::Text)
    }),
    MethodDef("skip", exactly(1), |interp, this, args| scan(interp, this, args, false, true, Gives::Length)),
    MethodDef("skip_until", exactly(1), |interp, this, args| {
        scan(interp, this, args, true, true, Gives::Length)
    }),
    MethodDef("match?", exactly(1), |interp, this, args| {
        scan(interp, this, args, false, false, Gives::Length)
    }),
    MethodDef("check", exactly(1), |interp, this, args| scan(interp, this, args, false, false, Gives::Text)),
    MethodDef("check_until", exactly(1), |interp, this, args| {
        scan(interp, this, args, true, false, Gives::Text)
    }),
    MethodDef("exist?", exactly(1), |interp, this, args| {
        scan(interp, this, args, true, false, Gives::Length)
    }),
    MethodDef("getch", exactly(0), |interp, this, _| {
        let options = crate::ruby::compiler::tree::RegexpOptions { multiline: true, ..Default::default() };
        let any = interp.new_regexp(".", options)?;
        scan(interp, this, Args::of(&[any]), false, true, Gives::Text)
    }),
];

const STATE: &[MethodDef] = &[
    MethodDef("eos?", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        Ok(Value::Bool(scanner.at.get() >= scanner.text.borrow().text.len()))
    }),
    MethodDef("rest", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        let text = scanner.text.borrow();
        Ok(text.value(scanner.at.get(), text.text.len()))
    }),
    MethodDef("rest?", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        Ok(Value::Bool(scanner.at.get() < scanner.text.borrow().text.len()))
    }),
    MethodDef("peek", exactly(1), |interp, this, args| {
        let count = usize::try_from(args.int(interp, 0)?).unwrap_or(0);
        let scanner = own(interp, this)?;
        let text = scanner.text.borrow();
        let mut end = scanner.at.get().saturating_add(count).min(text.text.len());
        while !text.text.is_char_boundary(end) {
            end -= 1;
        }
        Ok(text.value(scanner.at.get(), end))
    }),
    MethodDef("pos", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.at.get()))),
    MethodDef("pointer", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.at.get()))),
    MethodDef("pos=", exactly(1), |interp, this, args| {
        let at = args.int(interp, 0)?;
        let scanner = own(interp, this)?;
        let text = scanner.text.borrow();
        match usize::try_from(at).ok().filter(|at| text.text.is_char_boundary(*at)) {
            Some(at) => {
                scanner.at.set(at);
                Ok(args.at(0).clone())
            }
            None => Err(interp.error("RangeError", "index out of range")),
        }
    }),
    MethodDef("reset", exactly(0), |interp, this, _| {
        own(interp, this)?.at.set(0);
        Ok(this.clone())
    }),
    MethodDef("terminate", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        scanner.at.set(scanner.text.borrow().text.len());
        Ok(this.clone())
    }),
    MethodDef("unscan", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        if let Some((_, before, _)) = scanner.last.borrow_mut().take() {
            scanner.at.set(before);
        }
        Ok(this.clone())
    }),
    MethodDef("string", exactly(0), |interp, this, _| {
        let text = own(interp, this)?.text.borrow();
        Ok(text.value(0, text.text.len()))
    }),
    MethodDef("string=", exactly(1), |interp, this, args| {
        let text = Subject::of(interp, args.at(0))?;
        let scanner = own(interp, this)?;
        *scanner.text.borrow_mut() = text;
        scanner.at.set(0);
        Ok(args.at(0).clone())
    }),
    MethodDef("matched", exactly(0), |interp, this, _| group(interp, this, &Value::Int(0))),
    MethodDef("matched?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(own(interp, this)?.last.borrow().is_some()))
    }),
    MethodDef("[]", exactly(1), |interp, this, args| group(interp, this, args.at(0))),
    MethodDef("captures", exactly(0), |interp, this, _| {
        let count = own(interp, this)?.last.borrow().as_ref().map(|(spans, ..)| spans.len());
        let Some(count) = count else { return Ok(Value::Nil) };
        let mut groups = Vec::new();
        for at in 1..count {
            groups.push(group(interp, this, &Value::from(at))?);
        }
        Ok(Value::array(groups))
    }),
    MethodDef("pre_match", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        let start = scanner.last.borrow().as_ref().and_then(|(spans, ..)| spans.first().copied().flatten());
        Ok(start.map_or(Value::Nil, |(start, _)| scanner.text.borrow().value(0, start)))
    }),
    MethodDef("post_match", exactly(0), |interp, this, _| {
        let scanner = own(interp, this)?;
        let end = scanner.last.borrow().as_ref().and_then(|(spans, ..)| spans.first().copied().flatten());
        let text = scanner.text.borrow();
        Ok(end.map_or(Value::Nil, |(_, end)| text.value(end, text.text.len())))
    }),
];

fn group(interp: &mut Interp, this: &Value, key: &Value) -> Outcome {
    let scanner = own(interp, this)?;
    let place = match key {
        Value::Str(_) | Value::Sym(_) => {
            let name = interp.to_name(key)?;
            let last = scanner.last.borrow();
            last.as_ref().and_then(|(.., pattern)| pattern.regex.groups_of(name.as_str()).last().copied())
        }
        other => usize::try_from(interp.to_int(other)?).ok(),
    };
    let span = scanner.last.borrow().as_ref().and_then(|(spans, ..)| spans.get(place?).copied().flatten());
    Ok(span.map_or(Value::Nil, |(start, end)| scanner.text.borrow().value(start, end)))
}

/// A queue. Nobody else could fill it: waiting for an item is a deadlock, which Ruby reports as well.
#[derive(Default)]
struct Queue {
    items: RefCell<VecDeque<Value>>,
    closed: Cell<bool>,
}

impl Native for Queue {}

const NEW_QUEUE: &[MethodDef] = &[MethodDef("new", between(0, 1), |interp, this, args| {
    let items = match args.at(0) {
        Value::Nil | Value::Int(_) => VecDeque::new(),
        items => interp.splat(items)?.into(),
    };
    let class = interp.to_class(this)?;
    let queue = Queue { items: RefCell::new(items), closed: Cell::new(false) };
    Ok(Value::Object(Rc::new(RObject::with_native(&class, queue))))
})];

fn queue<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Queue> {
    match this.as_native() {
        Some(queue) => Ok(queue),
        None => Err(interp.type_error("uninitialized Queue")),
    }
}

const QUEUE: &[MethodDef] = &[
    MethodDef("push", between(1, 3), push),
    MethodDef("<<", exactly(1), push),
    MethodDef("enq", between(1, 3), push),
    MethodDef("pop", between(0, 2), pop),
    MethodDef("shift", between(0, 2), pop),
    MethodDef("deq", between(0, 2), pop),
    MethodDef("size", exactly(0), |interp, this, _| {
        Ok(Value::from(queue(interp, this)?.items.borrow().len()))
    }),
    MethodDef("length", exactly(0), |interp, this, _| {
        Ok(Value::from(queue(interp, this)?.items.borrow().len()))
    }),
    MethodDef("empty?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(queue(interp, this)?.items.borrow().is_empty()))
    }),
    MethodDef("num_waiting", exactly(0), |_, _, _| Ok(Value::Int(0))),
    MethodDef("clear", exactly(0), |interp, this, _| {
        let old = queue(interp, this)?.items.take();
        drop(old);
        Ok(this.clone())
    }),
    MethodDef("close", exactly(0), |interp, this, _| {
        queue(interp, this)?.closed.set(true);
        Ok(this.clone())
    }),
    MethodDef("closed?", exactly(0), |interp, this, _| Ok(Value::Bool(queue(interp, this)?.closed.get()))),
];

fn push(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let queue = queue(interp, this)?;
    if queue.closed.get() {
        return Err(interp.error("ClosedQueueError", "queue closed"));
    }
    queue.items.borrow_mut().push_back(args.at(0).clone());
    Ok(this.clone())
}

fn pop(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let timeout = args.keyword("timeout").is_some();
    let queue = queue(interp, this)?;
    let item = queue.items.borrow_mut().pop_front();
    match item {
        Some(item) => Ok(item),
        None if queue.closed.get() || timeout => Ok(Value::Nil),
        None if args.at(0).truthy() => Err(interp.error("ThreadError", "queue empty")),
        None => Err(interp.error("ThreadError", "No live threads left. Deadlock?")),
    }
}

const SHELLWORDS: &[MethodDef] = &[
    MethodDef("split", exactly(1), shell_split),
    MethodDef("shellsplit", exactly(1), shell_split),
    MethodDef("shellwords", exactly(1), shell_split),
    MethodDef("escape", exactly(1), shell_escape),
    MethodDef("shellescape", exactly(1), shell_escape),
    MethodDef("join", at_least(1), |interp, this, args| {
        let mut parts = Vec::new();
        for word in interp.splat(args.at(0))? {
            let escaped = shell_escape(interp, this, Args::of(&[word]))?;
            parts.push(interp.to_s(&escaped)?);
        }
        Ok(Value::str(parts.join(" ")))
    }),
];

fn shell_escape(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    if text.is_empty() {
        return Ok(Value::str("''"));
    }
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\n' => out.push_str("'\n'"),
            plain if plain.is_ascii_alphanumeric() || "_-.,:+/@".contains(plain) => out.push(plain),
            other => out.extend(['\\', other]),
        }
    }
    Ok(Value::str(out))
}

fn shell_split(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    let mut words: Vec<Value> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(rest.next()),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, space) if space.is_whitespace() => words.extend(word.take().map(Value::str)),
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    if quote.is_some() {
        return Err(interp.argument_error(format!("Unmatched quote: {text}")));
    }
    words.extend(word.map(Value::str));
    Ok(Value::array(words))
}
