//! Makes the clap command out of the settings' declarations.
use super::actions::Action;
use crate::settings::table::{self, DEPRECATED_FLAGS, Flag, Group, Setting, Support};
use clap::{Arg, ArgAction, Command, Subcommand};

/// What `--version` prints.
pub const VERSION_LINE: &str =
    concat!("rstash ", env!("CARGO_PKG_VERSION"), " (compatible with Logstash 9.5)\n");

/// Id of the flag that sets any setting, `--setting KEY=VALUE`.
pub const SETTING: &str = "setting";
/// Id of the flag that leaves plugins out of `--config.test_and_exit`.
pub const SYNTAX_ONLY: &str = "syntax-only";

/// Id of the flag that leaves files out that options name.
pub const ALLOW_MISSING_FILES: &str = "allow-missing-files";

const USAGE: &str =
    "rstash -f CONFIG_PATH [OPTIONS]\n       rstash -e CONFIG_STRING [OPTIONS]\n       rstash COMMAND [ARGS]";

/// The whole command line.
pub fn command() -> Command {
    let mut command = Command::new("rstash")
        .about("Runs Logstash pipelines.")
        .override_usage(USAGE)
        .after_help(after_help())
        .max_term_width(110)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .args_conflicts_with_subcommands(true);
    command = Action::augment_subcommands(command)
        .subcommand_required(false)
        .arg_required_else_help(false)
        .mut_subcommands(|subcommand| subcommand.arg(help()));
    let mut rows: Vec<&Setting> = table::all().collect();
    rows.sort_by_key(|setting| setting.group);
    for setting in rows {
        if let Some(flag) = setting.flag {
            command = command.arg(argument(setting, flag));
            if setting.name == "config.test_and_exit" {
                command = command.args(depths(setting));
            }
        }
    }
    let deprecated =
        DEPRECATED_FLAGS.iter().map(|flag| toggle(Arg::new(flag.long).long(flag.long)).hide(true));
    command.args(deprecated).arg(any_setting()).arg(help().help_heading(Group::Other.heading()))
}

fn argument(setting: &Setting, flag: Flag) -> Arg {
    let argument = Arg::new(setting.name)
        .long(flag.long)
        .aliases(flag.aliases.iter().copied())
        .help(setting.help)
        .help_heading(setting.group.heading())
        .hide(!setting.is_listed());
    let argument = match flag.short {
        Some(short) => argument.short(short),
        None => argument,
    };
    match flag.value_name {
        Some(name) => argument.value_name(name).action(ArgAction::Append).allow_hyphen_values(true),
        None => toggle(argument),
    }
}

/// `--flag`, `--flag true`, `--flag false`: Logstash's switches take the next argument unless it starts with a dash.
fn toggle(argument: Arg) -> Arg {
    argument.num_args(0..=1).default_missing_value("true").value_name("BOOL").action(ArgAction::Append)
}

/// The flags that say how much a check judges.
fn depths(beside: &Setting) -> [Arg; 2] {
    let flag = |id, help| {
        let argument = Arg::new(id).long(id).help(help).help_heading(beside.group.heading());
        argument.action(ArgAction::SetTrue).requires(beside.name)
    };
    [
        flag(SYNTAX_ONLY, "With -t: judge the language, not the plugins"),
        flag(ALLOW_MISSING_FILES, "With -t: files that options name need not be on this machine")
            .conflicts_with(SYNTAX_ONLY),
    ]
}

fn any_setting() -> Arg {
    Arg::new(SETTING)
        .long("setting")
        .short('S')
        .value_name("KEY=VALUE")
        .help("Set any setting of logstash.yml")
        .help_heading(Group::Other.heading())
        .action(ArgAction::Append)
        .allow_hyphen_values(true)
}

fn help() -> Arg {
    Arg::new("help").short('h').long("help").help("Print this page, then exit").action(ArgAction::HelpShort)
}

/// The flags that do nothing, and the exit status.
fn after_help() -> String {
    let flags = |wanted: fn(Support) -> bool| {
        let rows = table::all().filter(|setting| wanted(setting.support));
        rows.filter_map(|setting| setting.flag)
            .map(|flag| format!("--{}", flag.long))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let missing = flags(|support| matches!(support, Support::NotYet { .. } | Support::OnlyWith { .. }));
    let ignored = flags(|support| matches!(support, Support::NoMeaning(_)));
    format!(
        "Not available yet: {missing}\n\nAccepted, but of no effect: {ignored}\n\nExit status: 0 when all went well, 1 for wrong arguments, settings or configuration and for failures."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_help_page_lists_what_works_by_group() {
        let page = command().render_help().to_string();
        for part in ["\nPipeline:\n", "\nPaths:\n", "\nLogging:\n", "--path.config", "\nNot available yet: "]
        {
            assert!(page.contains(part), "{part:?} is missing in:\n{page}");
        }
        let lines = page.lines().count();
        assert!(lines <= 60, "{lines} lines do not fit a screen:\n{page}");
        assert!(page.lines().all(|line| line.chars().count() <= 110), "a line is too long in:\n{page}");
    }
}
