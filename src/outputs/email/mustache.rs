//! Mustache templates (mustache(5)), rendered with an event's fields: variables, sections, comments, delimiters. The
//! crates for it stop the process on a flag where a text should be, or leave out parts of the language.

use crate::event::{Object, Value, text};

/// Deepest sections within each other.
const DEEPEST: usize = 64;

/// A template.
#[derive(Debug)]
pub struct Mustache(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Variable { path: Vec<String>, escape: bool },
    Section { path: Vec<String>, inverted: bool, parts: Vec<Part> },
}

/// A section that is open while the template is read.
struct Open {
    name: String,
    inverted: bool,
    before: Vec<Part>,
}

impl Mustache {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn parse(source: &str) -> Result<Self, String> {
        let (mut opening, mut closing) = ("{{".to_owned(), "}}".to_owned());
        let (mut parts, mut open): (Vec<Part>, Vec<Open>) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(found) = source.get(at..).and_then(|rest| rest.find(&opening)) {
            let start = at + found;
            let line = source.get(..start).unwrap_or_default().matches('\n').count() + 1;
            let wrong = |what: String| format!("line {line}: {what}");
            let (tag, end) = tag(source, start + opening.len(), &closing)
                .ok_or_else(|| wrong(format!("a tag has no {closing:?}")))?;
            let (start, end) = if tag.stands_alone() { whole_line(source, start, end) } else { (start, end) };
            push_text(&mut parts, source.get(at..start).unwrap_or_default());
            at = end;
            match tag {
                Tag::Comment => {}
                Tag::Variable { name, escape } => parts.push(Part::Variable { path: path(name), escape }),
                Tag::Section { name, inverted } => {
                    if open.len() >= DEEPEST {
                        return Err(wrong(format!("more than {DEEPEST} sections within each other")));
                    }
                    let before = std::mem::take(&mut parts);
                    open.push(Open { name: name.to_owned(), inverted, before });
                }
                Tag::End(name) => {
                    let section = open.pop().filter(|section| section.name == name);
                    let Open { inverted, before, .. } =
                        section.ok_or_else(|| wrong(format!("the section {name:?} is not open here")))?;
                    let inside = std::mem::replace(&mut parts, before);
                    parts.push(Part::Section { path: path(name), inverted, parts: inside });
                }
                Tag::Delimiters(words) => {
                    let mut words = words.split_whitespace().map(str::to_owned);
                    let both = words.next().zip(words.next());
                    (opening, closing) = both.ok_or_else(|| wrong("delimiters are two words".into()))?;
                }
                Tag::Partial(name) => {
                    return Err(wrong(format!("{name:?} is another file; a mail's template is one file")));
                }
            }
        }
        if let Some(section) = open.pop() {
            return Err(format!("the section {:?} has no end", section.name));
        }
        push_text(&mut parts, source.get(at..).unwrap_or_default());
        Ok(Mustache(parts))
    }

    /// The text with these fields.
    pub fn render(&self, fields: &Object) -> String {
        let mut out = String::new();
        let fields = Scope::Fields(fields);
        render(&self.0, &mut vec![fields], &mut out);
        out
    }
}

/// What stands between two delimiters.
enum Tag<'s> {
    Comment,
    Variable { name: &'s str, escape: bool },
    Section { name: &'s str, inverted: bool },
    End(&'s str),
    Delimiters(&'s str),
    Partial(&'s str),
}

impl Tag<'_> {
    /// Whether a line with nothing else in it is left out.
    fn stands_alone(&self) -> bool {
        !matches!(self, Tag::Variable { .. })
    }
}

/// The tag that begins here, and where it ends.
fn tag<'s>(source: &'s str, from: usize, closing: &str) -> Option<(Tag<'s>, usize)> {
    let rest = source.get(from..)?;
    let until = |end: &str, skip: usize| {
        let inside = rest.get(skip..)?;
        let length = inside.find(end)?;
        Some((inside.get(..length)?.trim(), from + skip + length + end.len()))
    };
    let sigil = rest.chars().next()?;
    let (inside, end) = match sigil {
        '{' => until(&format!("}}{closing}"), 1)?,
        '=' => until(&format!("={closing}"), 1)?,
        '!' | '#' | '^' | '/' | '>' | '&' => until(closing, 1)?,
        _ => until(closing, 0)?,
    };
    let tag = match sigil {
        '!' => Tag::Comment,
        '{' | '&' => Tag::Variable { name: inside, escape: false },
        '#' => Tag::Section { name: inside, inverted: false },
        '^' => Tag::Section { name: inside, inverted: true },
        '/' => Tag::End(inside),
        '=' => Tag::Delimiters(inside),
        '>' => Tag::Partial(inside),
        _ => Tag::Variable { name: inside, escape: true },
    };
    Some((tag, end))
}

/// The whole line of a tag from `start` to `end`, if nothing else stands in it.
fn whole_line(source: &str, start: usize, end: usize) -> (usize, usize) {
    let before = source.get(..start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let after = source.get(end..).unwrap_or_default();
    let (rest, next) = match after.find('\n') {
        Some(at) => (after.get(..at).unwrap_or_default(), end + at + 1),
        None => (after, source.len()),
    };
    let blank = |text: &str| text.trim_matches([' ', '\t', '\r']).is_empty();
    if blank(before.get(line..).unwrap_or_default()) && blank(rest) { (line, next) } else { (start, end) }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// `a.b` in its parts; `.` is the value at hand.
fn path(name: &str) -> Vec<String> {
    name.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope<'v> {
    Fields(&'v Object),
    Value(&'v Value),
}

impl<'v> Scope<'v> {
    fn get(self, name: &str) -> Option<&'v Value> {
        match self {
            Scope::Fields(object) => object.get(name),
            Scope::Value(value) => value.as_object()?.get(name),
        }
    }
}

fn render(parts: &[Part], scopes: &mut Vec<Scope<'_>>, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable { path, escape } => {
                let Some(value) = look_up(path, scopes) else { continue };
                let text = text::ruby_to_s(value);
                if *escape { text::push_html_escaped(out, &text) } else { out.push_str(&text) }
            }
            Part::Section { path, inverted, parts } => {
                let value = look_up(path, scopes).filter(|value| is_there(value));
                match (value, *inverted) {
                    (None, true) => render(parts, scopes, out),
                    (None, false) | (Some(_), true) => {}
                    (Some(Value::Array(items)), false) => {
                        for item in items {
                            render_in(item, parts, scopes, out);
                        }
                    }
                    (Some(value), false) => render_in(value, parts, scopes, out),
                }
            }
        }
    }
}

fn render_in<'v>(value: &'v Value, parts: &[Part], scopes: &mut Vec<Scope<'v>>, out: &mut String) {
    scopes.push(Scope::Value(value));
    render(parts, scopes, out);
    scopes.pop();
}

/// A value by its path: the first name in the innermost scope that has it, the others within.
fn look_up<'v>(path: &[String], scopes: &[Scope<'v>]) -> Option<&'v Value> {
    let Some((first, rest)) = path.split_first() else {
        return match scopes.last()? {
            Scope::Value(value) => Some(value),
            Scope::Fields(_) => None,
        };
    };
    let found = scopes.iter().rev().find_map(|scope| scope.get(first))?;
    rest.iter().try_fold(found, |value, name| value.as_object()?.get(name))
}

fn is_there(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
        && value.as_array().is_none_or(|items| !items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn rendered(template: &str, document: &str) -> String {
        Mustache::parse(template).unwrap().render(testkit::event(document).data())
    }

    /// From the language's specification: interpolation, sections, inverted, comments, delimiters.
    #[test]
    fn as_specified() {
        let cases = [
            ("Hello, {{subject}}!\n", r#"{"subject":"world"}"#, "Hello, world!\n"),
            (
                "These characters should be HTML escaped: {{forbidden}}\n",
                r#"{"forbidden":"& \" < >"}"#,
                "These characters should be HTML escaped: &amp; &quot; &lt; &gt;\n",
            ),
            ("{{{forbidden}}} {{&forbidden}}", r#"{"forbidden":"& \" < >"}"#, "& \" < > & \" < >"),
            ("\"{{mph}} miles an hour!\"", r#"{"mph":85}"#, "\"85 miles an hour!\""),
            ("I ({{cannot}}) be seen!", "{}", "I () be seen!"),
            (
                "\"{{a.b.c.d.e.name}}\" == \"Phil\"",
                r#"{"a":{"b":{"c":{"d":{"e":{"name":"Phil"}}}}}}"#,
                "\"Phil\" == \"Phil\"",
            ),
            ("\"{{a.b.c}}\" == \"\"", r#"{"a":{"b":{}},"c":{"name":"Jim"}}"#, "\"\" == \"\""),
            ("|{{ string }}|", r#"{"string":"---"}"#, "|---|"),
            (
                "\"{{#boolean}}This should be rendered.{{/boolean}}\"",
                r#"{"boolean":true}"#,
                "\"This should be rendered.\"",
            ),
            ("\"{{#boolean}}This should not be rendered.{{/boolean}}\"", r#"{"boolean":false}"#, "\"\""),
            ("\"{{#context}}Hi {{name}}.{{/context}}\"", r#"{"context":{"name":"Joe"}}"#, "\"Hi Joe.\""),
            (
                "\"{{#sec}}{{a}}, {{b}}, {{c.d}}{{/sec}}\"",
                r#"{"a":"foo","b":"wrong","sec":{"b":"bar"},"c":{"d":"baz"}}"#,
                "\"foo, bar, baz\"",
            ),
            ("\"{{#list}}{{item}}{{/list}}\"", r#"{"list":[{"item":1},{"item":2},{"item":3}]}"#, "\"123\""),
            ("\"{{#list}}Yay lists!{{/list}}\"", r#"{"list":[]}"#, "\"\""),
            ("\"{{#list}}({{.}}){{/list}}\"", r#"{"list":["a","b","c"]}"#, "\"(a)(b)(c)\""),
            (
                "\"{{^boolean}}This should be rendered.{{/boolean}}\"",
                r#"{"boolean":false}"#,
                "\"This should be rendered.\"",
            ),
            ("[{{^missing}}Cannot find key 'missing'!{{/missing}}]", "{}", "[Cannot find key 'missing'!]"),
            ("12345{{! Comment Block! }}67890", "{}", "1234567890"),
            ("Begin.\n  {{! Indented Comment Block! }}\nEnd.\n", "{}", "Begin.\nEnd.\n"),
            (
                "| This Is\n  {{#boolean}}\n|\n  {{/boolean}}\n| A Line\n",
                r#"{"boolean":true}"#,
                "| This Is\n|\n| A Line\n",
            ),
            ("{{=<% %>=}}(<%text%>)", r#"{"text":"Hey!"}"#, "(Hey!)"),
            ("|\r\n{{= @ @ =}}\r\n|", "{}", "|\r\n|"),
        ];
        for (template, document, expected) in cases {
            assert_eq!(rendered(template, document), expected, "{template}");
        }
    }

    #[test]
    fn values_of_every_kind_can_be_printed() {
        let document = r#"{"flag":true,"many":[1,"a"],"one":{"a":1},"none":null}"#;
        assert_eq!(
            rendered("{{{flag}}} {{{many}}} {{{one}}} {{none}}", document),
            r#"true [1, "a"] {"a" => 1} "#
        );
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (template, expected) in [
            ("a\n{{b", "line 2: a tag has no \"}}\""),
            ("{{#a}}", "the section \"a\" has no end"),
            ("\n\n{{#a}}{{/b}}", "line 3: the section \"b\" is not open here"),
            ("{{> other}}", "line 1: \"other\" is another file; a mail's template is one file"),
            ("{{=x=}}", "line 1: delimiters are two words"),
        ] {
            assert_eq!(Mustache::parse(template).unwrap_err(), expected, "{template}");
        }
    }
}
