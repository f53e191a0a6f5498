//! Stops calls on their way out once it is no longer sure that the state is ours, however long this process slept on
//! the way: before a call is signed, whenever it is looked after while it connects, and when its body is written.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::connect::Connections;
use super::unanswered;

/// Says whether the state, and so what it is about, is still ours to change.
pub type StillOurs = Arc<dyn Fn() -> bool + Send + Sync>;

/// What stops calls.
#[derive(Clone, Default)]
pub struct Fence(Arc<OnceLock<StillOurs>>);

/// Why a call was stopped by the [`Fence`].
#[derive(Debug, thiserror::Error)]
#[error("the lock on the state may be somebody else's by now")]
pub struct NotOurs;

impl Fence {
    /// From now on calls go out only while `still_ours` says so.
    pub fn set(&self, still_ours: StillOurs) {
        // Set once, with the lock it belongs to.
        drop(self.0.set(still_ours));
    }

    /// The ordinary HTTP client, behind this fence, that keeps so many connections to each service for later calls.
    pub fn client(&self, idle: usize) -> SharedHttpClient {
        SharedHttpClient::new(Fenced { inner: SharedHttpClient::new(Connections::kept(idle)), fence: self.clone() })
    }

    fn pass(&self) -> Result<(), NotOurs> {
        match self.0.get() {
            Some(still_ours) if !still_ours() => Err(NotOurs),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fence")
    }
}

impl Intercept for Fence {
    fn name(&self) -> &'static str {
        "Fence"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(self.pass()?)
    }
}

/// An HTTP client or a connector of it behind a fence.
#[derive(Debug)]
struct Fenced<T> {
    inner: T,
    fence: Fence,
}

impl HttpClient for Fenced<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Fenced { inner, fence: self.fence.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Fenced<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let fence = self.fence.clone();
        let address = unanswered::address(request.uri());
        if self.fence.0.get().is_some() {
            let body = Fenced { inner: request.take_body(), fence: fence.clone() };
            *request.body_mut() = SdkBody::from_body_1_x(body);
        }
        let mut call = Box::pin(self.inner.call(request));
        HttpConnectorFuture::new(poll_fn(move |context| match fence.pass() {
            Ok(()) => call.as_mut().poll(context).map_err(|error| unanswered::named(error, &address)),
            Err(not_ours) => Poll::Ready(Err(ConnectorError::user(not_ours.into()))),
        }))
    }
}

impl Body for Fenced<SdkBody> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.fence.pass() {
            Ok(()) => Pin::new(&mut self.inner).poll_frame(context),
            Err(not_ours) => Poll::Ready(Some(Err(not_ours.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.inner)
    }
}
