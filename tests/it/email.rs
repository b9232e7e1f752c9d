//! The email output and an SMTP server that is not ours: what the server took, read by another library for mail.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::kafka::program::Rstash;
use crate::peer::{Peer, free_port, lines_of, wait_until};
use crate::shared::missing;
use crate::tls::Authority;

/// Debian's own interpreter, which has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

struct Server {
    peer: Peer,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// `None` where there is no aiosmtpd.
    fn start(mode: &str, identity: Option<&(String, String)>) -> Option<Self> {
        let found = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).output();
        if !found.is_ok_and(|output| output.status.success()) {
            missing("no aiosmtpd for /usr/bin/python3 (python3-aiosmtpd)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/email/server.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).arg(port.to_string()).arg(folder.path().join("mails")).arg(mode);
        if let Some((key, certificate)) = identity {
            command.args([certificate, key]);
        }
        let mut peer = Peer::start_with(&mut command, folder.path());
        peer.wait_for_port(port);
        Some(Server { peer, port, folder })
    }

    /// Waits for so many mails.
    fn mails(&self, count: usize) -> Vec<Value> {
        let path = self.folder.path().join("mails");
        wait_until(&format!("{count} mails; {}", self.peer.log()), || lines_of(&path).len() >= count);
        lines_of(&path).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// A pipeline that makes mails of these documents, one after the other.
fn config(port: u16, documents: &[&str], options: &str) -> String {
    let lines: Vec<_> = documents.iter().map(|document| format!("'{document}'")).collect();
    format!(
        "input {{ generator {{ count => 1 codec => json lines => [{}] ecs_compatibility => disabled }} }}
         output {{ email {{ address => 'localhost' port => {port} {options} }} }}",
        lines.join(", ")
    )
}

#[test]
fn a_mail_with_all_its_parts() {
    let Some(server) = Server::start("plain", None) else { return };
    let attachment = server.folder.path().join("report.csv");
    std::fs::write(&attachment, "a,b\n1,2\n").expect("written");
    let template = server.folder.path().join("mail.mustache");
    std::fs::write(&template, "<h1>{{name}}</h1>{{#items}}<li>{{.}}</li>{{/items}}").expect("written");
    let options = format!(
        "to => 'Ann <ann@example.org>, bob@example.org' from => 'alert@%{{domain}}' cc => 'carl@example.org'
         bcc => 'eve@example.org' replyto => 'desk@example.org' subject => 'Störung: %{{name}}'
         body => 'first %{{name}}\\nsecond' template_file => '{}' attachments => ['{}'] domain => 'mx.example.org'",
        template.display(),
        attachment.display()
    );
    let document = r#"{"name":"<disk>","domain":"example.com","items":[1,"a & b"]}"#;
    let rstash = Rstash::start(&config(server.port, &[document], &options));
    let mails = server.mails(1);
    let mail = &mails[0];
    assert_eq!(mail["hello"], "mx.example.org");
    assert_eq!(mail["from"], "alert@example.com");
    let everyone = ["ann@example.org", "bob@example.org", "carl@example.org", "eve@example.org"];
    assert_eq!(mail["to"], serde_json::json!(everyone));
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "Störung: <disk>");
    assert_eq!(headers["to"], "Ann <ann@example.org>, bob@example.org");
    assert_eq!(headers["cc"], "carl@example.org");
    assert_eq!(headers["reply-to"], "desk@example.org");
    assert!(headers["bcc"].is_null() && headers["date"].is_string(), "{headers}");
    assert!(headers["message-id"].as_str().is_some_and(|id| id.ends_with("@mx.example.org>")), "{headers}");
    assert_eq!(mail["type"], "multipart/mixed");
    let parts = mail["parts"].as_array().expect("parts");
    let shown: Vec<_> = parts
        .iter()
        .map(|part| (part["type"].as_str(), part["content"].as_str().map(str::trim_end)))
        .collect();
    assert_eq!(
        shown,
        [
            (Some("text/plain"), Some("first <disk>\nsecond")),
            (Some("text/html"), Some("<h1>&lt;disk&gt;</h1><li>1</li><li>a &amp; b</li>")),
            (Some("text/csv"), Some("a,b\n1,2")),
        ]
    );
    assert_eq!(parts[2]["file"], "report.csv");
    assert!(rstash.wait().success(), "{}", rstash.log());
}

#[test]
fn text_alone_and_text_with_html() {
    let Some(server) = Server::start("plain", None) else { return };
    let documents = [r#"{"to":["a@example.org","b@example.org"],"n":1}"#];
    let plain = "to => '%{to}' subject => 'Hello World' body => 'Line1\\nLine2\\nLine3'";
    assert!(Rstash::start(&config(server.port, &documents, plain)).wait().success());
    let html = "to => 'a@example.org' body => 'plain %{n}' htmlbody => '<b>%{n}</b>'";
    assert!(Rstash::start(&config(server.port, &documents, html)).wait().success());
    let mails = server.mails(2);
    assert_eq!(mails[0]["to"], serde_json::json!(["a@example.org", "b@example.org"]));
    assert_eq!(mails[0]["type"], "text/plain");
    assert_eq!(mails[0]["parts"][0]["content"].as_str().map(str::trim_end), Some("Line1\nLine2\nLine3"));
    assert_eq!(mails[1]["type"], "multipart/alternative");
    let parts = mails[1]["parts"].as_array().expect("parts");
    let shown: Vec<_> = parts.iter().map(|part| part["content"].as_str().map(str::trim_end)).collect();
    assert_eq!(shown, [Some("plain 1"), Some("<b>1</b>")]);
}

#[test]
fn every_way_to_log_in() {
    let Some(server) = Server::start("auth", None) else { return };
    for (ways, count) in [("plain", 1), ("login", 2), ("cram_md5", 3)] {
        let options = format!(
            "to => 'a@example.org' username => 'ann' password => 'open sesame' authentication => '{ways}'"
        );
        let rstash = Rstash::start(&config(server.port, &[r#"{"n":1}"#], &options));
        let mails = server.mails(count);
        assert_eq!(mails[count - 1]["as"], ways);
        assert_eq!(mails[count - 1]["encrypted"], false);
        assert!(rstash.wait().success(), "{}", rstash.log());
    }
    // A wrong password is said, without the password, and the mail waits.
    let wrong = "to => 'a@example.org' username => 'ann' password => 'close sesame'";
    let rstash = Rstash::start(&config(server.port, &[r#"{"n":1}"#], wrong));
    rstash.wait_for_log("could not log in as");
    assert!(rstash.is_running() && !rstash.log().contains("close sesame"), "{}", rstash.log());
}

#[test]
fn encrypted_by_starttls_with_a_certificate_that_is_checked() {
    let authority = Authority::new();
    let identity = authority.issue("localhost");
    let Some(server) = Server::start("tls", Some(&identity)) else { return };
    let options =
        "to => 'a@example.org' use_tls => true username => 'ann' password => 'open sesame' debug => true";
    let config = config(server.port, &[r#"{"n":1}"#], options);
    let rstash = Rstash::start_with(&config, &[("SSL_CERT_FILE", &authority.path())]);
    let mails = server.mails(1);
    assert_eq!((&mails[0]["encrypted"], &mails[0]["as"]), (&true.into(), &"plain".into()));
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert!(rstash.log().contains("taken"), "{}", rstash.log());
    // Another authority: nothing is sent.
    let other = Authority::new();
    let rstash = Rstash::start_with(&config, &[("SSL_CERT_FILE", &other.path())]);
    rstash.wait_for_log("certificate");
    drop(rstash);
    assert_eq!(server.mails(1).len(), 1);
}

#[test]
fn mails_are_never_sent_in_the_open_where_tls_is_asked_for() {
    let Some(server) = Server::start("plain", None) else { return };
    let rstash =
        Rstash::start(&config(server.port, &[r#"{"n":1}"#], "to => 'a@example.org' use_tls => true"));
    rstash.wait_for_log("STARTTLS");
    drop(rstash);
    assert!(lines_of(&server.folder.path().join("mails")).is_empty());
}

#[test]
fn what_is_refused_for_now_is_sent_later_and_what_is_refused_for_good_is_given_up() {
    let Some(server) = Server::start("plain", None) else { return };
    let documents =
        [r#"{"to":"nobody@example.org"}"#, r#"{"to":"later@example.org"}"#, r#"{"to":"ann@example.org"}"#];
    let rstash = Rstash::start(&config(server.port, &documents, "to => '%{to}' subject => 'x'"));
    let mails = server.mails(2);
    assert_eq!(rstash.wait().code(), Some(1), "a mail was given up: {}", rstash.log());
    let mut to: Vec<_> = mails.iter().map(|mail| mail["to"][0].as_str().expect("text").to_owned()).collect();
    to.sort();
    assert_eq!(to, ["ann@example.org", "later@example.org"]);
    assert!(rstash.log().contains("no such user here"), "{}", rstash.log());
}
