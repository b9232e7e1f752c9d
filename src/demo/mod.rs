//! `rstash demo`: a stand-in Twitter and an embedded Kafka, so that the two pipelines of a tweets-to-Kafka tutorial run
//! on a machine that has neither.

pub mod signature;
mod stream;
pub mod tweets;
pub mod twitter_endpoint;
