//! `leoctl init`: a starter project, and the workflows of a forge. What is there already is left alone.

mod start;

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::args::{Forge, InitArgs};
use super::{CliError, Context, Exit, schema};
use crate::disk;
use crate::docs::json_schema::File;
use crate::ui::{self, ADD, FAINT, styled};
use leoctl_core::stack::MAX_FILE_SIZE;
use start::Start;

/// A file to be written, by its path in the project.
struct Template {
    path: &'static str,
    text: String,
}

const IGNORE: &str = ".gitignore";

const IGNORED: &str = include_str!("../../templates/gitignore");

/// The scripts that the workflows of every forge run; those of `action/` too.
const SCRIPTS: &[(&str, &str)] = &[
    (".leoctl/ci/install.sh", include_str!("../../action/install.sh")),
    (".leoctl/ci/stacks.sh", include_str!("../../action/stacks.sh")),
    (".leoctl/ci/plan.sh", include_str!("../../action/plan.sh")),
    (".leoctl/ci/review.sh", include_str!("../../action/review.sh")),
    (".leoctl/ci/claims.py", include_str!("../../action/claims.py")),
    (".leoctl/ci/forge.py", include_str!("../../action/forge.py")),
    (".leoctl/ci/apply.sh", include_str!("../../action/apply.sh")),
    (".leoctl/ci/drift.sh", include_str!("../../action/drift.sh")),
];

const GITHUB: &[(&str, &str)] = &[
    (".github/workflows/leoctl.yml", include_str!("../../templates/github/leoctl.yml")),
    (".github/workflows/leoctl-comment.yml", include_str!("../../templates/github/leoctl-comment.yml")),
    (".github/workflows/leoctl-drift.yml", include_str!("../../templates/github/leoctl-drift.yml")),
    (".leoctl/ci/comment.py", include_str!("../../action/comment.py")),
    (".leoctl/ci/github.sh", include_str!("../../action/github.sh")),
    (".leoctl/ci/github-login.sh", include_str!("../../action/github-login.sh")),
];

const GITLAB: &[(&str, &str)] = &[
    (".gitlab-ci.yml", include_str!("../../templates/gitlab-ci.yml")),
    (".leoctl/ci/gitlab.sh", include_str!("../../action/gitlab.sh")),
    (".leoctl/ci/gitlab-login.sh", include_str!("../../action/gitlab-login.sh")),
];

/// Writes what is missing.
pub fn run(context: &Context, args: &InitArgs) -> Result<Exit, CliError> {
    let here = std::env::current_dir().map_err(|error| cannot(Path::new("."), &error))?;
    let folder = start::name_of(&here.file_name().unwrap_or_default().to_string_lossy());
    let has_stacks = has_folder(Path::new("stacks"))?;
    let is_asked = context.interactive && ui::terminal::stdout_is_terminal() && !args.yes && !context.global.json;
    let start = match has_stacks {
        // A project that has stacks needs none to start with, unless it is asked for.
        true if args.with.is_none() => None,
        _ if is_asked => {
            let Some(start) = Start::asked(context, args, &folder) else {
                context.say("Nothing was written.");
                return Ok(Exit::Error);
            };
            Some(start)
        }
        _ => Some(Start::given(context, args, folder)),
    };
    // A stack that is there already uses what it does.
    if let Some(start) = start.as_ref().filter(|_| Path::new(start::STACK).symlink_metadata().is_err()) {
        start.modules().iter().try_for_each(fits)?;
    }
    let (mut written, mut kept) = (Vec::new(), Vec::new());
    if start.is_none() {
        kept.extend(start::ALL.iter().copied().filter(|path| Path::new(path).exists()));
    }
    for Template { path, text } in templates(args.ci, start.as_ref()) {
        match write_new(Path::new(path), &text).map_err(|error| cannot(Path::new(path), &error))? {
            true => written.push(path),
            false => kept.push(path),
        }
    }
    let not_ignored = match kept.contains(&IGNORE) {
        true => missing(&disk::read_text(Path::new(IGNORE), MAX_FILE_SIZE as u64).map_err(|error| cannot(Path::new(IGNORE), &error))?),
        false => Vec::new(),
    };
    if context.global.json {
        ui::out(serde_json::json!({ "written": written, "kept": kept, "not_ignored": not_ignored }));
        return Ok(Exit::Done);
    }
    written.iter().for_each(|path| ui::out(styled(ADD, format!("+ {path}"))));
    kept.iter().for_each(|path| ui::out(styled(FAINT, format!("  {path} is there already and is left as it is"))));
    if !not_ignored.is_empty() {
        ui::note(format!("These lines belong into {IGNORE}:\n  {}", not_ignored.join("\n  ")));
    }
    next_steps(args.ci, &written).iter().for_each(ui::note);
    Ok(Exit::Done)
}

/// Whether there is a folder.
///
/// # Errors
/// When there is something else of its name.
fn has_folder(path: &Path) -> Result<bool, CliError> {
    match path.symlink_metadata() {
        Err(_) => Ok(false),
        Ok(_) if path.is_dir() => Ok(true),
        Ok(_) => {
            let message = format!("{} is there, and is no folder", path.display());
            Err(CliError::usage(
                &message,
                "leoctl keeps stack files in a folder of this name: move away what is there; nothing was written",
            ))
        }
    }
}

/// Refuses to begin with a stack whose module is there already as another.
fn fits(module: &Template) -> Result<(), CliError> {
    let path = Path::new(module.path);
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let there = disk::read_text(path, MAX_FILE_SIZE as u64).map_err(|error| cannot(path, &error))?;
    let content = |text: &str| text.lines().filter(|line| !line.starts_with("#:schema")).collect::<Vec<_>>().join("\n").trim().to_owned();
    if content(&there) == content(&module.text) {
        return Ok(());
    }
    let message = format!("{} is there already, and is another module than the stack would use", module.path);
    Err(CliError::usage(&message, "rename it, or begin with something else: `leoctl init --with log-group`; nothing was written"))
}

/// The files of a project that starts so, or that is there already.
fn templates(ci: Option<Forge>, start: Option<&Start>) -> Vec<Template> {
    let (forge, scripts) = match ci {
        Some(Forge::Github) => (GITHUB, SCRIPTS),
        Some(Forge::Gitlab) => (GITLAB, SCRIPTS),
        None => (&[][..], &[][..]),
    };
    let fixed = [(IGNORE, IGNORED)];
    let fixed = fixed.iter().chain(forge).chain(scripts).map(|(path, text)| Template { path, text: (*text).to_owned() });
    // Part of the project, so that a fresh checkout has what the first line of its stacks names.
    let schemas = [(schema::STACK_FILE, File::Stack), (schema::MODULE_FILE, File::Module)];
    let schemas = schemas.map(|(path, file)| Template { path, text: format!("{}\n", schema::text(file, &[])) });
    start.map(Start::templates).unwrap_or_default().into_iter().chain(fixed).chain(schemas).collect()
}

/// The lines that a `.gitignore` lacks.
fn missing(there: &str) -> Vec<&'static str> {
    let has = |line: &str| there.lines().any(|other| other.trim().trim_start_matches('/') == line);
    let state = has("state/") || has("state");
    let wanted = IGNORED.lines().filter(|line| !line.starts_with('#'));
    wanted.filter(|line| !(has(line) || state && line.starts_with("**/state/"))).collect()
}

/// Writes a file whole, unless there is one; whether it did.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

fn cannot(path: &Path, error: &io::Error) -> CliError {
    CliError::usage(&format!("cannot write {}: {error}", path.display()), "run `leoctl init` in the folder that is to be the project")
}

/// What to do next.
fn next_steps(ci: Option<Forge>, written: &[&str]) -> Vec<String> {
    let mut steps = Vec::new();
    if written.contains(&start::STACK) {
        steps.push("Next: edit stacks/dev.toml, then `leoctl plan`; `leoctl --sandbox plan` needs no AWS account.".to_owned());
    }
    if let Some(forge) = ci {
        let settings = match forge {
            Forge::Github => {
                "the variables LEOCTL_PLAN_ROLE, LEOCTL_APPLY_ROLE, AWS_REGION and LEOCTL_URL, and who approves for the environment `production`"
            }
            Forge::Gitlab => {
                "the variables LEOCTL_PLAN_ROLE, AWS_REGION and LEOCTL_URL, LEOCTL_APPLY_ROLE and LEOCTL_GITLAB_TOKEN as protected ones, and a schedule for drift"
            }
        };
        steps.push(format!("CI needs {settings}."));
        steps.push("Its stacks need [stack.backend.s3], since a state in a file is not there in the next run.".to_owned());
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_are_missing_are_asked_for() {
        assert_eq!(missing(IGNORED), Vec::<&str>::new());
        assert_eq!(missing("/state/\n.env\n/leoctl-out/\n"), ["*.plan"]);
    }

    #[test]
    fn a_project_with_stacks_gets_no_starter() {
        let paths = |ci| templates(ci, None).iter().map(|file| file.path).collect::<Vec<_>>();
        assert_eq!(paths(None), [".gitignore", schema::STACK_FILE, schema::MODULE_FILE]);
        assert!(paths(Some(Forge::Gitlab)).contains(&".gitlab-ci.yml"));
        assert!(!paths(Some(Forge::Github)).contains(&".gitlab-ci.yml"));
    }
}
