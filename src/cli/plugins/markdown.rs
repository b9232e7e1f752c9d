//! The reference of all plugins as one Markdown page: docs/plugins.md.
use super::KINDS;
use crate::plugin::{Kind, OptionSpec, Registry, Spec, common_options};
use std::fmt::Write;

const OPENING: &str = "# Plugins

Written by `rstash plugins --markdown`, from the same declarations that check configs; `rstash plugins KIND/NAME` prints one
of them. Option names, types and defaults are Logstash's. Types:

- **field reference**: `name`, or `[name][name]` for a field inside another
- **array of ...**: a single value is taken for a list of one
- **number**, **boolean**: in quotes as well
- **bytes**: a number, or a number with a unit, `\"10 MiB\"`
- **codec**: a name, or a name with options, `line { charset => \"CP1252\" }`
- **password**: never shown in logs and errors

Every value may hold `${VARIABLE}` or `${VARIABLE:default}`.
";

/// The whole page.
pub fn page(registry: &Registry) -> String {
    let mut page = OPENING.to_owned();
    for kind in KINDS {
        let specs: Vec<_> = registry.iter().filter(|spec| spec.kind == kind).collect();
        let links = specs.iter().map(|spec| format!("[{}](#{}-{kind})", spec.name, spec.name));
        let _ = write!(page, "\n## {}\n\n{}\n\n", heading(kind), links.collect::<Vec<_>>().join(", "));
        let _ = writeln!(page, "Options of every {kind}:\n\n| option | type | |\n|---|---|---|");
        for (name, type_name, doc) in common_options(kind) {
            let _ = writeln!(page, "| `{name}` | {type_name} | {} |", cell(doc));
        }
        for spec in specs {
            plugin(&mut page, spec);
        }
    }
    page
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "Inputs",
        Kind::Filter => "Filters",
        Kind::Output => "Outputs",
        Kind::Codec => "Codecs",
    }
}

fn plugin(page: &mut String, spec: &Spec) {
    let _ = writeln!(page, "\n### {} {}\n\n{}", spec.name, spec.kind, spec.summary);
    if !spec.options.is_empty() {
        let _ = writeln!(page, "\n| option | type | default | |\n|---|---|---|---|");
    }
    for option in spec.options {
        let type_name = cell(&(option.type_name)());
        let _ = writeln!(
            page,
            "| `{}` | {type_name} | {} | {} |",
            option.name,
            default(option),
            cell(option.doc)
        );
    }
    for (heading, options) in [("Deprecated", spec.deprecated), ("Not accepted", spec.refused)] {
        if options.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n{heading}:\n");
        for (name, advice) in options {
            let _ = writeln!(page, "- `{name}`: {advice}");
        }
    }
    let _ = writeln!(page, "\n```logstash\n{}\n```", spec.example.config.trim());
    for (heading, events) in [("in", spec.example.input), ("out", spec.example.output)] {
        if !events.is_empty() {
            let _ = writeln!(page, "\nEvents {heading}:\n\n```json\n{}\n```", events.join("\n"));
        }
    }
}

fn default(option: &OptionSpec) -> String {
    match option.default {
        // Two backticks, because a default may hold one.
        Some(default) if default.contains('`') => format!("`` {} ``", cell(default)),
        Some(default) => format!("`{}`", cell(default)),
        None if option.required => "**required**".to_owned(),
        None => String::new(),
    }
}

/// A text in one cell of a table: on one line, with its bars escaped.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
