//! Virtual environments of Python with packages of pinned versions, under `target/`, made on first use.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether there is a Python at all.
pub fn is_installed() -> bool {
    Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The environment of this name with these packages.
pub fn environment(name: &str, packages: &[&str]) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let folder = target.join(name);
    let done = folder.join("complete");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return folder;
    }
    std::fs::create_dir_all(&target).unwrap();
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(packages));
    std::fs::write(&done, wanted).unwrap();
    folder
}

fn run(command: &mut Command) {
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the tests need python3 with venv and pip");
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}: {errors}");
}
