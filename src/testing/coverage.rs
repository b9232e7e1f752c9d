//! `Coverage`: which filters and branches of the configs under test an event has reached.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;
use crate::language::ast::{Branch, Config, Item, SectionKind};
use crate::language::{Sources, Span};
use crate::pipeline::{FilterNode, Step};
use crate::plugin::{Emit, Filter, FilterDecoration, Outcome};

/// Something an event can reach, ordered by file and line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    /// Counted from 1.
    line: usize,
    column: usize,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// `if`, `else if` or `else`.
    Branch(&'static str),
    /// A filter by its name.
    Filter(String),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Branch(word) => f.write_str(word),
            What::Filter(name) => write!(f, "filter {name}"),
        }
    }
}

/// What the cases of one run have reached. Cases that share a config add to the same places.
#[derive(Debug, Default)]
pub struct Coverage {
    places: Mutex<BTreeMap<Place, Arc<AtomicBool>>>,
}

/// The config that a plan was built from.
pub struct Tree<'t> {
    pub config: &'t Config,
    pub sources: &'t Sources,
    /// What to call the text of a case, which has no file of its own.
    pub file: Option<&'t str>,
}

/// Notes that an event came by, and does nothing to it.
struct Probe(Arc<AtomicBool>);

impl Filter for Probe {
    fn filter(&self, _event: &mut Event, _emit: &mut Emit) -> Outcome {
        self.0.store(true, Ordering::Relaxed);
        Outcome::Unmatched
    }
}

fn probe(reached: Arc<AtomicBool>) -> Step<FilterNode> {
    Step::Leaf(FilterNode {
        id: "coverage".into(),
        name: "coverage",
        filter: Box::new(Probe(reached)),
        decoration: FilterDecoration::default(),
    })
}

impl Coverage {
    /// Puts a probe before every filter and at the start of every branch. The steps must have been built from the tree.
    pub fn instrument(&self, tree: &Tree<'_>, steps: Vec<Step<FilterNode>>) -> Vec<Step<FilterNode>> {
        let sections = tree.config.sections.iter().filter(|section| section.kind == SectionKind::Filter);
        self.block(tree, sections.flat_map(|section| &section.items), steps)
    }

    fn block<'i>(
        &self,
        tree: &Tree<'_>,
        items: impl Iterator<Item = &'i Item>,
        steps: Vec<Step<FilterNode>>,
    ) -> Vec<Step<FilterNode>> {
        let mut probed = Vec::with_capacity(steps.len() * 2);
        for (item, step) in items.zip(steps) {
            match (item, step) {
                (Item::Plugin(plugin), leaf @ Step::Leaf(_)) => {
                    let what = What::Filter(plugin.name.text.to_string());
                    probed.push(probe(self.place(tree, plugin.name.span, what)));
                    probed.push(leaf);
                }
                (Item::Branch(branch), Step::If { arms, otherwise, .. }) => {
                    probed.push(self.branch(tree, branch, arms, otherwise));
                }
                (_, step) => probed.push(step),
            }
        }
        probed
    }

    fn branch(
        &self,
        tree: &Tree<'_>,
        branch: &Branch,
        arms: Vec<(crate::pipeline::Condition, Vec<Step<FilterNode>>)>,
        otherwise: Vec<Step<FilterNode>>,
    ) -> Step<FilterNode> {
        let words = std::iter::once("if").chain(std::iter::repeat("else if"));
        let arms = arms
            .into_iter()
            .zip(branch.arms.iter().zip(words))
            .map(|((condition, body), (arm, word))| {
                let mut steps = vec![probe(self.place(tree, arm.span, What::Branch(word)))];
                steps.extend(self.block(tree, arm.body.iter(), body));
                (condition, steps)
            })
            .collect();
        let mut steps = Vec::new();
        if let Some(items) = &branch.otherwise {
            steps.push(probe(self.place(tree, else_of(tree, branch), What::Branch("else"))));
            steps.extend(self.block(tree, items.iter(), otherwise));
        }
        Step::branch(arms, steps)
    }

    fn place(&self, tree: &Tree<'_>, span: Span, what: What) -> Arc<AtomicBool> {
        let (file, line, column) = match tree.sources.locate(span) {
            Some(at) => (tree.file.unwrap_or(at.file).to_owned(), at.line, at.column),
            None => (String::new(), 0, 0),
        };
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(Place { file, line, column, what }).or_default())
    }

    /// How many filters and how many branches were reached, of how many, and the places that were not.
    fn count(&self) -> Count {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = Count::default();
        for (place, reached) in places.iter() {
            let reached = reached.load(Ordering::Relaxed);
            let (hit, all) = match place.what {
                What::Filter(_) => &mut count.filters,
                What::Branch(_) => &mut count.branches,
            };
            *hit += usize::from(reached);
            *all += 1;
            if !reached {
                count.missed.push(place.clone());
            }
        }
        count
    }

    /// A line with the figures, and one line for each place that no event has reached.
    pub fn summary(&self) -> String {
        let count = self.count();
        let ((filters, all_filters), (branches, all_branches)) = (count.filters, count.branches);
        let mut summary = format!(
            "coverage: {filters} of {all_filters} filters, {branches} of {all_branches} branches ({} %)\n",
            count.percent()
        );
        for place in &count.missed {
            let _ = writeln!(summary, "not reached: {}:{}: {}", place.file, place.line, place.what);
        }
        summary
    }

    /// `{"coverage": {"filters": [reached, all], "branches": [reached, all], "percent": n, "not_reached": [...]}}`
    pub fn to_json(&self) -> String {
        let count = self.count();
        let missed = |place: &Place| {
            serde_json::json!({
                "file": place.file, "line": place.line, "column": place.column, "what": place.what.to_string(),
            })
        };
        serde_json::json!({ "coverage": {
            "filters": count.filters, "branches": count.branches, "percent": count.percent(),
            "not_reached": count.missed.iter().map(missed).collect::<Vec<_>>(),
        }})
        .to_string()
    }
}

/// Reached and all.
#[derive(Default)]
struct Count {
    filters: (usize, usize),
    branches: (usize, usize),
    missed: Vec<Place>,
}

impl Count {
    /// Whole percent, rounded down: 100 means everything.
    fn percent(&self) -> usize {
        let all = self.filters.1 + self.branches.1;
        ((self.filters.0 + self.branches.0) * 100).checked_div(all).unwrap_or(100)
    }
}

/// Where the word `else` stands: between the last arm and the end of the branch.
fn else_of(tree: &Tree<'_>, branch: &Branch) -> Span {
    let Some(last) = branch.arms.last() else { return branch.span };
    let rest = Span { start: last.span.end, ..branch.span };
    match tree.sources.text(rest).find("else") {
        Some(at) => Span { start: rest.start + at as u32, ..rest },
        None => branch.span,
    }
}
