//! The pipeline: from the config's tree to running inputs, workers and outputs.
//!
//! `plan` turns a config into plugins and conditions, collecting every problem; `worker` walks a plan over batches;
//! `run` starts and stops everything in order. Nothing here knows a particular plugin.

mod batch;
mod condition;
mod matcher;
mod plan;
mod run;
mod switch;
mod worker;

pub use batch::Batch;
pub use condition::{Condition, ConditionError};
pub use plan::{FilterNode, InputNode, OutputNode, Plan, Step};
pub use run::{Ended, PipelineSettings, run};
pub use worker::Workers;
