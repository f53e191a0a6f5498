//! SDK clients of one account: made when first used, one set for each region, sharing one HTTP client and the ordinary AWS
//! configuration (profiles, SSO, environment, `AWS_ENDPOINT_URL[_SERVICE]`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::origin::Origin;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::fence::Fence;
use super::kms::key::Keys;
use super::limits::files::Connections;
use super::limits::{Limits, Refusals, patient};
use super::profile::{self, UnknownProfile};
use super::shared::Shared;
use super::traffic::Traffic;

/// Attempts of one call before its failure is leoctl's to handle. Those that were refused for the number of calls are not
/// among them.
const MAX_ATTEMPTS: u32 = 10;
/// About how long the first wait between two attempts is; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the answer to a call may take to begin, from when it is sent: a line that went dead says nothing.
const ANSWER: Duration = Duration::from_secs(60);

/// How a call is tried again that was not answered or failed on AWS's side. Those that were refused for the number of calls
/// are [`Limits`]' part.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(FIRST_WAIT).with_max_backoff(LONGEST_WAIT)
}

/// What the command line says about AWS; everything else is the ordinary AWS configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--endpoint-url`: where all calls go, whatever else is configured.
    pub endpoint_url: Option<String>,
    /// Where the calls of some services go instead, by the names that SDKs have for services.
    pub endpoints: BTreeMap<String, String>,
    /// Credentials that are used instead of the configured ones.
    pub credentials: Option<aws_credential_types::Credentials>,
}

/// Where services are reached that are not where the rest is, in the place of what the environment and profiles say of
/// services.
#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

/// A configuration by which some services are reached elsewhere.
fn spread(config: SdkConfig, endpoints: &BTreeMap<String, String>) -> SdkConfig {
    let mut builder = config.into_builder().service_config(Endpoints(endpoints.clone()));
    // An address that was given in the program goes for every service, whatever is said of it.
    builder.insert_origin("endpoint_url", Origin::shared_environment_variable());
    builder.build()
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.get(key.service_id()).filter(|_| key.profile() == "endpoint_url").cloned()
    }
}

/// Tries again after a connection that was closed before the answer, which the SDK takes for an error of its own kind.
/// Creations are sent once and so never come here.
#[derive(Debug)]
struct BrokenLine;

impl ClassifyRetry for BrokenLine {
    fn name(&self) -> &'static str {
        "BrokenLine"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let broken = error.and_then(|error| error.as_connector_error()).is_some_and(|error| error.is_other());
        if broken { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }
}

/// Counts every attempt of every operation, and those that are under way.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    traffic: Traffic,
}

impl Calls {
    /// How often each operation was called, as `service:Operation`.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is under way.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

/// The operation that is being called, as `service:Operation`.
fn operation(config: &ConfigBag) -> Option<String> {
    let metadata = config.load::<Metadata>()?;
    Some(format!("{}:{}", service_prefix(metadata.service()), metadata.name()))
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(name) = operation(config) {
            tracing::trace!(operation = name, "calling AWS");
            self.traffic.sent(&name);
            *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(name) = operation(config) {
            let status = context.response().map(|response| response.status().as_u16());
            tracing::trace!(operation = name, status, "AWS answered");
            self.traffic.ended(&name, status.is_some());
        }
        Ok(())
    }
}

/// The SDK's name of a service as IAM writes it.
pub fn service_prefix(service: &str) -> String {
    match service {
        "Elastic Load Balancing v2" => "elasticloadbalancing".to_owned(),
        "CloudWatch Logs" => "logs".to_owned(),
        "Application Auto Scaling" => "application-autoscaling".to_owned(),
        "EFS" => "elasticfilesystem".to_owned(),
        // IAM counts the Cloud Control API to CloudFormation.
        "CloudControl" => "cloudformation".to_owned(),
        other => other.to_lowercase().replace(' ', ""),
    }
}

/// The credentials of a profile.
fn profile_credentials(profile: &str, client: SharedHttpClient) -> ProfileFileCredentialsProvider {
    ProfileFileCredentialsProvider::builder().configure(&ProviderConfig::default().with_http_client(client)).profile_name(profile).build()
}

/// The clients of every region of an account.
pub struct Clients {
    base: SdkConfig,
    /// Whether its credentials are used whatever profile is named.
    fixed: bool,
    calls: Calls,
    fence: Fence,
    limits: Limits,
    regions: Mutex<BTreeMap<String, Arc<Aws>>>,
}

impl Clients {
    /// Reads the AWS configuration. Credentials are looked for only when first needed.
    ///
    /// # Errors
    /// When a profile is named that is not there.
    pub async fn load(settings: &Settings) -> Result<Self, UnknownProfile> {
        if settings.credentials.is_none() {
            profile::check(settings.profile.as_deref()).await?;
        }
        let fence = Fence::default();
        let connections = Connections::allowed();
        let limits = Limits::new(connections.at_once);
        let http_client = fence.client(connections.idle);
        // An attempt as a whole may take as long as it queues.
        let patience = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries()).timeout_config(patience);
        if let Some(profile) = &settings.profile {
            // Asked for by name, it goes before credentials in the environment.
            loader = loader.profile_name(profile).credentials_provider(profile_credentials(profile, http_client.clone()));
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(credentials) = &settings.credentials {
            loader = loader.credentials_provider(credentials.clone());
        }
        let credentials = limits.identity_cache(IdentityCache::lazy().build());
        let loaded = loader.http_client(http_client).identity_cache(credentials).load().await;
        let base = if settings.endpoints.is_empty() { loaded } else { spread(loaded, &settings.endpoints) };
        let fixed = settings.credentials.is_some();
        Ok(Self { base, fixed, calls: Calls::default(), fence, limits, regions: Mutex::default() })
    }

    /// The clients of another account, by these credentials. What counts and stops calls is the same; they queue for its own
    /// limits, and share the connections.
    pub fn with_credentials(&self, credentials: impl ProvideCredentials + 'static, account: &str) -> Self {
        let limits = self.limits.of_account(account);
        // Roles may be assumed one with the credentials of another, each in a call of its own.
        let cache = limits.identity_cache(IdentityCache::lazy().load_timeout(ANSWER).build());
        let base = self.base.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).identity_cache(cache).build();
        Self { base, fixed: self.fixed, calls: self.calls.clone(), fence: self.fence.clone(), limits, regions: Mutex::default() }
    }

    /// The clients of the account that a profile leads to.
    ///
    /// # Errors
    /// When there is no such profile.
    pub async fn of_profile(&self, profile: &str, account: &str) -> Result<Self, UnknownProfile> {
        if let Some(credentials) = self.base.credentials_provider().filter(|_| self.fixed) {
            return Ok(self.with_credentials(credentials, account));
        }
        profile::check(Some(profile)).await?;
        let client = self.base.http_client().unwrap_or_else(|| self.fence.client(1));
        Ok(self.with_credentials(profile_credentials(profile, client), account))
    }

    /// The clients of a configuration, for tests.
    #[cfg(test)]
    pub fn of(base: SdkConfig) -> Self {
        let limits = Limits::new(64);
        Self { base, fixed: false, calls: Calls::default(), fence: Fence::default(), limits, regions: Mutex::default() }
    }

    /// The region of the AWS configuration.
    pub fn default_region(&self) -> Option<String> {
        self.base.region().map(ToString::to_string)
    }

    /// What has been called so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The address that all calls go to, where one is configured.
    pub fn endpoint(&self) -> Option<&str> {
        self.base.endpoint_url()
    }

    /// What stops calls once the state is not ours.
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// What makes calls queue.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The clients of one region.
    pub fn region(&self, name: &str) -> Arc<Aws> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let config = self.base.to_builder().region(Region::new(name.to_owned())).build();
            Arc::new(Aws::new(name, config, self.calls.clone(), self.fence.clone(), self.limits.clone()))
        };
        Arc::clone(regions.entry(name.to_owned()).or_insert_with(make))
    }
}

/// What the configurations of all clients have in common and have no type in common for.
macro_rules! common {
    ($aws:ident, $builder:expr) => {
        $builder
            .interceptor($aws.calls.clone())
            .interceptor($aws.fence.clone())
            .interceptor($aws.limits.clone())
            .retry_partition(patient())
            .retry_classifier(BrokenLine)
            .retry_classifier(Refusals)
    };
}

/// The clients of a region, and how each is made.
macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $sdk:ident,)*) => {
        /// The clients of one region.
        pub struct Aws {
            /// The region.
            pub region: String,
            config: SdkConfig,
            calls: Calls,
            fence: Fence,
            limits: Limits,
            /// The KMS keys, for all that look for one at the same time.
            pub keys: Shared<Keys>,
            s3: OnceLock<aws_sdk_s3::Client>,
            $($name: OnceLock<$sdk::Client>,)*
        }

        impl Aws {
            fn new(region: &str, config: SdkConfig, calls: Calls, fence: Fence, limits: Limits) -> Self {
                let keys = Shared::default();
                Self { region: region.to_owned(), config, calls, fence, limits, keys, s3: OnceLock::new(), $($name: OnceLock::new(),)* }
            }

            $($(#[$doc])*
            pub fn $name(&self) -> &$sdk::Client {
                self.$name.get_or_init(|| {
                    $sdk::Client::from_conf(common!(self, $sdk::config::Builder::from(&self.config)).build())
                })
            })*
        }
    };
}

clients! {
    /// Certificate Manager.
    acm: aws_sdk_acm,
    /// Application Auto Scaling.
    autoscaling: aws_sdk_applicationautoscaling,
    /// AWS Backup.
    backup: aws_sdk_backup,
    /// Cloud Control.
    cloudcontrol: aws_sdk_cloudcontrol,
    /// CloudFormation.
    cloudformation: aws_sdk_cloudformation,
    /// CloudWatch.
    cloudwatch: aws_sdk_cloudwatch,
    /// Cloud Map.
    discovery: aws_sdk_servicediscovery,
    /// EC2.
    ec2: aws_sdk_ec2,
    /// Elastic Container Registry.
    ecr: aws_sdk_ecr,
    /// Elastic Container Service.
    ecs: aws_sdk_ecs,
    /// Elastic File System.
    efs: aws_sdk_efs,
    /// Elastic Load Balancing v2.
    elb: aws_sdk_elasticloadbalancingv2,
    /// Identity and Access Management.
    iam: aws_sdk_iam,
    /// Key Management Service.
    kms: aws_sdk_kms,
    /// CloudWatch Logs.
    logs: aws_sdk_cloudwatchlogs,
    /// Route 53.
    route53: aws_sdk_route53,
    /// S3 Control.
    s3control: aws_sdk_s3control,
    /// EventBridge Scheduler.
    scheduler: aws_sdk_scheduler,
    /// Secrets Manager.
    secrets: aws_sdk_secretsmanager,
    /// Simple Notification Service.
    sns: aws_sdk_sns,
    /// Systems Manager.
    ssm: aws_sdk_ssm,
    /// Security Token Service.
    sts: aws_sdk_sts,
}

impl Aws {
    /// S3. A configured endpoint is addressed by path: a bucket name in front of it need not resolve.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let config = common!(self, aws_sdk_s3::config::Builder::from(&self.config))
                .force_path_style(self.config.endpoint_url().is_some())
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }
}

/// Sends a creation without the SDK's own retries: whether a lost answer created something has to be found
/// out before anything is sent again, which is the engine's part.
#[macro_export]
macro_rules! send_once {
    ($sdk:ident, $request:expr) => {
        $request
            .customize()
            .config_override($sdk::config::Builder::new().retry_config(aws_smithy_types::retry::RetryConfig::disabled()))
            .send()
    };
}
pub use send_once;

#[cfg(test)]
mod tests {
    use crate::scripted::{Answer, Scripted};

    /// Where these settings send the calls of some services.
    async fn hosts(fips: bool, dual_stack: bool) -> Vec<String> {
        let scripted = Scripted::configured(
            |config| config.use_fips(fips).use_dual_stack(dual_stack),
            |_| Answer::json_error("AccessDeniedException"),
        );
        // What is answered does not matter.
        drop(scripted.aws.ec2().describe_vpcs().send().await);
        drop(scripted.aws.ecs().list_clusters().send().await);
        drop(scripted.aws.s3().head_bucket().bucket("bucket").send().await);
        let mut hosts: Vec<String> = scripted.calls().into_iter().map(|call| call.host).collect();
        hosts.dedup();
        hosts
    }

    #[tokio::test]
    async fn fips_and_dual_stack_endpoints_are_those_that_the_settings_choose() {
        assert_eq!(
            hosts(false, false).await,
            ["ec2.eu-west-1.amazonaws.com", "ecs.eu-west-1.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com"]
        );
        let fips = ["ec2-fips.eu-west-1.amazonaws.com", "ecs-fips.eu-west-1.amazonaws.com", "bucket.s3-fips.eu-west-1.amazonaws.com"];
        assert_eq!(hosts(true, false).await, fips);
        let dual = ["ec2.eu-west-1.api.aws", "ecs.eu-west-1.api.aws", "bucket.s3.dualstack.eu-west-1.amazonaws.com"];
        assert_eq!(hosts(false, true).await, dual);
    }
}
