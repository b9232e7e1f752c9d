//! What the fuzz targets share: a context, and a filter that is given bytes as a message.

use rstash::event::Event;
use rstash::language::{ParseOptions, Sources, render_all};
use rstash::pipeline::{FilterNode, Plan, Step};
use rstash::plugin::{Context, Emit, Kind, Outcome};

/// A context with the defaults of a pipeline.
pub fn context() -> Context {
    Context { data_path: "unused".into(), ..Context::new(rstash::registry()) }
}

/// Filters of a config without branches, built once.
pub struct Filters(Vec<FilterNode>);

impl Filters {
    /// Builds the filters of a fixed config. There are none where this build has no plugin of that name.
    ///
    /// # Panics
    /// The config is wrong.
    pub fn new(name: &str, config: &str) -> Self {
        if rstash::registry().get(Kind::Filter, name).is_none() {
            eprintln!("this build has no filter {name}");
            return Filters(Vec::new());
        }
        let sources = Sources::single("fuzz", config);
        let (plan, problems) = Plan::load(&sources, ParseOptions::default(), &context());
        let plan = plan.unwrap_or_else(|| panic!("{}", render_all(&problems, &sources, false)));
        let leaves = plan.filters.into_iter().filter_map(|step| match step {
            Step::Leaf(node) => Some(node),
            Step::If { .. } => None,
        });
        Filters(leaves.collect())
    }

    /// Runs an event with these bytes as its message through every filter, each time a new one.
    pub fn run(&self, bytes: &[u8]) {
        let message = String::from_utf8_lossy(bytes);
        for node in &self.0 {
            let mut event = Event::from_message(message.as_ref());
            let mut emit = Emit::default();
            if node.filter.filter(&mut event, &mut emit) == Outcome::Matched {
                node.decorate(&mut event);
            }
            for emitted in emit.drain() {
                drop(emitted);
            }
        }
    }
}
