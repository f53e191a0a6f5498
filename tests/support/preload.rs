//! A clock that is wrong, a disk that fails and names of hosts that are found, put under the real binary: `preload.c` says how.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The library, compiled on first use: where Rust links, there is a C compiler.
fn library() -> &'static PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("preload-{}.so", std::process::id()));
        std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/preload.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").status();
        assert!(compiled.unwrap().success());
        library
    })
}

/// Sets the clock of a command this many seconds wrong.
pub fn clock(command: &mut Command, seconds: i64) -> &mut Command {
    command.env("LD_PRELOAD", library()).env("LEOCTL_TEST_CLOCK", seconds.to_string())
}

/// Has hosts found whose names have this in front: some operations have a host of their own, which an emulator has not.
pub fn hosts<'a>(command: &'a mut Command, prefix: &str) -> &'a mut Command {
    command.env("LD_PRELOAD", library()).env("LEOCTL_TEST_PREFIX", prefix)
}

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disk {
    /// The process dies in the middle of a write.
    Torn,
    /// Half a write fits, and nothing more.
    Full,
    /// Nothing can be changed any more.
    ReadOnly,
}

/// Lets the changes in a project's `state` folder be counted, and the `at`-th be struck.
pub fn disk<'a>(command: &'a mut Command, log: &std::path::Path, strike: Option<(usize, Disk)>) -> &'a mut Command {
    let folder = command.get_current_dir().unwrap().join("state");
    command.env("LD_PRELOAD", library()).env("LEOCTL_TEST_DISK", folder).env("LEOCTL_TEST_LOG", log);
    if let Some((at, how)) = strike {
        let how = match how {
            Disk::Torn => "torn",
            Disk::Full => "full",
            Disk::ReadOnly => "readonly",
        };
        command.env("LEOCTL_TEST_AT", at.to_string()).env("LEOCTL_TEST_HOW", how);
    }
    command
}
