//! TLS and SASL: the options `security_protocol`, `ssl_*`, `sasl_*` and `jaas_path` in librdkafka's terms.

use std::fs;

use super::client::Client;
use super::jaas::{self, LoginModule};
use super::oauth::{OPTIONS_OF_ENDPOINTS, Tokens, handler};
use super::options::{Conversion, OPTIONS};
use super::{Given, Refusal, Warning};
use crate::tls::stores::{self, Store};

/// Sets everything that concerns security; returns what has to be refused.
pub fn apply(given: &Given, client: &mut Client) -> Vec<Refusal> {
    let protocol = given.get("security_protocol").unwrap_or("PLAINTEXT");
    client.config.set("security.protocol", protocol.to_ascii_lowercase());
    // A Java class of someone's own is refused with any mechanism: it was meant to do something.
    let unknown_class = Vec::from_iter(handler(given).err());
    let mut refusals = unknown_class.clone();
    match protocol {
        "SSL" | "SASL_SSL" => refusals.extend(tls(given, client).err()),
        _ => warn_unused(given, "ssl_", protocol, client),
    }
    match protocol {
        "SASL_PLAINTEXT" | "SASL_SSL" => {
            let refusal = sasl(given, client).err();
            refusals.extend(refusal.filter(|refusal| !unknown_class.contains(refusal)));
        }
        _ => warn_unused(given, "sasl_", protocol, client),
    }
    refusals
}

/// Options that a person gave for nothing: most often the protocol was forgotten.
fn warn_unused(given: &Given, prefix: &str, protocol: &str, client: &mut Client) {
    let concerned = |option: &str| option.starts_with(prefix) || (prefix == "sasl_" && option == "jaas_path");
    let rows = OPTIONS.iter().filter(|row| matches!(row.conversion, Conversion::Security));
    let idle = changed(given, rows.map(|row| row.option).filter(|option| concerned(option)));
    let why = format!("security_protocol is \"{protocol}\"");
    client.warnings.extend(idle.map(|option| Warning::NoEffect(option, why.clone())));
}

/// Those of some options that do not have Logstash's default.
pub(super) fn changed(
    given: &Given,
    options: impl Iterator<Item = &'static str>,
) -> impl Iterator<Item = &'static str> {
    let default = |option| OPTIONS.iter().find(|row| row.option == option).map_or("", |row| row.default);
    options.filter(move |option| given.get(option).is_some_and(|value| value != default(*option)))
}

fn tls(given: &Given, client: &mut Client) -> Result<(), Refusal> {
    let config = &mut client.config;
    match given.get("ssl_truststore_location") {
        Some(path) => {
            let store = Store {
                location: ("ssl_truststore_location", path),
                kind: ("ssl_truststore_type", given.get("ssl_truststore_type")),
                password: ("ssl_truststore_password", given.get("ssl_truststore_password")),
            };
            config.set("ssl.ca.pem", stores::trusted(&store)?);
        }
        // Java falls back to the certificates of its runtime, librdkafka to those of the system.
        None => _ = config.set("ssl.ca.location", "probe"),
    }
    if let Some(path) = given.get("ssl_keystore_location") {
        let store = Store {
            location: ("ssl_keystore_location", path),
            kind: ("ssl_keystore_type", given.get("ssl_keystore_type")),
            password: ("ssl_keystore_password", given.get("ssl_keystore_password")),
        };
        let identity = stores::identity(&store, ("ssl_key_password", given.get("ssl_key_password")))?;
        if identity.key.contains("ENCRYPTED")
            && let Some(password) = given.get("ssl_key_password")
        {
            config.set("ssl.key.password", password);
        }
        config.set("ssl.key.pem", identity.key).set("ssl.certificate.pem", identity.chain);
    }
    let option = "ssl_endpoint_identification_algorithm";
    let algorithm = match given.get(option).unwrap_or("https") {
        "" => "none",
        text if text.eq_ignore_ascii_case("https") => "https",
        other => {
            return Err(Refusal::new(
                option,
                format!("{other:?} is not known; \"https\" checks the broker's name, \"\" does not"),
            ));
        }
    };
    config.set("ssl.endpoint.identification.algorithm", algorithm);
    Ok(())
}

fn sasl(given: &Given, client: &mut Client) -> Result<(), Refusal> {
    let mechanism = given.get("sasl_mechanism").unwrap_or("GSSAPI");
    warn_of_other_mechanisms(given, mechanism, client);
    let refuse = |reason: &str| Err(Refusal::new("sasl_mechanism", reason));
    match mechanism {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => {
            let (option, module) = login_module(given)?.ok_or_else(|| {
                let example = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"...\" password=\"...\";";
                Refusal::new("sasl_jaas_config", format!("{mechanism} needs a user name and password, e.g. '{example}'"))
            })?;
            password_login(option, &module, client)?;
        }
        "GSSAPI" => kerberos(given, client)?,
        "OAUTHBEARER" => {
            let (option, module) = login_module(given)?.ok_or_else(|| {
                let example = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"...\" clientSecret=\"...\";";
                Refusal::new("sasl_jaas_config", format!("OAUTHBEARER needs a login module, e.g. '{example}'"))
            })?;
            client.tokens = Some(Tokens::read(given, (option, &module), &mut client.warnings)?);
        }
        "AWS_MSK_IAM" => {
            return refuse("it needs Amazon's Java classes; use SCRAM-SHA-512, which MSK offers as well");
        }
        other => {
            let known = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER";
            return refuse(&format!("{other:?} is not known; use {known}"));
        }
    }
    client.config.set("sasl.mechanism", mechanism);
    Ok(())
}

/// Options that belong to another mechanism than the one that is set.
fn warn_of_other_mechanisms(given: &Given, mechanism: &str, client: &mut Client) {
    let kerberos = ["sasl_kerberos_service_name"].into_iter().filter(|_| mechanism != "GSSAPI");
    let of_tokens = OPTIONS_OF_ENDPOINTS.into_iter().chain(["sasl_login_callback_handler_class"]);
    let idle = changed(given, kerberos.chain(of_tokens.filter(|_| mechanism != "OAUTHBEARER")));
    let why = format!("sasl_mechanism is \"{mechanism}\"");
    client.warnings.extend(idle.map(|option| Warning::NoEffect(option, why.clone())));
}

/// The login module of `sasl_jaas_config`, which comes first as in the Java client, or of the file `jaas_path`.
fn login_module(given: &Given) -> Result<Option<(&'static str, LoginModule)>, Refusal> {
    if let Some(text) = given.get("sasl_jaas_config") {
        let option = "sasl_jaas_config";
        return jaas::parse_inline(text)
            .map(|module| Some((option, module)))
            .map_err(|why| Refusal::new(option, why));
    }
    let Some(path) = given.get("jaas_path") else { return Ok(None) };
    let option = "jaas_path";
    let text =
        fs::read_to_string(path).map_err(|why| Refusal::new(option, format!("cannot read {path}: {why}")))?;
    jaas::parse_file(&text)
        .map(|module| Some((option, module)))
        .map_err(|why| Refusal::new(option, format!("{path}: {why}")))
}

fn password_login(option: &'static str, module: &LoginModule, client: &mut Client) -> Result<(), Refusal> {
    if !matches!(module.name(), "PlainLoginModule" | "ScramLoginModule") {
        let known = "PlainLoginModule and ScramLoginModule are";
        return Err(Refusal::new(
            option,
            format!("login module {} is not supported, {known}", module.class()),
        ));
    }
    if module.is_true("tokenauth") {
        return Err(Refusal::new(
            option,
            "delegation tokens (tokenauth) are not supported; use a user name and password",
        ));
    }
    for (name, property) in [("username", "sasl.username"), ("password", "sasl.password")] {
        let value = module
            .option(name)
            .ok_or_else(|| Refusal::new(option, format!("the login module has no {name}")))?;
        client.config.set(property, value);
    }
    Ok(())
}

fn kerberos(given: &Given, client: &mut Client) -> Result<(), Refusal> {
    if let Some((option, module)) = login_module(given)?
        && matches!(module.name(), "PlainLoginModule" | "ScramLoginModule")
    {
        let reason = format!(
            "it is GSSAPI, the default, but {option} has a {}: set PLAIN or SCRAM-SHA-256",
            module.name()
        );
        return Err(Refusal::new("sasl_mechanism", reason));
    }
    if cfg!(not(feature = "gssapi")) {
        let reason = "GSSAPI (Kerberos), the default, is not in this build: set PLAIN or SCRAM-SHA-512, or build with --features gssapi";
        return Err(Refusal::new("sasl_mechanism", reason));
    }
    let module = login_module(given)?;
    let from_module = |name: &str| module.as_ref().and_then(|(_, module)| module.option(name));
    let Some(service) = given.get("sasl_kerberos_service_name").or_else(|| from_module("serviceName")) else {
        let reason = "it must be given when sasl_mechanism is GSSAPI, e.g. \"kafka\"";
        return Err(Refusal::new("sasl_kerberos_service_name", reason));
    };
    let config = &mut client.config;
    config.set("sasl.kerberos.service.name", service);
    if let Some(principal) = from_module("principal") {
        config.set("sasl.kerberos.principal", principal);
    }
    match from_module("keyTab") {
        Some(keytab) => _ = config.set("sasl.kerberos.keytab", keytab),
        // The ticket cache of the user is used as it is; no kinit is run.
        None => {
            _ = config.set("sasl.kerberos.min.time.before.relogin", "0").set("sasl.kerberos.kinit.cmd", "")
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::kafka::client::{Client, configure};
    use crate::kafka::options::Plugin;
    use crate::kafka::{Given, Refusal, Warning};

    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required username='alice' password='s3cret';";

    fn fixture(name: &str) -> String {
        format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn with(options: &[(&'static str, &str)]) -> Result<Client, Vec<Refusal>> {
        let mut given = Given::default();
        for (option, value) in options {
            given.set(option, (*value).to_owned());
        }
        configure(Plugin::Output, &given)
    }

    #[test]
    fn password_logins_reach_the_client() {
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let options = [
                ("security_protocol", "SASL_PLAINTEXT"),
                ("sasl_mechanism", mechanism),
                ("sasl_jaas_config", PLAIN),
            ];
            let config = with(&options).unwrap_or_else(|e| panic!("{e:?}")).config;
            assert_eq!(config.get("security.protocol"), Some("sasl_plaintext"));
            assert_eq!(config.get("sasl.mechanism"), Some(mechanism));
            assert_eq!(
                (config.get("sasl.username"), config.get("sasl.password")),
                (Some("alice"), Some("s3cret"))
            );
        }
    }

    #[test]
    fn stores_reach_the_client() {
        let trust = fixture("trust.jks");
        let key = fixture("client.pem");
        let options = [
            ("security_protocol", "SSL"),
            ("ssl_truststore_location", trust.as_str()),
            ("ssl_truststore_password", "store-secret"),
            ("ssl_keystore_location", &key),
            ("ssl_keystore_type", "PEM"),
            ("ssl_key_password", "key-secret"),
            ("ssl_endpoint_identification_algorithm", ""),
        ];
        let config = with(&options).unwrap_or_else(|e| panic!("{e:?}")).config;
        assert!(config.get("ssl.ca.pem").is_some_and(|pem| pem.contains("BEGIN CERTIFICATE")));
        assert!(config.get("ssl.key.pem").is_some_and(|pem| pem.contains("ENCRYPTED")));
        assert_eq!(config.get("ssl.key.password"), Some("key-secret"));
        assert_eq!(config.get("ssl.endpoint.identification.algorithm"), Some("none"));
        config.create_native_config().expect("librdkafka takes it");
    }

    #[test]
    fn what_is_wrong_is_refused_by_its_option_without_secrets() {
        let sasl = ("security_protocol", "SASL_SSL");
        let plain = ("sasl_mechanism", "PLAIN");
        let no_user = "a.PlainLoginModule required password='s3cret';";
        let foreign = "software.amazon.msk.auth.iam.IAMLoginModule required;";
        let cases: &[(&[(&'static str, &str)], &str)] = &[
            (&[sasl, plain], "sasl_jaas_config"),
            (&[sasl, plain, ("sasl_jaas_config", no_user)], "sasl_jaas_config"),
            (
                &[sasl, plain, ("sasl_jaas_config", "PlainLoginModule required password='s3cret'")],
                "sasl_jaas_config",
            ),
            (&[sasl, plain, ("sasl_jaas_config", foreign)], "sasl_jaas_config"),
            (&[sasl, plain, ("jaas_path", "/nowhere/jaas.conf")], "jaas_path"),
            (&[sasl, ("sasl_jaas_config", PLAIN)], "sasl_mechanism"),
            (&[sasl, ("sasl_mechanism", "OAUTHBEARER")], "sasl_jaas_config"),
            (&[sasl, ("sasl_mechanism", "OAUTHBEARER"), ("sasl_jaas_config", PLAIN)], "sasl_jaas_config"),
            (
                &[
                    sasl,
                    plain,
                    ("sasl_jaas_config", PLAIN),
                    ("sasl_login_callback_handler_class", "com.example.Login"),
                ],
                "sasl_login_callback_handler_class",
            ),
            (
                &[("security_protocol", "SSL"), ("ssl_truststore_location", "/nowhere/t.jks")],
                "ssl_truststore_location",
            ),
            (
                &[("security_protocol", "SSL"), ("ssl_endpoint_identification_algorithm", "LDAPS")],
                "ssl_endpoint_identification_algorithm",
            ),
        ];
        for (options, blamed) in cases {
            let refusals = with(options).err().unwrap_or_else(|| panic!("{options:?} is accepted"));
            assert_eq!(
                refusals.iter().map(|refusal| refusal.option).collect::<Vec<_>>(),
                [*blamed],
                "{options:?}"
            );
            assert!(!refusals[0].reason.contains("s3cret"), "{}", refusals[0]);
        }
    }

    #[test]
    fn bearer_tokens_need_no_more_than_the_login_module() {
        let module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                      unsecuredLoginStringClaim_sub=\"alice\";";
        let options = [
            ("security_protocol", "SASL_PLAINTEXT"),
            ("sasl_mechanism", "OAUTHBEARER"),
            ("sasl_jaas_config", module),
        ];
        let client = with(&options).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(client.config.get("sasl.mechanism"), Some("OAUTHBEARER"));
        let token = client.tokens.expect("a source of tokens").get(&|| false).expect("a token");
        assert_eq!(token.principal_name, "alice");
        client.config.create_native_config().expect("librdkafka takes it");
    }

    #[test]
    fn options_of_other_mechanisms_are_told() {
        let options = [
            ("security_protocol", "SASL_PLAINTEXT"),
            ("sasl_mechanism", "PLAIN"),
            ("sasl_jaas_config", PLAIN),
            ("sasl_kerberos_service_name", "kafka"),
            ("sasl_login_read_timeout_ms", "5000"),
            ("sasl_login_retry_backoff_ms", "100"),
        ];
        let client = with(&options).unwrap_or_else(|e| panic!("{e:?}"));
        let told: Vec<_> = client.warnings.iter().map(Warning::option).collect();
        assert_eq!(told, ["sasl_kerberos_service_name", "sasl_login_read_timeout_ms"]);
    }

    #[test]
    fn options_without_effect_are_told() {
        let options =
            [("sasl_jaas_config", PLAIN), ("sasl_mechanism", "GSSAPI"), ("ssl_truststore_type", "JKS")];
        let client = with(&options).unwrap_or_else(|e| panic!("{e:?}"));
        let told: Vec<_> = client.warnings.iter().map(Warning::option).collect();
        assert_eq!(told, ["ssl_truststore_type", "sasl_jaas_config"], "the mechanism has its default");
    }
}
