//! What a push does to a secret, and what it leaves alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_secretsmanager::primitives::Blob;

use super::{BODY, STACK, nothing_is_shown, private, standings, typed, value};
use crate::support::emulator::{Emulator, Running};
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

fn applied() -> Option<(Running, Project)> {
    let emulator = Emulator::Fakecloud.alone()?;
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    Some((emulator, project))
}

async fn client(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&sdk::config(endpoint, "test").await)
}

/// Sets a secret past leoctl.
async fn set(endpoint: &str, name: &str, text: &str) {
    client(endpoint).await.put_secret_value().secret_id(name).secret_string(text).send().await.unwrap();
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap())
}

#[tokio::test]
async fn a_binary_secret_is_said_to_be_binary_and_never_touched() {
    let Some((emulator, project)) = applied() else { return };
    let client = client(&emulator.endpoint).await;
    let bytes = || Blob::new([0, 159, 146, 150]);
    client.put_secret_value().secret_id("shop/spare-key").secret_binary(bytes()).send().await.unwrap();
    private(&project, ".env", "shop/spare-key=hunter2-other\nAPI_TOKEN=hunter2-token\n");
    let pushed = project.expect(0, &["secrets", "push", "-y", STACK]);
    let set = typed(&project, &["secrets", "set", "shop/spare-key", STACK], "hunter2-typed");
    let found = client.get_secret_value().secret_id("shop/spare-key").send().await.unwrap();
    assert_eq!((found.secret_string, found.secret_binary), (None, Some(bytes())));
    assert!(pushed.stderr.contains("shop/spare-key is binary"), "{}", pushed.stderr);
    let again = project.json(&["secrets", "push", "-y", "--json", STACK]);
    assert_eq!(again, serde_json::json!({ "pushed": [], "not_pushed": ["shop/spare-key"], "unknown": [] }));
    assert!(set.code == 1 && set.stderr.contains("binary"), "{}", set.stderr);
    assert!(standings(&project).contains(&("shop/spare-key".to_owned(), "binary".to_owned())), "{:?}", standings(&project));
    assert_eq!(value(&emulator.endpoint, "shop/api-token").await, "hunter2-token");
}

#[tokio::test]
async fn keys_keep_their_kinds_and_their_order_and_others_are_left_to_the_letter() {
    let Some((emulator, project)) = applied() else { return };
    set(&emulator.endpoint, "shop/database", r#"{"rate":1.10,"user":5432,"list":[1, 2],"password":"old"}"#).await;
    private(&project, ".env", "DB_USER=5433\nDB_PASSWORD=7\n");
    let pushed = project.expect(0, &["secrets", "push", "-y", STACK]);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"rate":1.10,"user":5433,"list":[1, 2],"password":"7"}"#);
    assert!(pushed.stderr.contains("shop/database:user: "), "{}", pushed.stderr);
    set(&emulator.endpoint, "shop/database", "hunter2-other").await;
    let refused = project.expect(1, &["secrets", "push", "-y", STACK]);
    assert!(refused.stderr.contains("no JSON object"), "{}", refused.stderr);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, "hunter2-other");
    nothing_is_shown(&project, &[pushed, refused]);
}

#[tokio::test]
async fn a_push_shows_first_which_keys_change_and_sets_all_of_a_secret_at_once() {
    let Some((emulator, project)) = applied() else { return };
    set(&emulator.endpoint, "shop/database", r#"{"user":"shop","password":"hunter2-other"}"#).await;
    private(&project, ".env", "DB_USER=shop\nDB_PASSWORD=hunter2-password\nAPI_TOKEN=hunter2-token\n");
    let proxy = Proxy::recording(&emulator.endpoint);
    let asked = through(&project, &proxy, &["secrets", "push", STACK]);
    assert_eq!(asked.code, 1);
    assert!(asked.stderr.contains("shop/database:user: unchanged"), "{}", asked.stderr);
    let line = |start: &str| asked.stderr.lines().find(|line| line.trim().starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("shop/database:password: ").contains(" -> "), "{}", asked.stderr);
    assert!(line("shop/api-token: ").contains("not set -> "), "{}", asked.stderr);
    assert!(proxy.calls().iter().all(|call| call.operation != "PutSecretValue"));
    let pushed = through(&project, &proxy, &["secrets", "push", "-y", STACK]);
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    assert_eq!(proxy.calls().iter().filter(|call| call.operation == "PutSecretValue").count(), 2);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"user":"shop","password":"hunter2-password"}"#);
    nothing_is_shown(&project, &[asked, pushed]);
}

#[tokio::test]
async fn a_secret_that_somebody_else_sets_meanwhile_is_left_as_they_set_it() {
    let Some((emulator, project)) = applied() else { return };
    set(&emulator.endpoint, "shop/database", r#"{"user":"old"}"#).await;
    private(&project, ".env", "DB_USER=new\n");
    let (first, endpoint) = (AtomicUsize::new(0), emulator.endpoint.clone());
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let endpoint = endpoint.clone();
        (call.operation == "GetSecretValue" && first.fetch_add(1, Ordering::SeqCst) == 0).then(|| {
            Fault::Then(Arc::new(move || {
                let endpoint = endpoint.clone();
                let others = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(set(&endpoint, "shop/database", r#"{"user":"theirs","host":"db"}"#));
                });
                others.join().unwrap();
            }))
        })
    });
    let pushed = through(&project, &proxy, &["secrets", "push", "-y", STACK]);
    assert_eq!(pushed.code, 1);
    assert!(pushed.stderr.contains("somebody else has set it"), "{}", pushed.stderr);
    assert!(pushed.stderr.contains("Not set: shop/database"), "{}", pushed.stderr);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"user":"theirs","host":"db"}"#);
}

#[tokio::test]
async fn a_push_that_fails_in_the_middle_says_what_it_has_set_and_what_not() {
    let Some((emulator, project)) = applied() else { return };
    private(&project, ".env", "DB_USER=shop\nshop/spare-key=hunter2-other\nAPI_TOKEN=hunter2-token\n");
    let puts = AtomicUsize::new(0);
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let second = call.operation == "PutSecretValue" && puts.fetch_add(1, Ordering::SeqCst) == 1;
        second.then(|| Fault::refuse(400, "AccessDeniedException"))
    });
    let failed = through(&project, &proxy, &["secrets", "push", "-y", STACK]);
    assert_eq!(failed.code, 1);
    for words in ["Set: shop/database\n", "Not set: shop/spare-key, shop/api-token\n", "setting shop/spare-key"] {
        assert!(failed.stderr.contains(words), "{words}: {}", failed.stderr);
    }
    let standings: Vec<String> = standings(&project).into_iter().map(|(_, standing)| standing).collect();
    assert_eq!(standings, ["nowhere", "unchanged", "unset", "unset"]);
    nothing_is_shown(&project, &[failed]);
}

#[test]
fn what_is_likely_mistyped_is_said_before_the_question() {
    let Some((_emulator, project)) = applied() else { return };
    private(&project, ".env", "DB_PASSWROD=hunter2-a\nNODE_ENV=hunter2-b\nshop/database:pasword=hunter2-c\n");
    let asked = project.expect(1, &["secrets", "push", STACK]);
    for said in [
        ".env:1 means no secret of the stack: did you mean `DB_PASSWORD`?",
        "In the files, and no secret of the stack: NODE_ENV\n",
        "a new key, which no container gets: did you mean `password`?",
    ] {
        assert!(asked.stderr.contains(said), "{said}: {}", asked.stderr);
    }
    nothing_is_shown(&project, &[asked]);
}
