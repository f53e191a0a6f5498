//! The commands on the pages are run in the order in which they stand, and print what the page shows.
//!
//! Each page begins in a folder with the stacks and modules of this repository, which is the only one in its reader's home.
//! Calls go to the sandbox with `--sandbox`, or where the page has that mark, and to MiniStack otherwise. A line that is `…`
//! stands for any lines. A page may put programs of its own into `~/bin`. With `LEOCTL_WRITE_DOCS=1`, what a command has
//! printed is written to the page where that shows something else.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::compare::{Project, is_shown, settled};
use super::pages::{self, Block, Page};
use super::root;
use crate::support::emulator::Emulator;
use crate::support::program::{Ran, ran};
use crate::support::python;

/// How many blocks of commands may be marked as not run, on all pages: what needs an account, running containers, hours, or a
/// channel on which nothing is published yet.
const NOT_RUN: usize = 28;

#[test]
fn the_commands_on_every_page_print_what_it_shows() {
    let pages: Vec<Page> = pages::all().into_iter().filter(|page| page.blocks().iter().any(is_run)).collect();
    if !python::is_installed() {
        eprintln!("NOT TESTED: the commands of the documentation, which need python3");
        return;
    }
    let wrong: Vec<String> = pages.iter().enumerate().flat_map(|(at, page)| run(page, at)).collect();
    assert!(wrong.is_empty(), "run with LEOCTL_WRITE_DOCS=1 to have pages show what is printed now\n\n{}", wrong.join("\n\n"));
}

#[test]
fn blocks_that_are_not_run_say_why_and_are_few() {
    let mut why = Vec::new();
    for page in pages::all() {
        let blocks = page.blocks();
        let commands = blocks.iter().filter(|block| block.is_console() || block.is_script());
        let marked = commands.filter_map(|block| Some((block.line, block.mark("not run")?.to_owned())));
        why.extend(marked.map(|(line, reason)| format!("{}:{line}: {reason}", page.path)));
    }
    eprintln!("blocks of commands that are not run:\n{}", why.join("\n"));
    assert!(why.len() <= NOT_RUN, "{} blocks are not run", why.len());
}

/// Whether a block is commands that are to be run.
fn is_run(block: &Block) -> bool {
    (block.is_console() || block.is_script()) && block.mark("not run").is_none()
}

/// Runs a page, and says where it prints something else.
fn run(page: &Page, at: usize) -> Vec<String> {
    let mut reader = Reader::new(at, page.is_in_sandbox());
    let (mut wrong, mut rewritten) = (Vec::new(), Vec::new());
    for block in page.blocks() {
        reader.writes(&block);
        if is_run(&block) {
            let code = block.mark("exits with").map_or(0, |code| code.parse().unwrap());
            let (lines, differs) = reader.runs(&block, code);
            wrong.extend(differs.into_iter().map(|what| format!("{}:{}: {what}", page.path, block.line)));
            rewritten.push((block, lines));
        }
    }
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_none() {
        return wrong;
    }
    rewrite(page, &rewritten);
    wrong.retain(|what| what.contains(ENDED));
    wrong
}

/// There is no terminal to be asked at, so that what asks there is told not to.
const ANSWERS: &str = r#"leoctl() {
    case " $* " in
        *" -y "*|*" --yes "*|*" iam-policy "*|*" state "*) ;;
        *" apply "*|*" destroy "*|*" import "*|*" redeploy "*|*" scale "*|*" reset "*|*" secrets push "*) set -- "$@" -y ;;
    esac
    command leoctl $SANDBOX "$@"
}"#;

/// How a command that ended otherwise than the page says is reported.
const ENDED: &str = "exited with";

/// Puts what was printed in the place of what the page shows.
fn rewrite(page: &Page, blocks: &[(Block, Vec<String>)]) {
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    for (block, printed) in blocks.iter().rev().filter(|(block, _)| block.is_console()) {
        lines.splice(block.line..block.line + block.lines.len(), printed.iter().cloned());
    }
    std::fs::write(root().join(&page.path), lines.join("\n") + "\n").unwrap();
}

/// Somebody who does what a page says.
struct Reader {
    home: tempfile::TempDir,
    here: PathBuf,
    account: String,
    is_in_sandbox: bool,
}

impl Reader {
    fn new(at: usize, is_in_sandbox: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let here = home.path().join("leoctl");
        for part in ["stacks", "modules"] {
            copy(&root().join(part), &here.join(part));
        }
        Self { home, here, account: format!("{:012}", 700_000_000_000_usize + at), is_in_sandbox }
    }

    /// Writes a file that the page shows.
    fn writes(&self, block: &Block) {
        let text = block.lines.join("\n") + "\n";
        let write = |path: &Path, text: &str| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        if let Some(path) = block.mark("file").map(|path| self.here.join(path)) {
            write(&path, &text);
        } else if let Some(path) = block.mark("append").map(|path| self.here.join(path)) {
            write(&path, &format!("{}\n{text}", read(&path)));
        } else if let Some(path) = block.mark("replace in").map(|path| self.here.join(path)) {
            let there = read(&path);
            let start = there.find(&format!("{}\n", block.lines[0])).expect("the table is in the file");
            let rest = &there[start..];
            let end = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
            write(&path, &format!("{}{text}{end}", &there[..start]));
        }
    }

    /// Runs a block: the lines that it should have, and how that differs from those it has.
    fn runs(&mut self, block: &Block, code: i32) -> (Vec<String>, Vec<String>) {
        let (mut lines, mut differs) = (Vec::new(), Vec::new());
        let commands = block.commands();
        for (at, (command, shown)) in commands.iter().enumerate() {
            let ran = self.run(command);
            let wanted = if at + 1 == commands.len() { code } else { 0 };
            if ran.code != wanted {
                differs.push(format!("`{command}` {ENDED} {} and not with {wanted}:\n{}", ran.code, ran.stdout));
            }
            lines.extend(format!("$ {command}").lines().map(str::to_owned));
            let printed = settled(&ran.stdout, &Project { home: self.home.path(), is_in_sandbox: self.is_in_sandbox });
            if block.is_script() || is_shown(shown, &printed) {
                lines.extend(shown.iter().cloned());
            } else {
                differs.push(format!("`{command}` is shown to print\n{}\nand printed\n{}", shown.join("\n"), printed.join("\n")));
                lines.extend(printed);
            }
        }
        (lines, differs)
    }

    /// Runs commands in a shell, in the folder where those before them have left it.
    fn run(&mut self, command: &str) -> Ran {
        let went = self.home.path().join(".here");
        let script = format!("exec 2>&1\ntrap 'pwd >\"$WENT\"' EXIT\n{ANSWERS}\n{command}\n");
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", &script]).current_dir(&self.here).env_clear();
        let programs = Path::new(env!("CARGO_BIN_EXE_leoctl")).parent().unwrap();
        let own = self.home.path().join("bin");
        let others = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{}:{others}", programs.display(), own.display()));
        shell.env("DOCS", root().join("docs")).env("HOME", self.home.path()).env("WENT", &went).env("LEOCTL_SANDBOX_DIR", sandboxes());
        shell.env("SANDBOX", if self.is_in_sandbox { "--sandbox" } else { "" });
        shell.env("AWS_ACCESS_KEY_ID", &self.account).env("AWS_SECRET_ACCESS_KEY", "test").env("AWS_REGION", "us-east-1");
        if let Some(endpoint) = Emulator::MiniStack.endpoint() {
            shell.env("AWS_ENDPOINT_URL", endpoint);
        }
        let done = ran(shell.output().unwrap());
        self.here = PathBuf::from(std::fs::read_to_string(went).unwrap().trim());
        done
    }
}

impl Drop for Reader {
    /// No sandbox outlives its page.
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.home.path()).into_iter().flatten().flatten() {
            if entry.path().join("stacks").is_dir() {
                let mut stop = Command::new(env!("CARGO_BIN_EXE_leoctl"));
                stop.args(["--quiet", "sandbox", "stop"]).current_dir(entry.path()).env("LEOCTL_SANDBOX_DIR", sandboxes());
                drop(stop.output());
            }
        }
        let mine = |path: &Path| path.join("emulators.log").exists() && !path.join("running.json").exists();
        for sandbox in std::fs::read_dir(sandboxes()).into_iter().flatten().flatten().filter(|entry| mine(&entry.path())) {
            drop(std::fs::remove_dir_all(sandbox.path()));
        }
    }
}

/// Where the sandbox is installed for the documentation, once.
fn sandboxes() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("docs-sandbox")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
