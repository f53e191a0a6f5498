//! The resource type `route53_record`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_route53::types::{self as api, ChangeAction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::record_set::{self, Key, TYPES};
use super::routing::{Alias, CidrRouting, GeoLocation, GeoProximity};
use super::{change, in_sync, unbuilt};
use crate::client::Aws;
use crate::patience::PROPAGATION;
use crate::permissions::{Grant, Permissions};
use crate::repeat::{says, verified};
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::place::Scope;
use leoctl_core::model::schema::{HangsOn, Named};
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

/// Why values are none of records of a type (Route 53 Developer Guide, "Supported DNS record types").
fn unfit(kind: Option<&str>, values: &[Value]) -> Option<String> {
    let texts = || values.iter().filter_map(Value::as_str).map(str::trim);
    match kind? {
        "A" => texts()
            .find(|text| text.parse::<Ipv4Addr>().is_err())
            .map(|text| format!("`{text}` is no IPv4 address, which an `A` record has")),
        "AAAA" => texts()
            .find(|text| text.parse::<Ipv6Addr>().is_err())
            .map(|text| format!("`{text}` is no IPv6 address, which an `AAAA` record has")),
        "CNAME" if values.len() > 1 => Some("a `CNAME` record has one value".to_owned()),
        _ => None,
    }
}

/// Whether a value is of the form that Route 53 wants of texts: each in quotation marks, 255 characters at most, with
/// spaces between them (Route 53 Developer Guide, "TXT record type").
fn is_quoted(value: &str) -> bool {
    let mut rest = value.trim();
    if rest.is_empty() {
        return false;
    }
    while let Some(text) = rest.strip_prefix('"') {
        let mut length = 0;
        let mut characters = text.char_indices();
        let end = loop {
            match characters.next() {
                None => return false,
                Some((end, '"')) => break end,
                // An escaped quotation mark or backslash, or three octal digits: one octet.
                Some((_, '\\')) => {
                    if characters.next().is_some_and(|(_, first)| first.is_digit(8)) {
                        characters.nth(1);
                    }
                }
                Some(_) => {}
            }
            length += 1;
        };
        if length > 255 {
            return false;
        }
        rest = text.get(end + 1..).unwrap_or_default().trim_start();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// The failure of a record that others of its name keep out, and of bringing back what had given way to it.
fn kept_out(failure: Failure, in_the_way: &[&Key], lost: Option<Failure>) -> Failure {
    let mut message = format!("{} stands in the way: {}", list(in_the_way), failure.message);
    if let Some(lost) = lost {
        message.push_str(&format!("\n  the record that it replaces was taken away for it, and could not be put back: {}", lost.message));
    }
    Failure { message, ..failure }
}

/// Records as they are called.
fn list(keys: &[&Key]) -> String {
    keys.iter().map(|key| format!("{} {}", key.kind, key.name)).collect::<Vec<_>>().join(", ")
}

impl Resource for Route53Record {
    const TYPE: &'static str = "route53_record";
    // Route 53 API Reference, ResourceRecordSet: one of a name, a type and a set identifier. Of one name a replacement and
    // its predecessor may not stand beside each other; then one call exchanges them, so that the name is never gone.
    const INFO: Info = Info {
        unique: &[&["set_identifier", "type", "zone_id", "name"]],
        scope: Scope::Global,
        propagating: &[Retry::after("NoSuchHostedZone", &["route53:ChangeResourceRecordSets"])],
        // Route 53 API Reference, GetChange: "Changes generally propagate to all Route 53 name servers managing the hosted zone
        // within 60 seconds". Published logs of Terraform's applies of the same calls: 35 seconds.
        usual: Usual::of((20, 60), (20, 60), (0, 60)),
        hangs_on: &[HangsOn { attribute: &["zone_id"], names: Named::Attribute("route53_zone", "id") }],
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
        let kind = desired.get("type").and_then(Value::as_str);
        let values = desired.get("records").and_then(Value::as_list).unwrap_or_default();
        problems.extend(unfit(kind, values).map(|what| (Path::attribute("records"), what)));
        if matches!(kind, Some("TXT" | "SPF")) && values.iter().filter_map(Value::as_str).any(|value| !is_quoted(value)) {
            let what = "a value of a `TXT` record is one or more texts in quotation marks, each of at most 255 characters: \
                        `\"v=spf1 -all\"`, or `\"the first 255\" \"the rest\"`";
            problems.push(problem("records", what));
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

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let (key, began) = (to.key(), Instant::now());
        let predecessor = operation.replaces.as_deref().and_then(Key::parse).filter(|old| (&old.zone, &old.name) == (&key.zone, &key.name));
        let mut gave_way: Option<api::ResourceRecordSet> = None;
        loop {
            let going = async |old: &Key| Ok(record_set::one(aws, old).await?.map(|set| (ChangeAction::Delete, set)));
            let going = match &predecessor {
                Some(old) => going(old).await?,
                None => None,
            };
            let failure = match change(aws, &key.zone, going.iter().cloned().chain([(ChangeAction::Create, to.to_api()?)]).collect()).await
            {
                Ok(change) => {
                    remember(&key.id(), change);
                    return Ok(key.id());
                }
                // AWS has one code for all that is wrong with a change.
                Err(failure) if says(&failure, &["InvalidChangeBatch"]) => failure,
                Err(failure) => return Err(failure),
            };
            let named = record_set::named(aws, &key).await?;
            if named.contains(&key) {
                return Err(Failure { kind: FailureKind::AlreadyExists, ..failure });
            }
            let stands_in_the_way = |other: &&Key| Some(*other) != predecessor.as_ref() && !other.goes_with(&key);
            let in_the_way: Vec<&Key> = named.iter().filter(stands_in_the_way).collect();
            if in_the_way.is_empty() {
                return Err(failure);
            }
            if began.elapsed() > PROPAGATION {
                // What answers for the name must not be what is missing in the end.
                let back = match &gave_way {
                    Some(set) => change(aws, &key.zone, vec![(ChangeAction::Create, set.clone())]).await.map(drop),
                    None => Ok(()),
                };
                return Err(kept_out(failure, &in_the_way, back.err()));
            }
            // The others of a set may be going, too, each waiting for all others: this one's predecessor gives way to them.
            if let (Some(old), Some((action, set))) = (&predecessor, going)
                && in_the_way.iter().all(|other| other.is_beside(old))
            {
                change(aws, &key.zone, vec![(action, set.clone())]).await?;
                gave_way = Some(set);
            }
            let names = list(&in_the_way);
            operation.pause(Duration::from_secs(2), &format!("waiting for {names} to go, which no other record can stand beside")).await?;
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `to_api` takes it apart.
        let set = to.to_api()?;
        if set != from.to_api()? {
            remember(id, change(aws, &to.zone_id, vec![(ChangeAction::Upsert, set)]).await?);
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
        match change(aws, &key.zone, vec![(ChangeAction::Delete, set)]).await {
            Ok(change) => in_sync(aws, operation, &change).await,
            // AWS has one code for all that is wrong with a change: one that is not there any more is deleted.
            failed => {
                verified(failed, &["InvalidChangeBatch", "NoSuchHostedZone"], async || Ok(record_set::one(aws, &key).await?.is_none()))
                    .await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn texts_are_quoted_and_not_too_long() {
        let long = "x".repeat(255);
        for good in [r#""v=spf1 -all""#, r#""a" "b""#, r#""with \" in it""#, "\"\"", &format!("\"{long}\" \"{long}\"")] {
            assert!(is_quoted(good), "{good}");
        }
        for bad in ["v=spf1 -all", "", r#""open"#, r#""a" b"#, &format!("\"{long}y\"")] {
            assert!(!is_quoted(bad), "{bad}");
        }
    }

    fn record(kind: &str, value: &str) -> Route53Record {
        let record = serde_json::json!({ "zone_id": "Z1", "name": "a.org", "type": kind, "ttl": 60, "records": [value], "multi_value_answer": false });
        serde_json::from_value(record).unwrap()
    }

    /// The changes of each call, as `ACTION TYPE`, that are made where these record sets are.
    async fn changes(has: &'static [&'static str], replaces: Option<&str>, to: &Route53Record) -> (Option<FailureKind>, Vec<Vec<String>>) {
        let (mut has, mut posts) = (has.to_vec(), 0);
        let scripted = Scripted::new(move |call| {
            if call.name.starts_with("GET") {
                let set = |kind: &&str| {
                    let value = "<ResourceRecords><ResourceRecord><Value>x</Value></ResourceRecord></ResourceRecords>";
                    format!("<ResourceRecordSet><Name>a.org.</Name><Type>{kind}</Type><TTL>60</TTL>{value}</ResourceRecordSet>")
                };
                // A list that begins at a type has those from there on.
                let from = call.name.split(['?', '&']).find_map(|part| part.strip_prefix("type=")).unwrap_or_default();
                let sets: String = has.iter().filter(|kind| **kind >= from).map(set).collect();
                return Answer::ok(format!(
                    "<ListResourceRecordSetsResponse><ResourceRecordSets>{sets}</ResourceRecordSets></ListResourceRecordSetsResponse>"
                ));
            }
            // Another record of the name goes as well, a moment later.
            posts += 1;
            if posts > 1 {
                has.retain(|kind| *kind != "TXT");
            }
            let mut after = has.clone();
            for (action, kind) in parsed(&call.body) {
                match action.as_str() {
                    "DELETE" => after.retain(|known| *known != kind),
                    _ => after.push(if kind == "CNAME" { "CNAME" } else { "A" }),
                }
            }
            if after.len() > 1 && after.contains(&"CNAME") {
                return Answer::query_error(400, "InvalidChangeBatch");
            }
            has = after;
            Answer::ok(
                "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>",
            )
        });
        let operation = Operation { replaces: replaces.map(str::to_owned), ..operation(0) };
        let created = Route53Record::create(&scripted.aws, &operation, to).await;
        let calls = scripted.calls().into_iter().filter(|call| call.name.starts_with("POST"));
        let calls = calls.map(|call| parsed(&call.body).into_iter().map(|(action, kind)| format!("{action} {kind}")).collect());
        (created.err().map(|failure| failure.kind), calls.collect())
    }

    /// The actions and types in a change batch.
    fn parsed(body: &str) -> Vec<(String, String)> {
        let of = |part: &str, name: &str| {
            let (_, rest) = part.split_once(&format!("<{name}>"))?;
            rest.split_once('<').map(|(value, _)| value.to_owned())
        };
        body.split("<Change>").skip(1).filter_map(|part| Some((of(part, "Action")?, of(part, "Type")?))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_of_another_type_takes_the_place_of_the_old_one_in_one_change() {
        let cname = record("CNAME", "b.org");
        assert_eq!(changes(&["A"], Some("Z1/a.org/A"), &cname).await, (None, vec![vec!["DELETE A".to_owned(), "CREATE CNAME".to_owned()]]));
        // One that is gone already, or of another name, is nothing to exchange.
        let alone = (None, vec![vec!["CREATE CNAME".to_owned()]]);
        assert_eq!(changes(&[], Some("Z1/a.org/A"), &cname).await, alone);
        assert_eq!(changes(&[], Some("Z1/b.org/A"), &cname).await, alone);
        // What nobody says is to go stays.
        assert_eq!(changes(&["A"], None, &cname).await.0, Some(FailureKind::Refused));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_waits_for_others_of_its_name_and_what_it_replaces_stays_meanwhile() {
        let exchange = || vec!["DELETE A".to_owned(), "CREATE CNAME".to_owned()];
        let (failed, calls) = changes(&["A", "TXT"], Some("Z1/a.org/A"), &record("CNAME", "b.org")).await;
        assert_eq!((failed, calls), (None, vec![exchange(); 2]));
        // What stays is in the way until the end, and nothing is lost.
        let (failed, calls) = changes(&["A", "MX"], Some("Z1/a.org/A"), &record("CNAME", "b.org")).await;
        assert_eq!(failed, Some(FailureKind::Refused));
        assert!(calls.iter().all(|call| *call == exchange()), "{calls:?}");
    }

    #[test]
    fn only_of_a_set_of_records_one_gives_way_to_the_others() {
        let key = |kind: &str, set: Option<&str>| Key {
            zone: "Z1".to_owned(),
            name: "a.org.".to_owned(),
            kind: kind.to_owned(),
            set: set.map(str::to_owned),
        };
        assert!(key("CNAME", Some("b")).is_beside(&key("CNAME", Some("a"))));
        assert!(!key("TXT", None).is_beside(&key("CNAME", Some("a"))));
        assert!(!key("CNAME", Some("b")).is_beside(&key("A", Some("a"))));
        assert!(!key("A", None).is_beside(&key("A", None)));
    }
}
