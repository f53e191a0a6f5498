//! EC2: instances, networks and security groups.

mod blocked;
pub mod default_route_table;
pub mod default_security_group;
pub mod egress_only_internet_gateway;
pub mod eip;
mod group_rules;
pub mod instance;
pub mod internet_gateway;
pub mod key_pair;
pub mod nat_gateway;
mod route;
pub mod route_table;
pub mod rule;
pub mod security_group;
pub mod security_group_rule;
pub mod subnet;
pub mod vpc;
pub mod vpc_endpoint;

use std::future::Future;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use futures_util::future::try_join_all;

use super::client::Aws;
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect, same_owner};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::STACK_TAG;

/// The filter `name` with these values: unlike id parameters, filters do not fail on ids that do not exist.
pub fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// The most values that a filter takes (EC2 User Guide, "List and filter your resources").
const VALUES: usize = 200;

/// What EC2 says of these, asked with the filter `name` and as many at once as that takes.
///
/// # Errors
/// When AWS refuses.
pub async fn in_chunks<T, F>(name: &str, values: &[String], ask: impl Fn(Filter) -> F) -> Outcome<Vec<T>>
where
    F: Future<Output = Outcome<Vec<T>>>,
{
    let asked = values.chunks(VALUES).map(|some| ask(filter(name, some)));
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

/// Whether an id in an answer is among those that were asked for: what is done to a resource rests on what is read of it.
pub fn is_one_of(ids: &[String], id: Option<&str>) -> bool {
    id.is_some_and(|id| ids.iter().any(|asked| asked == id))
}

/// Filters for the ownership tags of a wanted resource.
pub fn ownership_filters(wanted: &Wanted) -> Vec<Filter> {
    wanted.ownership().into_iter().map(|(key, value)| filter(&format!("tag:{key}"), &[value])).collect()
}

/// Tags for a creation call.
pub fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
}

/// Tags as EC2 returns them.
pub fn tags(tags: &[Tag]) -> Tags {
    collect(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// Makes one set of tags of a resource into another.
///
/// # Errors
/// When AWS refuses.
pub async fn update_tags(client: &Client, id: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if !change.set.is_empty() {
        let tags = change.set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        client.create_tags().resources(id).set_tags(Some(tags)).send().await.idempotent("ec2:CreateTags")?;
    }
    if !change.remove.is_empty() {
        let tags = change.remove.iter().map(|key| Tag::builder().key(key).build()).collect();
        client.delete_tags().resources(id).set_tags(Some(tags)).send().await.idempotent("ec2:DeleteTags")?;
    }
    Ok(())
}

/// What AWS has made with a VPC.
pub struct Standing<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its tags.
    pub tags: Tags,
}

/// Gives what AWS has made with a VPC the tags that are wanted, which say whose it is from now on; its id.
///
/// # Errors
/// When there is none yet, when its tags say that it is somebody else's, or when AWS refuses.
pub async fn take_over(aws: &Aws, standing: Option<Standing<'_>>, to: &Tags, vpc: &str, read: &str) -> Outcome<String> {
    let Some(Standing { id, tags }) = standing.filter(|standing| !standing.id.is_empty()) else {
        let code = Some("InvalidVpcID.NotFound".to_owned());
        let message = format!("AWS does not show yet what it makes with {vpc}, or there is no such VPC");
        return Err(Failure { operation: read.to_owned(), code, ..Failure::new(FailureKind::NotFound, message) });
    };
    if tags.contains_key(STACK_TAG) && !same_owner(&tags, to) {
        return Err(Failure::exists("ec2:CreateTags", id));
    }
    update_tags(aws.ec2(), id, &tags, to).await?;
    Ok(id.to_owned())
}

/// Why AWS does not delete what it has made with a VPC.
fn goes_with_its_vpc(id: &str) -> Failure {
    Failure::new(FailureKind::Refused, format!("{id} goes with its VPC alone"))
}

/// What is wrong with the size of the IPv4 network a VPC or subnet is to have
/// (VPC User Guide, "VPC CIDR blocks" and "Subnet sizing": /16 to /28).
pub fn network_size(desired: &Value) -> Vec<(Path, String)> {
    let network = desired.get("cidr_block").and_then(Value::as_str).and_then(|text| text.parse::<ipnet::Ipv4Net>().ok());
    let wrong = network.filter(|network| !(16..=28).contains(&network.prefix_len()));
    let problem = |network| (Path::attribute("cidr_block"), format!("a network in AWS is from /16 to /28 large, and {network} is not"));
    wrong.map(problem).into_iter().collect()
}

/// Whether both are the same network, or both none, however they are written.
fn is_same_network(one: Option<&str>, other: Option<&str>) -> bool {
    let network = |text: &str| text.parse::<ipnet::IpNet>().ok();
    one == other || one.zip(other).is_some_and(|(one, other)| network(one).is_some() && network(one) == network(other))
}

/// The ARN of an EC2 resource.
pub fn arn(region: &str, owner: &str, kind: &str, id: &str) -> String {
    format!("arn:{}:ec2:{region}:{owner}:{kind}/{id}", super::partition(region))
}

#[cfg(test)]
mod tests {
    use super::{filter, in_chunks};

    #[tokio::test]
    async fn a_filter_has_no_more_values_than_it_takes() {
        let ids: Vec<String> = (0..450).map(|number| format!("subnet-{number}")).collect();
        let asked = in_chunks("subnet-id", &ids, |only| async move { Ok(vec![only]) }).await.unwrap();
        let sizes: Vec<usize> = asked.iter().map(|filter| filter.values().len()).collect();
        assert_eq!((sizes.as_slice(), asked[0].name()), ([200, 200, 50].as_slice(), Some("subnet-id")));
        assert_eq!(asked[2], filter("subnet-id", &ids[400..]));
        assert!(in_chunks("subnet-id", &[], |only| async move { Ok(vec![only]) }).await.unwrap().is_empty());
    }
}
