//! Policy documents from what is allowed: short, in a stable order, and none longer than IAM takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{Allowed, Condition};

/// How many characters a managed policy may have, white space aside (IAM User Guide, "IAM and AWS STS quotas").
pub const LIMIT: usize = 6144;

/// Actions that are allowed on the same resources under the same conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// What is denied, whatever else allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The actions, on everything.
    pub actions: &'static [&'static str],
    /// When, as a policy says it.
    pub condition: Json,
}

impl Denied {
    fn to_json(&self) -> Json {
        json!({ "Effect": "Deny", "Action": self.actions, "Resource": "*", "Condition": self.condition })
    }
}

impl Statement {
    fn to_json(&self) -> Json {
        let mut json = json!({ "Effect": "Allow", "Action": self.actions, "Resource": self.resources });
        if let (false, Some(object)) = (self.conditions.is_empty(), json.as_object_mut()) {
            let all: BTreeMap<&str, &str> = self.conditions.iter().map(|Condition { key, value }| (*key, value.as_str())).collect();
            object.insert("Condition".to_owned(), json!({ "StringEquals": all }));
        }
        json
    }

    /// Two statements that say the same; none of one action on one resource.
    fn halves(&self) -> Option<[Self; 2]> {
        let half = |list: &[String]| (list.len() > 1).then(|| list.split_at(list.len() / 2)).map(|(a, b)| (a.to_vec(), b.to_vec()));
        if let Some((first, second)) = half(&self.resources) {
            return Some([first, second].map(|resources| Self { resources, ..self.clone() }));
        }
        let (first, second) = half(&self.actions)?;
        Some([first, second].map(|actions| Self { actions, ..self.clone() }))
    }
}

/// The documents that allow all this, and deny the rest.
pub fn documents(allowed: &Allowed, denied: Option<&Denied>) -> Vec<Json> {
    let allowed = statements(allowed).into_iter().flat_map(within_limit);
    let mut documents: Vec<Vec<Json>> = Vec::new();
    for statement in allowed.map(|statement| statement.to_json()).chain(denied.map(Denied::to_json)) {
        if let Some(last) = documents.last_mut() {
            last.push(statement.clone());
            if size(last) <= LIMIT {
                continue;
            }
            last.pop();
        }
        documents.push(vec![statement]);
    }
    documents.iter().map(|statements| document(statements)).collect()
}

fn document(statements: &[Json]) -> Json {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn size(statements: &[Json]) -> usize {
    document(statements).to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// The statements, in the order of their actions.
fn statements(allowed: &Allowed) -> Vec<Statement> {
    let mut grouped: BTreeMap<(Vec<String>, Vec<Condition>), Vec<String>> = BTreeMap::new();
    for ((action, conditions), resources) in allowed {
        grouped.entry((needed(resources), conditions.clone())).or_default().push(action.clone());
    }
    let statements = grouped.into_iter().map(|((resources, conditions), actions)| Statement { actions, resources, conditions });
    let mut statements: Vec<Statement> = statements.collect();
    statements.sort();
    statements
}

fn within_limit(statement: Statement) -> Vec<Statement> {
    match statement.halves() {
        Some(halves) if size(&[statement.to_json()]) > LIMIT => halves.into_iter().flat_map(within_limit).collect(),
        _ => vec![statement],
    }
}

/// The resources without those that others stand for.
fn needed(resources: &BTreeSet<String>) -> Vec<String> {
    let spare = |one: &String| resources.iter().any(|other| other != one && covers(other, one));
    resources.iter().filter(|one| !spare(one)).cloned().collect()
}

/// Whether a pattern stands for everything another one does. `*` alone is looked at; `?` has to stand in both, and what
/// stands for itself ([`super::arn::literal`]), too.
fn covers(pattern: &str, text: &str) -> bool {
    let literal = ["${*}", "${?}", "${$}"].into_iter().filter_map(|literal| Some((pattern.find(literal)?, literal))).min();
    if let Some((at, literal)) = literal
        && pattern.find('*').is_none_or(|star| star > at)
        && let Some((start, rest)) = pattern.split_at_checked(at + literal.len())
    {
        return text.strip_prefix(start).is_some_and(|text| covers(rest, text));
    }
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let ends = |text: &str| (0..=text.len()).filter_map(|at| text.get(at..)).any(|end| covers(rest, end));
    text.strip_prefix(start).is_some_and(|text| rest.is_empty() || ends(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[(&str, &[&str])]) -> Allowed {
        let one = |(action, resources): &(&str, &[&str])| {
            (((*action).to_owned(), Vec::new()), resources.iter().map(|resource| (*resource).to_owned()).collect())
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn what_is_allowed_on_the_same_is_one_statement_and_a_pattern_stands_for_what_it_covers() {
        let allowed = allowed(&[
            ("a:Read", &["arn:1", "arn:2"]),
            ("a:Write", &["arn:1", "arn:2"]),
            ("b:List", &["*", "arn:1"]),
            ("c:Get", &["arn:x/*", "arn:x/1", "arn:x/*/y", "arn:y"]),
        ]);
        let expected = json!([{ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["a:Read", "a:Write"], "Resource": ["arn:1", "arn:2"] },
            { "Effect": "Allow", "Action": ["b:List"], "Resource": ["*"] },
            { "Effect": "Allow", "Action": ["c:Get"], "Resource": ["arn:x/*", "arn:y"] },
        ] }]);
        assert_eq!(json!(documents(&allowed, None)), expected);
    }

    #[test]
    fn no_document_is_longer_than_iam_takes_and_together_they_allow_the_same() {
        let resources: BTreeSet<String> =
            (0..400).map(|n| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{n:03}-??????")).collect();
        let allowed = Allowed::from([(("secretsmanager:DescribeSecret".to_owned(), Vec::new()), resources.clone())]);
        let documents = documents(&allowed, None);
        assert!(documents.len() > 1);
        let mut again = BTreeSet::new();
        for document in &documents {
            assert!(document.to_string().len() <= LIMIT);
            for statement in document["Statement"].as_array().unwrap() {
                assert_eq!(statement["Action"], json!(["secretsmanager:DescribeSecret"]));
                again.extend(statement["Resource"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()));
            }
        }
        assert_eq!(again, resources);
    }

    #[test]
    fn a_pattern_covers_what_it_matches() {
        for (pattern, text, covered) in [
            ("*", "arn:a", true),
            ("arn:*:b", "arn:a:b", true),
            ("arn:*:b", "arn:*:*:b", true),
            ("arn:*:b", "arn:a:c", false),
            ("arn:a", "arn:a", true),
            ("arn:a/*", "arn:a/*", true),
            ("arn:a/b*", "arn:a/*", false),
            ("arn:${*}", "arn:x", false),
            ("arn:${*}", "arn:${*}", true),
            ("arn:*/${*}", "arn:a/${*}", true),
            ("arn:${*}/*", "arn:${*}/a", true),
            ("arn:${*}/*", "arn:b/a", false),
        ] {
            assert_eq!(covers(pattern, text), covered, "{pattern} {text}");
        }
    }
}
