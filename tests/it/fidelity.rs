//! What AWS is known to do and emulators do not: every fact has its source, and a rule or a test that holds leoctl to it; and
//! the page that lists them is current.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::strict::rule::{self, Certainty, Fact, Rule};

const PAGE: &str = "docs/fidelity.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all functions with tests in them.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ["tests", "src", "crates/aws", "crates/core"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                names.extend(tests(&std::fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    names
}

/// The functions of a source that are marked as tests.
fn tests(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim) {
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        match name {
            _ if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => marked = true,
            Some(name) if std::mem::take(&mut marked) => names.extend(name.split(['(', '<']).next().map(str::to_owned)),
            _ => {}
        }
    }
    names
}

#[test]
fn every_fact_has_its_source_and_what_holds_it() {
    let functions = functions();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, facts) in rule::files() {
        for fact in &facts {
            let mut say = |what: String| wrong.push(format!("{file}.toml, {}: {what}", fact.id));
            if !seen.insert(fact.id.clone()) {
                say("there are two of this name".to_owned());
            }
            if !fact.id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-') {
                say("a name is of small letters, digits and hyphens".to_owned());
            }
            if fact.fact.is_empty() || fact.source.is_empty() {
                say("it says nothing, or nobody says it".to_owned());
            }
            let unknown = fact.tests.iter().filter(|name| !functions.contains(*name));
            unknown.for_each(|name| say(format!("there is no test {name}")));
            match (fact.rule.is_empty() && fact.tests.is_empty(), &fact.open) {
                (true, None) => say("it has neither a rule nor a test, and does not say why".to_owned()),
                (_, Some(why)) if why.is_empty() => say("it is open, and does not say why".to_owned()),
                _ => {}
            }
            // A rule that the general run does not play needs a test that does.
            if !fact.rule.is_empty() && fact.rule.iter().all(|rule| rule.manual) && fact.tests.is_empty() {
                say("its rules are manual, and no test plays them".to_owned());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_facts_is_current() {
    let page = root().join(PAGE);
    let current = text(&rule::files());
    if std::env::var_os("LEOCTL_WRITE_DOCS").is_some() {
        std::fs::write(&page, &current).unwrap();
        return;
    }
    let there = std::fs::read_to_string(page).unwrap_or_default();
    assert!(there == current, "{PAGE} is not current: run the tests once with LEOCTL_WRITE_DOCS=1");
}

const HEAD: &str = "\
# Fidelity

leoctl's tests run against emulators of AWS, and these are more lenient than AWS. They accept requests that AWS refuses, show changes at once that AWS shows later, and return values as they were written where AWS rewrites them. This page lists known facts about AWS that the emulators do not reproduce, the source of each fact, and the test that makes leoctl handle it. The page is generated from `tests/facts/*.toml`.

The columns:

- **certainty**: *certain* is documented by AWS, or was seen in answers of an account. *Likely* is taken from other programs' code that was written for it. *Possible* was reported once, or is a case that nobody documents; leoctl behaves correctly either way.
- **rule**: how a proxy in front of the emulators (`tests/support/strict`) imitates AWS. All conformance cases and the stacks of this repository run through the proxy, on every emulator.
- **test**: a test that uses the answer that AWS documents, or the stack file that AWS would refuse. **Open** means that leoctl does not handle the fact correctly yet, and why.
";

/// The whole page.
fn text(files: &[(String, Vec<Fact>)]) -> String {
    let all = || files.iter().flat_map(|(_, facts)| facts);
    let open = all().filter(|fact| fact.open.is_some()).count();
    let rules = all().filter(|fact| !fact.rule.is_empty()).count();
    let tests = all().filter(|fact| !fact.tests.is_empty()).count();
    let mut page =
        format!("{HEAD}\nOf {} facts, {rules} have a rule, {tests} have tests of their own, and {open} are open.\n", all().count());
    for (file, facts) in files {
        page.push_str(&format!("\n## {}\n\n| fact | source | certainty | rule | test |\n|---|---|---|---|---|\n", title(file)));
        facts.iter().for_each(|fact| page.push_str(&row(fact)));
    }
    page
}

/// A file's name as a heading: three letters are a service's initials.
fn title(file: &str) -> String {
    let words = file.replace('-', " ");
    if words.len() <= 3 {
        return words.to_uppercase();
    }
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn row(fact: &Fact) -> String {
    let certainty = match fact.certainty {
        Certainty::Certain => "certain",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    };
    let rules: Vec<String> = fact.rule.iter().map(verb).collect();
    let tests: Vec<String> = fact.tests.iter().map(|test| format!("`{test}`")).collect();
    let mut tests = tests.join(", ");
    if let Some(why) = &fact.open {
        tests = format!("{tests}{}**open**: {why}", if tests.is_empty() { "" } else { "; " });
    }
    let cells = [fact.fact.as_str(), &fact.source, certainty, &rules.join("; "), &tests].map(cell);
    format!("| <a id=\"{}\"></a>{} |\n", fact.id, cells.join(" | "))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").trim().to_owned()
}

/// What a rule does, in a few words.
fn verb(rule: &Rule) -> String {
    let what = match rule {
        Rule { refuse: Some(refusal), .. } => format!("refused with `{}`", refusal.code),
        Rule { drop: true, .. } => "left out".to_owned(),
        Rule { page: Some(_), .. } => "paged".to_owned(),
        Rule { rate: Some(rate), .. } => format!("{} calls a second", rate.per_second),
        Rule { delay_ms: Some(_), .. } => "delayed".to_owned(),
        Rule { .. } => "answered so".to_owned(),
    };
    let calls: Vec<String> = rule.on.all().iter().map(|call| format!("`{call}`")).collect();
    format!("{} {what}", calls.join(", "))
}
