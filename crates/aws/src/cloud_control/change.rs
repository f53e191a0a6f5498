//! What a change of a resource sends: what differs, and what AWS never returns.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::model::patch;
use leoctl_core::model::value::Value;

/// The JSON Patch from one to the other. Cloud Control patches what it reads: what it never returns is absent there, and would be
/// taken away by a change that does not say it again (Cloud Control API User Guide, "Updating a resource"). What stands in lists
/// is said again with its list alone.
pub fn changes(kind: &Kind, from: &Value, to: &Value) -> Vec<Json> {
    let (from, to) = (kind.model(from), kind.model(to));
    let mut changes = patch(&from, &to);
    if changes.is_empty() {
        return changes;
    }
    // What stands in a table of which AWS returns nothing is set with the whole table.
    let mut wanted: BTreeMap<String, Json> = BTreeMap::new();
    for (path, value) in hidden(kind, &to) {
        let table = path.rsplit_once('/').filter(|(parent, _)| !is_returned(kind, &from, parent));
        let (path, value) = match table.and_then(|(parent, _)| Some((parent.to_owned(), within(&to, parent)?.clone()))) {
            Some(table) => table,
            None => (path, value),
        };
        wanted.insert(format!("/{path}"), value);
    }
    for (pointer, value) in wanted {
        let at = |change: &Json| change.get("path").and_then(Json::as_str).unwrap_or_default().to_owned();
        if changes.iter().any(|change| leads(&at(change), &pointer) && at(change) != pointer) {
            // It is part of what is set whole.
            continue;
        }
        changes.retain(|change| !leads(&pointer, &at(change)));
        changes.push(json!({ "op": "add", "path": pointer, "value": value }));
    }
    changes
}

/// What AWS takes and never returns, of a model; what only a creation takes is not said again.
fn hidden(kind: &Kind, model: &Map<String, Json>) -> Vec<(String, Json)> {
    let sent = kind.facts.write_only.iter().filter(|path| !kind.facts.create_only.contains(*path));
    sent.filter_map(|path| Some((path.clone(), within(model, path)?.clone()))).collect()
}

fn within<'a>(model: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    rest.split('/').filter(|name| !name.is_empty()).try_fold(model.get(first)?, |at, name| at.get(name))
}

/// Whether AWS returns a table: whether anything is in it that it returns.
fn is_returned(kind: &Kind, model: &Map<String, Json>, path: &str) -> bool {
    let table = within(model, path).and_then(Json::as_object);
    table.is_some_and(|table| table.keys().any(|name| !kind.facts.write_only.contains(&format!("{path}/{name}"))))
}

/// Whether a pointer is another one, or that leads into it.
fn leads(pointer: &str, to: &str) -> bool {
    to.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::changes;
    use crate::cloud_control;
    use leoctl_core::model::value::Value;

    fn sent(type_name: &str, from: Json, to: Json) -> Vec<String> {
        let changes = changes(cloud_control::kind(type_name).unwrap(), &Value::from(from), &Value::from(to));
        let mut sent: Vec<String> = changes
            .iter()
            .map(|change| format!("{} {} {}", change["op"].as_str().unwrap(), change["path"].as_str().unwrap(), change["value"]))
            .collect();
        sent.sort();
        sent
    }

    #[test]
    fn what_aws_never_returns_is_said_with_every_change_and_nothing_without_one() {
        let of = |days: i64, password: &str| json!({ "backup_retention_period": days, "master_user_password": password });
        let database = "awscc_rds_db_instance";
        assert!(sent(database, of(1, "a"), of(1, "a")).is_empty());
        assert_eq!(sent(database, of(1, "a"), of(2, "a")), [r#"add /MasterUserPassword "a""#, "replace /BackupRetentionPeriod 2"]);
        assert_eq!(sent(database, of(1, "a"), of(1, "b")), [r#"add /MasterUserPassword "b""#]);
    }

    #[test]
    fn inside_of_a_table_it_is_said_where_the_table_is_returned_and_else_with_all_of_it() {
        // `Code` of a function is never returned but for one of its properties.
        let of = |memory: i64, code: Json| json!({ "memory_size": memory, "code": code });
        let zip = || json!({ "zip_file": "x" });
        let found = sent("awscc_lambda_function", of(128, zip()), of(256, zip()));
        assert_eq!(found, [r#"add /Code {"ZipFile":"x"}"#, "replace /MemorySize 256"]);
        let object = |key: &str| json!({ "s3_bucket": "b", "s3_key": key });
        let found = sent("awscc_lambda_function", of(128, object("1")), of(128, object("2")));
        assert_eq!(found, [r#"add /Code {"S3Bucket":"b","S3Key":"2"}"#]);
    }
}
