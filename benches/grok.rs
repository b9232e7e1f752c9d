//! Micro-benchmarks of grok: its expressions alone, beside Oniguruma, and the filter.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rstash::event::Event;
use rstash::grok::{Dictionary, Expression, Library};
use rstash::plugin::{Block, Build, Context, EcsMode, Emit, Filter, Kind, OptionReader};
use rstash::regex::Locations;

/// Lines of a web server's access log.
const ACCESS_LOG: [&str; 4] = [
    r#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /presentations/logstash-monitorama-2013/images/kibana-search.png HTTP/1.1" 200 203023 "http://semicomplete.com/presentations/logstash-monitorama-2013/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36""#,
    r#"198.51.100.23 - frank [10/Oct/2023:13:55:36 -0700] "POST /api/v1/orders HTTP/1.1" 201 512 "-" "curl/8.5.0""#,
    r#"2001:db8::1 - - [10/Oct/2023:13:55:37 -0700] "GET /favicon.ico HTTP/1.1" 304 - "https://shop.example.org/" "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0""#,
    r#"crawl-66-249.example.com - - [10/Oct/2023:13:55:38 -0700] "GET /robots.txt HTTP/1.0" 404 209 "-" "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)""#,
];

/// The filter of a config, without the pipeline around it.
fn filter(options: &str) -> Box<dyn Filter> {
    let text = format!("filter {{ grok {{ {options} }} }}");
    let sources = rstash::language::Sources::single("bench", text);
    let parsed = rstash::language::parse(&sources, rstash::language::ParseOptions::default());
    let context = Context { ecs: EcsMode::Disabled, ..Context::new(rstash::registry()) };
    let spec = rstash::registry().get(Kind::Filter, "grok").map(|spec| &spec.build);
    match (parsed.config.sections.first().and_then(|section| section.items.first()), spec) {
        (Some(rstash::language::ast::Item::Plugin(plugin)), Some(Build::Filter(build))) => {
            let block = Block::new(Kind::Filter, plugin, &context.environment, &mut Vec::new());
            build(&mut OptionReader::new(&block, &context, "bench".to_owned()))
                .unwrap_or_else(|| unreachable!("{options}"))
        }
        _ => unreachable!("{options}"),
    }
}

fn grok(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("grok");
    let dictionary = Dictionary::new(Library::Legacy);
    let compile = |source| {
        Expression::compile(source, &dictionary, true).unwrap_or_else(|error| unreachable!("{error}"))
    };
    group.bench_function("compile COMBINEDAPACHELOG", |bencher| {
        bencher.iter(|| compile(black_box("%{COMBINEDAPACHELOG}")));
    });
    group.throughput(Throughput::Elements(ACCESS_LOG.len() as u64));
    let combined = compile("%{COMBINEDAPACHELOG}");
    let mut locations = Locations::default();
    group.bench_function("match COMBINEDAPACHELOG", |bencher| {
        bencher.iter(|| {
            ACCESS_LOG.iter().filter(|line| combined.matches(line, None, &mut locations) == Ok(true)).count()
        });
    });
    // The same by Oniguruma alone, which runs what the matcher of our own does not know.
    let options = onig::RegexOptions::REGEX_OPTION_MULTILINE;
    let oniguruma = onig::Regex::with_options(combined.regex().as_str(), options, onig::Syntax::ruby());
    let oniguruma = oniguruma.unwrap_or_else(|error| unreachable!("{error}"));
    let mut region = onig::Region::new();
    group.bench_function("match COMBINEDAPACHELOG by Oniguruma", |bencher| {
        bencher.iter(|| {
            let none = onig::SearchOptions::SEARCH_OPTION_NONE;
            let search = |line: &&&str| {
                oniguruma.search_with_options(line, 0, line.len(), none, Some(&mut region)).is_some()
            };
            ACCESS_LOG.iter().filter(search).count()
        });
    });
    // Thirty patterns of which none matches.
    let many: Vec<String> = (0..30)
        .map(|code| format!(r#""^%{{SYSLOGBASE}} E{code:02} %{{IP:ip}} %{{GREEDYDATA:rest}}""#))
        .collect();
    let filters = [
        ("filter COMBINEDAPACHELOG", r#"match => { "message" => "%{COMBINEDAPACHELOG}" }"#.to_owned()),
        (
            "filter 30 patterns without a match",
            format!(r#"match => {{ "message" => [{}] }}"#, many.join(",")),
        ),
    ];
    for (name, options) in filters {
        let filter = filter(&options);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || ACCESS_LOG.map(Event::from_message),
                |mut events| {
                    for event in &mut events {
                        black_box(filter.filter(event, &mut Emit::default()));
                    }
                    events
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, grok);
criterion_main!(benches);
