//! The option `threads` of inputs: the same work so many times side by side.

use tokio::task::JoinSet;

use crate::plugin::{RunError, Sink};

/// Does work so many times, once at least, each on a task with a way into the queue of its own.
///
/// # Errors
/// The first one that any of them ends with; the others are ended then.
pub async fn side_by_side<F>(threads: usize, sink: Sink, work: impl Fn(Sink) -> F) -> Result<(), RunError>
where
    F: Future<Output = Result<(), RunError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..threads.max(1) {
        tasks.spawn(work(sink.clone()));
    }
    drop(sink);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|panicked| RunError::new(panicked.to_string()))??;
    }
    Ok(())
}
