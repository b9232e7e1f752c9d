//! `jdbc:mysql:` and `jdbc:mariadb:` URLs, with the parameters of Connector/J and of MariaDB's connector.

use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::{Credentials, Driver, JdbcUrl, Server, UrlError, clock, flag, refused};

/// Parameters about the inside of the JDBC drivers, or that are always so here.
const IGNORED: &[&str] = &[
    "allowloadlocalinfile",
    "allowmultiqueries",
    "allowpublickeyretrieval",
    "autoreconnect",
    "autoreconnectforpools",
    "cacheprepstmts",
    "cacheresultsetmetadata",
    "cacheserverconfiguration",
    "connecttimeout",
    "defaultfetchsize",
    "donttrackopenresources",
    "elidesetautocommits",
    "failoverreadonly",
    "forceconnectiontimezonetosession",
    "initialtimeout",
    "jdbccomplianttruncation",
    "maintaintimestats",
    "maxreconnects",
    "nettimeoutforstreamingresults",
    "noaccesstoprocedurebodies",
    "nullcatalogmeanscurrent",
    "paranoid",
    "permitmysqlscheme",
    "prepstmtcachesize",
    "prepstmtcachesqllimit",
    "preserveinstants",
    "rewritebatchedstatements",
    "sockettimeout",
    "tcpkeepalive",
    "tcpnodelay",
    "usecompression",
    "usecursorfetch",
    "useinformationschema",
    "usejdbccomplianttimezoneshift",
    "uselegacydatetimecode",
    "uselocalsessionstate",
    "useoldaliasmetadatabehavior",
    "useserverprepstmts",
    "useunicode",
];

pub(super) fn parse(rest: &str, credentials: Credentials<'_>) -> Result<JdbcUrl, UrlError> {
    let server = Server::parse(rest, credentials)?;
    // The session stays as the server starts it, its time zone and sql_mode too.
    let mut options = MySqlConnectOptions::new()
        .host(server.host.as_deref().unwrap_or("localhost"))
        .port(server.port.unwrap_or(3306))
        .timezone(None)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .disable_statement_logging();
    let (mut ssl, mut zone, mut tiny_int_is_bit) = (Ssl::default(), None, true);
    let mut ignored = Vec::new();
    for (name, value) in server.parameters {
        match name.to_ascii_lowercase().as_str() {
            "servertimezone" | "connectiontimezone" | "timezone" => zone = Some(clock(&name, &value)?),
            "tinyint1isbit" => tiny_int_is_bit = flag(&name, &value)?,
            "characterencoding" if is_utf8(&value) => {}
            "characterencoding" => {
                return Err(refused(&name, "the connection is always UTF-8, and the server converts to it"));
            }
            "zerodatetimebehavior" if matches!(value.as_str(), "convertToNull" | "CONVERT_TO_NULL") => {}
            "zerodatetimebehavior" => return Err(refused(&name, "a date of zeros is always null here")),
            "connectioncollation" => options = options.collation(&value),
            "serversslcert" => options = options.ssl_ca(value),
            lower if ssl.take(lower, &name, &value)? => {}
            lower if IGNORED.contains(&lower) => ignored.push(name),
            lower if lower.ends_with("keystoreurl") || lower.ends_with("keystore") => {
                return Err(refused(&name, "give the CA as PEM: serverSslCert=/path/ca.pem"));
            }
            _ => return Err(refused(&name, "remove it, or set it on the server")),
        }
    }
    if let Some(user) = &server.user {
        options = options.username(user);
    }
    if let Some(password) = &server.password {
        options = options.password(password);
    }
    if let Some(database) = server.database {
        options = options.database(&database);
    }
    let driver = Driver::MySql(Box::new(options.ssl_mode(ssl.mode())));
    Ok(JdbcUrl { driver, clock: zone, tiny_int_is_bit, ignored })
}

fn is_utf8(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "utf8mb4")
}

/// The parameters about TLS, old and new.
#[derive(Default)]
struct Ssl {
    mode: Option<MySqlSslMode>,
    used: Option<bool>,
    required: bool,
    verified: bool,
    trusted: bool,
}

impl Ssl {
    /// Whether the parameter was one of these.
    fn take(&mut self, lower: &str, name: &str, value: &str) -> Result<bool, UrlError> {
        match lower {
            "sslmode" => self.mode = Some(mode(name, value)?),
            "usessl" => self.used = Some(flag(name, value)?),
            "requiressl" => self.required = flag(name, value)?,
            "verifyservercertificate" => self.verified = flag(name, value)?,
            "trustservercertificate" => self.trusted = flag(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn mode(&self) -> MySqlSslMode {
        match self {
            Ssl { mode: Some(mode), .. } => *mode,
            Ssl { used: Some(false), .. } => MySqlSslMode::Disabled,
            Ssl { verified: true, .. } => MySqlSslMode::VerifyCa,
            Ssl { required: true, .. } | Ssl { trusted: true, .. } => MySqlSslMode::Required,
            _ => MySqlSslMode::Preferred,
        }
    }
}

fn mode(name: &str, value: &str) -> Result<MySqlSslMode, UrlError> {
    Ok(match value.to_ascii_lowercase().replace('-', "_").as_str() {
        "disabled" | "disable" => MySqlSslMode::Disabled,
        "preferred" => MySqlSslMode::Preferred,
        "required" | "trust" => MySqlSslMode::Required,
        "verify_ca" => MySqlSslMode::VerifyCa,
        "verify_identity" | "verify_full" => MySqlSslMode::VerifyIdentity,
        _ => {
            let why = "expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY (MySQL); disable, trust, \
                       verify-ca or verify-full (MariaDB)";
            return Err(refused(name, why));
        }
    })
}
