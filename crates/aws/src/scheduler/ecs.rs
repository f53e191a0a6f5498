//! The tasks a schedule starts.

use std::collections::HashMap;

use aws_sdk_scheduler::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::resource::Tags;
use leoctl_core::engine::ports::Outcome;

/// The tasks that are started, in the cluster that is the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcsParameters {
    /// The task definition; without its revision the newest is started.
    #[schemars(extend("x-format" = "arn:ecs"))]
    task_definition_arn: String,
    /// How many tasks.
    #[schemars(extend("default" = 1), range(min = 1, max = 10))]
    task_count: i32,
    /// What they run on; not together with `capacity_provider_strategy`.
    #[schemars(extend("enum" = ["FARGATE", "EC2", "EXTERNAL"]))]
    launch_type: Option<String>,
    /// Which capacity providers they run on, instead of `launch_type`.
    #[schemars(extend("default" = [], "x-key" = "capacity_provider", "maxItems" = 6))]
    capacity_provider_strategy: Vec<StrategyItem>,
    /// Where they are in the network; needed on Fargate.
    network_configuration: Option<NetworkConfiguration>,
    /// Fargate's version, such as `1.4.0`; `LATEST` when left out.
    #[schemars(length(max = 64))]
    platform_version: Option<String>,
    /// The group they are in.
    #[schemars(length(max = 255))]
    group: Option<String>,
    /// Whether ECS tags them with the cluster.
    #[schemars(extend("default" = false))]
    enable_ecs_managed_tags: bool,
    /// Whether `execute-command` works in them.
    #[schemars(extend("default" = false))]
    enable_execute_command: bool,
    /// Whose tags they get; nobody's when left out.
    #[schemars(extend("enum" = ["TASK_DEFINITION"]))]
    propagate_tags: Option<String>,
    /// On which instances they may be.
    #[schemars(extend("default" = [], "x-set" = true, "maxItems" = 10))]
    placement_constraints: Vec<PlacementConstraint>,
    /// How they are spread over instances, the first first.
    #[schemars(extend("default" = [], "maxItems" = 5))]
    placement_strategy: Vec<PlacementStrategy>,
    /// Who started them, for whoever looks at them.
    #[schemars(length(max = 1024))]
    reference_id: Option<String>,
    /// Tags of the tasks.
    #[schemars(extend("default" = {}, "maxProperties" = 50))]
    tags: Tags,
}

/// Tags, as RunTask takes them: a table of `key` and `value` each.
fn to_pairs(tags: &Tags) -> Vec<HashMap<String, String>> {
    let pair = |(key, value): (&String, &String)| [("key".to_owned(), key.clone()), ("value".to_owned(), value.clone())].into();
    tags.iter().map(pair).collect()
}

fn from_pairs(pairs: &[HashMap<String, String>]) -> Tags {
    let of = |pair: &HashMap<String, String>, name: &str| {
        pair.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    pairs.iter().filter_map(|pair| Some((of(pair, "key")?, of(pair, "value").unwrap_or_default()))).collect()
}

/// A capacity provider's part of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyItem {
    /// The capacity provider.
    #[schemars(length(max = 255))]
    capacity_provider: String,
    /// Its share of the tasks.
    #[schemars(extend("default" = 0), range(min = 0, max = 1000))]
    weight: i32,
    /// How many tasks it gets before shares count.
    #[schemars(extend("default" = 0), range(min = 0, max = 100_000))]
    base: i32,
}

/// Where tasks are in the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfiguration {
    /// Their subnets.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-set" = true))]
    subnets: Vec<String>,
    /// Their security groups; the VPC's default group when left out.
    #[schemars(extend("x-format" = "id:security_group:sg-", "default" = [], "x-set" = true))]
    security_groups: Vec<String>,
    /// Whether they get public addresses; without, they need a NAT gateway to pull images.
    #[schemars(extend("default" = "DISABLED", "enum" = ["ENABLED", "DISABLED"]))]
    assign_public_ip: String,
}

/// On which instances tasks may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementConstraint {
    /// `distinctInstance`, or `memberOf` for those an expression fits.
    #[schemars(extend("enum" = ["distinctInstance", "memberOf"]))]
    r#type: String,
    /// The expression.
    #[schemars(length(max = 2000))]
    expression: Option<String>,
}

/// How tasks are spread over instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementStrategy {
    /// How.
    #[schemars(extend("enum" = ["random", "spread", "binpack"]))]
    r#type: String,
    /// By what, such as `attribute:ecs.availability-zone` or `memory`.
    #[schemars(length(max = 255))]
    field: Option<String>,
}

impl EcsParameters {
    /// The parameters for a call.
    ///
    /// # Errors
    /// When the SDK finds them incomplete.
    pub fn to_api(&self) -> Outcome<api::EcsParameters> {
        let Self {
            task_definition_arn,
            task_count,
            launch_type,
            capacity_provider_strategy,
            network_configuration,
            platform_version,
            group,
            enable_ecs_managed_tags,
            enable_execute_command,
            propagate_tags,
            placement_constraints,
            placement_strategy,
            reference_id,
            tags,
        } = self;
        let provider = |item: &StrategyItem| {
            let part = api::CapacityProviderStrategyItem::builder().capacity_provider(&item.capacity_provider);
            part.weight(item.weight).base(item.base).build().map_err(unbuilt)
        };
        let constraint = |one: &PlacementConstraint| {
            let kind = api::PlacementConstraintType::from(one.r#type.as_str());
            api::PlacementConstraint::builder().r#type(kind).set_expression(one.expression.clone()).build()
        };
        let strategy = |one: &PlacementStrategy| {
            let kind = api::PlacementStrategyType::from(one.r#type.as_str());
            api::PlacementStrategy::builder().r#type(kind).set_field(one.field.clone()).build()
        };
        let providers = capacity_provider_strategy.iter().map(provider).collect::<Outcome<Vec<_>>>()?;
        api::EcsParameters::builder()
            .task_definition_arn(task_definition_arn)
            .task_count(*task_count)
            .set_launch_type(launch_type.as_deref().map(api::LaunchType::from))
            .set_capacity_provider_strategy(Some(providers).filter(|all| !all.is_empty()))
            .set_network_configuration(network_configuration.as_ref().map(NetworkConfiguration::to_api).transpose()?)
            .set_platform_version(platform_version.clone())
            .set_group(group.clone())
            .enable_ecs_managed_tags(*enable_ecs_managed_tags)
            .enable_execute_command(*enable_execute_command)
            .set_propagate_tags(propagate_tags.as_deref().map(api::PropagateTags::from))
            .set_placement_constraints(Some(placement_constraints.iter().map(constraint).collect::<Vec<_>>()).filter(|all| !all.is_empty()))
            .set_placement_strategy(Some(placement_strategy.iter().map(strategy).collect::<Vec<_>>()).filter(|all| !all.is_empty()))
            .set_reference_id(reference_id.clone())
            .set_tags(Some(to_pairs(tags)).filter(|tags| !tags.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// The parameters AWS returned.
    pub fn from_api(found: &api::EcsParameters) -> Self {
        let provider = |item: &api::CapacityProviderStrategyItem| StrategyItem {
            capacity_provider: item.capacity_provider().to_owned(),
            weight: item.weight(),
            base: item.base(),
        };
        let constraint = |one: &api::PlacementConstraint| PlacementConstraint {
            r#type: one.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            expression: one.expression().map(str::to_owned),
        };
        let strategy = |one: &api::PlacementStrategy| PlacementStrategy {
            r#type: one.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            field: one.field().map(str::to_owned),
        };
        Self {
            task_definition_arn: found.task_definition_arn().to_owned(),
            task_count: found.task_count().unwrap_or(1),
            launch_type: found.launch_type().map(|launch| launch.as_str().to_owned()),
            capacity_provider_strategy: found.capacity_provider_strategy().iter().map(provider).collect(),
            network_configuration: found
                .network_configuration()
                .and_then(|network| network.awsvpc_configuration())
                .map(NetworkConfiguration::from_api),
            platform_version: found.platform_version().map(str::to_owned),
            group: found.group().map(str::to_owned),
            enable_ecs_managed_tags: found.enable_ecs_managed_tags().unwrap_or_default(),
            enable_execute_command: found.enable_execute_command().unwrap_or_default(),
            propagate_tags: found.propagate_tags().map(|whose| whose.as_str().to_owned()),
            placement_constraints: found.placement_constraints().iter().map(constraint).collect(),
            placement_strategy: found.placement_strategy().iter().map(strategy).collect(),
            reference_id: found.reference_id().map(str::to_owned),
            tags: from_pairs(found.tags()),
        }
    }
}

impl NetworkConfiguration {
    fn to_api(&self) -> Outcome<api::NetworkConfiguration> {
        let Self { subnets, security_groups, assign_public_ip } = self;
        let vpc = api::AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets.clone()))
            .set_security_groups(Some(security_groups.clone()).filter(|groups| !groups.is_empty()))
            .assign_public_ip(api::AssignPublicIp::from(assign_public_ip.as_str()));
        Ok(api::NetworkConfiguration::builder().awsvpc_configuration(vpc.build().map_err(unbuilt)?).build())
    }

    fn from_api(found: &api::AwsVpcConfiguration) -> Self {
        Self {
            subnets: found.subnets().to_vec(),
            security_groups: found.security_groups().to_vec(),
            assign_public_ip: found.assign_public_ip().map_or("DISABLED", api::AssignPublicIp::as_str).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_pairs_of_key_and_value_however_these_are_spelt() {
        let tags: Tags = [("team".to_owned(), "web".to_owned())].into();
        let pairs = to_pairs(&tags);
        assert_eq!(pairs, [HashMap::from([("key".to_owned(), "team".to_owned()), ("value".to_owned(), "web".to_owned())])]);
        let spelt = [HashMap::from([("Key".to_owned(), "team".to_owned()), ("Value".to_owned(), "web".to_owned())])];
        assert_eq!((from_pairs(&pairs), from_pairs(&spelt)), (tags.clone(), tags));
    }
}
