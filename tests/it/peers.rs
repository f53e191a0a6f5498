//! The comparison with other tools (`benches/peers`): leoctl's own part of it, which needs nothing installed.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::emulator;
use crate::support::program::ran;

/// What the comparison finds out about leoctl alone.
fn leoctl(arguments: &[&str]) -> Value {
    let python = emulator::python();
    let mut command = Command::new(&python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/run")).args(["--only", "leoctl", "--python"]).arg(&python);
    let ran = ran(command.args(arguments).env("LEOCTL", env!("CARGO_BIN_EXE_leoctl")).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["leoctl"].clone()
}

#[test]
fn the_comparison_measures_a_whole_life_of_its_platform() {
    let found = leoctl(&["--runs", "1"]);
    assert_eq!(found["left"], json!({}), "destroy leaves nothing");
    let changing = |stage: &str| found["stages"][stage]["changing_calls"].as_u64().unwrap();
    assert!(changing("deploy") > 20 && changing("destroy") > 15, "{found}");
    assert_eq!((changing("plan, unchanged"), changing("apply, unchanged")), (0, 0), "{found}");
    assert!(changing("one change") > 0, "{found}");
}

#[test]
fn the_comparison_strikes_at_changing_calls() {
    let found = leoctl(&["--orphans", "--points", "1"]);
    let points = found["points"].as_array().unwrap();
    assert_eq!(points.len(), 4, "before and after a call, each with two roads: {found}");
    for point in points {
        assert_eq!((&point["destroy_exit"], &point["remains"]), (&json!(0), &json!({})), "{point}");
    }
}
