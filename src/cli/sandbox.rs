//! `leoctl sandbox`, and the sandbox for commands that are to use it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::args::SandboxCommand;
use super::{CliError, Context, Exit, ask, project};
use crate::sandbox::{Running, Sandbox, SandboxError, Stage, Status};
use crate::ui::waiting::Voice;
use crate::ui::{self, WARN, styled};
use leoctl_core::plan::types::{Action, Plan};

/// Starts, stops, shows or resets the sandbox of the project that leoctl is called in.
pub async fn run(context: &Context, command: SandboxCommand) -> Result<Exit, CliError> {
    let project = project::here();
    let sandbox = Sandbox::of(&project)?;
    context.say(&format!("Project {}", project.display()));
    let runs = |running: &Running| format!("The sandbox runs at {} (process {}).", running.endpoint(), running.pid);
    let said = match command {
        SandboxCommand::Start => runs(&waited(context, move |stage| sandbox.start(stage)).await?),
        SandboxCommand::Stop => match waited(context, move |stage| sandbox.stop(stage)).await? {
            true => "The sandbox is stopped; what is in it stays.".to_owned(),
            false => "The sandbox does not run.".to_owned(),
        },
        SandboxCommand::Status => match sandbox.status()? {
            Status::Runs(running) => format!("{}\n\n{}", runs(&running), lacks()),
            Status::Starts(pid) => format!("The sandbox is starting (process {pid})."),
            Status::Stopped => "The sandbox does not run.".to_owned(),
        },
        SandboxCommand::Reset { yes } => {
            if !ask::confirmed(context, yes, "Forget everything in its sandbox?").await? {
                return Ok(Exit::Error);
            }
            waited(context, move |stage| sandbox.reset(stage)).await?;
            "The sandbox is empty.".to_owned()
        }
    };
    ui::out(said);
    Ok(Exit::Done)
}

/// The sandbox of a stack file's project, started unless it runs.
///
/// # Errors
/// When it cannot be installed, or does not come up.
pub async fn running(context: &Context, stack_file: &Path) -> Result<Running, CliError> {
    let own = context.global.sandbox_in.clone();
    let sandbox = Sandbox::of(&own.unwrap_or_else(|| project::root(stack_file)))?;
    waited(context, move |stage| sandbox.start(stage)).await
}

/// Does something with the sandbox, in a thread of its own, so that leoctl hears signals meanwhile. When it takes long,
/// says what is being waited for.
async fn waited<T: Send + 'static>(
    context: &Context,
    work: impl FnOnce(&dyn Fn(Stage)) -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, CliError> {
    let now = Arc::new(Mutex::new(None));
    let (stages, words) = (Arc::clone(&now), context.clone());
    let working = tokio::task::spawn_blocking(move || {
        work(&|stage| {
            match stage {
                Stage::Python => words.say("Installing MiniStack and Moto for the sandbox (once) …"),
                Stage::Again => words.say(&ui::prose(styled(WARN, KILLED))),
                _ => {}
            }
            *stages.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
        })
    });
    let line = |_| {
        let stage: Option<Stage> = *now.lock().unwrap_or_else(PoisonError::into_inner);
        format!("waiting: {}", stage.map_or_else(|| "the sandbox".to_owned(), |stage| stage.to_string()))
    };
    match Voice::new(context.global.json || context.global.quiet).during(line, working).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(CliError::usage(&format!("the sandbox does not answer: {error}"), "try again")),
    }
}

/// What is said where the sandbox was killed.
const KILLED: &str = "Note: the sandbox was killed, and starts again with what it last saved. What was made since then is not there: a plan shows it as new, or as deleted outside leoctl.";

/// How many gaps of a type are told.
const SHOWN: usize = 2;

/// The page that says what the sandbox's emulators do otherwise than AWS, type by type.
const PAGE: &str = include_str!("../../docs/sandbox.md");

/// What the sandbox's emulators do otherwise than AWS, type by type: all that is known.
fn lacks() -> String {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| type |"));
    let rows = table.filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let mut of_types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    rows.for_each(|(type_name, gap)| of_types.entry(type_name).or_default().push(gap));
    let lines = of_types.iter().map(|(type_name, gaps)| ui::prose(format!("  {type_name}: {}", gaps.join("; "))));
    let head =
        ui::prose("What it does otherwise than AWS, so that a stack is refused or changes in every plan though it is fine:".to_owned());
    iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

/// What is known of how the emulator answers otherwise than AWS does for a type, from the table of the page.
pub fn gaps(type_name: &str) -> Vec<&'static str> {
    let is_it = |of: &str| of == type_name || of.strip_suffix('*').is_some_and(|start| type_name.starts_with(start));
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    rows.filter(|(of, _)| is_it(of)).map(|(_, gap)| gap).collect()
}

/// What to know of changes that the sandbox may show again and again, whatever is applied; nothing without a sandbox.
pub fn otherwise(context: &Context, plan: &Plan) -> Vec<String> {
    let changed = plan.changes.iter().filter(|change| matches!(change.action, Action::Update | Action::Replace));
    let types: BTreeSet<&str> = changed.map(|change| change.address.type_name()).filter(|_| context.global.sandbox).collect();
    let note = |type_name: &&str| {
        let gaps = gaps(type_name);
        (!gaps.is_empty()).then(|| {
            let some = gaps.iter().take(SHOWN).copied().collect::<Vec<_>>().join("; ");
            let more = match gaps.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("; and {more} more, which `leoctl sandbox status` lists"),
            };
            let text = format!(
                "Note: the sandbox is not all of AWS for {type_name}: {some}{more}. A change that every plan shows again comes from that: your stack is fine."
            );
            ui::prose(styled(WARN, text))
        })
    };
    types.iter().filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_type_is_found_on_the_page() {
        for known in ["lb", "lb_listener", "subnet", "cloudwatch_dashboard"] {
            assert!(!gaps(known).is_empty(), "{known}");
        }
        // A row of many types is one of each of them.
        assert_eq!(gaps("awscc_sqs_queue"), gaps("awscc_*"));
        assert!(!gaps("awscc_sqs_queue").is_empty());
        assert!(gaps("nat").is_empty() && gaps("type").is_empty());
        let lacks = lacks();
        assert!(lacks.contains("  awscc_*: ") && !lacks.contains("leoctl sandbox"), "{lacks}");
    }
}
