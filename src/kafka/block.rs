//! `kafka_options!`: the options of a kafka plugin's own and those that both have, as one struct that gives its values
//! as text to the [table](super::options).

use std::path::PathBuf;

use crate::plugin::{CodecFactory, Pairs, Password, choices};

choices! {
    /// `security_protocol`
    pub enum Protocol {
        /// Neither encrypted nor authenticated.
        Plaintext = "PLAINTEXT",
        /// TLS.
        Ssl = "SSL",
        /// A login without encryption.
        SaslPlaintext = "SASL_PLAINTEXT",
        /// A login over TLS.
        SaslSsl = "SASL_SSL",
    }
}

choices! {
    /// `client_dns_lookup`
    pub enum DnsLookup {
        /// An old name of `use_all_dns_ips`.
        Default = "default",
        /// Every address of a name is tried.
        AllAddresses = "use_all_dns_ips",
        /// Names are made canonical first, as Kerberos needs it.
        Canonical = "resolve_canonical_bootstrap_servers_only",
    }
}

/// The type of an option whose value may go to the table as text.
pub trait OptionText {
    /// The value as text; `None` where none is given or the plugin itself uses it.
    fn text(&self) -> Option<String>;
}

impl<T: OptionText> OptionText for Option<T> {
    fn text(&self) -> Option<String> {
        self.as_ref().and_then(T::text)
    }
}

macro_rules! printed {
    ($($kind:ty),*) => { $(
        impl OptionText for $kind {
            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )* };
}
printed!(String, bool, i64);

macro_rules! used_by_the_plugin {
    ($($kind:ty),*) => { $(
        impl OptionText for $kind {
            fn text(&self) -> Option<String> {
                None
            }
        }
    )* };
}
used_by_the_plugin!(Vec<String>, CodecFactory, Pairs, crate::event::Template);

impl OptionText for PathBuf {
    fn text(&self) -> Option<String> {
        Some(self.to_string_lossy().into_owned())
    }
}

impl OptionText for Password {
    fn text(&self) -> Option<String> {
        Some(self.reveal().to_owned())
    }
}

macro_rules! words {
    ($($kind:ty),* $(,)?) => { $(
        impl $crate::kafka::block::OptionText for $kind {
            fn text(&self) -> Option<String> {
                $crate::plugin::Choice::word(*self).map(str::to_owned)
            }
        }
    )* };
}
pub(crate) use words;
words!(Protocol, DnsLookup);

/// Declares a struct of options like [`options!`](crate::plugin), adds what both kafka plugins have, and a method
/// `given` that hands all values to the table.
macro_rules! kafka_options {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($own:tt)* }) => {
        $crate::kafka::block::kafka_options! { @all
            $(#[$meta])*
            $vis struct $name {
                $($own)*

                /// Brokers to begin with, as `host1:port1,host2:port2`; the others are learnt from them.
                bootstrap_servers: String = "localhost:9092",
                /// How names of brokers are resolved.
                client_dns_lookup: $crate::kafka::block::DnsLookup = "use_all_dns_ips",
                /// Name that the brokers log for this client.
                client_id: String = "logstash",
                /// Idle connections are closed after this time.
                connections_max_idle_ms: i64 = 540000,
                /// Path of a JAAS file whose KafkaClient section holds the login. sasl_jaas_config comes first.
                jaas_path: Option<std::path::PathBuf>,
                /// Topics, partitions and brokers are asked for again after this time.
                metadata_max_age_ms: i64 = 300000,
                /// Socket receive buffer; the default and -1 leave it to the system.
                receive_buffer_bytes: i64 = 32768,
                /// Greatest wait before connecting again to a broker that failed repeatedly.
                reconnect_backoff_max_ms: i64 = 1000,
                /// First wait before connecting again.
                reconnect_backoff_ms: i64 = 50,
                /// How long a broker may take to answer.
                request_timeout_ms: i64 = 40000,
                /// Wait before a failed request is sent again.
                retry_backoff_ms: i64 = 100,
                /// Login as a JAAS line: `org.apache.kafka.common.security.plain.PlainLoginModule required username="..."
                /// password="...";`, or with `ScramLoginModule`, or with `OAuthBearerLoginModule` and its clientId,
                /// clientSecret and scope.
                sasl_jaas_config: Option<$crate::plugin::Password>,
                /// Name of the brokers' Kerberos service, for GSSAPI.
                sasl_kerberos_service_name: Option<String>,
                /// Java's class for logins with OAUTHBEARER: OAuthBearerLoginCallbackHandler, which fetches tokens, or
                /// OAuthBearerUnsecuredLoginCallbackHandler, which makes them.
                sasl_login_callback_handler_class: Option<String>,
                /// How long connecting to the token endpoint may take. Default: 30 s.
                sasl_login_connect_timeout_ms: Option<i64>,
                /// How long the token endpoint may be silent. Default: 30 s.
                sasl_login_read_timeout_ms: Option<i64>,
                /// The token endpoint is asked again for so long; the next login begins anew 10 s later.
                sasl_login_retry_backoff_max_ms: i64 = 10000,
                /// Wait before the token endpoint is asked again; it doubles.
                sasl_login_retry_backoff_ms: i64 = 100,
                /// PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, or in a build with the gssapi feature GSSAPI.
                sasl_mechanism: String = "GSSAPI",
                /// The claim of a fetched token that holds its scopes.
                sasl_oauthbearer_scope_claim_name: String = "scope",
                /// Where tokens for OAUTHBEARER are fetched with the login module's clientId and clientSecret; or a
                /// file that holds one, as a file: URL.
                sasl_oauthbearer_token_endpoint_url: Option<String>,
                /// Whether connections are encrypted (SSL) and begin with a login (SASL).
                security_protocol: $crate::kafka::block::Protocol = "PLAINTEXT",
                /// Socket send buffer; the default and -1 leave it to the system.
                send_buffer_bytes: i64 = 131072,
                /// `https` compares the broker's certificate with its host name; `""` does not.
                ssl_endpoint_identification_algorithm: String = "https",
                /// Password of the private key, where it is not the key store's.
                ssl_key_password: Option<$crate::plugin::Password>,
                /// Key store with this client's certificate, for brokers that ask for one.
                ssl_keystore_location: Option<std::path::PathBuf>,
                /// Password of the key store.
                ssl_keystore_password: Option<$crate::plugin::Password>,
                /// JKS, PKCS12 or PEM. JKS and PKCS12 are told apart by themselves.
                ssl_keystore_type: Option<String>,
                /// Store with the certificates that sign the brokers'; without it the system's are trusted.
                ssl_truststore_location: Option<std::path::PathBuf>,
                /// Password of the trust store.
                ssl_truststore_password: Option<$crate::plugin::Password>,
                /// JKS, PKCS12 or PEM. JKS and PKCS12 are told apart by themselves.
                ssl_truststore_type: Option<String>,
            }
        }
    };
    (@all
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $crate::plugin::options! {
            $(#[$meta])*
            $vis struct $name {
                $( $(#[doc = $doc])* $field : $type $(= $default)?, )*
            }
        }

        impl $name {
            /// The options that have a value, as the table takes them.
            pub fn given(&self) -> $crate::kafka::Given {
                let mut given = $crate::kafka::Given::default();
                $( if let Some(text) = $crate::kafka::block::OptionText::text(&self.$field) {
                    given.set(stringify!($field), text);
                } )*
                given
            }
        }
    };
}
pub(crate) use kafka_options;

/// Compares a plugin's declared options with the table: the same names, the same defaults.
#[cfg(test)]
pub fn assert_agrees_with_table(plugin: super::options::Plugin, declared: &[crate::plugin::OptionSpec]) {
    use super::options::{Conversion, OPTIONS, find};
    for option in declared {
        let row = find(plugin, option.name).unwrap_or_else(|| panic!("{} is not in the table", option.name));
        let default = option.default.unwrap_or("").trim_matches(['"', '[', ']']);
        assert!(
            matches!(row.default, table if table == default) || default == "{}",
            "default of {}",
            option.name
        );
    }
    for row in OPTIONS.iter().filter(|row| row.belongs_to(plugin)) {
        let refused = matches!(row.conversion, Conversion::Refused(_));
        let is_declared = declared.iter().any(|option| option.name == row.option);
        assert!(is_declared != refused, "{} must be either declared or refused", row.option);
    }
}
