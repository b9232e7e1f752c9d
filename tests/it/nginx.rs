//! HTTP with programs of others: nginx before the http input and behind the http output and http_poller, curl and wrk
//! as clients.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::kafka::program::Rstash;
use crate::peer::{Peer, find, free_port, lines_of, wait_until};
use crate::tls::Authority;

/// A running nginx.
struct Nginx {
    _peer: Peer,
    folder: TempDir,
}

impl Nginx {
    /// With these lines in its section `http`; `FOLDER` stands for its folder. `port` is one that it then listens at.
    fn start(http: &str, port: u16) -> Option<Self> {
        let program = find("nginx")?;
        let folder = tempfile::tempdir().expect("a folder");
        // Its workers, which may run as somebody else, read what is here.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).expect("permissions");
        let place = folder.path().display();
        let owner = if is_root() { "user root;\n" } else { "" };
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().fold(
            String::new(),
            |mut all, kind| {
                _ = writeln!(all, "{kind}_temp_path {place}/{kind};");
                all
            },
        );
        let config = format!(
            "daemon off;\nworker_processes 1;\n{owner}pid {place}/pid;\nerror_log {place}/error.log;\n
             events {{ worker_connections 512; }}\nhttp {{\naccess_log {place}/access.log;\n{paths}{}\n}}\n",
            http.replace("FOLDER", &place.to_string())
        );
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, config).expect("written");
        let log = folder.path().join("error.log");
        let arguments = [PathBuf::from("-e"), log, PathBuf::from("-c"), path];
        let mut peer = Peer::start(&program, arguments, folder.path());
        peer.wait_for_port(port);
        Some(Nginx { _peer: peer, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// curl's answer: the body, and behind it the status.
fn curl(arguments: &[&str]) -> String {
    let output = run_curl(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run_curl(arguments: &[&str]) -> Output {
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "60", "--write-out", " %{http_code}\n"])
        .args(arguments)
        .output();
    curl.expect("curl runs")
}

/// A pipeline that writes the messages that come by HTTP.
fn http_input(port: u16, options: &str) -> Rstash {
    let rstash = Rstash::start(&format!(
        "input {{ http {{ host => '127.0.0.1' port => {port} {options} }} }}
         output {{ file {{ path => '{{out}}' codec => line {{ format => '%{{message}}' }} }} }}"
    ));
    rstash.wait_for_log("listening for HTTP requests");
    rstash
}

#[test]
fn the_http_input_behind_nginx() {
    if find("curl").is_none() {
        return;
    }
    let (inside, outside) = (free_port(), free_port());
    let Some(nginx) = Nginx::start(
        &format!(
            "upstream rstash {{ server 127.0.0.1:{inside}; keepalive 4; }}
             server {{
               listen 127.0.0.1:{outside};
               location / {{
                 proxy_pass http://rstash; proxy_http_version 1.1; proxy_set_header Connection '';
                 proxy_request_buffering off;
               }}
             }}"
        ),
        outside,
    ) else {
        return;
    };
    let rstash = http_input(inside, "");
    let url = format!("http://127.0.0.1:{outside}/");
    let text = "Content-Type: text/plain";
    let mut expected = Vec::new();
    // One connection to nginx, and few from nginx to us.
    for request in 0..50 {
        let body = format!("keep-alive {request}");
        assert_eq!(curl(&["--data", &body, "--header", text, &url]), "ok 200\n");
        expected.push(body);
    }
    let long = nginx.path("long");
    let body = "chunked ".repeat(20_000);
    std::fs::write(&long, &body).expect("written");
    let data = format!("@{}", long.display());
    let chunked = ["--data-binary", &data, "--header", text, "--header", "Transfer-Encoding: chunked", &url];
    assert_eq!(curl(&chunked), "ok 200\n");
    expected.push(body);
    let packed = nginx.path("packed");
    let mut gzip = GzEncoder::new(std::fs::File::create(&packed).expect("a file"), Compression::default());
    std::io::Write::write_all(&mut gzip, "packed ä".as_bytes()).expect("packed");
    gzip.finish().expect("packed");
    let data = format!("@{}", packed.display());
    let gzipped = ["--data-binary", &data, "--header", text, "--header", "Content-Encoding: gzip", &url];
    assert_eq!(curl(&gzipped), "ok 200\n");
    expected.push("packed ä".into());
    let mut lines = rstash.wait_for_lines(expected.len());
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn the_http_output_and_nginx() {
    let authority = Authority::new();
    let (key, certificate) = authority.issue("localhost");
    let (port, encrypted) = (free_port(), free_port());
    let Some(nginx) = Nginx::start(
        &format!(
            "log_format body escape=none '$uri $request_body';
             map $status $taken {{ ~^2 1; default 0; }}
             server {{
               listen 127.0.0.1:{port};
               listen 127.0.0.1:{encrypted} ssl;
               ssl_certificate {certificate};
               ssl_certificate_key {key};
               location /open {{ access_log FOLDER/bodies body if=$taken; proxy_pass http://127.0.0.1:{port}/sink; }}
               location /guarded {{
                 auth_basic 'a realm'; auth_basic_user_file FOLDER/users;
                 access_log FOLDER/bodies body if=$taken; proxy_pass http://127.0.0.1:{port}/sink;
               }}
               location /busy {{
                 if (!-f FOLDER/quiet) {{ return 503; }}
                 access_log FOLDER/bodies body if=$taken; proxy_pass http://127.0.0.1:{port}/sink;
               }}
               location /moved {{ return 308 /open; }}
               location /sink {{ access_log off; return 204; }}
               location /missing {{ return 404; }}
             }}"
        ),
        port,
    ) else {
        return;
    };
    // The password of the user is "secret".
    std::fs::write(nginx.path("users"), "ann:{PLAIN}secret\n").expect("written");
    let bodies = || lines_of(&nginx.path("bodies"));
    let config = |url: &str, options: &str| {
        format!(
            "input {{ generator {{ lines => ['hello'] count => 1 }} }}
             output {{ http {{ url => '{url}' http_method => post format => message message => 'to %{{message}}' {options} }} }}"
        )
    };
    let base = format!("http://127.0.0.1:{port}");
    let mut count = 0;
    let tls = format!("https://localhost:{encrypted}/open");
    let authorities = format!("ssl_certificate_authorities => ['{}']", authority.path());
    for (url, options, logged) in [
        (format!("{base}/open"), "", "/open to hello"),
        (format!("{base}/guarded"), "user => ann password => secret", "/guarded to hello"),
        (format!("{base}/moved"), "", "/open to hello"),
        (tls.clone(), authorities.as_str(), "/open to hello"),
    ] {
        let rstash = Rstash::start(&config(&url, options));
        assert!(rstash.wait().success(), "{}", rstash.log());
        count += 1;
        wait_until(&format!("{url} got a body: {}", rstash.log()), || bodies().len() == count);
        assert_eq!(bodies()[count - 1], logged, "{url}");
    }
    // What can never be delivered is said, with the reason, and does not hold the pipeline up.
    for (url, options, reason) in [
        (format!("{base}/missing"), "", "404"),
        (format!("{base}/guarded"), "user => ann password => wrong", "401"),
    ] {
        let rstash = Rstash::start(&config(&url, options));
        assert_eq!(rstash.wait().code(), Some(1), "an event was given up: {}", rstash.log());
        assert!(rstash.log().contains(reason) && !rstash.log().contains("wrong"), "{}", rstash.log());
    }
    // A server that nobody vouches for, and one that is busy: the event waits.
    let rstash = Rstash::start(&config(&tls, ""));
    rstash.wait_for_log("ertificate");
    drop(rstash);
    let rstash = Rstash::start(&config(&format!("{base}/busy"), ""));
    rstash.wait_for_log("503");
    assert!(rstash.is_running());
    std::fs::write(nginx.path("quiet"), "").expect("written");
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(bodies().len(), count + 1);
    assert_eq!(bodies()[count], "/busy to hello");
}

#[test]
fn the_http_poller_and_nginx() {
    let authority = Authority::new();
    let (key, certificate) = authority.issue("localhost");
    let (port, encrypted) = (free_port(), free_port());
    let Some(nginx) = Nginx::start(
        &format!(
            "server {{
               listen 127.0.0.1:{port};
               listen 127.0.0.1:{encrypted} ssl;
               ssl_certificate {certificate};
               ssl_certificate_key {key};
               root FOLDER;
               default_type application/json;
               gzip on; gzip_min_length 1; gzip_types application/json;
               location /guarded {{ auth_basic 'a realm'; auth_basic_user_file FOLDER/users; alias FOLDER/state.json; }}
               location /moved {{ return 301 /state.json; }}
               location /busy {{ return 503 '{{\"name\":\"busy\"}}'; }}
             }}"
        ),
        port,
    ) else {
        return;
    };
    std::fs::write(nginx.path("users"), "ann:{PLAIN}secret\n").expect("written");
    std::fs::write(nginx.path("state.json"), "{\"name\":\"state\"}").expect("written");
    let base = format!("http://127.0.0.1:{port}");
    let rstash = Rstash::start(&format!(
        "input {{ http_poller {{ schedule => {{ every => '1h' }} codec => json metadata_target => meta ecs_compatibility => disabled
           ssl_certificate_authorities => ['{}']
           urls => {{
             plain => '{base}/state.json'
             guarded => {{ url => '{base}/guarded' user => ann password => secret }}
             unknown => {{ url => '{base}/guarded' user => ann password => wrong }}
             moved => '{base}/moved'
             missing => '{base}/missing.json'
             busy => '{base}/busy'
             tls => 'https://localhost:{encrypted}/state.json'
             nobody => 'http://127.0.0.1:1/'
           }} }} }}
         output {{ file {{ path => '{{out}}' codec => line {{ format => '%{{[meta][name]}} %{{[meta][code]}} %{{name}} %{{tags}}' }} }} }}",
        authority.path()
    ));
    let mut lines = rstash.wait_for_lines(8);
    lines.sort();
    let starts = [
        "busy 503 busy",
        "guarded 200 state",
        "missing 404",
        "moved 200 state",
        "nobody %{[meta][code]} %{name} _http_request_failure",
        "plain 200 state",
        "tls 200 state",
        "unknown 401",
    ];
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}, not {start}; {lines:?}");
    }
}

#[test]
fn every_answer_of_success_is_an_event() {
    let (Some(_), Some(wrk)) = (find("curl"), find("wrk")) else { return };
    let port = free_port();
    let rstash = http_input(port, "");
    let url = format!("http://127.0.0.1:{port}/");
    // curl, over a few connections at a time; it counts every answer.
    let many = format!("http://127.0.0.1:{port}/[1-500]");
    let answers = curl(&["--parallel", "--parallel-max", "10", "--data", "from curl", &many]);
    assert_eq!(answers.lines().filter(|line| line.ends_with(" 200")).count(), 500, "{answers}");
    let from = |who: &str| rstash.lines().iter().filter(|line| *line == who).count();
    wait_until("all events of curl", || from("from curl") == 500);
    // wrk, as fast as it can. What is under way when it stops comes in without an answer.
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("post.lua");
    let lua = "wrk.method = 'POST'\nwrk.body = 'from wrk'\nwrk.headers['Content-Type'] = 'text/plain'
function done(summary) io.write('answered ', summary.requests - summary.errors.status, ' other ', summary.errors.status, '\\n') end\n";
    std::fs::write(&script, lua).expect("written");
    let output = Command::new(wrk)
        .args(["--threads", "1", "--connections", "8", "--duration", "3s", "--timeout", "60s", "--script"])
        .args([script.as_os_str(), url.as_ref()])
        .output()
        .expect("wrk runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<usize> = said
        .lines()
        .filter(|line| line.starts_with("answered "))
        .flat_map(|line| line.split(' ').filter_map(|word| word.parse().ok()))
        .collect();
    let [answered, other] = numbers[..] else { panic!("{said}") };
    assert!(answered > 100 && other == 0, "{said}");
    wait_until("all events of wrk", || from("from wrk") >= answered);
    assert!(rstash.stop().success());
    assert!(from("from wrk") <= answered + 8, "{} events, {said}", from("from wrk"));
    assert_eq!(from("from curl"), 500);
}

#[test]
fn requests_are_turned_away_while_the_queue_is_full() {
    if find("curl").is_none() {
        return;
    }
    let port = free_port();
    let gate = tempfile::tempdir().expect("a folder");
    // Nothing goes on until somebody listens at this port.
    let away = free_port();
    let rstash = Rstash::start(&format!(
        "input {{ http {{ host => '127.0.0.1' port => {port} threads => 1 max_pending_requests => 2 codec => json }} }}
         output {{ tcp {{ host => '127.0.0.1' port => {away} reconnect_interval => 0.2 codec => line {{ format => '%{{n}}' }} }} }}"
    ));
    rstash.wait_for_log("listening for HTTP requests");
    // Large requests fill the queue, so that the next ones wait before it.
    let body = gate.path().join("body");
    let events: Vec<_> = (0..5000).map(|n| format!("{{\"n\":{n}}}")).collect();
    std::fs::write(&body, format!("[{}]", events.join(","))).expect("written");
    let url = format!("http://127.0.0.1:{port}/");
    let data = format!("@{}", body.display());
    let post = |url: String, data: String| {
        std::thread::spawn(move || {
            let arguments = [
                "--max-time",
                "300",
                "--data-binary",
                &data,
                "--header",
                "Content-Type: application/json",
                &url,
            ];
            String::from_utf8_lossy(&run_curl(&arguments).stdout).into_owned()
        })
    };
    let mut waiting = Vec::new();
    let mut turned_away = 0;
    wait_until("a request is turned away", || {
        waiting.push(post(url.clone(), data.clone()));
        std::thread::sleep(std::time::Duration::from_millis(300));
        for at in (0..waiting.len()).rev() {
            if waiting[at].is_finished() {
                let answer = waiting.swap_remove(at).join().expect("curl");
                assert_eq!(answer, " 429\n");
                turned_away += 1;
            }
        }
        turned_away > 0
    });
    // Once the way is free, all that were let in are answered, and their events are there.
    let listener = std::net::TcpListener::bind(("127.0.0.1", away)).expect("the port is free");
    let reading = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok).count()
    });
    let answers: Vec<_> = waiting.into_iter().map(|asked| asked.join().expect("curl")).collect();
    let taken = answers.iter().filter(|answer| answer.as_str() == "ok 200\n").count();
    assert!(
        taken >= 1 && answers.iter().all(|answer| answer == "ok 200\n" || answer == " 429\n"),
        "{answers:?}"
    );
    assert!(rstash.stop().success(), "{}", rstash.log());
    assert_eq!(reading.join().expect("a reader"), taken * 5000);
    drop(gate);
}
