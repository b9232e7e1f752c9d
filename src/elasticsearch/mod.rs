//! What plugins that search Elasticsearch share: the options that lead to a cluster, requests to its nodes, and tables
//! that ES|QL queries find.

mod api_key;
pub mod cloud;
mod cluster;
mod table;

use crate::http_client::HttpError;
use crate::plugin::{Pairs, Password, options};
use crate::tls::{ClientTls, Fingerprint};

pub use api_key::api_key;
pub use cluster::{Ask, Cluster, Info, Settings, Timeouts};
pub use table::{Column, columns};

options! {
    /// The options that say how to reach a cluster, and as whom.
    pub struct ClusterOptions {
        /// Headers to add to every request.
        custom_headers: Pairs = {},
        /// Name for basic authentication.
        user: Option<String>,
        /// Password for basic authentication.
        password: Option<Password>,
        /// Id of a deployment in Elastic Cloud, instead of `hosts`.
        cloud_id: Option<String>,
        /// `name:password`, instead of `user` and `password`.
        cloud_auth: Option<Password>,
        /// An API key, as `id:key` or in base64.
        api_key: Option<Password>,
        /// URL of an HTTP proxy.
        proxy: Option<String>,
        /// SHA-256 digests, in hex, of authorities' certificates to trust beside the others.
        ca_trusted_fingerprint: Vec<Fingerprint> = [],
        ..tls: ClientTls,
    }
}

/// A request that got no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the answer was {0}: {1}")]
    Status(u16, String),
    #[error("the answer is not one of Elasticsearch: {0}")]
    Answer(String),
}
