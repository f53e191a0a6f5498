//! What AWS's schema of one type says, as it is packed.

use std::collections::BTreeSet;

use leoctl_core::model::schema::Format;
use serde_json::{Map, Value as Json};

/// The schema of a type.
#[derive(Debug)]
pub struct Facts {
    /// The type's name at AWS.
    pub aws: &'static str,
    schema: Json,
    /// What AWS sets.
    pub read_only: BTreeSet<String>,
    /// What only a replacement changes.
    pub create_only: BTreeSet<String>,
    /// What AWS takes and never returns.
    pub write_only: BTreeSet<String>,
    /// What may be changed in place and may take a replacement: AWS decides when it is asked.
    pub conditional: BTreeSet<String>,
}

/// What Cloud Control can do with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Make one.
    Create,
    /// Look at one.
    Read,
    /// Change one.
    Update,
    /// Delete one.
    Delete,
    /// Say which there are.
    List,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

impl Facts {
    /// Takes a schema.
    pub fn new(aws: &'static str, schema: Json) -> Self {
        let pointers = |key: &str| list(&schema, key).iter().filter_map(Json::as_str).map(plain).collect();
        let (read_only, create_only) = (pointers("readOnlyProperties"), pointers("createOnlyProperties"));
        let (write_only, conditional) = (pointers("writeOnlyProperties"), pointers("conditionalCreateOnlyProperties"));
        Self { aws, read_only, create_only, write_only, conditional, schema }
    }

    /// The properties of the type itself.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.schema.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// The schema as a whole, for what it says of its properties together.
    pub fn whole(&self) -> &Json {
        &self.schema
    }

    /// What a `$ref` names.
    pub fn referred(&self, reference: &str) -> Option<&Json> {
        let (section, name) = reference.strip_prefix("#/")?.split_once('/')?;
        self.schema.get(section)?.get(name)
    }

    /// What a resource is told by, in the order in which ids have it.
    pub fn identifier(&self) -> Vec<String> {
        list(&self.schema, "primaryIdentifier").iter().filter_map(Json::as_str).map(plain).collect()
    }

    /// The property that has the tags.
    pub fn tags(&self) -> Option<&str> {
        self.schema.get("tags").and_then(Json::as_str)
    }

    /// Whether tags are taken only when a resource is made.
    pub fn tags_are_fixed(&self) -> bool {
        self.schema.get("tagsFixed") == Some(&Json::Bool(true))
    }

    /// Whether Cloud Control can do this.
    pub fn can(&self, verb: Verb) -> bool {
        list(&self.schema, "handlers").iter().any(|name| name.as_str() == Some(verb.name()))
    }

    /// In which case of letters AWS keeps a text, where it keeps one: what its schema says of the forms that it rewrites.
    pub fn case_of(&self, path: &str) -> Option<Format> {
        let mut rewritten = self.schema.get("propertyTransform").and_then(Json::as_object)?.iter();
        let (_, how) = rewritten.find(|(pointer, _)| plain(pointer) == path)?;
        let (function, of) = how.as_str()?.strip_suffix(')')?.split_once('(')?;
        // The function is of the property itself, by its last name or by its path.
        let own = of.split('.').next_back() == path.rsplit('/').next();
        match function {
            "$lowercase" if own => Some(Format::Lowercase),
            "$uppercase" if own => Some(Format::Uppercase),
            _ => None,
        }
    }

    /// The texts of which a beginning can be written, with whose rest AWS answers: `17` is `17.6` then. Its schema says so by the
    /// form that it compares by, `$join([$string(EngineVersion), ".*"])`.
    pub fn begun(&self) -> Vec<String> {
        let rewritten = self.schema.get("propertyTransform").and_then(Json::as_object);
        let is_begun = |path: &str, how: &Json| {
            let of = how.as_str().and_then(|how| how.strip_prefix("$join([$string(")?.strip_suffix("), \".*\"])"));
            of.is_some_and(|of| of.split('.').next_back() == path.rsplit('/').next())
        };
        let all = rewritten.into_iter().flatten().map(|(pointer, how)| (plain(pointer), how));
        all.filter(|(path, how)| is_begun(path, how)).map(|(path, _)| path.to_string()).collect()
    }

    /// The properties that a list of them has to be asked with.
    pub fn listed_by(&self) -> Vec<&str> {
        list(&self.schema, "listedBy").iter().filter_map(Json::as_str).collect()
    }

    /// How long AWS lets an operation take at most, in minutes.
    pub fn minutes(&self) -> Option<u64> {
        self.schema.get("minutes").and_then(Json::as_u64)
    }

    /// The IAM actions that looking at resources takes: of those that the schema's reading handlers name, the ones that only read.
    /// Some handlers name what they do when they make one as well.
    pub fn reading(&self) -> Vec<String> {
        self.actions("plan").into_iter().filter(|action| only_reads(action)).collect()
    }

    /// The IAM actions that making, changing and deleting takes beyond those that only read.
    pub fn changing(&self) -> Vec<String> {
        let named = self.actions("plan").into_iter().filter(|action| !only_reads(action));
        named.chain(self.actions("apply")).collect()
    }

    /// The IAM actions under a key: `plan` or `apply`.
    fn actions(&self, key: &str) -> Vec<String> {
        let mut service = "";
        let words = self.schema.get(key).and_then(Json::as_str).unwrap_or_default().split(' ').filter(|word| !word.is_empty());
        let full = words.map(|word| match word.split_once(':') {
            Some((named, _)) => {
                service = named;
                word.to_owned()
            }
            None => format!("{service}:{word}"),
        });
        full.collect()
    }
}

/// Whether an action only reads, by its name, and not what is secret.
fn only_reads(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name).to_ascii_lowercase();
    if name.ends_with("secretvalue") || name.starts_with("getparameter") {
        return false;
    }
    let verbs =
        ["get", "list", "describe", "batchget", "search", "view", "query", "lookup", "select", "scan", "adminget", "adminlist", "decrypt"];
    verbs.iter().any(|verb| name.starts_with(verb))
}

/// A list under a key.
pub fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A table under a key.
pub fn table<'a>(json: &'a Json, key: &str) -> Option<&'a Map<String, Json>> {
    json.get(key).and_then(Json::as_object).filter(|table| !table.is_empty())
}

/// A pointer as names alone: what stands for any element is not one.
pub fn plain(pointer: &str) -> String {
    let names = pointer.split('/').filter(|name| !matches!(*name, "" | "*" | "-" | "items" | "properties"));
    names.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Facts;
    use crate::cloud_control::bundle::Bundle;

    #[test]
    fn what_a_plan_takes_of_any_type_changes_nothing_and_reads_no_secret() {
        let bundle = Bundle::get().unwrap();
        let mut reading = BTreeSet::new();
        for entry in bundle.types().values() {
            let facts = Facts::new(entry.aws, bundle.schema(entry).unwrap());
            let own: BTreeSet<String> = facts.reading().into_iter().collect();
            assert!(own.is_disjoint(&facts.changing().into_iter().collect()), "{}", entry.aws);
            reading.extend(own);
        }
        let verbs = ["pass", "put", "create", "update", "delete", "modify", "set", "associate", "tag", "untag", "assume", "encrypt"];
        let wrong = |action: &&String| {
            let name = action.split(':').nth(1).unwrap().to_ascii_lowercase();
            verbs.iter().any(|verb| name.starts_with(verb)) || name.contains("secretvalue")
        };
        assert_eq!(reading.iter().find(wrong), None);
        // What handlers that read name beyond that is needed when one is made.
        let rule = Facts::new("AWS::Events::Rule", bundle.schema(&bundle.types()["awscc_events_rule"]).unwrap());
        assert!(rule.changing().contains(&"iam:PassRole".to_owned()) && rule.reading().contains(&"events:DescribeRule".to_owned()));
    }
}
