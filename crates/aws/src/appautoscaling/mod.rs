//! Application Auto Scaling: what is scaled between which bounds, and by what.

pub mod policy;
mod predictive;
pub mod scheduled_action;
pub mod target;
pub mod tracking;

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use futures_util::future::try_join_all;

use super::client::Aws;
use super::error::{OrAbsent, OrFail, unbuilt};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome, Wanted};

/// Something that can be scaled: what the API tells scalable targets apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalable {
    namespace: String,
    resource: String,
    dimension: String,
}

impl Scalable {
    /// Reads the id of a scalable target. Resources have slashes of their own, namespaces and dimensions have none.
    fn parse(id: &str) -> Outcome<Self> {
        let parts = id.split_once('/').and_then(|(namespace, rest)| Some((namespace, rest.rsplit_once('/')?)));
        match parts {
            Some((namespace, (resource, dimension))) => {
                Ok(Self { namespace: namespace.to_owned(), resource: resource.to_owned(), dimension: dimension.to_owned() })
            }
            None => Err(Failure::new(FailureKind::Invalid, format!("`{id}` is not a NAMESPACE/RESOURCE/DIMENSION"))),
        }
    }

    /// The id of its scalable target.
    fn id(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.resource, self.dimension)
    }

    fn namespace(&self) -> ServiceNamespace {
        ServiceNamespace::from(self.namespace.as_str())
    }

    fn dimension(&self) -> ScalableDimension {
        ScalableDimension::from(self.dimension.as_str())
    }
}

/// The place of what belongs to something that can be scaled, such as a policy: what is scaled, and its name.
fn parse(id: &str) -> Outcome<(Scalable, String)> {
    let wrong = || Failure::new(FailureKind::Invalid, format!("`{id}` is not a NAMESPACE/RESOURCE/DIMENSION/NAME"));
    // A resource and a name may have slashes. A dimension begins with the namespace and a colon, and nothing before it does.
    let namespace = id.split('/').next().ok_or_else(wrong)?;
    let start = id.find(&format!("/{namespace}:")).ok_or_else(wrong)? + 1;
    let (dimension, name) = id.get(start..).and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let scalable = id.get(..start + dimension.len()).ok_or_else(wrong)?;
    Ok((Scalable::parse(scalable)?, name.to_owned()))
}

/// The id that a wanted one of these would have, where it is known.
fn wanted_id(wanted: &Wanted) -> Option<String> {
    let part = |key: &str| wanted.text(key);
    Some(format!("{}/{}/{}/{}", part("service_namespace")?, part("resource_id")?, part("scalable_dimension")?, part("name")?))
}

/// Those of these ECS services (as `service/CLUSTER/NAME`) whose number of tasks is set by Application Auto Scaling; nothing
/// where that may not be asked. Where there is no such service in the region there are none.
///
/// # Errors
/// When AWS fails to answer.
pub async fn scaled_services(aws: &Aws, services: &[String]) -> Outcome<Option<BTreeSet<String>>> {
    let dimension = ScalableDimension::EcsServiceDesiredCount;
    // Fifty at most (Application Auto Scaling API Reference, DescribeScalableTargets).
    let calls = services.chunks(50).map(async |some| {
        let call = aws.autoscaling().describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
        let call = call.scalable_dimension(dimension.clone()).set_resource_ids(Some(some.to_vec()));
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            match page.or_fail("application-autoscaling:DescribeScalableTargets").or_absent() {
                Err(failure) if failure.kind == FailureKind::Denied => return Ok(None),
                Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::Other) => break,
                page => found.extend(page?.and_then(|page| page.scalable_targets).unwrap_or_default()),
            }
        }
        Ok(Some(found))
    });
    let found = try_join_all(calls).await?.into_iter().collect::<Option<Vec<_>>>();
    Ok(found.map(|found| found.into_iter().flatten().map(|target| target.resource_id).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_resources_may_have_slashes() {
        let parsed = |id: &str| parse(id).map(|(scalable, name)| (scalable.resource, scalable.dimension, name)).ok();
        let of = |resource: &str, dimension: &str, name: &str| Some((resource.to_owned(), dimension.to_owned(), name.to_owned()));
        let service = "ecs/service/shop/web/ecs:service:DesiredCount/cpu";
        assert_eq!(parsed(service), of("service/shop/web", "ecs:service:DesiredCount", "cpu"));
        let table = "dynamodb/table/orders/dynamodb:table:ReadCapacityUnits/DynamoDBReadCapacityUtilization:table/orders";
        assert_eq!(parsed(table), of("table/orders", "dynamodb:table:ReadCapacityUnits", "DynamoDBReadCapacityUtilization:table/orders"));
        for wrong in ["", "ecs", "ecs/service/shop/web/cpu", "ecs/service/shop/web/ecs:service:DesiredCount"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_holds_what_has_slashes_of_its_own() {
        let id = "ecs/service/leo/web/ecs:service:DesiredCount";
        let scalable = Scalable::parse(id).unwrap();
        assert_eq!(
            (&*scalable.namespace, &*scalable.resource, &*scalable.dimension),
            ("ecs", "service/leo/web", "ecs:service:DesiredCount")
        );
        assert_eq!(scalable.id(), id);
        assert!(Scalable::parse("ecs/x").is_err());
    }
}
