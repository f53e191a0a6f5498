//! What people write who know other tools, and what is written here.

pub mod attributes;

use self::attributes::habit;
use super::diagnostic::{nearest, suggestion};
use crate::model::schema::Type;
use crate::model::value::Value;

/// CPU units of one virtual CPU, as ECS counts them.
const UNITS: f64 = 1024.0;

/// What other tools have beside attributes, and what is written here.
const META: [(&str, &str); 6] = [
    ("count", "several of a kind are made with `for_each`, one or none with `when`"),
    ("create_before_destroy", "write `lifecycle = { create_before_destroy = true }`"),
    ("deletion_policy", "write `lifecycle = { deletion_policy = \"retain\" }`"),
    ("ignore_changes", "write `lifecycle = { ignore_changes = [\"…\"] }`"),
    ("prevent_destroy", "write `lifecycle = { prevent_destroy = true }`"),
    ("provider", "what is in another account says `account`, what is in another region `region`"),
];

/// What other tools have types for, and what is written here.
const TYPES: &[(&str, &str)] = &[
    ("alb", "a load balancer of any type is `lb`"),
    ("elb", "classic load balancers are not made here: write `lb`"),
    ("cloudwatch_event_rule", "write `awscc_events_rule`"),
    ("event_rule", "write `awscc_events_rule`"),
    ("elasticache_cluster", "write `awscc_elasticache_cache_cluster`"),
    ("iam_policy_attachment", "`managed_policy_arns` of `iam_role` has the policies of a role"),
    ("iam_role_policy", "`inline_policies` of `iam_role` has the policies of its own"),
    ("iam_role_policy_attachment", "`managed_policy_arns` of `iam_role` has the policies of a role"),
    ("lb_listener_certificate", "`certificates` of `lb_listener` has them all"),
    ("main_route_table_association", "`default_route_table` is the main route table of a VPC"),
    ("rds_cluster", "write `awscc_rds_db_cluster`"),
    ("rds_instance", "write `awscc_rds_db_instance`"),
    ("route", "`routes` of `route_table` has its routes"),
    ("route_table_association", "`subnet_ids` of `route_table` says which subnets use it"),
    ("s3_bucket_acl", "buckets have no access lists any more: `policy` of `s3_bucket` says who may do what"),
    ("s3_bucket_lifecycle_configuration", "`lifecycle_rules` of `s3_bucket` has them"),
    ("s3_bucket_policy", "`policy` of `s3_bucket` is its policy"),
    ("s3_bucket_public_access_block", "`public_access_block` of `s3_bucket` says what is kept from being public"),
    ("s3_bucket_server_side_encryption_configuration", "`encryption` of `s3_bucket` says how it is encrypted"),
    ("s3_bucket_versioning", "`versioning` of `s3_bucket` is \"Enabled\" or \"Suspended\""),
    ("secretsmanager_secret_version", "`leoctl secrets set` puts values in, which are in no file"),
    ("security_group_egress_rule", "`egress` of `security_group` has the rules, `security_group_rule` one that stands by itself"),
    ("security_group_ingress_rule", "`ingress` of `security_group` has the rules, `security_group_rule` one that stands by itself"),
    ("vpc_security_group_egress_rule", "`egress` of `security_group` has the rules, `security_group_rule` one that stands by itself"),
    ("vpc_security_group_ingress_rule", "`ingress` of `security_group` has the rules, `security_group_rule` one that stands by itself"),
];

/// What other tools have data sources for, and what is written here.
const DATA_SOURCES: &[(&str, &str)] = &[
    ("iam_policy_document", "a policy is written as a table where it is wanted: it becomes JSON by itself"),
    ("partition", "write `stack.partition`"),
    ("region", "write `stack.region`"),
];

/// What other tools have sections for, and what is written here.
const SECTIONS: &[(&str, &str)] = &[
    ("backend", "where the state is kept stands under `[stack.backend.s3]`"),
    ("import", "write `[[import]]` with two brackets"),
    ("lifecycle", "it stands inside of a resource: `[resource.TYPE.NAME.lifecycle]`"),
    ("output", "write `[outputs]`, and under it `NAME = …`"),
    ("provider", "there are no providers: `[stack] region` says where, `[accounts.NAME]` who"),
    ("terraform", "there is nothing to require: `[stack]` has the name, the region and the backend"),
    ("variable", "write `[vars.NAME]`"),
    ("variables", "write `[vars.NAME]`"),
    ("Parameters", "write `[vars.NAME]`"),
    ("Resources", "write `[resource.TYPE.NAME]`"),
    ("Outputs", "write `[outputs]`, and under it `NAME = …`"),
    ("Conditions", "write `[locals]`, and `when = \"${locals.NAME}\"` in the resource"),
];

/// What names other tools have for what is known while a stack is read, and what is written here.
const ROOTS: &[(&str, &str)] = &[
    ("True", "write `true`"),
    ("TRUE", "write `true`"),
    ("False", "write `false`"),
    ("FALSE", "write `false`"),
    ("None", "write `null`"),
    ("NULL", "write `null`"),
    ("nil", "write `null`"),
    ("undefined", "write `null`"),
    ("AWS", "write `stack.region`, `stack.account_id` or `stack.partition`"),
    ("aws_region", "write `stack.region`"),
    ("count", "write `each.index` or `each.key` in a resource with `for_each`"),
    ("path", "paths are relative to the file that says them: `file('policy.json')`"),
    ("self", "a resource is named by its type and name: `vpc.main.id`"),
    ("terraform", "an environment is a stack file of its own: `stack.name`, or a variable"),
];

/// What is written here for a type of other tools.
pub fn type_name(given: &str) -> Option<&'static str> {
    let name = given.strip_prefix("aws_").unwrap_or(given);
    TYPES.iter().find(|(of_others, _)| *of_others == name).map(|(_, here)| *here)
}

/// A type as it is called here where all that differs is the prefix of another tool.
pub fn without_prefix<'a>(given: &'a str, known: &[&str]) -> &'a str {
    given.strip_prefix("aws_").filter(|name| known.contains(name)).unwrap_or(given)
}

/// What is written here for a data source of other tools.
pub fn data_source(given: &str) -> Option<&'static str> {
    let name = given.strip_prefix("aws_").unwrap_or(given);
    DATA_SOURCES.iter().find(|(of_others, _)| *of_others == name).map(|(_, here)| *here)
}

/// The type with all words of one that does not exist, in their order: `task_definition` is an `ecs_task_definition`, `VPC` a `vpc`.
pub fn in_other_words<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.rsplit("::").next().unwrap_or(given).to_ascii_lowercase();
    let has_all = |name: &&str| {
        let mut words = name.split('_');
        given.split('_').all(|wanted| words.any(|word| word == wanted))
    };
    let is_narrow = given.contains('_') || known.contains(&given.as_str());
    known.iter().copied().filter(|_| is_narrow).filter(has_all).min_by_key(|name| name.len())
}

/// What is written here for a section of other tools.
pub fn section(given: &str) -> Option<&'static str> {
    SECTIONS.iter().find(|(of_others, _)| *of_others == given).map(|(_, here)| *here)
}

/// What is written here for what begins so in expressions of other tools.
pub fn root(given: &str) -> Option<&'static str> {
    ROOTS.iter().find(|(of_others, _)| *of_others == given).map(|(_, here)| *here)
}

/// Advice on a text where a number is wanted.
pub fn of_number(ty: &Type, given: &Value) -> Option<String> {
    let (Type::Int { .. } | Type::Float, Value::String(text)) = (ty, given) else { return None };
    let text = text.trim();
    if text.parse::<f64>().is_ok() {
        return Some(format!("write `{text}`, without quotes"));
    }
    let upper = text.to_ascii_uppercase();
    let size = upper.strip_suffix("GIB").or_else(|| upper.strip_suffix("GB"))?.trim_end().parse::<u32>().ok()?;
    Some(format!("write `{}` where MiB are counted, `{size}` where GiB are", u64::from(size) * 1024))
}

/// Whether it is a key of other tools', and none of this one's that is misspelled.
pub fn is_of_others(key: &str) -> bool {
    META.iter().any(|(of_others, _)| *of_others == key)
}

/// Advice on an attribute that a type, or a table inside it, does not have.
pub fn meant<'a>(type_name: &str, given: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    if let Some((_, advice)) = META.iter().find(|(of_others, _)| *of_others == given) {
        return vec![(*advice).to_owned()];
    }
    if let Some(habit) = habit(type_name, given, attributes.clone()) {
        return vec![match (habit.here, habit.how) {
            ("", how) => how.to_owned(),
            (here, "") => format!("write `{here}`"),
            (here, how) if how.starts_with("write ") || how.contains(&format!("`{here}")) => how.to_owned(),
            (here, how) => format!("write `{here}`; {how}"),
        }];
    }
    match name(type_name, given, attributes.clone()) {
        Some(name) => vec![format!("did you mean `{name}`?")],
        None => suggestion(&in_snake_case(given), attributes).into_iter().collect(),
    }
}

/// The attribute that is probably meant by one that does not exist.
pub fn name<'a>(type_name: &str, given: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if is_of_others(given) {
        return None;
    }
    if let Some(habit) = habit(type_name, given, attributes.clone()) {
        return attributes.clone().find(|name| *name == habit.here);
    }
    let snake = in_snake_case(given);
    // `bucketName` may be `bucket_name` or `bucket`.
    let same = |name: &&str| *name == snake || snake.strip_prefix(*name).is_some_and(|rest| rest.starts_with('_'));
    let of_another_form = attributes.clone().filter(same).max_by_key(|name| name.len()).filter(|_| snake != given);
    of_another_form.or_else(|| nearest(&snake, attributes))
}

/// The attribute that is only called otherwise than the one that does not exist.
pub fn renamed<'a>(type_name: &str, given: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let is_more = habit(type_name, given, attributes.clone()).is_some_and(|habit| !habit.how.is_empty());
    name(type_name, given, attributes).filter(|_| !is_more)
}

/// `bucketName` as `bucket_name`.
fn in_snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Advice on a number of virtual CPUs where units of CPU are wanted.
pub fn of_cpu(ty: &Type, given: &Value) -> Option<String> {
    let (Type::Int { .. }, Value::String(text)) = (ty, given) else { return None };
    let number = text.to_ascii_lowercase().strip_suffix("vcpu")?.trim_end().parse::<f64>().ok()?;
    Some(format!("write `{}`: 1024 units are one virtual CPU", number * UNITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_of_other_tools_are_met_with_what_is_written_here() {
        let meant = |given: &str| {
            meant("s3_bucket", given, ["bucket", "versioning", "desired_count", "empty_on_delete", "policy"].into_iter()).concat()
        };
        assert_eq!(meant("force_destroy"), "write `empty_on_delete`");
        assert!(meant("acl").contains("no access lists any more"));
        assert_eq!(name("sns_topic", "force_destroy", ["empty_on_delete"].into_iter()), None);
        assert!(meant("count").contains("`for_each`"));
        assert!(meant("provider").contains("`account`"));
        assert!(meant("prevent_destroy").contains("`lifecycle = { prevent_destroy = true }`"));
        assert_eq!(meant("bucketName"), "did you mean `bucket`?");
        assert_eq!(meant("desiredCount"), "did you mean `desired_count`?");
        assert_eq!(meant("bukcet"), "did you mean `bucket`?");
        assert!(meant("bucket_").contains("`bucket`") && meant("zzz").starts_with("expected one of"));
        let int = Type::Int { min: None, max: None, one_of: Vec::new() };
        assert_eq!(of_cpu(&int, &Value::string("0.5 vCPU")).unwrap(), "write `512`: 1024 units are one virtual CPU");
        assert_eq!(of_cpu(&int, &Value::string("512 MB")), None);
    }
}
