//! Running a `Suite`: all its tests through one pipeline, in order, as logstash-filter-verifier does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::execute::{self, Bench, Folder, Framing};
use super::super::inject::{Collect, Given, Inject, Prepare, sort_keys};
use super::super::judge::{Outcome, Verdict, differ, raw_event};
use super::super::raw::Raw;
use super::super::shared::SharedConfig;
use super::{Suite, Test, fields};
use crate::event::{Event, FieldReference, METADATA, Value, json};
use crate::language::Span;
use crate::language::ast::Plugin;
use crate::pipeline::{InputNode, Plan, Step};
use crate::plugin::{
    Block, BlockOption, Codec, CodecFactory, Context, FromOption, InputDecoration, Kind, OptionReader, Stdout,
};

/// Events pass one by one, so that what a filter keeps from one is there for the next.
const BATCH_SIZE: usize = 1;
/// What the verifier itself keeps in `@metadata`, and never shows.
const OWN_METADATA: [&str; 2] = ["__lfv_", "__tmp_"];
/// Where an event carries its number through the pipeline, so that what comes out can be told apart.
const NUMBER: &str = "[@metadata][__lfv_id]";
/// The id of the output that an event has reached.
const OUTPUT: &str = "__lfv_out_passed";

/// Where events come in: what the config's input, or a stdin input, does to them.
struct Entry {
    codec: Box<dyn Codec>,
    decoration: InputDecoration,
}

/// An event as it came out.
struct Passed {
    /// The number of the event that it stems from.
    number: Option<usize>,
    output: Arc<str>,
    event: Event,
}

impl Suite {
    /// Runs the tests and judges each. `file` is how their names begin.
    pub fn run(&self, bench: &Bench, file: &str) -> Vec<Verdict> {
        let start = Instant::now();
        let mut verdicts = match self.outputs(bench) {
            Ok(got) => self.judge(file, got),
            Err(failed) => {
                let error = failed.error.clone().unwrap_or_default();
                vec![Verdict::new(file.to_owned(), failed, vec![format!("did not run:\n{error}")])]
            }
        };
        let time = start.elapsed() / verdicts.len().max(1) as u32;
        verdicts.iter_mut().for_each(|verdict| verdict.time = time);
        verdicts
    }

    /// What came out for each test, ready to be compared.
    pub fn outputs(&self, bench: &Bench) -> Result<Vec<Vec<Raw>>, Outcome> {
        let folder = Folder::write(&BTreeMap::new())
            .map_err(|error| Outcome::failed(format!("could not make a temporary folder: {error}")))?;
        let shared = bench
            .config
            .as_ref()
            .ok_or_else(|| Outcome::failed("these cases bring no config: name one with -f"))?;
        let context = execute::context(&bench.settings, &folder, Stdout::Capture(Arc::new(Mutex::default())));
        let parsed = match self.input_plugin {
            Some(_) => shared.filters_and_outputs(),
            None => shared.filters(),
        };
        let mut plan = bench.load(parsed, shared.sources(), &context, None)?;
        let collect = Collect::default();
        self.wire(&mut plan, shared, &context, &collect).map_err(Outcome::failed)?;
        bench.runtime.block_on(execute::run_to_end(plan, BATCH_SIZE)).map_err(Outcome::failed)?;
        Ok(self.by_test(collect))
    }

    /// Puts the tests' lines in the place of the inputs, and keeps what reaches the outputs.
    fn wire(
        &self,
        plan: &mut Plan,
        shared: &SharedConfig,
        context: &Context,
        collect: &Collect,
    ) -> Result<(), String> {
        let entry = match &self.input_plugin {
            Some(id) => self.entry_of(id, shared, context)?,
            None => self.stdin_entry(context)?,
        };
        let given = self.tests.iter().flat_map(|test| self.given(test)).collect();
        let input = Box::new(Inject::new(given, entry.codec).preparing(self.prepare(context)?));
        let decoration = Arc::new(entry.decoration);
        plan.inputs = vec![InputNode { id: "case".into(), name: "case", input, decoration }];
        if plan.outputs.is_empty() {
            super::super::case::collect_all(plan, collect);
            return Ok(());
        }
        plan.filters.push(Step::Leaf(sort_keys()));
        for node in &mut plan.outputs {
            node.output = Box::new(collect.at(&node.id));
        }
        Ok(())
    }

    /// The lines of a test. One without lines gives an event that has nothing but its fields.
    fn given(&self, test: &Test) -> Vec<Given> {
        if test.lines.is_empty() {
            return vec![Given::Event(Box::new(Event::new()))];
        }
        let end = if self.input_plugin.is_some() { "" } else { "\n" };
        test.lines.iter().map(|line| Given::Bytes(format!("{line}{end}").into_bytes())).collect()
    }

    /// The verifier's standalone mode: `stdin { codec => ... add_field => ... }`.
    fn stdin_entry(&self, context: &Context) -> Result<Entry, String> {
        let options = execute::parse_options(&execute::Settings::new());
        let codec = execute::codec(&self.codec, Framing::Stream, options, context)?;
        let mut block = Block::bare(Kind::Input, "stdin", Span::default());
        if !self.fields.is_empty() {
            block.options.push(BlockOption {
                name: "add_field".into(),
                name_span: Span::default(),
                value: fields::add_field(&self.fields)?,
            });
        }
        Ok(Entry { codec: codec.create(), decoration: decoration(&block, context)? })
    }

    /// The verifier's daemon mode: the codec and the common options of the input with this id.
    fn entry_of(&self, id: &str, shared: &SharedConfig, context: &Context) -> Result<Entry, String> {
        let plugin = find_input(shared, id)?;
        let mut problems = Vec::new();
        let mut block = Block::new(Kind::Input, plugin, &context.environment, &mut problems);
        if !problems.is_empty() {
            return Err(execute::messages(problems));
        }
        let codec = block.options.iter().find(|option| option.name == "codec");
        let codec = match codec {
            Some(option) => CodecFactory::from_option(&option.value, context),
            None => CodecFactory::new(&Block::bare(Kind::Codec, "plain", Span::default()), context),
        };
        block.options.retain(|option| ["add_field", "tags", "type"].contains(&option.name.as_str()));
        Ok(Entry {
            codec: codec.map_err(execute::messages)?.create(),
            decoration: decoration(&block, context)?,
        })
    }

    /// Numbers the events, and gives them what the tests' `fields` say. In standalone mode the file's own fields come
    /// through add_field instead.
    fn prepare(&self, context: &Context) -> Result<Prepare, String> {
        let mut per_line = Vec::new();
        for test in &self.tests {
            let mut fields = match self.input_plugin {
                Some(_) => self.fields.clone(),
                None => BTreeMap::new(),
            };
            fields.extend(test.fields.clone());
            let has_timestamp = fields.contains_key("@timestamp");
            let event = event_of(fields)?;
            per_line.extend(vec![(event, has_timestamp); test.lines.len().max(1)]);
        }
        let number_field = FieldReference::parse(NUMBER).map_err(|error| error.to_string())?;
        let original = FieldReference::parse("[event][original]").map_err(|error| error.to_string())?;
        let keeps_original = self.input_plugin.is_none() && context.ecs.is_enabled();
        Ok(Box::new(move |event, number, line| {
            if keeps_original && !line.is_empty() && !event.contains(&original) {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                // Setting a field of an object that is something else fails, as it does in the stdin input.
                _ = event.set(&original, String::from_utf8_lossy(line).as_ref());
            }
            if let Some((fields, has_timestamp)) = per_line.get(number.min(per_line.len().saturating_sub(1)))
            {
                set_fields(event, fields, *has_timestamp);
            }
            _ = event.set(&number_field, number as i64);
        }))
    }

    /// Sorts what came out by test, and cleans it as the verifier does before it compares.
    fn by_test(&self, collect: Collect) -> Vec<Vec<Raw>> {
        let mut passed: Vec<Passed> = collect.take().into_iter().map(Passed::new).collect();
        if self.input_plugin.is_some() {
            passed.sort_by(|left, right| (left.number, &left.output).cmp(&(right.number, &right.output)));
        }
        let test_of_line: Vec<usize> =
            (0..).zip(&self.tests).flat_map(|(number, test)| vec![number; test.lines.len().max(1)]).collect();
        let mut by_test = vec![Vec::new(); self.tests.len()];
        let mut last = 0;
        for passed in passed {
            // What a filter made of nothing belongs to what came before it.
            if let Some(number) = passed.number {
                last = test_of_line.get(number).or(test_of_line.last()).copied().unwrap_or(0);
            }
            if let Some(events) = by_test.get_mut(last) {
                events.extend(self.cleaned(&passed));
            }
        }
        by_test
    }

    fn cleaned(&self, passed: &Passed) -> Option<Raw> {
        let mut raw = raw_event(&passed.event)?;
        if let Raw::Map(map) = &mut raw {
            let metadata = map.remove(METADATA);
            if let Some(Raw::Map(mut metadata)) = metadata.filter(|_| self.export_metadata) {
                metadata.retain(|key, _| !OWN_METADATA.iter().any(|own| key.starts_with(own)));
                if !metadata.is_empty() {
                    map.insert(METADATA.to_owned(), Raw::Map(metadata));
                }
            }
            if self.export_outputs {
                map.insert(OUTPUT.to_owned(), Raw::Text(safe_id(&passed.output)));
            }
            if self.input_plugin.is_some() && map.get("tags").is_some_and(|tags| tags.list().is_empty()) {
                map.remove("tags");
            }
        }
        self.without_ignored(&mut raw);
        Some(raw)
    }

    fn without_ignored(&self, raw: &mut Raw) {
        self.ignore.iter().for_each(|path| path.remove_from(raw));
    }

    /// Judges each test; all have passed if all events together are those expected together, as the verifier sees it.
    fn judge(&self, file: &str, got: Vec<Vec<Raw>>) -> Vec<Verdict> {
        let comparable = |events: &[Raw]| -> Vec<Raw> {
            let mut events = events.to_vec();
            for event in &mut events {
                self.without_ignored(event);
                *event = with_plain_numbers(std::mem::replace(event, Raw::Null));
            }
            events
        };
        let expected: Vec<_> = self.tests.iter().map(|test| comparable(&test.expected)).collect();
        let compared: Vec<_> = got.iter().map(|events| comparable(events)).collect();
        let all_pass = expected.concat() == compared.concat();
        let mut verdicts = Vec::with_capacity(got.len());
        for (number, events) in got.into_iter().enumerate() {
            let (Some(test), Some(expected), Some(got)) =
                (self.tests.get(number), expected.get(number), compared.get(number))
            else {
                continue;
            };
            let mut reasons = Vec::new();
            if !all_pass && expected != got {
                reasons.push(differ("events", &Raw::List(expected.clone()), &Raw::List(got.clone())));
            }
            let name = test.name(file, number);
            verdicts.push(Verdict::new(name, Outcome::of_events(events), reasons));
        }
        verdicts
    }
}

impl Test {
    fn name(&self, file: &str, number: usize) -> String {
        match &self.description {
            Some(description) => format!("{file}: test {} ({description})", number + 1),
            None => format!("{file}: test {}", number + 1),
        }
    }
}

impl Passed {
    fn new((output, event): (Arc<str>, Event)) -> Self {
        let number = match event.metadata().get("__lfv_id") {
            Some(Value::Int(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        Passed { number, output, event }
    }
}

/// The input of a config that has this id. `--add-missing-id` of the verifier makes ids that only a config with one
/// input can be asked for.
fn find_input<'s>(shared: &'s SharedConfig, id: &str) -> Result<&'s Plugin, String> {
    let inputs: Vec<_> = shared.inputs().collect();
    if let Some((_, plugin)) = inputs.iter().find(|(given, _)| *given == Some(id)) {
        return Ok(plugin);
    }
    if let ([(None, plugin)], true) = (inputs.as_slice(), id.starts_with("id_missing_")) {
        return Ok(plugin);
    }
    let ids: Vec<_> = inputs.iter().filter_map(|(given, _)| *given).collect();
    let there = match ids.is_empty() {
        true => "no input of the config has an id".to_owned(),
        false => format!("the inputs of the config are: {}", ids.join(", ")),
    };
    Err(format!("input_plugin: no input has the id \"{id}\"; {there}"))
}

fn decoration(block: &Block, context: &Context) -> Result<InputDecoration, String> {
    let mut reader = OptionReader::new(block, context, block.name.clone());
    let decoration = InputDecoration::read(&mut reader);
    let spec = context.registry.iter().find(|spec| spec.kind == Kind::Input);
    let problems = spec.map_or_else(Vec::new, |spec| reader.finish(spec));
    decoration.filter(|_| problems.is_empty()).ok_or_else(|| execute::messages(problems))
}

/// An event with these fields and nothing that was not given.
fn event_of(fields: BTreeMap<String, Raw>) -> Result<Event, String> {
    let text = Raw::Map(fields).to_json();
    match json::parse(&text, json::Decimals::Double).map_err(|error| format!("\"fields\": {error}"))? {
        Value::Object(object) => Event::from_object(*object).map_err(|error| format!("\"fields\": {error}")),
        _ => Ok(Event::new()),
    }
}

/// Sets the fields of one event on another.
fn set_fields(event: &mut Event, fields: &Event, has_timestamp: bool) {
    for (name, value) in fields.data().iter() {
        let given = match name {
            "@timestamp" => has_timestamp,
            "@version" => false,
            _ => true,
        };
        if given {
            event.data_mut().insert(name, value.clone());
        }
    }
    for (name, value) in fields.metadata().iter() {
        if let Ok(metadata) = FieldReference::parse(METADATA) {
            // It always is an object: setting a field of it cannot fail.
            _ = event.set(&metadata.child(name), value.clone());
        }
    }
}

/// Numbers as JavaScript and Go print them: 1.0 is 1 in these files.
fn with_plain_numbers(raw: Raw) -> Raw {
    match raw {
        Raw::Number(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Raw::Number(number.to_string()),
            _ => Raw::Number(text),
        },
        Raw::List(items) => Raw::List(items.into_iter().map(with_plain_numbers).collect()),
        Raw::Map(map) => {
            Raw::Map(map.into_iter().map(|(key, value)| (key, with_plain_numbers(value))).collect())
        }
        other => other,
    }
}

/// An id of letters, digits and `_` alone (`pluginIDSave`).
fn safe_id(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
