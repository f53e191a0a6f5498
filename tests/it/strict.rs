//! The tool that the fidelity of leoctl is measured with, measured itself: requests and answers in every protocol are read as
//! AWS's models say, what the models do not allow is said, and every rule is about calls and members that there are.

use serde_json::{Value, json};

use crate::support::proxy::call::Call;
use crate::support::proxy::http::Message;
use crate::support::strict::models::{self, Model, Shape};
use crate::support::strict::page::Pages;
use crate::support::strict::path;
use crate::support::strict::request::Asked;
use crate::support::strict::rule::{OneOrMany, Rule, Since, is_on};
use crate::support::strict::{answer, facts, valid};

/// A signed request.
fn request(service: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let signed = format!("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host");
    let headers = headers.iter().copied().chain([("authorization", signed.as_str())]);
    Message {
        bytes: body.as_bytes().to_vec(),
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ..Message::default()
    }
}

/// An answer.
fn answered(body: &str) -> Message {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
    Message { bytes: [head, body].concat().into_bytes(), body: head.len(), ..Message::default() }
}

fn asked(service: &str, request: &Message) -> Asked {
    Asked::of(service, request).unwrap()
}

#[test]
fn requests_of_every_protocol_are_read_as_members() {
    let ec2 = request(
        "ec2",
        "POST",
        "/",
        &[],
        "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16&AmazonProvidedIpv6CidrBlock=true&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b+c",
    );
    let ec2 = asked("ec2", &ec2);
    assert_eq!(ec2.name(), "ec2:CreateVpc");
    let tags = json!([{ "ResourceType": "vpc", "Tags": [{ "Key": "a", "Value": "b c" }] }]);
    assert_eq!(ec2.members, json!({ "AmazonProvidedIpv6CidrBlock": true, "CidrBlock": "10.0.0.0/16", "TagSpecifications": tags }));

    let query = request(
        "elasticloadbalancing",
        "POST",
        "/",
        &[],
        "Action=SetSecurityGroups&LoadBalancerArn=arn&SecurityGroups.member.1=sg-1&SecurityGroups.member.2=sg-2",
    );
    assert_eq!(asked("elasticloadbalancing", &query).members, json!({ "LoadBalancerArn": "arn", "SecurityGroups": ["sg-1", "sg-2"] }));

    let map = request("sns", "POST", "/", &[], "Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=T");
    assert_eq!(asked("sns", &map).members, json!({ "Name": "t", "Attributes": { "DisplayName": "T" } }));

    let target = [("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster")];
    let ecs = asked("ecs", &request("ecs", "POST", "/", &target, r#"{"clusterName":"c"}"#));
    assert_eq!((ecs.name().as_str(), ecs.members), ("ecs:CreateCluster", json!({ "clusterName": "c" })));

    let efs =
        asked("elasticfilesystem", &request("elasticfilesystem", "GET", "/2015-02-01/file-systems?FileSystemId=fs-12345678", &[], ""));
    assert_eq!((efs.name().as_str(), efs.members), ("efs:DescribeFileSystems", json!({ "FileSystemId": "fs-12345678" })));

    let policy = asked("s3", &request("s3", "PUT", "/bucket?policy", &[], "{}"));
    assert_eq!((policy.name().as_str(), policy.members), ("s3:PutBucketPolicy", json!({ "Bucket": "bucket", "Policy": "{}" })));
    let put = |headers: &[(&str, &str)]| asked("s3", &request("s3", "PUT", "/bucket/a/b%20c?x-id=PutObject", headers, "")).name();
    assert_eq!(put(&[]), "s3:PutObject");
    assert_eq!(put(&[("x-amz-copy-source", "/bucket/other")]), "s3:CopyObject");

    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let versioning = asked("s3", &request("s3", "PUT", "/bucket/?versioning", &[], versioning));
    assert_eq!(versioning.members, json!({ "Bucket": "bucket", "VersioningConfiguration": { "Status": "Enabled" } }));

    for asked in [&ec2, &read(&query), &read(&map)] {
        assert!(asked.problems.0.is_empty(), "{:?}", asked.problems);
    }
}

fn read(request: &Message) -> Asked {
    let call = Call::of(request).unwrap();
    asked(&call.service, request)
}

#[test]
fn what_the_models_do_not_allow_is_said() {
    let problems = |form: &str| asked("ec2", &request("ec2", "POST", "/", &[], form)).problems.0;
    assert_eq!(problems("Action=CreateSubnet&CidrBlock=10.0.0.0/24"), ["VpcId is missing"]);
    assert_eq!(problems("Action=DescribeVpcs&Colour=red"), ["Colour is no member"]);
    assert_eq!(problems("Action=DescribeVpcs&MaxResults=2"), ["MaxResults is 2, out of Some(5.0) to Some(1000.0)"]);
    assert_eq!(problems("Action=DescribeVpcs&MaxResults=many"), ["MaxResults is \"many\" and no integer"]);
    assert_eq!(problems("Action=DescribeWeather"), ["DescribeWeather is no operation of this service"]);
    assert_eq!(problems("Action=CreateVpc&InstanceTenancy=mine"), ["InstanceTenancy is \"mine\", none of the model's values"]);

    let target = [("x-amz-target", "secretsmanager.CreateSecret")];
    let secret = |body: &str| asked("secretsmanager", &request("secretsmanager", "POST", "/", &target, body)).problems.0;
    assert_eq!(
        secret(r#"{"Name":"s","ClientRequestToken":"short"}"#),
        ["ClientRequestToken has the length 5, out of Some(32) to Some(64)"]
    );
    assert_eq!(secret(r#"{"Name":7}"#), ["Name is 7 and no string"]);
    let pattern = request("iam", "POST", "/", &[], "Action=GetRole&RoleName=a%2Fb");
    assert_eq!(asked("iam", &pattern).problems.0, [r#"RoleName is "a/b" and not of the pattern [\w+=,.@-]+"#]);
}

#[test]
fn answers_of_every_protocol_are_read_and_written_as_members() {
    let tripped = |service: &str, request: Message, body: &str, members: Value| {
        let call = Call::of(&request).unwrap();
        let asked = asked(service, &request);
        let read = answer::members(&call, &asked, &answered(body)).unwrap();
        assert_eq!(read, members);
        let written = answer::with_members(&call, &asked, &answered(body), &members).unwrap();
        let body = written.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let again = Message { bytes: written, body, ..Message::default() };
        assert_eq!(answer::members(&call, &asked, &again).unwrap(), members);
    };
    tripped(
        "ec2",
        request("ec2", "POST", "/", &[], "Action=DescribeVpcs"),
        "<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet></DescribeVpcsResponse>",
        json!({ "Vpcs": [{ "IsDefault": true, "VpcId": "vpc-1" }] }),
    );
    tripped(
        "sns",
        request("sns", "POST", "/", &[], "Action=GetTopicAttributes&TopicArn=t"),
        "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>A&amp;B</key><value>1 &lt; 2</value></entry></Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>",
        json!({ "Attributes": { "A&B": "1 < 2" } }),
    );
    tripped(
        "s3",
        request("s3", "GET", "/bucket?lifecycle", &[], ""),
        "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status></Rule><Rule><ID>b</ID><Status>Disabled</Status></Rule></LifecycleConfiguration>",
        json!({ "Rules": [{ "ID": "a", "Status": "Enabled" }, { "ID": "b", "Status": "Disabled" }] }),
    );
    tripped(
        "elasticfilesystem",
        request("elasticfilesystem", "GET", "/2015-02-01/file-systems", &[], ""),
        r#"{"FileSystems":[{"FileSystemId":"fs-1","Encrypted":true}]}"#,
        json!({ "FileSystems": [{ "FileSystemId": "fs-1", "Encrypted": true }] }),
    );
}

/// Patterns that look ahead are Java's own and cannot be checked. Many more than these would mean that something else is not.
#[test]
fn nearly_all_patterns_of_the_models_can_be_checked() {
    let (mut all, mut skipped) = (0, 0);
    for service in models::all() {
        for pattern in service.patterns() {
            all += 1;
            skipped += usize::from(valid::compiled(pattern).is_none());
        }
    }
    assert!(all > 500 && skipped * 12 < all, "{skipped} of {all} patterns are skipped");
    eprintln!("{skipped} of {all} patterns are Java's own, and skipped");
}

#[test]
fn the_rules_are_of_the_models() {
    let mut wrong = Vec::new();
    for fact in facts() {
        for rule in &fact.rule {
            wrong.extend(mistakes(rule).into_iter().map(|mistake| format!("{}: {mistake}", fact.id)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The operations that a rule's names stand for.
fn operations(names: &OneOrMany) -> Vec<(&'static Model, &'static str)> {
    let all = models::all().into_iter().flat_map(|model| model.operations().keys().map(move |operation| (model, operation.as_str())));
    all.filter(|(model, operation)| is_on(names, &model.name, operation)).collect()
}

fn mistakes(rule: &Rule) -> Vec<String> {
    let mut wrong = Vec::new();
    let calls = operations(&rule.on);
    for name in rule.on.all() {
        if operations(&OneOrMany::One(name.clone())).is_empty() {
            wrong.push(format!("there is no call {name}"));
        }
    }
    let verbs =
        [rule.refuse.is_some(), rule.answer.is_some(), rule.drop, rule.delay_ms.is_some(), rule.page.is_some(), rule.rate.is_some()];
    if verbs.iter().filter(|verb| **verb).count() != 1 {
        wrong.push("a rule has one verb".to_owned());
    }
    if rule.drop && rule.each.is_none() {
        wrong.push("what is left out is an element of `each`".to_owned());
    }
    let each = rule.each.as_ref().map(|each| each.all().to_vec()).unwrap_or_default();
    let edits = rule.answer.iter().flatten().map(|edit| edit.at.clone());
    let edited: Vec<String> = match each.is_empty() {
        true => edits.map(|at| format!("answer.{at}")).collect(),
        false => edits.map(|at| format!("each.{at}")).collect(),
    };
    let since = [&rule.since, &rule.never].into_iter().flatten();
    let asked = rule.when.keys().chain(rule.unless.keys()).cloned();
    let here: Vec<String> = asked.chain(edited).chain(since.clone().flat_map(|since| since.same.all().to_vec())).collect();
    wrong.extend(here.iter().filter(|at| !is_known(at, &calls, &each)).map(|at| format!("no call has {at}")));
    since.for_each(|since| wrong.extend(mistakes_before(since)));
    if rule.page.is_some() && !calls.iter().any(|(model, operation)| Pages::known(model, operation).is_some()) {
        wrong.push("none of its calls has pages".to_owned());
    }
    wrong
}

fn mistakes_before(since: &Since) -> Vec<String> {
    let mut places: Vec<(&OneOrMany, String)> = Vec::new();
    places.extend(since.when.keys().chain(since.id.all()).map(|at| (&since.call, at.clone())));
    for until in since.until.all() {
        places.extend(until.when.keys().chain(until.id.all()).map(|at| (&until.call, at.clone())));
    }
    for link in since.link.all() {
        places.extend([&link.id, &link.other].map(|at| (&link.call, format!("{}.{at}", link.each))));
    }
    places.iter().filter(|(call, at)| !is_known(at, &operations(call), &[])).map(|(call, at)| format!("{call:?} has no {at}")).collect()
}

/// Whether any of the calls has this path.
fn is_known(at: &str, calls: &[(&'static Model, &'static str)], each: &[String]) -> bool {
    calls.iter().any(|(model, operation)| match (at.strip_prefix("answer."), at.strip_prefix("each.")) {
        (Some(rest), _) => leads(model.output(operation), rest),
        (None, Some(rest)) => each.iter().any(|each| leads(model.output(operation), &format!("{each}.{rest}"))),
        (None, None) if at == "each" => !each.is_empty(),
        (None, None) => leads(model.input(operation), at),
    })
}

/// Whether a path leads somewhere from here.
fn leads(shape: Option<Shape>, at: &str) -> bool {
    let payload = shape.and_then(|shape| shape.payload()).map(|(_, member)| member);
    [shape, payload].into_iter().flatten().any(|shape| {
        let end = path::parts(at).try_fold(shape, |shape, (name, elements)| {
            let member = if shape.kind() == "map" { shape.value() } else { shape.member(name) }?;
            if elements { member.element() } else { Some(member) }
        });
        end.is_some()
    })
}
