//! What a change of a resource sends: what differs, and what AWS never returns.

use serde_json::{Map, Value as Json};

use super::at_deletion;
use super::kind::Kind;
use super::model::patch;
use super::shape::{Part, Property, Shape};
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;

/// What is said again although AWS decides whether it changes in place: a new version of a document has the attachments that its
/// request names (Systems Manager API Reference, UpdateDocument).
const SAID_AGAIN: &[(&str, &str)] = &[("AWS::SSM::Document", "Attachments")];

/// The JSON Patch from one to the other. Cloud Control patches what it reads: what it never returns is absent there, and would be
/// taken away by a change that does not say it again (Cloud Control API User Guide, "Updating a resource"). What stands in a list
/// is said again with all of the list, as a patch says a list whole.
pub fn changes(kind: &Kind, from: &Value, to: &Value) -> Vec<Json> {
    let (mut from, mut to) = (kind.model(from), kind.model(to));
    if from == to {
        return Vec::new();
    }
    for path in &kind.facts.write_only {
        let names: Vec<&str> = path.split('/').collect();
        // What only a creation takes is not said again. Nor is what AWS may change in place, unless it changes: beside a model in
        // which there is nothing of it, AWS takes it for a change, and refuses it as one that needs a replacement.
        let is_kept =
            kind.facts.conditional.contains(path) && !SAID_AGAIN.contains(&(kind.facts.aws, path.as_str())) && is_same(&from, &to, &names);
        take(&mut from, &names);
        if is_kept || kind.facts.create_only.contains(path) {
            take(&mut to, &names);
        }
    }
    patch(&from, &to)
}

/// Whether two models have the same at a path.
fn is_same(from: &Map<String, Json>, to: &Map<String, Json>, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let at = |model: &Map<String, Json>| rest.iter().try_fold(model.get(*first)?.clone(), |value, name| value.get(name).cloned());
    at(from).is_some() && at(from) == at(to)
}

/// What is not written any more without AWS hearing of it: it never returns this, so that a patch cannot take it away.
pub fn unheard(kind: &Kind, before: &Value, after: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    if let Shape::Object(properties) = &kind.root().shape {
        Unheard { kind, found: &mut found }.table(properties, before, after, ("", &Path::default()));
    }
    found
}

struct Unheard<'a> {
    kind: &'a Kind,
    found: &'a mut Vec<Path>,
}

impl Unheard<'_> {
    /// Goes through a table that there is before and after, at a path of AWS's and of ours.
    fn table(&mut self, properties: &[Property], before: &Value, after: &Value, (at, path): (&str, &Path)) {
        // What is said again of a table of which AWS returns nothing tells it what is not there any more.
        let is_said = |one: &Property| there(after, one).is_some() && self.kind.facts.write_only.contains(&joined(at, one));
        let is_heard = !at.is_empty() && properties.iter().any(is_said);
        for property in properties.iter().filter(|property| !property.computed) {
            let aws = joined(at, property);
            let path = path.join(Segment::field(&property.name));
            match (there(before, property), there(after, property)) {
                (Some(gone), None) if !is_heard && self.is_missed(&property.part, gone, &aws) => self.found.push(path),
                (Some(before), Some(after)) => self.inside(&property.part, before, after, (&aws, &path)),
                _ => {}
            }
        }
    }

    fn inside(&mut self, part: &Part, before: &Value, after: &Value, (at, path): (&str, &Path)) {
        match (&part.shape, before, after) {
            (Shape::Object(properties), Value::Map(_), Value::Map(_)) => self.table(properties, before, after, (at, path)),
            // Where elements come or go, AWS hears of all of the list.
            (Shape::List(item), Value::List(before), Value::List(after)) if before.len() == after.len() => {
                for (index, (before, after)) in before.iter().zip(after).enumerate() {
                    self.inside(item, before.revealed(), after.revealed(), (at, &path.join(Segment::Index(index))));
                }
            }
            _ => {}
        }
    }

    /// Whether AWS returns nothing of a value, and there is something that it would have to hear of.
    fn is_missed(&self, part: &Part, value: &Value, at: &str) -> bool {
        self.is_hidden(part, value, at) && !at_deletion::is_only_for_it(self.kind.facts.aws, at)
    }

    /// Whether AWS returns nothing of a value.
    fn is_hidden(&self, part: &Part, value: &Value, at: &str) -> bool {
        if self.kind.facts.write_only.contains(at) {
            return true;
        }
        match (&part.shape, value) {
            (Shape::Object(properties), Value::Map(_)) => {
                let mut written = properties.iter().filter_map(|one| Some((one, there(value, one)?))).peekable();
                written.peek().is_some() && written.all(|(one, value)| self.is_hidden(&one.part, value, &joined(at, one)))
            }
            (Shape::List(item), Value::List(items)) => {
                !items.is_empty() && items.iter().all(|value| self.is_hidden(item, value.revealed(), at))
            }
            _ => false,
        }
    }
}

fn joined(at: &str, property: &Property) -> String {
    if at.is_empty() { property.aws.clone() } else { format!("{at}/{}", property.aws) }
}

/// What is written of a property.
fn there<'v>(value: &'v Value, property: &Property) -> Option<&'v Value> {
    value.get(&property.name).map(Value::revealed).filter(|value| !value.is_null())
}

/// Takes away what is at a path, in every element of the lists on its way, and the tables and lists in which nothing else is.
fn take(model: &mut Map<String, Json>, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    let emptied = match model.get_mut(*first) {
        Some(_) if rest.is_empty() => true,
        Some(Json::Object(inner)) => {
            let was_empty = inner.is_empty();
            take(inner, rest);
            inner.is_empty() && !was_empty
        }
        Some(Json::Array(items)) => {
            let is_empty = |items: &[Json]| items.iter().all(|item| item.as_object().is_some_and(Map::is_empty));
            let was_empty = is_empty(items);
            items.iter_mut().filter_map(Json::as_object_mut).for_each(|item| take(item, rest));
            is_empty(items) && !was_empty
        }
        _ => false,
    };
    if emptied {
        model.remove(*first);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{changes, unheard};
    use crate::cloud_control;
    use crate::cloud_control::facts::Facts;
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

    #[test]
    fn what_stands_in_lists_is_said_again_with_them_and_no_list_without_anything_hidden() {
        let of = |name: &str, key: &str, tunnels: Json| json!({ "customer_gateway_id": name, "vpn_tunnel_options_specifications": tunnels, "type": key });
        let tunnels = json!([{ "pre_shared_key": "abcdefgh", "tunnel_inside_cidr": "169.254.6.0/30" }]);
        let connection = "awscc_ec2_vpn_connection";
        let found = sent(connection, of("cgw-1", "ipsec.1", tunnels.clone()), of("cgw-2", "ipsec.1", tunnels.clone()));
        assert!(found.iter().any(|change| change.starts_with("replace /CustomerGatewayId")), "{found:?}");
        assert!(sent(connection, of("cgw-1", "ipsec.1", tunnels.clone()), of("cgw-1", "ipsec.1", tunnels)).is_empty());
    }

    #[test]
    fn what_a_restored_database_began_with_is_said_only_when_it_changes() {
        let of = |days: i64, snapshot: &str| json!({ "backup_retention_period": days, "db_snapshot_identifier": snapshot, "source_dbi_resource_id": "db-1" });
        let database = "awscc_rds_db_instance";
        assert_eq!(sent(database, of(7, "a"), of(14, "a")), ["replace /BackupRetentionPeriod 14"]);
        assert_eq!(sent(database, of(7, "a"), of(7, "b")), [r#"add /DBSnapshotIdentifier "b""#]);
        let group = |nodes: &str, token: &str| json!({ "cache_node_type": nodes, "auth_token": token });
        let found = sent("awscc_elasticache_replication_group", group("a", "token"), group("b", "token"));
        assert_eq!(found, [r#"replace /CacheNodeType "b""#]);
        let document = |content: &str| json!({ "content": content, "attachments": [{ "key": "SourceUrl", "values": ["s3://b"] }] });
        let found = sent("awscc_ssm_document", document("{}"), document("{ }"));
        assert!(found.iter().any(|change| change.starts_with("add /Attachments")), "{found:?}");
    }

    /// Where AWS returns nothing of what changes only in place at times, each type is one of which this was looked at.
    #[test]
    fn the_types_whose_hidden_properties_may_take_a_replacement_are_known() {
        let bundle = crate::cloud_control::bundle::Bundle::get().unwrap();
        let facts = bundle.types().values().map(|entry| Facts::new(entry.aws, bundle.schema(entry).unwrap()));
        let hidden = facts.filter(|facts| !facts.write_only.is_disjoint(&facts.conditional)).map(|facts| facts.aws);
        let known = [
            "AWS::DynamoDB::GlobalTable",
            "AWS::EC2::Instance",
            "AWS::ElastiCache::ReplicationGroup",
            "AWS::ImageBuilder::Image",
            "AWS::RDS::DBInstance",
            "AWS::RTBFabric::Link",
            "AWS::SNS::Subscription",
            "AWS::SSM::Document",
        ];
        assert_eq!(hidden.collect::<Vec<_>>(), known);
    }

    #[test]
    fn what_a_patch_cannot_take_away_is_known() {
        let gone = |type_name: &str, before: Json, after: Json| {
            let found = unheard(cloud_control::kind(type_name).unwrap(), &Value::from(before), &Value::from(after));
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let database = "awscc_rds_db_instance";
        let of = |source: Json, class: &str| json!({ "source_db_instance_identifier": source, "db_instance_class": class });
        assert_eq!(gone(database, of(json!("main"), "a"), of(Json::Null, "b")), ["source_db_instance_identifier"]);
        assert!(gone(database, of(json!("main"), "a"), of(json!("other"), "a")).is_empty());
        // What AWS returns it hears of, and what only a deletion reads nobody needs to hear of.
        assert!(gone(database, json!({ "multi_az": true, "delete_automated_backups": false }), json!({})).is_empty());
        // A table of which AWS returns nothing, and one thing in the place of another.
        let options = |options: Json| json!({ "advanced_security_options": { "enabled": true, "master_user_options": options } });
        let found = gone("awscc_opensearchservice_domain", options(json!({ "master_user_name": "a" })), options(Json::Null));
        assert_eq!(found, ["advanced_security_options.master_user_options"]);
        let code = |code: Json| json!({ "code": code });
        let function = "awscc_lambda_function";
        assert!(gone(function, code(json!({ "s3_bucket": "b", "s3_key": "k" })), code(json!({ "image_uri": "i" }))).is_empty());
        let versioned = json!({ "s3_bucket": "b", "s3_key": "k", "s3_object_version": "1" });
        assert!(gone(function, code(versioned), code(json!({ "s3_bucket": "b", "s3_key": "k" }))).is_empty());
    }

    #[test]
    fn what_is_taken_away_leaves_and_one_table_takes_the_place_of_another() {
        let acl = |action: Json| json!({ "default_action": action, "description": "d" });
        let (allow, block) = (json!({ "allow": {} }), json!({ "block": {} }));
        let found = sent("awscc_wafv2_web_acl", acl(allow), acl(block));
        assert_eq!(found, ["add /DefaultAction/Block {}", "remove /DefaultAction/Allow null"]);
    }
}
