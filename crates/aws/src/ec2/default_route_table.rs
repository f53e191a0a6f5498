//! The resource type `default_route_table`.

use aws_sdk_ec2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::{self, Route};
use super::{Standing, arn, filter, ownership_filters, tags, take_over, update_tags};
use crate::client::Aws;
use crate::error::OrFail;
use crate::permissions::{Grant, Permissions};
use crate::resource::{Info, Resource, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// The main route table of a VPC, which subnets without another one use.
///
/// It is not made but taken over: its routes become those that are written. It stays in AWS, with the routes that it has, when
/// it is removed from the stack, as AWS deletes it with its VPC alone. The VPC's own local routes are not listed.
///
/// Import by id: `rtb-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultRouteTable {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: String,
    /// The routes: none when left out.
    #[schemars(extend("default" = [], "x-set" = true))]
    routes: Vec<Route>,
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

/// Whether a table is the one that subnets without another use.
fn is_main(table: &api::RouteTable) -> bool {
    table.associations().iter().any(|association| association.main() == Some(true))
}

/// The main table of a VPC.
async fn of_vpc(aws: &Aws, vpc: &str) -> Outcome<Option<api::RouteTable>> {
    let filters = [filter("association.main", &["true".to_owned()]), filter("vpc-id", &[vpc.to_owned()])];
    let call = aws.ec2().describe_route_tables().set_filters(Some(filters.to_vec()));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let is_it = |table: &api::RouteTable| is_main(table) && table.vpc_id() == Some(vpc);
    Ok(found.route_tables.unwrap_or_default().into_iter().find(is_it))
}

impl Resource for DefaultRouteTable {
    const TYPE: &'static str = "default_route_table";
    const INFO: Info = Info {
        unique: &[&["vpc_id"]],
        stays: Some("AWS makes it with its VPC and deletes it with that alone"),
        propagating: route::PROPAGATING,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:route-table/*",
        plan: &[Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"])],
        apply: &[Grant::itself(&["ec2:CreateRoute", "ec2:CreateTags", "ec2:DeleteRoute", "ec2:DeleteTags", "ec2:ReplaceRoute"])],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        route::problems(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = route::read(aws, ids).await?.into_iter().filter(|(table, _)| is_main(table)).map(|(table, routes)| {
            let id = table.route_table_id().unwrap_or_default().to_owned();
            let read = Self {
                vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
                routes,
                tags: route::own_tags(table.tags()),
                arn: arn(&aws.region, table.owner_id().unwrap_or_default(), "route-table", &id),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        if let Some(vpc) = wanted.text("vpc_id") {
            return Ok(wanted.pick(of_vpc(aws, vpc).await?.and_then(|table| table.route_table_id)));
        }
        let call = aws.ec2().describe_route_tables().set_filters(Some(ownership_filters(wanted)));
        let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
        let ours = found.route_tables().iter().filter(|table| is_main(table) && wanted.owns(&tags(table.tags())));
        Ok(wanted.pick(ours.filter_map(|table| table.route_table_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let found = of_vpc(aws, &to.vpc_id).await?;
        let standing =
            found.as_ref().map(|table| Standing { id: table.route_table_id().unwrap_or_default(), tags: route::own_tags(table.tags()) });
        take_over(aws, standing, &to.tags, &to.vpc_id, "ec2:DescribeRouteTables").await
    }

    fn as_created(to: &Self) -> Self {
        // Whatever routes it has are looked at in any case: somebody may have given it some.
        Self { routes: vec![Route::default()], ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { routes, tags, vpc_id: _, id: _, arn: _ } = to;
        if *routes != from.routes {
            // Begun again, some of it is done, and what was there when it was taken over is not known: what is there now counts.
            let now = route::of_table(aws, id).await?.unwrap_or_default();
            route::change(aws, id, &now, routes).await?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let is_there = Self::read_one(aws, id).await?.is_some();
        if is_there { Err(super::goes_with_its_vpc(id)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    #[tokio::test]
    async fn the_main_table_of_a_vpc_is_taken_over_with_the_routes_that_are_written_alone() {
        let canned = Canned::new(|action, _| match action {
            "DescribeRouteTables" => Answer::Done(
                "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><ownerId>1</ownerId><associationSet><item>\
                 <routeTableAssociationId>a-1</routeTableAssociationId><main>true</main></item></associationSet><routeSet>\
                 <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId></item>\
                 <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>igw-old</gatewayId></item>\
                 <item><destinationCidrBlock>10.1.0.0/16</destinationCidrBlock><gatewayId>igw-old</gatewayId></item>\
                 </routeSet></item></routeTableSet>"
                    .to_owned(),
            ),
            _ => Answer::Done(String::new()),
        });
        let route = serde_json::json!({ "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" });
        let to = DefaultRouteTable {
            vpc_id: "vpc-1".to_owned(),
            routes: vec![serde_json::from_value(route).unwrap()],
            tags: [("leoctl:stack".to_owned(), "shop".to_owned())].into(),
            id: String::new(),
            arn: String::new(),
        };
        assert_eq!(DefaultRouteTable::create(&canned.aws, &operation(0), &to).await.unwrap(), "rtb-1");
        DefaultRouteTable::update(&canned.aws, &operation(0), "rtb-1", &DefaultRouteTable::as_created(&to), &to).await.unwrap();
        let changes = canned.changes();
        let called: Vec<&str> = changes.iter().map(|call| call.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(called, ["CreateTags", "ReplaceRoute", "DeleteRoute"]);
        assert!(changes[1].contains("GatewayId=igw-1") && changes[2].contains("10.1.0.0"), "{changes:?}");
    }
}
