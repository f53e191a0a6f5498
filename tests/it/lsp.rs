//! The language server, as a real client finds it. What editors see is asked in Python, where that client is at home.

use std::path::Path;
use std::process::Command;

use crate::support::emulator::Emulator;
use crate::support::python;

const PACKAGES: &[&str] = &["pygls==2.1.1", "lsprotocol==2025.0.0", "pytest==9.2.0", "pytest-asyncio==1.5.0"];

/// Where the stack is applied of which editors see what was made.
const ACCOUNT: &str = "310000000091";

#[test]
fn editors_get_what_they_ask_for() {
    if !python::is_installed() {
        eprintln!("NOT TESTED: the language server, which needs python3");
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/editors");
    let python = python::environment("test-editors", PACKAGES).join("bin/python");
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", folder])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LEOCTL_ENDPOINT", Emulator::MiniStack.endpoint().unwrap())
        .env("AWS_ACCESS_KEY_ID", ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("LEOCTL", env!("CARGO_BIN_EXE_leoctl"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

/// The extension of VS Code is packed as it is published, where npm can be had.
#[test]
fn the_extension_of_vs_code_is_packed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode");
    let build = tempfile::tempdir().unwrap();
    let names = std::fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path());
    for path in names.filter(|path| path.file_name() != Some("node_modules".as_ref())) {
        assert!(Command::new("cp").arg("-r").arg(&path).arg(build.path()).status().unwrap().success());
    }
    let npm = |arguments: &[&str]| Command::new("npm").args(arguments).current_dir(build.path()).output().ok();
    let is_had = npm(&["ci", "--no-audit", "--no-fund"]).is_some_and(|output| output.status.success());
    if !is_had {
        eprintln!("NOT TESTED: the extension of VS Code, whose packages npm did not bring");
        return;
    }
    let packed = npm(&["run", "--silent", "package"]).unwrap();
    assert!(packed.status.success(), "{}{}", String::from_utf8_lossy(&packed.stdout), String::from_utf8_lossy(&packed.stderr));
    let checked = npm(&["run", "--silent", "check"]).unwrap();
    assert!(checked.status.success(), "{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(build.path().join("leoctl.vsix").is_file());
}
