//! The life of a resource through Cloud Control.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_cloudcontrol::types::{HandlerErrorCode, Operation as Kinds, OperationStatus, ProgressEvent, ResourceRequestStatusFilter};
use futures_util::future::try_join_all;
use serde_json::{Map, Value as Json};

use super::change::changes;
use super::facts::Verb;
use super::kind::Kind;
use super::progress::ended;
use crate::accounts::Accounts;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::limits::within;
use crate::patience::{PROPAGATION, patiently};
use crate::repeat::{Changing, says};
use leoctl_core::engine::ports::{Failure, FailureKind, Handler, Operation, Outcome, Wanted};
use leoctl_core::model::place::Site;
use leoctl_core::model::value::Value;

/// Codes after which the same call may succeed a little later: somebody else is at it (Cloud Control API Reference, "Errors").
const TRANSIENT: &[&str] = &["ConcurrentOperationException", "ConcurrentModificationException", "ResourceConflictException"];
/// How long an operation may take where neither the schema nor anything else says so.
const MINUTES: u64 = 60;
/// Between two attempts of what may pass.
const BETWEEN: Duration = Duration::from_secs(2);
/// Of how many that no list shows the tags of each is looked at, when one is looked for that may have been made.
const LOOKED_AT: usize = 200;

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
        let model = Json::Object(self.kind.model(desired)).to_string();
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
            match ended(aws, operation, asked.progress_event, enough).await {
                Ok(event) => {
                    let id = made_id("cloudformation:CreateResource", event.identifier())?;
                    if event.operation_status != Some(OperationStatus::Success) {
                        self.requests.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), event);
                    }
                    return Ok(id);
                }
                Err(failure) if failure.kind == FailureKind::Transient || self.may_pass(operation, &failure) => {
                    operation.pause(BETWEEN, "waiting to try again").await.map_err(|stopped| stopped_by(stopped, failure))?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::new(FailureKind::Other, "it was tried too often"))
    }

    /// Whether a failure may mean that what was just made is not known everywhere.
    fn may_pass(&self, operation: &Operation, failure: &Failure) -> bool {
        let early = operation.deadline.saturating_duration_since(Instant::now()) + PROPAGATION > operation.timeout;
        let passes: Vec<&str> = self.kind.knowledge.passes.iter().map(String::as_str).collect();
        early && says(failure, &passes)
    }

    fn passing(&self, operation: &Operation, mut failure: Failure) -> Failure {
        if self.may_pass(operation, &failure) {
            failure.kind = FailureKind::Transient;
        }
        failure
    }

    /// Waits for the request about a resource that is under way, this process's or another one's.
    async fn settle(&self, aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
        let known = self.requests.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let event = match known {
            Some(event) => Some(event),
            None => self.under_way(aws, id).await?,
        };
        match event {
            Some(event) => ended(aws, operation, Some(event), |_| false).await.map(drop),
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
        ended(aws, operation, asked.progress_event, |_| false).await.map(drop).map_err(|failure| self.passing(operation, failure))
    }

    async fn remove(&self, aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
        let call = aws.cloudcontrol().delete_resource().type_name(self.name()).identifier(id);
        let call = call.client_token(uuid::Uuid::new_v4().to_string());
        let Some(asked) = call.send().await.or_gone("cloudformation:DeleteResource").map_err(classified)? else { return Ok(()) };
        ended(aws, operation, asked.progress_event, |_| false).await.or_absent().map(drop)
    }

    /// The id of one that has the wanted one's ownership tags. A list may show them; of what it does not show, each is looked at
    /// where one may have been made that is not known.
    async fn tagged(&self, aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        if !self.kind.facts.can(Verb::List) {
            return Ok(None);
        }
        let call = aws.cloudcontrol().list_resources().type_name(self.name()).set_resource_model(self.kind.listed_by(&wanted.desired));
        let mut pages = call.into_paginator().send();
        let mut silent = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("cloudformation:ListResources").or_absent().map_err(classified)?;
            let Some(page) = page else { break };
            for found in page.resource_descriptions.unwrap_or_default() {
                let Some(id) = found.identifier.filter(|id| !wanted.is_known(id)) else { continue };
                let model = found.properties.as_deref().map(parsed).transpose()?.unwrap_or_default();
                match self.kind.attributes(&id, &model).get("tags") {
                    Some(_) if self.owns(wanted, &id, &model) => return Ok(Some(id)),
                    Some(_) => {}
                    None => silent.push(id),
                }
            }
        }
        if wanted.token.is_none() {
            return Ok(None);
        }
        silent.truncate(LOOKED_AT);
        let looks = silent.into_iter().map(|id| async move {
            let model = self.model(aws, &id).await?;
            Ok::<_, Failure>(model.filter(|model| self.owns(wanted, &id, model)).map(|_| id))
        });
        Ok(try_join_all(looks).await?.into_iter().flatten().next())
    }

    fn owns(&self, wanted: &Wanted, id: &str, model: &Json) -> bool {
        let attributes = self.kind.attributes(id, model);
        let tags = attributes.get("tags").and_then(Value::as_map).into_iter().flatten();
        wanted.owns(&tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
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

fn parsed(text: &str) -> Outcome<Json> {
    let wrong = |error: serde_json::Error| Failure::new(FailureKind::Other, format!("AWS returned a resource that is not JSON: {error}"));
    serde_json::from_str::<Map<String, Json>>(text).map(Json::Object).map_err(wrong)
}

/// A failure of a call: what Cloud Control's own codes mean beyond AWS's common ones.
fn classified(mut failure: Failure) -> Failure {
    if says(&failure, TRANSIENT) {
        failure.kind = FailureKind::Transient;
    }
    // An earlier request had this token, and may have made something.
    if says(&failure, &["ClientTokenConflictException"]) {
        failure.kind = FailureKind::Other;
    }
    failure
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
            None => self.tagged(&aws, wanted).await,
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
}
