//! Reads the options, and compiles every pattern, so that all that are wrong are reported with their place.

use std::path::Path;
use std::time::Duration;

use super::fields::Destination;
use super::prefilter::Prefilter;
use super::{FieldMatch, Grok, Options, Pattern};
use crate::event::FieldReference;
use crate::grok::pattern_files;
use crate::grok::{self, Dictionary, Expression, Library};
use crate::language::Span;
use crate::plugin::{ConfigKind, ConfigValue, OptionReader, Problem, Severity};

impl Grok {
    pub(super) fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let dictionary = dictionary(&options, reader);
        let fields = dictionary.and_then(|dictionary| fields(&options, &dictionary, reader));
        let millis = options.timeout_millis;
        Some(Grok {
            fields: fields?,
            break_on_match: options.break_on_match,
            keep_empty_captures: options.keep_empty_captures,
            tag_on_failure: options.tag_on_failure,
            tag_on_timeout: options.tag_on_timeout,
            timeout: (millis > 0.0).then(|| Duration::try_from_secs_f64(millis / 1000.0).ok()).flatten(),
            timeout_scope: options.timeout_scope,
        })
    }
}

/// The patterns that this filter knows: the library's, those of files, those of the config.
fn dictionary(options: &Options, reader: &mut OptionReader<'_>) -> Option<Dictionary> {
    let library = reader.ecs().select(Library::Legacy, Library::EcsV1);
    let mut dictionary = Dictionary::new(library);
    let mut complete = true;
    for path in &options.patterns_dir {
        match pattern_files(path, &options.patterns_files_glob) {
            Ok(files) => {
                if files.is_empty() {
                    // Logstash says nothing; the patterns that are missing are then all there is to go by.
                    let message =
                        format!("option \"patterns_dir\" of the grok filter: {path} holds no pattern files");
                    let span = reader.span("patterns_dir");
                    reader.report(Problem::warning(span, message).label("nothing found here"));
                }
                for file in files {
                    complete &= read_file(&file, &mut dictionary, reader);
                }
            }
            Err(error) => {
                reader.error("patterns_dir", format!("cannot read {path}: {error}"));
                complete = false;
            }
        }
    }
    for (name, value) in options.pattern_definitions.iter() {
        match text_of(value) {
            Some(expression) => dictionary.define_inline(name, expression),
            None => {
                let message = format!("the definition of the grok pattern {name} is no text");
                reader.report(Problem::error(value.span, message).label("expected a string"));
                complete = false;
            }
        }
    }
    complete.then_some(dictionary)
}

fn read_file(file: &Path, dictionary: &mut Dictionary, reader: &mut OptionReader<'_>) -> bool {
    match std::fs::read(file) {
        Ok(bytes) => {
            dictionary.define_lines(&String::from_utf8_lossy(&bytes));
            true
        }
        Err(error) => {
            reader.error("patterns_dir", format!("cannot read {}: {error}", file.display()));
            false
        }
    }
}

fn fields(
    options: &Options,
    dictionary: &Dictionary,
    reader: &mut OptionReader<'_>,
) -> Option<Vec<FieldMatch>> {
    let target = options.target.as_deref().map(bracketed);
    let mut fields = Vec::new();
    let mut complete = true;
    for (field, value) in options.r#match.iter() {
        let mut patterns = Vec::new();
        for value in value.as_list() {
            match pattern(value, dictionary, options.named_captures_only) {
                Ok(expression) => {
                    let destination = |capture: &grok::Capture| {
                        Destination::new(&capture.field, target.as_deref(), &options.overwrite)
                    };
                    let destinations = expression.captures().iter().map(destination).collect();
                    patterns.push(Pattern { expression, destinations });
                }
                Err(mut problem) => {
                    // Perhaps one of those that stand in files that are not here.
                    if reader.may_miss("patterns_dir") {
                        problem.severity = Severity::Warning;
                    }
                    reader.report(*problem);
                    complete = false;
                }
            }
        }
        let field = FieldReference::parse(field);
        if let Err(invalid) = &field {
            let message =
                format!("option \"match\" of the grok filter: {invalid}, so this field never matches");
            reader.report(Problem::warning(value.span, message).label("the patterns of that field"));
        }
        let prefilter =
            Prefilter::new(patterns.iter().map(|pattern| pattern.expression.regex().required_text()));
        fields.push(FieldMatch { field, patterns, prefilter });
    }
    complete.then_some(fields)
}

/// The option `target` as the plugin writes it in front of a field: in brackets unless it holds some.
fn bracketed(target: &str) -> String {
    let has_brackets = target.split_once('[').is_some_and(|(_, behind)| behind.contains(']'));
    if has_brackets { target.to_owned() } else { format!("[{}]", target.trim()) }
}

fn text_of(value: &ConfigValue) -> Option<&str> {
    match &value.kind {
        ConfigKind::Text(text) => Some(text),
        _ => None,
    }
}

fn pattern(
    value: &ConfigValue,
    dictionary: &Dictionary,
    named_captures_only: bool,
) -> Result<Expression, Box<Problem>> {
    let Some(source) = text_of(value) else {
        let message = format!("option \"match\" of the grok filter: {} is no pattern", value.describe());
        return Err(Box::new(Problem::error(value.span, message).label("expected a string")));
    };
    Expression::compile(source, dictionary, named_captures_only).map_err(|error| {
        let message = format!("option \"match\" of the grok filter: {}", error.message());
        let problem = Problem::error(place(value.span, source, &error), message).label("here");
        Box::new(match error.help() {
            Some(help) => problem.help(help),
            None => problem,
        })
    })
}

/// Where in the config a mistake stands: in the middle of the string, unless variables or escapes have changed it.
fn place(span: Span, source: &str, error: &grok::Error) -> Span {
    const QUOTES: usize = 2;
    let verbatim = span.range().len() == source.len() + QUOTES;
    let offset = |at: usize| u32::try_from(at + 1).ok().and_then(|at| span.start.checked_add(at));
    match error.place().filter(|_| verbatim) {
        Some(place) => match (offset(place.start), offset(place.end.max(place.start + 1))) {
            (Some(start), Some(end)) => Span { start, end: end.min(span.end), ..span },
            _ => span,
        },
        None => span,
    }
}
