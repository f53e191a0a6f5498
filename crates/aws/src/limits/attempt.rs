//! Where the SDK's calls queue.
//!
//! Before each attempt, and before it is signed, the SDK asks its cache for credentials and waits for them: that is the
//! one place where a call can be kept waiting. Interceptors cannot wait; what makes connections gets a call that is signed
//! already, and a signature is good for five minutes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};
use aws_types::region::Region;

use super::pace::End;
use super::{Limits, Permit, is_out_of_time};

/// The longest wait of a call that was refused for the number of calls before it queues again: the queue is what slows it
/// down.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// Retries without a budget. The SDK's ends all retries of a service after about a hundred refusals, which no time brings
/// back; here the queue keeps refusals few, and a call has only so many attempts.
pub fn patient() -> RetryPartition {
    RetryPartition::custom("leoctl").token_bucket(TokenBucket::unlimited()).build()
}

/// The permit of the attempt that is under way.
#[derive(Clone, Debug, Default)]
struct Attempt(Arc<Mutex<Option<Permit>>>);

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

impl Attempt {
    fn permit(&self) -> std::sync::MutexGuard<'_, Option<Permit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a call is retried, without the attempts that were refused for the number of calls.
#[derive(Clone, Debug)]
struct Allowed {
    own: RetryConfig,
    refused: u32,
}

impl Storable for Allowed {
    type Storer = StoreReplace<Self>;
}

/// For clients whose calls wait for no others.
#[derive(Clone, Debug)]
pub struct Unqueued;

impl Storable for Unqueued {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Unqueued {
    fn name(&self) -> &'static str {
        "Unqueued"
    }

    fn read_before_execution(&self, _: &BeforeSerializationInterceptorContextRef<'_>, config: &mut ConfigBag) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Self);
        Ok(())
    }
}

/// The cache of credentials, behind the queues.
#[derive(Debug)]
struct Queued {
    cache: SharedIdentityCache,
    limits: Limits,
}

impl Limits {
    /// A cache of credentials that gives them to a call when it is its turn. It needs these limits as an interceptor of the
    /// client, too.
    pub fn identity_cache(&self, cache: impl ResolveCachedIdentity + 'static) -> SharedIdentityCache {
        SharedIdentityCache::new(Queued { cache: SharedIdentityCache::new(cache), limits: self.clone() })
    }
}

impl ResolveCachedIdentity for Queued {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            if let (Some(attempt), Some(metadata)) = (config.load::<Attempt>(), config.load::<Metadata>())
                && attempt.permit().is_none()
            {
                let region = config.load::<Region>().map_or("", Region::as_ref);
                let permit = self.limits.enter(metadata.service(), region).await?;
                *attempt.permit() = Some(permit);
            }
            self.cache.resolve_cached_identity(resolver, components, config).await
        })
    }

    fn validate_base_client_config(&self, components: &RuntimeComponentsBuilder, config: &ConfigBag) -> Result<(), BoxError> {
        self.cache.validate_base_client_config(components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.cache.validate_final_config(components, config)
    }
}

impl Intercept for Limits {
    fn name(&self) -> &'static str {
        "Limits"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<Unqueued>().is_none() {
            config.interceptor_state().store_put(Attempt::default());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let end = match context.response() {
            None => End::Unanswered,
            Some(_) if is_refused(context.inner(), components) => End::Refused,
            Some(_) => End::Taken,
        };
        if let Some(permit) = config.load::<Attempt>().and_then(|attempt| attempt.permit().take()) {
            permit.ended(end);
        }
        allow(end == End::Refused, config);
        Ok(())
    }
}

/// An attempt that was refused for the number of calls is not counted among a call's attempts; without time left it is the
/// last.
fn allow(refused: bool, config: &mut ConfigBag) {
    let Some(current) = config.load::<RetryConfig>().cloned() else { return };
    if refused && is_out_of_time() {
        config.interceptor_state().store_put(current.with_max_attempts(1));
        return;
    }
    let mut allowed = config.load::<Allowed>().cloned().unwrap_or(Allowed { own: current, refused: 0 });
    allowed.refused += u32::from(refused);
    if allowed.refused == 0 {
        return;
    }
    let now = allowed.own.clone().with_max_attempts(allowed.own.max_attempts().saturating_add(allowed.refused));
    let now = if refused { now.with_max_backoff(AFTER_REFUSAL) } else { now };
    config.interceptor_state().store_put(now);
    config.interceptor_state().store_put(allowed);
}

/// Whether a call was refused for the number of calls, by what the SDK knows of its service's errors.
fn is_refused(context: &InterceptorContext, components: &RuntimeComponents) -> bool {
    if !context.is_failed() {
        return false;
    }
    let mut refused = false;
    for classifier in components.retry_classifiers() {
        match classifier.classify_retry(context) {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => refused = kind == ErrorKind::ThrottlingError,
            RetryAction::RetryForbidden => return false,
            _ => {}
        }
    }
    refused
}

/// What the SDK takes for something else than it is.
#[derive(Debug)]
pub struct Refusals;

impl ClassifyRetry for Refusals {
    fn name(&self) -> &'static str {
        "Refusals"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response().filter(|_| context.is_failed()) else { return RetryAction::NoActionIndicated };
        // In all services called here it is the number of resources that is limited, and EFS's own code is that of a change
        // that a day has to pass before (EFS API Reference, UpdateFileSystem): a retry only delays saying so.
        if names(response, "LimitExceededException") || names(response, "TooManyRequests") {
            return RetryAction::RetryForbidden;
        }
        // SNS and EventBridge Scheduler have codes of their own for it.
        if response.status().as_u16() == 429 { RetryAction::throttling_error() } else { RetryAction::NoActionIndicated }
    }
}

/// Whether this is the code of an error, in one of the forms in which services that speak JSON say it.
fn names(response: &HttpResponse, code: &str) -> bool {
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = std::str::from_utf8(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    let body: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let kind = ["__type", "ErrorCode"].iter().find_map(|key| Some(body.as_ref()?.get(key)?.as_str()?.to_owned()));
    let is = |said: &str| said.split(':').next().and_then(|said| said.rsplit('#').next()) == Some(code);
    is(header) || kind.is_some_and(|kind| is(&kind))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_config::identity::IdentityCache;
    use aws_credential_types::Credentials;
    use aws_sdk_ecs::Client;
    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_types::body::SdkBody;
    use tokio::sync::watch;
    use tokio::time::Instant;

    use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Progress};
    use leoctl_core::model::place::Site;

    use super::*;
    use crate::error::OrFail;
    use crate::limits::within;
    use crate::send_once;

    /// Answers so many calls with an error and all others with a list.
    #[derive(Clone, Debug)]
    struct Service {
        errors: usize,
        status: u16,
        code: &'static str,
        calls: Arc<AtomicUsize>,
    }

    impl HttpConnector for Service {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let refused = self.calls.fetch_add(1, Ordering::SeqCst) < self.errors;
            let body = if refused { format!(r#"{{"__type":"com.amazonaws.ecs#{}"}}"#, self.code) } else { "{}".to_owned() };
            let status = if refused { self.status } else { 200 };
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
        }
    }

    impl Service {
        fn new(errors: usize, status: u16, code: &'static str) -> Self {
            Self { errors, status, code, calls: Arc::default() }
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::SeqCst)
        }

        fn client(&self) -> Client {
            let (limits, connector) = (Limits::new(96), SharedHttpConnector::new(self.clone()));
            let config = aws_sdk_ecs::Config::builder()
                .behavior_version(aws_config::BehaviorVersion::latest())
                .region(aws_sdk_ecs::config::Region::new("eu-west-1"))
                .credentials_provider(Credentials::new("a", "b", None, None, "test"))
                .http_client(http_client_fn(move |_, _| connector.clone()))
                .identity_cache(limits.identity_cache(IdentityCache::lazy().build()))
                .retry_config(RetryConfig::standard().with_max_attempts(4))
                .retry_partition(patient())
                .retry_classifier(Refusals)
                .interceptor(limits);
            Client::from_conf(config.build())
        }

        async fn list(&self) -> Outcome<()> {
            self.client().list_clusters().send().await.or_fail("ecs:ListClusters").map(drop)
        }
    }

    fn kind(outcome: Outcome<()>) -> Option<FailureKind> {
        outcome.err().map(|failure: Failure| failure.kind)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_made_until_it_is_not_refused_for_the_number_of_calls() {
        for (status, code) in [(400, "ThrottlingException"), (429, "TooMany"), (503, "SlowDown")] {
            let service = Service::new(150, status, code);
            assert_eq!((kind(service.list().await), service.calls()), (None, 151), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_have_as_many_attempts_as_before() {
        let service = Service::new(150, 500, "InternalFailure");
        assert_eq!((kind(service.list().await), service.calls()), (Some(FailureKind::Ambiguous), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_the_number_of_resources_is_said_at_once() {
        let service = Service::new(150, 400, "LimitExceededException");
        assert_eq!((kind(service.list().await), service.calls()), (Some(FailureKind::Refused), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_a_day_has_to_pass_before_is_said_at_once() {
        let service = Service::new(150, 429, "TooManyRequests");
        assert_eq!(service.list().await.map_err(|failure| failure.code), Err(Some("TooManyRequests".to_owned())));
        assert_eq!(service.calls(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_once_is_sent_again_when_it_was_refused() {
        let service = Service::new(5, 400, "ThrottlingException");
        let made = send_once!(aws_sdk_ecs, service.client().create_cluster()).await;
        assert!(made.is_ok(), "{made:?}");
        assert_eq!(service.calls(), 6);
        let lost = Service::new(5, 500, "InternalFailure");
        assert!(send_once!(aws_sdk_ecs, lost.client().create_cluster()).await.is_err());
        assert_eq!(lost.calls(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_is_refused_until_its_deadline() {
        let service = Service::new(usize::MAX, 400, "ThrottlingException");
        let (_, interrupted) = watch::channel(false);
        let (timeout, began) = (Duration::from_secs(60), Instant::now());
        let (site, progress) = (Site::new("1", "eu-west-1"), Progress(Arc::new(|_| {})));
        let deadline = (began + timeout).into_std();
        let operation = Operation { site, token: String::new(), replaces: None, deadline, timeout, interrupted, progress };
        assert_eq!(kind(within(&operation, service.list()).await), Some(FailureKind::Transient));
        let took = began.elapsed();
        // A pause between two attempts may end behind it, and nothing is sent then.
        assert!(timeout - Duration::from_secs(5) < took && took <= timeout + AFTER_REFUSAL, "{took:?}");
    }
}
