//! Scripts and what they give. Expectations are Ruby's own (its documentation and ruby/spec), printed by `inspect`.

mod answers;
mod classes;
mod control;
mod events;
mod hostile;
mod language;

use super::{ScriptError, World};

/// What a script gives, printed by `inspect`, or `Class: message` of what it raised.
fn run(source: &str) -> String {
    World::new().with(|interp| {
        let main = interp.main.clone();
        match interp.run_once(source, "(test)", &main) {
            Ok(Ok(value)) => interp.inspect(&value).unwrap_or_else(|_| "cannot be inspected".into()),
            Ok(Err(failure)) => format!("{}: {}", failure.class, failure.message),
            Err(errors) => format!("refused: {}", errors[0].message),
        }
    })
}

/// What is wrong with a script that must not load.
fn refused(source: &str) -> ScriptError {
    World::new().with(|interp| {
        let host = interp.new_host("Test");
        match interp.load_code(source, "(test)", "event", &host) {
            Ok(_) => panic!("{source}: was not refused"),
            Err(mut errors) => errors.remove(0),
        }
    })
}

/// Runs scripts and compares what they give.
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(source, expected)| {
            let got = run(source);
            (got != *expected).then(|| format!("{source}\n   expected {expected}\n   got      {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
