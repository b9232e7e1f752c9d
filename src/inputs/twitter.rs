//! twitter: events from the streams of Twitter (v1.1) and X (API v2).
pub mod backoff;
pub mod client;
pub mod lines;
pub mod oauth;
pub mod request;
pub mod tweet;
pub mod v2;
