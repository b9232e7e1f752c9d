//! What configs are refused, and for which option.

use super::*;

/// The errors of a config.
fn errors(plugin: &str, options: &str, context: &Context) -> Vec<String> {
    match testkit::output(&format!("output {{ {plugin} {{ {options} }} }}"), context) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.into_iter().filter(|problem| problem.is_error()).map(|problem| problem.message).collect()
        }
    }
}

#[test]
fn contradictions_blame_an_option() {
    for (option, config) in [
        ("action", "action => upsert"),
        ("action", "index => 'x' action => update"),
        ("version_type", "index => 'x' version_type => external"),
        ("version_type", "index => 'x' version_type => external_gt version => 1 action => create"),
        ("scripted_upsert", "index => 'x' doc_as_upsert => true scripted_upsert => true"),
        ("script_type", "index => 'x' script => 'a' script_type => file"),
        ("parent", "index => 'x' parent => 1"),
        ("api_key", "api_key => 'a:b'"),
        ("api_key", "hosts => 'https://a' api_key => 'no key'"),
        ("api_key", "hosts => 'https://a' api_key => 'a:b' user => 'x'"),
        ("cloud_auth", "cloud_auth => 'a:b' user => 'x'"),
        ("cloud_auth", "cloud_auth => 'ab'"),
        ("cloud_id", "cloud_id => 'x' hosts => 'a'"),
        ("cloud_id", "cloud_id => 'x'"),
        ("hosts", "hosts => 'http://a' ssl_enabled => true"),
        ("hosts", "hosts => ['http://a:1', 'https://b:1']"),
        ("path", "hosts => 'http://a/x' path => 'y'"),
        ("compression_level", "compression_level => 10"),
        ("http_compression", "compression_level => 1 http_compression => true"),
        ("dlq_custom_codes", "dlq_custom_codes => [404]"),
        ("template", "index => 'x' template => '/nowhere/t.json'"),
        ("ca_trusted_fingerprint", "ca_trusted_fingerprint => 'abc'"),
        ("ssl_truststore_path", "hosts => 'https://a' cacert => '/nowhere' truststore => '/nowhere'"),
        ("ssl_certificate_authorities", "hosts => 'https://a' cacert => '/nowhere'"),
        ("data_stream_dataset", "data_stream_dataset => 'a/b'"),
        ("data_stream_namespace", "index => 'x' data_stream_namespace => 'b'"),
        ("data_stream_type", "data_stream => false data_stream_type => logs"),
        ("index", "data_stream => true index => 'x'"),
        ("ilm_enabled", "data_stream => true ilm_enabled => false"),
        ("proxy", "proxy => 'no url at all'"),
        ("custom_headers", "custom_headers => { 'a b' => 'c' }"),
    ] {
        let found = errors("elasticsearch", config, &testkit::context());
        let blamed = format!("option \"{option}\" of the elasticsearch output");
        assert!(found.iter().any(|message| message.starts_with(&blamed)), "{config}: {found:?}");
    }
    for (option, config) in [
        ("auth_type", "auth_type => { type => aws_iam }"),
        ("auth_type", "auth_type => { type => basic }"),
        ("cacert", "hosts => 'https://a' cacert => '/nowhere'"),
        ("tls_key", "hosts => 'https://a' tls_key => '/nowhere' ssl_certificate_verification => false"),
    ] {
        let found = errors("opensearch", config, &testkit::context());
        let blamed = format!("option \"{option}\" of the opensearch output");
        assert!(found.iter().any(|message| message.starts_with(&blamed)), "{config}: {found:?}");
    }
    // Options of the other plugin are no options of this one.
    assert!(errors("opensearch", "cloud_id => 'x'", &testkit::context())[0].contains("unknown option"));
}

#[test]
fn data_streams_need_ecs() {
    let found = errors("elasticsearch", "data_stream => true", &testkit::legacy_context());
    assert!(found[0].contains("ecs_compatibility"), "{found:?}");
    assert!(errors("elasticsearch", "data_stream => auto", &testkit::legacy_context()).is_empty());
    assert!(
        errors("elasticsearch", "data_stream => true ecs_compatibility => v1", &testkit::legacy_context())
            .is_empty()
    );
}

#[test]
fn usual_configs_are_taken() {
    for config in [
        "",
        "hosts => 'https://a:1' cacert => [] ssl_certificate_verification => false user => 'a' password => 'b'",
        "hosts => ['a', 'b:9201'] index => 'x-%{+yyyy}' document_id => '%{fingerprint}' action => create",
        "data_stream => true action => create pipeline => 'p' routing => 'r' manage_template => false",
        "cloud_id => 'l:aG9zdCRhYmMkZGVm' cloud_auth => 'u:p' ssl_verification_mode => none",
        "hosts => 'https://a' ssl_verification_mode => none api_key => 'id:key' ssl_supported_protocols => ['TLSv1.3']",
        "proxy => '' parameters => { 'a' => [1, 2] }",
    ] {
        assert_eq!(errors("elasticsearch", config, &testkit::context()), [""; 0], "{config}");
    }
    let auth = "auth_type => { type => 'basic' user => 'a' password => 'b' } ssl => true ssl_certificate_verification => false";
    assert_eq!(errors("opensearch", auth, &testkit::context()), [""; 0]);
}

#[test]
fn secrets_are_not_shown() {
    let config = "hosts => 'http://u:hidden@a b:x' password => hidden cloud_auth => hidden api_key => hidden";
    let found = errors("elasticsearch", config, &testkit::context());
    assert!(!found.is_empty() && !format!("{found:?}").contains("hidden"), "{found:?}");
}
