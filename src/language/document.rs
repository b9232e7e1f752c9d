//! Walks a source from section to section, and after a mistake reads on where it can, so that all mistakes come at once.

use super::ast::*;
use super::compile::{MAX_DEPTH, too_deep};
use super::diagnostic::Diagnostic;
use super::explain::{Explainer, Place, TEMPLATE, unclosed};
use super::parser::{Continuation, Failure, PieceParser};
use super::recover::{self, Resume};
use super::source::{Source, Span};

/// More mistakes than this in one source are not reported: the first ones matter.
const MAX_MISTAKES: usize = 20;

/// More findings than this in one source are not kept, whatever they are about.
const MAX_DIAGNOSTICS: usize = 100;

/// Something that was opened and waits for its closing brace.
enum Frame {
    Section { kind: SectionKind, items: Vec<Item>, start: usize },
    Branch { arms: Vec<Arm>, arm: OpenArm, items: Vec<Item>, start: usize },
}

/// The part of a branch whose body is being read.
struct OpenArm {
    /// `None` for the `else`.
    condition: Option<Expression>,
    start: usize,
}

impl Frame {
    fn items(&mut self) -> &mut Vec<Item> {
        match self {
            Frame::Section { items, .. } | Frame::Branch { items, .. } => items,
        }
    }

    /// What it is called, and where its innermost part was opened.
    fn opening(&self) -> (&'static str, usize) {
        match self {
            Frame::Section { kind, start, .. } => (kind.keyword(), *start),
            Frame::Branch { arm: OpenArm { condition: None, start }, .. } => ("else", *start),
            Frame::Branch { arms, arm, .. } if arms.is_empty() => ("if", arm.start),
            Frame::Branch { arm, .. } => ("else if", arm.start),
        }
    }
}

/// A closing brace that stands further left than the line it closes: most likely meant for something further out.
#[derive(Clone, Copy)]
pub(super) struct Misfit {
    pub opened: usize,
    pub closed: usize,
}

/// The reading of one source.
pub(super) struct Document<'s> {
    source: &'s Source,
    number: u32,
    text: &'s str,
    parser: PieceParser<'s>,
    explainer: Explainer<'s>,
    frames: Vec<Frame>,
    sections: Vec<Section>,
    mistakes: Vec<Diagnostic>,
    misfit: Option<Misfit>,
    at: usize,
    done: bool,
}

impl<'s> Document<'s> {
    /// Reads the whole source. The sections leave out what was not understood.
    pub fn read(source: &'s Source, number: u32, support_escapes: bool) -> (Vec<Section>, Vec<Diagnostic>) {
        let text = source.text.as_str();
        let mut document = Document {
            source,
            number,
            text,
            parser: PieceParser::new(text, number, support_escapes),
            explainer: Explainer { text, source: number },
            frames: vec![],
            sections: vec![],
            mistakes: vec![],
            misfit: None,
            at: 0,
            done: false,
        };
        while !document.done {
            document.at = document.parser.gap(document.at);
            match document.frames.is_empty() {
                true => document.top_level(),
                false => document.body(),
            }
        }
        let mut diagnostics = document.mistakes;
        diagnostics.append(&mut document.parser.compiler.diagnostics);
        diagnostics.sort_by_key(|it| it.span.map(|span| span.start));
        let hidden = diagnostics.len().saturating_sub(MAX_DIAGNOSTICS);
        diagnostics.truncate(MAX_DIAGNOSTICS);
        if hidden > 0
            && let Some(last) = diagnostics.pop()
        {
            diagnostics.push(last.note(format!("{hidden} more mistakes in {} are not shown", source.name)));
        }
        (document.sections, diagnostics)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { source: self.number, start: start as u32, end: end as u32 }
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn top_level(&mut self) {
        if self.at == self.text.len() {
            self.done = true;
            return;
        }
        match self.parser.section_start(self.at) {
            Ok((kind, end)) => {
                self.frames.push(Frame::Section { kind, items: vec![], start: self.at });
                self.at = end;
            }
            Err(failure) => {
                let diagnostic =
                    self.explainer.explain(&failure, Place::TopLevel { start: self.at, misfit: self.misfit });
                self.mistake(failure.at, diagnostic);
                let stray_brace = self.rest().starts_with('}').then_some(self.at + 1);
                self.resume_at(stray_brace.or_else(|| recover::at_top_level(self.text, self.at)));
            }
        }
    }

    /// Reads one plugin, one branch's head or one closing brace.
    fn body(&mut self) {
        if self.at == self.text.len() {
            return self.unclosed_at_end(None);
        }
        if self.rest().starts_with('}') {
            return self.close();
        }
        let start = self.at;
        if self.rest().starts_with("if")
            && let Some((condition, end)) = self.parser.branch_start(start)
            && !self.parser.is_plugin_with_attribute(start)
        {
            return self.open_branch(condition, start, end);
        }
        match self.parser.plugin_start(start) {
            Ok((name, end)) => self.plugin(name, start, end),
            Err(failure) => self.broken_item(failure),
        }
    }

    fn open_branch(&mut self, condition: Option<Expression>, start: usize, end: usize) {
        if self.frames.len() > MAX_DEPTH {
            self.mistake(start, too_deep(self.span(start, start + 2)));
            self.done = true;
            return;
        }
        let condition = Some(condition.unwrap_or_else(|| self.unknown_condition(start, end)));
        let arm = OpenArm { condition, start };
        self.frames.push(Frame::Branch { arms: vec![], arm, items: vec![], start });
        self.at = end;
    }

    /// Stands for a condition that was refused; a config with a refused condition never runs.
    fn unknown_condition(&self, start: usize, end: usize) -> Expression {
        let span = self.span(start, end);
        let rvalue = Rvalue { kind: RvalueKind::String("".into()), span };
        Expression { kind: ExpressionKind::Truthy(rvalue), span }
    }

    /// A closing brace of a section or a branch.
    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.note_misfit(frame.opening().1, self.at);
        self.at += 1;
        match frame {
            Frame::Section { kind, items, start } => {
                let span = self.span(start, self.at);
                self.sections.push(Section { kind, items, span });
            }
            Frame::Branch {
                mut arms,
                arm: OpenArm { condition: Some(condition), start: arm_start },
                items,
                start,
            } => {
                let span = self.span(arm_start, self.at);
                arms.push(Arm { condition, body: items, span });
                self.continue_branch(arms, start);
            }
            Frame::Branch { arms, items, start, .. } => self.finish_branch(arms, Some(items), start),
        }
    }

    /// After the body of an `if` or `else if`: reads on to its `else`, if there is one.
    fn continue_branch(&mut self, arms: Vec<Arm>, start: usize) {
        if let Some((else_at, (continuation, end))) = self.parser.branch_continuation(self.at)
            && !self.parser.is_plugin_with_attribute(else_at)
        {
            let condition = match continuation {
                Continuation::Else => None,
                Continuation::ElseIf(Some(condition)) => Some(condition),
                Continuation::ElseIf(None) => Some(self.unknown_condition(else_at, end)),
            };
            let arm = OpenArm { condition, start: else_at };
            self.frames.push(Frame::Branch { arms, arm, items: vec![], start });
            self.at = end;
        } else {
            self.finish_branch(arms, None, start);
        }
    }

    fn finish_branch(&mut self, arms: Vec<Arm>, otherwise: Option<Vec<Item>>, start: usize) {
        let span = self.span(start, self.at);
        self.push(Item::Branch(Branch { arms, otherwise, span }));
    }

    fn push(&mut self, item: Item) {
        if let Some(frame) = self.frames.last_mut() {
            frame.items().push(item);
        }
    }

    /// Reads the options of a plugin whose head ends at `end`.
    fn plugin(&mut self, name: Name, start: usize, end: usize) {
        let mut attributes: Vec<Attribute> = Vec::new();
        let (mut complete, mut separated) = (true, true);
        let mut from = end;
        loop {
            self.at = self.parser.gap(from);
            if self.at == self.text.len() {
                return self.unclosed_at_end(Some((&name.text, start)));
            }
            if self.rest().starts_with('}') {
                break;
            }
            let result = match separated || self.parser.separator(from) > from {
                true => self.parser.attribute(self.at),
                false => Err(Failure { at: from, expected: vec!["white space", "`}`"], too_deep: false }),
            };
            match result {
                Ok((attribute, behind)) => {
                    (from, separated) = (behind, false);
                    attributes.push(attribute);
                }
                Err(failure) => {
                    let Some(next) = self.broken_attribute(&failure, &name, start, attributes.last()) else {
                        return;
                    };
                    (from, separated, complete) = (next, true, false);
                }
            }
        }
        self.note_misfit(start, self.at);
        self.at += 1;
        if complete {
            let span = self.span(start, self.at);
            self.push(Item::Plugin(Plugin { name, attributes, span }));
        }
    }

    /// Reports what is wrong with the option at `self.at` and returns where to read on in the plugin; `None` if the
    /// plugin was given up, with `self.at` where to read on instead.
    fn broken_attribute(
        &mut self,
        failure: &Failure,
        plugin: &Name,
        plugin_start: usize,
        last: Option<&Attribute>,
    ) -> Option<usize> {
        let start = self.at;
        if recover::looks_like_block(self.text, start) && failure.at > start {
            return self.block_among_options(plugin, plugin_start);
        }
        let place = Place::Attribute { start, plugin, last };
        let diagnostic = self.explainer.explain(failure, place);
        self.mistake(failure.at, diagnostic);
        match recover::in_plugin(self.text, start, failure.at) {
            Resume::Attribute(next) | Resume::CloseBrace(next) => Some(next),
            Resume::Nowhere => {
                self.done = true;
                None
            }
        }
    }

    /// `name {` where an option was expected: something before it lacks its closing brace.
    fn block_among_options(&mut self, plugin: &Name, plugin_start: usize) -> Option<usize> {
        let block = recover::split_word(self.rest()).0;
        let is_section = matches!(&*plugin.text, "input" | "filter" | "output") && !plugin.quoted;
        if let (true, Some(frame)) = (is_section, self.frames.last()) {
            let (what, opened) = frame.opening();
            let diagnostic = unclosed(self.number, what, opened, self.misfit).related(
                self.span(plugin_start, plugin_start + plugin.text.len()),
                "so this reads as a plugin in it",
            );
            self.mistake(opened, diagnostic);
            self.frames.clear();
            self.at = plugin_start;
        } else if &*plugin.text == "if" {
            let diagnostic = Diagnostic::error(plugin.span, "this `if` has no condition")
                .help("write what to test between `if` and `{`: `if [field] == \"value\" {`");
            self.mistake(plugin_start, diagnostic);
            let condition = self.unknown_condition(plugin_start, plugin_start + 2);
            let arm = OpenArm { condition: Some(condition), start: plugin_start };
            self.frames.push(Frame::Branch { arms: vec![], arm, items: vec![], start: plugin_start });
        } else if &*plugin.text == "else" {
            let diagnostic = Diagnostic::error(plugin.span, "this `else` belongs to no `if`")
                .help("an `else` stands directly after the closing brace of its `if`, and only once");
            self.mistake(plugin_start, diagnostic);
            let arm = OpenArm { condition: None, start: plugin_start };
            self.frames.push(Frame::Branch { arms: vec![], arm, items: vec![], start: plugin_start });
        } else {
            let here = self.span(self.at, self.at + block.len());
            let diagnostic = match block {
                "if" => Diagnostic::error(
                    here,
                    format!("`if` cannot stand among the options of `{}`", plugin.text),
                )
                .label("expected an option or `}`")
                .help("close the plugin before it, or put the whole plugin into the `if`"),
                _ => Diagnostic::error(
                    here,
                    format!("`{}` is not closed before `{block}` starts", plugin.text),
                )
                .label("expected `=>`, because this stands among the options")
                .help(format!("add the missing `}}` before it, or write `{block} => {{` if it is an option")),
            };
            self.mistake(self.at, diagnostic.related(plugin.span, "opened here"));
        }
        None
    }

    fn broken_item(&mut self, mut failure: Failure) {
        let start = self.at;
        if self.rest().starts_with("if") {
            failure = self.parser.branch_failure(start).map_or(failure.clone(), |it| failure.or(it));
        }
        if self.rest().starts_with("else") {
            failure = self.parser.else_if_failure(start).map_or(failure.clone(), |it| failure.or(it));
        }
        let section = self.frames.first().map_or("section", |it| it.opening().0);
        let diagnostic = self.explainer.explain(&failure, Place::Item { start, section });
        self.mistake(failure.at, diagnostic);
        if self.done {
            return;
        }
        let is_if = recover::split_word(self.rest()).0 == "if" && failure.at > start;
        if is_if && recover::starts_on_new_line(self.text, failure.at) {
            return self.open_branch(None, start, failure.at);
        }
        if let Some(body) = is_if.then(|| recover::after_condition(self.text, failure.at)).flatten() {
            return self.open_branch(None, start, body);
        }
        self.resume_at(recover::in_body(self.text, failure.at));
    }

    fn unclosed_at_end(&mut self, plugin: Option<(&str, usize)>) {
        self.done = true;
        // After another mistake it is most likely a consequence of reading on in the wrong place.
        if self.mistakes.is_empty() {
            let frame = self.frames.last().map(Frame::opening);
            if let Some((what, opened)) = plugin.or(frame) {
                self.mistakes.push(unclosed(self.number, what, opened, self.misfit));
            }
        }
    }

    /// Keeps a mistake, unless one on the same line was reported already.
    fn mistake(&mut self, at: usize, diagnostic: Diagnostic) {
        let line = self.source.line_of(at as u32);
        let line_of = |it: &Diagnostic| it.span.map(|span| self.source.line_of(span.start));
        if self.mistakes.last().and_then(line_of) != Some(line) {
            self.mistakes.push(diagnostic);
        }
        let template = self.mistakes.last().is_some_and(|it| it.message == TEMPLATE);
        self.done |= template || self.mistakes.len() >= MAX_MISTAKES;
    }

    /// Reads on at a place, or not at all; never again at the same place.
    fn resume_at(&mut self, place: Option<usize>) {
        match place {
            Some(place) if place > self.at => self.at = place,
            _ => self.done = true,
        }
    }

    /// Remembers the first closing brace that begins its line further left than the line of what it closes.
    fn note_misfit(&mut self, opened: usize, closed: usize) {
        let closing = self.source.line_range(self.source.line_of(closed as u32));
        let opening = self.source.line_range(self.source.line_of(opened as u32));
        let indentation = |line: &str| line.len() - line.trim_start().len();
        let before = self.text.get(closing.start..closed).unwrap_or_default();
        let opening_line = self.text.get(opening).unwrap_or_default();
        if self.misfit.is_none() && before.trim().is_empty() && before.len() < indentation(opening_line) {
            self.misfit = Some(Misfit { opened, closed });
        }
    }
}
