//! Which secret a variable of an env file is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

use super::names::{Meaning, Names};
use super::{Secret, Target};
use crate::model::address::is_name;
use crate::stack::env_file::Variable;

/// The env files, in the order they are read.
#[derive(Clone, Default)]
pub struct Files {
    /// Their names.
    pub names: Vec<String>,
    /// What they say, by name. Of one name the later line counts.
    entries: BTreeMap<String, Entry>,
    /// Of names whose later line is empty, the line with a value that it hides.
    hidden: BTreeMap<String, Entry>,
}

/// What an env file says of a variable.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: String,
    /// Which of the files it is in.
    pub file: usize,
    /// The line it is in.
    pub line: usize,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}, line {}", self.file, self.line)
    }
}

impl Files {
    /// Adds a file.
    pub fn add(&mut self, name: String, variables: Vec<Variable>) {
        let file = self.names.len();
        self.names.push(name);
        for Variable { name, value, line } in variables {
            let entry = Entry { value, file, line };
            let is_empty = entry.value.is_empty();
            match self.entries.insert(name.clone(), entry) {
                Some(before) if is_empty && !before.value.is_empty() => drop(self.hidden.insert(name, before)),
                _ if !is_empty => drop(self.hidden.remove(&name)),
                _ => {}
            }
        }
    }

    /// The file an entry is in.
    pub fn name(&self, entry: &Entry) -> &str {
        self.names.get(entry.file).map_or("", String::as_str)
    }

    fn line(&self, entry: &Entry) -> String {
        format!("{}:{}", self.name(entry), entry.line)
    }

    /// Where a variable is, for an error.
    fn place(&self, name: &str, entry: &Entry) -> String {
        format!("`{name}` ({})", self.line(entry))
    }
}

/// What env files say of a stack's secrets.
#[derive(Debug, Default)]
pub struct Joined {
    /// What is to be written.
    pub writes: BTreeMap<Target, Entry>,
    /// What cannot be, and why.
    pub problems: Vec<Problem>,
    /// What means no secret.
    pub others: Vec<Other>,
    /// The values that an empty line hides.
    pub hidden: Vec<Hidden>,
}

/// An empty line behind a value of the same secret: as the later line counts, nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// What the empty line says it is of, and where it is.
    pub empty: String,
    /// Where the value is.
    pub value: String,
    /// What it may be for.
    pub targets: BTreeSet<Target>,
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is empty, and hides the value in {}: take the line out to use that", self.empty, self.value)
    }
}

/// A variable of an env file that means no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// The file and the line it is in.
    pub place: String,
}

impl fmt::Display for Other {
    /// Its name. One that no variable can have is maybe none, but a part of a value: of that only the place is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if is_name(&self.name) { &self.name } else { &self.place })
    }
}

/// Why a value is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Why.
    pub message: String,
    /// What to write.
    pub help: String,
    /// What it may be for.
    pub targets: BTreeSet<Target>,
}

/// What is written where. The later line counts, also an empty one, which writes nothing: where it hides a value, that is
/// said.
pub fn join(secrets: &[Secret], names: &Names<'_>, files: &Files) -> Joined {
    let mut joined = Joined::default();
    let mut given: BTreeMap<Target, Vec<(&str, &Entry)>> = BTreeMap::new();
    let mut several = Vec::new();
    for (name, entry) in &files.entries {
        match names.meaning(name) {
            // Of a base64 text over several lines without quotes the last looks like a name.
            Meaning::Nothing if matches!(entry.value.as_str(), "" | "=") => {}
            Meaning::Nothing => joined.others.push(Other { name: name.clone(), place: files.line(entry) }),
            Meaning::One(target) => given.entry(target).or_default().push((name, entry)),
            Meaning::Several(targets, beside) => several.push((name, entry, targets, beside)),
        }
    }
    let all_given = |targets: &BTreeSet<Target>| targets.iter().all(|target| given.contains_key(target));
    // Where everything it may mean has a line of its own, nothing is left for it to say.
    several.retain(|(_, _, targets, _)| !all_given(targets));
    for (name, entry, targets, _) in &several {
        joined.hidden.extend(hides(files, &[(name, entry)]).map(|hidden| Hidden { targets: targets.clone(), ..hidden }));
    }
    several.retain(|(_, entry, ..)| !entry.value.is_empty());
    for (name, entry, targets, beside) in several {
        let (why, help) = ambiguous(names, &targets, &beside);
        joined.problems.push(Problem { message: format!("{} {why}", files.place(name, entry)), help, targets });
    }
    for (target, lines) in given {
        match one_value(files, &lines) {
            Ok(Some(entry)) => drop(joined.writes.insert(target, entry.clone())),
            Ok(None) => {
                joined.hidden.extend(hides(files, &lines).map(|hidden| Hidden { targets: BTreeSet::from([target]), ..hidden }));
            }
            Err(message) => {
                let help = "keep one of the lines".to_owned();
                joined.problems.push(Problem { message, help, targets: BTreeSet::from([target]) });
            }
        }
    }
    for secret in secrets {
        whole(secret, names, files, &mut joined);
    }
    joined
}

/// Why a name is none that may mean any of these, and what to write.
pub fn ambiguous(names: &Names<'_>, targets: &BTreeSet<Target>, beside: &BTreeSet<String>) -> (String, String) {
    let choices: Vec<String> = targets.iter().map(|target| names.full(target)).collect();
    let beside = beside.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let why = match (targets.len(), beside.is_empty()) {
        (_, true) => "may mean several secrets or keys".to_owned(),
        (1, false) => format!("may mean a secret, or what a container of {beside} gets otherwise"),
        (_, false) => format!("may mean several secrets or keys, or what a container of {beside} gets otherwise"),
    };
    (why, format!("write which: {}", choices.join(", ")))
}

/// What the lines for one secret or key say: those of the last file that has one. Nothing when that is no value.
fn one_value<'a>(files: &Files, lines: &[(&str, &'a Entry)]) -> Result<Option<&'a Entry>, String> {
    let last = lines.iter().map(|(_, entry)| entry.file).max();
    let mut lines = lines.iter().filter(|(_, entry)| Some(entry.file) == last);
    let Some((name, entry)) = lines.next() else { return Ok(None) };
    match lines.find(|(_, other)| other.value != entry.value) {
        None => Ok(Some(*entry).filter(|entry| !entry.value.is_empty())),
        Some((other, also)) => {
            Err(format!("{} and {} are one secret, with two values", files.place(name, entry), files.place(other, also)))
        }
    }
}

/// The value that the empty one of these lines hides: of the same name, or of another name for the same secret.
fn hides(files: &Files, lines: &[(&str, &Entry)]) -> Option<Hidden> {
    let (name, empty) = lines.iter().filter(|(_, entry)| entry.value.is_empty()).max_by_key(|(_, entry)| (entry.file, entry.line))?;
    let others = lines.iter().map(|(_, entry)| *entry).filter(|entry| !entry.value.is_empty());
    let of_names = lines.iter().filter_map(|(name, _)| files.hidden.get(*name));
    let value = others.chain(of_names).max_by_key(|entry| (entry.file, entry.line))?;
    Some(Hidden { empty: files.place(name, empty), value: files.line(value), targets: BTreeSet::new() })
}

/// All of a secret is not written beside keys of it, nor so that a key is lost that a container gets.
fn whole(secret: &Secret, names: &Names<'_>, files: &Files, joined: &mut Joined) {
    let target = Target { secret: secret.address.clone(), key: None };
    let Some(entry) = joined.writes.get(&target) else { return };
    let place = files.line(entry);
    let of_it = |target: &Target| target.secret == secret.address;
    let keys: BTreeSet<Target> = joined.writes.keys().filter(|other| of_it(other) && other.key.is_some()).cloned().collect();
    let problem = if keys.is_empty() {
        let object: Option<serde_json::Map<String, Json>> = serde_json::from_str(&entry.value).ok();
        let lacks = |key: &&str| object.as_ref().is_none_or(|object| !object.contains_key(*key));
        let lacking: BTreeSet<&str> = secret.keys().filter(lacks).collect();
        let Some(first) = lacking.first() else { return };
        let key = Target { key: Some((*first).to_owned()), ..target.clone() };
        let message =
            format!("{place} sets all of the secret {}, and containers get the key `{first}` of it, which the value has not", secret.name);
        Problem { message, help: format!("set the keys, such as {}", names.full(&key)), targets: secret.targets().into_iter().collect() }
    } else {
        let message = format!("{place} sets all of the secret {}, and other lines set keys of it", secret.name);
        Problem { message, help: "keep the one or the others".to_owned(), targets: keys }
    };
    joined.writes.retain(|other, _| !of_it(other));
    joined.problems.push(Problem { targets: problem.targets.into_iter().chain([target]).collect(), ..problem });
}
