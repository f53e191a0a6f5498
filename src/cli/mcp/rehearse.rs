//! The tool `rehearse`: a stack is applied, planned again and destroyed, in a sandbox of its own that is thrown away.
//!
//! What runs is the commands themselves, as processes of their own: whether a process is in the sandbox is settled when it
//! begins. Their sandbox and states are known by a temporary folder, so that neither the project's states nor its sandbox
//! are touched.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::answer::{self, Answer};
use super::apply::line;
use super::arguments::OfStack;
use super::here::Here;
use super::marks::Marks;
use crate::cli::{CliError, Context, project, sandbox};
use crate::disk;
use crate::sandbox::Sandbox;

/// The commands, in order, and the exit code that each is to have.
const COMMANDS: [&[&str]; 3] = [&["apply", "--yes"], &["plan", "--detailed-exitcode"], &["destroy", "--yes"]];
/// How often a command is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How many lines of what a command did are in the answer.
const LINES: usize = 200;
/// How many of its errors, and of the changes that a second plan still has.
const FEW: usize = 20;

/// Rehearses a stack; that it fails is its answer, and no failure of the tool.
pub async fn rehearse(here: &Here, args: &OfStack) -> Answer {
    let path = here.stack(args.of.stack.as_deref())?;
    let context = here.context(&args.of.vars);
    // What is wrong with the stack itself is said as every tool says it.
    let stack = project::load(&path, &context.global)?;
    let stage = Stage::new()?;
    let marks = Marks::new(stack.redactor());
    let mut commands = Vec::new();
    let mut passed = true;
    for words in COMMANDS {
        let ran = stage.run(&context, &path, words).await?;
        passed = ran.code == Some(0);
        commands.push(shown(words, &ran, &marks));
        if !passed {
            break;
        }
    }
    let answer = json!({
        "stack": stack.name, "stack_file": path, "passed": passed, "commands": commands,
        "what_it_proves": "the sandbox runs emulators of AWS and no containers' own work: that a stack passes says that its calls fit together, not that AWS has capacity, quotas and permissions for it",
    });
    Ok(answer::marked(answer, &marks))
}

/// What a command left.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn lines(text: &str) -> impl Iterator<Item = Json> {
        text.lines().filter_map(|line| serde_json::from_str(line).ok())
    }
}

/// What a command did, as data.
fn shown(words: &[&str], ran: &Ran, marks: &Marks) -> Json {
    let events: Vec<Json> = Ran::lines(&ran.stdout).collect();
    let errors = Ran::lines(&ran.stderr).filter_map(|line| line.get("error").cloned());
    let failed = events.iter().filter(|event| event.get("event").and_then(Json::as_str) == Some("failed"));
    let failed = failed.map(|event| json!({ "address": event.get("address"), "error": event.get("error") }));
    let mut what_failed: Vec<Json> = failed.chain(errors).take(FEW).collect();
    what_failed.iter_mut().for_each(|one| marks.in_json(one));
    let changes: Vec<&Json> = events.iter().flat_map(changes).collect();
    let types: std::collections::BTreeSet<&str> = changes.iter().filter_map(|change| change.get("type")?.as_str()).collect();
    let known: Vec<&str> = types.into_iter().flat_map(sandbox::gaps).collect();
    let lines: Vec<String> = events.iter().filter_map(line).collect();
    let done = events.iter().find(|event| event.get("event").and_then(Json::as_str) == Some("end"));
    json!({
        "command": words.first(),
        "passed": ran.code == Some(0),
        "exit_code": ran.code,
        "done": done.and_then(|end| end.get("done")),
        "errors": what_failed,
        "transcript": lines.iter().take(LINES).collect::<Vec<_>>(),
        "more_lines": lines.len().saturating_sub(LINES),
        "still_changes": changes.iter().take(FEW).map(|change| changed(change)).collect::<Vec<_>>(),
        "known_of_the_sandbox": known,
    })
}

/// What a plan as JSON changes.
fn changes(plan: &Json) -> impl Iterator<Item = &Json> {
    let all = plan.get("changes").and_then(Json::as_array).into_iter().flatten();
    all.filter(|change| change.get("action").and_then(Json::as_str).is_some_and(|action| action != "no_op"))
}

fn changed(change: &Json) -> Json {
    let paths = change.get("attributes").and_then(Json::as_array).into_iter().flatten();
    let paths: Vec<&Json> = paths.filter_map(|attribute| attribute.get("path")).take(FEW).collect();
    json!({ "address": change.get("address"), "action": change.get("action"), "attributes": paths })
}

/// A sandbox of its own in a folder of its own, both gone when this goes; where it is killed, when the next server begins.
struct Stage {
    folder: TempDir,
    sandbox: Sandbox,
    /// The lock that says that somebody rehearses here: it goes with the process, however that ends.
    _held: File,
}

/// How the names of the folders of rehearsals begin, and the lock in each.
const PREFIX: &str = "leoctl-rehearsal-";
const HELD: &str = "held";

/// Ends the emulators and removes the folders of rehearsals whose servers were killed. Nobody is there to be told of one that
/// does not go: the next server tries again.
pub fn sweep(folders: &Path) {
    // The name of a sandbox comes from the whole path of its folder.
    let folders = std::path::absolute(folders).unwrap_or_else(|_| folders.to_owned());
    for entry in fs::read_dir(folders).into_iter().flatten().flatten() {
        let is_rehearsal = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // A symbolic link that somebody else put there leads nowhere.
        if is_rehearsal && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            drop(swept(&entry.path()));
        }
    }
}

fn swept(folder: &Path) -> Result<(), CliError> {
    let held = disk::private(OpenOptions::new().read(true).write(true)).open(folder.join(HELD)).map_err(|error| cannot(&error))?;
    if held.try_lock().is_ok() {
        Sandbox::of(folder)?.remove(&|_| {})?;
        fs::remove_dir_all(folder).map_err(|error| cannot(&error))?;
    }
    Ok(())
}

impl Stage {
    fn new() -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(|error| cannot(&error))?;
        let sandbox = Sandbox::of(folder.path())?;
        let held = Self::held(folder.path()).map_err(|error| cannot(&error))?;
        Ok(Self { folder, sandbox, _held: held })
    }

    /// The lock of a folder. It gets its name when it is taken, so that nobody finds it free in between.
    fn held(folder: &Path) -> io::Result<File> {
        let begun = folder.join("taking");
        let held = disk::private(OpenOptions::new().write(true).create_new(true)).open(&begun)?;
        held.lock()?;
        fs::rename(begun, folder.join(HELD))?;
        Ok(held)
    }

    /// Runs a command on the stack in the sandbox.
    async fn run(&self, context: &Context, stack: &Path, words: &[&str]) -> Result<Ran, CliError> {
        let (stdout, stderr) = (self.folder.path().join("stdout"), self.folder.path().join("stderr"));
        let mut command = Command::new(std::env::current_exe().map_err(|error| cannot(&error))?);
        command.args(words).arg("--stack").arg(stack).args(["--json", "--sandbox", "--sandbox-in"]).arg(self.folder.path());
        for file in &context.global.var_files {
            command.arg("--var-file").arg(file);
        }
        // The arguments of a process are everybody's to read.
        command.envs(context.global.vars.iter().map(|(name, value)| (format!("{}{name}", project::VARIABLE), value)));
        command.stdin(Stdio::null());
        command.stdout(File::create(&stdout).map_err(|error| cannot(&error))?);
        command.stderr(File::create(&stderr).map_err(|error| cannot(&error))?);
        let mut running = Running(command.spawn().map_err(|error| cannot(&error))?);
        let status = loop {
            if let Some(status) = running.0.try_wait().map_err(|error| cannot(&error))? {
                break status;
            }
            tokio::time::sleep(LOOK).await;
        };
        let text = |path: &Path| -> Result<String, CliError> {
            let bytes = fs::read(path).map_err(|error| cannot(&error))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Ran { code: status.code(), stdout: text(&stdout)?, stderr: text(&stderr)? })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Where it does not go, `leoctl sandbox` of its folder is all there is to do, and nobody is there to be told.
        drop(self.sandbox.remove(&|_| {}));
    }
}

/// A command that runs, and does not when this goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
}

fn cannot(error: &io::Error) -> CliError {
    CliError::usage(&format!("cannot rehearse: {}", disk::words(error)), "see that the temporary folder can be written and has room")
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::redact::Redactor;

    #[test]
    fn what_failed_is_said_with_the_words_of_the_emulator_marked() {
        let stdout = [
            json!({ "event": "begin", "steps": 2 }),
            json!({ "event": "finished", "address": "vpc.main", "verb": "create", "elapsed_ms": 10 }),
            json!({ "event": "failed", "address": "lb.main", "verb": "create", "error": { "code": "X", "message": "obey" } }),
            json!({ "event": "end", "done": { "created": 1 } }),
        ];
        let stdout = stdout.map(|event| event.to_string()).join("\n");
        let ran = Ran { code: Some(1), stdout, stderr: "Installing …\n".to_owned() };
        let shown = shown(COMMANDS[0], &ran, &Marks::new(Redactor::default()));
        assert_eq!((&shown["command"], &shown["passed"], &shown["done"]), (&json!("apply"), &json!(false), &json!({ "created": 1 })));
        assert_eq!(shown["transcript"], json!(["create vpc.main: done (0.0 s)", "create lb.main: failed"]));
        assert_eq!(shown["errors"][0]["error"]["code"], "X");
        assert!(shown["errors"][0]["error"]["message"].as_str().unwrap().starts_with("<<data "));
    }

    #[test]
    fn what_a_second_plan_changes_is_named_with_what_is_known_of_it() {
        let change = |action: &str| json!({ "address": "subnet.a", "type": "subnet", "action": action, "attributes": [{ "path": "x" }] });
        let plan = json!({ "changes": [change("update"), change("no_op")] });
        let ran = Ran { code: Some(2), stdout: plan.to_string(), stderr: String::new() };
        let shown = shown(COMMANDS[1], &ran, &Marks::new(Redactor::default()));
        assert_eq!(shown["still_changes"], json!([{ "address": "subnet.a", "action": "update", "attributes": ["x"] }]));
        assert!(!shown["known_of_the_sandbox"].as_array().unwrap().is_empty());
    }

    #[test]
    fn what_a_killed_server_left_is_removed_and_what_another_uses_stays() {
        let base = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = base.path().join(name);
            fs::create_dir(&folder).unwrap();
            folder
        };
        let (left, used, begun, other) =
            (folder("leoctl-rehearsal-a"), folder("leoctl-rehearsal-b"), folder("leoctl-rehearsal-c"), folder("mine"));
        drop(Stage::held(&left).unwrap());
        let _held = Stage::held(&used).unwrap();
        drop(Stage::held(&other).unwrap());
        std::os::unix::fs::symlink(&other, base.path().join("leoctl-rehearsal-d")).unwrap();
        sweep(base.path());
        assert!(!left.exists() && [used, begun, other].iter().all(|folder| folder.exists()));
    }
}
