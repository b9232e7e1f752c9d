//! What both rabbitmq plugins share: the options that lead to a broker, connections to it, and values as AMQP has them
//! (`rabbitmq_connection.rb` of logstash-integration-rabbitmq).

mod broker;
mod reactor;
mod values;

use std::path::PathBuf;

use crate::plugin::{Pairs, Password, options};

pub use broker::{Broker, Session};
pub use values::{Short, from_table, short, table};

options! {
    /// The options that say where the broker is, and who asks.
    #[derive(Debug)]
    pub struct ConnectionOptions {
        /// The servers, as `host` or `host:port`. One of them, whichever, is used as long as it answers.
        host: Vec<String>,
        /// The port of those that name none.
        port: u16 = 5672,
        /// The user.
        user: String = "guest",
        /// The user's password.
        password: Password = "guest",
        /// The virtual host.
        vhost: String = "/",
        /// Whether connections are encrypted. The server's certificate is not checked, as in Logstash.
        ssl: Option<bool>,
        /// The version of the protocol: TLSv1.2 or TLSv1.3.
        ssl_version: String = "TLSv1.2",
        /// A key store (PKCS #12) with the certificate to show to the server, and its key.
        ssl_certificate_path: Option<PathBuf>,
        /// What the key store is encrypted with.
        ssl_certificate_password: Option<Password>,
        /// Only true is possible: a connection that breaks is opened again.
        automatic_recovery: bool = true,
        /// Seconds before the next try to connect.
        connect_retry_interval: f64 = 1,
        /// Milliseconds to wait for a connection. Default: 60 seconds.
        connection_timeout: Option<u64>,
        /// Seconds between two signs of life. Default: what the server asks for.
        heartbeat: Option<u16>,
        /// Whether the queue must be there already, and is taken as it is.
        passive: bool = false,
        /// Further arguments of the queue that is declared.
        arguments: Pairs = {},
    }
}
