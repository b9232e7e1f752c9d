//! Code that stands in the config.

use super::worlds::Worlds;
use super::{Tags, report};
use crate::event::Event;
use crate::plugin::{DecorateError, Emit, Filter, OptionReader, Outcome};
use crate::ruby::{Args, Failure, Interp, Kept, ScriptError, World, survey};

/// The parameters of the code, as the filter of Logstash gives them.
const PARAMETERS: &str = "event, &new_event_block";
/// The class of the object that code runs in.
const HOST_CLASS: &str = "LogStash::Filters::Ruby";

/// Where the code is in a world.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    code: Kept,
    event: Kept,
    block: Kept,
}

/// Why code cannot be used, by the option it stands in.
enum Refused {
    Script(&'static str, Vec<ScriptError>),
    Failed(Failure),
}

/// The filter with the options `code` and `init`.
pub(super) struct Inline {
    worlds: Worlds<Loaded>,
    tags: Tags,
}

impl Inline {
    /// Compiles the code and runs `init`; what is wrong is reported.
    pub fn load(code: &str, init: Option<&str>, tags: Tags, reader: &mut OptionReader<'_>) -> Option<Inline> {
        let (code_text, init_text) = (code.to_owned(), init.map(str::to_owned));
        let mut parts = vec![(code, Some(PARAMETERS))];
        parts.extend(init.map(|init| (init, None)));
        // A mistake of syntax is found again below, with the option it stands in.
        let traits = survey("(ruby filter code)", &parts).unwrap_or_default();
        let loaded = Worlds::load(traits, move |world| load_into(world, &code_text, init_text.as_deref()));
        match loaded {
            Ok(worlds) => Some(Inline { worlds, tags }),
            Err(Refused::Script(option, errors)) => {
                let source = if option == "init" { init.unwrap_or_default() } else { code };
                report(reader, option, source, &errors);
                None
            }
            Err(Refused::Failed(failure)) => {
                let place = failure.backtrace.first().map(|at| format!(" at {at}")).unwrap_or_default();
                reader.error("init", format!("it raised {}: {}{place}", failure.class, failure.message));
                None
            }
        }
    }
}

fn load_into(world: &mut World, code: &str, init: Option<&str>) -> Result<Loaded, Refused> {
    world.with(|interp| {
        let host = interp.new_host(HOST_CLASS);
        if let Some(init) = init {
            let ran = interp.run_once(init, "(ruby filter init)", &host);
            ran.map_err(|errors| Refused::Script("init", errors))?.map_err(Refused::Failed)?;
        }
        let code = interp
            .load_code(code, "(ruby filter code)", PARAMETERS, &host)
            .map_err(|errors| Refused::Script("code", errors))?;
        let block = interp.new_event_block();
        Ok(Loaded { code: interp.keep(code), event: interp.new_event_slot(), block: interp.keep(block) })
    })
}

impl Filter for Inline {
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        let result = self.worlds.with(|world, loaded| world.with(|interp| run(interp, loaded, event)));
        match result {
            Some((failure, emitted)) => {
                emitted.into_iter().for_each(|event| emit.plain(event));
                match failure {
                    Some(failure) => self.tags.failed(event, &failure),
                    None if event.is_cancelled() => Outcome::Cancelled,
                    None => Outcome::Matched,
                }
            }
            None => Outcome::Failed,
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        self.tags.decoration_failed(event, error);
    }
}

fn run(interp: &mut Interp, loaded: Loaded, event: &mut Event) -> (Option<Failure>, Vec<Event>) {
    let (code, block) = (interp.kept(loaded.code), interp.kept(loaded.block));
    let block = interp.to_block(&block).ok().flatten();
    let result = interp.with_event(loaded.event, event, |interp, object| {
        let args = Args { block: block.as_ref(), ..Args::of(std::slice::from_ref(object)) };
        let result = interp.run_code(&code, args);
        result.err().map(|control| interp.failure(control))
    });
    (result.unwrap_or_else(Some), interp.take_emitted())
}
