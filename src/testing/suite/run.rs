//! Running a `Suite`: all its tests through one pipeline, in order, as logstash-filter-verifier does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::execute::{self, Bench, Folder, Framing};
use super::super::inject::{Collect, Given, Inject, Prepare, sort_keys};
use super::super::judge::{Outcome, Verdict};
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
/// Where an event carries its number through the pipeline, so that what comes out can be told apart.
const NUMBER: &str = "[@metadata][__lfv_id]";

/// Where events come in: what the config's input, or a stdin input, does to them.
struct Entry {
    codec: Box<dyn Codec>,
    decoration: InputDecoration,
}

impl Suite {
    /// Runs the tests and judges each. `file` is how their names begin.
    pub fn run(&self, bench: &Bench, file: &str) -> Vec<Verdict> {
        let start = Instant::now();
        let mut verdicts = match self.outputs(bench) {
            Ok(got) => self.judge(file, got),
            Err(failed) => {
                let error = failed.error.clone().unwrap_or_default();
                vec![Verdict::new(file.to_owned(), *failed, vec![format!("did not run:\n{error}")])]
            }
        };
        let time = start.elapsed() / verdicts.len().max(1) as u32;
        verdicts.iter_mut().for_each(|verdict| verdict.time = time);
        verdicts
    }

    /// What came out for each test, ready to be compared.
    pub fn outputs(&self, bench: &Bench) -> Result<Vec<Vec<Raw>>, Box<Outcome>> {
        let folder = Folder::write(&BTreeMap::new())
            .map_err(|error| Outcome::failure(format!("could not make a temporary folder: {error}")))?;
        let shared = bench
            .config
            .as_ref()
            .ok_or_else(|| Outcome::failure("these cases bring no config: name one with -f"))?;
        let context = execute::context(&bench.settings, &folder, Stdout::Capture(Arc::new(Mutex::default())));
        let parsed = match self.input_plugin {
            Some(_) => shared.filters_and_outputs(),
            None => shared.filters(),
        };
        let mut plan = bench.load(parsed, shared.sources(), &context, None)?;
        let collect = Collect::default();
        self.wire(&mut plan, shared, &context, &collect).map_err(Outcome::failure)?;
        bench.runtime.block_on(execute::run_to_end(plan, BATCH_SIZE)).map_err(Outcome::failure)?;
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
            return vec![Given::Event(Box::default())];
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
