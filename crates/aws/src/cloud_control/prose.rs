//! What AWS says of a type in words: its registry has the prose that the packed schemas lack, and is asked for it.

use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::schema::{Attribute, Type, TypeSchema};
use serde_json::Value as Json;

use super::kind::Kind;
use super::shape::{Part, Property, Shape};
use crate::client::Aws;
use crate::error::OrFail;

/// A type's schema with AWS's own words in it (CloudFormation API Reference, DescribeType).
///
/// # Errors
/// Where AWS refuses, or answers with no schema.
pub async fn described(aws: &Aws, kind: &Kind, schema: &TypeSchema) -> Outcome<TypeSchema> {
    let call = aws.cloudformation().describe_type().set_type(Some("RESOURCE".into())).type_name(kind.facts.aws);
    let answer = call.send().await.or_fail("cloudformation:DescribeType")?;
    let none = || Failure::new(FailureKind::NotFound, format!("its registry says nothing of {}", kind.facts.aws));
    let registry = serde_json::from_str(answer.schema().ok_or_else(none)?)
        .map_err(|error| Failure::new(FailureKind::Other, format!("AWS's schema of {} is not JSON: {error}", kind.facts.aws)))?;
    Ok(with_prose(schema, kind.root(), &registry))
}

/// The schema with the descriptions of a schema of AWS's registry.
fn with_prose(schema: &TypeSchema, root: &Part, registry: &Json) -> TypeSchema {
    let mut schema = schema.clone();
    if let Some(text) = text(registry) {
        schema.doc = format!("{text}\n\n{}", schema.doc);
    }
    fill(&mut schema.attributes, root, registry, registry);
    schema
}

fn text(of: &Json) -> Option<&str> {
    of.get("description").and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// What a part of the registry's schema says, through its references. One that refers to itself says nothing.
fn resolved<'a>(registry: &'a Json, mut at: &'a Json) -> &'a Json {
    for _ in 0..8 {
        let Some(pointer) = at.get("$ref").and_then(Json::as_str).and_then(|name| name.strip_prefix('#')) else { return at };
        let Some(next) = registry.pointer(pointer) else { return at };
        at = next;
    }
    &Json::Null
}

fn fill(attributes: &mut [Attribute], part: &Part, registry: &Json, at: &Json) {
    let Shape::Object(properties) = &part.shape else { return };
    for attribute in attributes {
        let own = |property: &&Property| property.name == attribute.name;
        let Some(property) = properties.iter().find(own) else { continue };
        let Some(written) = at.get("properties").and_then(|all| all.get(&property.aws)) else { continue };
        let meant = resolved(registry, written);
        if let Some(text) = text(written).or_else(|| text(meant)) {
            text.clone_into(&mut attribute.doc);
        }
        inside(&mut attribute.ty, &property.part, registry, meant);
    }
}

fn inside(ty: &mut Type, part: &Part, registry: &Json, at: &Json) {
    match (ty, &part.shape) {
        (Type::Object(attributes), Shape::Object(_)) => fill(attributes, part, registry, at),
        (Type::List { item, .. }, Shape::List(inner)) => {
            inside(item, inner, registry, resolved(registry, at.get("items").unwrap_or(&Json::Null)))
        }
        (Type::Map { item, .. }, Shape::Map(inner)) => {
            let patterns = at.get("patternProperties").and_then(Json::as_object).and_then(|all| all.values().next());
            inside(item, inner, registry, resolved(registry, patterns.unwrap_or(&Json::Null)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Type, described, with_prose};
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn what_aws_says_stands_with_each_attribute_at_any_depth() {
        let (kind, schema) = crate::cloud_control::read("awscc_sqs_queue").unwrap();
        let registry = json!({ "description": "A queue.", "properties": { "QueueName": { "description": " Its name. " } } });
        let queue = with_prose(&schema.schema, kind.root(), &registry);
        assert!(queue.doc.starts_with("A queue.\n\nAWS::SQS::Queue through"), "{}", queue.doc);
        assert_eq!(queue.attributes.iter().find(|one| one.name == "queue_name").unwrap().doc, "Its name.");

        let (kind, schema) = crate::cloud_control::read("awscc_ecs_capacity_provider").unwrap();
        let registry = json!({
            "properties": { "AutoScalingGroupProvider": { "$ref": "#/definitions/Group" } },
            "definitions": {
                "Group": { "description": "The group.", "properties": { "ManagedScaling": { "$ref": "#/definitions/Scaling" }, "Loop": { "$ref": "#/definitions/Loop" } } },
                "Scaling": { "properties": { "TargetCapacity": { "description": "In percent." } } },
                "Loop": { "$ref": "#/definitions/Loop" },
            },
        });
        let provider = with_prose(&schema.schema, kind.root(), &registry);
        let group = provider.attributes.iter().find(|one| one.name == "auto_scaling_group_provider").unwrap();
        assert_eq!(group.doc, "The group.");
        let Type::Object(group) = &group.ty else { panic!("{group:?}") };
        let Type::Object(scaling) = &group.iter().find(|one| one.name == "managed_scaling").unwrap().ty else { panic!("{group:?}") };
        assert_eq!(scaling.iter().find(|one| one.name == "target_capacity").unwrap().doc, "In percent.");
    }

    #[tokio::test]
    async fn the_registry_is_asked_for_a_types_words() {
        let (kind, schema) = crate::cloud_control::read("awscc_sqs_queue").unwrap();
        let asked = async |answer: &'static str| {
            let scripted = Scripted::new(move |call| {
                assert!(call.body.contains("Type=RESOURCE&TypeName=AWS%3A%3ASQS%3A%3AQueue"), "{}", call.body);
                Answer::ok(format!("<DescribeTypeResponse><DescribeTypeResult>{answer}</DescribeTypeResult></DescribeTypeResponse>"))
            });
            described(&scripted.aws, kind, &schema.schema).await
        };
        assert!(asked(r#"<Schema>{"description": "A queue."}</Schema>"#).await.unwrap().doc.starts_with("A queue."));
        let wrong = asked("<Schema>nothing</Schema>").await.unwrap_err();
        assert!(wrong.message.starts_with("AWS's schema of AWS::SQS::Queue is not JSON"), "{wrong}");
        let silent = asked("").await.unwrap_err();
        assert_eq!(silent.message, "its registry says nothing of AWS::SQS::Queue");
    }
}
