//! The life of a resource through Cloud Control.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_cloudcontrol::types::{HandlerErrorCode, Operation as Kinds, OperationStatus, ProgressEvent, ResourceRequestStatusFilter};
use futures_util::future::try_join_all;
use serde_json::{Map, Value as Json};

use super::change::changes;
use super::kind::Kind;
use super::passes::codes;
use super::progress::{ended, succeeded};
use super::search::{Expected, Left, Search};
use crate::accounts::Accounts;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::limits::within;
use crate::patience::{PROPAGATION, patiently};
use crate::repeat::{Changing, says};
use leoctl_core::engine::ports::{Failure, FailureKind, Handler, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::place::Site;
use leoctl_core::model::value::Value;

/// Codes after which the same call may succeed a little later: somebody else is at it (Cloud Control API Reference, "Errors").
const TRANSIENT: &[&str] = &["ConcurrentOperationException", "ConcurrentModificationException", "ResourceConflictException"];
/// How long an operation may take where neither the schema nor anything else says so.
const MINUTES: u64 = 60;
/// Between two attempts of what may pass.
const BETWEEN: Duration = Duration::from_secs(2);

/// The handler of a type.
pub struct Generic {
    accounts: Arc<Accounts>,
    kind: &'static Kind,
    /// The requests that are under way, by the id of what they make or change.
    requests: Mutex<BTreeMap<String, ProgressEvent>>,
}

impl Generic {
    /// The handler of this type.
    pub fn new(accounts: Arc<Accounts>, kind: &'static Kind) -> Self {
        Self { accounts, kind, requests: Mutex::default() }
    }

    fn name(&self) -> &'static str {
        self.kind.facts.aws
    }

    async fn model(&self, aws: &Aws, id: &str) -> Outcome<Option<Json>> {
        read_model(aws, self.name(), id).await
    }

    /// Asks for one, again with another token where what kept AWS from making it may have passed: a token stands for what became
    /// of its first request.
    async fn make(&self, aws: &Aws, operation: &Operation, desired: &Value) -> Outcome<String> {
        let model = self.kind.model(desired);
        let passing = codes(self.kind, &model);
        let model = Json::Object(model).to_string();
        // An id that AWS makes up is that of what is being made. Any other may be that of what is there already.
        // What has an id is there, or was, also where its creation has failed; of what was there before it is somebody else's.
        let enough = |event: &ProgressEvent| {
            let is_new = event.error_code() != Some(&HandlerErrorCode::AlreadyExists);
            self.kind.ids_are_made_up() && is_new && event.identifier().is_some_and(|id| !id.is_empty())
        };
        for attempt in 0.. {
            let token = if attempt == 0 { operation.token.clone() } else { format!("{}-{attempt}", operation.token) };
            let call = aws.cloudcontrol().create_resource().type_name(self.name()).desired_state(&model).client_token(token);
            let asked = call.send().await.idempotent("cloudformation:CreateResource").map_err(classified)?;
            let event = ended(aws, operation, asked.progress_event, enough).await?;
            let failure = match succeeded(event.clone()) {
                Err(failure) if !enough(&event) => failure,
                _ => {
                    let id = made_id("cloudformation:CreateResource", event.identifier())?;
                    return Ok(self.begun(id, event));
                }
            };
            if failure.kind != FailureKind::Transient && !may_pass(operation, &failure, &passing) {
                return self.failed(aws, operation, desired, event, failure).await;
            }
            operation.pause(BETWEEN, "waiting to try again").await.map_err(|stopped| stopped_by(stopped, failure))?;
        }
        Err(Failure::new(FailureKind::Other, "it was tried too often"))
    }

    /// Keeps in mind what is still to be heard of a request, or was heard of it and is said when it is waited for.
    fn begun(&self, id: String, event: ProgressEvent) -> String {
        if event.operation_status != Some(OperationStatus::Success) {
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), event);
        }
        id
    }

    /// What a creation came to that has failed for good: what it made all the same is there by now and is known by its id or
    /// its tags; otherwise it has made nothing. Its token would go on to stand for this failure.
    async fn failed(&self, aws: &Aws, operation: &Operation, desired: &Value, event: ProgressEvent, failure: Failure) -> Outcome<String> {
        if !failure.kind.may_exist() {
            return Err(failure);
        }
        match Search::new(aws, self.kind).left_behind(operation, desired).await {
            Ok(Left::Ours(id)) => Ok(self.begun(id, event)),
            Ok(Left::Nothing) => Err(Failure { kind: FailureKind::Refused, ..failure }),
            Ok(Left::Unknown) | Err(_) => Err(failure),
        }
    }

    /// Waits for the request about a resource that is under way, this process's or another one's.
    async fn settle(&self, aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
        let known = self.requests.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let event = match known {
            Some(event) => Some(event),
            None => self.under_way(aws, id).await?,
        };
        match event {
            Some(event) => succeeded(ended(aws, operation, Some(event), |_| false).await?).map(drop),
            None => Ok(()),
        }
    }

    async fn under_way(&self, aws: &Aws, id: &str) -> Outcome<Option<ProgressEvent>> {
        let filter = ResourceRequestStatusFilter::builder()
            .set_operations(Some(vec![Kinds::Create, Kinds::Update]))
            .set_operation_statuses(Some(vec![OperationStatus::Pending, OperationStatus::InProgress]))
            .build();
        let mut pages = aws.cloudcontrol().list_resource_requests().resource_request_status_filter(filter).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("cloudformation:ListResourceRequests")?;
            let all = page.resource_request_status_summaries.unwrap_or_default();
            let ours = |event: &ProgressEvent| event.type_name() == Some(self.name()) && event.identifier() == Some(id);
            if let Some(event) = all.into_iter().find(ours) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    async fn change(&self, aws: &Aws, operation: &Operation, id: &str, from: &Value, to: &Value) -> Outcome<()> {
        let changes = changes(self.kind, from, to);
        if changes.is_empty() {
            return Ok(());
        }
        let call = aws.cloudcontrol().update_resource().type_name(self.name()).identifier(id);
        let call = call.patch_document(Json::Array(changes).to_string()).client_token(uuid::Uuid::new_v4().to_string());
        let asked = call.send().await.idempotent("cloudformation:UpdateResource").map_err(classified)?;
        let event = ended(aws, operation, asked.progress_event, |_| false).await?;
        succeeded(event).map(drop).map_err(|failure| match may_pass(operation, &failure, &codes(self.kind, &self.kind.model(to))) {
            true => Failure { kind: FailureKind::Transient, ..failure },
            false => failure,
        })
    }

    async fn remove(&self, aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
        let call = aws.cloudcontrol().delete_resource().type_name(self.name()).identifier(id);
        let call = call.client_token(uuid::Uuid::new_v4().to_string());
        let Some(asked) = call.send().await.or_gone("cloudformation:DeleteResource").map_err(classified)? else { return Ok(()) };
        ended(aws, operation, asked.progress_event, |_| false).await.and_then(succeeded).or_absent().map(drop)
    }
}

/// The model of a resource; nothing where there is none of this id.
///
/// # Errors
/// When AWS refuses.
pub async fn read_model(aws: &Aws, type_name: &str, id: &str) -> Outcome<Option<Json>> {
    let call = aws.cloudcontrol().get_resource().type_name(type_name).identifier(id);
    let found = call.send().await.or_fail("cloudformation:GetResource").or_absent().map_err(classified)?;
    let properties = found.and_then(|found| found.resource_description?.properties);
    properties.map(|text| parsed(&text)).transpose()
}

pub(super) fn parsed(text: &str) -> Outcome<Json> {
    let wrong = |error: serde_json::Error| Failure::new(FailureKind::Other, format!("AWS returned a resource that is not JSON: {error}"));
    serde_json::from_str::<Map<String, Json>>(text).map(Json::Object).map_err(wrong)
}

/// A failure of a call: what Cloud Control's own codes mean beyond AWS's common ones.
pub(super) fn classified(mut failure: Failure) -> Failure {
    if says(&failure, TRANSIENT) {
        failure.kind = FailureKind::Transient;
    }
    // An earlier request had this token, and may have made something.
    if says(&failure, &["ClientTokenConflictException"]) {
        failure.kind = FailureKind::Other;
    }
    failure
}

/// Whether a failure with one of these codes may mean that what was just made is not known everywhere.
fn may_pass(operation: &Operation, failure: &Failure, codes: &[&str]) -> bool {
    let early = operation.deadline.saturating_duration_since(Instant::now()) + PROPAGATION > operation.timeout;
    early && says(failure, codes)
}

/// What is said when a wait before another attempt was ended.
fn stopped_by(stopped: Failure, failure: Failure) -> Failure {
    if stopped.kind == FailureKind::Interrupted { stopped } else { Failure { kind: FailureKind::Refused, ..failure } }
}

#[async_trait]
impl Handler for Generic {
    async fn read(&self, site: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Value>> {
        let aws = self.accounts.at(site)?;
        let reads = ids.iter().map(|id| {
            let aws = &aws;
            async move { Ok::<_, Failure>((id, self.model(aws, id).await?)) }
        });
        let found = try_join_all(reads).await?;
        Ok(found.into_iter().filter_map(|(id, model)| Some((id.clone(), self.kind.attributes(id, &model?)))).collect())
    }

    async fn find(&self, wanted: &Wanted) -> Outcome<Option<String>> {
        let aws = self.accounts.at(&wanted.site())?;
        match self.kind.id_of(&wanted.desired) {
            Some(id) if wanted.is_known(&id) => Ok(None),
            Some(id) => Ok(self.model(&aws, &id).await?.map(|_| id)),
            // Of what no list shows the tags of, each is looked at where one may have been made that is not known.
            None => Search::new(&aws, self.kind).tagged(&wanted.desired, wanted.token.is_some(), &Expected::of(wanted)).await,
        }
    }

    async fn create(&self, operation: &Operation, desired: &Value) -> Outcome<String> {
        let aws = self.accounts.at(&operation.site)?;
        within(operation, self.make(&aws, operation, desired)).await
    }

    async fn finish_create(&self, operation: &Operation, id: &str, _desired: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        within(operation, patiently(operation, || self.settle(&aws, operation, id))).await
    }

    async fn update(&self, operation: &Operation, id: &str, from: &Value, to: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        within(operation, self.change(&aws, operation, id, from, to)).await
    }

    async fn wait_ready(&self, operation: &Operation, id: &str, _updating: &[String], _desired: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        within(operation, self.settle(&aws, operation, id)).await
    }

    async fn delete(&self, operation: &Operation, id: &str, _last: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        within(operation, self.remove(&aws, operation, id)).await
    }

    fn timeout(&self, _wanted: &Value) -> Duration {
        let minutes = self.kind.knowledge.minutes.or(self.kind.facts.minutes()).unwrap_or(MINUTES);
        Duration::from_secs(minutes * 60)
    }

    fn usual(&self, wanted: &Value) -> Option<Usual> {
        self.kind.usual(wanted)
    }
}
