//! Every call that changes something in AWS says, where it is made, how AWS answers when it is sent again after a lost answer.

use std::collections::{BTreeMap, BTreeSet};

/// How the sources say what becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    Reads,
    Idempotent,
    Done,
    Gone,
    Once,
}

const WORDS: [(&str, Word); 5] = [
    (".or_fail(", Word::Reads),
    (".idempotent(", Word::Idempotent),
    (".or_done(", Word::Done),
    (".or_gone(", Word::Gone),
    (".sent_once(", Word::Once),
];

/// The operations in a source, with what it says of each.
pub fn calls(text: &str) -> Vec<(String, Word)> {
    let of = |(method, word): (&str, Word)| {
        let named = text.split(method).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
        named.map(|(operation, _)| (operation.to_owned(), word)).collect::<Vec<_>>()
    };
    WORDS.into_iter().flat_map(of).filter(|(operation, _)| operation.contains(':')).collect()
}

/// The sources of everything that calls AWS: for a type, or to operate what was made.
fn sources() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut sources) = (vec![root.join("crates/aws/src"), root.join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let text = std::fs::read_to_string(path).unwrap();
                // What a source's own tests call is nobody's.
                sources.push((name, text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()));
            }
        }
    }
    sources
}

fn changes(operation: &str) -> bool {
    let name = operation.split(':').nth(1).unwrap();
    // Of S3, the name is IAM's.
    !["Assume", "Describe", "Filter", "Get", "List", "Simulate"].iter().any(|verb| name.starts_with(verb))
}

#[test]
fn every_changing_call_says_what_its_repetition_is_answered_with() {
    let mut said: BTreeMap<String, BTreeSet<Word>> = BTreeMap::new();
    for (name, text) in
        sources().into_iter().filter(|(name, _)| !["error.rs", "repeat.rs"].iter().any(|own| name == &format!("crates/aws/src/{own}")))
    {
        for (operation, word) in calls(&text) {
            assert_eq!(changes(&operation), word != Word::Reads, "{operation} in {name} is {word:?}");
            said.entry(operation).or_default().insert(word);
        }
        let (sent, declared) = (text.matches("send_once!(").count(), text.matches(".sent_once(").count());
        // The request of a dashboard is changed on its way, which the macro cannot; a live tail changes nothing.
        assert!(
            sent == declared || ["dashboard.rs", "client.rs", "logs/live.rs"].iter().any(|other| name.ends_with(other)),
            "{name}: {sent} sent once, {declared} said"
        );
        for rest in text.split(".or_done(").skip(1).filter(|rest| rest.contains("&[")) {
            assert!(!rest.split(')').next().unwrap().contains("&[]"), "{name}: no code says that it is done");
        }
    }
    for of_operating in ["ecs:ExecuteCommand", "ecs:RunTask", "ecs:StopTask", "secretsmanager:PutSecretValue"] {
        assert!(said.contains_key(of_operating), "{of_operating}");
    }
    let changing = said.keys().filter(|operation| changes(operation)).count();
    assert!(changing > 200, "{changing}");
}

/// A code is tried again after for calls that are made, and one that says what exists for none but those it is named with.
#[test]
fn every_code_to_try_again_after_belongs_to_calls_that_are_made() {
    let sources = sources();
    let called: BTreeSet<String> = sources.iter().flat_map(|(_, text)| calls(text)).map(|(operation, _)| operation).collect();
    let mut named = 0;
    for (name, text) in sources.iter().filter(|(name, _)| name != "crates/aws/src/resource.rs") {
        for rest in text.split("Retry::always(\"").skip(1) {
            let code = rest.split('"').next().unwrap();
            let of_existence = ["NotFound", "NoSuch", "Exists", "Duplicate", "InUse", "DependencyViolation"];
            assert!(!of_existence.iter().any(|part| code.contains(part)), "{code} in {name} means another thing of each call");
        }
        for rest in text.split("Retry::after(").skip(1) {
            let arguments = rest.split(')').next().unwrap();
            let operations: Vec<&str> = arguments.split('"').skip(1).step_by(2).skip(1).collect();
            named += operations.len();
            for operation in operations {
                assert!(called.contains(operation), "{operation} in {name} is never called");
            }
        }
    }
    assert!(named > 80, "{named}");
}
