//! Which stack a command is about, and reading it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::args::Global;
use super::{CliError, Context, contents, saved};
use crate::ops::exec::quoted;
use crate::{disk, store};
use leoctl_aws::registry;
use leoctl_core::stack::diagnostic::{Code, Diagnostic, Diagnostics, suggestion};
use leoctl_core::stack::env_file::{self, Variable};
use leoctl_core::stack::files::{Role, normalize};
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{self, Files, Loaded, Stack};
use serde_json::Value as Json;

/// The prefix of environment variables that set stack variables.
pub const VARIABLE: &str = "LEOCTL_VAR_";
/// Where the stack last planned is remembered, beside the states.
const LAST: &str = ".last";
/// No path is longer, in bytes.
const LONGEST_PATH: u64 = 4096;

/// The disk, as a stack of the project with this root reads it.
struct Disk {
    root: PathBuf,
}

impl Disk {
    fn of(stack_file: &Path) -> Self {
        Self { root: root(stack_file) }
    }

    /// A module is of the project whose folder of stacks is beside it or above.
    fn of_module(path: &Path) -> Self {
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let project = whole.ancestors().skip(1).find(|folder| folder.join("stacks").is_dir());
        Self { root: project.map_or_else(|| root(path), Path::to_owned) }
    }
}

/// A file that a stack is made of.
struct Part;

impl Part {
    fn bytes(path: &Path) -> Result<Vec<u8>, String> {
        disk::read_regular(path, stack::MAX_FILE_SIZE as u64).map_err(|error| disk::words(&error))
    }

    fn variables(path: &Path) -> Result<Vec<Variable>, String> {
        // Files with secrets are on the machines that need them; a name that is missing is said where it is used.
        if !env_file::is_public(path) && matches!(path.try_exists(), Ok(false)) {
            return Ok(Vec::new());
        }
        env_file::parse(&Self::bytes(path)?).map_err(|error| error.to_string())
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        text(Part::bytes(path)?)
    }

    fn is_inside(&self, stack_file: &Path, path: &Path) -> bool {
        is_inside(stack_file, path)
    }

    fn read_env(&self, path: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Part::variables(path)?.into_iter().map(|variable| (variable.name, variable.value)).collect())
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        contents::bytes(&self.root, path)
    }

    fn real(&self, path: &Path) -> PathBuf {
        real(path)
    }

    fn below(&self, path: &Path) -> Result<Vec<String>, String> {
        contents::below(&self.root, path)
    }
}

/// Whether what an env file has is public: by its own name, and by that of the file that it leads to.
pub fn is_public(path: &Path) -> bool {
    env_file::is_public(path) && env_file::is_public(&real(path))
}

/// Whether a file is in the project of a stack file, links followed.
fn is_inside(stack_file: &Path, file: &Path) -> bool {
    let root = root(stack_file);
    // A module that is checked by itself may use one beside its folder: then the project is where leoctl is called.
    let here = std::env::current_dir().and_then(fs::canonicalize).ok().filter(|here| root.starts_with(here));
    let file = whole(file);
    let file = fs::canonicalize(&file).unwrap_or(file);
    file.starts_with(here.unwrap_or(root))
}

/// The variables in an env file; none in one that is not there.
pub fn env_file(path: &Path) -> Result<Vec<Variable>, CliError> {
    Part::variables(path).map_err(|problem| unreadable(path, &problem))
}

/// The variables in an env file that is named on the command line: it has to be there, and may be a pipe.
pub fn named_env_file(path: &Path) -> Result<Vec<Variable>, CliError> {
    if path.is_dir() {
        return Err(unreadable(path, "it is a folder"));
    }
    let bytes = disk::read_bounded(path, stack::MAX_FILE_SIZE as u64).map_err(|error| unreadable(path, &disk::words(&error)))?;
    env_file::parse(&bytes).map_err(|error| unreadable(path, &error.to_string()))
}

fn unreadable(path: &Path, problem: &str) -> CliError {
    CliError::usage(&format!("cannot read {}: {problem}", path.display()), "its lines are NAME=value")
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = line.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("it is not UTF-8 text (line {line})")
    })
}

/// The stack file a command is about, printed first.
pub fn stack_file(given: Option<&Path>, context: &Context) -> Result<PathBuf, CliError> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => default_stack()?,
    };
    context.say(&format!("Stack {}", path.display()));
    Ok(path)
}

/// The stack file that a command is to change what was made of, printed first. Which one was looked at last is no answer
/// where nobody sees it before anything is done.
pub fn stack_to_change(given: Option<&Path>, context: &Context, yes: bool) -> Result<PathBuf, CliError> {
    let all = all();
    let named = given.is_some() || std::env::var_os("LEOCTL_STACK").is_some() || all.len() < 2;
    if named || context.interactive && !yes {
        return stack_file(given, context);
    }
    let names: Vec<String> = all.iter().map(|path| path.display().to_string()).collect();
    Err(CliError::usage("which stack? Where nobody is asked, it has to be named", &format!("name one of: {}", names.join(", "))))
}

/// The stack files of the project, in order.
pub fn all() -> Vec<PathBuf> {
    in_folder("stacks")
}

fn in_folder(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "toml")).collect();
    files.sort();
    files
}

/// The stack files and modules of the project, with all that they extend and use, each once and in order.
pub fn language_files(global: &Global) -> Result<Vec<PathBuf>, CliError> {
    let (stacks, modules) = (all(), in_folder("modules"));
    let mut files: BTreeSet<PathBuf> = stacks.iter().chain(&modules).cloned().collect();
    for path in stacks.iter().chain(&modules) {
        let loaded = if is_module(path) { loaded_module(path)? } else { loaded(path, global)? };
        let written = loaded.files.into_iter().filter(|file| matches!(file.role, Role::Base | Role::Module) && file.path.is_file());
        files.extend(written.map(|file| file.path));
    }
    // What a link or `extends` leads to outside of the project is not the project's to be laid out.
    let root = here();
    Ok(files.into_iter().filter(|file| real(file).starts_with(&root)).collect())
}

/// The stack a command is about that names none.
pub fn default_stack() -> Result<PathBuf, CliError> {
    if let Some(path) = std::env::var_os("LEOCTL_STACK") {
        return Ok(path.into());
    }
    let last = disk::read_text(&Path::new("state").join(LAST), LONGEST_PATH);
    let last = last.ok().map(|text| PathBuf::from(text.trim()));
    if let Some(last) = last.filter(|path| path.is_file()) {
        return Ok(last);
    }
    match all().as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(CliError::usage("which stack? There is no `stacks/` folder here", "name a stack file, or begin with `leoctl init`")),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(CliError::usage("which stack?", &format!("name one of: {}", names.join(", "))))
        }
    }
}

/// Remembers the stack as the one last planned. A folder that cannot be written loses only this convenience.
pub fn remember(path: &Path) {
    let folder = store::directory(path);
    if folder.is_dir() {
        drop(disk::replace(&folder.join(LAST), &path.display().to_string()));
    }
}

/// The folder of the project that leoctl is called in: that of the stack it would use, else this one.
pub fn here() -> PathBuf {
    root(&default_stack().unwrap_or_else(|_| PathBuf::from(LAST)))
}

/// The folder of a stack file's project, the one that its `state/` is in.
pub fn root(stack_file: &Path) -> PathBuf {
    let state = store::directory(stack_file);
    let state = std::path::absolute(&state).unwrap_or(state);
    let root = state.parent().map(Path::to_owned).unwrap_or_default();
    fs::canonicalize(&root).unwrap_or(root)
}

/// A file as it is found again in another checkout: from the project's folder on. One outside of it stays where it is.
pub fn portable(stack_file: &Path, file: &Path) -> PathBuf {
    let absolute = fs::canonicalize(file).or_else(|_| std::path::absolute(file)).unwrap_or_else(|_| file.to_owned());
    absolute.strip_prefix(root(stack_file)).map(Path::to_owned).unwrap_or(absolute)
}

/// A file of a stack by its path from the project's folder on, which is the same in every checkout.
pub fn relative(stack_file: &Path, file: &Path) -> PathBuf {
    let (root, path) = (root(stack_file), whole(file));
    let path = if path.starts_with(&root) { path } else { fs::canonicalize(&path).unwrap_or(path) };
    let shared = path.components().zip(root.components()).take_while(|(one, other)| one == other).count();
    let up = root.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

/// A path from the root on, without `.` and `..` where that can be told from the text.
pub fn whole(path: &Path) -> PathBuf {
    normalize(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// Where a path leads, every link followed; of one that leads nowhere the path as a whole.
pub fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| whole(path))
}

/// Where a [`portable`] file is in the project of this stack file.
pub fn found_again(stack_file: &Path, file: &Path) -> PathBuf {
    if file.is_absolute() { file.to_owned() } else { root(stack_file).join(file) }
}

/// Reads and checks a stack that is to be planned: every variable has a value.
pub fn load(path: &Path, global: &Global) -> Result<Stack, CliError> {
    read(path, given(global)?)
}

/// Reads a stack whose state is looked for: a variable may be without a value that nobody needs for that.
pub fn find(path: &Path, global: &Global) -> Result<Stack, CliError> {
    load_applied(path, global, BTreeMap::new())
}

/// Reads a stack for commands about what it made. `remembered` is what its variables were given at the last apply; what
/// is given now goes before it.
pub fn load_applied(path: &Path, global: &Global, remembered: BTreeMap<String, Json>) -> Result<Stack, CliError> {
    read(path, Given { remembered, may_lack: true, ..given(global)? })
}

/// Reads a stack that is to be planned, with what is known of one that is wrong.
pub fn loaded(path: &Path, global: &Global) -> Result<Loaded, CliError> {
    let loaded = stack::load(path, &Disk::of(path), &given(global)?, registry::catalog());
    if loaded.stack.is_some() {
        return Ok(loaded);
    }
    Ok(match no_stack_file(path) {
        Some(problem) => Loaded { diagnostics: Diagnostics::from(vec![problem]), ..loaded },
        None => loaded,
    })
}

/// The disk, as a stack reads it, or a module by itself.
pub fn files(path: &Path, is_module: bool) -> Box<dyn Files> {
    Box::new(if is_module { Disk::of_module(path) } else { Disk::of(path) })
}

/// Whether a file is a module's, and no stack file.
pub fn is_module(path: &Path) -> bool {
    stack::modules::is_module(path, &Disk::of_module(path))
}

/// Reads and checks a module's file by itself.
pub fn loaded_module(path: &Path) -> Result<Loaded, CliError> {
    Ok(stack::modules::load_module(path, &Disk::of_module(path), registry::catalog()))
}

/// Why a path names no stack file, where that is plain before it is read.
fn no_stack_file(path: &Path) -> Option<Diagnostic> {
    let shown = path.display();
    if matches!(path.try_exists(), Ok(false)) {
        let known: Vec<String> = all().iter().map(|path| path.display().to_string()).collect();
        // `prod` and `prod.toml` are meant for the stack of that name.
        let names = |known: &&String| Path::new(known).file_stem().is_some_and(|stem| path.file_stem() == Some(stem));
        let help = known.iter().find(names).map(|known| format!("did you mean `{known}`?"));
        let help = help.or_else(|| suggestion(&shown.to_string(), known.iter().map(String::as_str)));
        let help = help.unwrap_or_else(|| "`leoctl init` makes a project with a stack".to_owned());
        return Some(Diagnostic::general(Code::UnreadableFile, format!("there is no stack file {shown}")).help(help));
    }
    saved::is_plan(path).then(|| {
        Diagnostic::general(Code::UnreadableFile, format!("{shown} is a saved plan, and no stack file"))
            .help(format!("`leoctl apply --plan {}` carries it out", quoted(&shown.to_string())))
    })
}

/// Reads and checks a stack with what its variables are given.
pub fn read(path: &Path, given: Given) -> Result<Stack, CliError> {
    let Loaded { stack, diagnostics, sources, .. } = stack::load(path, &Disk::of(path), &given, registry::catalog());
    if let Some(problem) = no_stack_file(path).filter(|_| stack.is_none()) {
        return Err(Diagnostics::from(vec![problem]).into());
    }
    stack.ok_or(CliError::Diagnostics { diagnostics, sources })
}

/// What variables are given by the arguments and the environment.
pub fn given(global: &Global) -> Result<Given, CliError> {
    let mut given = Given { arguments: global.vars.clone(), ..Given::default() };
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str().and_then(|name| name.strip_prefix(VARIABLE)), value.to_str()) {
            given.environment.push((name.to_owned(), value.to_owned()));
        }
    }
    for file in &global.var_files {
        let mut diagnostics = Diagnostics::default();
        let read = disk::read_bounded(file, stack::MAX_FILE_SIZE as u64).map_err(|error| disk::words(&error));
        let text = read.and_then(text).map_err(|problem| {
            CliError::from(Diagnostics::from(vec![Diagnostic::general(
                Code::UnreadableFile,
                format!("cannot read {}: {problem}", file.display()),
            )]))
        })?;
        let table = stack::node::parse(0, &text, &mut diagnostics);
        if diagnostics.has_errors() {
            // What is given there may be for a sensitive variable.
            let sources = vec![stack::diagnostic::Source { path: file.clone(), text, private: true }];
            return Err(CliError::Diagnostics { diagnostics, sources });
        }
        given.files.push((file.display().to_string(), table));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_project_is_found_again_in_another_checkout() {
        let folder = tempfile::tempdir().unwrap();
        for checkout in ["one", "two"] {
            fs::create_dir_all(folder.path().join(checkout).join("stacks")).unwrap();
            fs::write(folder.path().join(checkout).join("stacks/vars.toml"), "").unwrap();
        }
        let stack = |checkout: &str| folder.path().join(checkout).join("stacks/prod.toml");
        let saved = portable(&stack("one"), &folder.path().join("one/stacks/../stacks/vars.toml"));
        assert_eq!(saved, Path::new("stacks/vars.toml"));
        let again = found_again(&stack("two"), &saved);
        assert_eq!(again, fs::canonicalize(folder.path().join("two/stacks/vars.toml")).unwrap());
        assert_eq!(relative(&stack("one"), &folder.path().join("one/stacks/./vars.toml")), Path::new("stacks/vars.toml"));
        for checkout in ["one", "two"] {
            let beside = folder.path().join("common/none.toml");
            assert_eq!(relative(&stack(checkout), &beside), Path::new("../common/none.toml"), "outside, and not there");
        }
        let outside = fs::canonicalize(folder.path()).unwrap().join("secret.toml");
        assert_eq!(found_again(&stack("two"), &portable(&stack("one"), &outside)), outside);
    }
}
