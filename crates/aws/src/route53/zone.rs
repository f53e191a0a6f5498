//! The resource type `route53_zone`.

use std::collections::BTreeMap;

use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{self as api, ChangeAction};
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bare, canonical, change, in_sync, tags_of, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::place::Scope;
use leoctl_core::model::value::Value;

/// A hosted zone: a domain whose records Route 53 answers for.
///
/// The internet asks a new public zone only once the registrar of its domain, or the zone above, names its `name_servers`.
///
/// Import by id: `Z0123456789ABCDEFGHIJ`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route53Zone {
    /// The domain. There can be several zones of one name.
    #[schemars(extend("x-replace" = true, "x-format" = "domain"))]
    name: String,
    /// What it is for.
    #[schemars(length(max = 256))]
    comment: Option<String>,
    /// Whether only the VPCs below see it.
    #[schemars(extend("default" = false, "x-replace" = true))]
    private_zone: bool,
    /// The VPCs that see a private zone: one at least.
    #[schemars(extend("default" = [], "x-key" = "vpc_id"))]
    vpcs: Vec<ZoneVpc>,
    /// The reusable delegation set whose name servers it has.
    #[schemars(extend("x-replace" = true))]
    delegation_set_id: Option<String>,
    /// Whether deleting the zone deletes the records in it; without, deleting one that has records of others fails.
    #[schemars(extend("default" = false, "x-local" = true))]
    #[serde(default)]
    force_destroy: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The servers that answer for a public zone.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    name_servers: Vec<String>,
}

/// A VPC that sees a private zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneVpc {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-"))]
    vpc_id: String,
    /// Its region; the stack's when left out.
    #[schemars(extend("x-server" = true))]
    vpc_region: Option<String>,
}

impl ZoneVpc {
    fn to_api(&self, aws: &Aws) -> api::Vpc {
        let region = self.vpc_region.as_ref().unwrap_or(&aws.region);
        api::Vpc::builder().vpc_id(&self.vpc_id).vpc_region(api::VpcRegion::from(region.as_str())).build()
    }

    fn from_api(vpc: &api::Vpc) -> Self {
        Self { vpc_id: vpc.vpc_id().unwrap_or_default().to_owned(), vpc_region: vpc.vpc_region().map(|region| region.as_str().to_owned()) }
    }
}

impl Route53Zone {
    async fn get(aws: &Aws, id: &str) -> Outcome<Option<GetHostedZoneOutput>> {
        aws.route53().get_hosted_zone().id(id).send().await.or_fail("route53:GetHostedZone").or_absent()
    }

    fn from_api(aws: &Aws, found: &GetHostedZoneOutput, tags: Tags) -> Option<Self> {
        let (zone, delegation) = (found.hosted_zone()?, found.delegation_set());
        let id = bare(zone.id());
        let config = zone.config();
        Some(Self {
            name: canonical(zone.name()),
            comment: config.and_then(|config| config.comment()).filter(|text| !text.is_empty()).map(str::to_owned),
            private_zone: config.is_some_and(|config| config.private_zone),
            vpcs: found.vpcs().iter().map(ZoneVpc::from_api).collect(),
            delegation_set_id: delegation.and_then(|set| set.id()).map(bare).filter(|id| !id.is_empty()).map(str::to_owned),
            force_destroy: false,
            tags,
            id: id.to_owned(),
            arn: format!("arn:{}:route53:::hostedzone/{id}", crate::partition(&aws.region)),
            name_servers: delegation.map(|set| set.name_servers().to_vec()).unwrap_or_default(),
        })
    }
}

/// The zones of this name.
pub async fn by_name(aws: &Aws, name: &str) -> Outcome<Vec<api::HostedZone>> {
    let mut found = Vec::new();
    let (mut from_name, mut from_id) = (Some(name.to_owned()), None);
    // There is no paginator; the list is in the order of names, beginning with this one.
    while from_name.is_some() {
        let call = aws.route53().list_hosted_zones_by_name().set_dns_name(from_name.take()).set_hosted_zone_id(from_id.take());
        let page = call.send().await.or_fail("route53:ListHostedZonesByName")?;
        let zones = page.hosted_zones.iter().filter(|zone| canonical(&zone.name) == name);
        found.extend(zones.cloned());
        if page.is_truncated && page.next_dns_name.as_deref().is_some_and(|next| canonical(next) == name) {
            (from_name, from_id) = (page.next_dns_name, page.next_hosted_zone_id);
        }
    }
    Ok(found)
}

impl Resource for Route53Zone {
    const TYPE: &'static str = "route53_zone";
    const INFO: Info = Info {
        data_loss: Some("the zone's name servers, which its registrar names"),
        scope: Scope::Global,
        transient: &[Retry::always("ConcurrentModification")],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:route53:::hostedzone/*",
        plan: &[
            Grant::any(&["route53:ListHostedZonesByName"]),
            Grant::itself(&["route53:GetHostedZone", "route53:ListTagsForResource", "route53:ListTagsForResources"]),
        ],
        apply: &[
            Grant::any(&["ec2:DescribeVpcs", "route53:CreateHostedZone"]),
            Grant::itself(&[
                "route53:AssociateVPCWithHostedZone",
                "route53:ChangeResourceRecordSets",
                "route53:ChangeTagsForResource",
                "route53:DeleteHostedZone",
                "route53:DisassociateVPCFromHostedZone",
                "route53:ListResourceRecordSets",
                "route53:UpdateHostedZoneComment",
            ]),
            Grant::on(&["route53:GetChange"], &["arn:{partition}:route53:::change/*"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let is_private = match desired.get("private_zone") {
            Some(Value::Bool(private)) => *private,
            None => false,
            Some(_) => return Vec::new(),
        };
        let vpcs = match desired.get("vpcs") {
            Some(Value::List(vpcs)) => vpcs.len(),
            None => 0,
            Some(_) => return Vec::new(),
        };
        match (desired.as_map().is_some(), is_private, vpcs) {
            (true, true, 0) => vec![(Path::attribute("vpcs"), "a private zone needs at least one of `vpcs`".to_owned())],
            (true, false, 1..) => vec![(Path::attribute("vpcs"), "`vpcs` see a private zone: add `private_zone = true`".to_owned())],
            _ => Vec::new(),
        }
    }

    /// A zone is read by its id and by `/hostedzone/` with it (Route 53 API Reference, GetHostedZone).
    fn id(&self, _: &str) -> String {
        self.id.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = try_join_all(ids.iter().map(async |id| Ok(Self::get(aws, id).await?.map(|found| (id.clone(), found))))).await?;
        let found: BTreeMap<_, _> = found.into_iter().flatten().collect();
        let mut tags = tags_of(aws, &found.keys().map(|id| bare(id).to_owned()).collect::<Vec<_>>()).await?;
        let read = found.into_iter().filter_map(|(id, found)| {
            let read = Self::from_api(aws, &found, tags.remove(bare(&id)).unwrap_or_default())?;
            Some((id, read))
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let ids: Vec<String> = by_name(aws, name).await?.iter().map(|zone| bare(&zone.id).to_owned()).collect();
        let tags = tags_of(aws, &ids).await?;
        Ok(wanted.pick(tags.into_iter().filter(|(_, tags)| wanted.owns(tags)).map(|(id, _)| id)))
    }

    /// The call that makes one takes no tags: until it has them, only the token says whose it is.
    async fn find_by_token(aws: &Aws, wanted: &Wanted, token: &str) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let mut zones = by_name(aws, name).await?.into_iter();
        Ok(zones.find(|zone| zone.caller_reference == token).map(|zone| bare(&zone.id).to_owned()))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let config = api::HostedZoneConfig::builder().set_comment(to.comment.clone()).private_zone(to.private_zone).build();
        let call = aws
            .route53()
            .create_hosted_zone()
            .name(&to.name)
            .caller_reference(&operation.token)
            .hosted_zone_config(config)
            .set_vpc(to.vpcs.first().map(|vpc| vpc.to_api(aws)))
            .set_delegation_set_id(to.delegation_set_id.clone());
        match send_once!(aws_sdk_route53, call).await.sent_once("route53:CreateHostedZone") {
            // One of this very creation has its token.
            Err(failure) if failure.kind == FailureKind::AlreadyExists => {
                let mut zones = by_name(aws, &to.name).await?.into_iter();
                let made = zones.find(|zone| zone.caller_reference == operation.token);
                made.map(|zone| bare(&zone.id).to_owned()).ok_or(failure)
            }
            made => Ok(made?.hosted_zone().map(|zone| bare(zone.id()).to_owned()).unwrap_or_default()),
        }
    }

    fn as_created(to: &Self) -> Self {
        Self { vpcs: to.vpcs.first().cloned().into_iter().collect(), tags: Tags::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            comment,
            vpcs,
            tags,
            // Heeded when deleting.
            force_destroy: _,
            name: _,
            private_zone: _,
            delegation_set_id: _,
            id: _,
            arn: _,
            name_servers: _,
        } = to;
        // Ownership first: until it has tags, only its id says that it is ours.
        update_tags(aws, id, &from.tags, tags).await?;
        if *comment != from.comment {
            let call = aws.route53().update_hosted_zone_comment().id(id).set_comment(comment.clone());
            call.send().await.idempotent("route53:UpdateHostedZoneComment")?;
        }
        let region = |vpc: &ZoneVpc| vpc.vpc_region.clone().unwrap_or_else(|| aws.region.clone());
        let is_in = |vpc: &ZoneVpc, all: &[ZoneVpc]| all.iter().any(|other| other.vpc_id == vpc.vpc_id && region(other) == region(vpc));
        // What it has now counts: a call whose answer was lost may have given it one already.
        let has = if *vpcs == from.vpcs { None } else { Self::get(aws, id).await? };
        let has = has.map_or_else(|| from.vpcs.clone(), |found| found.vpcs().iter().map(ZoneVpc::from_api).collect());
        // The last VPC cannot go: new ones come first.
        for vpc in vpcs.iter().filter(|vpc| !is_in(vpc, &has)) {
            let call = aws.route53().associate_vpc_with_hosted_zone().hosted_zone_id(id).vpc(vpc.to_api(aws));
            let sent = send_once!(aws_sdk_route53, call).await.sent_once("route53:AssociateVPCWithHostedZone");
            // With this zone, by a call whose answer was lost; or with another of the same name.
            let associated = async || {
                let found = Self::get(aws, id).await?;
                let now: Vec<_> = found.iter().flat_map(|found| found.vpcs()).map(ZoneVpc::from_api).collect();
                Ok(is_in(vpc, &now))
            };
            let change = sent.as_ref().ok().and_then(|made| made.change_info()).map(|info| bare(info.id()).to_owned());
            verified(sent, &["ConflictingDomainExists"], associated).await?;
            // Only a VPC that sees the zone everywhere takes the place of another.
            if let Some(change) = change {
                in_sync(aws, operation, &change).await?;
            }
        }
        for vpc in has.iter().filter(|vpc| is_in(vpc, &from.vpcs) && !is_in(vpc, vpcs)) {
            let call = aws.route53().disassociate_vpc_from_hosted_zone().hosted_zone_id(id).vpc(vpc.to_api(aws));
            call.send().await.or_gone("route53:DisassociateVPCFromHostedZone")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        if last.is_some_and(|last| last.force_destroy) {
            empty(aws, operation, id).await.or_absent()?;
        }
        aws.route53().delete_hosted_zone().id(id).send().await.or_gone("route53:DeleteHostedZone").map(drop)
    }
}

/// Deletes every record but those the zone itself has.
async fn empty(aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
    let Some(zone) = Route53Zone::get(aws, id).await?.and_then(|found| found.hosted_zone) else { return Ok(()) };
    let own = |set: &api::ResourceRecordSet| set.name == zone.name && matches!(set.r#type, api::RrType::Ns | api::RrType::Soa);
    let mut gone = 0_usize;
    loop {
        // What is deleted is not on the next page.
        let page = aws.route53().list_resource_record_sets().hosted_zone_id(id).send().await.or_fail("route53:ListResourceRecordSets")?;
        let mut sets: Vec<_> = page.resource_record_sets.into_iter().filter(|set| !own(set)).collect();
        if sets.is_empty() {
            return Ok(());
        }
        // Aliases go before what they point to.
        sets.sort_by_key(|set| set.alias_target().is_none());
        for some in batches(sets) {
            gone += some.len();
            let change = change(aws, id, some.into_iter().map(|set| (ChangeAction::Delete, set)).collect()).await?;
            in_sync(aws, operation, &change).await?;
            (operation.progress.0)(format!("{gone} records deleted"));
        }
    }
}

/// Record sets as so many changes as one call takes: a thousand records, and 32,000 characters in them (Route 53 API
/// Reference, ChangeResourceRecordSets).
fn batches(sets: Vec<api::ResourceRecordSet>) -> Vec<Vec<api::ResourceRecordSet>> {
    let mut batches: Vec<Vec<api::ResourceRecordSet>> = Vec::new();
    let (mut records, mut characters) = (0, 0);
    for set in sets {
        let values = set.resource_records();
        let of_this = (values.len().max(1), values.iter().map(|record| record.value().chars().count()).sum::<usize>());
        (records, characters) = (records + of_this.0, characters + of_this.1);
        match batches.last_mut().filter(|_| records <= 1000 && characters <= 32_000) {
            Some(batch) => batch.push(set),
            None => {
                (records, characters) = of_this;
                batches.push(vec![set]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    fn set(records: usize, length: usize) -> api::ResourceRecordSet {
        let record = api::ResourceRecord::builder().value("x".repeat(length)).build().unwrap();
        let set = api::ResourceRecordSet::builder().name("a.org").r#type(api::RrType::Txt);
        set.set_resource_records(Some(vec![record; records])).build().unwrap()
    }

    #[test]
    fn records_go_in_as_few_calls_as_route_53_takes() {
        let sizes = |sets: Vec<_>| batches(sets).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![set(1, 15); 300]), [300]);
        assert_eq!(sizes(vec![set(400, 1); 5]), [2, 2, 1]);
        assert_eq!(sizes(vec![set(1, 4000); 9]), [8, 1]);
        assert_eq!(sizes(vec![set(1, 40_000); 2]), [1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_vpc_gives_a_zone_up_once_another_sees_it() {
        let mut looks = 0;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            name if name.contains("/change/") => {
                looks += 1;
                let status = if looks > 2 { "INSYNC" } else { "PENDING" };
                let info = format!("<Id>/change/C1</Id><Status>{status}</Status><SubmittedAt>2030-01-01T00:00:00Z</SubmittedAt>");
                Answer::ok(format!("<GetChangeResponse><ChangeInfo>{info}</ChangeInfo></GetChangeResponse>"))
            }
            name if name.contains("associatevpc") => {
                let info = "<Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2030-01-01T00:00:00Z</SubmittedAt>";
                let which = if name.contains("disassociate") { "Disassociate" } else { "Associate" };
                let from = if which == "Associate" { "With" } else { "From" };
                let root = format!("{which}VPC{from}HostedZoneResponse");
                Answer::ok(format!("<{root}><ChangeInfo>{info}</ChangeInfo></{root}>"))
            }
            _ => Answer::query_error(404, "NoSuchHostedZone"),
        });
        let zone = |vpc: &str| -> Route53Zone {
            let vpcs = serde_json::json!([{ "vpc_id": vpc, "vpc_region": "eu-west-1" }]);
            serde_json::from_value(serde_json::json!({ "name": "a.org", "private_zone": true, "vpcs": vpcs, "tags": {} })).unwrap()
        };
        Route53Zone::update(&scripted.aws, &operation(0), "Z1", &zone("vpc-1"), &zone("vpc-2")).await.unwrap();
        let names = scripted.names();
        let at = |what: &str| names.iter().rposition(|name| name.contains(what)).unwrap();
        assert!(at("/associatevpc") < at("/change/C1") && at("/change/C1") < at("/disassociatevpc"), "{names:?}");
    }
}
