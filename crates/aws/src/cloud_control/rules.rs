//! What a schema demands beyond the types of attributes.

use super::at_deletion;
use super::kind::{Kind, lacking};
use super::names::snake;
use super::shape::{Part, Property, Shape};
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;

/// What is wrong with a resource of a type.
pub fn check(kind: &Kind, value: &Value) -> Vec<(Path, String)> {
    let mut problems = Vec::new();
    problems.extend(lacking(&kind.facts).map(|problem| (Path::default(), problem)));
    problems.extend(at_deletion::problems(kind, value));
    part(kind.root(), value, &Path::default(), &mut problems);
    let there = |name: &String| value.get(name).is_some_and(|value| !value.is_null());
    for group in &kind.knowledge.any_of {
        let names: Vec<String> = group.iter().map(|property| snake(property)).collect();
        if !names.iter().any(there) {
            problems.push((Path::default(), format!("one at least of `{}` is needed", names.join("`, `"))));
        }
    }
    problems
}

fn part(of: &Part, value: &Value, path: &Path, problems: &mut Vec<(Path, String)>) {
    let value = value.revealed();
    limits(of, value, path, problems);
    match (&of.shape, value) {
        (Shape::Object(properties), Value::Map(_)) => object(properties, value, path, problems),
        (Shape::Map(item), Value::Map(map)) => {
            map.iter().for_each(|(key, value)| part(item, value, &path.join(Segment::field(key)), problems));
        }
        (Shape::List(item), Value::List(items)) => {
            items.iter().enumerate().for_each(|(index, value)| part(item, value, &path.join(Segment::Index(index)), problems));
        }
        _ => {}
    }
}

fn object(properties: &[Property], value: &Value, path: &Path, problems: &mut Vec<(Path, String)>) {
    for property in properties {
        if let Some(value) = value.get(&property.name) {
            part(&property.part, value, &path.join(Segment::field(&property.name)), problems);
        }
    }
}

/// Whether there is nothing in a value, or it is not known whether there is.
fn is_nothing(value: &Value) -> bool {
    match value.revealed() {
        Value::Null | Value::Unknown => true,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn limits(of: &Part, value: &Value, path: &Path, problems: &mut Vec<(Path, String)>) {
    let limits = &of.limits;
    let mut problem = |text: String| problems.push((path.clone(), text));
    match value {
        Value::String(text) => {
            let length = text.chars().count() as u64;
            if let Some(least) = limits.min_length.filter(|least| length < *least) {
                problem(format!("`{path}` has {length} characters, and AWS asks for {least} at least"));
            }
        }
        Value::List(items) => {
            let length = items.len() as u64;
            if let Some(least) = limits.min_items.filter(|least| length < *least) {
                problem(format!("`{path}` has {length} elements, and AWS asks for {least} at least"));
            }
            if let Some(most) = limits.max_items.filter(|most| length > *most) {
                problem(format!("`{path}` has {length} elements, and AWS allows {most}"));
            }
        }
        Value::Float(_) | Value::Int(_) => {
            let number = value.to_json().ok().and_then(|json| json.as_f64()).unwrap_or_default();
            if let Some(least) = limits.minimum.filter(|least| number < *least) {
                problem(format!("`{path}` is at least {least}"));
            }
            if let Some(most) = limits.maximum.filter(|most| number > *most) {
                problem(format!("`{path}` is at most {most}"));
            }
        }
        Value::Map(map) => {
            let there = |name: &&String| map.get(*name).is_some_and(|value| !value.is_null());
            let within = if path.0.is_empty() { String::new() } else { format!("in `{path}`, ") };
            for group in &limits.one_of {
                match group.iter().filter(there).count() {
                    1 => {}
                    0 => problem(format!("{within}one of `{}` is needed", group.join("`, `"))),
                    _ => problem(format!("{within}only one of `{}` can be there", group.join("`, `"))),
                }
            }
            for group in limits.any_of.iter().filter(|group| !group.iter().any(|name| there(&name))) {
                problem(format!("{within}one at least of `{}` is needed", group.join("`, `")));
            }
            let written = |name: &str| map.get(name).is_some_and(|value| !is_nothing(value));
            for (name, others) in limits.needed.iter().filter(|(name, _)| written(name)) {
                for other in others.iter().filter(|other| !there(other)) {
                    problem(format!("{within}`{name}` needs `{other}` beside it"));
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::value::Value;
    use serde_json::{Value as Json, json};

    fn said(type_name: &str, written: &Json) -> Vec<String> {
        let kind = crate::cloud_control::kind(type_name).unwrap();
        super::check(kind, &Value::from(written)).into_iter().map(|(_, problem)| problem).collect()
    }

    #[test]
    fn what_needs_something_beside_it_is_said_at_any_depth() {
        let group = |policy: Json| said("awscc_autoscaling_auto_scaling_group", &json!({ "instance_maintenance_policy": policy }));
        let lacking: Vec<String> = group(json!({ "max_healthy_percentage": 110 }));
        let needs = "in `instance_maintenance_policy`, `max_healthy_percentage` needs `min_healthy_percentage` beside it";
        assert!(lacking.iter().any(|problem| problem == needs), "{lacking:?}");
        let whole = group(json!({ "max_healthy_percentage": 110, "min_healthy_percentage": 90 }));
        assert!(!whole.iter().any(|problem| problem.contains("beside it")), "{whole:?}");
    }

    #[test]
    fn a_database_is_made_of_an_engine_or_of_another_database() {
        let whole = json!({ "engine": "postgres", "db_instance_class": "db.t4g.micro" });
        assert!(said("awscc_rds_db_instance", &whole).is_empty());
        let lacking = said("awscc_rds_db_instance", &json!({ "allocated_storage": "20", "engine": "postgres" }));
        assert!(lacking.iter().any(|problem| problem.starts_with("one at least of `db_instance_class`, ")), "{lacking:?}");
        assert!(said("awscc_rds_db_cluster", &json!({})).iter().any(|problem| problem.starts_with("one at least of `engine`, ")));
    }

    #[test]
    fn what_a_linter_advises_is_not_demanded() {
        let restored = json!({ "engine": "aurora-postgresql", "snapshot_identifier": "s", "master_user_password": "secret" });
        assert!(said("awscc_rds_db_cluster", &restored).is_empty());
        let replica = json!({ "source_db_instance_identifier": "d", "storage_encrypted": true, "kms_key_id": "k" });
        assert!(said("awscc_rds_db_instance", &replica).is_empty());
    }
}
