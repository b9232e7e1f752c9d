//! `jdbc:postgresql:` URLs, with the parameters of pgJDBC (its documentation, "Connecting to the Database").

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{Credentials, Driver, JdbcUrl, Server, UrlError, flag, refused};

/// Parameters about the inside of pgJDBC.
const IGNORED: &[&str] = &[
    "adaptivefetch",
    "allowencodingchanges",
    "assumeminserverversion",
    "autosave",
    "binarytransfer",
    "binarytransferdisable",
    "binarytransferenable",
    "cleanupsavepoints",
    "connecttimeout",
    "databasemetadatacachefields",
    "defaultrowfetchsize",
    "disablecolumnsanitiser",
    "escapesyntaxcallmode",
    "hostrecheckseconds",
    "loadbalancehosts",
    "loggerfile",
    "loggerlevel",
    "logintimeout",
    "logservererrordetail",
    "logunclosedconnections",
    "maxresultbuffer",
    "maxsendbuffersize",
    "prefermode",
    "preferquerymode",
    "preparedstatementcachequeries",
    "preparedstatementcachesizemib",
    "preparethreshold",
    "protocolversion",
    "querytimeout",
    "receivebuffersize",
    "rewritebatchedinserts",
    "rewritebatchedstatements",
    "sendbuffersize",
    "sockettimeout",
    "stringtype",
    "targetservertype",
    "tcpkeepalive",
    "tcpnodelay",
    "unknownlength",
];

pub(super) fn parse(rest: &str, credentials: Credentials<'_>) -> Result<JdbcUrl, UrlError> {
    let server = Server::parse(rest, credentials)?;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(server.host.as_deref().unwrap_or("localhost"))
        .port(server.port.unwrap_or(5432))
        .ssl_mode(PgSslMode::Prefer)
        .disable_statement_logging();
    let (mut ssl, mut ssl_mode, mut validates) = (false, None, true);
    let mut ignored = Vec::new();
    for (name, value) in server.parameters {
        match name.to_ascii_lowercase().as_str() {
            "ssl" => ssl = flag(&name, &value)?,
            "sslmode" => ssl_mode = Some(mode(&name, &value)?),
            "sslfactory" => validates = !value.ends_with("NonValidatingFactory"),
            "sslrootcert" => options = options.ssl_root_cert(value),
            "sslcert" => options = options.ssl_client_cert(value),
            "sslkey" if value.ends_with(".pk8") || value.ends_with(".p12") => {
                return Err(refused(&name, "give the key as PEM (openssl pkey -inform DER)"));
            }
            "sslkey" => options = options.ssl_client_key(value),
            "currentschema" => options = options.options([("search_path", value.replace(' ', "\\ "))]),
            "applicationname" => options = options.application_name(&value),
            "readonly" => {
                let setting = if flag(&name, &value)? { "on" } else { "off" };
                options = options.options([("default_transaction_read_only", setting)]);
            }
            lower if IGNORED.contains(&lower) => ignored.push(name),
            _ => return Err(refused(&name, "remove it, or set it for the role in the database")),
        }
    }
    if let Some(user) = &server.user {
        options = options.username(user);
    }
    if let Some(password) = &server.password {
        options = options.password(password);
    }
    // A database has its user's name where it has none of its own.
    if let Some(database) = server.database {
        options = options.database(&database);
    }
    // pgJDBC: ssl=true alone checks everything, unless a factory says otherwise.
    let mode = match (ssl_mode, ssl, validates) {
        (Some(mode), ..) => mode,
        (None, true, true) => PgSslMode::VerifyFull,
        (None, true, false) => PgSslMode::Require,
        (None, false, _) => PgSslMode::Prefer,
    };
    let driver = Driver::Postgres(Box::new(options.ssl_mode(mode)));
    Ok(JdbcUrl { driver, clock: None, tiny_int_is_bit: true, ignored })
}

fn mode(name: &str, value: &str) -> Result<PgSslMode, UrlError> {
    Ok(match value {
        "disable" => PgSslMode::Disable,
        "allow" => PgSslMode::Allow,
        "prefer" => PgSslMode::Prefer,
        "require" => PgSslMode::Require,
        "verify-ca" => PgSslMode::VerifyCa,
        "verify-full" => PgSslMode::VerifyFull,
        _ => {
            return Err(refused(name, "expected disable, allow, prefer, require, verify-ca or verify-full"));
        }
    })
}
