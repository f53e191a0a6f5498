use std::collections::{BTreeMap, BTreeSet};

use super::arn::{Place, fill, key, parameter, values};
use super::*;
use leoctl_aws::permissions::Permissions;
use leoctl_aws::registry;
use leoctl_core::model::schema::{Attribute, Type};

fn identity() -> Identity {
    Identity {
        account_id: "123456789012".to_owned(),
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        accounts: Default::default(),
    }
}

fn filled(template: &str, attributes: serde_json::Value) -> Vec<String> {
    fill(template, &Value::from(attributes), &Place { region: "us-east-1", identity: &identity() })
}

#[test]
fn a_template_takes_what_is_known_and_a_star_for_the_rest() {
    let cluster = "arn:{partition}:ecs:{region}:{account}:service/{cluster after cluster/}/{name}";
    let own = serde_json::json!({ "cluster": "arn:aws:ecs:us-east-1:1:cluster/main", "name": "web" });
    assert_eq!(filled(cluster, own), ["arn:aws:ecs:us-east-1:123456789012:service/main/web"]);
    assert_eq!(filled(cluster, serde_json::json!({ "cluster": "main" })), ["arn:aws:ecs:us-east-1:123456789012:service/main/*"]);
    assert_eq!(filled("{a.b}", serde_json::json!({ "a": [{ "b": "x" }, { "b": "y" }, {}] })), ["x", "y"]);
    assert_eq!(filled("{name after /}", serde_json::json!({ "name": "/app/url" })), ["app/url"]);
    let hidden = Value::Map([("name".to_owned(), Value::Secret(Box::new(Value::string("s3cret"))))].into());
    assert_eq!(fill("secret:{name}", &hidden, &Place { region: "r", identity: &identity() }), ["secret:*"]);
    assert_eq!(fill("{a.b}", &Value::Unknown, &Place { region: "r", identity: &identity() }), ["*"]);
}

#[test]
fn what_a_stack_writes_stands_for_itself_in_a_policy() {
    assert_eq!(filled("repository/{name}", serde_json::json!({ "name": "a*b?${x}" })), ["repository/a${*}b${?}${$}{x}"]);
    assert_eq!(filled("{cluster after cluster/}", serde_json::json!({ "cluster": "arn:aws:ecs:r:1:cluster/*" })), ["${*}"]);
    let place = Place { region: "r", identity: &identity() };
    assert_eq!(key(Some("arn:aws:kms:r:1:key/*"), &place), "arn:aws:kms:r:1:key/${*}");
    assert_eq!(role(Some("arn:aws:iam::1:role/*"), &[], &identity()), "arn:aws:iam::1:role/${*}");
    assert_eq!(role(Some("leo*"), &[], &identity()), "arn:aws:iam::123456789012:role/leo${*}");
    let image = repository_arn("1.dkr.ecr.r.amazonaws.com/*:v1", &identity());
    assert!(image.is_none_or(|image| image.ends_with(":repository/${*}")));
    let backend =
        Backend { bucket: "states".to_owned(), key: "*".to_owned(), region: None, profile: None, kms_key_id: Some("*".to_owned()) };
    let mut allowed = Allowed::new();
    state(&mut allowed, &backend, &identity(), Role::Operate);
    let wild = |arn: &&String| arn.replace("${*}", "").replace("/*", "").contains('*');
    let on_objects = allowed.iter().filter(|((action, _), _)| action.starts_with("s3:")).flat_map(|(_, arns)| arns);
    assert_eq!(on_objects.filter(wild).count(), 0);
}

#[test]
fn a_parameter_is_known_by_arn_or_name_whatever_its_version() {
    let identity = identity();
    let place = Place { region: "us-east-1", identity: &identity };
    let own = Some("arn:aws:ssm:us-east-1:123456789012:parameter/app/token".to_owned());
    for name in ["/app/token", "/app/token:3", "app/token:live"] {
        assert_eq!(parameter(name, &place), own, "{name}");
    }
    let other = "arn:aws:ssm:eu-west-1:1:parameter/app/token";
    assert_eq!(parameter(&format!("{other}:3"), &place).as_deref(), Some(other));
    assert_eq!(parameter("*", &place).as_deref(), Some("arn:aws:ssm:us-east-1:123456789012:parameter/${*}"));
    assert_eq!(parameter("", &place), None);
}

#[test]
fn a_key_is_known_by_arn_or_id_and_not_by_alias() {
    let identity = identity();
    let place = Place { region: "us-east-1", identity: &identity };
    assert_eq!(key(Some("arn:aws:kms:eu-west-1:1:key/k"), &place), "arn:aws:kms:eu-west-1:1:key/k");
    assert_eq!(key(Some("k-1"), &place), "arn:aws:kms:us-east-1:123456789012:key/k-1");
    assert_eq!(key(Some("alias/app"), &place), "arn:aws:kms:us-east-1:123456789012:key/*");
    assert_eq!(key(Some("arn:aws:kms:eu-central-1:9:alias/app"), &place), "arn:aws:kms:eu-central-1:9:key/*");
    assert_eq!(key(Some("arn:aws:kms:eu-*:*:alias/app"), &place), "arn:aws:kms:eu-${*}:${*}:key/*");
    assert_eq!(key(None, &place), "arn:aws:kms:us-east-1:123456789012:key/*");
}

#[test]
fn the_state_is_read_by_who_plans_and_written_by_who_applies() {
    let backend = Backend {
        bucket: "states".to_owned(),
        key: "leo/prod.json".to_owned(),
        region: Some("eu-west-1".to_owned()),
        profile: None,
        kms_key_id: Some("k-1".to_owned()),
    };
    let of = |role| {
        let mut allowed = Allowed::new();
        state(&mut allowed, &backend, &identity(), role);
        let shown = allowed.into_iter().map(|((action, _), resources)| (action, resources.into_iter().collect::<Vec<_>>()));
        shown.collect::<BTreeMap<_, _>>()
    };
    let plan = of(Role::Plan);
    assert_eq!(plan.keys().collect::<Vec<_>>(), ["kms:Decrypt", "s3:GetObject", "s3:ListBucket"]);
    assert_eq!(plan["s3:GetObject"], ["arn:aws:s3:::states/leo/prod.json", "arn:aws:s3:::states/leo/prod.json.journal/*"]);
    assert_eq!(plan["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/k-1"]);
    let apply = of(Role::Apply);
    let written = ["", ".backup/*", ".journal/*", ".lock"].map(|suffix| format!("arn:aws:s3:::states/leo/prod.json{suffix}"));
    assert_eq!(apply["s3:PutObject"], written);
    assert_eq!(apply["s3:DeleteObject"], written);
    assert_eq!(apply["s3:DeleteObjectVersion"], ["arn:aws:s3:::states/leo/prod.json.lock"]);
    assert_eq!(apply["kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/k-1"]);
}

/// The attributes of an object type, through the lists around it.
fn inner(ty: &Type) -> &[Attribute] {
    match ty {
        Type::Object(attributes) => attributes,
        Type::List { item, .. } => inner(item),
        _ => &[],
    }
}

fn has(attributes: &[Attribute], path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let found = attributes.iter().find(|attribute| attribute.name == first);
    found.is_some_and(|found| rest.is_none_or(|rest| has(inner(&found.ty), rest)))
}

fn names(template: &str) -> Vec<&str> {
    let names = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let names = names.map(|(name, _)| name.split_once(" after ").map_or(name, |(name, _)| name));
    names.filter(|name| !["partition", "region", "account"].contains(name)).collect()
}

fn is_declared_well(of: &str, grant: &Grant, attributes: &[Attribute]) {
    assert!(!grant.actions.is_empty(), "{of}");
    for action in grant.actions {
        let (service, name) = action.split_once(':').unwrap();
        assert!(service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{of}: {action}");
        assert!(name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(char::is_alphanumeric), "{of}: {action}");
    }
    let named = match grant.on {
        On::These(templates) => templates.iter().flat_map(|template| names(template)).collect(),
        On::Key(attribute) | On::Role { attribute, .. } | On::RoleOfProfile(attribute) => vec![attribute],
        On::Images(attribute) | On::Named { attribute, .. } | On::Cluster(attribute) => vec![attribute],
        On::Any | On::Itself | On::LinkedRole(_) => Vec::new(),
    };
    for name in named.into_iter().chain(grant.when) {
        assert!(has(attributes, name), "{of} has no attribute `{name}`");
    }
}

#[test]
fn every_type_declares_what_it_takes_in_terms_of_its_attributes() {
    let catalog = registry::catalog();
    for (name, resource) in catalog.resources.iter() {
        let Permissions { arn, plan, apply } = registry::permissions(name).unwrap();
        let attributes = &resource.schema.attributes;
        assert!(!plan.is_empty(), "{name}");
        plan.iter().chain(apply).for_each(|grant| is_declared_well(name, grant, attributes));
        for attribute in names(arn) {
            assert!(has(attributes, attribute), "{name} has no attribute `{attribute}`");
        }
    }
    for (name, schema) in catalog.data.iter() {
        let grants = registry::data_permissions(name).unwrap();
        // Which states are read the stack file says, and so `Asked` does.
        assert!(!grants.is_empty() || ["stack", "terraform_state"].contains(&name.as_str()), "data.{name}");
        grants.iter().for_each(|grant| is_declared_well(name, grant, &schema.attributes));
    }
}

/// AWS's own classification of these verbs is Read or List (Service Authorization Reference).
#[test]
fn planning_only_reads_and_never_the_value_of_a_secret() {
    let catalog = registry::catalog();
    let resources = catalog.resources.keys().filter_map(|name| Some(registry::permissions(name)?.plan));
    let data = catalog.data.keys().filter_map(|name| registry::data_permissions(name));
    for action in resources.chain(data).flatten().flat_map(|grant| grant.actions) {
        let name = action.split_once(':').unwrap().1;
        assert!(["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb)), "{action}");
    }
    let resources = catalog.resources.keys().filter_map(|name| Some(registry::permissions(name)?.plan));
    let data = catalog.data.keys().filter_map(|name| registry::data_permissions(name));
    let plans: BTreeSet<&str> = resources.chain(data).flatten().flat_map(|grant| grant.actions).copied().collect();
    // What returns a value that is kept secret, or takes what does (Service Authorization Reference). Of these Systems
    // Manager's alone are needed: what they return in plain text is denied.
    let readers = [
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "ssm:GetParameterHistory",
        "kms:Decrypt",
        "s3:GetObject",
        "ecr:GetAuthorizationToken",
        "ec2:GetPasswordData",
        "acm:ExportCertificate",
        "ecs:ExecuteCommand",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
    ];
    let found: Vec<&str> = readers.into_iter().filter(|action| plans.contains(action)).collect();
    assert_eq!(found, ["ssm:GetParameter", "ssm:GetParameters"]);
    let every = catalog.resources.keys().filter_map(|name| registry::permissions(name));
    let every = every.flat_map(|permissions| permissions.plan.iter().chain(permissions.apply));
    assert!(every.flat_map(|grant| grant.actions).all(|action| *action != "secretsmanager:GetSecretValue"));
    assert_eq!(values(&Value::Null, "a.b").len(), 0);
}

#[test]
fn a_key_by_alias_is_that_of_the_alias_alone() {
    let arn = "arn:aws:kms:eu-central-1:999999999999:alias/states";
    let key = KmsKey { key_id: arn.to_owned(), region: Some("eu-central-1".to_owned()), profile: None };
    let encryption = Encryption { with: With::Kms(key), previous: Vec::new(), required: false };
    for (role, conditions) in [
        (Role::Plan, serde_json::json!({ "kms:EncryptionContext:leoctl:what": "plan", "kms:RequestAlias": "alias/states" })),
        (Role::Apply, serde_json::json!({ "kms:RequestAlias": "alias/states" })),
    ] {
        let mut allowed = Allowed::new();
        keys(&mut allowed, &encryption, &identity(), role);
        let documents = document::documents(&allowed, None);
        let statements = documents[0]["Statement"].as_array().unwrap();
        let makes = |statement: &&Json| statement["Action"].as_array().unwrap().contains(&"kms:GenerateDataKey".into());
        assert_eq!(statements.iter().find(makes).unwrap()["Condition"]["StringEquals"], conditions);
        for statement in statements {
            assert_eq!(statement["Resource"], serde_json::json!(["arn:aws:kms:eu-central-1:999999999999:key/*"]));
            assert_eq!(statement["Condition"]["StringEquals"]["kms:RequestAlias"], "alias/states");
        }
    }
}
