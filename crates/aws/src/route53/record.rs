//! The resource type `route53_record`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_route53::types::{self as api, ChangeAction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record_set::{self, Key, TYPES};
use super::routing::{Alias, CidrRouting, GeoLocation, GeoProximity};
use super::{change, in_sync, unbuilt};
use crate::client::Aws;
use crate::permissions::{Grant, Permissions};
use crate::repeat::{says, verified};
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::place::Scope;
use leoctl_core::model::value::Value;

/// What Route 53 answers for a name and a type.
///
/// Import by zone, name, type, and set identifier if there is one: `Z0123456789ABCDEFGHIJ/www.example.org/A`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route53Record {
    /// The zone.
    #[schemars(extend("x-replace" = true, "pattern" = "^[A-Z0-9]+$", "x-form" = "the id of a zone: capital letters and digits"))]
    zone_id: String,
    /// The whole name, such as `www.example.org` or `*.example.org`.
    #[schemars(extend("x-replace" = true, "x-format" = "domain"))]
    name: String,
    /// The type.
    #[schemars(extend("x-replace" = true, "enum" = TYPES))]
    r#type: String,
    /// For how many seconds an answer may be kept; not for an alias.
    #[schemars(range(min = 0, max = 2_147_483_647))]
    ttl: Option<i64>,
    /// The values, each as DNS writes it: the text of a `TXT` record is in quotation marks. Either these are written or `alias`.
    #[schemars(extend("default" = [], "x-set" = true))]
    records: Vec<String>,
    /// Something in AWS that is answered for instead.
    alias: Option<Alias>,
    /// What tells this record from others of its name and type. The attributes below say which of them is answered.
    #[schemars(extend("x-replace" = true), length(max = 128))]
    set_identifier: Option<String>,
    /// The share of the answers it has.
    #[schemars(range(min = 0, max = 255))]
    weight: Option<i64>,
    /// Whether it is answered when all is well or when the primary one is not healthy.
    #[schemars(extend("enum" = ["PRIMARY", "SECONDARY"]))]
    failover: Option<String>,
    /// The region who asks has to be nearest to.
    region: Option<String>,
    /// Where who asks has to be.
    geo_location: Option<GeoLocation>,
    /// Near what who asks has to be.
    geo_proximity_location: Option<GeoProximity>,
    /// From which addresses who asks has to be.
    cidr_routing_config: Option<CidrRouting>,
    /// Whether it is one of up to eight healthy answers given at once.
    #[schemars(extend("default" = false))]
    multi_value_answer: bool,
    /// The health check without whose success it is not answered.
    health_check_id: Option<String>,
    /// The name, as it can be asked for.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    fqdn: String,
}

/// The last change of each record that may not be everywhere yet: [`Resource::ready`] waits for it. AWS has no other way
/// from a record to its change, and what a leoctl that died did not wait for takes a minute at most.
static CHANGES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

fn remember(id: &str, change: String) {
    CHANGES.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), change);
}

impl Route53Record {
    fn key(&self) -> Key {
        Key { zone: self.zone_id.clone(), name: self.name.clone(), kind: self.r#type.clone(), set: self.set_identifier.clone() }
    }

    fn to_api(&self) -> Outcome<api::ResourceRecordSet> {
        let Self {
            zone_id: _,
            name,
            r#type,
            ttl,
            records,
            alias,
            set_identifier,
            weight,
            failover,
            region,
            geo_location,
            geo_proximity_location,
            cidr_routing_config,
            multi_value_answer,
            health_check_id,
            fqdn: _,
        } = self.clone();
        let records = records.into_iter().map(|value| api::ResourceRecord::builder().value(value).build().map_err(unbuilt));
        let records: Vec<_> = records.collect::<Outcome<_>>()?;
        api::ResourceRecordSet::builder()
            .name(name)
            .r#type(api::RrType::from(r#type.as_str()))
            .set_ttl(ttl)
            .set_resource_records(Some(records).filter(|records| !records.is_empty()))
            .set_alias_target(alias.as_ref().map(Alias::to_api).transpose()?)
            .set_set_identifier(set_identifier)
            .set_weight(weight)
            .set_failover(failover.as_deref().map(api::ResourceRecordSetFailover::from))
            .set_region(region.as_deref().map(api::ResourceRecordSetRegion::from))
            .set_geo_location(geo_location.as_ref().map(GeoLocation::to_api))
            .set_geo_proximity_location(geo_proximity_location.as_ref().map(GeoProximity::to_api).transpose()?)
            .set_cidr_routing_config(cidr_routing_config.as_ref().map(CidrRouting::to_api).transpose()?)
            .set_multi_value_answer(multi_value_answer.then_some(true))
            .set_health_check_id(health_check_id)
            .build()
            .map_err(unbuilt)
    }

    fn from_api(key: Key, set: &api::ResourceRecordSet) -> Self {
        Self {
            fqdn: key.name.clone(),
            zone_id: key.zone,
            name: key.name,
            r#type: key.kind,
            ttl: set.ttl(),
            records: set.resource_records().iter().map(|record| record.value().to_owned()).collect(),
            alias: set.alias_target().map(Alias::from_api),
            set_identifier: key.set,
            weight: set.weight(),
            failover: set.failover().map(|failover| failover.as_str().to_owned()),
            region: set.region().map(|region| region.as_str().to_owned()),
            geo_location: set.geo_location().map(GeoLocation::from_api),
            geo_proximity_location: set.geo_proximity_location().map(GeoProximity::from_api),
            cidr_routing_config: set.cidr_routing_config().map(CidrRouting::from_api),
            multi_value_answer: set.multi_value_answer().unwrap_or_default(),
            health_check_id: set.health_check_id().filter(|id| !id.is_empty()).map(str::to_owned),
        }
    }
}

impl Resource for Route53Record {
    const TYPE: &'static str = "route53_record";
    // Route 53 API Reference, ResourceRecordSet: one of a name, a type and a set identifier. Records of one name depend on
    // each other all the same: a CNAME has nothing beside it, and one with a set identifier none without.
    const INFO: Info = Info {
        unique: &[&["set_identifier", "type", "zone_id", "name"]],
        conflicts: &[&["zone_id", "name"]],
        scope: Scope::Global,
        propagating: &[Retry::after("NoSuchHostedZone", &["route53:ChangeResourceRecordSets"])],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:route53:::hostedzone/{zone_id}",
        plan: &[Grant::itself(&["route53:ListResourceRecordSets"])],
        apply: &[
            Grant::itself(&["route53:ChangeResourceRecordSets"]),
            Grant::on(&["route53:GetChange"], &["arn:{partition}:route53:::change/*"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let written =
            |key: &str| desired.get(key).is_some_and(|value| !value.is_null() && value.as_list().is_none_or(|items| !items.is_empty()));
        if desired.as_map().is_none() {
            return Vec::new();
        }
        let problem = |at: &str, what: &str| (Path::attribute(at), what.to_owned());
        let mut problems = Vec::new();
        if written("records") == written("alias") {
            problems.push(problem("records", "a record has either `records` or an `alias`"));
        } else if written("records") != written("ttl") {
            problems.push(problem("ttl", "`records` have a `ttl`, and an `alias` has that of what it points to"));
        }
        let routed = ["weight", "failover", "region", "geo_location", "geo_proximity_location", "cidr_routing_config"];
        let several = matches!(desired.get("multi_value_answer"), Some(Value::Bool(true)));
        let policies = routed.iter().filter(|key| written(key)).count() + usize::from(several);
        if policies > 1 || (policies == 1) != written("set_identifier") {
            let what =
                "a record with a `set_identifier`, and no other, has one attribute that says which of them is answered, such as `weight`";
            problems.push(problem("set_identifier", what));
        }
        problems
    }

    /// The name in an id can be written in several ways.
    fn id(&self, _: &str) -> String {
        self.key().id()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // An id that was imported may have its name in another form.
        let keys: Vec<(&String, Key)> = ids.iter().filter_map(|id| Some((id, Key::parse(id)?))).collect();
        let found: BTreeMap<_, _> = record_set::all(aws, keys.iter().map(|(_, key)| key.clone()).collect()).await?.into_iter().collect();
        let read = keys.into_iter().filter_map(|(id, key)| {
            let set = found.get(&key)?;
            Some((id.clone(), Self::from_api(key, set)))
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(zone), Some(name), Some(kind)) = (wanted.text("zone_id"), wanted.text("name"), wanted.text("type")) else {
            return Ok(None);
        };
        let set = wanted.text("set_identifier").map(str::to_owned);
        let key = Key { zone: zone.to_owned(), name: name.to_owned(), kind: kind.to_owned(), set };
        Ok(wanted.pick(record_set::one(aws, &key).await?.map(|_| key.id())))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let key = to.key();
        match change(aws, &to.zone_id, ChangeAction::Create, to.to_api()?).await {
            Ok(change) => remember(&key.id(), change),
            // AWS has one code for all that is wrong with a change.
            Err(failure) if says(&failure, &["InvalidChangeBatch"]) && record_set::one(aws, &key).await?.is_some() => {
                return Err(Failure { kind: FailureKind::AlreadyExists, ..failure });
            }
            Err(failure) => return Err(failure),
        }
        Ok(key.id())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `to_api` takes it apart.
        let set = to.to_api()?;
        if set != from.to_api()? {
            remember(id, change(aws, &to.zone_id, ChangeAction::Upsert, set).await?);
        }
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        let change = CHANGES.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(change) = change {
            in_sync(aws, operation, &change).await?;
            CHANGES.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
        Ok(())
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let Some(key) = Key::parse(id) else { return Ok(()) };
        // Only the values it has now delete it (Route 53 API Reference, ChangeResourceRecordSets).
        let Some(set) = record_set::one(aws, &key).await? else { return Ok(()) };
        match change(aws, &key.zone, ChangeAction::Delete, set).await {
            Ok(change) => in_sync(aws, operation, &change).await,
            // AWS has one code for all that is wrong with a change: one that is not there any more is deleted.
            failed => {
                verified(failed, &["InvalidChangeBatch", "NoSuchHostedZone"], async || Ok(record_set::one(aws, &key).await?.is_none()))
                    .await
            }
        }
    }
}
