//! Clients that mean harm, or act like it: what they get, and that the others do not notice. The limits that hold
//! here stand in docs/limits.md.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::kafka::program::Rstash;
use crate::peer::{Peer, exchange, free_port, lines_of, wait_until};

/// What takes longer has failed.
const LONGEST: Duration = Duration::from_secs(120);
const MIB: u64 = 1024;

/// A pipeline with every input that anyone can reach.
struct Victim {
    rstash: Rstash,
    tcp: u16,
    json: u16,
    http: u16,
    beats: u16,
    udp: u16,
    syslog: u16,
}

impl Victim {
    fn start() -> Self {
        let [tcp, json, http, beats, udp, syslog] = std::array::from_fn(|_| free_port());
        let rstash = Rstash::start(&format!(
            "input {{
               tcp {{ host => '127.0.0.1' port => {tcp} }}
               tcp {{ host => '127.0.0.1' port => {json} codec => json_lines {{ decode_size_limit_bytes => 1000 }} }}
               http {{ host => '127.0.0.1' port => {http} }}
               beats {{ host => '127.0.0.1' port => {beats} }}
               udp {{ host => '127.0.0.1' port => {udp} }}
               syslog {{ host => '127.0.0.1' port => {syslog} }}
             }}
             output {{
               if [message] =~ /^good/ {{
                 file {{ path => '{{out}}' codec => line {{ format => '%{{message}}' }} }}
               }}
             }}"
        ));
        for (what, count) in [
            ("listening for connections", 2),
            ("listening for HTTP requests", 1),
            ("listening for Beats", 1),
            ("listening for datagrams", 1),
            ("listening for syslog messages", 1),
        ] {
            rstash.wait_for(what, count, || rstash.log().matches(what).count());
        }
        Victim { rstash, tcp, json, http, beats, udp, syslog }
    }

    /// Sends a good event by every input and waits until all of them have come through.
    fn serves_the_good(&self, who: &str) {
        let text = |way: &str| format!("good {who} by {way}");
        connect(self.tcp).write_all(format!("{}\n", text("tcp")).as_bytes()).expect("written");
        let json = format!("{{\"message\":\"{}\"}}\n", text("json"));
        connect(self.json).write_all(json.as_bytes()).expect("written");
        let body = text("http");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(exchange(self.http, &request).starts_with("HTTP/1.1 200"), "{who}");
        let mut beats = connect(self.beats);
        beats.write_all(&window(&format!("{{\"message\":\"{}\"}}", text("beats")))).expect("written");
        let mut answer = [0; 6];
        loop {
            beats.read_exact(&mut answer).expect("an acknowledgement");
            // Number 0 asks for patience.
            if answer[2..] != [0; 4] {
                assert_eq!(&answer, b"2A\0\0\0\x01");
                break;
            }
        }
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        udp.send_to(text("udp").as_bytes(), ("127.0.0.1", self.udp)).expect("sent");
        let syslog = format!("<13>Feb 29 12:00:00 host app: {}", text("syslog udp"));
        udp.send_to(syslog.as_bytes(), ("127.0.0.1", self.syslog)).expect("sent");
        let syslog = format!("<13>Feb 29 12:00:00 host app: {}\n", text("syslog tcp"));
        connect(self.syslog).write_all(syslog.as_bytes()).expect("written");
        for way in ["tcp", "json", "http", "beats", "udp", "syslog udp", "syslog tcp"] {
            let wanted = text(way);
            self.rstash.wait_for(&wanted, 1, || {
                self.rstash.lines().iter().filter(|line| line.trim_end() == wanted).count()
            });
        }
    }

    fn has_peaked_below(&self, mib: u64) {
        let peak = self.rstash.peak_kib();
        println!("peak {} MiB", peak / MIB);
        assert!(peak < mib * MIB, "{} MiB", peak / MIB);
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(LONGEST)).expect("a time-out");
    stream.set_write_timeout(Some(LONGEST)).expect("a time-out");
    stream
}

/// A window of Lumberjack with one event.
fn window(document: &str) -> Vec<u8> {
    let length = u32::try_from(document.len()).expect("short").to_be_bytes();
    [b"2W\0\0\0\x012J\0\0\0\x01", &length[..], document.as_bytes()].concat()
}

/// Whether the other side has closed a connection, or does so soon.
fn is_closed(stream: &mut TcpStream) -> bool {
    let begun = Instant::now();
    let mut bytes = [0; 4096];
    while begun.elapsed() < LONGEST {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return true;
            }
            Err(_) => return false,
        }
    }
    false
}

#[test]
fn a_line_without_end() {
    let victim = Victim::start();
    for (port, name) in [(victim.tcp, "tcp"), (victim.syslog, "syslog")] {
        let endless = std::thread::spawn(move || {
            let mut stream = connect(port);
            let block = vec![b'x'; 1 << 20];
            (0..1024).find(|_| stream.write_all(&block).is_err())
        });
        victim.serves_the_good(&format!("beside an endless line to {name}"));
        let sent = endless.join().expect("a client");
        // The limit, and what fits into the buffers of both sides.
        assert!(sent.is_some_and(|mib| (64..100).contains(&mib)), "{name}: cut off after {sent:?} MiB");
    }
    let said = || victim.rstash.log().matches("more than 64 MiB came without a line's end").count();
    victim.rstash.wait_for("lines in the log", 2, said);
    // A codec with a limit of its own lets the rest of such a line go and reads on.
    let mut stream = connect(victim.json);
    stream.write_all(&vec![b'x'; 200 << 20]).expect("written");
    stream.write_all(b"\n{\"message\":\"good after all\"}\n").expect("written");
    let after = || victim.rstash.lines().iter().filter(|line| *line == "good after all").count();
    victim.rstash.wait_for("a line after it", 1, after);
    // A buffer that grows holds its old and its new size for a moment, and the allocator keeps some of what was freed.
    victim.has_peaked_below(450);
    assert_eq!(said(), 2);
}

#[test]
fn clients_that_dribble_or_say_nothing() {
    let victim = Victim::start();
    let mut dribbling: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = connect(victim.http);
            stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b").expect("written");
            stream.set_nonblocking(true).expect("non-blocking");
            stream
        })
        .collect();
    // A request that promises a body and lets it rest; one whose sender says that nothing more comes.
    let mut resting = connect(victim.http);
    resting
        .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nab")
        .expect("written");
    let mut halves: Vec<_> = [victim.tcp, victim.http, victim.beats, victim.syslog]
        .map(|port| {
            let mut stream = connect(port);
            stream.write_all(b"2").expect("written");
            stream.shutdown(Shutdown::Write).expect("half of it is closed");
            stream
        })
        .into();
    victim.serves_the_good("beside the slow");
    for stream in &mut halves {
        assert!(is_closed(stream), "half of it is closed, and the other stays open");
    }
    // Bytes now and then do not keep a connection for ever.
    wait_until("those that dribble are cut off", || {
        dribbling.retain_mut(|stream| {
            let open =
                matches!(stream.read(&mut [0; 4096]), Err(error) if error.kind() == ErrorKind::WouldBlock);
            open && stream.write(b"c").is_ok()
        });
        std::thread::sleep(Duration::from_millis(500));
        dribbling.is_empty()
    });
    let mut answer = [0; 12];
    resting.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
    victim.serves_the_good("after the slow");
    victim.has_peaked_below(150);
}

/// How many files this process, and those it starts, may have open.
fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    line.split_whitespace().nth(3).and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX)
}

#[test]
fn thousands_of_idle_connections() {
    let victim = Victim::start();
    let most = if file_limit() >= 14_000 { 10_000 } else { 800.min(file_limit() / 2) };
    let ports = [victim.tcp, victim.http, victim.beats, victim.syslog];
    let before = victim.rstash.resident_kib();
    let mut idle = Vec::new();
    for at in 0..most {
        let mut stream = connect(ports[at % ports.len()]);
        // Some of them have said something.
        if at % 3 == 0 && ports[at % ports.len()] == victim.tcp {
            stream.write_all(b"half a line").expect("written");
        }
        idle.push(stream);
    }
    victim.serves_the_good("beside the idle");
    let each = victim.rstash.resident_kib().saturating_sub(before) / most as u64;
    println!("{most} idle connections, {each} KiB each");
    assert!(each < 16, "{each} KiB for each idle connection");
    assert!(victim.rstash.is_running());
    drop(idle);
    victim.serves_the_good("after the idle");
}

#[test]
fn garbage_and_truncated_frames() {
    let victim = Victim::start();
    let good = window("{\"message\":\"cut\"}");
    let mut random = vec![0; 100_000];
    fastrand::fill(&mut random);
    // Lengths and numbers that claim what is not there.
    let claims: &[&[u8]] = &[
        b"2J\0\0\0\x01\x7f\xff\xff\xff{",
        b"2W\xff\xff\xff\xff",
        b"1D\0\0\0\x01\xff\xff\xff\xff",
        b"2C\x7f\xff\xff\xff",
    ];
    let mut clients = Vec::new();
    for bytes in claims.iter().copied().chain([
        random.as_slice(),
        b"GET / HTTP/1.1\r\n\r\n",
        b"2J\0\0\0\x01\0\0\0\x02[]",
    ]) {
        for port in [victim.beats, victim.http, victim.json, victim.tcp, victim.syslog] {
            let mut stream = connect(port);
            // It may be cut off before everything is written.
            _ = stream.write_all(bytes);
            if port == victim.beats {
                clients.push(stream);
            }
        }
    }
    for client in &mut clients {
        assert!(is_closed(client), "garbage did not end a connection");
    }
    for length in 1..good.len() {
        let mut stream = connect(victim.beats);
        stream.write_all(&good[..length]).expect("written");
        drop(stream);
    }
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for port in [victim.udp, victim.syslog] {
        for datagram in [&random[..0], &random[..65_507], &random[..1], b"<999999999999>", b"<"] {
            udp.send_to(datagram, ("127.0.0.1", port)).expect("sent");
        }
    }
    victim.serves_the_good("after garbage");
    victim.has_peaked_below(200);
    assert!(!victim.rstash.log().contains("panicked"), "{}", victim.rstash.log());
}

/// A gibibyte of zeros, packed.
fn bomb<W: Write>(mut writer: W) -> W {
    let block = vec![0; 1 << 20];
    (0..1024).for_each(|_| writer.write_all(&block).expect("packed"));
    writer
}

#[test]
fn little_that_unpacks_to_much() {
    let victim = Victim::start();
    let gzip = bomb(GzEncoder::new(Vec::new(), Compression::fast())).finish().expect("packed");
    let head = |encoding: &str, length: usize| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut http: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = connect(victim.http);
            stream.write_all(head("gzip", gzip.len()).as_bytes()).expect("written");
            stream.write_all(&gzip).expect("written");
            stream
        })
        .collect();
    let zlib = bomb(ZlibEncoder::new(Vec::new(), Compression::fast())).finish().expect("packed");
    let length = u32::try_from(zlib.len()).expect("short").to_be_bytes();
    let frame = [b"2W\0\0\0\x012C", &length[..], &zlib].concat();
    // The same with frames inside: events of a window that never is complete.
    let mut packer = ZlibEncoder::new(b"2W\0\x10\0\0".to_vec(), Compression::fast());
    let event = window(&format!("{{\"message\":\"{}\"}}", "x".repeat(100_000)))[6..].to_vec();
    (0..5000).for_each(|_| packer.write_all(&event).expect("packed"));
    let packed = packer.finish().expect("packed");
    let length = u32::try_from(packed.len() - 6).expect("short").to_be_bytes();
    let events = [&packed[..6], b"2C", &length[..], &packed[6..]].concat();
    let mut beats: Vec<_> = [frame, events]
        .iter()
        .map(|bytes| {
            let mut stream = connect(victim.beats);
            _ = stream.write_all(bytes);
            stream
        })
        .collect();
    victim.serves_the_good("beside bombs");
    for stream in &mut http {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    for stream in &mut beats {
        assert!(is_closed(stream), "a bomb did not end a connection");
    }
    victim.serves_the_good("after bombs");
    victim.has_peaked_below(1200);
}

#[test]
fn no_more_files_to_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, out) = (free_port(), folder.path().join("out"));
    let config = format!(
        "input {{ tcp {{ host => '127.0.0.1' port => {port} }} }}
         output {{ file {{ path => '{}' codec => line {{ format => '%{{message}}' }} }} }}",
        out.display()
    );
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -n 100 && exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_rstash"),
            "-e",
            &config,
            "--path.data",
        ])
        .arg(folder.path().join("data"));
    let mut rstash = Peer::start_with(&mut command, folder.path());
    rstash.wait_for_port(port);
    let before: Vec<_> = (0..200).map(|_| connect(port)).collect();
    wait_until("it says so", || rstash.log().contains("could not accept a connection"));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(rstash.log().matches("could not accept a connection").count(), 1, "{}", rstash.log());
    drop(before);
    connect(port).write_all(b"good\n").expect("written");
    wait_until("the good client is served", || lines_of(&out).contains(&"good".to_owned()));
}
