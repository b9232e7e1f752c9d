//! Every plugin's example, and every declaration: they must build and do what they show.

use rstash::language::{ParseOptions, Sources, render_all};
use rstash::pipeline::Plan;
use rstash::plugin::{Context, Environment, Kind};
use rstash::testing::{Case, Status};
use serde_json::{Value, json};

fn context() -> Context {
    Context { environment: Environment::process(), ..Context::new(rstash::registry()) }
}

#[test]
fn every_example_passes_the_config_test() {
    // Certificates that an example names are not here.
    let context = Context { files_may_miss: true, ..context() };
    for spec in rstash::registry().iter() {
        let sources = Sources::single(spec.name, spec.example.config);
        let (plan, problems) = Plan::load(&sources, ParseOptions::default(), &context);
        let shown = render_all(&problems, &sources, false);
        let (missing, others): (Vec<_>, Vec<_>) =
            problems.iter().partition(|problem| problem.message.contains("No such file"));
        let loaded = plan.is_some() || !missing.is_empty();
        assert!(loaded && others.is_empty(), "{} {}:\n{shown}", spec.kind, spec.name);
    }
}

/// `@timestamp` and `@version` are left out of the comparison where the example does not name them.
#[test]
fn every_filters_example_does_what_it_shows() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for spec in rstash::registry().iter().filter(|spec| spec.kind == Kind::Filter) {
        let read = |texts: &[&str]| -> Vec<Value> {
            texts.iter().map(|text| serde_json::from_str(text).expect("an event as JSON")).collect()
        };
        assert!(!spec.example.input.is_empty(), "the example of {} shows no event", spec.name);
        let mut output = read(spec.example.output);
        let mut volatile = Vec::new();
        for (number, event) in output.iter_mut().enumerate() {
            let event = event.as_object_mut().expect("an event");
            for field in ["@timestamp", "@version"] {
                if !event.contains_key(field) {
                    event.insert(field.into(), Value::Null);
                    volatile.push(format!("/events/{number}/{field}"));
                }
            }
        }
        let case = json!({
            "name": spec.name, "config": spec.example.config, "input": read(spec.example.input),
            "expect": { "ok": true, "events": output }, "volatile": volatile,
        });
        let verdict = Case::parse(&case.to_string()).unwrap().run(&runtime);
        assert_eq!(verdict.status, Status::Passed, "{}:\n{}", spec.name, verdict.reasons().join("\n"));
    }
}
