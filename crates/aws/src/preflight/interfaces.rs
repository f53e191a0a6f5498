//! Network interfaces, and whose they are.

use aws_sdk_ec2::types::NetworkInterface;

use crate::client::Aws;
use crate::ec2::in_chunks;
use crate::error::OrFail;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::plan::preflight::security_group::{Groups, Interface};

/// The interfaces that have any of some security groups.
pub async fn with_groups(aws: &Aws, groups: &Groups) -> Outcome<Vec<Interface>> {
    let ids: Vec<String> = groups.groups.keys().cloned().collect();
    in_chunks("group-id", &ids, |only| async move {
        // More than one page of a thousand need not be named.
        let call = aws.ec2().describe_network_interfaces().filters(only).max_results(1000);
        let answer = call.send().await.or_fail("ec2:DescribeNetworkInterfaces")?;
        Ok(answer.network_interfaces().iter().map(from_api).collect())
    })
    .await
}

/// An interface as EC2 says it.
pub fn from_api(found: &NetworkInterface) -> Interface {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Interface {
        id: text(found.network_interface_id()),
        groups: found.groups().iter().filter_map(|group| group.group_id().map(str::to_owned)).collect(),
        description: text(found.description()),
        kind: found.interface_type().map_or("interface", |kind| kind.as_str()).to_owned(),
        // Who asks is an account, or the name of a service of AWS (EC2 API Reference, NetworkInterface).
        owner: text(found.requester_id().filter(|_| found.requester_managed() == Some(true)).or(found.owner_id())),
        instance: found.attachment().and_then(|attachment| attachment.instance_id()).map(str::to_owned),
    }
}
