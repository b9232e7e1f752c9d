//! `Words`: the keys of `include_keys` and `exclude_keys`, which may depend on the event.

use std::collections::HashSet;

use crate::event::{Event, SprintfError, Template};

/// Keys as the config names them.
pub(super) struct Words {
    templates: Vec<Template>,
    /// The keys when none of them depends on an event.
    fixed: Option<HashSet<String>>,
}

/// Keys as they are for one event.
pub(super) enum WordsOf<'w> {
    Fixed(&'w HashSet<String>),
    Rendered(HashSet<String>),
}

impl Words {
    pub fn new(templates: &[Template]) -> Self {
        let fixed = templates.iter().map(|template| template.as_literal().map(str::to_owned)).collect();
        Words { templates: templates.to_vec(), fixed }
    }

    /// # Errors
    /// When a reference in one of the keys is illegal.
    pub fn of(&self, event: &Event) -> Result<WordsOf<'_>, SprintfError> {
        Ok(match &self.fixed {
            Some(fixed) => WordsOf::Fixed(fixed),
            None => {
                let rendered = self.templates.iter().map(|template| template.render(event));
                WordsOf::Rendered(rendered.collect::<Result<_, _>>()?)
            }
        })
    }
}

impl WordsOf<'_> {
    fn set(&self) -> &HashSet<String> {
        match self {
            WordsOf::Fixed(set) => set,
            WordsOf::Rendered(set) => set,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.set().is_empty()
    }

    pub fn contains(&self, key: &str) -> bool {
        let set = self.set();
        !set.is_empty() && set.contains(key)
    }
}
