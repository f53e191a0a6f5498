//! ARNs from templates and attributes.

use leoctl_core::model::value::Value;
use leoctl_core::stack::scope::Identity;

/// Where a resource is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its region.
    pub region: &'a str,
    /// Its account and partition.
    pub identity: &'a Identity,
}

/// The values at a path such as `target.role_arn`, one for each element of the lists on the way.
pub fn values<'a>(attributes: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![attributes], |found, key| {
        let inner = found.into_iter().flat_map(|value| match value.as_list() {
            Some(items) => items.iter().collect(),
            None => vec![value],
        });
        // What is in something that is not known is not known either.
        inner.filter_map(|value| if matches!(value, Value::Unknown) { Some(value) } else { value.get(key) }).collect()
    })
}

/// The texts at a path: none for one that is not known or may not be shown.
pub fn texts(attributes: &Value, path: &str) -> Vec<Option<String>> {
    let found = values(attributes, path).into_iter().filter(|value| !value.is_null());
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    found.map(text).collect()
}

/// A text of a stack as IAM takes it for itself: a `*` in it stands for nothing else (IAM User Guide, "IAM policy elements:
/// Variables and tags", special characters).
pub fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => literal.extend(['$', '{', c, '}']),
            _ => literal.push(c),
        }
    }
    literal
}

/// The ARNs a template stands for: more than one when it names an attribute inside a list.
pub fn fill(template: &str, attributes: &Value, place: &Place<'_>) -> Vec<String> {
    let mut filled = vec![String::new()];
    let mut rest = template;
    while let Some((before, (name, after))) = rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        let pieces = piece(name, attributes, place);
        filled = filled.iter().flat_map(|start| pieces.iter().map(move |piece| format!("{start}{before}{piece}"))).collect();
        rest = after;
    }
    filled.into_iter().map(|start| start + rest).collect()
}

/// What stands for a name in braces.
fn piece(name: &str, attributes: &Value, place: &Place<'_>) -> Vec<String> {
    match name {
        "partition" => return vec![place.identity.partition.clone()],
        "account" => return vec![place.identity.account_id.clone()],
        "region" => return vec![place.region.to_owned()],
        _ => {}
    }
    let (path, marker) = name.split_once(" after ").map_or((name, None), |(path, marker)| (path, Some(marker)));
    let any = || "*".to_owned();
    let found = texts(attributes, path).into_iter().map(|text| {
        text.map_or_else(any, |text| match marker {
            None => literal(&text),
            Some(marker) => match text.split_once(marker) {
                Some((_, after)) => literal(after),
                None if text.contains([':', '/']) => any(),
                None => literal(&text),
            },
        })
    });
    let found: Vec<String> = found.collect();
    if found.is_empty() { vec![any()] } else { found }
}

/// The ARNs of the KMS keys at a path.
pub fn keys(attributes: &Value, path: &str, place: &Place<'_>) -> Vec<String> {
    texts(attributes, path).iter().map(|text| key(text.as_deref(), place)).collect()
}

/// The ARN of a parameter of Systems Manager that is named by ARN or name, with a version or label or without.
pub fn parameter(named: &str, place: &Place<'_>) -> Option<String> {
    let Identity { partition, account_id, .. } = place.identity;
    let (before, name) = match named.split_once(":parameter/") {
        Some((before, name)) => (literal(before), name),
        None => (format!("arn:{partition}:ssm:{}:{account_id}", place.region), named.trim_start_matches('/')),
    };
    let name = name.split(':').next().filter(|name| !name.is_empty())?;
    Some(format!("{before}:parameter/{}", literal(name)))
}

/// The ARN of a KMS key that is named by ARN or id. Which key an alias stands for only KMS knows: it is one of the account and the
/// region of the alias.
pub fn key(named: Option<&str>, place: &Place<'_>) -> String {
    let Identity { partition, account_id, .. } = place.identity;
    match named {
        Some(arn) if arn.contains(":key/") => literal(arn),
        Some(arn) if arn.contains(":alias/") => {
            let account = arn.split_once(":alias/").map_or(arn, |(account, _)| account);
            format!("{}:key/*", literal(account))
        }
        Some(id) if !id.contains([':', '/']) => format!("arn:{partition}:kms:{}:{account_id}:key/{}", place.region, literal(id)),
        _ => format!("arn:{partition}:kms:{}:{account_id}:key/*", place.region),
    }
}
