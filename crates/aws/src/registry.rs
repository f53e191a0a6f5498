//! Every type leoctl knows: one line each.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use async_trait::async_trait;
use aws_smithy_types::retry::RetryConfig;
use serde_json::Value as Json;

use super::accounts::Accounts;
use super::client::{Aws, Clients};
use super::cloud_control::handler::Generic;
use super::cloud_control::{self, CloudControl};
use super::fence::Fence;
use super::limits::Limits;
use super::permissions::{Grant, Permissions};
use super::resource::{DataSource, Resource, Typed, json_schema, wrong_argument};
use super::sizes::Sizes;
use super::traffic::Traffic;
use super::{
    acm, appautoscaling, backup, cloudwatch, cloudwatch_log_group, data, discovery, ec2, ecr_repository, ecs, efs, elb, iam, kms,
    partition, policy_check, prefix, route53, s3, scheduler, secretsmanager_secret, sns, ssm_parameter,
};
use leoctl_core::engine::ports::{Failure, FailureKind, Handler, Outcome, Provider};
use leoctl_core::model::fit::misfit;
use leoctl_core::model::path::Path;
use leoctl_core::model::place::Site;
use leoctl_core::model::schema::{Catalog, ResourceSchema, SchemaError, TypeSchema};
use leoctl_core::model::value::Value;
use leoctl_core::stack::scope::Identity;

/// Writes out everything that goes by the list of types.
macro_rules! types {
    (resources: $($resource:ty),* $(,)?; data: $($data:ty),* $(,)?;) => {
        fn types() -> Catalog {
            let mut catalog = Catalog::default();
            catalog.resources = catalog.resources.with_further(&CloudControl);
            $(catalog.resources.insert_compiled(<$resource>::TYPE, resource_schema::<$resource>);)*
            $(catalog.data.insert_compiled(<$data>::TYPE, data_schema::<$data>);)*
            catalog
        }

        /// What does not compile.
        #[cfg(test)]
        fn broken() -> Vec<SchemaError> {
            let resources = [$(resource_schema::<$resource>().err()),*].into_iter();
            resources.chain([$(data_schema::<$data>().err()),*]).flatten().collect()
        }

        /// What each type says of itself.
        #[cfg(test)]
        fn infos() -> Vec<(&'static str, crate::resource::Info)> {
            vec![$((<$resource>::TYPE, <$resource>::INFO)),*]
        }

        fn handler(accounts: &Arc<Accounts>, type_name: &str) -> Option<Arc<dyn Handler>> {
            match type_name {
                $(<$resource>::TYPE => Some(Arc::new(Typed::<$resource>::new(Arc::clone(accounts)))),)*
                other => Some(Arc::new(Generic::new(Arc::clone(accounts), cloud_control::kind(other)?))),
            }
        }

        async fn read_data(accounts: &Arc<Accounts>, type_name: &str, site: &Site, arguments: &Value) -> Outcome<Value> {
            match type_name {
                $(<$data>::TYPE => read_one::<$data>(accounts.at(site)?.as_ref(), arguments).await,)*
                _ => read_by_id(accounts, type_name, site, arguments).await,
            }
        }

        /// What a resource type takes of IAM.
        pub fn permissions(type_name: &str) -> Option<Permissions> {
            match type_name {
                $(<$resource>::TYPE => Some(<$resource>::PERMISSIONS),)*
                other => cloud_control::kind(other).map(cloud_control::kind::Kind::permissions),
            }
        }

        /// What a data source takes of IAM.
        pub fn data_permissions(type_name: &str) -> Option<&'static [Grant]> {
            match type_name {
                $(<$data>::TYPE => Some(<$data>::PERMISSIONS),)*
                resource => permissions(resource).map(|permissions| permissions.plan),
            }
        }

        /// The JSON Schema of every resource type, by name.
        pub fn resource_json_schemas() -> BTreeMap<&'static str, Json> {
            [$((<$resource>::TYPE, json_schema::<$resource>())),*].into()
        }

        /// The JSON Schema of every data source, by name.
        pub fn data_json_schemas() -> BTreeMap<&'static str, Json> {
            [$((<$data>::TYPE, json_schema::<$data>())),*].into()
        }
    };
}

types! {
    resources:
        acm::certificate::AcmCertificate,
        acm::imported::AcmImportedCertificate,
        acm::validation::AcmCertificateValidation,
        appautoscaling::policy::AppautoscalingPolicy,
        appautoscaling::scheduled_action::AppautoscalingScheduledAction,
        appautoscaling::target::AppautoscalingTarget,
        backup::plan::BackupPlan,
        backup::selection::BackupSelection,
        backup::vault::BackupVault,
        cloudwatch::dashboard::CloudwatchDashboard,
        cloudwatch::log_metric_filter::CloudwatchLogMetricFilter,
        cloudwatch::metric_alarm::CloudwatchMetricAlarm,
        cloudwatch_log_group::CloudwatchLogGroup,
        discovery::namespace::ServiceDiscoveryPrivateDnsNamespace,
        discovery::service::ServiceDiscoveryService,
        ec2::default_route_table::DefaultRouteTable,
        ec2::default_security_group::DefaultSecurityGroup,
        ec2::egress_only_internet_gateway::EgressOnlyInternetGateway,
        ec2::eip::Eip,
        ec2::instance::Instance,
        ec2::internet_gateway::InternetGateway,
        ec2::key_pair::KeyPair,
        ec2::nat_gateway::NatGateway,
        ec2::route_table::RouteTable,
        ec2::security_group::SecurityGroup,
        ec2::security_group_rule::SecurityGroupRule,
        ec2::subnet::Subnet,
        ec2::vpc::Vpc,
        ec2::vpc_endpoint::VpcEndpoint,
        ecr_repository::EcrRepository,
        ecs::cluster::EcsCluster,
        ecs::service::EcsService,
        ecs::task_definition::EcsTaskDefinition,
        efs::access_point::EfsAccessPoint,
        efs::file_system::EfsFileSystem,
        efs::mount_target::EfsMountTarget,
        elb::lb::Lb,
        elb::listener::LbListener,
        elb::listener_rule::LbListenerRule,
        elb::target_group::LbTargetGroup,
        iam::instance_profile::IamInstanceProfile,
        iam::openid_connect_provider::IamOpenidConnectProvider,
        iam::policy::IamPolicy,
        iam::role::IamRole,
        kms::alias::KmsAlias,
        kms::key::KmsKey,
        route53::record::Route53Record,
        route53::zone::Route53Zone,
        s3::bucket::S3Bucket,
        scheduler::schedule::SchedulerSchedule,
        secretsmanager_secret::SecretsmanagerSecret,
        sns::topic::SnsTopic,
        sns::topic_subscription::SnsTopicSubscription,
        ssm_parameter::SsmParameter;
    data:
        data::acm_certificate::AcmCertificate,
        data::availability_zones::AvailabilityZones,
        data::awscc::Awscc,
        data::caller_identity::CallerIdentity,
        data::cloudformation_stack::CloudformationStack,
        data::ecr_image::EcrImage,
        data::route53_zone::Route53Zone,
        data::secretsmanager_secret::SecretsmanagerSecret,
        data::security_group::SecurityGroup,
        data::ssm_parameter::SsmParameter,
        data::stack::Stack,
        data::subnets::Subnets,
        data::terraform_state::TerraformState,
        data::vpc::Vpc;
}

fn data_schema<D: DataSource>() -> Result<TypeSchema, SchemaError> {
    TypeSchema::compile(D::TYPE, &json_schema::<D>())
}

fn resource_schema<R: Resource>() -> Result<ResourceSchema, SchemaError> {
    let json = json_schema::<R>();
    let mut schema = TypeSchema::compile(R::TYPE, &json)?;
    let prefixed = prefix::prefixed(&schema, R::INFO.unique);
    prefixed.iter().for_each(|name| prefix::extend(&mut schema, name));
    Ok(ResourceSchema {
        scope: R::INFO.scope,
        create_before_destroy: R::INFO.create_before_destroy,
        unique: R::INFO.unique,
        prefixed,
        exclusive: R::INFO.exclusive,
        inside: R::INFO.inside,
        joint: R::INFO.joint,
        conflicts: R::INFO.conflicts,
        held_by: R::INFO.held_by,
        data_loss: R::INFO.data_loss,
        emptied_by: R::INFO.emptied_by,
        stays: R::INFO.stays,
        after: R::INFO.after,
        named_in: R::INFO.named_in,
        hangs_on: R::INFO.hangs_on,
        releases: R::INFO.releases,
        takes_away: false,
        interrupts: &[],
        instead: None,
        part_of: None,
        check: checks::<R>(&json, &schema, prefixed),
        protected: &R::protected,
        governed: &R::governed,
        governs: &R::governs,
        yields: &R::yields,
        undoes: &R::undoes,
        replaces: replacing::<R>(prefixed),
        unheard: &|_, _| Vec::new(),
        refuses: &R::refuses,
        schema,
    })
}

/// The attributes whose change takes a replacement.
type Replaces = &'static (dyn Fn(&Value, &Value) -> &'static [&'static str] + Send + Sync);

/// The attribute of a type of which only the beginning can be written.
pub fn prefixed(type_name: &str) -> Option<&'static str> {
    catalog().resources.get(type_name)?.prefixed
}

/// What is wrong with the attributes of a resource, and where.
type Check = &'static (dyn Fn(&Value) -> Vec<(Path, String)> + Send + Sync);

/// The checks of a type, with how many elements its lists and tables may have, and what policies may say.
fn checks<R: Resource>(json: &Json, schema: &TypeSchema, prefixed: Option<&'static str>) -> Check {
    let sizes = Sizes::compile(json).unwrap_or_default();
    let policies = policy_check::policies(schema);
    let named = prefixed.map(|name| {
        let attributes = schema.attributes.iter().filter(|attribute| attribute.name == name).cloned().collect();
        (name, TypeSchema { name: String::new(), doc: String::new(), attributes })
    });
    // As long as the program, as the catalog is.
    Box::leak(Box::new(move |desired: &Value| {
        let name = named.as_ref().and_then(|(name, schema)| prefix::check(schema, name, desired));
        let general = sizes.exceeded(desired).into_iter().chain(policy_check::check(&policies, desired)).chain(name);
        R::check(desired).into_iter().chain(general).collect()
    }))
}

/// What takes a replacement, with a name that begins otherwise.
fn replacing<R: Resource>(prefixed: Option<&'static str>) -> Replaces {
    let Some(name) = prefixed else { return &R::replaces };
    let names: &'static [&'static str] = match name {
        "bucket" => &["bucket_prefix"],
        _ => &["name_prefix"],
    };
    Box::leak(Box::new(move |before: &Value, after: &Value| match prefix::replaces(name, before, after) {
        true => names,
        false => R::replaces(before, after),
    }))
}

async fn read_by_id(accounts: &Arc<Accounts>, type_name: &str, site: &Site, arguments: &Value) -> Outcome<Value> {
    let schema = catalog().resources.get(type_name);
    match schema.zip(handler(accounts, type_name)) {
        Some((schema, handler)) => data::by_id::read(schema, handler, site, arguments).await,
        None => Err(wrong_argument(format!("there is no data source {type_name}"))),
    }
}

async fn read_one<D: DataSource>(aws: &Aws, arguments: &Value) -> Outcome<Value> {
    answered(asked::<D>(arguments)?.read(aws).await?)
}

/// The data source that these arguments ask for.
///
/// # Errors
/// When they are not of its form.
pub fn asked<D: DataSource>(arguments: &Value) -> Outcome<D> {
    let json = arguments.to_json().map_err(|path| wrong_argument(format!("`{path}` is not known")))?;
    serde_json::from_value(json).map_err(|_| {
        let schema = catalog().data.get(D::TYPE);
        let wrong = schema.and_then(|schema| misfit(&schema.attributes, arguments));
        wrong_argument(wrong.map_or_else(|| "its arguments are not of the form that it has".to_owned(), |(_, problem)| problem))
    })
}

/// An answer as expressions see it.
///
/// # Errors
/// When it cannot be written as a value.
pub fn answered<D: DataSource>(answer: D) -> Outcome<Value> {
    let secrets = answer.secrets();
    let value = serde_json::to_value(answer).map(Value::from).map_err(|error| wrong_argument(error.to_string()))?;
    let Value::Map(mut map) = value else { return Ok(value) };
    for name in secrets {
        if let Some(value) = map.remove(*name) {
            map.insert((*name).to_owned(), value.into_secret());
        }
    }
    Ok(Value::Map(map))
}

/// The schemas of every type.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(types);
    &CATALOG
}

/// AWS, as the engine sees it.
pub struct AwsProvider {
    accounts: Arc<Accounts>,
    /// The region in which AWS was asked who we are.
    home: OnceLock<String>,
    /// What reads the data sources that are not in AWS.
    elsewhere: Option<Arc<dyn Elsewhere>>,
}

/// Data sources that are not read from AWS.
#[async_trait]
pub trait Elsewhere: Send + Sync {
    /// What a data source says; none when it is AWS's to say.
    async fn read(&self, type_name: &str, arguments: &Value) -> Option<Outcome<Value>>;
}

impl AwsProvider {
    /// AWS through these clients, in one account.
    pub fn new(clients: Clients) -> Self {
        Self::of(Accounts::new(clients, "", leoctl_core::stack::accounts::Accounts::default()))
    }

    /// AWS in these accounts.
    pub fn of(accounts: Accounts) -> Self {
        Self { accounts: Arc::new(accounts), home: OnceLock::new(), elsewhere: None }
    }

    /// The same, with what reads data sources beside AWS.
    pub fn with(self, elsewhere: Arc<dyn Elsewhere>) -> Self {
        Self { elsewhere: Some(elsewhere), ..self }
    }

    /// The clients of a region of an account.
    ///
    /// # Errors
    /// When nothing that the stack file says leads to the account.
    pub fn at(&self, site: &Site) -> Outcome<Arc<Aws>> {
        self.accounts.at(site)
    }

    /// The accounts.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Asks which account a name leads to that was this one ([`Accounts::expect`]).
    pub async fn expect(&self, name: &str, account: &str) {
        self.accounts.expect(name, account).await;
    }

    /// The clients of a region of the stack's own account.
    pub fn region(&self, name: &str) -> Arc<Aws> {
        self.accounts.own().region(name)
    }

    /// The ARN of who we are in an account, once AWS was asked.
    pub fn caller(&self, account: &str) -> Option<String> {
        self.accounts.caller(account)
    }

    /// The region in which AWS was asked who we are.
    pub fn home(&self) -> Option<&str> {
        self.home.get().map(String::as_str)
    }

    /// What stops calls once the state is not ours.
    pub fn fence(&self) -> &Fence {
        self.accounts.own().fence()
    }

    /// The calls that are under way.
    pub fn traffic(&self) -> &Traffic {
        self.accounts.own().calls().traffic()
    }

    /// What makes calls queue.
    pub fn limits(&self) -> &Limits {
        self.accounts.own().limits()
    }

    /// The address that all calls go to, where one is configured.
    pub fn endpoint(&self) -> Option<&str> {
        self.accounts.own().endpoint()
    }
}

#[async_trait]
impl Provider for AwsProvider {
    async fn identity(&self, region: Option<&str>) -> Outcome<Identity> {
        use super::error::{OrFail, may_pass};
        let region = region
            .map(str::to_owned)
            .or_else(|| self.accounts.own().default_region())
            .ok_or_else(|| Failure::new(FailureKind::Invalid, "no region: set `region` in [stack], AWS_REGION, or pass --region"))?;
        let aws = self.accounts.own().region(&region);
        // The first call of all: an address nobody answers at is said at once, and throttling waited out all the same.
        let few_attempts = aws_sdk_sts::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(2));
        let first = aws.sts().get_caller_identity().customize().config_override(few_attempts).send().await;
        let found = match first {
            Err(error) if may_pass(&error) => aws.sts().get_caller_identity().send().await,
            first => first,
        };
        let found = match found.or_fail("sts:GetCallerIdentity") {
            Ok(found) => found,
            Err(failure) => {
                let account_id = self.accounts.believed_own(&failure).ok_or(failure)?;
                return Ok(Identity { account_id, partition: partition(&region).to_owned(), region, accounts: BTreeMap::new() });
            }
        };
        self.home.get_or_init(|| region.clone());
        let account_id = found.account().unwrap_or_default().to_owned();
        self.accounts.is_own(&account_id, found.arn().unwrap_or_default());
        Ok(Identity { account_id, partition: partition(&region).to_owned(), region, accounts: BTreeMap::new() })
    }

    async fn account(&self, name: &str) -> Outcome<String> {
        self.accounts.account(name).await
    }

    fn handler(&self, type_name: &str) -> Option<Arc<dyn Handler>> {
        handler(&self.accounts, type_name)
    }

    async fn read_data(&self, type_name: &str, site: &Site, arguments: &Value) -> Outcome<Value> {
        let elsewhere = match &self.elsewhere {
            Some(elsewhere) => elsewhere.read(type_name, arguments).await,
            None => None,
        };
        let read = match elsewhere {
            Some(read) => read,
            None => read_data(&self.accounts, type_name, site, arguments).await,
        };
        if !arguments.has_secret() {
            return read;
        }
        // What is said of something sensitive says what that is.
        let withheld = |failure: Failure| Failure { message: "why is not shown, as an argument is sensitive".to_owned(), ..failure };
        read.map(Value::into_secret).map_err(withheld)
    }

    async fn kms_key(&self, site: &Site, name: &str) -> Outcome<Option<String>> {
        kms::key_arn(self.at(site)?.as_ref(), name).await
    }

    fn api_calls(&self) -> BTreeMap<String, u64> {
        self.accounts.own().calls().by_operation()
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::schema::{Pattern, Type};

    #[test]
    fn every_schema_compiles_and_documents_every_attribute() {
        assert_eq!(super::broken().iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        let catalog = super::catalog();
        assert_eq!(catalog.resources.iter().count(), 54);
        for (name, resource) in catalog.resources.iter() {
            for attribute in &resource.schema.attributes {
                assert!(!attribute.doc.is_empty(), "{name}.{}", attribute.name);
            }
        }
    }

    #[test]
    fn every_type_says_how_long_its_operations_usually_take_and_that_is_in_time() {
        use crate::resource::Info;
        use leoctl_core::engine::usual::Usual;
        for (name, info) in super::infos() {
            let Usual { create, update, delete } = info.usual;
            for span in [create, update, delete] {
                assert!(span.least <= span.most && span.most > 0 && span.most <= info.timeout, "{name}: {span:?}");
            }
            // What may take longer than others says more than what is answered at once.
            assert!(info.timeout <= Info::DEFAULT.timeout || info.usual != Usual::AT_ONCE, "{name}");
        }
    }

    #[test]
    fn of_every_type_without_tags_something_tells_whose_one_is() {
        use leoctl_core::model::schema::Named;
        let resources = &super::catalog().resources;
        let names: Vec<&str> = super::infos().into_iter().map(|(name, _)| name).collect();
        let untagged = names.iter().filter(|name| !resources[**name].schema.is_taggable());
        let alone: Vec<_> = untagged.filter(|name| resources[**name].hangs_on.is_empty()).collect();
        // Of that one there is nothing in AWS.
        assert_eq!(alone, [&"acm_certificate_validation"]);
        for (name, hangs_on) in names.iter().flat_map(|name| resources[*name].hangs_on.iter().map(move |hangs_on| (name, hangs_on))) {
            assert!(resources[*name].schema.attribute(hangs_on.attribute[0]).is_some(), "{name}");
            let Named::Attribute(type_name, attribute) = hangs_on.names else { panic!("{name}") };
            assert!(resources[type_name].schema.attribute(attribute).is_some(), "{name}");
        }
    }

    #[test]
    fn every_pattern_is_understood() {
        fn sound(ty: &Type) -> bool {
            match ty {
                Type::String(rule) => rule.pattern.as_ref().is_none_or(Pattern::is_sound),
                Type::List { item, .. } | Type::Map { item, .. } => sound(item),
                Type::Object(attributes) => attributes.iter().all(|attribute| sound(&attribute.ty)),
                _ => true,
            }
        }
        let catalog = super::catalog();
        let resources = catalog.resources.iter().map(|(name, resource)| (name, &resource.schema));
        for (name, schema) in resources.chain(catalog.data.iter().map(|(name, schema)| (name, &**schema))) {
            assert!(schema.attributes.iter().all(|attribute| sound(&attribute.ty)), "{name}");
        }
    }

    #[test]
    fn what_types_say_of_other_types_is_about_types_that_there_are() {
        let resources = &super::catalog().resources;
        for (name, resource) in resources.iter() {
            let others = resource.after.iter().flat_map(|after| [after.type_name, after.through]);
            for other in resource.held_by.iter().copied().chain(others) {
                assert!(resources.contains_key(other), "{name}: {other}");
            }
        }
    }
}
