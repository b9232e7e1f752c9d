//! syslog to and from the two daemons that most machines run, and logger(1).

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::kafka::program::Rstash;
use crate::peer::{Peer, find, free_port, lines_of, wait_until};
use crate::shared::missing;
use crate::tls::Authority;

/// What the daemons write of each message that they receive.
const RSYSLOG_FORMAT: &str =
    "%pri%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg:::drop-last-lf%";
const SYSLOG_NG_FORMAT: &str = "${PRI}|${HOST}|${PROGRAM}|${PID}|${MSGID}|${SDATA}|${MSG}";

/// A daemon, which takes local messages at a socket as well.
struct Daemon {
    peer: Peer,
    folder: TempDir,
}

impl Daemon {
    fn socket(&self) -> PathBuf {
        self.folder.path().join("in.sock")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// What it wrote, once there is so much of it.
    fn lines(&self, count: usize) -> Vec<String> {
        wait_until(&format!("{count} messages: {}", self.peer.log()), || {
            lines_of(&self.out()).len() >= count
        });
        lines_of(&self.out())
    }

    /// Hands it a local message.
    fn log(&self, text: &str) {
        let Some(logger) = find("logger") else { return };
        wait_until("its socket is there", || self.socket().exists());
        let status = Command::new(logger)
            .arg("--socket")
            .arg(self.socket())
            .args(["--tag", "unit", "--id=77", "--priority", "mail.warning", "--", text])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "logger");
    }
}

/// rsyslogd with these lines in its config; `OUT` and `FOLDER` stand for paths.
fn rsyslogd(rules: &str) -> Option<Daemon> {
    let program = find("rsyslogd")?;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    let rules = rules.replace("OUT", &format!("{place}/out")).replace("FOLDER", &place.to_string());
    let config = format!(
        "global(workDirectory=\"{place}\")
template(name=\"seen\" type=\"string\" string=\"{RSYSLOG_FORMAT}\\n\")
{rules}\n"
    );
    let path = folder.path().join("rsyslog.conf");
    std::fs::write(&path, config).expect("written");
    let arguments = ["-n", "-iNONE", "-f"].map(PathBuf::from);
    let peer = Peer::start(&program, arguments.into_iter().chain([path]), folder.path());
    Some(Daemon { peer, folder })
}

/// The same with syslog-ng, which may be unpacked anywhere: Debian installs one of the two alone.
fn syslog_ng(rules: &str) -> Option<Daemon> {
    let unpacked = std::env::var_os("RSTASH_SYSLOG_NG").map(PathBuf::from);
    let program = match &unpacked {
        Some(root) => root.join("usr/sbin/syslog-ng"),
        None => match find_quietly("/usr/sbin/syslog-ng") {
            Some(program) => program,
            None => {
                missing(
                    "no syslog-ng (unpack Debian's syslog-ng-core and set RSTASH_SYSLOG_NG to that folder)",
                );
                return None;
            }
        },
    };
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    let rules = rules.replace("OUT", &format!("{place}/out")).replace("FOLDER", &place.to_string());
    let config = format!("@version: 3.38\noptions {{ keep-hostname(yes); }};\n{rules}\n");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("syslog-ng.conf"), config).expect("written");
    let mut command = Command::new(program);
    command.args(["--foreground", "--no-caps", "--cfgfile"]).arg(file("syslog-ng.conf"));
    command.arg("--persist-file").arg(file("persist")).arg("--control").arg(file("control"));
    command.arg("--pidfile").arg(file("pid"));
    if let Some(root) = unpacked {
        let libraries = root.join("usr/lib/syslog-ng");
        let modules = std::fs::read_dir(&libraries).expect("its libraries").filter_map(Result::ok);
        let modules = modules.map(|entry| entry.path()).find(|path| path.is_dir()).expect("its modules");
        command.env("LD_LIBRARY_PATH", &libraries).arg("--module-path").arg(modules);
    }
    let peer = Peer::start_with(&mut command, folder.path());
    Some(Daemon { peer, folder })
}

fn find_quietly(path: &str) -> Option<PathBuf> {
    Path::new(path).is_file().then(|| path.into())
}

/// The inputs that listen for what daemons send: syslog of both specifications, tcp and udp as they come.
struct Inputs {
    rstash: Rstash,
    rfc3164: u16,
    rfc5424: u16,
    tcp: u16,
    udp: u16,
}

impl Inputs {
    fn start() -> Self {
        let (rfc3164, rfc5424, tcp, udp) = (free_port(), free_port(), free_port(), free_port());
        let seen = "%{type}|%{[log][syslog][priority]}|%{[host][hostname]}|%{[process][name]}|%{[process][pid]}|%{message}";
        let rstash = Rstash::start(&format!(
            "input {{
               syslog {{ host => '127.0.0.1' port => {rfc3164} type => rfc3164 }}
               syslog {{ host => '127.0.0.1' port => {rfc5424} type => rfc5424 grok_pattern => '%{{SYSLOG5424LINE}}' }}
               tcp {{ host => '127.0.0.1' port => {tcp} type => tcp }}
               udp {{ host => '127.0.0.1' port => {udp} type => udp }}
             }}
             output {{ file {{ path => '{{out}}' codec => line {{ format => '{seen}' }} }} }}"
        ));
        for (what, count) in
            [("listening for syslog", 2), ("listening for connections", 1), ("listening for datagrams", 1)]
        {
            rstash.wait_for(what, count, || rstash.log().matches(what).count());
        }
        Inputs { rstash, rfc3164, rfc5424, tcp, udp }
    }

    /// What came, sorted, once there is so much of it. A message that ends its line itself, as by TCP, stands before an
    /// empty one.
    fn seen(&self, count: usize) -> Vec<String> {
        let lines = || self.rstash.lines().into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>();
        self.rstash.wait_for("messages", count, || lines().len());
        let mut lines = lines();
        lines.sort();
        lines
    }
}

/// Checks what came of one message of [`Daemon::log`] that was sent six ways.
fn check_seen(inputs: &Inputs, text: &str) {
    let seen = inputs.seen(6);
    let hosts: Vec<_> = seen.iter().filter_map(|line| line.split('|').nth(2)).collect();
    let host = hosts.iter().find(|host| !host.starts_with('%')).expect("a host");
    // mail.warning is 2 * 8 + 4.
    let parsed = |kind: &str| format!("{kind}|20|{host}|unit|77|{text}");
    assert_eq!(seen[0], parsed("rfc3164"), "{seen:?}");
    assert_eq!(seen[1], parsed("rfc3164"), "{seen:?}");
    assert_eq!(seen[2], parsed("rfc5424"), "{seen:?}");
    assert_eq!(seen[3], parsed("rfc5424"), "{seen:?}");
    for (line, kind) in [(&seen[4], "tcp"), (&seen[5], "udp")] {
        let raw = line.rsplit('|').next().expect("a message");
        assert!(line.starts_with(kind) && raw.starts_with("<20>"), "{line}");
        assert!(raw.trim_end().ends_with(&format!("{host} unit[77]: {text}")), "{line}");
    }
}

#[test]
fn rsyslogd_sends() {
    if find("logger").is_none() {
        return;
    }
    let inputs = Inputs::start();
    let forward = |port: u16, protocol: &str, template: &str| {
        format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"{protocol}\" template=\"{template}\")\n"
        )
    };
    let (old, new) = ("RSYSLOG_TraditionalForwardFormat", "RSYSLOG_SyslogProtocol23Format");
    let rules = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"FOLDER/in.sock\")\n{}{}{}{}{}{}",
        forward(inputs.rfc3164, "udp", old),
        forward(inputs.rfc3164, "tcp", old),
        forward(inputs.rfc5424, "udp", new),
        forward(inputs.rfc5424, "tcp", new),
        forward(inputs.tcp, "tcp", old),
        forward(inputs.udp, "udp", old),
    );
    let Some(daemon) = rsyslogd(&rules) else { return };
    daemon.log("disk 90% full: ärgerlich");
    check_seen(&inputs, "disk 90% full: ärgerlich");
}

#[test]
fn syslog_ng_sends() {
    if find("logger").is_none() {
        return;
    }
    let inputs = Inputs::start();
    let network = |port: u16, transport: &str, flags: &str| {
        format!("network(\"127.0.0.1\" port({port}) transport(\"{transport}\") {flags});\n")
    };
    let new = "flags(syslog-protocol)";
    let rules = format!(
        "source s {{ unix-dgram(\"FOLDER/in.sock\"); }};\ndestination d {{ {}{}{}{}{}{} }};\nlog {{ source(s); destination(d); }};",
        network(inputs.rfc3164, "udp", ""),
        network(inputs.rfc3164, "tcp", ""),
        network(inputs.rfc5424, "udp", new),
        network(inputs.rfc5424, "tcp", new),
        network(inputs.tcp, "tcp", ""),
        network(inputs.udp, "udp", ""),
    );
    let Some(daemon) = syslog_ng(&rules) else { return };
    daemon.log("disk 90% full: ärgerlich");
    check_seen(&inputs, "disk 90% full: ärgerlich");
}

#[test]
fn logger_sends() {
    let Some(logger) = find("logger") else { return };
    let inputs = Inputs::start();
    for (port, options) in [
        (inputs.rfc3164, ["--udp", "--rfc3164"]),
        (inputs.rfc3164, ["--tcp", "--rfc3164"]),
        (inputs.rfc5424, ["--udp", "--rfc5424"]),
        (inputs.rfc5424, ["--tcp", "--rfc5424"]),
        (inputs.tcp, ["--tcp", "--rfc3164"]),
        (inputs.udp, ["--udp", "--rfc3164"]),
    ] {
        let status = Command::new(&logger)
            .args(["--server", "127.0.0.1", "--port", &port.to_string()])
            .args(options)
            .args(["--tag", "unit", "--id=77", "--priority", "mail.warning", "--", "hello there"])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{options:?}");
    }
    check_seen(&inputs, "hello there");
}

/// What our output sends: three events that each use something else of it.
fn outputs(options: &str) -> String {
    let documents = [
        r#"{"n":1,"host":"web1","message":"first: ä","facility":"mail","severity":"warning","app":"shop","pid":"12"}"#,
        r#"{"n":2,"host":"web2","message":"two\nlines","facility":"none","severity":"none","app":"shop","pid":"13"}"#,
        r#"{"n":3,"host":"web3","message":"third","facility":"kernel","severity":"debug","app":"cart","pid":"14"}"#,
    ];
    let lines = documents.map(|document| format!("'{document}'")).join(", ");
    format!(
        "input {{ generator {{ count => 1 codec => json lines => [{lines}] ecs_compatibility => disabled }} }}
         output {{ syslog {{ host => 'localhost' facility => '%{{facility}}' severity => '%{{severity}}'
           appname => '%{{app}}' procid => '%{{pid}}' {options} }} }}"
    )
}

/// The same as the daemons see it: mail.warning is 20, user.notice 13, kern.debug 7.
fn expected(id: &str, data: &str) -> [String; 3] {
    [
        format!("13|web2|shop|13|{id}|{data}|two\\nlines"),
        format!("20|web1|shop|12|{id}|{data}|first: ä"),
        format!("7|web3|cart|14|{id}|{data}|third"),
    ]
}

/// What a daemon saw, without the blank that stands before a message of RFC 3164 in its eyes.
fn sorted(daemon: &Daemon) -> Vec<String> {
    let lines = daemon.lines(3);
    let mut lines: Vec<_> = lines.iter().map(|line| line.replace("| ", "|")).collect();
    lines.sort();
    lines
}

const DATA: &str = "[x@1 a=\"b\"]";

/// The options of both specifications, and what a daemon that reads all of a message then sees.
fn forms() -> [(String, &'static str, &'static str); 2] {
    let new = format!("rfc => rfc5424 msgid => 'ID7' structured_data => '{DATA}'");
    [("rfc => rfc3164".to_owned(), "-", "-"), (new, "ID7", DATA)]
}

#[test]
fn rsyslogd_receives() {
    for protocol in ["udp", "tcp"] {
        for (form, id, data) in forms() {
            let port = free_port();
            let rules = format!(
                "module(load=\"im{protocol}\")\ninput(type=\"im{protocol}\" address=\"127.0.0.1\" port=\"{port}\")\n\
                 action(type=\"omfile\" file=\"OUT\" template=\"seen\")"
            );
            let Some(mut daemon) = rsyslogd(&rules) else { return };
            wait_for_daemon(&mut daemon, protocol, port);
            let rstash = Rstash::start(&outputs(&format!("port => {port} protocol => {protocol} {form}")));
            assert_eq!(sorted(&daemon), expected(id, data), "{protocol} {form}");
            assert!(rstash.wait().success(), "{}", rstash.log());
        }
    }
}

/// Waits until a daemon is there to receive: by tcp it listens, by udp a first message of ours comes through.
fn wait_for_daemon(daemon: &mut Daemon, protocol: &str, port: u16) {
    if protocol != "udp" {
        daemon.peer.wait_for_port(port);
        return;
    }
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    wait_until("the daemon receives", || {
        socket.send_to(b"<13>Feb 29 12:00:00 probe probe: probe", ("127.0.0.1", port)).expect("sent");
        std::thread::sleep(std::time::Duration::from_millis(200));
        !lines_of(&daemon.out()).is_empty()
    });
    // Some probes may still be under way.
    let before = lines_of(&daemon.out()).len();
    std::thread::sleep(std::time::Duration::from_millis(500));
    wait_until("no more probes come", || {
        let now = lines_of(&daemon.out()).len();
        std::thread::sleep(std::time::Duration::from_millis(300));
        now >= before && now == lines_of(&daemon.out()).len()
    });
    std::fs::OpenOptions::new().write(true).truncate(true).open(daemon.out()).expect("the file");
}

#[test]
fn rsyslogd_receives_over_tls() {
    let authority = Authority::new();
    let (key, certificate) = authority.issue("localhost");
    let (our_key, our_certificate) = authority.issue("rstash");
    let port = free_port();
    let rules = format!(
        "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\" \
         DefaultNetstreamDriverCertFile=\"{certificate}\" DefaultNetstreamDriverKeyFile=\"{key}\")\n\
         module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.Authmode=\"x509/certvalid\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         action(type=\"omfile\" file=\"OUT\" template=\"seen\")",
        authority.path()
    );
    let Some(mut daemon) = rsyslogd(&rules) else { return };
    daemon.peer.wait_for_port(port);
    let options = format!(
        "port => {port} protocol => 'ssl-tcp' rfc => rfc5424 ssl_verify => true ssl_certificate_authorities => ['{}']
         ssl_certificate => '{our_certificate}' ssl_key => '{our_key}'",
        authority.path()
    );
    let rstash = Rstash::start(&outputs(&options));
    assert_eq!(sorted(&daemon), expected("-", "-"));
    assert!(rstash.wait().success(), "{}", rstash.log());
    // A server of an unknown authority, and one whose certificate was called back, get nothing.
    let other = Authority::new();
    let wrong = options.replace(&authority.path(), &other.path());
    let rstash = Rstash::start(&outputs(&wrong));
    rstash.wait_for_log("could not send events");
    drop(rstash);
    let (Some(none), Some(this)) = (authority.revoked(None), authority.revoked(Some(&certificate))) else {
        return;
    };
    let rstash = Rstash::start(&outputs(&format!("{options} ssl_crl_path => '{this}'")));
    rstash.wait_for_log("could not send events");
    drop(rstash);
    assert_eq!(daemon.lines(3).len(), 3);
    let rstash =
        Rstash::start(&outputs(&format!("{options} ssl_crl_path => '{none}' ssl_crl_check => leaf")));
    assert_eq!(daemon.lines(6).len(), 6);
    assert!(rstash.wait().success(), "{}", rstash.log());
}

#[test]
fn syslog_ng_receives() {
    for protocol in ["udp", "tcp"] {
        for (form, id, data) in forms() {
            let port = free_port();
            let flags = if form.contains("rfc5424") { "flags(syslog-protocol)" } else { "" };
            let rules = format!(
                "source s {{ network(ip(\"127.0.0.1\") port({port}) transport(\"{protocol}\") {flags}); }};
                 destination d {{ file(\"OUT\" template(\"{SYSLOG_NG_FORMAT}\\n\")); }};
                 log {{ source(s); destination(d); }};"
            );
            let Some(mut daemon) = syslog_ng(&rules) else { return };
            wait_for_daemon(&mut daemon, protocol, port);
            let rstash = Rstash::start(&outputs(&format!("port => {port} protocol => {protocol} {form}")));
            // It writes nothing where there is nothing.
            let blank = |text: &'static str| if text == "-" { "" } else { text };
            assert_eq!(sorted(&daemon), expected(blank(id), blank(data)), "{protocol} {form}");
            assert!(rstash.wait().success(), "{}", rstash.log());
        }
    }
}

#[test]
fn syslog_ng_receives_over_tls() {
    let authority = Authority::new();
    let (key, certificate) = authority.issue("localhost");
    let port = free_port();
    let rules = format!(
        "source s {{ network(ip(\"127.0.0.1\") port({port}) transport(\"tls\")
           tls(key-file(\"{key}\") cert-file(\"{certificate}\") peer-verify(optional-untrusted))); }};
         destination d {{ file(\"OUT\" template(\"{SYSLOG_NG_FORMAT}\\n\")); }};
         log {{ source(s); destination(d); }};"
    );
    let Some(mut daemon) = syslog_ng(&rules) else { return };
    daemon.peer.wait_for_port(port);
    let rstash = Rstash::start(&outputs(&format!("port => {port} protocol => 'ssl-tcp'")));
    assert_eq!(sorted(&daemon), expected("", ""));
    assert!(rstash.wait().success(), "{}", rstash.log());
}
