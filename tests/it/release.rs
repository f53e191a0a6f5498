//! What a release consists of, made by `scripts/release` of the program under test: each package is installed into a folder
//! of its own, and what is installed says its version and begins a project.

mod installed;
mod parts;
mod version;
mod workflows;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::program::ran;

/// The platform that packages are made for here. The program under test is not static, which no package minds.
const TARGET: &str = if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" };

/// Packages are made of Linux programs here; elsewhere their tests say that they have tested nothing.
fn is_linux() -> bool {
    let is = cfg!(target_os = "linux");
    if !is {
        eprintln!("skipped: the packages are tested on Linux");
    }
    is
}

/// Whether a program is there. Where it has to be, as in the gate, its absence fails the test.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let is_needed = std::env::var_os("LEOCTL_TESTS_NEED_PACKAGERS").is_some();
    assert!(is_there || !is_needed, "{program} is not installed, and LEOCTL_TESTS_NEED_PACKAGERS is set");
    if !is_there {
        eprintln!("skipped: {program} is not installed");
    }
    is_there
}

/// The program under test without its symbols, and what goes with it; made once, below the target folder.
fn made() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let leoctl = env!("CARGO_BIN_EXE_leoctl");
        done(Command::new("strip").arg("-o").arg(folder.join("leoctl")).arg(leoctl));
        script(&["extras", "--leoctl", leoctl], &folder.join("extras"));
        folder
    })
}

/// A step of a release, and the file that it says it has written.
fn script(arguments: &[&str], out: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg(root.join("scripts/release")).args(arguments).arg("--out").arg(out);
    PathBuf::from(done(command.env("SOURCE_DATE_EPOCH", "1795910400")).trim_end())
}

/// A package of a kind, of the program under test.
fn package(kind: &str, out: &Path) -> PathBuf {
    package_of(&made().join("leoctl"), kind, out)
}

/// A package of a kind, not compressed, which would take most of the time.
fn package_of(binary: &Path, kind: &str, out: &Path) -> PathBuf {
    let [binary, extras] = [binary.to_owned(), made().join("extras")].map(|path| path.display().to_string());
    script(&[kind, "--binary", &binary, "--target", TARGET, "--extras", &extras, "--level", "0"], out)
}

/// Runs a program that has to succeed.
fn done(command: &mut Command) -> String {
    let ran = ran(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(ran.code, 0, "{command:?}\n{}\n{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// What was installed is this leoctl, and begins a project in an empty folder.
fn works(leoctl: &Path) {
    let home = tempfile::tempdir().unwrap();
    let in_a_new_folder = |arguments: &[&str]| done(Command::new(leoctl).args(arguments).current_dir(home.path()).env("HOME", home.path()));
    assert_eq!(in_a_new_folder(&["--version"]), concat!("leoctl ", env!("CARGO_PKG_VERSION"), "\n"));
    in_a_new_folder(&["init"]);
    in_a_new_folder(&["validate"]);
    assert!(home.path().join("stacks/dev.toml").is_file());
}
