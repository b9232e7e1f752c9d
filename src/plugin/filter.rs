//! `Filter`: changes events, drops them, or makes new ones.

use super::decoration::{DecorateError, FilterDecoration};
use super::input::RunError;
use crate::event::Event;

/// What a filter did with an event. Only `Matched` makes the pipeline apply add_field, remove_field, add_tag and
/// remove_tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Matched,
    Unmatched,
    /// Tagged by the filter itself; counts as a failure in the metrics.
    Failed,
    /// The event goes no further.
    Cancelled,
}

/// Events that a filter makes beside the one it was given.
#[derive(Debug, Default)]
pub struct Emit {
    emitted: Vec<Emitted>,
}

#[derive(Debug)]
pub struct Emitted {
    pub event: Event,
    /// Whether the common options apply to it.
    pub decorate: bool,
}

impl Emit {
    /// Adds an event right behind the current one; the common options apply to it.
    pub fn matched(&mut self, event: Event) {
        self.emitted.push(Emitted { event, decorate: true });
    }

    /// Adds an event right behind the current one as it is.
    pub fn plain(&mut self, event: Event) {
        self.emitted.push(Emitted { event, decorate: false });
    }

    pub fn is_empty(&self) -> bool {
        self.emitted.is_empty()
    }

    /// Takes what has been emitted since the last call.
    pub fn drain(&mut self) -> impl Iterator<Item = Emitted> + '_ {
        self.emitted.drain(..)
    }
}

/// A filter. One instance is shared by all workers of a pipeline; one that keeps state locks it itself.
pub trait Filter: Send + Sync {
    /// Connects and loads what the first event needs; called once, before the inputs start, on a thread where
    /// [`block_on`](super::blocking::block_on) may be used. Not called by `--config-test`. An error keeps the pipeline
    /// from starting.
    fn start(&self) -> Result<(), RunError> {
        Ok(())
    }

    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome;

    /// Emits what is due, about every 5 seconds and once more at the end (`last`). Only called if
    /// [`flushes`](Self::flushes) says so.
    fn flush(&self, _last: bool, _emit: &mut Emit) {}

    fn flushes(&self) -> bool {
        false
    }

    /// Hands over the common options, before the first event, to a filter that applies them itself: at another moment
    /// than behind its work, or several times. Such a filter never says `Matched`.
    fn set_decoration(&mut self, _decoration: &FilterDecoration) {}

    /// Called when a common option could not be applied. Where Logstash's plugin applies them within a rescue of its
    /// own, the event is tagged as that rescue does it; elsewhere Logstash stops the pipeline, and here the event
    /// gets a tag and goes on.
    fn decoration_failed(&self, name: &str, event: &mut Event, error: &DecorateError) {
        tracing::warn!(plugin = name, %error, "could not apply the common options");
        event.tag(&format!("_{name}error"));
    }
}
