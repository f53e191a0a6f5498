//! `leoctl init`: a starter project, and the workflows of a forge. What is there already is left alone.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::args::Forge;
use super::{CliError, Context, Exit, schema};
use crate::disk;
use crate::docs::json_schema::File;
use crate::ui::{self, ADD, FAINT, styled};
use leoctl_core::stack::MAX_FILE_SIZE;

/// A file to be written, by its path in the project.
struct Template {
    path: &'static str,
    text: String,
}

const IGNORE: &str = ".gitignore";

/// What a starter project is made of, by path and text; `PROJECT_NAME` is the project's.
const STARTER: &[(&str, &str)] =
    &[("stacks/dev.toml", include_str!("../../templates/stack.toml")), (".env.defaults", include_str!("../../templates/env.defaults"))];

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
pub fn run(context: &Context, ci: Option<Forge>) -> Result<Exit, CliError> {
    let folder = std::env::current_dir().map_err(|error| cannot(Path::new("."), &error))?;
    let name = project_name(&folder.file_name().unwrap_or_default().to_string_lossy());
    let (mut written, mut kept) = (Vec::new(), Vec::new());
    for Template { path, text } in templates(ci, &name, Path::new("stacks").exists()) {
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
    next_steps(ci, &written).iter().for_each(ui::note);
    Ok(Exit::Done)
}

/// The files of a project of this name. One that has stacks needs no starter.
fn templates(ci: Option<Forge>, name: &str, has_stacks: bool) -> Vec<Template> {
    let starter = if has_stacks { &[] } else { STARTER };
    let (forge, scripts) = match ci {
        Some(Forge::Github) => (GITHUB, SCRIPTS),
        Some(Forge::Gitlab) => (GITLAB, SCRIPTS),
        None => (&[][..], &[][..]),
    };
    let starter = starter.iter().map(|(path, text)| Template { path, text: text.replace("PROJECT_NAME", name) });
    let fixed = [(IGNORE, IGNORED)];
    let fixed = fixed.iter().chain(forge).chain(scripts).map(|(path, text)| Template { path, text: (*text).to_owned() });
    // Part of the project, so that a fresh checkout has what the first line of its stacks names.
    let schemas = [(schema::STACK_FILE, File::Stack), (schema::MODULE_FILE, File::Module)];
    let schemas = schemas.map(|(path, file)| Template { path, text: format!("{}\n", schema::text(file, &[])) });
    starter.chain(fixed).chain(schemas).collect()
}

/// A folder's name as that of a project: it becomes part of the names of a stack, a role and a bucket.
fn project_name(folder: &str) -> String {
    let plain: String = folder.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name: String = plain.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().take(32).collect();
    match name.trim_end_matches('-') {
        "" => "app".to_owned(),
        name => name.to_owned(),
    }
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
    if written.contains(&"stacks/dev.toml") {
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
    fn a_folder_becomes_a_name_that_stacks_roles_and_buckets_can_have() {
        for (folder, name) in [
            ("shop", "shop"),
            ("My Shop_2", "my-shop-2"),
            ("42", "app"),
            ("", "app"),
            ("2024-über-Shop", "ber-shop"),
            ("web1", "web1"),
            ("web-2_", "web-2"),
        ] {
            assert_eq!(project_name(folder), name);
        }
        assert_eq!(project_name(&"x".repeat(80)).len(), 32);
    }

    #[test]
    fn only_the_lines_that_are_missing_are_asked_for() {
        assert_eq!(missing(IGNORED), Vec::<&str>::new());
        assert_eq!(missing("/state/\n.env\n/leoctl-out/\n"), ["*.plan"]);
    }

    #[test]
    fn a_project_with_stacks_gets_no_starter() {
        let paths = |ci, has_stacks| templates(ci, "shop", has_stacks).iter().map(|file| file.path).collect::<Vec<_>>();
        assert_eq!(paths(None, false), ["stacks/dev.toml", ".env.defaults", ".gitignore", schema::STACK_FILE, schema::MODULE_FILE]);
        assert_eq!(paths(None, true), [".gitignore", schema::STACK_FILE, schema::MODULE_FILE]);
        assert!(paths(Some(Forge::Gitlab), true).contains(&".gitlab-ci.yml"));
        assert!(!paths(Some(Forge::Github), true).contains(&".gitlab-ci.yml"));
    }
}
