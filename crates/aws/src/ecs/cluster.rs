//! The resource type `ecs_cluster`.

use std::time::Duration;

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_instances, from_api, to_api, unbuilt, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Release;
use leoctl_core::model::value::Value;

/// A place to run tasks and services.
///
/// Import by ARN: `arn:aws:ecs:…:cluster/NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcsCluster {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
    name: String,
    /// Whether Container Insights collects metrics; the account's default when left out.
    #[schemars(extend("x-server" = true, "enum" = ["disabled", "enabled", "enhanced"]))]
    container_insights: Option<String>,
    /// Where tasks can run: `FARGATE`, `FARGATE_SPOT`, or capacity providers of your own. One of an Auto Scaling group is an
    /// `awscc_ecs_capacity_provider`, named here by its `name`.
    #[schemars(extend("default" = [], "x-set" = true))]
    capacity_providers: Vec<String>,
    /// Where tasks run that do not say.
    #[schemars(extend("default" = [], "x-key" = "capacity_provider"))]
    default_capacity_provider_strategy: Vec<StrategyItem>,
    /// How `execute-command` sessions are encrypted and logged.
    #[schemars(extend("default" = {}))]
    execute_command: ExecuteCommand,
    /// With which KMS keys tasks' disks are encrypted.
    #[schemars(extend("default" = {}))]
    managed_storage: ManagedStorage,
    /// The ARN of the Cloud Map namespace services connect in when they do not say.
    #[schemars(extend("x-format" = "arn:servicediscovery"))]
    service_connect_namespace: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// A capacity provider's part of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyItem {
    /// The capacity provider.
    pub capacity_provider: String,
    /// Its share of the tasks.
    #[schemars(extend("default" = 0), range(min = 0, max = 1000))]
    pub weight: i32,
    /// How many tasks it gets before shares count.
    #[schemars(extend("default" = 0), range(min = 0, max = 100_000))]
    pub base: i32,
}

impl StrategyItem {
    /// The item for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::CapacityProviderStrategyItem> {
        let item = api::CapacityProviderStrategyItem::builder().capacity_provider(&self.capacity_provider);
        item.weight(self.weight).base(self.base).build().map_err(unbuilt)
    }

    /// The item AWS returned.
    pub fn from_api(item: &api::CapacityProviderStrategyItem) -> Self {
        Self { capacity_provider: item.capacity_provider().to_owned(), weight: item.weight(), base: item.base() }
    }
}

/// Sessions are logged where the task's logs go.
const DEFAULT: &str = "DEFAULT";

/// How `execute-command` sessions are encrypted and logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteCommand {
    /// The KMS key of the session.
    kms_key_id: Option<String>,
    /// Where sessions are logged: nowhere, where the task's logs go, or where the fields below say.
    #[schemars(extend("default" = DEFAULT, "enum" = ["NONE", DEFAULT, "OVERRIDE"]))]
    logging: String,
    /// The log group, for `OVERRIDE`.
    cloud_watch_log_group_name: Option<String>,
    /// Whether the log group has to be encrypted with a key, for `OVERRIDE`.
    #[schemars(extend("x-none" = false))]
    cloud_watch_encryption_enabled: Option<bool>,
    /// The bucket, for `OVERRIDE`.
    s3_bucket_name: Option<String>,
    /// The key prefix in the bucket.
    s3_key_prefix: Option<String>,
    /// Whether the bucket has to be encrypted, for `OVERRIDE`.
    #[schemars(extend("x-none" = false))]
    s3_encryption_enabled: Option<bool>,
}

/// With which KMS keys tasks' disks are encrypted, instead of AWS's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagedStorage {
    /// The key of EBS volumes.
    kms_key_id: Option<String>,
    /// The key of Fargate's scratch space.
    fargate_ephemeral_storage_kms_key_id: Option<String>,
}

impl ManagedStorage {
    fn to_api(&self) -> api::ManagedStorageConfiguration {
        api::ManagedStorageConfiguration::builder()
            .set_kms_key_id(self.kms_key_id.clone())
            .set_fargate_ephemeral_storage_kms_key_id(self.fargate_ephemeral_storage_kms_key_id.clone())
            .build()
    }

    fn from_api(storage: Option<&api::ManagedStorageConfiguration>) -> Self {
        let key = |of: fn(&api::ManagedStorageConfiguration) -> Option<&str>| {
            storage.and_then(of).filter(|key| !key.is_empty()).map(str::to_owned)
        };
        Self {
            kms_key_id: key(api::ManagedStorageConfiguration::kms_key_id),
            fargate_ephemeral_storage_kms_key_id: key(api::ManagedStorageConfiguration::fargate_ephemeral_storage_kms_key_id),
        }
    }

    fn is_default(&self) -> bool {
        self.kms_key_id.is_none() && self.fargate_ephemeral_storage_kms_key_id.is_none()
    }
}

impl ExecuteCommand {
    fn to_api(&self) -> api::ExecuteCommandConfiguration {
        let target = api::ExecuteCommandLogConfiguration::builder()
            .set_cloud_watch_log_group_name(self.cloud_watch_log_group_name.clone())
            .set_s3_bucket_name(self.s3_bucket_name.clone())
            .set_s3_key_prefix(self.s3_key_prefix.clone())
            .cloud_watch_encryption_enabled(self.cloud_watch_encryption_enabled.unwrap_or_default())
            .s3_encryption_enabled(self.s3_encryption_enabled.unwrap_or_default())
            .build();
        api::ExecuteCommandConfiguration::builder()
            .set_kms_key_id(self.kms_key_id.clone())
            .logging(api::ExecuteCommandLogging::from(self.logging.as_str()))
            .set_log_configuration((self.logging == "OVERRIDE").then_some(target))
            .build()
    }

    /// What AWS returned; of what was never configured nothing, which is its default.
    fn from_api(configuration: Option<&api::ExecuteCommandConfiguration>) -> Self {
        let target = configuration.and_then(|configuration| configuration.log_configuration());
        let logging = configuration.and_then(|configuration| configuration.logging());
        Self {
            kms_key_id: configuration.and_then(|configuration| configuration.kms_key_id()).map(str::to_owned),
            logging: logging.map_or(DEFAULT, api::ExecuteCommandLogging::as_str).to_owned(),
            cloud_watch_log_group_name: target.and_then(|target| target.cloud_watch_log_group_name()).map(str::to_owned),
            s3_bucket_name: target.and_then(|target| target.s3_bucket_name()).map(str::to_owned),
            s3_key_prefix: target.and_then(|target| target.s3_key_prefix()).map(str::to_owned),
            cloud_watch_encryption_enabled: target
                .map(api::ExecuteCommandLogConfiguration::cloud_watch_encryption_enabled)
                .filter(|on| *on),
            s3_encryption_enabled: target.map(api::ExecuteCommandLogConfiguration::s3_encryption_enabled).filter(|on| *on),
        }
    }

    fn is_default(&self) -> bool {
        self.logging == DEFAULT && self.kms_key_id.is_none()
    }
}

impl EcsCluster {
    fn from_api(cluster: &api::Cluster) -> (String, Self) {
        let insights = cluster.settings().iter().find(|setting| setting.name() == Some(&api::ClusterSettingName::ContainerInsights));
        let execute = cluster.configuration().and_then(|configuration| configuration.execute_command_configuration());
        let storage = cluster.configuration().and_then(|configuration| configuration.managed_storage_configuration());
        let read = Self {
            name: cluster.cluster_name().unwrap_or_default().to_owned(),
            container_insights: insights.and_then(|setting| setting.value()).map(str::to_owned),
            capacity_providers: cluster.capacity_providers().to_vec(),
            default_capacity_provider_strategy: cluster.default_capacity_provider_strategy().iter().map(StrategyItem::from_api).collect(),
            execute_command: ExecuteCommand::from_api(execute),
            managed_storage: ManagedStorage::from_api(storage),
            service_connect_namespace: cluster.service_connect_defaults().and_then(|defaults| defaults.namespace()).map(str::to_owned),
            tags: from_api(cluster.tags()),
            arn: cluster.cluster_arn().unwrap_or_default().to_owned(),
        };
        (read.arn.clone(), read)
    }

    async fn describe(aws: &Aws, clusters: &[String]) -> Outcome<Vec<api::Cluster>> {
        let call = aws.ecs().describe_clusters().set_clusters(Some(clusters.to_vec()));
        let call = call.include(api::ClusterField::Tags).include(api::ClusterField::Settings).include(api::ClusterField::Configurations);
        let found = call.send().await.or_fail("ecs:DescribeClusters")?;
        // A deleted cluster is described as INACTIVE for a while.
        Ok(found.clusters.unwrap_or_default().into_iter().filter(|cluster| cluster.status() != Some("INACTIVE")).collect())
    }

    /// What is set of the cluster; nothing where the account's default is wanted.
    fn settings(&self) -> Option<Vec<api::ClusterSetting>> {
        let setting = api::ClusterSetting::builder().name(api::ClusterSettingName::ContainerInsights);
        Some(vec![setting.value(self.container_insights.as_ref()?).build()])
    }

    /// The whole configuration: what is left out of it is AWS's default.
    fn configuration(&self) -> api::ClusterConfiguration {
        api::ClusterConfiguration::builder()
            .execute_command_configuration(self.execute_command.to_api())
            .set_managed_storage_configuration((!self.managed_storage.is_default()).then(|| self.managed_storage.to_api()))
            .build()
    }

    /// Whether there is something to attach: of AWS's own capacity providers there is nothing.
    fn is_attaching(&self) -> bool {
        self.capacity_providers.iter().any(|provider| !matches!(provider.as_str(), "FARGATE" | "FARGATE_SPOT"))
    }

    fn strategy(&self) -> Outcome<Vec<api::CapacityProviderStrategyItem>> {
        self.default_capacity_provider_strategy.iter().map(StrategyItem::to_api).collect()
    }
}

/// Waits until the capacity providers are attached: before that no task can be placed on them, and no other change of them
/// is taken.
async fn attached(aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
    loop {
        let call = aws.ecs().describe_clusters().clusters(id).include(api::ClusterField::Attachments);
        let found = call.send().await.or_fail("ecs:DescribeClusters")?;
        let cluster = found.clusters().iter().find(|cluster| cluster.cluster_arn() == Some(id));
        if cluster.map(is_attached).transpose()? == Some(true) {
            return Ok(());
        }
        operation.pause(Duration::from_secs(2), "waiting for the cluster's capacity providers").await?;
    }
}

/// Whether the capacity providers are attached; a provider of an Auto Scaling group takes a while (ECS API Reference,
/// Cluster: `attachmentsStatus`).
fn is_attached(cluster: &api::Cluster) -> Outcome<bool> {
    match cluster.attachments_status() {
        Some("UPDATE_IN_PROGRESS") => Ok(false),
        Some("UPDATE_FAILED") => {
            let failed = cluster.attachments().iter().find(|one| one.status() == Some("FAILED"));
            let of = |name: &str| failed.and_then(|one| one.details().iter().find(|detail| detail.name() == Some(name))?.value());
            let provider = of("capacityProviderName").unwrap_or("a capacity provider");
            let message = format!(
                "{provider} could not be attached to the cluster: see that its Auto Scaling group exists and that no other provider has it"
            );
            Err(Failure { operation: "ecs:DescribeClusters".to_owned(), ..Failure::new(FailureKind::Other, message) })
        }
        _ => Ok(true),
    }
}

impl Resource for EcsCluster {
    const TYPE: &'static str = "ecs_cluster";
    // Tasks run on demand stop on their own time, and services' tasks drain.
    const INFO: Info = Info {
        unique: &[&["name"]],
        // A provider in use cannot be taken away (ECS API Reference, PutClusterCapacityProviders).
        releases: &[Release { attribute: "capacity_providers", by: "ecs_service", using: "capacity_provider_strategy" }],
        transient: &[
            Retry::always("UpdateInProgressException"),
            Retry::after("ClusterContainsCapacityProviderException", &["ecs:DeleteCluster"]),
            Retry::after("ClusterContainsContainerInstancesException", &["ecs:DeleteCluster"]),
            Retry::after("ClusterContainsServicesException", &["ecs:DeleteCluster"]),
            Retry::after("ClusterContainsTasksException", &["ecs:DeleteCluster"]),
            Retry::after("ResourceInUseException", &["ecs:PutClusterCapacityProviders"]),
        ],
        // The role that ECS makes for itself in an account's first cluster.
        propagating: &[Retry::after("InvalidParameterException", &["ecs:CreateCluster", "ecs:PutClusterCapacityProviders"])],
        // The last tasks on machines stop on their own time.
        timeout: 1800,
        // Published logs of Terraform's applies of the same calls: made in 5 to 12 seconds.
        usual: Usual::of((5, 20), (0, 60), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ecs:{region}:{account}:cluster/{name}",
        plan: &[Grant::itself(&["ecs:DescribeClusters"])],
        apply: &[
            Grant::itself(&[
                "ecs:CreateCluster",
                "ecs:DeleteCluster",
                "ecs:DeregisterContainerInstance",
                "ecs:ListContainerInstances",
                "ecs:PutClusterCapacityProviders",
                "ecs:TagResource",
                "ecs:UntagResource",
                "ecs:UpdateCluster",
                "ecs:UpdateClusterSettings",
            ]),
            Grant::on(&["ecs:DescribeContainerInstances"], &["arn:{partition}:ecs:{region}:{account}:container-instance/{name}/*"]),
            Grant::linked_role("ecs.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let Some(execute) = desired.get("execute_command").filter(|execute| execute.as_map().is_some()) else { return Vec::new() };
        let logged = execute.get("logging").map_or(Some(DEFAULT), Value::as_str);
        let given = |name: &&str| execute.get(name).is_some_and(|value| !value.is_null());
        let on = |name: &&str| execute.get(name) == Some(&Value::Bool(true));
        let target = ["cloud_watch_log_group_name", "s3_bucket_name", "s3_key_prefix"].into_iter().find(given);
        let target = target.or_else(|| ["cloud_watch_encryption_enabled", "s3_encryption_enabled"].into_iter().find(on));
        let problem = |name| format!("`{name}` is for `logging = \"OVERRIDE\"`");
        match target {
            Some(name) if logged.is_some_and(|logged| logged != "OVERRIDE") => vec![(Path::attribute("execute_command"), problem(name))],
            _ => Vec::new(),
        }
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let mut read = Vec::new();
        for some in ids.chunks(100) {
            read.extend(Self::describe(aws, some).await?.iter().map(Self::from_api));
        }
        Ok(read)
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let found = Self::describe(aws, &[name.to_owned()]).await?;
        Ok(wanted.pick(found.into_iter().filter_map(|cluster| cluster.cluster_arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let defaults = to.service_connect_namespace.as_ref();
        let defaults = defaults.map(|namespace| api::ClusterServiceConnectDefaultsRequest::builder().namespace(namespace).build());
        let configured = !to.execute_command.is_default() || !to.managed_storage.is_default();
        let call = aws
            .ecs()
            .create_cluster()
            .cluster_name(&to.name)
            .set_settings(to.settings())
            .set_configuration(configured.then(|| to.configuration()))
            .set_capacity_providers(Some(to.capacity_providers.clone()).filter(|providers| !providers.is_empty()))
            .set_default_capacity_provider_strategy(Some(to.strategy()?).filter(|strategy| !strategy.is_empty()))
            .set_service_connect_defaults(defaults.transpose().map_err(unbuilt)?)
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_ecs, call).await.sent_once("ecs:CreateCluster")?;
        made_id("ecs:CreateCluster", made.cluster().and_then(|cluster| cluster.cluster_arn()))
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            container_insights,
            capacity_providers,
            default_capacity_provider_strategy,
            execute_command,
            managed_storage,
            service_connect_namespace,
            tags,
            name: _,
            arn: _,
        } = to;
        let ecs = aws.ecs();
        if container_insights.is_some() && *container_insights != from.container_insights {
            ecs.update_cluster_settings().cluster(id).set_settings(to.settings()).send().await.idempotent("ecs:UpdateClusterSettings")?;
        }
        let configured = *execute_command != from.execute_command || *managed_storage != from.managed_storage;
        let connected = *service_connect_namespace != from.service_connect_namespace;
        if configured || connected {
            // An empty name takes the namespace away (ECS API Reference, ClusterServiceConnectDefaultsRequest).
            let namespace = service_connect_namespace.clone().unwrap_or_default();
            let defaults = api::ClusterServiceConnectDefaultsRequest::builder().namespace(namespace).build().map_err(unbuilt)?;
            let call = ecs.update_cluster().cluster(id).set_configuration(configured.then(|| to.configuration()));
            let call = call.set_service_connect_defaults(connected.then_some(defaults));
            call.send().await.idempotent("ecs:UpdateCluster")?;
        }
        if *capacity_providers != from.capacity_providers || *default_capacity_provider_strategy != from.default_capacity_provider_strategy
        {
            let call = ecs.put_cluster_capacity_providers().cluster(id).set_capacity_providers(Some(capacity_providers.clone()));
            let call = call.set_default_capacity_provider_strategy(Some(to.strategy()?));
            call.send().await.idempotent("ecs:PutClusterCapacityProviders")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        if to.is_attaching() { attached(aws, operation, id).await } else { Ok(()) }
    }

    async fn changed(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let same = from.capacity_providers == to.capacity_providers
            && from.default_capacity_provider_strategy == to.default_capacity_provider_strategy;
        if !same && (from.is_attaching() || to.is_attaching()) { attached(aws, operation, id).await } else { Ok(()) }
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let delete = || async { aws.ecs().delete_cluster().cluster(id).send().await.or_gone("ecs:DeleteCluster").map(drop) };
        match delete().await {
            // Where the machines cannot be given back yet, it is still they that hold it.
            Err(held) if says(&held, cluster_instances::HELD) => match cluster_instances::release(aws, id).await {
                Ok(()) => delete().await,
                Err(_) => Err(held),
            },
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_reads_as_it_is_written() {
        let default = api::ExecuteCommandConfiguration::builder().logging(api::ExecuteCommandLogging::Default).build();
        assert_eq!(ExecuteCommand::from_api(Some(&default)), ExecuteCommand::from_api(None));
        assert!(ExecuteCommand::from_api(None).is_default() && ManagedStorage::from_api(None).is_default());
        let catalog = crate::registry::catalog();
        let empty = Value::from(serde_json::json!({ "name": "c", "execute_command": {}, "managed_storage": {} }));
        let absent = Value::from(serde_json::json!({ "name": "c" }));
        let canonical = |value| leoctl_core::model::canonical::canonicalize(&catalog.resources["ecs_cluster"].schema.attributes, value);
        assert_eq!(canonical(&empty), canonical(&absent));
    }

    #[test]
    fn namespaces_are_written_as_arns() {
        let catalog = crate::registry::catalog();
        let of = |type_name: &str| &catalog.resources[type_name].schema;
        let text = |attribute: &leoctl_core::model::schema::Attribute| format!("{:?}", attribute.ty);
        let cluster = of("ecs_cluster").attribute("service_connect_namespace").unwrap();
        assert!(text(cluster).contains("servicediscovery"), "{}", text(cluster));
        assert!(text(of("ecs_service").attribute("service_connect_configuration").unwrap()).contains("servicediscovery"));
    }

    #[test]
    fn a_cluster_that_says_nothing_of_insights_keeps_the_accounts_default() {
        let enabled = api::ClusterSetting::builder().name(api::ClusterSettingName::ContainerInsights).value("enabled").build();
        let (_, live) = EcsCluster::from_api(&api::Cluster::builder().cluster_name("c").settings(enabled).build());
        assert_eq!(live.container_insights.as_deref(), Some("enabled"));
        let attributes = &crate::registry::catalog().resources["ecs_cluster"].schema.attributes;
        let (live_value, written) = (Value::from(serde_json::to_value(&live).unwrap()), Value::from(serde_json::json!({ "name": "c" })));
        let kept = leoctl_core::plan::diff::complete(attributes, &written, Some(&live_value));
        assert_eq!(kept.get("container_insights"), live_value.get("container_insights"));
        assert!(EcsCluster { container_insights: None, ..live }.settings().is_none(), "nothing is sent");
    }

    fn cluster(status: Option<&str>) -> api::Cluster {
        let detail = api::KeyValuePair::builder().name("capacityProviderName").value("spot").build();
        let attachment = api::Attachment::builder().r#type("as_policy").status("FAILED").details(detail).build();
        api::Cluster::builder().set_attachments_status(status.map(str::to_owned)).attachments(attachment).build()
    }

    #[test]
    fn a_cluster_is_ready_once_its_capacity_providers_are_attached() {
        assert!(!is_attached(&cluster(Some("UPDATE_IN_PROGRESS"))).unwrap());
        assert!(is_attached(&cluster(Some("UPDATE_COMPLETE"))).unwrap());
        assert!(is_attached(&cluster(None)).unwrap(), "AWS's own providers have no attachment");
        let failed = is_attached(&cluster(Some("UPDATE_FAILED"))).unwrap_err();
        assert!(failed.message.starts_with("spot could not be attached"), "{}", failed.message);
    }
}
