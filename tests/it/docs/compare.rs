//! Whether what a page shows is what a command printed, but for what is another with every run.

use std::path::Path;
use std::sync::OnceLock;

use regex::Regex;

/// Where a page is run.
pub struct Project<'a> {
    /// The home of its reader.
    pub home: &'a Path,
    /// Whether its commands go to the sandbox without saying so.
    pub is_in_sandbox: bool,
}

/// What is another with every run, and what stands for it in a comparison.
const VARYING: &[(&str, &str)] = &[
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r"\b(vpc|subnet|sg|sgr|igw|nat|rtb|rtbassoc|eipalloc|eni|vpce|vol|i)-[0-9a-f]{8,17}\b", "$1-ID"),
    (r"\b[0-9a-f]{12,64}\b", "HASH"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\bprocess \d+", "PROCESS"),
    (r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", "DATE"),
    (r"\b\d+(\.\d+)? ?(ms|s|min|h)\b", "TIME"),
    (r"\bZ[0-9A-Z]{12,}\b", "ZONE"),
    // The beginning of a task's id.
    (r"\b[0-9a-f]{8}-[0-9a-f]{3}\b", "TASK"),
    // The salted hash of a secret.
    (r"\b[0-9a-f]{8}\b", "HASH"),
    // What follows a `bucket_prefix`.
    (r"-[a-z0-9]{8}\b", "-SUFFIX"),
    // What Secrets Manager adds to a name.
    (r"(secret:[\w/]+)-[0-9A-Za-z]{6}\b", "$1-SUFFIX"),
    // The serial and the time in the name of a state's copy.
    (r"-\d{6}-\d{8}T\d{9}Z\b", "-SERIAL"),
    (r"  +", " "),
];

/// What a command printed, without what tells only how long something took, with the reader's home as `~`, and
/// without `--sandbox` in what it says to run where the page has none.
pub fn settled(printed: &str, project: &Project<'_>) -> Vec<String> {
    let home = project.home.to_str().unwrap();
    let lines = printed.lines().filter(|line| !line.starts_with("waiting: ") && !line.starts_with("reading "));
    let lines = lines.filter(|line| !line.starts_with("Installing MiniStack"));
    let as_written = |line: &str| match project.is_in_sandbox {
        true => line.replace("leoctl --sandbox ", "leoctl "),
        false => line.to_owned(),
    };
    let mut lines: Vec<String> = lines.map(|line| as_written(line).replace(home, "~").trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether these lines are what is shown, where `…` stands for any lines.
pub fn is_shown(shown: &[String], printed: &[String]) -> bool {
    let shown: Vec<String> = shown.iter().map(|line| steady(line)).collect();
    let printed: Vec<String> = printed.iter().map(|line| steady(line)).collect();
    matches(&shown, &printed)
}

fn matches(shown: &[String], printed: &[String]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line.trim() == "…" => (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..])),
        (Some((line, shown)), Some((other, printed))) => line == other && matches(shown, printed),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// A line without what is another with every run.
fn steady(line: &str) -> String {
    static PATTERNS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(|| VARYING.iter().map(|(pattern, name)| (Regex::new(pattern).unwrap(), *name)).collect());
    let line = line.trim_end().to_owned();
    patterns.iter().fold(line, |line, (pattern, name)| pattern.replace_all(&line, *name).into_owned())
}

#[test]
fn only_what_varies_may_differ_from_what_is_shown() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let same = |shown: &str, printed: &str| is_shown(&lines(shown), &lines(printed));
    assert!(same("created vpc.main vpc-0a1b2c3d4e5f60718 0.3s", "created vpc.main vpc-ffffffffffffffff0  12.5s"));
    assert!(same("a\n…\nz", "a\nb\nc\nz") && same("…\nz", "z") && same("a\n…", "a"));
    assert!(!same("a\n…\nz", "a\nb") && !same("a", "a\nb") && !same("Plan: 2 to create.", "Plan: 3 to create."));
}
