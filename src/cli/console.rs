//! `leoctl console`: expressions of the stack language, evaluated one line at a time.

mod history;
mod names;
mod world;

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::args::ConsoleArgs;
use super::{CliError, Context, Exit, error, project, signals};
use crate::ui;
use crate::ui::prompt::{Line, Prompt};
use crate::ui::unknown::Waits;
use history::History;
use names::Names;
use world::{Answer, World};

/// The longest line that is read, in bytes.
const LONGEST: u64 = 1 << 20;

const HELP: &str = "\
An expression, as between `${` and `}` in the stack file:
  vars.NAME, locals.NAME, TYPE.NAME.ATTRIBUTE, data.TYPE.NAME.ATTRIBUTE, module.NAME.OUTPUT
  :type EXPRESSION  what kind of value it has
  :help             this
  :quit             ends, as Ctrl-D does
Tab completes names, the arrow keys bring back what was typed. A line that begins with a space, or has to do with something
sensitive, is not kept.";

/// Evaluates what is typed or piped in.
pub async fn run(context: &Context, args: &ConsoleArgs) -> Result<Exit, CliError> {
    let path = project::stack_file(args.stack.as_deref(), context)?;
    let world = World::open(context, &path, args.refresh).await?;
    project::remember(&path);
    let mut console = Console { context, world };
    match context.interactive && ui::terminal::stdout_is_terminal() {
        true => console.typed().await,
        false => console.piped().await,
    }
}

struct Console<'a> {
    context: &'a Context,
    world: World,
}

impl Console<'_> {
    /// Evaluates each line of stdin.
    async fn piped(&mut self) -> Result<Exit, CliError> {
        let mut exit = Exit::Done;
        while let Some(line) = waited(read_line).await?.map_err(|error| unreadable("stdin", &error))? {
            match self.world.answer(&line).await {
                Ok(Answer::Quit) => break,
                Ok(answer) => self.show(answer, false),
                Err(CliError::Interrupted) => return Err(CliError::Interrupted),
                Err(error) => {
                    self.refuse(&error);
                    exit = Exit::Error;
                }
            }
        }
        Ok(exit)
    }

    /// Evaluates what is typed, until there is no more.
    async fn typed(&mut self) -> Result<Exit, CliError> {
        let unusable = |error| unreadable("the terminal", &error);
        let mut history = History::load();
        let names = Arc::new(Names::of(self.world.stack()));
        let mut prompt = Prompt::new(history.lines(), history::MOST, names).map_err(unusable)?;
        let _end = prompt.end();
        self.context.say(&ui::prose(format!("{} `:help` says what there is to type.", self.world.about())));
        loop {
            let (again, line) = waited(move || {
                let line = prompt.read();
                (prompt, line)
            })
            .await?;
            prompt = again;
            let line = match line.map_err(unusable)? {
                None => return Ok(Exit::Done),
                Some(Line::GivenUp) => continue,
                Some(Line::Typed(line)) => line,
            };
            match signals::until_interrupted(self.world.answer(&line)).await {
                Ok(Answer::Quit) => return Ok(Exit::Done),
                Ok(answer) => {
                    if self.world.may_be_kept(&line, &answer) {
                        history.keep(&line);
                    }
                    self.show(answer, true);
                }
                Err(error) => {
                    if matches!(error, CliError::Interrupted) {
                        signals::go_on();
                    }
                    self.refuse(&error);
                }
            }
        }
    }

    fn show(&self, answer: Answer, in_lines: bool) {
        let as_json = self.context.global.json;
        match answer {
            Answer::Nothing | Answer::Quit => {}
            Answer::Help => ui::note(HELP),
            Answer::Kind(kind) if as_json => ui::out(serde_json::json!(kind)),
            Answer::Kind(kind) => ui::out(kind),
            Answer::Value(value, warnings) => {
                if let Some(warnings) = warnings.filter(|_| !as_json) {
                    ui::note(error::text(&warnings, !self.context.global.no_color));
                }
                match in_lines {
                    _ if as_json => ui::out(ui::value::as_json(&value, &Waits::none())),
                    true => ui::value::whole_lines(&value).iter().for_each(ui::out),
                    false => ui::out(ui::value::whole_inline(&value)),
                }
            }
        }
    }

    /// Says why a line has no value.
    fn refuse(&self, error: &CliError) {
        match self.context.global.json {
            true => error::show(error, true, false),
            false => ui::note(error::text(error, !self.context.global.no_color)),
        }
    }
}

/// What waits for a person or a pipe, without keeping anything else from being heard, such as a signal.
async fn waited<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CliError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CliError::usage(&format!("the console ended: {error}"), "start it again"))
}

/// The next line of stdin; none at its end.
fn read_line() -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(LONGEST).read_until(b'\n', &mut line)?;
    match String::from_utf8(line) {
        _ if read == 0 => Ok(None),
        _ if read as u64 == LONGEST => Err(io::Error::other("a line is too long")),
        Ok(line) => Ok(Some(line)),
        Err(_) => Err(io::Error::other("it is not UTF-8 text")),
    }
}

fn unreadable(what: &str, error: &io::Error) -> CliError {
    CliError::usage(&format!("cannot read {what}: {error}"), "pipe expressions in, a line each: `echo 'vars.name' | leoctl console`")
}
