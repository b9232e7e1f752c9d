//! `Plan`: the plugins of one pipeline and the conditions between them, built from the config's tree.

use std::collections::HashMap;
use std::sync::Arc;

use super::condition::{Builder, Condition};
use super::switch::Switch;
use crate::event::Event;
use crate::language::ast::{self, Item, SectionKind};
use crate::language::{ParseOptions, Parsed, Sources, Span};
use crate::plugin::{
    Block, Build, Context, Filter, FilterDecoration, Input, InputDecoration, Kind, OptionReader, Output,
    Problem, Severity, Spec, check_unavailable, take_common,
};

/// Everything that one pipeline runs.
pub struct Plan {
    pub inputs: Vec<InputNode>,
    pub filters: Vec<Step<FilterNode>>,
    pub outputs: Vec<OutputNode>,
    /// Which events go to which output, by its number in `outputs`.
    pub routes: Vec<Step<usize>>,
}

/// A plugin, or a branch with more steps in it.
pub enum Step<L> {
    Leaf(L),
    If { arms: Vec<(Condition, Vec<Step<L>>)>, otherwise: Vec<Step<L>>, switch: Option<Switch> },
}

impl<L> Step<L> {
    /// An `if` with its arms and its `else`.
    pub fn branch(arms: Vec<(Condition, Vec<Step<L>>)>, otherwise: Vec<Step<L>>) -> Self {
        let switch = Switch::of(arms.iter().map(|(condition, _)| condition));
        Step::If { arms, otherwise, switch }
    }
}

pub struct InputNode {
    pub id: String,
    pub name: &'static str,
    pub input: Box<dyn Input>,
    pub decoration: Arc<InputDecoration>,
}

pub struct FilterNode {
    pub id: String,
    pub name: &'static str,
    pub filter: Box<dyn Filter>,
    pub decoration: FilterDecoration,
}

impl FilterNode {
    /// Applies the common options to an event that the filter matched.
    pub fn decorate(&self, event: &mut Event) {
        if let Err(error) = self.decoration.apply(event) {
            self.filter.decoration_failed(self.name, event, &error);
        }
    }
}

pub struct OutputNode {
    pub id: String,
    pub name: &'static str,
    pub output: Box<dyn Output>,
}

impl Plan {
    /// Reads and builds the config of one pipeline. All mistakes of all sources come at once, by place; with an error
    /// among them there is no plan.
    pub fn load(sources: &Sources, options: ParseOptions, context: &Context) -> (Option<Self>, Vec<Problem>) {
        Self::of_parsed(crate::language::parse(sources, options), sources, context)
    }

    /// [`load`](Self::load) for a config that has been parsed, and perhaps changed since.
    pub fn of_parsed(parsed: Parsed, sources: &Sources, context: &Context) -> (Option<Self>, Vec<Problem>) {
        let understood = parsed.is_ok();
        let locate = |span| match sources.locate(span) {
            Some(place) => format!("{}:{}", place.file, place.line),
            None => String::from("?"),
        };
        let refused = crate::language::refused_at_start(&parsed.config);
        let understood = understood && !refused.iter().any(Problem::is_error);
        let (plan, problems) = Self::build(&parsed.config, context, &locate);
        let mut diagnostics = parsed.diagnostics;
        diagnostics.extend(refused);
        diagnostics.extend(problems);
        diagnostics.sort_by_key(|problem| problem.span.map(|span| (span.source, span.start)));
        (plan.filter(|_| understood), diagnostics)
    }

    /// Builds every plugin of a config. All problems of all plugins come at once; with an error among them there is no
    /// plan. `locate` names the place of a plugin, for its id.
    pub fn build(
        config: &ast::Config,
        context: &Context,
        locate: &dyn Fn(Span) -> String,
    ) -> (Option<Self>, Vec<Problem>) {
        let mut builder = PlanBuilder {
            context,
            locate,
            ids: HashMap::new(),
            problems: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let (mut filters, mut routes) = (Vec::new(), Vec::new());
        for section in &config.sections {
            match section.kind {
                SectionKind::Input => builder.inputs(&section.items),
                SectionKind::Filter => filters.extend(builder.steps(&section.items, &PlanBuilder::filter)),
                SectionKind::Output => routes.extend(builder.steps(&section.items, &PlanBuilder::output)),
            }
        }
        let PlanBuilder { problems, inputs, outputs, .. } = builder;
        let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
        ((!failed).then_some(Plan { inputs, filters, outputs, routes }), problems)
    }
}

struct PlanBuilder<'a> {
    context: &'a Context,
    locate: &'a dyn Fn(Span) -> String,
    /// The ids given in the config, with the place of each.
    ids: HashMap<String, Span>,
    problems: Vec<Problem>,
    inputs: Vec<InputNode>,
    outputs: Vec<OutputNode>,
}

impl PlanBuilder<'_> {
    fn inputs(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Plugin(plugin) => self.input(plugin),
                Item::Branch(branch) => {
                    let problem = Problem::error(branch.span, "an input section cannot hold an if");
                    self.problems.push(problem.help("put the condition around filters or outputs"));
                }
            }
        }
    }

    fn steps<L>(
        &mut self,
        items: &[Item],
        leaf: &dyn Fn(&mut Self, &ast::Plugin) -> Option<L>,
    ) -> Vec<Step<L>> {
        let mut steps = Vec::new();
        for item in items {
            match item {
                Item::Plugin(plugin) => steps.extend(leaf(self, plugin).map(Step::Leaf)),
                Item::Branch(branch) => {
                    let arms = branch
                        .arms
                        .iter()
                        .map(|arm| {
                            let environment = &self.context.environment;
                            let condition =
                                Builder { environment, problems: &mut self.problems }.build(&arm.condition);
                            (condition, self.steps(&arm.body, leaf))
                        })
                        .collect();
                    let otherwise =
                        branch.otherwise.as_deref().map(|items| self.steps(items, leaf)).unwrap_or_default();
                    steps.push(Step::branch(arms, otherwise));
                }
            }
        }
        steps
    }

    fn input(&mut self, plugin: &ast::Plugin) {
        let built = self.plugin(Kind::Input, plugin, |build, reader| {
            let decoration = InputDecoration::read(reader);
            let Build::Input(build) = build else { return None };
            Some((build(reader)?, decoration?))
        });
        if let Some((id, name, (input, decoration))) = built {
            self.inputs.push(InputNode { id, name, input, decoration: Arc::new(decoration) });
        }
    }

    fn filter(&mut self, plugin: &ast::Plugin) -> Option<FilterNode> {
        let built = self.plugin(Kind::Filter, plugin, |build, reader| {
            let decoration = FilterDecoration::read(reader);
            let Build::Filter(build) = build else { return None };
            Some((build(reader)?, decoration?))
        });
        let (id, name, (mut filter, decoration)) = built?;
        filter.set_decoration(&decoration);
        Some(FilterNode { id, name, filter, decoration })
    }

    fn output(&mut self, plugin: &ast::Plugin) -> Option<usize> {
        let built = self.plugin(Kind::Output, plugin, |build, reader| {
            let _: Option<u64> = reader.take("workers", Some("1"));
            reader
                .no_effect("workers", "an output delivers the batches of all pipeline workers concurrently");
            let Build::Output(build) = build else { return None };
            build(reader)
        });
        let (id, name, output) = built?;
        self.outputs.push(OutputNode { id, name, output });
        Some(self.outputs.len() - 1)
    }

    /// Looks a plugin up, reads its options and makes it.
    fn plugin<T>(
        &mut self,
        kind: Kind,
        plugin: &ast::Plugin,
        build: impl FnOnce(&Build, &mut OptionReader<'_>) -> Option<T>,
    ) -> Option<(String, &'static str, T)> {
        let block = Block::new(kind, plugin, &self.context.environment, &mut self.problems);
        let Some(spec) = self.lookup(kind, plugin) else {
            if !plugin.name.quoted {
                self.problems.extend(check_unavailable(&block, self.context));
            }
            return None;
        };
        let id = self.id(&block);
        let mut reader = OptionReader::new(&block, self.context, id.clone()).with_renamed(spec.renamed);
        take_common(&mut reader);
        let built = build(&spec.build, &mut reader);
        self.problems.extend(reader.finish(spec));
        Some((id, spec.name, built?))
    }

    fn lookup(&mut self, kind: Kind, plugin: &ast::Plugin) -> Option<&'static Spec> {
        let name = &*plugin.name.text;
        let found = self.context.registry.get(kind, name).filter(|_| !plugin.name.quoted);
        if found.is_none() {
            if plugin.name.quoted {
                // `refused_at_start` has told.
                return None;
            }
            self.problems.push(self.context.registry.unknown(kind, name, plugin.name.span));
        }
        found
    }

    /// The id given in the config, which must be unique, or one made of the plugin's name and place.
    fn id(&mut self, block: &Block) -> String {
        let given = block.options.iter().find(|option| option.name == "id");
        let Some((option, id)) = given.and_then(|option| Some((option, option.value.scalar_text()?))) else {
            return format!("{}@{}", block.name, (self.locate)(block.name_span));
        };
        if let Some(first) = self.ids.insert(id.clone(), option.value.span) {
            let message =
                format!("two plugins have the id \"{id}\"; the other one is at {}", (self.locate)(first));
            self.problems.push(Problem::error(option.value.span, message).label("ids must be unique"));
        }
        id
    }
}
