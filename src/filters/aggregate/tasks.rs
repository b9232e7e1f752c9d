//! The open tasks of a pipeline: those of all its `aggregate` filters, by the text of their `task_id`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{script, store};
use crate::event::{Object, Timestamp, Value};
use crate::ruby::{Kept, World};

/// Seconds after which a task ends by itself where nothing else is said.
pub const DEFAULT_TIMEOUT: f64 = 1800.0;

/// The time-outs of a filter, in seconds, and the number of tasks that is worth a warning.
pub struct Limits {
    pub timeout: Option<f64>,
    pub inactivity: Option<f64>,
    pub warning: usize,
}

impl Limits {
    fn timeout(&self) -> f64 {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    fn inactivity(&self) -> f64 {
        self.inactivity.unwrap_or_else(|| self.timeout())
    }
}

/// What a filter says of time-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeouts {
    /// Nothing.
    None,
    Given,
    /// Maps become events.
    Pushing,
}

/// One open task.
pub struct Task {
    id: String,
    pub meta: Kept,
    created: Timestamp,
    latest: Timestamp,
    /// Seconds by which the first and the latest event's times were behind the clock.
    created_behind: f64,
    latest_behind: f64,
    timeout: Option<f64>,
    inactivity: Option<f64>,
}

/// The tasks of filters with the same `task_id`.
#[derive(Default)]
struct Group {
    /// The number of the filter that looks after time-outs.
    keeper: Option<usize>,
    /// Whether that filter makes events of maps.
    pushes_on_timeout: bool,
    numbers: HashMap<String, u64>,
    /// In the order in which they began.
    tasks: BTreeMap<u64, Task>,
    next: u64,
    last_flush: Option<Timestamp>,
    /// Whether code has set a time-out of its own, so that every flush looks.
    check_always: bool,
    /// Events since the last warning of too many tasks.
    since_warning: usize,
}

#[derive(Default)]
struct State {
    world: World,
    make: Option<Kept>,
    filters: usize,
    groups: HashMap<String, Group>,
    path: Option<PathBuf>,
    loaded: bool,
}

/// What all `aggregate` filters of a pipeline share.
#[derive(Default)]
pub struct Tasks(Mutex<State>);

impl Drop for State {
    /// Keeps the open tasks for the next run. Nothing is touched where no event came by.
    fn drop(&mut self) {
        let Some(path) = self.path.take().filter(|_| self.loaded) else { return };
        let mut kept = Vec::new();
        for (pattern, group) in &mut self.groups {
            for task in group.tasks.values() {
                let map = script::map(&mut self.world, task.meta);
                kept.push(store::Kept {
                    pattern: pattern.clone(),
                    id: task.id.clone(),
                    created: task.created,
                    latest: task.latest,
                    map,
                });
            }
        }
        if let Err(error) = store::save(&path, &kept) {
            tracing::error!(path = %path.display(), %error, "the aggregate maps could not be stored");
        }
    }
}

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a filter and returns its number.
    ///
    /// # Errors
    /// The option that only one filter may have, and why.
    pub fn join(
        &self,
        pattern: &str,
        timeouts: Timeouts,
        path: Option<&Path>,
    ) -> Result<usize, (&'static str, String)> {
        let mut state = self.lock();
        let number = state.filters;
        state.filters += 1;
        if let Some(path) = path {
            if state.path.is_some() {
                return Err((
                    "aggregate_maps_path",
                    "only one aggregate filter of a pipeline may have it".into(),
                ));
            }
            state.path = Some(path.to_owned());
        }
        let group = state.groups.entry(pattern.to_owned()).or_default();
        if timeouts != Timeouts::None {
            if group.keeper.is_some() {
                let reason = format!(
                    "another aggregate filter with the task_id \"{pattern}\" has options for time-outs already; they must all stand in one"
                );
                return Err(("task_id", reason));
            }
            group.keeper = Some(number);
            group.pushes_on_timeout = timeouts == Timeouts::Pushing;
        }
        Ok(number)
    }

    /// Works in the world of the pipeline's filters.
    pub fn with_world<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.lock();
        state.prepare();
        work(&mut state.world)
    }

    /// The tasks of a filter's `task_id`, for as long as the guard lives.
    pub fn open<'t>(&'t self, pattern: &'t str, number: usize) -> Guard<'t> {
        let mut state = self.lock();
        state.prepare();
        state.load();
        Guard { state, pattern, number }
    }
}

impl State {
    /// Defines what code may use, once.
    fn prepare(&mut self) {
        if self.make.is_none() {
            self.make = script::prepare(&mut self.world);
        }
    }

    /// Takes over what the last run kept, once.
    fn load(&mut self) {
        if std::mem::replace(&mut self.loaded, true) {
            return;
        }
        let Some(path) = self.path.clone() else { return };
        match store::take(&path) {
            Ok(kept) => {
                for store::Kept { pattern, id, created, latest, map } in kept {
                    let map = if let Value::Object(map) = map { *map } else { Object::new() };
                    let meta = script::new_meta(&mut self.world, self.make, &id, &map, created);
                    let task = Task {
                        id,
                        meta,
                        created,
                        latest,
                        created_behind: 0.0,
                        latest_behind: 0.0,
                        timeout: None,
                        inactivity: None,
                    };
                    self.groups.entry(pattern).or_default().add(task);
                }
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "the aggregate maps of the last run could not be loaded");
            }
        }
    }
}

impl Group {
    fn add(&mut self, task: Task) {
        self.numbers.insert(task.id.clone(), self.next);
        self.tasks.insert(self.next, task);
        self.next += 1;
    }

    fn take(&mut self, id: &str) -> Option<Task> {
        self.tasks.remove(&self.numbers.remove(id)?)
    }
}

/// The tasks of one `task_id`, locked.
pub struct Guard<'t> {
    state: MutexGuard<'t, State>,
    pattern: &'t str,
    number: usize,
}

impl Guard<'_> {
    /// The world of the pipeline's filters.
    pub fn world(&mut self) -> &mut World {
        &mut self.state.world
    }

    fn group(&mut self) -> &mut Group {
        // Joining has made it.
        self.state.groups.entry(self.pattern.to_owned()).or_default()
    }

    /// Whether a task is open.
    pub fn has(&mut self, id: &str) -> bool {
        self.group().numbers.contains_key(id)
    }

    /// Opens a task with an empty map.
    pub fn create(&mut self, id: &str, now: Timestamp) {
        let make = self.state.make;
        let meta = script::new_meta(&mut self.state.world, make, id, &Object::new(), now);
        let task = Task {
            id: id.to_owned(),
            meta,
            created: now,
            latest: now,
            created_behind: seconds_between(now, Timestamp::now()).trunc(),
            latest_behind: 0.0,
            timeout: None,
            inactivity: None,
        };
        self.group().add(task);
    }

    /// Works with an open task at the time of one of its events, and takes note of the time-outs it has set.
    pub fn with_task<R>(
        &mut self,
        id: &str,
        time: Timestamp,
        work: impl FnOnce(&mut World, &mut Task) -> R,
    ) -> Option<R> {
        let State { world, groups, .. } = &mut *self.state;
        let group = groups.get_mut(self.pattern)?;
        let task = group.tasks.get_mut(group.numbers.get(id)?)?;
        task.latest = time;
        task.latest_behind = seconds_between(time, Timestamp::now()).trunc();
        script::touch(world, task.meta, time, task.latest_behind as i64);
        let result = work(world, task);
        (task.timeout, task.inactivity) = script::timeouts(world, task.meta);
        group.check_always |= task.timeout.is_some() || task.inactivity.is_some();
        Some(result)
    }

    /// Closes a task.
    pub fn remove(&mut self, id: &str) {
        if let Some(task) = self.group().take(id) {
            script::release(&mut self.state.world, task.meta);
        }
    }

    fn take_map(&mut self, id: &str) -> Option<Value> {
        let task = self.group().take(id)?;
        let map = script::map(&mut self.state.world, task.meta);
        script::release(&mut self.state.world, task.meta);
        Some(map)
    }

    /// Closes the task that began first, and returns its id and map.
    pub fn take_oldest(&mut self) -> Option<(String, Value)> {
        let id = self.group().tasks.first_key_value().map(|(_, task)| task.id.clone())?;
        let map = self.take_map(&id)?;
        Some((id, map))
    }

    /// Closes a task whose code has set a time-out of 0, and returns its map.
    pub fn take_if_zero(&mut self, id: &str) -> Option<Value> {
        self.become_keeper();
        let group = self.group();
        let task = group.tasks.get(group.numbers.get(id)?)?;
        let zero = task.timeout == Some(0.0) || task.inactivity == Some(0.0);
        if zero { self.take_map(id) } else { None }
    }

    /// Closes a task that has expired by the time of an event, and returns its map.
    pub fn take_if_expired(&mut self, id: &str, limits: &Limits, now: Timestamp) -> Option<Value> {
        self.become_keeper();
        let group = self.group();
        let task = group.tasks.get(group.numbers.get(id)?)?;
        let expired = seconds_between(task.created, now) > task.timeout.unwrap_or(limits.timeout())
            || seconds_between(task.latest, now) > task.inactivity.unwrap_or(limits.inactivity());
        if expired { self.take_map(id) } else { None }
    }

    /// Closes all tasks that have expired by the clock.
    pub fn take_expired(&mut self, limits: &Limits, now: Timestamp) -> Vec<(String, Value)> {
        let expired = |task: &&Task| {
            seconds_between(task.created, now) - task.created_behind
                > task.timeout.unwrap_or(limits.timeout())
                || seconds_between(task.latest, now) - task.latest_behind
                    > task.inactivity.unwrap_or(limits.inactivity())
        };
        let ids: Vec<_> = self.group().tasks.values().filter(expired).map(|task| task.id.clone()).collect();
        let taken = ids.into_iter().filter_map(|id| self.take_map(&id).map(|map| (id, map))).collect();
        let group = self.group();
        group.check_always &= !group.tasks.is_empty();
        taken
    }

    /// The first filter without competition looks after time-outs.
    fn become_keeper(&mut self) {
        let number = self.number;
        self.group().keeper.get_or_insert(number);
    }

    /// Whether the filter that looks after time-outs makes events of maps.
    pub fn pushes_on_timeout(&mut self) -> bool {
        self.group().pushes_on_timeout
    }

    /// Whether this filter should look for expired tasks now.
    pub fn is_flush_due(&mut self, limits: &Limits, last: bool) -> bool {
        self.become_keeper();
        let number = self.number;
        let group = self.group();
        let now = Timestamp::now();
        let due = group.keeper == Some(number)
            && (last
                || group.check_always
                || group
                    .last_flush
                    .is_none_or(|then| seconds_between(then, now) > limits.inactivity() / 2.0));
        if due {
            group.last_flush = Some(now);
        }
        due
    }

    /// Warns when many tasks are open, once in a fifth of the threshold's number of events.
    pub fn warn_of_many(&mut self, pattern: &str, limits: &Limits) {
        let group = self.group();
        if limits.warning == 0 || group.tasks.len() < limits.warning {
            group.since_warning = 0;
            return;
        }
        if group.since_warning == 0 {
            let (open, threshold) = (group.tasks.len(), limits.warning);
            tracing::warn!(
                task_id = pattern,
                open,
                threshold,
                "the aggregate filter keeps many maps in memory"
            );
        }
        group.since_warning = (group.since_warning + 1) % (limits.warning / 5).max(1);
    }
}

/// Seconds from one time to another.
fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    let whole = to.epoch_seconds() - from.epoch_seconds();
    whole as f64 + (f64::from(to.nanos()) - f64::from(from.nanos())) / 1e9
}
