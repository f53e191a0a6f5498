//! What types and calls declare that they take.

use std::collections::BTreeSet;

use super::*;

/// The operations that failures are named after in the sources of the types are those they declare.
#[test]
fn whatever_a_type_calls_is_declared() {
    let catalog = registry::catalog();
    // One of those that go through Cloud Control stands for all.
    let names = catalog.resources.keys().map(String::as_str).chain(["awscc_sqs_queue"]);
    let resources = names.filter_map(registry::permissions);
    let resources = resources.flat_map(|one| one.plan.iter().chain(one.apply));
    let data = catalog.data.keys().filter_map(|name| registry::data_permissions(name)).flatten();
    // `explain --aws` asks with the credentials of the one who calls it, for which no role is made.
    let others = SHARED.into_iter().chain(ASSUME.iter().copied()).chain(["cloudformation:DescribeType"]);
    let declared: BTreeSet<&str> = resources.chain(data).flat_map(|grant| grant.actions.iter().copied()).chain(others).collect();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/aws/src")];
    let mut called = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(path).unwrap();
                called.extend(crate::changing_calls::calls(&text).into_iter().map(|(operation, _)| operation));
            }
        }
    }
    let missing: Vec<&String> = called.iter().filter(|action| !declared.contains(action.as_str())).collect();
    assert!(called.len() > 300 && missing.is_empty(), "{missing:?}");
}

#[test]
fn a_bucket_that_is_made_with_tags_takes_the_permission_to_tag() {
    let body = |more: &str| Call {
        index: 0,
        mutation: None,
        service: "s3".to_owned(),
        operation: "PUT bucket".to_owned(),
        mutates: true,
        protocol: crate::support::proxy::call::Protocol::RestXml,
        request: format!("/assets <CreateBucketConfiguration>{more}</CreateBucketConfiguration>"),
        began: std::time::Instant::now(),
        ended: None,
        fault: None,
    };
    let policy = |actions: &[&str]| {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Policy(vec![(actions, vec!["arn:aws:s3:::assets".to_owned()])])
    };
    let tags = "<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>";
    assert!(policy(&["s3:CreateBucket"]).allows(&body("")));
    assert!(!policy(&["s3:CreateBucket"]).allows(&body(tags)));
    assert!(policy(&["s3:CreateBucket", "s3:TagResource"]).allows(&body(tags)));
    // Those that leoctl prints have it, and its buckets are made with tags.
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project
        .write("stacks/tagged.toml", "[stack]\nname = \"tagged\"\nregion = \"us-east-1\"\n[resource.s3_bucket.x]\nbucket = \"assets\"\n");
    let printed = Policy::of(&project, "apply", "stacks/tagged.toml", &[]);
    let recorder = Proxy::recording(&emulator.endpoint);
    let applied = crate::support::program::ran(
        project.command(&["apply", "-y", "stacks/tagged.toml"]).env("AWS_ENDPOINT_URL", &recorder.endpoint).output().unwrap(),
    );
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let calls = recorder.calls();
    assert!(calls.iter().any(|call| actions(call).contains(&"s3:TagResource".to_owned())), "{calls:?}");
    all_allowed(&printed, &calls);
}
