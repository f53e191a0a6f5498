//! `leoctl fmt`: the layout of stack and module files.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::FmtArgs;
use super::{CliError, Context, Exit, error, project};
use crate::{disk, ui};
use leoctl_core::stack::MAX_FILE_SIZE;
use leoctl_core::stack::diagnostic::Source;
use leoctl_core::stack::format::format;

/// The name that stands for stdin.
const STDIN: &str = "-";

/// A file and what it is to be.
struct Laid {
    path: PathBuf,
    before: String,
    after: String,
}

impl Laid {
    fn changes(&self) -> bool {
        self.before != self.after
    }

    fn difference(&self) -> String {
        ui::patch::unified(&self.path.display().to_string(), &self.before, &self.after)
    }
}

/// Formats files, or says what of them would change.
pub fn run(context: &Context, args: &FmtArgs) -> Result<Exit, CliError> {
    let is_stdin = |path: &PathBuf| path.as_os_str() == STDIN;
    match args.files.as_slice() {
        [only] if is_stdin(only) => return stdin(context, args.check),
        files if files.iter().any(is_stdin) => {
            return Err(CliError::usage("`-` stands for stdin, and there are files beside it", "name either of them"));
        }
        _ => {}
    }
    let files = match args.files.as_slice() {
        [] => project::language_files(&context.global)?,
        files => files.to_vec(),
    };
    if files.is_empty() {
        return Err(CliError::usage("there are no stacks here", "name the files, or begin with `leoctl init`"));
    }
    let (laid, failed): (Vec<_>, Vec<_>) = files.iter().map(|path| read(path)).partition(Result::is_ok);
    let laid: Vec<Laid> = laid.into_iter().flatten().filter(Laid::changes).collect();
    for error in failed.iter().filter_map(|result| result.as_ref().err()) {
        error::show(error, context.global.json, !context.global.no_color);
    }
    if !args.check {
        for file in &laid {
            disk::rewrite(&file.path, &file.after).map_err(cannot)?;
        }
    }
    show(context, args.check, files.len(), &laid);
    let is_done = failed.is_empty() && (laid.is_empty() || !args.check);
    Ok(if is_done { Exit::Done } else { Exit::Error })
}

fn show(context: &Context, check: bool, count: usize, laid: &[Laid]) {
    if context.global.json {
        let paths: Vec<&Path> = laid.iter().map(|file| file.path.as_path()).collect();
        ui::out(json!({ "files": count, if check { "would_change" } else { "changed" }: paths }));
        return;
    }
    for file in laid {
        if check { ui::out(file.difference()) } else { ui::out(file.path.display()) }
    }
    let (files, changed) = (ui::counted(count, "file"), laid.len());
    context.say(&if check { format!("{files}, {changed} to be formatted.") } else { format!("{files}, {changed} formatted.") });
}

fn read(path: &Path) -> Result<Laid, CliError> {
    let text = disk::read_regular(path, MAX_FILE_SIZE as u64).and_then(text);
    let before = text.map_err(|error| {
        CliError::usage(&format!("cannot read {}: {}", path.display(), disk::words(&error)), "name stack files or modules, in TOML")
    })?;
    laid(path, before)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn laid(path: &Path, before: String) -> Result<Laid, CliError> {
    match format(&before) {
        Ok(after) if after.len() > MAX_FILE_SIZE => Err(CliError::usage(
            &format!("{} would become too large to be read", path.display()),
            "shorten its longest lines, or part the file",
        )),
        Ok(after) => Ok(Laid { path: path.to_owned(), before, after }),
        Err(diagnostics) => {
            let sources = vec![Source { path: path.to_owned(), text: before, private: false }];
            Err(CliError::Diagnostics { diagnostics, sources })
        }
    }
}

/// Formats what an editor or another program hands over.
fn stdin(context: &Context, check: bool) -> Result<Exit, CliError> {
    if context.global.json {
        return Err(CliError::usage("what stdin holds is written as it is, and not as JSON", "leave `--json` out, or name the file"));
    }
    let unread = |error: io::Error| CliError::usage(&format!("cannot read stdin: {error}"), "pass a stack file's text");
    let before = disk::bounded(io::stdin().lock(), MAX_FILE_SIZE as u64).and_then(text).map_err(unread)?;
    let laid = laid(Path::new("stdin"), before)?;
    if check {
        if laid.changes() {
            ui::out(laid.difference());
        }
        return Ok(if laid.changes() { Exit::Error } else { Exit::Done });
    }
    ui::terminal::pass(laid.after.as_bytes())
        .map_err(|error| CliError::usage(&format!("cannot write: {error}"), "look at who reads it"))?;
    Ok(Exit::Done)
}

fn cannot(failed: disk::Failed) -> CliError {
    CliError::usage(&failed.to_string(), "files that were formatted before it stay so; the others are as they were")
}
