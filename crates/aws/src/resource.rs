//! The contract of a resource type, and the adapter that makes an engine handler of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::accounts::Accounts;
use super::client::Aws;
use super::limits::within;
use super::patience::{PROPAGATION, patiently};
use super::permissions::{Grant, Permissions};
use super::registry;
use leoctl_core::engine::ports::{Failure, FailureKind, Handler, Operation, Outcome, SEEN_WITHIN, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::fit::misfit;
use leoctl_core::model::path::Path;
use leoctl_core::model::place::{Scope, Site};
use leoctl_core::model::schema::{After, Governed, Governs, HangsOn, Inside, NamedIn, Refusal, Release, prefix_of};
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::Governor;

/// Tags as a resource has them.
pub type Tags = BTreeMap<String, String>;

/// What a type says of itself beyond its attributes.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Within what its ids tell one from another.
    pub scope: Scope,
    /// Whether a replacement is made before the old one goes: for types of which two can exist side by side.
    pub create_before_destroy: bool,
    /// What no two can have in common, such as a name: groups of attributes that AWS allows once in `scope`. A group
    /// whose last attribute is absent says nothing. A replacement in which each of these differs in some attribute is
    /// made before the old one goes.
    pub unique: &'static [&'static [&'static str]],
    /// Lists of which each element can be only one resource's.
    pub exclusive: &'static [&'static str],
    /// The lists of others in which the same can stand: there or here, AWS has it once.
    pub inside: &'static [Inside],
    /// An attribute of `unique` that one call gives to many at once ([`Resource::reassign`]), so that they can exchange it.
    pub joint: Option<&'static str>,
    /// What a replacement and its predecessor cannot have in common either, though others may.
    pub conflicts: &'static [&'static [&'static str]],
    /// The types of which one that uses it keeps AWS from deleting it.
    pub held_by: &'static [&'static str],
    /// What deleting one loses that cannot be made again.
    pub data_loss: Option<&'static str>,
    /// The attribute without which AWS deletes only an empty one, so that nothing is lost.
    pub emptied_by: Option<&'static str>,
    /// Why AWS neither makes one when it is asked nor deletes it, such as the default security group of a VPC: `create` then
    /// takes over what is there, and deleting one forgets it.
    pub stays: Option<&'static str>,
    /// What one is made after and deleted before, though nothing in it refers to these.
    pub after: &'static [After],
    /// Attributes whose values have to stand in another resource.
    pub named_in: &'static [NamedIn],
    /// What one that takes no tags belongs to: with any of these it is the stack's that has that one.
    pub hangs_on: &'static [HangsOn],
    /// What an update can take away only after others have stopped using it.
    pub releases: &'static [Release],
    /// Codes after which the same call may succeed a little later, until the operation's deadline: something is still
    /// detaching, or being changed by somebody else.
    pub transient: &'static [Retry],
    /// Codes that mean something wrong, and in the first two minutes also that what the call names, such as a role
    /// just made, is not known everywhere in AWS yet.
    pub propagating: &'static [Retry],
    /// How long an operation may take when the stack file does not say, in seconds.
    pub timeout: u64,
    /// How long its operations usually take.
    pub usual: Usual,
    /// How long AWS may go on reading as it was after a change.
    pub seen_within: Duration,
}

/// How long that is of services that are consistent only eventually (IAM User Guide, "Changes that I make are not always
/// immediately visible"; KMS Developer Guide, "AWS KMS eventual consistency").
pub const EVENTUALLY: Duration = Duration::from_secs(20);

impl Info {
    /// A type with no peculiarities.
    pub const DEFAULT: Self = Self {
        scope: Scope::Regional,
        create_before_destroy: false,
        unique: &[],
        exclusive: &[],
        inside: &[],
        joint: None,
        conflicts: &[],
        held_by: &[],
        data_loss: None,
        emptied_by: None,
        stays: None,
        after: &[],
        named_in: &[],
        hangs_on: &[],
        releases: &[],
        transient: &[],
        propagating: &[],
        timeout: 600,
        usual: Usual::AT_ONCE,
        seen_within: SEEN_WITHIN,
    };
}

/// A code after which some calls are made again: what it means depends on the call.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// AWS's error code.
    pub code: &'static str,
    /// The operations, as `service:Operation`; empty for a code that means the same whichever says it.
    pub of: &'static [&'static str],
}

impl Retry {
    /// After `code` of one of these operations.
    pub const fn after(code: &'static str, of: &'static [&'static str]) -> Self {
        Self { code, of }
    }

    /// After `code` of whatever operation.
    pub const fn always(code: &'static str) -> Self {
        Self { code, of: &[] }
    }

    fn is_meant(&self, failure: &Failure) -> bool {
        failure.code.as_deref() == Some(self.code) && (self.of.is_empty() || self.of.contains(&failure.operation.as_str()))
    }
}

/// One resource type: its attributes are the fields of the implementing struct, its documentation their doc
/// comments, its schema derived from both.
///
/// All operations tolerate having been done already: leoctl may die at any instant and run them again.
pub trait Resource: Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq + Send + Sync + 'static {
    /// The type's name in stack files.
    const TYPE: &'static str;
    /// What it says of itself.
    const INFO: Info = Info::DEFAULT;
    /// What its operations take of IAM.
    const PERMISSIONS: Permissions;

    /// Checks across attributes; what is absent or unknown is not a problem.
    fn check(_desired: &Value) -> Vec<(Path, String)> {
        Vec::new()
    }

    /// Why AWS would refuse to delete this very one; nothing when it would not.
    fn protected(_live: &Value) -> Option<&'static str> {
        None
    }

    /// What of this very one something else in AWS sets now, such as autoscaling: what is written of it is for its
    /// creation, and not compared.
    fn governed(_live: &Value, _wanted: &Value) -> Vec<Governed> {
        Vec::new()
    }

    /// What this very one lets something else in AWS set of others, such as the target groups of a rule between which a
    /// deployment moves requests.
    fn governs(_live: &Value) -> Vec<Governs> {
        Vec::new()
    }

    /// What is wanted, with what the live one chooses among these values ([`Resource::governs`]), as long as both choose
    /// among them.
    fn yields(wanted: &Value, _live: &Value, _among: &[String]) -> Value {
        wanted.clone()
    }

    /// Whether a change from one to the other may undo what something else has chosen: then [`Resource::governors`] is asked.
    /// `drifted` says that somebody else has changed it since the last apply.
    fn undoes(_before: &Value, _after: &Value, _drifted: bool) -> bool {
        false
    }

    /// Who chooses something of these for the sake of what this stack may not know, by id.
    fn governors(_aws: &Aws, _ids: &[String]) -> impl Future<Output = Outcome<BTreeMap<String, Vec<Governor>>>> + Send {
        async { Ok(BTreeMap::new()) }
    }

    /// The attributes whose change from one to the other takes a replacement, though not every change of them does.
    fn replaces(_before: &Value, _after: &Value) -> &'static [&'static str] {
        &[]
    }

    /// Why AWS would refuse to make one of the other in place, and the way out; nothing when it would not.
    fn refuses(_before: &Value, _after: &Value) -> Option<Refusal> {
        None
    }

    /// How much longer than [`Info::timeout`] it may take to make what is wanted, as that says itself.
    fn takes(_wanted: &Value) -> Duration {
        Duration::ZERO
    }

    /// Those of `ids` that exist, in as few calls as the API allows.
    fn read(aws: &Aws, ids: &[String]) -> impl Future<Output = Outcome<Vec<(String, Self)>>> + Send;

    /// Its id as [`Resource::create`] returns it, whatever form it was `asked` for in: said by every type whose API takes
    /// more than one, so that no resource is remembered under two.
    fn id(&self, asked: &str) -> String {
        asked.to_owned()
    }

    /// The id of the resource at the wanted one's place: of the same unique name, or with its ownership tags.
    fn find(aws: &Aws, wanted: &Wanted) -> impl Future<Output = Outcome<Option<String>>> + Send;

    /// Whether what [`Resource::find`] finds without an owner is taken over, as making one would change nothing.
    fn takes_over() -> bool {
        Self::INFO.stays.is_some()
    }

    /// What is read of one id. An answer may hold others, whatever was asked for: what is done to a resource never rests
    /// on what is read of another.
    fn read_one(aws: &Aws, id: &str) -> impl Future<Output = Outcome<Option<Self>>> + Send {
        async move {
            let found = Self::read(aws, &[id.to_owned()]).await?;
            Ok(found.into_iter().find(|(found, _)| found == id).map(|(_, resource)| resource))
        }
    }

    /// The id of what the creation with this token made, whatever tags it has: of types whose API shows the token of what
    /// it returns. Nothing where it does not.
    fn find_by_token(_aws: &Aws, _wanted: &Wanted, _token: &str) -> impl Future<Output = Outcome<Option<String>>> + Send {
        async { Ok(None) }
    }

    /// The id that stands for a resource now, when something else may have made a newer revision of it.
    fn successor(_aws: &Aws, id: &str, _used: &[String]) -> impl Future<Output = Outcome<String>> + Send {
        async { Ok(id.to_owned()) }
    }

    /// Makes the resource in one call, with tags and token where the API takes them; its id.
    fn create(aws: &Aws, operation: &Operation, to: &Self) -> impl Future<Output = Outcome<String>> + Send;

    /// What [`Resource::create`] alone makes of `to`: what differs from `to` is then done by [`Resource::update`].
    fn as_created(to: &Self) -> Self {
        to.clone()
    }

    /// Changes what differs between `from` and `to`.
    fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> impl Future<Output = Outcome<()>> + Send;

    /// Gives each of these its value of the joint attribute of [`Info::joint`]: all in one call, or none.
    fn reassign(_aws: &Aws, _operation: &Operation, _to: &[(String, Value)]) -> impl Future<Output = Outcome<()>> + Send {
        async { Err(Failure::new(FailureKind::Invalid, format!("{} changes nothing jointly", Self::TYPE))) }
    }

    /// Waits until a created or changed resource can be used.
    fn ready(_aws: &Aws, _operation: &Operation, _id: &str, _to: &Self) -> impl Future<Output = Outcome<()>> + Send {
        async { Ok(()) }
    }

    /// Waits until a resource that was changed can be used again.
    fn changed(aws: &Aws, operation: &Operation, id: &str, _from: &Self, to: &Self) -> impl Future<Output = Outcome<()>> + Send {
        Self::ready(aws, operation, id, to)
    }

    /// Waits until a resource can be used again of which an update that did not end was setting these attributes; none where
    /// it was being made.
    fn resumed(aws: &Aws, operation: &Operation, id: &str, _updating: &[String], to: &Self) -> impl Future<Output = Outcome<()>> + Send {
        Self::ready(aws, operation, id, to)
    }

    /// Deletes it and waits until it is gone. `last` is how it was last seen.
    fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> impl Future<Output = Outcome<()>> + Send;
}

/// One data source: arguments and answers are the fields of the implementing struct.
pub trait DataSource: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The data source's name in stack files.
    const TYPE: &'static str;
    /// What reading it takes of IAM.
    const PERMISSIONS: &'static [Grant];

    /// The attributes of this answer that are never shown or stored.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fills in what AWS says. A failure without an operation is the stack file's fault.
    fn read(self, aws: &Aws) -> impl Future<Output = Outcome<Self>> + Send;
}

/// The JSON Schema of a type, every part in its place.
pub fn json_schema<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A failure that is the stack file's fault, found while reading a data source.
pub fn wrong_argument(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Invalid, message)
}

/// Makes an engine handler of a [`Resource`].
pub struct Typed<R> {
    accounts: Arc<Accounts>,
    resource: PhantomData<fn() -> R>,
}

impl<R: Resource> Typed<R> {
    /// The handler of `R`.
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts, resource: PhantomData }
    }

    /// Carries out an operation.
    async fn carried_out<T>(operation: &Operation, work: impl Future<Output = Outcome<T>> + Send) -> Outcome<T> {
        Self::classify(operation, within(operation, work).await)
    }

    fn classify<T>(operation: &Operation, outcome: Outcome<T>) -> Outcome<T> {
        outcome.map_err(|mut failure| {
            let early = operation.deadline.saturating_duration_since(Instant::now()) + PROPAGATION > operation.timeout;
            let is_meant = |retries: &[Retry]| retries.iter().any(|retry| retry.is_meant(&failure));
            if is_meant(R::INFO.transient) || early && is_meant(R::INFO.propagating) {
                failure.kind = FailureKind::Transient;
            }
            failure
        })
    }
}

/// A value as a resource: what is of the wrong kind in it is said in the words of stack files.
fn typed<R: Resource>(value: &Value) -> Outcome<R> {
    let json = value.to_json().map_err(|path| Failure::new(FailureKind::Invalid, format!("`{path}` is not known")))?;
    let json = without_prefix::<R>(json);
    // What the library that reads it says is in its own words, and may repeat a secret.
    serde_json::from_value(json).map_err(|_| {
        let schema = registry::catalog().resources.get(R::TYPE);
        let wrong = schema.and_then(|schema| misfit(&schema.schema.attributes, value));
        let message = wrong.map_or_else(|| format!("its attributes are not of the form that type {} has", R::TYPE), |(_, problem)| problem);
        Failure::new(FailureKind::Invalid, message)
    })
}

/// Attributes without the beginning of the name, which is no part of what AWS knows.
fn without_prefix<R: Resource>(mut json: Json) -> Json {
    if let (Some(name), Some(attributes)) = (registry::prefixed(R::TYPE), json.as_object_mut()) {
        attributes.remove(&prefix_of(name));
    }
    json
}

/// A resource as a value.
fn untyped<R: Resource>(resource: &R) -> Outcome<Value> {
    let json = serde_json::to_value(resource);
    json.map(Value::from).map_err(|error| Failure::new(FailureKind::Other, format!("{}: {error}", R::TYPE)))
}

/// The id of what has these attributes. What is remembered of one that was not read may not be whole: then it says no other
/// than what was asked for.
fn id_of<R: Resource>(asked: &str, attributes: &Value) -> String {
    let resource: Option<R> = attributes.to_json().ok().and_then(|json| serde_json::from_value(without_prefix::<R>(json)).ok());
    resource.map(|resource| resource.id(asked)).filter(|id| !id.is_empty()).unwrap_or_else(|| asked.to_owned())
}

#[async_trait]
impl<R: Resource> Handler for Typed<R> {
    async fn read(&self, site: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Value>> {
        let aws = self.accounts.at(site)?;
        let found = R::read(&aws, ids).await?;
        // As in [`Resource::read_one`].
        let asked = found.into_iter().filter(|(id, _)| ids.contains(id));
        asked.map(|(id, resource)| Ok((id, untyped(&resource)?))).collect()
    }

    fn id_of(&self, asked: &str, attributes: &Value) -> String {
        id_of::<R>(asked, attributes)
    }

    async fn find(&self, wanted: &Wanted) -> Outcome<Option<String>> {
        R::find(self.accounts.at(&wanted.site())?.as_ref(), wanted).await
    }

    async fn find_by_token(&self, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(token) = &wanted.token else { return Ok(None) };
        let made = R::find_by_token(self.accounts.at(&wanted.site())?.as_ref(), wanted, token).await?;
        Ok(wanted.pick(made))
    }

    async fn governors(&self, site: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
        R::governors(self.accounts.at(site)?.as_ref(), ids).await
    }

    fn takes_over(&self) -> bool {
        R::takes_over()
    }

    async fn successor(&self, site: &Site, id: &str, used: &[String]) -> Outcome<String> {
        R::successor(self.accounts.at(site)?.as_ref(), id, used).await
    }

    async fn create(&self, operation: &Operation, desired: &Value) -> Outcome<String> {
        let aws = self.accounts.at(&operation.site)?;
        Self::carried_out(operation, R::create(&aws, operation, &typed(desired)?)).await
    }

    async fn finish_create(&self, operation: &Operation, id: &str, desired: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        let to: R = typed(desired)?;
        let created = R::as_created(&to);
        if created != to {
            Self::carried_out(operation, patiently(operation, || R::update(&aws, operation, id, &created, &to))).await?;
        }
        Self::carried_out(operation, patiently(operation, || R::ready(&aws, operation, id, &to))).await
    }

    async fn update(&self, operation: &Operation, id: &str, from: &Value, to: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        let (from, to): (R, R) = (typed(from)?, typed(to)?);
        Self::carried_out(operation, R::update(&aws, operation, id, &from, &to)).await?;
        Self::carried_out(operation, R::changed(&aws, operation, id, &from, &to)).await
    }

    async fn reassign(&self, operation: &Operation, to: &[(String, Value)]) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        Self::carried_out(operation, R::reassign(&aws, operation, to)).await
    }

    async fn wait_ready(&self, operation: &Operation, id: &str, updating: &[String], desired: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        Self::carried_out(operation, R::resumed(&aws, operation, id, updating, &typed(desired)?)).await
    }

    async fn delete(&self, operation: &Operation, id: &str, last: &Value) -> Outcome<()> {
        let aws = self.accounts.at(&operation.site)?;
        // What is remembered of a resource that was not read may not be whole.
        let last: Option<R> = typed(last).ok();
        Self::carried_out(operation, R::delete(&aws, operation, id, last.as_ref())).await
    }

    fn timeout(&self, wanted: &Value) -> Duration {
        Duration::from_secs(R::INFO.timeout).saturating_add(R::takes(wanted))
    }

    fn usual(&self, wanted: &Value) -> Option<Usual> {
        Some(R::INFO.usual.longer(R::takes(wanted)))
    }

    fn seen_within(&self) -> Duration {
        R::INFO.seen_within
    }
}

#[cfg(test)]
mod tests;
