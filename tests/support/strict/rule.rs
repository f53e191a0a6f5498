//! Facts of AWS and the rules that play them, as they stand in `tests/facts/*.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::path::Test;

/// What AWS is known to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Its name.
    pub id: String,
    /// What AWS does.
    pub fact: String,
    /// Who says so.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The tests that hold leoctl to it.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Why nothing does yet.
    pub open: Option<String>,
    /// What makes an emulator behave so.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// A document, or an account's own words.
    Certain,
    /// Code that was written for it.
    Likely,
    /// One observer, or an undocumented case.
    Possible,
}

/// A rule: which calls, under which conditions, and what happens then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The calls, as `service:Operation`.
    pub on: OneOrMany,
    /// What has to hold of members.
    #[serde(default)]
    pub when: BTreeMap<String, Test>,
    /// What may not hold, all of it.
    #[serde(default)]
    pub unless: BTreeMap<String, Test>,
    /// What was done before to the same thing.
    pub since: Option<Since>,
    /// What was not.
    pub never: Option<Since>,
    /// The elements of the answer it is played for, one by one.
    pub each: Option<OneOrMany>,
    /// The call is refused.
    pub refuse: Option<Refusal>,
    /// The answer is changed.
    pub answer: Option<Vec<Edit>>,
    /// The element is left out.
    #[serde(default)]
    pub drop: bool,
    /// What is said of it instead.
    pub fail: Option<Fail>,
    /// The call takes longer.
    pub delay_ms: Option<u64>,
    /// The answer comes in pages of this size.
    pub page: Option<usize>,
    /// The calls are limited.
    pub rate: Option<Rate>,
    /// Played only where a test asks for its fact.
    #[serde(default)]
    pub manual: bool,
    /// Emulators that cannot play it.
    #[serde(default)]
    pub not_on: Vec<String>,
}

/// One text, or several.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T = String> {
    /// None.
    #[default]
    None,
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn all(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// An earlier call that was about the same thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The call.
    pub call: OneOrMany,
    /// What had to hold of it.
    #[serde(default)]
    pub when: BTreeMap<String, Test>,
    /// The thing it was about.
    #[serde(default)]
    pub id: OneOrMany,
    /// The same thing in this call.
    #[serde(default)]
    pub same: OneOrMany,
    /// How many calls long.
    pub calls: Option<usize>,
    /// How long.
    pub milliseconds: Option<u64>,
    /// What ends it.
    #[serde(default)]
    pub until: OneOrMany<Until>,
    /// Other ids of the same thing.
    #[serde(default)]
    pub link: OneOrMany<Link>,
}

/// A call that ends what an earlier one began.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// The call.
    pub call: OneOrMany,
    /// What has to hold of it.
    #[serde(default)]
    pub when: BTreeMap<String, Test>,
    /// The thing.
    #[serde(default)]
    pub id: OneOrMany,
}

/// Where answers name a thing by two ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The call that is answered.
    pub call: OneOrMany,
    /// The elements of its answer.
    pub each: String,
    /// The id.
    pub id: String,
    /// The other one.
    pub other: String,
}

/// What a refused call is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The HTTP status.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// The error code.
    pub code: String,
    /// The message.
    #[serde(default)]
    pub message: String,
}

fn bad_request() -> u16 {
    400
}

/// What stands in an answer for what is not in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// The list.
    pub at: String,
    /// The element; `{X}` is the member X of what is left out.
    pub entry: BTreeMap<String, String>,
}

/// How many calls a second.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// In the long run.
    pub per_second: f64,
    /// At once.
    pub burst: f64,
}

/// A change of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Where.
    pub at: String,
    /// Becomes this.
    pub set: Option<Value>,
    /// Becomes this where there is nothing.
    pub default: Option<Value>,
    /// Is taken away.
    #[serde(default)]
    pub remove: bool,
    /// Values that become others.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// `lower` or `upper`.
    pub case: Option<Case>,
    /// A text with a pattern replaced.
    pub replace: Option<Replace>,
    /// A list is sorted by this member; by itself for none.
    pub sort: Option<String>,
    /// A list has another order at each call.
    #[serde(default)]
    pub shuffle: bool,
    /// A list has this as well.
    pub append: Option<Value>,
}

/// Letters.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// Small.
    Lower,
    /// Capital.
    Upper,
}

/// A pattern and what it becomes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// The pattern.
    pub pattern: String,
    /// With `$1` for its groups.
    pub with: String,
}

/// The facts of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fact: Vec<Fact>,
}

/// All facts, by file in the order of their names.
pub fn files() -> Vec<(String, Vec<Fact>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), file.fact)
    };
    paths.iter().filter(|path| path.extension().is_some_and(|end| end == "toml")).map(read).collect()
}

/// Whether a call has one of these names; `*` at the end of a part is any end.
pub fn is_on(names: &OneOrMany, service: &str, operation: &str) -> bool {
    let part = |wanted: &str, given: &str| match wanted.strip_suffix('*') {
        Some(begin) => given.starts_with(begin),
        None => given == wanted,
    };
    names.all().iter().filter_map(|name| name.split_once(':')).any(|(of, name)| part(of, service) && part(name, operation))
}
