//! What building takes: the core needs no SDK, and testing compiles no dependency of the program again.

use std::collections::BTreeSet;
use std::process::Command;

/// The packages that cargo would build, each with its version and features.
fn packages(arguments: &[&str]) -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p} [{f}]"]).args(arguments);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn the_core_is_built_and_tested_without_any_aws_crate() {
    let packages = packages(&["--package", "leoctl-core"]);
    assert!(packages.iter().any(|package| package.starts_with("leoctl-core ")), "{packages:?}");
    let aws: Vec<_> = packages.iter().filter(|package| package.starts_with("aws-") || package.starts_with("leoctl-aws")).collect();
    assert!(aws.is_empty(), "{aws:?}");
}

#[test]
fn cargo_test_compiles_no_dependency_of_cargo_run_again() {
    let run = packages(&["--edges", "normal,build"]);
    let test = packages(&["--workspace", "--edges", "normal,build,dev"]);
    let again: Vec<_> = run.difference(&test).collect();
    assert!(again.is_empty(), "the tests ask for other features of these, so they would be compiled twice: {again:?}");
}

#[test]
fn one_implementation_of_tls_is_linked() {
    let packages = packages(&["--workspace", "--edges", "normal,build"]);
    let named = |name: &str| packages.iter().filter(|package| package.starts_with(&format!("{name} "))).count();
    assert_eq!((named("rustls"), named("ring")), (1, 1));
    assert_eq!((named("aws-lc-rs"), named("aws-lc-sys"), named("openssl-sys"), named("native-tls")), (0, 0, 0, 0));
}
