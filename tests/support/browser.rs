//! Pages as a person sees them: a headless Chromium, which a script of Python drives.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use super::python;

const PACKAGES: &[&str] = &["playwright==1.65.2"];
/// What Chromium is called.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|folder| NAMES.iter().map(move |name| folder.join(name))).find(|file| file.is_file())
}

/// What was seen of a page: something was searched, and the resource at an address clicked on. Nothing where there is no Chromium.
pub fn look(page: &Path, search: &str, click: &str) -> Option<Json> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let chromium = chromium();
    if chromium.is_none() || !python::is_installed() {
        assert!(std::env::var_os("LEOCTL_TESTS_NEED_CHROMIUM").is_none(), "there is no Chromium, or no python3");
        eprintln!("NOT TESTED: pages in a browser, which needs chromium and python3");
        return None;
    }
    let folder = MADE.get_or_init(|| Some(python::environment("test-browser", PACKAGES))).as_ref()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/browser.py");
    let mut child =
        Command::new(folder.join("bin/python")).args(["-I", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let wanted = json!({ "chromium": chromium, "page": page, "search": search, "click": click });
    writeln!(child.stdin.take().unwrap(), "{wanted}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "looking at {} failed", page.display());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
