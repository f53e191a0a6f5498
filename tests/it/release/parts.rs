//! What goes with the packages: hashes, signatures, the bill of materials, the formula.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use super::{TARGET, done, has, is_linux, package_of, script};
use crate::support::program::ran;

#[test]
fn a_signature_of_the_hashes_holds_until_a_file_is_another() {
    if !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    script(&["npm-main"], &dist);
    script(&["sums"], &dist);
    let check = || ran(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(&dist).output().unwrap());
    assert_eq!(check().code, 0, "{}", check().stderr);
    if has("minisign") {
        let key = |name: &str| folder.path().join(name);
        done(Command::new("minisign").args(["-G", "-W", "-p"]).arg(key("public")).arg("-s").arg(key("secret")));
        let sign = || Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release/sign");
        done(Command::new(sign()).arg(&dist).env("LEOCTL_MINISIGN_KEY", key("secret")));
        let mut verify = Command::new("minisign");
        verify.args(["-V", "-m"]).arg(dist.join("SHA256SUMS")).arg("-p").arg(key("public"));
        done(&mut verify);
        // What signs it does not sign hashes that are wrong.
        std::fs::write(dist.join(format!("leoctl-{}.tgz", env!("CARGO_PKG_VERSION"))), "another").unwrap();
        let refused = ran(Command::new(sign()).arg(&dist).env("LEOCTL_MINISIGN_KEY", key("secret")).output().unwrap());
        assert_ne!(refused.code, 0, "{}", refused.stdout);
    }
    std::fs::write(dist.join(format!("leoctl-{}.tgz", env!("CARGO_PKG_VERSION"))), "another").unwrap();
    assert_ne!(check().code, 0);
}

#[test]
fn the_bill_of_materials_has_every_crate_that_is_linked() {
    let folder = tempfile::tempdir().unwrap();
    let bill = script(&["sbom", "--target", "x86_64-unknown-linux-gnu"], folder.path());
    let bill: Json = serde_json::from_str(&std::fs::read_to_string(bill).unwrap()).unwrap();
    let listed: BTreeSet<String> =
        bill["components"].as_array().unwrap().iter().map(|one| one["purl"].as_str().unwrap().to_owned()).collect();
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--locked", "--package", "leoctl", "--edges", "normal", "--target", "x86_64-unknown-linux-gnu"]);
    let shown = done(tree.args(["--prefix", "none", "--format", "{p}"]).current_dir(env!("CARGO_MANIFEST_DIR")));
    let linked = shown.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("pkg:cargo/{name}@{}", rest.split_whitespace().next()?))
    });
    let linked: BTreeSet<String> = linked.collect();
    let lacking: Vec<_> = linked.iter().filter(|one| !listed.contains(*one) && !one.starts_with("pkg:cargo/leoctl@")).collect();
    assert!(lacking.is_empty() && linked.len() > 200, "{lacking:?}");
    for one in bill["components"].as_array().unwrap() {
        let is_ours = one["name"].as_str().unwrap().starts_with("leoctl");
        assert!(is_ours || one["hashes"][0]["content"].as_str().is_some_and(|hash| hash.len() == 64), "{one}");
        assert!(one["licenses"][0]["expression"].is_string(), "{one}");
    }
}

#[test]
fn the_formula_has_the_hash_of_the_archive() {
    if !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/dist");
    let archive = package_of(&program, "archive", folder.path());
    let formula = script(&["formula", "--url", "https://downloads.example/v1/"], folder.path());
    let text = std::fs::read_to_string(&formula).unwrap();
    let hash = done(Command::new("sha256sum").arg(&archive));
    let hash = hash.split_whitespace().next().unwrap();
    let name = archive.file_name().unwrap().to_str().unwrap();
    assert!(
        name.contains(TARGET) && text.contains(&format!("url \"https://downloads.example/v1/{name}\"\n      sha256 \"{hash}\"")),
        "{text}"
    );
    if Command::new("ruby").arg("--version").output().is_ok() {
        done(Command::new("ruby").arg("-c").arg(formula));
    }
}

#[test]
fn a_tag_that_is_not_the_version_is_refused() {
    let check = |tag: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release/check-tag");
        ran(Command::new(script).arg(tag).output().unwrap())
    };
    let wrong = check("v99.0.0");
    assert!(wrong.code == 1 && wrong.stderr.contains("the sources are of v"), "{}", wrong.stderr);
    // The version under way has no day yet: it cannot be released by mistake.
    let ours = check(concat!("v", env!("CARGO_PKG_VERSION")));
    let page = include_str!("../../../CHANGELOG.md");
    let is_dated = page.contains(concat!("## [", env!("CARGO_PKG_VERSION"), "] - 2"));
    assert_eq!(ours.code == 0, is_dated, "{}", ours.stderr);
}

#[test]
fn the_build_says_nothing_of_where_it_was_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    // In the place of cargo: what it would have been told.
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("cargo"), "#!/bin/sh\nprintf '%s' \"$CARGO_ENCODED_RUSTFLAGS\" | tr '\\037' '\\n' >\"$TOLD\"\n").unwrap();
    std::fs::set_permissions(bin.join("cargo"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut build = Command::new(root.join("scripts/release/build"));
    build.arg("x86_64-unknown-linux-musl").env("PATH", format!("{}:{path}", bin.display()));
    build.env("TOLD", folder.path().join("told")).env("CARGO_TARGET_DIR", folder.path().join("a target")).env("SOURCE_DATE_EPOCH", "1");
    let built = done(&mut build);
    assert!(built.trim_end().ends_with("/a target/x86_64-unknown-linux-musl/dist/leoctl"), "{built}");
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    let remapped = |from: &Path, to: &str| told.lines().any(|line| line == format!("--remap-path-prefix={}={to}", from.display()));
    assert!(remapped(&folder.path().canonicalize().unwrap().join("a target"), "/target"), "{told}");
    assert!(remapped(root, "/leoctl"), "{told}");
}
