//! The real binary, run as a user does.

use std::path::Path;
use std::process::{Command, Output};

/// A project folder with the repository's stacks and modules.
pub struct Project {
    folder: tempfile::TempDir,
    endpoint: String,
    account: String,
}

/// What a run of the binary left.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Project {
    /// A project against an endpoint, in an account of its own where the emulator has several.
    pub fn new(endpoint: &str, account: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["stacks", "modules"] {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(part), &folder.path().join(part));
        }
        Self { folder, endpoint: endpoint.to_owned(), account: account.to_owned() }
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The binary, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leoctl"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.env("AWS_ACCESS_KEY_ID", &self.account).env("AWS_SECRET_ACCESS_KEY", "test");
        if !self.endpoint.is_empty() {
            command.env("AWS_ENDPOINT_URL", &self.endpoint);
        }
        command
    }

    /// Runs the binary.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// Runs the binary and expects an exit code.
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs the binary and reads the JSON it answers with.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.expect(0, arguments);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }
}

/// The output of a finished run.
pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
