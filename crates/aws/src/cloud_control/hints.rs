//! What the schema of a type tells by the names of its properties, of types that nothing else is known of: what protects one
//! from being deleted, and whether there is something in it that a deletion loses.

use std::collections::BTreeMap;

use leoctl_core::model::schema::{Attribute, Type};

use super::facts::Facts;
use super::knowledge::Knowledge;
use super::shape::{Part, Property, Shape};

/// What is lost with a resource whose schema has backups or storage.
const STORED: &str = "what is stored in it, as far as its schema tells";

/// What is said of a change of a property of which AWS takes some changes in place and others not.
pub const MAY_REPLACE: &str = "is tried in place, and AWS may refuse that or replace what is behind it";

/// Adds to what is known of a type what its schema tells, where nothing is known of the same.
pub fn complete(knowledge: &mut Knowledge, facts: &Facts, attributes: &[Attribute], root: &Part) {
    if knowledge.protected_by.is_empty() {
        knowledge.protected_by = protections(attributes, root);
    }
    if knowledge.data_loss.is_none() && facts.properties().any(|(name, _)| stores(name) && !facts.read_only.contains(name)) {
        knowledge.data_loss = Some(STORED.to_owned());
    }
}

/// Whether a property is one of something that data is in.
fn stores(name: &str) -> bool {
    let begins = ["BackupRetention", "SnapshotRetention", "FinalSnapshot", "AutomatedSnapshotRetention", "PointInTimeRecovery"];
    matches!(name, "AllocatedStorage" | "StorageEncrypted")
        || name.ends_with("SnapshotIdentifier")
        || begins.iter().any(|begin| name.starts_with(begin))
}

/// The properties that protect one from being deleted, of the type itself and of its tables: with which value, and with which
/// they do not.
fn protections(attributes: &[Attribute], root: &Part) -> BTreeMap<String, [toml::Value; 2]> {
    let mut found = BTreeMap::new();
    for (attribute, property) in pairs(attributes, root) {
        found.extend(protection(attribute, &property.aws).map(|values| (property.aws.clone(), values)));
        if let Type::Object(inner) = &attribute.ty {
            let inner = pairs(inner, &property.part).filter_map(|(attribute, inner)| Some((inner, protection(attribute, &inner.aws)?)));
            found.extend(inner.map(|(inner, values)| (format!("{}/{}", property.aws, inner.aws), values)));
        }
    }
    found
}

fn pairs<'a>(attributes: &'a [Attribute], part: &'a Part) -> impl Iterator<Item = (&'a Attribute, &'a Property)> {
    let properties: &[Property] = if let Shape::Object(properties) = &part.shape { properties } else { &[] };
    let named = properties.iter().filter_map(|property| Some((attributes.iter().find(|one| one.name == property.name)?, property)));
    named.filter(|(attribute, _)| !attribute.computed)
}

/// The values with which a property protects and does not, where it is one that protects.
fn protection(attribute: &Attribute, name: &str) -> Option<[toml::Value; 2]> {
    let name = name.strip_prefix("Enable").unwrap_or(name);
    let protects = ["DeletionProtect", "TerminationProtect", "DeleteProtect"].iter().any(|begin| name.starts_with(begin));
    match &attribute.ty {
        Type::Bool if protects => Some([true.into(), false.into()]),
        Type::String(rule) if protects => {
            let values = [["ENABLED", "DISABLED"], ["ACTIVE", "INACTIVE"]];
            let same = |pair: &&[&str; 2]| rule.one_of.len() == 2 && pair.iter().all(|value| rule.one_of.iter().any(|one| one == value));
            values.iter().find(same).map(|pair| pair.map(toml::Value::from))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use leoctl_core::model::value::Value;

    #[test]
    fn what_a_schema_tells_of_protection_and_data_is_said_of_types_that_nothing_else_is_known_of() {
        let of = |name: &str| crate::cloud_control::read(name).unwrap().1.clone();
        for (name, protecting, off) in [
            ("awscc_eks_cluster", json!({ "deletion_protection": true }), "deletion_protection = false"),
            ("awscc_dsql_cluster", json!({ "deletion_protection_enabled": true }), "deletion_protection_enabled = false"),
            ("awscc_emr_cluster", json!({ "instances": { "termination_protected": true } }), "instances.termination_protected = false"),
            ("awscc_opensearchserverless_collection", json!({ "deletion_protection": "ENABLED" }), "deletion_protection = \"DISABLED\""),
        ] {
            assert_eq!((of(name).protected)(&Value::from(protecting)), Some(off), "{name}");
            assert_eq!((of(name).protected)(&Value::from(json!({}))), None, "{name}");
        }
        // It protects the instances of another resource.
        let scaling = json!({ "auto_scaling_group_provider": { "managed_termination_protection": "ENABLED" } });
        assert_eq!((of("awscc_ecs_capacity_provider").protected)(&Value::from(scaling)), None);
        for (name, loses) in [("awscc_docdb_db_cluster", true), ("awscc_redshift_cluster", true), ("awscc_sns_topic_policy", false)] {
            assert_eq!(of(name).data_loss.is_some(), loses, "{name}");
        }
        assert!(of("awscc_rds_db_instance").data_loss.is_some_and(|loss| loss.contains("but for a final snapshot")));
        assert!(of("awscc_rds_db_cluster").data_loss.is_some_and(|loss| loss.ends_with("without a final snapshot")));
    }

    #[test]
    fn what_may_take_a_replacement_is_said_when_it_changes() {
        let (_, schema) = crate::cloud_control::read("awscc_lambda_function").unwrap();
        let said = schema.interrupts.iter().find(|(path, _)| *path == "durable_config");
        assert_eq!(said.map(|(_, how)| *how), Some(super::MAY_REPLACE));
    }

    #[test]
    fn what_is_known_of_a_change_is_said_instead() {
        let of = |name: &str, property: &str| {
            let (_, schema) = crate::cloud_control::read(name).unwrap();
            schema.interrupts.iter().filter(|(path, _)| *path == property).map(|(_, how)| *how).collect::<Vec<_>>()
        };
        let database = "awscc_rds_db_instance";
        assert_eq!(of(database, "backup_retention_period"), ["restarts it where it is 0 before or after"]);
        assert!(of(database, "multi_az").is_empty() && of(database, "auto_minor_version_upgrade").is_empty());
        assert_eq!(of(database, "preferred_maintenance_window").len(), 1);
        assert_eq!(of(database, "source_db_instance_identifier"), [super::MAY_REPLACE]);
        assert_eq!(of("awscc_eks_cluster", "version"), ["upgrades its control plane, which cannot be undone"]);
    }
}
