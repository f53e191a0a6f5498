//! The machines of a cluster that is to go. Its capacity providers are made before it and go after it, and the machines go with
//! their Auto Scaling groups, which go last: they are taken from the cluster here.

use aws_sdk_ecs::types as api;

use crate::client::Aws;
use crate::error::OrFail;
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;

/// What AWS says of a cluster that machines or their providers keep from being deleted.
pub(super) const HELD: &[&str] = &["ClusterContainsCapacityProviderException", "ClusterContainsContainerInstancesException"];

/// How many instances one call describes (ECS API Reference, DescribeContainerInstances).
const DESCRIBED: usize = 100;

/// Takes the idle machines of a cluster's capacity providers from it, and the providers. A machine on which tasks still run stays
/// until these have stopped; one that no provider has brought is somebody else's to take away.
///
/// # Errors
/// When AWS refuses.
pub(super) async fn release(aws: &Aws, cluster: &str) -> Outcome<()> {
    let pages = aws.ecs().list_container_instances().cluster(cluster).into_paginator().items().send();
    let all: Vec<String> = pages.try_collect().await.or_fail("ecs:ListContainerInstances")?;
    for some in all.chunks(DESCRIBED) {
        let call = aws.ecs().describe_container_instances().cluster(cluster).set_container_instances(Some(some.to_vec()));
        let found = call.send().await.or_fail("ecs:DescribeContainerInstances")?;
        for arn in found.container_instances().iter().filter(|one| may_go(one)).filter_map(|one| one.container_instance_arn()) {
            let call = aws.ecs().deregister_container_instance().cluster(cluster).container_instance(arn);
            call.send().await.idempotent("ecs:DeregisterContainerInstance")?;
        }
    }
    let none = aws.ecs().put_cluster_capacity_providers().cluster(cluster);
    let none = none.set_capacity_providers(Some(Vec::new())).set_default_capacity_provider_strategy(Some(Vec::new()));
    none.send().await.idempotent("ecs:PutClusterCapacityProviders").map(drop)
}

fn may_go(instance: &api::ContainerInstance) -> bool {
    instance.capacity_provider_name().is_some() && instance.running_tasks_count() == 0 && instance.pending_tasks_count() == 0
}

#[cfg(test)]
mod tests {
    use crate::ecs::cluster::EcsCluster;
    use crate::patience::tests::operation;
    use crate::resource::Resource;
    use crate::scripted::{Answer, Scripted};

    #[tokio::test]
    async fn a_cluster_that_goes_gives_back_the_idle_machines_of_its_providers_and_no_others() {
        let machine = |name: &str, provider: &str, tasks: u8| {
            format!(r#"{{"containerInstanceArn":"{name}","runningTasksCount":{tasks},"pendingTasksCount":0{provider}}}"#)
        };
        let provider = r#","capacityProviderName":"machines""#;
        let described = [machine("idle", provider, 0), machine("busy", provider, 1), machine("other", "", 0)].join(",");
        let mut deleted = 0;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "DeleteCluster" => {
                deleted += 1;
                if deleted == 1 { Answer::json_error("ClusterContainsContainerInstancesException") } else { Answer::ok("{}") }
            }
            "ListContainerInstances" => Answer::ok(r#"{"containerInstanceArns":["idle","busy","other"]}"#),
            "DescribeContainerInstances" => Answer::ok(format!(r#"{{"containerInstances":[{described}]}}"#)),
            _ => Answer::ok("{}"),
        });
        EcsCluster::delete(&scripted.aws, &operation(0), "c", None).await.unwrap();
        let calls = scripted.calls();
        let of = |name: &str| calls.iter().filter(|call| call.name == name).map(|call| call.body.clone()).collect::<Vec<_>>();
        assert_eq!(of("DeregisterContainerInstance"), [r#"{"cluster":"c","containerInstance":"idle"}"#]);
        assert_eq!(of("PutClusterCapacityProviders").len(), 1);
        assert_eq!(of("DeleteCluster").len(), 2);
    }

    #[tokio::test]
    async fn what_may_not_be_looked_at_leaves_what_aws_said() {
        let scripted = Scripted::new(|call| match call.name.as_str() {
            "DeleteCluster" => Answer::json_error("ClusterContainsContainerInstancesException"),
            _ => Answer::json_error("AccessDeniedException"),
        });
        let failed = EcsCluster::delete(&scripted.aws, &operation(0), "c", None).await.unwrap_err();
        assert_eq!(failed.code.as_deref(), Some("ClusterContainsContainerInstancesException"));
    }
}
