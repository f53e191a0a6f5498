//! Tells the program what it is built for. Nothing in it depends on when or where that is.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "cargo reads it there")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (name, given) in [("LEOCTL_TARGET", "TARGET"), ("LEOCTL_FEATURES", "CARGO_CFG_FEATURE")] {
        println!("cargo::rustc-env={name}={}", std::env::var(given).unwrap_or_default());
    }
}
