//! X API v2, which replaced the v1.1 streams in 2023: the filtered stream's rules and its posts.

pub mod post;
pub mod rules;
