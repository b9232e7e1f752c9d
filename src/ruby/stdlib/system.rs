//! What scripts see of the machine: `ENV`, `Process`, `File`, `Dir`, `Random`, `$stdout`, locks, `Timeout`.

use std::io::Write as _;
use std::path::{Component, Path};
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::{ClassDef, MethodDef, kernel};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::Sym;
use crate::ruby::value::{HashMap, RObject, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        methods: &[ENVIRONMENT],
        setup: Some(|interp, class| top_object(interp, class, "ENV")),
        ..ClassDef::class("RubyEnvironment")
    },
    ClassDef {
        functions: &[PROCESS],
        setup: Some(|interp, class| {
            interp.define_constant(class, "CLOCK_REALTIME", Value::Int(0));
            interp.define_constant(class, "CLOCK_MONOTONIC", Value::Int(1));
        }),
        ..ClassDef::module("Process")
    },
    ClassDef {
        methods: &[STREAM],
        setup: Some(|interp, class| {
            top_object(interp, class, "STDOUT");
            let stdout = interp.class_named("Object").and_then(|object| object.constant(Sym::new("STDOUT")));
            interp.set_global(Sym::new("$stdout"), stdout.unwrap_or_default());
            top_object(interp, class, "STDERR");
            let stderr = interp.class_named("Object").and_then(|object| object.constant(Sym::new("STDERR")));
            interp.set_global(Sym::new("$stderr"), stderr.unwrap_or_default());
        }),
        ..ClassDef::class("IO")
    },
    ClassDef {
        superclass: Some("IO"),
        singleton_methods: &[FILE, PATHS],
        setup: Some(|interp, class| interp.define_constant(class, "SEPARATOR", Value::str("/"))),
        ..ClassDef::class("File")
    },
    ClassDef { singleton_methods: &[DIRECTORY], ..ClassDef::class("Dir") },
    ClassDef { methods: &[RANDOM], singleton_methods: &[RANDOM], ..ClassDef::class("Random") },
    ClassDef { methods: &[LOCK], ..ClassDef::class("Mutex") },
    ClassDef {
        methods: &[THREAD],
        singleton_methods: &[THREADS],
        setup: Some(|interp, class| {
            let mutex = interp.class_named("Mutex").map_or(Value::Nil, Value::Class);
            interp.define_constant(class, "Mutex", mutex);
        }),
        ..ClassDef::class("Thread")
    },
    ClassDef { superclass: Some("Mutex"), ..ClassDef::class("Monitor") },
    ClassDef { functions: &[TIMEOUT], ..ClassDef::module("Timeout") },
    ClassDef { functions: &[BENCHMARK], ..ClassDef::module("Benchmark") },
    ClassDef { singleton_methods: &[SOCKET], ..ClassDef::class("Socket") },
    ClassDef {
        setup: Some(|interp, class| {
            for (name, value) in [
                ("RUBY_VERSION", "3.4.2"),
                ("RUBY_ENGINE", "jruby"),
                ("RUBY_PLATFORM", "java"),
                ("JRUBY_VERSION", "10.0.0.0"),
                ("LOGSTASH_VERSION", "9.5.2"),
            ] {
                interp.define_constant(class, name, Value::str(value));
            }
        }),
        ..ClassDef::class("Object")
    },
];

/// A constant that is the one object of a class.
fn top_object(interp: &mut Interp, class: &Rc<crate::ruby::value::RClass>, name: &str) {
    let object = Value::Object(Rc::new(RObject::new(class)));
    let top = interp.classes.object.clone();
    interp.define_constant(&top, name, object);
}

const ENVIRONMENT: &[MethodDef] = &[
    MethodDef("[]", exactly(1), |interp, _, args| variable(interp, args)),
    MethodDef("fetch", between(1, 2), |interp, _, args| {
        let name = args.text(interp, 0)?;
        match (std::env::var(&name), args.get(1), args.block) {
            (Ok(value), ..) => Ok(Value::str(value)),
            (_, Some(default), _) => Ok(default.clone()),
            (_, _, Some(block)) => interp.yield_one(block, args.at(0).clone()),
            _ => {
                let shown = interp.inspect(args.at(0))?;
                Err(interp.error("KeyError", format!("key not found: {shown}")))
            }
        }
    }),
    MethodDef("key?", exactly(1), has_variable),
    MethodDef("has_key?", exactly(1), has_variable),
    MethodDef("include?", exactly(1), has_variable),
    MethodDef("to_h", exactly(0), |_, _, _| Ok(Value::hash(environment()))),
    MethodDef("to_hash", exactly(0), |_, _, _| Ok(Value::hash(environment()))),
    MethodDef("keys", exactly(0), |_, _, _| Ok(Value::array(environment().keys().cloned().collect()))),
    MethodDef("values", exactly(0), |_, _, _| Ok(Value::array(environment().values().cloned().collect()))),
    MethodDef("each", exactly(0), |interp, this, args| {
        let block = args.block(interp)?;
        for (key, value) in environment().iter() {
            interp.yield_pair(block, key.clone(), value.clone())?;
        }
        Ok(this.clone())
    }),
    MethodDef("inspect", exactly(0), |interp, _, _| {
        Ok(Value::str(interp.inspect(&Value::hash(environment()))?))
    }),
];

fn environment() -> HashMap {
    std::env::vars_os()
        .map(|(name, value)| (Value::str(name.to_string_lossy()), Value::str(value.to_string_lossy())))
        .collect()
}

fn variable(interp: &mut Interp, args: Args<'_>) -> Outcome {
    let name = args.text(interp, 0)?;
    if name.is_empty() || name.contains(['=', '\0']) {
        return Ok(Value::Nil);
    }
    Ok(Value::from(std::env::var(name).ok()))
}

fn has_variable(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    Ok(Value::Bool(!variable(interp, args)?.is_nil()))
}

const PROCESS: &[MethodDef] = &[
    MethodDef("pid", exactly(0), |_, _, _| Ok(Value::Int(std::process::id().into()))),
    MethodDef("clock_gettime", between(1, 2), |interp, _, args| {
        let monotonic = matches!(args.at(0), Value::Int(1));
        let seconds = if monotonic { uptime() } else { now() };
        match args.get(1) {
            None => Ok(Value::Float(seconds)),
            Some(unit) => Ok(match interp.to_name(unit)?.as_str() {
                "nanosecond" => Value::Int((seconds * 1e9) as i64),
                "microsecond" => Value::Int((seconds * 1e6) as i64),
                "millisecond" => Value::Int((seconds * 1e3) as i64),
                "second" => Value::Int(seconds as i64),
                "float_millisecond" => Value::Float(seconds * 1e3),
                "float_microsecond" => Value::Float(seconds * 1e6),
                _ => Value::Float(seconds),
            }),
        }
    }),
];

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Seconds since the first call, from a clock that never goes back.
fn uptime() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

const STREAM: &[MethodDef] = &[
    MethodDef("puts", at_least(0), |interp, this, args| write(interp, this, "puts", args)),
    MethodDef("print", at_least(0), |interp, this, args| write(interp, this, "print", args)),
    MethodDef("write", at_least(0), |interp, this, args| write(interp, this, "print", args)),
    MethodDef("<<", exactly(1), |interp, this, args| {
        write(interp, this, "print", args)?;
        Ok(this.clone())
    }),
    MethodDef("flush", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("sync", exactly(0), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("sync=", exactly(1), |_, _, args| Ok(args.at(0).clone())),
    MethodDef("tty?", exactly(0), |_, _, _| Ok(Value::Bool(false))),
];

fn write(interp: &mut Interp, this: &Value, how: &str, args: Args<'_>) -> Outcome {
    let top = interp.classes.object.clone();
    let is_error = top.constant(Sym::new("STDERR")).is_some_and(|stderr| stderr.is_same(this));
    if !is_error {
        return interp.call_with(&Value::Nil, Sym::new(how), args);
    }
    let mut text = String::new();
    for value in args.values {
        text.push_str(&interp.to_s(value)?);
        if how == "puts" && !text.ends_with('\n') {
            text.push('\n');
        }
    }
    _ = std::io::stderr().lock().write_all(text.as_bytes());
    Ok(Value::Nil)
}

const FILE: &[MethodDef] = &[
    MethodDef("read", at_least(1), |interp, _, args| {
        let path = args.text(interp, 0)?;
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Value::bytes(bytes, crate::ruby::value::Encoding::Utf8)),
            Err(error) => Err(io_error(interp, &path, &error)),
        }
    }),
    MethodDef("readlines", at_least(1), |interp, this, args| {
        let text = interp.call(this, "read", args.values.get(..1).unwrap_or_default())?;
        let chomp = args.keyword("chomp").is_some_and(|chomp| chomp.truthy());
        Ok(lines(&interp.to_s(&text)?, chomp))
    }),
    MethodDef("foreach", at_least(1), |interp, this, args| {
        let block = args.block(interp)?;
        let text = interp.call(this, "read", args.values.get(..1).unwrap_or_default())?;
        let text = interp.to_s(&text)?;
        for line in text.split_inclusive('\n') {
            interp.yield_one(block, Value::str(line))?;
        }
        Ok(Value::Nil)
    }),
    MethodDef("exist?", exactly(1), |interp, _, args| test(interp, args, Path::exists)),
    MethodDef("file?", exactly(1), |interp, _, args| test(interp, args, Path::is_file)),
    MethodDef("directory?", exactly(1), |interp, _, args| test(interp, args, Path::is_dir)),
    MethodDef("readable?", exactly(1), |interp, _, args| {
        test(interp, args, |path| std::fs::File::open(path).is_ok())
    }),
    MethodDef("size", exactly(1), |interp, _, args| {
        let path = args.text(interp, 0)?;
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(Value::from(usize::try_from(metadata.len()).unwrap_or(usize::MAX))),
            Err(error) => Err(io_error(interp, &path, &error)),
        }
    }),
    MethodDef("mtime", exactly(1), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let time = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
        match time {
            Ok(time) => {
                let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                let class = Value::Class(interp.classes.time.clone());
                interp.call(&class, "at", &[Value::Float(since.as_secs_f64())])
            }
            Err(error) => Err(io_error(interp, &path, &error)),
        }
    }),
];

fn lines(text: &str, chomp: bool) -> Value {
    let lines = text.split_inclusive('\n').map(|line| match chomp {
        true => Value::str(line.trim_end_matches('\n').trim_end_matches('\r')),
        false => Value::str(line),
    });
    Value::array(lines.collect())
}

fn test(interp: &mut Interp, args: Args<'_>, is: fn(&Path) -> bool) -> Outcome {
    let path = args.text(interp, 0)?;
    Ok(Value::Bool(is(Path::new(&path))))
}

pub(super) fn io_error(interp: &mut Interp, path: &str, error: &std::io::Error) -> Control {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            interp.error("Errno::ENOENT", format!("No such file or directory - {path}"))
        }
        std::io::ErrorKind::PermissionDenied => {
            interp.error("Errno::EACCES", format!("Permission denied - {path}"))
        }
        _ => interp.error("IOError", format!("{error} - {path}")),
    }
}

const PATHS: &[MethodDef] = &[
    MethodDef("basename", between(1, 2), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let trimmed = path.trim_end_matches('/');
        let mut name = trimmed.rsplit('/').next().unwrap_or_default();
        if trimmed.is_empty() {
            name = if path.is_empty() { "" } else { "/" };
        }
        if let Some(suffix) = args.get(1) {
            let suffix = interp.to_s(suffix)?;
            let stem = match suffix.as_str() {
                ".*" => name.rfind('.').filter(|at| *at > 0).and_then(|at| name.get(..at)),
                other => name.strip_suffix(other).filter(|stem| !stem.is_empty()),
            };
            name = stem.unwrap_or(name);
        }
        Ok(Value::str(name))
    }),
    MethodDef("dirname", between(1, 2), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let trimmed = path.trim_end_matches('/');
        Ok(Value::str(match trimmed.rfind('/') {
            _ if trimmed.is_empty() && !path.is_empty() => "/",
            None => ".",
            Some(0) => "/",
            Some(at) => trimmed.get(..at).unwrap_or_default().trim_end_matches('/'),
        }))
    }),
    MethodDef("extname", exactly(1), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let at = name.rfind('.').filter(|at| *at > 0 && at + 1 < name.len());
        Ok(Value::str(at.and_then(|at| name.get(at..)).unwrap_or_default()))
    }),
    MethodDef("join", at_least(0), |interp, _, args| {
        let mut joined = String::new();
        for (at, part) in args.values.iter().enumerate() {
            let part = interp.to_s(part)?;
            if at > 0 {
                let kept = joined.trim_end_matches('/').len();
                joined.truncate(kept);
                joined.push('/');
                joined.push_str(part.trim_start_matches('/'));
            } else {
                joined = part;
            }
        }
        Ok(Value::str(joined))
    }),
    MethodDef("split", exactly(1), |interp, this, args| {
        let directory = interp.call(this, "dirname", args.values)?;
        Ok(Value::array(vec![directory, interp.call(this, "basename", args.values)?]))
    }),
    MethodDef("expand_path", between(1, 2), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let base = if args.at(1).is_nil() { String::new() } else { args.text(interp, 1)? };
        let here = std::env::current_dir().unwrap_or_default();
        let mut parts: Vec<std::ffi::OsString> = Vec::new();
        for part in here.join(base).join(path).components() {
            match part {
                Component::Normal(name) => parts.push(name.to_owned()),
                Component::ParentDir => _ = parts.pop(),
                _ => {}
            }
        }
        let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
        Ok(Value::str(format!("/{}", parts.join("/"))))
    }),
];

const DIRECTORY: &[MethodDef] = &[
    MethodDef("glob", at_least(1), |interp, _, args| {
        let pattern = args.text(interp, 0)?;
        let found = glob::glob(&pattern)
            .map(|paths| paths.flatten().map(|path| Value::str(path.to_string_lossy())).collect::<Vec<_>>());
        Ok(Value::array(found.unwrap_or_default()))
    }),
    MethodDef("exist?", exactly(1), |interp, _, args| test(interp, args, Path::is_dir)),
    MethodDef("pwd", exactly(0), |_, _, _| {
        Ok(Value::from(std::env::current_dir().ok().map(|path| path.to_string_lossy().into_owned())))
    }),
];

const RANDOM: &[MethodDef] = &[
    MethodDef("rand", between(0, 1), kernel::rand),
    MethodDef("bytes", exactly(1), |interp, _, args| {
        let count = usize::try_from(args.int(interp, 0)?).unwrap_or(0);
        interp.check_size(count)?;
        let bytes: Vec<u8> = (0..count).map(|_| fastrand::u8(..)).collect();
        Ok(Value::bytes(bytes, crate::ruby::value::Encoding::Binary))
    }),
    MethodDef("initialize", between(0, 1), |_, _, _| Ok(Value::Nil)),
    MethodDef("seed", exactly(0), |_, _, _| Ok(Value::Int(0))),
];

/// One thread runs in a world at a time, so that a lock is always free.
const LOCK: &[MethodDef] = &[
    MethodDef("synchronize", exactly(0), |interp, _, args| {
        let block = args.block(interp)?;
        interp.yield_values(block, &[])
    }),
    MethodDef("lock", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("unlock", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("try_lock", exactly(0), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("locked?", exactly(0), |_, _, _| Ok(Value::Bool(false))),
    MethodDef("mon_synchronize", exactly(0), |interp, _, args| {
        let block = args.block(interp)?;
        interp.yield_values(block, &[])
    }),
];

/// What one thread keeps for itself (`Thread.current[:key]`).
const THREAD: &[MethodDef] = &[
    MethodDef("[]", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        Ok(interp.get_ivar(this, name))
    }),
    MethodDef("[]=", exactly(2), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        interp.set_ivar(this, name, args.at(1).clone())?;
        Ok(args.at(1).clone())
    }),
    MethodDef("key?", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        Ok(Value::Bool(!interp.get_ivar(this, name).is_nil()))
    }),
    MethodDef("name", exactly(0), |_, _, _| {
        Ok(Value::from(std::thread::current().name().map(str::to_owned)))
    }),
];

const THREADS: &[MethodDef] = &[
    MethodDef("current", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        let name = Sym::new("__current__");
        if let Some(known) = class.ivar(name) {
            return Ok(known);
        }
        let thread = Value::Object(Rc::new(RObject::new(&class)));
        class.set_ivar(name, thread.clone());
        Ok(thread)
    }),
    MethodDef("new", at_least(0), no_threads),
    MethodDef("start", at_least(0), no_threads),
    MethodDef("fork", at_least(0), no_threads),
];

fn no_threads(interp: &mut Interp, _: &Value, _: Args<'_>) -> Outcome {
    Err(interp.error("NotImplementedError", "threads are not available in scripts"))
}

/// A block is not interrupted: what it takes too long for is noticed when it is over.
const TIMEOUT: &[MethodDef] = &[MethodDef("timeout", at_least(1), |interp, _, args| {
    let limit = if args.at(0).is_nil() { f64::INFINITY } else { interp.to_float(args.at(0))? };
    let (block, start) = (args.block(interp)?, Instant::now());
    let value = interp.yield_one(block, args.at(0).clone())?;
    if limit > 0.0 && start.elapsed().as_secs_f64() > limit {
        return Err(interp.error("Timeout::Error", "execution expired"));
    }
    Ok(value)
})];

const BENCHMARK: &[MethodDef] = &[MethodDef("realtime", exactly(0), |interp, _, args| {
    let (block, start) = (args.block(interp)?, Instant::now());
    interp.yield_values(block, &[])?;
    Ok(Value::Float(start.elapsed().as_secs_f64()))
})];

const SOCKET: &[MethodDef] = &[MethodDef("gethostname", exactly(0), |_, _, _| {
    Ok(Value::str(gethostname::gethostname().to_string_lossy()))
})];
