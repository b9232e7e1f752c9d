//! What is made of events, and what is refused; mails to a real server are sent in the integration tests.

use lettre::message::Mailbox;

use super::*;
use crate::plugin::testkit;

fn built(options: &str) -> Result<Box<dyn Output>, String> {
    let config = format!("output {{ email {{ {options} }} }}");
    testkit::output(&config, &testkit::context())
        .map_err(|problems| problems.iter().map(|problem| problem.message.clone()).collect())
}

#[test]
fn the_digest_of_the_specification() {
    // The example of RFC 2195.
    let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
    assert_eq!(smtp::cram_md5(b"tanstaaftanstaaf", challenge), "b913a602c7eda7a495b4e6e7334d3890");
}

#[test]
fn what_cannot_be_is_said_at_start() {
    for (options, expected) in [
        ("to => 'no address'", "\"no address\" is no list of mail addresses"),
        ("to => 'a@example.org' from => '@'", "\"from\""),
        ("to => 'a@example.org' username => 'u'", "it needs a password"),
        ("to => 'a@example.org' authentication => 'ntlm'", "expected one of"),
        ("to => 'a@example.org' via => 'pigeon'", "expected one of"),
        ("to => 'a@example.org' template_file => '/none'", "cannot read /none"),
        ("subject => 'x'", "missing required option \"to\""),
    ] {
        let refused = built(options).err().unwrap_or_default();
        assert!(refused.contains(expected), "{options}: {refused}");
    }
    assert!(built("to => 'a@example.org, B <b@example.org>' cc => '%{cc}'").is_ok());
}

#[test]
fn secrets_stay_secret() {
    let refused = built("to => 'x' username => 'u' password => 'hunter2'").err().unwrap_or_default();
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_mail_whose_addresses_are_none_is_given_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let output = built("to => '%{to}' port => 1 address => '127.0.0.1'").unwrap();
    let delivery = runtime.block_on(output.deliver(&[&testkit::event("{}")]));
    assert!(delivery.dead[0].reason.contains("%{to}"), "{delivery:?}");
    // Nobody listens there: the mails wait.
    let events = [&testkit::event(r#"{"to":["a@example.org","b@example.org"]}"#), &testkit::event("{}")];
    let delivery = runtime.block_on(output.deliver(&events));
    assert_eq!((delivery.retry.len(), delivery.dead.len()), (2, 0), "{delivery:?}");
}

#[test]
fn subjects_cannot_bring_headers_along() {
    let letter = Letter {
        from: crate::event::Template::parse("a@example.org"),
        to: crate::event::Template::parse("b@example.org"),
        reply_to: None,
        cc: None,
        bcc: Some(crate::event::Template::parse("hidden@example.org")),
        subject: crate::event::Template::parse("%{subject}"),
        text: crate::event::Template::parse("one\\ntwo"),
        html: None,
        attachments: Vec::new(),
        domain: "example.org".into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let event = testkit::event(r#"{"subject":"hello\r\nBcc: eve@example.org"}"#);
    let mail = runtime.block_on(letter.write(&event)).unwrap();
    let text = String::from_utf8(mail.formatted()).unwrap();
    assert!(text.contains("Subject: hello") && !text.contains("\r\nBcc:"), "{text}");
    assert!(text.trim_end().ends_with("\r\n\r\none\r\ntwo"), "{text}");
    let to: Vec<_> = mail.envelope().to().iter().map(ToString::to_string).collect();
    assert_eq!(to, ["b@example.org", "hidden@example.org"]);
    let from: Mailbox = "a@example.org".parse().unwrap();
    assert_eq!(mail.envelope().from(), Some(&from.email));
}
