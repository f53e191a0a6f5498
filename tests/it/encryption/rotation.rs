//! Rotating keys: who can read the state changes as a whole, and a rotation that is killed leaves what can be read.

use std::process::Stdio;

use super::{Key, MARKER, STACK, age_of, expect, key, stack, with};
use crate::support::emulator::Emulator;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

#[test]
fn an_apply_gives_the_state_to_nobody_new_and_a_rotation_does() {
    let (old, new, evil) = (key(), key(), key());
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "590000000401");
    project.write(STACK, &stack(&age_of(&[&old])));
    expect(&project, &old, 0, &["apply", "-y", STACK]);
    let state = || std::fs::read_to_string(super::state_of(&project)).unwrap();
    let before = state();
    // A pull request that was merged unread adds a recipient of its own.
    project.write(STACK, &stack(&age_of(&[&old, &evil])).replace("/two", "/three"));
    let plan = expect(&project, &old, 0, &["plan", STACK]);
    assert!(plan.stderr.contains(&format!("with {}", evil.recipient)), "{}", plan.stderr);
    for command in [&["apply", "-y", STACK][..], &["destroy", "-y", STACK], &["state", "rm", "cloudwatch_log_group.one", STACK]] {
        let refused = expect(&project, &old, 1, command);
        assert!(refused.stderr.contains("leoctl state rotate"), "{command:?}: {}", refused.stderr);
    }
    assert_eq!(state(), before);
    // Rotating takes an identity that can read what is there, and one that can read what is written.
    project.write(STACK, &stack(&age_of(&[&new])));
    expect(&project, &new, 1, &["state", "rotate", STACK]);
    expect(&project, &old, 1, &["state", "rotate", STACK]);
    assert_eq!(state(), before);
    let both = Key { identity: format!("{} {}", old.identity, new.identity), recipient: String::new() };
    expect(&project, &both, 0, &["state", "rotate", STACK]);
    expect(&project, &old, 1, &["show", STACK]);
    assert!(expect(&project, &new, 0, &["show", STACK]).stdout.contains(MARKER));
}

#[tokio::test]
async fn a_rotation_that_is_killed_anywhere_leaves_a_state_that_can_be_read() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&sdk::config(&emulator.endpoint, "test").await).force_path_style(true).build(),
    );
    s3.create_bucket().bucket("rotated").send().await.unwrap();
    let (old, new) = (key(), key());
    let both = Key { identity: format!("{}\n{}", old.identity, new.identity), recipient: String::new() };
    let backend = "backend.s3 = { bucket = \"rotated\", key = \"web.json\" }\n";
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &stack(&format!("{backend}{}", age_of(&[&old]))));
    expect(&project, &old, 0, &["apply", "-y", STACK]);
    expect(&project, &old, 0, &["state", "mv", "cloudwatch_log_group.one", "cloudwatch_log_group.first", STACK]);
    expect(&project, &old, 0, &["state", "mv", "cloudwatch_log_group.first", "cloudwatch_log_group.one", STACK]);
    project.write(STACK, &stack(&format!("{backend}{}", age_of(&[&new]))));
    let mut at = 0;
    loop {
        let fault = if at % 2 == 0 { Fault::KillBefore } else { Fault::KillAfter };
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            // What renews the lock comes when it comes.
            (call.mutates && call.mutation == Some(at)).then(|| fault.clone())
        });
        let mut command = project.command(&["state", "rotate", STACK]);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("LEOCTL_AGE_IDENTITY", &both.identity);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.victim(child.id());
        let ended = ran(child.wait_with_output().unwrap());
        let shown = expect(&project, &both, 0, &["state", "pull", STACK]).stdout;
        assert!(shown.contains(MARKER));
        if ended.code == 0 {
            break;
        }
        expect(&project, &both, 0, &["state", "unlock", STACK]);
        at += 1;
    }
    assert!(at >= 4, "{at}: the lock, the state and two copies are written");
    // All of it is the new one's alone.
    for object in s3.list_objects_v2().bucket("rotated").send().await.unwrap().contents() {
        let name = object.key().unwrap();
        let body = s3.get_object().bucket("rotated").key(name).send().await.unwrap().body.collect().await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(!text.contains(MARKER), "{name}");
        assert!(name.ends_with(".lock") || text.contains(&new.recipient) && !text.contains(&old.recipient), "{name}: {text}");
    }
    assert_eq!(with(&project, &old, &["show", STACK]).code, 1);
    expect(&project, &new, 0, &["plan", "--detailed-exitcode", STACK]);
}

#[tokio::test]
async fn an_encrypted_state_moves_into_a_bucket_and_an_apply_there_shows_nothing() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&sdk::config(&emulator.endpoint, "test").await).force_path_style(true).build(),
    );
    s3.create_bucket().bucket("moved").send().await.unwrap();
    let key = key();
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &stack(&age_of(&[&key])));
    expect(&project, &key, 0, &["apply", "-y", STACK]);
    let there = stack(&format!("backend.s3 = {{ bucket = \"moved\", key = \"web.json\" }}\n{}", age_of(&[&key])));
    project.write(STACK, &there);
    expect(&project, &key, 0, &["state", "migrate", STACK]);
    // Killed in the middle, its journal is in the bucket.
    project.write(STACK, &there.replace("/two", "/three"));
    let proxy = Proxy::start(&emulator.endpoint, |call| (call.operation == "DeleteLogGroup").then_some(Fault::KillBefore));
    let mut command = project.command(&["apply", "-y", STACK]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("LEOCTL_AGE_IDENTITY", &key.identity);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    proxy.victim(child.id());
    drop(child.wait_with_output().unwrap());
    let objects = s3.list_objects_v2().bucket("moved").send().await.unwrap();
    let keys: Vec<&str> = objects.contents().iter().filter_map(|object| object.key()).collect();
    assert!(keys.iter().any(|key| key.contains(".journal/")), "{keys:?}");
    for name in &keys {
        let body = s3.get_object().bucket("moved").key(*name).send().await.unwrap().body.collect().await.unwrap();
        assert!(!String::from_utf8(body.to_vec()).unwrap().contains(MARKER), "{name}");
    }
    // A record that is taken out of the middle is missed.
    let records: Vec<&&str> = keys.iter().filter(|key| key.contains(".journal/")).collect();
    let first = s3.get_object().bucket("moved").key(*records[0]).send().await.unwrap().body.collect().await.unwrap().to_vec();
    let last = records.last().unwrap();
    let kept = s3.get_object().bucket("moved").key(**last).send().await.unwrap().body.collect().await.unwrap().to_vec();
    if records.len() > 1 {
        s3.put_object().bucket("moved").key(**last).body(first.into()).send().await.unwrap();
        let refused = expect(&project, &key, 1, &["plan", STACK]);
        assert!(refused.stderr.contains("is not the record that belongs there"), "{}", refused.stderr);
        s3.put_object().bucket("moved").key(**last).body(kept.into()).send().await.unwrap();
    }
    assert!(records.len() > 2, "{records:?}");
    let middle = *records[records.len() / 2];
    let kept = s3.get_object().bucket("moved").key(middle).send().await.unwrap().body.collect().await.unwrap().to_vec();
    s3.delete_object().bucket("moved").key(middle).send().await.unwrap();
    for command in [&["plan", STACK][..], &["state", "list", STACK]] {
        let refused = expect(&project, &key, 1, command);
        assert!(refused.stderr.contains("is missing") && refused.stderr.contains("E1006"), "{}", refused.stderr);
    }
    s3.put_object().bucket("moved").key(middle).body(kept.into()).send().await.unwrap();
    expect(&project, &key, 0, &["state", "unlock", STACK]);
    expect(&project, &key, 0, &["apply", "-y", STACK]);
    // A file that a colleague has left where the state was says nothing any more.
    std::fs::write(super::state_of(&project), "{\"leoctl_encrypted\": 1, left behind").unwrap();
    expect(&project, &key, 0, &["plan", "--detailed-exitcode", STACK]);
}
