//! What people write who know other tools, and what is written here.

use super::diagnostic::{nearest, suggestion};
use crate::model::schema::Type;
use crate::model::value::Value;

/// CPU units of one virtual CPU, as ECS counts them.
const UNITS: f64 = 1024.0;

/// What other tools have beside attributes, and what is written here.
const META: [(&str, &str); 2] = [
    ("count", "several of a kind are made with `for_each`, one or none with `when`"),
    ("provider", "what is in another account says `account`, what is in another region `region`"),
];

/// Whether it is a key of other tools', and none of this one's that is misspelled.
pub fn is_of_others(key: &str) -> bool {
    META.iter().any(|(of_others, _)| *of_others == key)
}

/// Advice on an attribute that does not exist.
pub fn meant<'a>(given: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    if let Some((_, advice)) = META.iter().find(|(of_others, _)| *of_others == given) {
        return vec![(*advice).to_owned()];
    }
    match name(given, attributes.clone()) {
        Some(name) => vec![format!("did you mean `{name}`?")],
        None => suggestion(&in_snake_case(given), attributes).into_iter().collect(),
    }
}

/// The attribute that is probably meant by one that does not exist.
pub fn name<'a>(given: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if is_of_others(given) {
        return None;
    }
    let snake = in_snake_case(given);
    // `bucketName` may be `bucket_name` or `bucket`.
    let same = |name: &&str| *name == snake || snake.strip_prefix(*name).is_some_and(|rest| rest.starts_with('_'));
    let of_another_form = attributes.clone().filter(same).max_by_key(|name| name.len()).filter(|_| snake != given);
    of_another_form.or_else(|| nearest(&snake, attributes))
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
        let meant = |given: &str| meant(given, ["bucket", "versioning", "desired_count", "force_destroy"].into_iter()).concat();
        assert!(meant("count").contains("`for_each`"));
        assert!(meant("provider").contains("`account`"));
        assert_eq!(meant("bucketName"), "did you mean `bucket`?");
        assert_eq!(meant("desiredCount"), "did you mean `desired_count`?");
        assert_eq!(meant("bukcet"), "did you mean `bucket`?");
        assert!(meant("bucket_").contains("`bucket`") && meant("zzz").starts_with("expected one of"));
        let int = Type::Int { min: None, max: None, one_of: Vec::new() };
        assert_eq!(of_cpu(&int, &Value::string("0.5 vCPU")).unwrap(), "write `512`: 1024 units are one virtual CPU");
        assert_eq!(of_cpu(&int, &Value::string("512 MB")), None);
    }
}
