//! The resource type `route_table`.

use aws_sdk_ec2::types::{ResourceType, RouteTableAssociation, RouteTableAssociationStateCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::{self, Route};
use super::{arn, filter, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A VPC's routes, with the subnets that use them. The VPC's own local routes are not listed.
///
/// Import by id: `rtb-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: String,
    /// The routes.
    #[schemars(extend("default" = [], "x-set" = true))]
    routes: Vec<Route>,
    /// The subnets that use this table.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "default" = [], "x-set" = true))]
    subnet_ids: Vec<String>,
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
}

impl Resource for RouteTable {
    const TYPE: &'static str = "route_table";
    const INFO: Info = Info {
        // The new one takes the subnets over; without a table of their own they would be on the VPC's main one meanwhile.
        create_before_destroy: true,
        exclusive: &["subnet_ids"],
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteRouteTable"]),
            // Another table is just giving the subnet away: it is looked at anew.
            Retry::after("Resource.AlreadyAssociated", &["ec2:AssociateRouteTable"]),
            Retry::after("InvalidAssociationID.NotFound", &["ec2:ReplaceRouteTableAssociation"]),
        ],
        propagating: route::PROPAGATING,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:route-table/*",
        plan: &[Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"])],
        apply: &[
            Grant::on(
                &["ec2:CreateRouteTable"],
                &["arn:{partition}:ec2:{region}:{account}:route-table/*", "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}"],
            ),
            Grant::on(
                &["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
                &["arn:{partition}:ec2:{region}:{account}:route-table/*", "arn:{partition}:ec2:{region}:{account}:subnet/*"],
            ),
            Grant::itself(&[
                "ec2:CreateRoute",
                "ec2:CreateTags",
                "ec2:DeleteRoute",
                "ec2:DeleteRouteTable",
                "ec2:DeleteTags",
                "ec2:ReplaceRoute",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        route::problems(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = route::read(aws, ids).await?.into_iter().map(|(table, routes)| {
            let id = table.route_table_id().unwrap_or_default().to_owned();
            let associated = table.associations().iter().filter(|association| is_there(association));
            let read = Self {
                vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
                routes,
                subnet_ids: associated.filter_map(|association| association.subnet_id().map(str::to_owned)).collect(),
                tags: route::own_tags(table.tags()),
                arn: arn(&aws.region, table.owner_id().unwrap_or_default(), "route-table", &id),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_route_tables().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::RouteTable> = pages.try_collect().await.or_fail("ec2:DescribeRouteTables")?;
        let ours = found.iter().filter(|table| wanted.owns(&tags(table.tags())));
        Ok(wanted.pick(ours.filter_map(|table| table.route_table_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_route_table()
            .vpc_id(&to.vpc_id)
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::RouteTable, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateRouteTable")?;
        made_id("ec2:CreateRouteTable", made.route_table().and_then(|table| table.route_table_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { routes: Vec::new(), subnet_ids: Vec::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { routes, subnet_ids, tags, vpc_id: _, id: _, arn: _ } = to;
        // Begun again, some of it is done: what is there now counts, where reads see it already.
        let now = Self::read_one(aws, id).await?;
        let from = &Self { tags: from.tags.clone(), ..now.unwrap_or_else(|| from.clone()) };
        route::change(aws, id, &from.routes, routes).await?;
        for subnet in subnet_ids.iter().filter(|subnet| !from.subnet_ids.contains(subnet)) {
            associate(aws, id, subnet).await?;
        }
        let gone: Vec<&String> = from.subnet_ids.iter().filter(|subnet| !subnet_ids.contains(subnet)).collect();
        disassociate(aws, id, |subnet| gone.iter().any(|gone| *gone == subnet)).await?;
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        disassociate(aws, id, |_| true).await?;
        if is_main(aws, id).await? {
            let message =
                format!("{id} is the main table of its VPC, which goes with the VPC alone: make another one the main table first");
            return Err(Failure { operation: "ec2:DeleteRouteTable".to_owned(), ..Failure::new(FailureKind::Refused, message) });
        }
        aws.ec2().delete_route_table().route_table_id(id).send().await.or_gone("ec2:DeleteRouteTable").map(drop)
    }
}

async fn associate(aws: &Aws, id: &str, subnet: &str) -> Outcome<()> {
    let call = aws.ec2().associate_route_table().route_table_id(id).subnet_id(subnet);
    let failure = match send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateRouteTable") {
        Ok(_) => return Ok(()),
        Err(failure) => failure,
    };
    // With this table, by a call whose answer was lost; or with another, perhaps one that is about to be deleted or that
    // gives the subnet away in the same apply: this table takes it over.
    if failure.kind != FailureKind::Ambiguous && !says(&failure, &["Resource.AlreadyAssociated"]) {
        return Err(failure);
    }
    let Some((table, association)) = table_of(aws, subnet).await? else { return Err(failure) };
    if table == id {
        return Ok(());
    }
    let call = aws.ec2().replace_route_table_association().route_table_id(id).association_id(association);
    let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:ReplaceRouteTableAssociation");
    // The other table has let go of it meanwhile, or the call took effect: its association is gone in both cases.
    verified(sent, &["InvalidAssociationID.NotFound"], async || Ok(table_of(aws, subnet).await?.is_some_and(|(table, _)| table == id)))
        .await
}

/// The table that a subnet is associated with, and the association's id; none for the VPC's main table.
async fn table_of(aws: &Aws, subnet: &str) -> Outcome<Option<(String, String)>> {
    let call = aws.ec2().describe_route_tables().filters(filter("association.subnet-id", &[subnet.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let mut associations = found.route_tables().iter().flat_map(|table| table.associations());
    let known = associations.rfind(|known| known.subnet_id() == Some(subnet) && is_there(known));
    Ok(known.and_then(|known| Some((known.route_table_id()?.to_owned(), known.route_table_association_id()?.to_owned()))))
}

/// Whether an association is there or about to be.
fn is_there(association: &RouteTableAssociation) -> bool {
    let state = association.association_state().and_then(|state| state.state());
    !matches!(state, Some(RouteTableAssociationStateCode::Disassociated | RouteTableAssociationStateCode::Disassociating))
}

/// Takes a table from these subnets and gateways; it is a gateway's where traffic that comes in goes by it.
async fn disassociate(aws: &Aws, id: &str, which: impl Fn(&str) -> bool) -> Outcome<()> {
    let call = aws.ec2().describe_route_tables().filters(filter("route-table-id", &[id.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let tables = found.route_tables().iter().filter(|table| table.route_table_id() == Some(id));
    for association in tables.flat_map(|table| table.associations()) {
        if association.subnet_id().or(association.gateway_id()).is_some_and(&which) {
            let call = aws.ec2().disassociate_route_table().set_association_id(association.route_table_association_id().map(str::to_owned));
            call.send().await.or_gone("ec2:DisassociateRouteTable")?;
        }
    }
    Ok(())
}

/// Whether a table is the one that subnets without another use.
async fn is_main(aws: &Aws, id: &str) -> Outcome<bool> {
    let call = aws.ec2().describe_route_tables().filters(filter("route-table-id", &[id.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let mut tables = found.route_tables().iter().filter(|table| table.route_table_id() == Some(id));
    Ok(tables.any(|table| table.associations().iter().any(|association| association.main() == Some(true))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    /// What becomes of the deletion of a table with these associations, and what it changes.
    async fn deleted(associations: &str) -> (Outcome<()>, Vec<String>) {
        let table = format!("<item><routeTableId>rtb-1</routeTableId><associationSet>{associations}</associationSet></item>");
        let canned = Canned::new(move |action, _| {
            Answer::Done(match action {
                "DescribeRouteTables" => format!("<routeTableSet>{table}</routeTableSet>"),
                _ => "<return>true</return>".to_owned(),
            })
        });
        let outcome = RouteTable::delete(&canned.aws, &operation(0), "rtb-1", None).await;
        (outcome, canned.changes())
    }

    #[tokio::test]
    async fn gateways_let_go_of_a_table_before_it_goes_and_a_main_one_is_let_alone() {
        let (outcome, changes) =
            deleted("<item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><gatewayId>igw-1</gatewayId></item>").await;
        outcome.unwrap();
        assert_eq!(changes, ["DisassociateRouteTable AssociationId=rtbassoc-1", "DeleteRouteTable RouteTableId=rtb-1"]);
        let (outcome, changes) = deleted("<item><main>true</main></item>").await;
        assert_eq!(outcome.unwrap_err().kind, FailureKind::Refused);
        assert_eq!(changes, Vec::<String>::new());
    }
}
