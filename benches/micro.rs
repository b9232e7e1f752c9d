//! Micro-benchmarks of what every event passes: JSON, field access, sprintf, conditions are measured through whole
//! pipelines in `benches/whole.sh`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rstash::event::json::{self, Decimals};
use rstash::event::{Event, FieldReference, Template, Timestamp, Value};
use rstash::language::{ParseOptions, Sources, ast::Item};
use rstash::plugin::{Block, Build, Context, Emit, Filter, Kind, OptionReader};

/// A JSON document of 16 fields, two levels deep, about 500 bytes: a typical application log.
const DOCUMENT: &str = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","level":"INFO","logger":"com.example.shop.Checkout","thread":"http-nio-8080-exec-7","message":"order accepted, 3 items, customer \"4711\"","order":{"id":918273645,"total":129.95,"currency":"EUR","items":[{"sku":"A-1","n":1},{"sku":"B-2","n":2}]},"host":{"name":"web-3","ip":"10.1.2.3"},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7"},"duration_ms":12.75,"retry":false,"user":null,"path":"/api/v1/orders","method":"POST","status":201,"bytes":5123}"#;

fn event() -> Event {
    match json::parse(DOCUMENT, Decimals::Double) {
        Ok(Value::Object(object)) => Event::from_object(*object).unwrap_or_default(),
        other => unreachable!("{other:?}"),
    }
}

fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Bytes(DOCUMENT.len() as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| json::parse(black_box(DOCUMENT), Decimals::Double))
    });
    let event = event();
    let mut out = Vec::with_capacity(1024);
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            out.clear();
            json::write_object(&mut out, black_box(event.data()));
            out.len()
        });
    });
    group.finish();
}

fn fields(criterion: &mut Criterion) {
    let event = event();
    let mut group = criterion.benchmark_group("event");
    for name in ["status", "[order][items][1][sku]", "[missing][field]"] {
        let field = FieldReference::parse(name).unwrap_or_else(|error| unreachable!("{error}"));
        group.bench_function(format!("get {name}"), |bencher| bencher.iter(|| black_box(&event).get(&field)));
    }
    group.bench_function("clone", |bencher| bencher.iter(|| black_box(&event).duplicate()));
    group.bench_function("new", |bencher| bencher.iter(|| Event::from_message(black_box("hello"))));
    group.bench_function("timestamp now", |bencher| bencher.iter(Timestamp::now));
    group.finish();
}

fn sprintf(criterion: &mut Criterion) {
    let event = event();
    let mut group = criterion.benchmark_group("sprintf");
    for text in ["logs-%{+YYYY.MM.dd}", "%{method} %{path} %{status}", "%{order}"] {
        let template = Template::parse(text);
        let mut out = String::with_capacity(128);
        group.bench_function(text, |bencher| {
            bencher.iter(|| {
                out.clear();
                template.render_into(black_box(&event), &mut out).is_ok()
            });
        });
    }
    group.finish();
}

/// The only filter of a config.
fn filter(config: &str) -> Option<Box<dyn Filter>> {
    let context = Context::new(rstash::registry());
    let parsed = rstash::language::parse(&Sources::single("bench", config), ParseOptions::default());
    let Some(Item::Plugin(plugin)) = parsed.config.sections.first()?.items.first() else { return None };
    let block = Block::new(Kind::Filter, plugin, &context.environment, &mut Vec::new());
    let spec = context.registry.get(Kind::Filter, &block.name)?;
    let Build::Filter(build) = &spec.build else { return None };
    build(&mut OptionReader::new(&block, &context, "bench".to_owned()))
}

/// Filters that take one line apart.
fn filters(criterion: &mut Criterion) {
    let kv = r#"date=2024-05-06 time=07:08:09 devname="FG-100" devid="FG1" logid="0000000013" type="traffic" subtype="forward" level="notice" srcip=10.1.1.5 srcport=50000 dstip=203.0.113.7 action="close" msg="session closed, ok" policyid=7"#;
    let escaped = r#"path=C:\dir\file.txt user=dom\kim msg="said \"hi\"" n=1"#;
    let csv = r#"1,007200001056,TRAFFIC,end,2024/05/06 07:08:09,10.1.1.5,8.8.8.8,,"quoted, value",allow,443,tcp,,,x"#;
    let access = r#"203.0.113.9 - bob [06/May/2024:07:08:09 +0000] "GET /x?y=1 HTTP/1.1" 200 512"#;
    let mapping = r#"filter { dissect { mapping => { "message" => '%{ip} %{?ident} %{user} [%{ts}] "%{verb} %{req} HTTP/%{ver}" %{status} %{bytes}' } } }"#;
    let mut group = criterion.benchmark_group("filter");
    for (name, config, line) in [
        ("kv", "filter { kv { } }", kv),
        ("kv with a target", "filter { kv { target => 'kv' } }", kv),
        ("kv with backslashes", "filter { kv { } }", escaped),
        ("csv", "filter { csv { } }", csv),
        ("dissect", mapping, access),
    ] {
        let Some(filter) = filter(config) else { unreachable!("{config}") };
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(name, |bencher| {
            let mut emit = Emit::default();
            bencher.iter_batched_ref(
                || Event::from_message(black_box(line)),
                |event| filter.filter(event, &mut emit),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, json, fields, sprintf, filters);
criterion_main!(benches);
