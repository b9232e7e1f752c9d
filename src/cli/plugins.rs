//! `rstash plugins`: lists the plugins of this build, or prints the reference of one or of all.
mod markdown;

use crate::plugin::{Kind, OptionSpec, Registry, Spec, common_options};
use clap::Args;
use std::fmt::Write;

const KINDS: [Kind; 4] = [Kind::Input, Kind::Filter, Kind::Output, Kind::Codec];

/// Arguments of `rstash plugins`.
#[derive(Debug, Args)]
pub struct PluginsArgs {
    /// One plugin, such as filter/mutate
    #[arg(value_name = "KIND/NAME")]
    pub plugin: Option<String>,
    /// Print the reference of all plugins as Markdown
    #[arg(long, conflicts_with = "plugin")]
    pub markdown: bool,
}

/// The list or the reference page. The error says which plugin there is not, and which was perhaps meant.
pub fn page(registry: &Registry, arguments: &PluginsArgs) -> Result<String, String> {
    match &arguments.plugin {
        None if arguments.markdown => Ok(markdown::page(registry)),
        None => Ok(list(registry)),
        Some(wanted) => find(registry, wanted).map(reference),
    }
}

fn list(registry: &Registry) -> String {
    let width = registry.iter().map(|spec| spec.name.len()).max().unwrap_or(0) + "output/".len();
    let mut page = String::new();
    for spec in registry.iter() {
        let name = format!("{}/{}", spec.kind, spec.name);
        let _ = writeln!(page, "{name:width$}  {}", spec.summary);
    }
    page
}

fn find(registry: &Registry, wanted: &str) -> Result<&'static Spec, String> {
    let Some((kind, name)) = wanted.split_once('/') else {
        return Err(format!("`{wanted}` is not a plugin, write it as KIND/NAME such as filter/mutate"));
    };
    let Some(kind) = KINDS.into_iter().find(|known| known.name() == kind) else {
        return Err(format!("`{kind}` is not a kind of plugin: they are input, filter, output and codec"));
    };
    registry.get(kind, name).ok_or_else(|| {
        let hint = registry.nearest(kind, name).map(|near| format!(", did you mean `{kind}/{near}`?"));
        format!("there is no {kind} plugin `{name}`{}", hint.unwrap_or_default())
    })
}

fn reference(spec: &Spec) -> String {
    let mut page = format!("{}/{}\n{}\n\nOptions:\n", spec.kind, spec.name, spec.summary);
    for option in spec.options {
        let _ = writeln!(page, "  {} ({}){}", option.name, (option.type_name)(), default(option));
        for line in option.doc.trim().lines() {
            let _ = writeln!(page, "      {}", line.trim());
        }
    }
    page.push_str("\nOptions of every plugin of this kind:\n");
    for (name, type_name, doc) in common_options(spec.kind) {
        let _ = writeln!(page, "  {name} ({type_name})\n      {doc}");
    }
    for (heading, options) in [("Deprecated", spec.deprecated), ("Not accepted", spec.refused)] {
        if !options.is_empty() {
            let _ = writeln!(page, "\n{heading}:");
        }
        for (name, advice) in options {
            let _ = writeln!(page, "  {name}: {advice}");
        }
    }
    page.push_str("\nExample:\n");
    for line in spec.example.config.trim().lines() {
        let _ = writeln!(page, "  {line}");
    }
    for (heading, events) in [("Events in", spec.example.input), ("Events out", spec.example.output)] {
        if !events.is_empty() {
            let _ = writeln!(page, "\n{heading}:\n  {}", events.join("\n  "));
        }
    }
    page
}

fn default(option: &OptionSpec) -> String {
    match option.default {
        Some(default) => format!(", default {default}"),
        None if option.required => ", required".to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Build, Example};

    static OPTIONS: [OptionSpec; 2] = [
        OptionSpec {
            name: "field",
            doc: " Field to turn.",
            type_name: || "field reference".to_owned(),
            default: Some("\"message\""),
            required: false,
        },
        OptionSpec {
            name: "angle",
            doc: "Degrees.",
            type_name: || "number".to_owned(),
            default: None,
            required: true,
        },
    ];

    static TURN: Spec = Spec {
        kind: Kind::Filter,
        name: "turn",
        summary: "Turns a field.",
        options: &OPTIONS,
        renamed: &[],
        deprecated: &[("degrees", "use angle")],
        refused: &[],
        default_codec: None,
        example: Example { config: "filter { turn { angle => 90 } }", input: &["{}"], output: &["{}"] },
        build: Build::Filter(|_| None),
    };

    fn pages(plugin: Option<&str>) -> Result<String, String> {
        let arguments = PluginsArgs { plugin: plugin.map(str::to_owned), markdown: false };
        page(&Registry::new([&TURN]), &arguments)
    }

    #[test]
    fn plugins_are_listed_with_their_summary() {
        assert_eq!(pages(None), Ok("filter/turn  Turns a field.\n".to_owned()));
    }

    #[test]
    fn a_reference_page_has_options_advice_and_example() {
        let page = pages(Some("filter/turn")).expect("the plugin exists");
        for part in [
            "  field (field reference), default \"message\"\n      Field to turn.\n",
            "  angle (number), required\n",
            "  add_tag (array of strings)\n",
            "Deprecated:\n  degrees: use angle\n",
            "Example:\n  filter { turn { angle => 90 } }\n",
        ] {
            assert!(page.contains(part), "{part:?} is missing in:\n{page}");
        }
        assert!(!page.contains("Not accepted"), "{page}");
    }

    #[test]
    fn the_whole_reference_is_one_page() {
        let all = PluginsArgs { plugin: None, markdown: true };
        let page = page(&Registry::new([&TURN]), &all).expect("there always is a page");
        for part in [
            "\n## Filters\n\n[turn](#turn-filter)\n",
            "| `add_tag` | array of strings | Tags added when the filter succeeds. |\n",
            "\n### turn filter\n\nTurns a field.\n",
            "| `field` | field reference | `\"message\"` | Field to turn. |\n",
            "| `angle` | number | **required** | Degrees. |\n",
            "\nDeprecated:\n\n- `degrees`: use angle\n",
            "```logstash\nfilter { turn { angle => 90 } }\n```\n",
        ] {
            assert!(page.contains(part), "{part:?} is missing in:\n{page}");
        }
    }

    #[test]
    fn other_plugins_are_refused_with_a_hint() {
        let error = pages(Some("filter/trun")).expect_err("there is no such plugin");
        assert_eq!(error, "there is no filter plugin `trun`, did you mean `filter/turn`?");
        assert!(pages(Some("turn")).is_err_and(|error| error.contains("KIND/NAME")));
        assert!(pages(Some("sieve/turn")).is_err_and(|error| error.contains("kind of plugin")));
    }
}
