//! What real AWS answered, recorded by others: leoctl imports each resource, reads every attribute as it was recorded, and
//! plans nothing for what its owner would have written.
//!
//! The recordings are not part of the project: they are looked for in the folder that LEOCTL_RECORDINGS names, or in
//! `shared/recordings` beside the checkout or above it. Where there are none, nothing is tested.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::support::python;

/// The recordings that leoctl does not read and plan as recorded, each with the reason.
const KNOWN: &str = include_str!("known_recordings.toml");
/// As many at the same time: each plays to one leoctl after the other.
const PLAYERS: usize = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    recording: BTreeMap<String, String>,
}

/// What became of one recording.
#[derive(Deserialize)]
struct Played {
    name: String,
    read: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    wrong: BTreeMap<String, Json>,
    #[serde(default)]
    differs: Vec<Json>,
}

impl Played {
    /// What is not as recorded.
    fn fault(&self) -> Option<String> {
        let error = (!self.read).then(|| self.error.clone().unwrap_or_else(|| "nothing was read".to_owned()));
        let wrong = self.wrong.iter().map(|(attribute, value)| format!("wrong {attribute}: {value}"));
        let differs = self.differs.iter().map(|one| format!("differs {one}"));
        let faults: Vec<String> = error.into_iter().chain(wrong).chain(differs).collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    }
}

fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LEOCTL_RECORDINGS") {
        return Some(named.into());
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/recordings")).find(|folder| folder.join("replay.py").is_file())
}

/// Plays these recordings; what came of each is written to the file.
fn play(folder: &Path, cases: &[PathBuf], out: &Path) -> Child {
    let requirements = std::fs::read_to_string(folder.join("requirements.txt")).unwrap();
    let packages = requirements.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let python = python::environment("test-recordings", &packages.collect::<Vec<_>>()).join("bin/python");
    let mut player = Command::new(python);
    player.arg(folder.join("replay.py")).args(["run", "--leoctl", env!("CARGO_BIN_EXE_leoctl"), "--out"]).arg(out).args(cases);
    // What is imported in the folder of the recordings is not written down there.
    player.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn recorded_answers_of_aws_are_read_and_planned_as_they_are() {
    let Some(folder) = folder() else { return };
    let entries = std::fs::read_dir(folder.join("cases")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension() == Some("json".as_ref())).collect();
    cases.sort();
    let results = tempfile::tempdir().unwrap();
    let out = |number: usize| results.path().join(number.to_string());
    let parts: Vec<Vec<PathBuf>> = (0..PLAYERS).map(|at| cases.iter().skip(at).step_by(PLAYERS).cloned().collect()).collect();
    let players: Vec<Child> = parts.iter().enumerate().map(|(number, part)| play(&folder, part, &out(number))).collect();
    for mut player in players {
        assert!(player.wait().unwrap().success());
    }
    let read = |number: usize| serde_json::from_str::<Vec<Played>>(&std::fs::read_to_string(out(number)).unwrap()).unwrap();
    let played: Vec<Played> = (0..PLAYERS).flat_map(read).collect();
    assert_eq!(played.len(), cases.len());
    let known: Known = toml::from_str(KNOWN).unwrap();
    let faults: BTreeMap<&str, String> = played.iter().filter_map(|one| Some((one.name.as_str(), one.fault()?))).collect();
    let new: Vec<String> =
        faults.iter().filter(|(name, _)| !known.recording.contains_key(**name)).map(|(name, fault)| format!("{name}: {fault}")).collect();
    assert!(new.is_empty(), "not as recorded:\n{}", new.join("\n"));
    let mended: Vec<&String> = known.recording.keys().filter(|name| !faults.contains_key(name.as_str())).collect();
    assert!(mended.is_empty(), "as recorded, take them out of the known ones: {mended:?}");
}
