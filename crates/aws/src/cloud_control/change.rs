//! What a change of a resource sends: what differs, and what AWS never returns.

use serde_json::{Map, Value as Json};

use super::kind::Kind;
use super::model::patch;
use leoctl_core::model::value::Value;

/// The JSON Patch from one to the other. Cloud Control patches what it reads: what it never returns is absent there, and would be
/// taken away by a change that does not say it again (Cloud Control API User Guide, "Updating a resource"). What stands in a list
/// is said again with all of the list, as a patch says a list whole.
pub fn changes(kind: &Kind, from: &Value, to: &Value) -> Vec<Json> {
    let (mut from, mut to) = (kind.model(from), kind.model(to));
    if from == to {
        return Vec::new();
    }
    for path in &kind.facts.write_only {
        let path: Vec<&str> = path.split('/').collect();
        take(&mut from, &path);
        // What only a creation takes is not said again.
        if kind.facts.create_only.contains(&path.join("/")) {
            take(&mut to, &path);
        }
    }
    patch(&from, &to)
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
    fn what_is_taken_away_leaves_and_one_table_takes_the_place_of_another() {
        let acl = |action: Json| json!({ "default_action": action, "description": "d" });
        let (allow, block) = (json!({ "allow": {} }), json!({ "block": {} }));
        let found = sent("awscc_wafv2_web_acl", acl(allow), acl(block));
        assert_eq!(found, ["add /DefaultAction/Block {}", "remove /DefaultAction/Allow null"]);
    }
}
