//! What texts mean, what mistakes are called, and what hostile texts cannot do.

mod conditions;
mod hostile;
mod meaning;
mod mistakes;

use super::ast::{Arm, Branch, Config, Expression, Item, Plugin};
use super::{Diagnostic, ParseOptions, Sources, parse};

/// The tree of a config that must be accepted.
fn config(text: &str) -> Config {
    let sources = Sources::single("test.conf", text);
    parse(&sources, ParseOptions::default()).into_result().unwrap_or_else(|diagnostics| {
        panic!("{}", super::render_all(&diagnostics, &sources, false));
    })
}

/// What is wrong with a config, each mistake as `line:column: message`.
fn mistakes(text: &str) -> Vec<String> {
    let sources = Sources::single("test.conf", text);
    let shown = |it: &Diagnostic| it.one_line(&sources).trim_start_matches("test.conf:").to_owned();
    parse(&sources, ParseOptions::default()).diagnostics.iter().map(shown).collect()
}

/// The plugin with the given options.
fn plugin(options: &str) -> Plugin {
    let mut config = config(&format!("filter {{ x {{ {options} }} }}"));
    match config.sections.remove(0).items.remove(0) {
        Item::Plugin(plugin) => plugin,
        Item::Branch(_) => panic!("a branch"),
    }
}

/// The condition of `if`.
fn condition(text: &str) -> Expression {
    let mut config = config(&format!("filter {{ if {text} {{ }} }}"));
    match config.sections.remove(0).items.remove(0) {
        Item::Branch(Branch { mut arms, .. }) => {
            let Arm { condition, .. } = arms.remove(0);
            condition
        }
        Item::Plugin(_) => panic!("a plugin"),
    }
}
