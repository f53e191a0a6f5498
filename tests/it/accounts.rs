//! One stack in several accounts: a certificate in us-east-1 whose records are in a zone of another account, roles that are
//! refused, names that lead elsewhere. On MiniStack, which keeps apart the accounts that `AssumeRole` leads to, and has one for
//! each access key that is a number; fakecloud asks a role's trust policy.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";
/// The stack's account, that of the zone, and one more.
const SHOP: &str = "430000000901";
const DNS: &str = "430000000902";
const OTHER: &str = "430000000903";

fn text(name: &str, accounts: &str, ttl: u32) -> String {
    format!(
        r#"
[stack]
name   = "{name}"
region = "eu-west-1"

{accounts}

[locals]
domains = ["{name}.example.org", "www.{name}.example.org"]

[data.caller_identity.dns]
account = "dns"

[resource.route53_zone.main]
account = "dns"
name    = "{name}.example.org"

[resource.acm_certificate.main]
region                    = "us-east-1"
domain_name               = "{name}.example.org"
subject_alternative_names = ["www.{name}.example.org"]

[resource.route53_record.validation]
account  = "dns"
for_each = "${{locals.domains}}"
zone_id  = "${{route53_zone.main.id}}"
name     = "${{acm_certificate.main.validation_records[each.value].name}}"
type     = "${{acm_certificate.main.validation_records[each.value].type}}"
ttl      = {ttl}
records  = ["${{acm_certificate.main.validation_records[each.value].value}}"]

[resource.acm_certificate_validation.main]
region                  = "us-east-1"
certificate_arn         = "${{acm_certificate.main.arn}}"
validation_record_fqdns = "${{pluck(route53_record.validation, 'fqdn')}}"

[resource.cloudwatch_log_group.here]
name = "/{name}"

[resource.cloudwatch_log_group.there]
account = "dns"
name    = "/{name}/there"

[outputs]
dns         = "${{data.caller_identity.dns.account_id}}"
certificate = "${{acm_certificate_validation.main.certificate_arn}}"
"#
    )
}

fn role(name: &str, account: &str) -> String {
    format!("[accounts.{name}]\nrole_arn = \"arn:aws:iam::{account}:role/dns\"\nexternal_id = \"shop\"\n")
}

fn project(name: &str) -> Project {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), SHOP);
    project.write(STACK, &text(name, &role("dns", DNS), 300));
    project
}

/// The names of the zones of this stack that an account has.
fn zones(name: &str, account: &str) -> Vec<String> {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), account);
    let file = format!(
        "[stack]\nname = \"look\"\nregion = \"us-east-1\"\n[data.route53_zone.it]\nname = \"{name}.example.org\"\n[outputs]\nzone = \"${{data.route53_zone.it.domain}}\"\n"
    );
    project.write("stacks/look.toml", &file);
    let ran = project.run(&["plan", "stacks/look.toml", "--json"]);
    if ran.code != 0 {
        assert!(ran.stderr.contains("no public zone matches"), "{}", ran.stderr);
        return Vec::new();
    }
    let plan: Json = serde_json::from_str(&ran.stdout).unwrap();
    vec![plan["outputs"]["zone"]["after"].as_str().unwrap().to_owned()]
}

/// The certificates that an account has in us-east-1 for the domain of this stack.
async fn certificates(name: &str, account: &str) -> usize {
    let config = sdk::config(Emulator::MiniStack.endpoint().unwrap(), account).await;
    let found = aws_sdk_acm::Client::new(&config).list_certificates().send().await.unwrap();
    let domain = format!("{name}.example.org");
    found.certificate_summary_list().iter().filter(|one| one.domain_name() == Some(&domain)).count()
}

fn place_of(plan: &Json, address: &str) -> (String, String, Json) {
    let change = plan["changes"].as_array().unwrap().iter().find(|change| change["address"] == address).unwrap();
    let text = |key: &str| change[key].as_str().unwrap().to_owned();
    (text("account"), text("region"), change["account_name"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_in_one_account_is_validated_in_a_zone_of_another() {
    let name = "shop-a";
    let project = project(name);
    let plan = project.json(&["plan", STACK, "--json"]);
    assert_eq!(place_of(&plan, "route53_zone.main"), (DNS.to_owned(), "eu-west-1".to_owned(), json!("dns")));
    assert_eq!(place_of(&plan, "acm_certificate.main"), (SHOP.to_owned(), "us-east-1".to_owned(), Json::Null));
    let shown = project.expect(0, &["plan", STACK]).stdout;
    assert!(shown.contains("route53_zone.main in accounts.dns") && !shown.contains("acm_certificate.main in accounts"), "{shown}");

    project.expect(0, &["apply", STACK, "-y"]);
    assert!(zones(name, SHOP).is_empty());
    assert_eq!(zones(name, DNS), [format!("{name}.example.org")]);
    assert_eq!((certificates(name, SHOP).await, certificates(name, DNS).await), (1, 0));
    let outputs = project.json(&["output", STACK, "--json"]);
    assert!(outputs.to_string().contains(DNS), "{outputs}");
    let state: Json = serde_json::from_str(&std::fs::read_to_string(project.path().join(format!("state/{name}.json"))).unwrap()).unwrap();
    assert_eq!((state["account_id"].as_str(), &state["accounts"]), (Some(SHOP), &json!({ "dns": DNS })));
    let listed = project.json(&["state", "list", STACK, "--json"]);
    let zone = listed.as_array().unwrap().iter().find(|one| one["address"] == "route53_zone.main").unwrap();
    assert_eq!(zone["account"], DNS);
    let listed = project.expect(0, &["state", "list", STACK]).stdout;
    let is_said = |address: &str, place: &str| listed.lines().any(|line| line.starts_with(address) && line.ends_with(place));
    assert!(is_said("route53_zone.main ", &format!(" in account {DNS}")) && is_said("acm_certificate.main ", " in us-east-1"), "{listed}");

    // The plan is empty, and a change is made where the record is.
    project.expect(0, &["plan", STACK, "--detailed-exitcode"]);
    project.write(STACK, &text(name, &role("dns", DNS), 60));
    let changed = project.expect(0, &["apply", STACK, "-y"]);
    assert!(changed.stdout.contains("2 updated") || changed.stderr.contains("updated"), "{}{}", changed.stdout, changed.stderr);
    project.expect(0, &["plan", STACK, "--detailed-exitcode"]);
    operated(name, &project).await;

    project.expect(0, &["destroy", STACK, "-y"]);
    assert!(zones(name, SHOP).is_empty() && zones(name, DNS).is_empty());
    assert_eq!((certificates(name, SHOP).await, certificates(name, DNS).await), (0, 0));
}

/// What is in another account is operated there, is seen to be gone there, and is imported from there.
async fn operated(name: &str, project: &Project) {
    let mut config = sdk::config(Emulator::MiniStack.endpoint().unwrap(), DNS).await.to_builder();
    config.set_region(aws_config::Region::new("eu-west-1"));
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config.build());
    let group = format!("/{name}/there");
    logs.create_log_stream().log_group_name(&group).log_stream_name("s").send().await.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let event = aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(now).message("from the other account").build().unwrap();
    logs.put_log_events().log_group_name(&group).log_stream_name("s").log_events(event).send().await.unwrap();
    let shown = project.expect(0, &["logs", "--stack", STACK, "there"]);
    assert!(shown.stdout.contains("from the other account"), "{}{}", shown.stdout, shown.stderr);

    logs.delete_log_group().log_group_name(&group).send().await.unwrap();
    let drift = project.expect(2, &["drift", STACK]);
    assert!(drift.stdout.contains("cloudwatch_log_group.there"), "{}", drift.stdout);
    project.expect(0, &["apply", STACK, "-y"]);
    project.expect(0, &["state", "rm", "cloudwatch_log_group.there", STACK]);
    project.expect(0, &["import", "cloudwatch_log_group.there", &group, STACK, "-y"]);
    let listed = project.json(&["state", "list", STACK, "--json"]);
    let there = listed.as_array().unwrap().iter().find(|one| one["address"] == "cloudwatch_log_group.there").unwrap();
    assert_eq!((&there["account"], &there["id"]), (&json!(DNS), &json!(group)));
    project.expect(0, &["plan", STACK, "--detailed-exitcode"]);

    // Under another name it is the same account, for what was made too.
    let file = project.path().join(STACK);
    let written = std::fs::read_to_string(&file).unwrap();
    let renamed = written.replace("[accounts.dns]", "[accounts.names]").replace("\"dns\"", "\"names\"");
    project.write(STACK, &renamed);
    project.expect(0, &["logs", "--stack", STACK, "there"]);
    project.write(STACK, &written);
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    proxy.victim(child.id());
    ran(child.wait_with_output().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_killed_between_the_accounts_goes_on_and_leaves_nothing() {
    // The changing calls make the zone, the certificate, the log groups and the records.
    for (nth, after) in [(0, true), (1, true), (2, true), (3, false), (4, true)] {
        let name = &format!("shop-k{nth}");
        let project = project(name);
        let count = AtomicUsize::new(0);
        let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| {
            let strikes = call.mutates && call.operation != "AssumeRole" && count.fetch_add(1, Ordering::SeqCst) == nth;
            strikes.then(|| if after { Fault::KillAfter } else { Fault::KillBefore })
        });
        let killed = through(&project, &proxy, &["apply", STACK, "-y"]);
        assert_ne!(killed.code, 0, "{nth}: {}", killed.stderr);
        project.expect(0, &["apply", STACK, "-y"]);
        project.expect(0, &["plan", STACK, "--detailed-exitcode"]);
        assert_eq!((zones(name, SHOP).len(), zones(name, DNS).len()), (0, 1), "{nth}");
        assert_eq!((certificates(name, SHOP).await, certificates(name, DNS).await), (1, 0), "{nth}");
        project.expect(0, &["destroy", STACK, "-y"]);
        assert!(zones(name, DNS).is_empty());
        assert_eq!(certificates(name, SHOP).await, 0, "{nth}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_elsewhere_and_one_that_is_gone_refuse_before_anything_is_changed() {
    let name = "shop-m";
    let project = project(name);
    project.expect(0, &["apply", STACK, "-y"]);
    let recording = Proxy::recording(Emulator::MiniStack.endpoint().unwrap());
    let refused = |accounts: &str| {
        project.write(STACK, &text(name, accounts, 60));
        let ran = through(&project, &recording, &["apply", STACK, "-y"]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        ran.stderr
    };
    let moved = refused(&role("dns", OTHER));
    assert!(moved.contains(&format!("accounts.dns is account {OTHER} now")) && moved.contains(DNS), "{moved}");

    // Without the account, the blocks that named it are gone as well.
    let here = format!("[stack]\nname = \"{name}\"\nregion = \"eu-west-1\"\n[resource.cloudwatch_log_group.here]\nname = \"/{name}\"\n");
    project.write(STACK, &here);
    for command in [["plan", STACK, "--json"], ["apply", STACK, "-y"], ["destroy", STACK, "-y"]] {
        let ran = through(&project, &recording, &command);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        let needed = [DNS, "no account of the stack file is that one", "[accounts.dns]", "state rm"];
        assert!(needed.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    }
    assert_eq!(recording.calls().iter().filter(|call| call.mutates && call.operation != "AssumeRole").count(), 0);

    // With it, what the stack file does not want any more is deleted where it is.
    project.write(STACK, &format!("{here}{}", role("dns", DNS)));
    project.expect(0, &["apply", STACK, "-y"]);
    assert!(zones(name, DNS).is_empty());
    project.expect(0, &["destroy", STACK, "-y"]);
    assert_eq!(certificates(name, SHOP).await, 0);
}

#[test]
fn a_chain_of_roles_ends_in_the_account_of_the_last() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), SHOP);
    let through = role("dns", DNS).replace("external_id", "source = \"hub\"\nexternal_id");
    let hub = role("hub", OTHER).replace("role/dns", "role/hub");
    let file = |name: &str| {
        format!(
            "[stack]\nname = \"chained\"\nregion = \"us-east-1\"\nrole_arn = \"arn:aws:iam::{OTHER}:role/deploy\"\nsession_name = \"from-ci\"\n{hub}{through}\n[data.caller_identity.own]\n[data.caller_identity.it]\naccount = \"{name}\"\n[outputs]\nown = \"${{data.caller_identity.own.arn}}\"\nit = \"${{data.caller_identity.it.arn}}\"\n"
        )
    };
    project.write("stacks/chained.toml", &file("dns"));
    let plan = project.json(&["plan", "stacks/chained.toml", "--json"]);
    assert_eq!(plan["account_id"], OTHER);
    assert_eq!(plan["outputs"]["own"]["after"], format!("arn:aws:sts::{OTHER}:assumed-role/deploy/from-ci"));
    assert_eq!(plan["outputs"]["it"]["after"], format!("arn:aws:sts::{DNS}:assumed-role/dns/leoctl-chained-dns"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_lets_nobody_in_says_who_asked_and_what_to_write() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else {
        eprintln!("fakecloud is not installed here: skipped");
        return;
    };
    let iam = aws_sdk_iam::Client::new(&sdk::config(endpoint, "test").await);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
        "Action": "sts:AssumeRole", "Condition": { "StringEquals": { "sts:ExternalId": "right-one" } } }] });
    iam.create_role().role_name("accounts-own").assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let project = Project::new(endpoint, "test");
    let stack = |role: &str, more: &str| {
        let file = format!(
            "[stack]\nname = \"assumed\"\nregion = \"us-east-1\"\nrole_arn = \"arn:aws:iam::{role}\"\n{more}\n[resource.cloudwatch_log_group.g]\nname = \"/assumed\"\n"
        );
        project.write("stacks/assumed.toml", &file);
        project.run(&["plan", "stacks/assumed.toml"])
    };
    let refused = |ran: &Ran, with: &str| {
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        let needed = ["may not assume", "AccessDenied", "sts:AssumeRole", "trust policy", "for [stack]", with];
        assert!(needed.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    };
    // A role of another account that there is not, and one that asks for an external id.
    refused(&stack("999999999999:role/nobody", ""), "without an external id");
    refused(&stack("123456789012:role/accounts-own", "external_id = \"wrong-one\""), "with the external id that is written");
    let right = stack("123456789012:role/accounts-own", "external_id = \"right-one\"");
    assert_eq!(right.code, 0, "{}{}", right.stdout, right.stderr);
}

#[test]
fn the_credentials_of_a_profile_lead_to_its_account_and_one_that_is_missing_is_said() {
    let project = project("shop-p");
    project.write("credentials", &format!("[network]\naws_access_key_id = {DNS}\naws_secret_access_key = test\n"));
    let planned = |profile: &str| {
        project.write(STACK, &text("shop-p", &format!("[accounts.dns]\nprofile = \"{profile}\"\n"), 60));
        let mut command = project.command(&["plan", STACK, "--json"]);
        command.env("AWS_SHARED_CREDENTIALS_FILE", project.path().join("credentials"));
        ran(command.output().unwrap())
    };
    let plan: Json = serde_json::from_str(&planned("network").stdout).unwrap();
    assert_eq!(place_of(&plan, "route53_zone.main").0, DNS);
    assert_eq!(place_of(&plan, "acm_certificate.main").0, SHOP);
    let missing = planned("netwrok");
    assert_eq!(missing.code, 1);
    let needed = ["accounts.dns", "`netwrok`", "there are: network"];
    assert!(needed.iter().all(|part| missing.stderr.contains(part)), "{}", missing.stderr);
}

#[test]
fn what_was_made_is_looked_at_with_what_the_accounts_need_or_not_at_all() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), SHOP);
    let secret = role("dns", DNS).replace("\"shop\"", "\"${vars.external_id}\"");
    let file = format!(
        "[stack]\nname = \"shop-v\"\nregion = \"us-east-1\"\n[vars.external_id]\nsensitive = true\n{secret}[resource.cloudwatch_log_group.there]\naccount = \"dns\"\nname = \"/shop-v\"\n"
    );
    project.write(STACK, &file);
    let given = ["--var", "external_id=hidden-one"];
    project.expect(0, &[&["apply", STACK, "-y"], &given[..]].concat());
    let state = std::fs::read_to_string(project.path().join("state/shop-v.json")).unwrap();
    assert!(!state.contains("hidden-one"));
    let lacking = project.expect(1, &["logs", "--stack", STACK]);
    assert!(lacking.stderr.contains("external_id"), "{}", lacking.stderr);
    project.expect(0, &[&["logs", "--stack", STACK], &given[..]].concat());
    project.expect(0, &[&["destroy", STACK, "-y"], &given[..]].concat());
}

#[test]
fn each_account_has_a_policy_of_its_own_and_roles_say_whom_they_trust() {
    let name = "shop-i";
    let project = project(name);
    let printed = project.json(&["iam-policy", "apply", STACK, "--role", "ci"]);
    let ci = format!("arn:aws:iam::{SHOP}:role/ci");
    let role = format!("arn:aws:iam::{DNS}:role/dns");
    let dns = &printed["accounts"]["dns"];
    assert_eq!((&dns["account"], &dns["role_arn"]), (&json!(DNS), &json!(role)));
    let trust = &dns["trust_policy"]["Statement"][0];
    assert_eq!((&trust["Principal"]["AWS"], &trust["Condition"]["StringEquals"]["sts:ExternalId"]), (&json!(ci), &json!("EXTERNAL_ID")));
    let (own, theirs) = (printed["principal"].to_string(), dns["policies"].to_string());
    assert!(
        own.contains("acm:RequestCertificate")
            && own.contains("logs:CreateLogGroup")
            && own.contains("sts:AssumeRole")
            && own.contains(&role),
        "{own}"
    );
    assert!(!own.contains("route53:CreateHostedZone"), "{own}");
    assert!(theirs.contains("route53:CreateHostedZone") && !theirs.contains("acm:") && !theirs.contains("sts:AssumeRole"), "{theirs}");
    assert!(!theirs.contains(SHOP), "{theirs}");

    // A role that is not there yet says by its ARN which account is meant.
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let project = Project::new(endpoint, "test");
    let file = "[stack]\nname = \"early\"\nregion = \"us-east-1\"\nrole_arn = \"arn:aws:iam::430000000904:role/deploy\"\n\
        [accounts.dns]\nrole_arn = \"arn:aws:iam::430000000902:role/dns\"\n[resource.cloudwatch_log_group.a]\nname = \"/a\"\n\
        [resource.cloudwatch_log_group.b]\naccount = \"dns\"\nname = \"/b\"\n";
    project.write("stacks/early.toml", file);
    let printed = project.json(&["iam-policy", "apply", "stacks/early.toml"]);
    let (own, stack, dns) = (&printed["principal"], &printed["stack"], &printed["accounts"]["dns"]);
    assert_eq!((&own["account"], &stack["account"], &dns["account"]), (&json!("123456789012"), &json!("430000000904"), &json!(DNS)));
    assert!(own.to_string().contains("role/deploy") && own.to_string().contains("role/dns") && !own.to_string().contains("logs:"), "{own}");
    assert!(stack.to_string().contains("log-group:/a") && !stack.to_string().contains("log-group:/b"), "{stack}");
    assert!(dns.to_string().contains("log-group:/b") && !dns.to_string().contains("log-group:/a"), "{dns}");
}
