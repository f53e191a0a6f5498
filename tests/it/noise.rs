//! Noise on the line, over a platform's whole life: of a hundred calls ten are throttled, five do not arrive, and of five
//! the answer is lost. What is there at every stage is what is there without it.

use std::sync::{Arc, Mutex};

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::program::{Project, Ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;

const STACK: &str = "stacks/prod.toml";

/// A life: made, changed, deleted, and made again, which finds secrets that are scheduled for deletion.
const LIFE: [&[&str]; 4] = [
    &["apply", "-y", STACK, "--var", "rollout=none"],
    &[
        "apply",
        "-y",
        STACK,
        "--var",
        "rollout=none",
        "--var",
        "cluster_name=second",
        "--var",
        "target_group_name=second",
        "--var",
        "secret_prefix=second",
    ],
    &["destroy", "-y", STACK, "--var", "rollout=none"],
    &["apply", "-y", STACK, "--var", "rollout=none"],
];

/// How many lives there are at once.
const AT_ONCE: usize = 5;

/// A number that looks drawn, the same for the same seed and place.
fn drawn(seed: u64, place: u64) -> u64 {
    let mut bits = (seed << 32 | place).wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn noise(endpoint: &str, seed: u64) -> Proxy {
    Proxy::start(endpoint, move |call| match drawn(seed, call.index as u64) % 100 {
        0..10 => Some(Fault::throttle(call)),
        10..15 => Some(Fault::CutBefore),
        15..20 => Some(Fault::CutAfter),
        _ => None,
    })
}

/// What there is after each part of a life: without noise, or through it.
fn lived(seed: Option<u64>) -> Result<Vec<Vec<String>>, String> {
    let emulator = Emulator::Fakecloud.alone().ok_or("fakecloud is not installed")?;
    let proxy = seed.map(|seed| noise(&emulator.endpoint, seed));
    let endpoint = proxy.as_ref().map_or(&emulator.endpoint, |proxy| &proxy.endpoint);
    let project = Project::new(&emulator.endpoint, "test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut left = Vec::new();
    for command in LIFE {
        let output = project.command(command).env("AWS_ENDPOINT_URL", endpoint).output().map_err(|error| error.to_string())?;
        let Ran { code, stderr, .. } = crate::support::program::ran(output);
        if code != 0 {
            return Err(format!("seed {seed:?}, {command:?}: {stderr}"));
        }
        if command[0] == "apply" {
            let mut plan = command.to_vec();
            plan.splice(0..2, ["plan", "--detailed-exitcode"]);
            let planned = project.run(&plan);
            if planned.code != 0 {
                return Err(format!("seed {seed:?}, {plan:?}: {}{}", planned.stdout, planned.stderr));
            }
        }
        left.push(runtime.block_on(async { Inventory::new(&emulator.endpoint, "test").await.lines().await }));
    }
    Ok(left)
}

fn with_seeds(seeds: std::ops::Range<u64>) {
    if !Emulator::Fakecloud.is_installed() {
        return;
    }
    let wanted = Arc::new(lived(None).unwrap());
    let queue = Mutex::new(seeds);
    let problems: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = queue.lock().unwrap().next() else { return };
                    let problem = match lived(Some(seed)) {
                        Ok(left) if left == *wanted => None,
                        Ok(left) => Some(format!("seed {seed}: there is {left:#?} instead of {wanted:#?}")),
                        Err(why) => Some(why),
                    };
                    eprintln!("seed {seed}: {}", problem.as_deref().unwrap_or("as without noise"));
                    problems.lock().unwrap().extend(problem);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} seeds: {}", problems.len(), problems.join("\n\n"));
}

#[test]
fn noise_on_the_line_changes_nothing_with_three_seeds() {
    with_seeds(0..3);
}

#[test]
#[ignore = "takes minutes; its figures are in docs/reliability.md"]
fn noise_on_the_line_changes_nothing_with_twenty_seeds() {
    with_seeds(0..20);
}
