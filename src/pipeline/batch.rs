//! `Batch`: the events that one worker holds, and how filters walk over them.

use crate::event::Event;
use crate::plugin::{Emit, Emitted, Outcome};

use super::condition::{Condition, ConditionError};
use super::plan::{FilterNode, Step};
use super::switch::{Candidates, Switch};

/// The events a worker took, and those that filters made of them. Events never move: a step works on a list of their
/// indices, so that order inside a batch always holds.
#[derive(Debug, Default)]
pub struct Batch {
    events: Vec<Event>,
    /// For every event the number of the input event it stems from; what a flush made gets numbers of its own.
    origins: Vec<u32>,
    next_origin: u32,
}

/// Indices into a batch, ordered by origin.
pub type Selection = Vec<u32>;

/// When filters are asked for what they hold back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    No,
    Periodic,
    /// Nothing comes after it.
    Last,
}

impl Batch {
    pub fn new(events: Vec<Event>) -> Self {
        let len = u32::try_from(events.len()).unwrap_or(u32::MAX);
        Batch { events, origins: (0..len).collect(), next_origin: len }
    }

    pub fn event(&self, index: u32) -> Option<&Event> {
        self.events.get(index as usize)
    }

    /// The events of a selection, by value.
    pub fn into_selected(self, selection: &[u32]) -> Vec<Event> {
        let mut events: Vec<Option<Event>> = self.events.into_iter().map(Some).collect();
        selection.iter().filter_map(|&index| events.get_mut(index as usize)?.take()).collect()
    }

    /// Runs all events through the filters. What is left comes out in order: events that a filter added stand beside
    /// their parent; after an `if`, of the events that stem from the same input event the matching ones come first.
    pub fn filter(&mut self, steps: &[Step<FilterNode>], flush: Flush) -> Selection {
        let all = (0..self.events.len() as u32).collect();
        self.run(steps, all, flush)
    }

    fn run(&mut self, steps: &[Step<FilterNode>], mut selection: Selection, flush: Flush) -> Selection {
        for step in steps {
            if selection.is_empty() && flush == Flush::No {
                break;
            }
            selection = match step {
                Step::Leaf(filter) => self.run_filter(filter, selection, flush),
                Step::If { arms, otherwise, switch } => {
                    self.run_branches(arms, switch.as_ref(), otherwise, selection, flush)
                }
            };
        }
        selection
    }

    fn run_filter(&mut self, node: &FilterNode, mut selection: Selection, flush: Flush) -> Selection {
        let mut emit = Emit::default();
        let mut at = 0;
        while let Some(&index) = selection.get(at) {
            let Some(event) = self.events.get_mut(index as usize) else { break };
            let outcome = node.filter.filter(event, &mut emit);
            if outcome == Outcome::Matched {
                node.decorate(event);
            }
            let gone = outcome == Outcome::Cancelled || event.is_cancelled();
            if emit.is_empty() && !gone {
                at += 1;
                continue;
            }
            let origin = self.origins.get(index as usize).copied().unwrap_or_default();
            let mut there: Vec<u32> = if gone { Vec::new() } else { vec![index] };
            for Emitted { event, decorate } in emit.drain() {
                there.push(self.add(event, origin, decorate.then_some(node)));
            }
            let next = at + there.len();
            selection.splice(at..=at, there);
            at = next;
        }
        if flush != Flush::No && node.filter.flushes() {
            node.filter.flush(flush == Flush::Last, &mut emit);
            for Emitted { event, decorate } in emit.drain() {
                let origin = self.next_origin;
                self.next_origin += 1;
                selection.push(self.add(event, origin, decorate.then_some(node)));
            }
        }
        selection
    }

    fn add(&mut self, mut event: Event, origin: u32, decorator: Option<&FilterNode>) -> u32 {
        if let Some(node) = decorator {
            node.decorate(&mut event);
        }
        self.events.push(event);
        self.origins.push(origin);
        self.events.len() as u32 - 1
    }

    fn run_branches(
        &mut self,
        arms: &[(Condition, Vec<Step<FilterNode>>)],
        switch: Option<&Switch>,
        otherwise: &[Step<FilterNode>],
        selection: Selection,
        flush: Flush,
    ) -> Selection {
        if selection.is_empty() && flush == Flush::No {
            return selection;
        }
        // An arm changes no events but its own: they can all be told apart before the first arm is run.
        let (parts, rest) = self.part(arms, switch, selection);
        let mut done = Selection::new();
        let mut joined = 0;
        let mut join = |part: Selection| {
            joined += usize::from(!part.is_empty());
            if done.is_empty() { done = part } else { done.extend(part) }
        };
        for ((_, body), matching) in arms.iter().zip(parts) {
            if !matching.is_empty() || flush != Flush::No {
                join(self.run(body, matching, flush));
            }
        }
        join(self.run(otherwise, rest, flush));
        if joined > 1 {
            // Of the same origin, those of the first arm come first: the sort is stable.
            done.sort_by_key(|index| self.origins.get(*index as usize).copied());
        }
        done
    }

    /// Parts a selection by the first arm whose condition holds, and gives what none holds for. An event whose condition
    /// cannot be evaluated is in no part.
    fn part<L>(
        &self,
        arms: &[(Condition, Vec<Step<L>>)],
        switch: Option<&Switch>,
        selection: Selection,
    ) -> (Vec<Selection>, Selection) {
        let mut parts = vec![Selection::new(); arms.len()];
        let mut rest = Selection::new();
        for index in selection {
            let Some(event) = self.event(index) else { continue };
            let found = match switch.map_or(Candidates::All, |switch| switch.candidates(event)) {
                Candidates::All => first_that_holds(event, arms.iter().enumerate()),
                Candidates::These(these) => {
                    let these = these.iter().map(|arm| *arm as usize);
                    first_that_holds(event, these.filter_map(|arm| Some((arm, arms.get(arm)?))))
                }
            };
            match found.map(|arm| arm.and_then(|arm| parts.get_mut(arm))) {
                Ok(Some(part)) => part.push(index),
                Ok(None) => rest.push(index),
                Err(error) => tracing::warn!(%error, "could not evaluate a condition, event was dropped"),
            }
        }
        (parts, rest)
    }

    /// Distributes a selection over outputs: `routes[n]` receives what output number `n` gets. An event whose condition
    /// cannot be evaluated is kept from that branch alone.
    pub fn route(&self, steps: &[Step<usize>], selection: &[u32], routes: &mut [Selection]) {
        for step in steps {
            match step {
                Step::Leaf(output) => {
                    if let Some(route) = routes.get_mut(*output) {
                        route.extend_from_slice(selection);
                    }
                }
                Step::If { arms, otherwise, switch } => {
                    let (parts, rest) = self.part(arms, switch.as_ref(), selection.to_vec());
                    for ((_, body), matching) in arms.iter().zip(parts) {
                        if !matching.is_empty() {
                            self.route(body, &matching, routes);
                        }
                    }
                    if !rest.is_empty() {
                        self.route(otherwise, &rest, routes);
                    }
                }
            }
        }
    }
}

/// The number of the first of the arms whose condition holds.
fn first_that_holds<'a, S: 'a>(
    event: &Event,
    arms: impl Iterator<Item = (usize, &'a (Condition, S))>,
) -> Result<Option<usize>, ConditionError> {
    for (number, (condition, _)) in arms {
        if condition.holds(event)? {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FieldReference, Value};
    use crate::plugin::{Filter, FilterDecoration};

    /// Adds one copy of every event, marked, behind it.
    struct Twice;

    impl Filter for Twice {
        fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
            let mut copy = event.duplicate();
            copy.tag("copy");
            emit.plain(copy);
            Outcome::Unmatched
        }
    }

    /// Drops every event it sees and emits one when flushed.
    struct Hold;

    impl Filter for Hold {
        fn filter(&self, _: &mut Event, _: &mut Emit) -> Outcome {
            Outcome::Cancelled
        }

        fn flush(&self, _: bool, emit: &mut Emit) {
            emit.plain(Event::from_message("held"));
        }

        fn flushes(&self) -> bool {
            true
        }
    }

    fn leaf(filter: impl Filter + 'static) -> Step<FilterNode> {
        let decoration = FilterDecoration::default();
        Step::Leaf(FilterNode { id: String::new(), name: "test", filter: Box::new(filter), decoration })
    }

    fn batch() -> Batch {
        Batch::new(["a", "b", "c"].map(Event::from_message).into())
    }

    /// Messages in order, an apostrophe for every tag.
    fn shown(batch: &Batch, selection: &[u32]) -> String {
        let show = |event: &Event| {
            let text = |name: &str| event.data().get(name).cloned().unwrap_or_default();
            let marks = "'".repeat(text("tags").as_array().map_or(0, <[Value]>::len));
            text("message").as_str().unwrap_or_default().to_owned() + &marks
        };
        let events = selection.iter().filter_map(|&index| batch.event(index));
        events.map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn added_events_stand_behind_their_parent() {
        let mut batch = batch();
        let selection = batch.filter(&[leaf(Twice)], Flush::No);
        assert_eq!(shown(&batch, &selection), "a a' b b' c c'");
    }

    #[test]
    fn of_one_origin_the_matching_events_come_first() {
        let tags = FieldReference::top_level("tags");
        let branch = Step::branch(vec![(Condition::Truthy(tags), Vec::new())], Vec::new());
        let mut batch = batch();
        let selection = batch.filter(&[leaf(Twice), branch], Flush::No);
        assert_eq!(shown(&batch, &selection), "a' a b' b c' c");
    }

    #[test]
    fn flushed_events_pass_the_rest_of_their_branch_only() {
        let body = vec![leaf(Hold), leaf(Twice)];
        let branch = Step::branch(vec![(Condition::Constant(false), body)], Vec::new());
        let mut batch = batch();
        let selection = batch.filter(&[branch], Flush::Periodic);
        assert_eq!(shown(&batch, &selection), "a b c held held'");
    }

    #[test]
    fn an_event_that_cannot_be_compared_is_dropped_alone() {
        use crate::language::ast::CompareOperator;
        let condition =
            Condition::Compare(FieldReference::top_level("message"), CompareOperator::Greater, Value::Int(5));
        let branch = Step::branch(vec![(condition, Vec::new())], Vec::new());
        let mut batch = Batch::new(vec![Event::from_message("text"), Event::from_message(Value::Int(7))]);
        let selection = batch.filter(&[branch], Flush::No);
        assert_eq!(selection, [1]);
    }

    #[test]
    fn routes_follow_conditions() {
        let first = Condition::Equals(FieldReference::top_level("message"), "a".into());
        let steps = [Step::Leaf(0), Step::branch(vec![(first, vec![Step::Leaf(1)])], vec![Step::Leaf(2)])];
        let batch = batch();
        let mut routes = vec![Selection::new(); 3];
        batch.route(&steps, &[0, 1, 2], &mut routes);
        assert_eq!(routes, [vec![0, 1, 2], vec![0], vec![1, 2]]);
    }
}
