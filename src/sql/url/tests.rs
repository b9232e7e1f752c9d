use sqlx::postgres::PgSslMode;

use super::*;

fn postgres(url: &str, user: Option<&str>) -> PgConnectOptions {
    match JdbcUrl::parse(url, user, None).map(|url| url.driver) {
        Ok(Driver::Postgres(options)) => *options,
        Ok(_) => panic!("{url}: another database"),
        Err(error) => panic!("{url}: {error}"),
    }
}

fn mysql(url: &str) -> MySqlConnectOptions {
    match JdbcUrl::parse(url, None, None).map(|url| url.driver) {
        Ok(Driver::MySql(options)) => *options,
        Ok(_) => panic!("{url}: another database"),
        Err(error) => panic!("{url}: {error}"),
    }
}

fn error(url: &str) -> String {
    match JdbcUrl::parse(url, None, None) {
        Ok(_) => panic!("{url} is understood"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn postgres_urls() {
    let full =
        postgres("jdbc:postgresql://db.example:6000/my%20db?user=a%26b&ssl=true&ApplicationName=x", None);
    assert_eq!((full.get_host(), full.get_port()), ("db.example", 6000));
    assert_eq!((full.get_database(), full.get_username()), (Some("my db"), "a&b"));
    assert_eq!(full.get_application_name(), Some("x"));
    // pgJDBC since 42.2.5: ssl=true means sslmode=verify-full.
    assert!(matches!(full.get_ssl_mode(), PgSslMode::VerifyFull));
    let short = postgres("jdbc:postgresql:songs", Some("me"));
    assert_eq!(
        (short.get_host(), short.get_port(), short.get_database()),
        ("localhost", 5432, Some("songs"))
    );
    assert_eq!(short.get_username(), "me");
    let modes = postgres("jdbc:postgresql://[::1]/d?ssl=true&sslmode=require", None);
    assert_eq!(modes.get_host(), "::1");
    assert!(matches!(modes.get_ssl_mode(), PgSslMode::Require));
    // What stands beside the URL goes before what is in it.
    assert_eq!(postgres("jdbc:postgresql://h/d?user=a", Some("b")).get_username(), "b");
}

#[test]
fn mysql_urls() {
    use sqlx::mysql::MySqlSslMode;
    let url =
        mysql("jdbc:mysql://joe:s3@db.example/shop?useSSL=false&useUnicode=true&characterEncoding=UTF-8");
    assert_eq!((url.get_host(), url.get_port()), ("db.example", 3306));
    assert_eq!((url.get_username(), url.get_database()), ("joe", Some("shop")));
    assert!(matches!(url.get_ssl_mode(), MySqlSslMode::Disabled));
    let url = mysql("jdbc:mariadb://h:3307/d?sslMode=verify-full");
    assert!(matches!(url.get_ssl_mode(), MySqlSslMode::VerifyIdentity));
    assert_eq!(url.get_port(), 3307);
    let zoned = JdbcUrl::parse("jdbc:mysql://h/d?serverTimezone=Europe/Berlin", None, None);
    let zoned = zoned.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(zoned.clock.as_ref().and_then(Clock::name), Some("Europe/Berlin"));
}

#[test]
fn what_is_not_understood_is_named() {
    for (url, culprit) in [
        ("postgresql://h/d", "expected a JDBC URL"),
        ("jdbc:oracle:thin:@h:1521:sid", "oracle_fdw"),
        ("jdbc:sqlserver://h;databaseName=d", "tds_fdw"),
        ("jdbc:derby:memory:x", "\"derby\""),
        ("jdbc:postgresql://a,b/d", "one host"),
        ("jdbc:postgresql://a:x/d", "\"x\" is no port"),
        ("jdbc:postgresql://a/d?gssEncMode=require", "gssEncMode"),
        ("jdbc:postgresql://a/d?sslmode=no", "verify-full"),
        ("jdbc:mysql://a/d?serverTimezone=Nowhere", "Nowhere"),
        ("jdbc:sqlite:a?cache=x", "\"cache\""),
    ] {
        let error = error(url);
        assert!(error.contains(culprit), "{url}: {error}");
    }
}

#[test]
fn errors_hold_no_secrets() {
    let error = error("jdbc:hunter2-secret@nothing:x?password=hunter2");
    assert!(!error.contains("hunter2"), "{error}");
}
