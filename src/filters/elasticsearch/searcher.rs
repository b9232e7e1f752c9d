//! Searches on a worker's thread, repeated as often as the options allow.

use reqwest::header::HeaderMap;

use super::{Failure, Options};
use crate::elasticsearch::{Ask, AskError, Cluster, Settings, Timeouts};
use crate::event::Value;
use crate::plugin::{OptionReader, blocking};

pub(super) struct Searcher {
    cluster: Cluster,
    retries: u32,
    retry_on_status: Vec<u16>,
}

impl Searcher {
    pub fn build(options: &Options, reader: &mut OptionReader<'_>) -> Option<Self> {
        let settings = Settings {
            hosts: &options.hosts,
            options: &options.cluster,
            timeouts: Timeouts::default(),
            origin: "logstash-filter-elasticsearch",
        };
        Some(Searcher {
            cluster: Cluster::build(&settings, reader)?,
            retries: options.retry_on_failure,
            retry_on_status: options.retry_on_status.clone(),
        })
    }

    /// Asks one node after the other, as often as `retry_on_failure` allows.
    pub fn ask(&self, ask: &Ask<'_>) -> Result<(Value, HeaderMap), Failure> {
        let asked = blocking::block_on(async {
            let mut retries = self.retries;
            loop {
                let error = match self.cluster.ask(ask).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                let again = match &error {
                    AskError::Http(_) => true,
                    AskError::Status(status, _) => self.retry_on_status.contains(status),
                    AskError::Answer(_) => false,
                };
                if !again || retries == 0 {
                    return Err(error);
                }
                retries -= 1;
                tracing::debug!(%error, "a search is repeated");
            }
        })?;
        Ok(asked?)
    }
}
