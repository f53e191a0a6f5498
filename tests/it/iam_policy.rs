//! The policies that `iam-policy` prints: every call of a stack's whole life, and of every command that operates it, is
//! allowed by them, and nothing more than its types declare.

mod declared;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use leoctl_aws::permissions::ASSUME;
use leoctl_aws::registry;
use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;

/// The role that gets the policies; it asks about itself.
const ROLE: &str = "leoctl";

/// The account of fakecloud, and one of MiniStack's, which has as many as there are credentials.
const ACCOUNT: &str = "123456789012";
const OTHER_ACCOUNT: &str = "420000000017";

/// What a policy allows: actions and patterns of resources.
#[derive(Clone, Debug, PartialEq)]
struct Policy(Vec<(Vec<String>, Vec<String>)>);

impl Policy {
    fn of(project: &Project, role: &str, stack: &str, variables: &[&str]) -> Self {
        let printed: Value = project.json(&[&["iam-policy", role, stack, "--role", ROLE], variables].concat());
        let documents = printed.as_array().cloned().unwrap_or_else(|| vec![printed.clone()]);
        let texts = |value: &Value| value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        for document in &documents {
            assert!(document.to_string().len() <= 6144);
        }
        let statements = documents.iter().flat_map(|document| document["Statement"].as_array().unwrap());
        Self(statements.map(|one| (texts(&one["Action"]), texts(&one["Resource"]))).collect())
    }

    fn actions(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|(actions, _)| actions.iter().map(String::as_str)).collect()
    }

    fn on(&self, action: &str) -> Vec<&str> {
        let statements = self.0.iter().filter(|(actions, _)| actions.iter().any(|one| one == action));
        statements.flat_map(|(_, resources)| resources.iter().map(String::as_str)).collect()
    }

    /// Whether a call is allowed: its action, and what it is about where its request says that by name.
    fn allows(&self, call: &Call) -> bool {
        let about = resource(call).map(|about| about.replace(OTHER_ACCOUNT, ACCOUNT));
        let allows_one = |action: String| {
            let patterns = self.on(&action);
            let matches_one = |about: &String| patterns.iter().any(|pattern| matches(&pattern.replace(OTHER_ACCOUNT, ACCOUNT), about));
            about.as_ref().map_or(!patterns.is_empty(), matches_one)
        };
        actions(call).into_iter().all(allows_one)
    }
}

/// IAM's own wildcards.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).filter_map(|at| text.get(at..)).any(|end| matches(rest.as_str(), end)),
        Some(first) => text.strip_prefix(|c: char| c == first || first == '?').is_some_and(|text| matches(rest.as_str(), text)),
    }
}

/// The actions that a call takes. A bucket that is made with tags takes that of tagging, too (S3 API Reference, CreateBucket,
/// "Permissions").
fn actions(call: &Call) -> Vec<String> {
    let tags = call.name() == "s3:PUT bucket" && call.request.contains("<Tags>");
    std::iter::once(action(call)).chain(tags.then(|| "s3:TagResource".to_owned())).collect()
}

/// The action of a call. Of services whose requests name no operation it is told by method and path (their API
/// references), and IAM calls some of S3's otherwise (S3 User Guide, "Required permissions for S3 API operations").
fn action(call: &Call) -> String {
    let (method, target) = call.operation.split_once(' ').unwrap_or_default();
    let path: Vec<&str> = target.split('?').next().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    let name = match (call.service.as_str(), method, path.as_slice()) {
        ("s3", ..) => match call.operation.as_str() {
            "HEAD bucket" => "ListBucket",
            "PUT bucket" => "CreateBucket",
            "DELETE bucket" => "DeleteBucket",
            "GET bucket?cors" => "GetBucketCORS",
            "PUT bucket?cors" | "DELETE bucket?cors" => "PutBucketCORS",
            "GET bucket?encryption" => "GetEncryptionConfiguration",
            "PUT bucket?encryption" => "PutEncryptionConfiguration",
            "GET bucket?lifecycle" => "GetLifecycleConfiguration",
            "PUT bucket?lifecycle" | "DELETE bucket?lifecycle" => "PutLifecycleConfiguration",
            "GET bucket?logging" => "GetBucketLogging",
            "GET bucket?notification" => "GetBucketNotification",
            "GET bucket?ownershipControls" => "GetBucketOwnershipControls",
            "GET bucket?policy" => "GetBucketPolicy",
            "PUT bucket?policy" => "PutBucketPolicy",
            "DELETE bucket?policy" => "DeleteBucketPolicy",
            "GET bucket?publicAccessBlock" => "GetBucketPublicAccessBlock",
            "PUT bucket?publicAccessBlock" => "PutBucketPublicAccessBlock",
            "GET bucket?tagging" => "GetBucketTagging",
            "PUT bucket?tagging" => "PutBucketTagging",
            "GET bucket?versioning" => "GetBucketVersioning",
            "PUT bucket?versioning" => "PutBucketVersioning",
            "GET bucket?versions" => "ListBucketVersions",
            "GET bucket?website" => "GetBucketWebsite",
            "PUT bucket?website" => "PutBucketWebsite",
            "DELETE bucket?website" => "DeleteBucketWebsite",
            "POST bucket?delete" => "DeleteObject",
            other => other,
        },
        ("elasticfilesystem", "GET", [_, "file-systems"]) => "DescribeFileSystems",
        ("elasticfilesystem", "POST", [_, "file-systems"]) => "CreateFileSystem",
        ("elasticfilesystem", "DELETE", [_, "file-systems", _]) => "DeleteFileSystem",
        ("elasticfilesystem", "GET", [_, "file-systems", _, "policy"]) => "DescribeFileSystemPolicy",
        ("elasticfilesystem", "PUT", [_, "file-systems", _, "policy"]) => "PutFileSystemPolicy",
        ("elasticfilesystem", "GET", [_, "file-systems", _, "backup-policy"]) => "DescribeBackupPolicy",
        ("elasticfilesystem", "GET", [_, "file-systems", _, "lifecycle-configuration"]) => "DescribeLifecycleConfiguration",
        ("elasticfilesystem", "GET", [_, "mount-targets"]) => "DescribeMountTargets",
        ("elasticfilesystem", "POST", [_, "mount-targets"]) => "CreateMountTarget",
        ("elasticfilesystem", "DELETE", [_, "mount-targets", _]) => "DeleteMountTarget",
        ("elasticfilesystem", "GET", [_, "mount-targets", _, "security-groups"]) => "DescribeMountTargetSecurityGroups",
        ("backup", "PUT", ["backup-vaults", _]) => "CreateBackupVault",
        ("backup", "GET", ["backup-vaults"]) => "ListBackupVaults",
        ("backup", "GET", ["backup-vaults", _]) => "DescribeBackupVault",
        ("backup", "DELETE", ["backup-vaults", _]) => "DeleteBackupVault",
        ("backup", "GET", ["backup-vaults", _, "access-policy"]) => "GetBackupVaultAccessPolicy",
        ("backup", "GET", ["backup-vaults", _, "notification-configuration"]) => "GetBackupVaultNotifications",
        ("backup", "GET", ["backup", "plans"]) => "ListBackupPlans",
        ("backup", "PUT", ["backup", "plans"]) => "CreateBackupPlan",
        ("backup", "GET", ["backup", "plans", _]) => "GetBackupPlan",
        ("backup", "DELETE", ["backup", "plans", _]) => "DeleteBackupPlan",
        ("backup", "GET", ["backup", "plans", _, "selections"]) => "ListBackupSelections",
        ("backup", "PUT", ["backup", "plans", _, "selections"]) => "CreateBackupSelection",
        ("backup", "GET", ["backup", "plans", _, "selections", _]) => "GetBackupSelection",
        ("backup", "DELETE", ["backup", "plans", _, "selections", _]) => "DeleteBackupSelection",
        ("backup", "GET", ["tags", ..]) => "ListTags",
        _ => call.operation.as_str(),
    };
    let service = if call.service == "monitoring" { "cloudwatch" } else { call.service.as_str() };
    format!("{service}:{name}")
}

/// The ARN of what a call is about, where its request gives the name.
fn resource(call: &Call) -> Option<String> {
    let (target, body) = call.request.split_once(' ').unwrap_or_default();
    let form = |key: &str| body.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=').map(str::to_owned));
    let json = |key: &str| serde_json::from_str::<Value>(body).ok()?.get(key)?.as_str().map(str::to_owned);
    let (region, account) = ("us-east-1", ACCOUNT);
    match call.service.as_str() {
        "iam" => form("RoleName").map(|name| format!("arn:aws:iam::{account}:role/{name}")),
        "s3" => {
            let bucket = target.trim_start_matches('/').split(['/', '?']).next()?;
            let object = if call.operation == "POST bucket?delete" { "/an/object" } else { "" };
            Some(format!("arn:aws:s3:::{bucket}{object}"))
        }
        "ecr" => json("repositoryName").map(|name| format!("arn:aws:ecr:{region}:{account}:repository/{name}")),
        "ecs" => match call.operation.as_str() {
            "CreateCluster" => json("clusterName").map(|name| format!("arn:aws:ecs:{region}:{account}:cluster/{name}")),
            "DeleteCluster" => json("cluster"),
            "RegisterTaskDefinition" => json("family").map(|name| format!("arn:aws:ecs:{region}:{account}:task-definition/{name}:1")),
            "UpdateService" | "DeleteService" => json("service").filter(|service| service.starts_with("arn:")),
            "TagResource" => json("resourceArn"),
            _ => None,
        },
        "logs" if call.operation.ends_with("Resource") => json("resourceArn"),
        "logs" => json("logGroupName").map(|name| format!("arn:aws:logs:{region}:{account}:log-group:{name}:*")),
        "secretsmanager" => {
            let named = json("SecretId").or_else(|| json("Name"))?;
            let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:{named}-Ab12Cd");
            Some(if named.starts_with("arn:") { named } else { arn })
        }
        "monitoring" => form("AlarmName").map(|name| format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")),
        _ => None,
    }
}

/// What is no type's: who asks, and what they may do.
const SHARED: [&str; 3] = ["sts:GetCallerIdentity", "iam:GetRole", "iam:SimulatePrincipalPolicy"];

/// Everything the types of a stack declare, and what every plan asks.
fn declared(plan: &Value, data: &[&str]) -> BTreeSet<&'static str> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let types = changes.filter_map(|change| registry::permissions(change["type"].as_str()?));
    let grants = types.flat_map(|one| one.plan.iter().chain(one.apply));
    let data = data.iter().filter_map(|name| registry::data_permissions(name)).flatten();
    grants.chain(data).flat_map(|grant| grant.actions.iter().copied()).chain(SHARED).collect()
}

fn all_allowed(policy: &Policy, calls: &[Call]) {
    let refused: BTreeSet<String> =
        calls.iter().filter(|call| !policy.allows(call)).map(|call| format!("{:?} {:?}", actions(call), resource(call))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

/// Plans, applies, changes and destroys, and looks at every call.
fn whole_life(stack: &str, variables: &[&str], changed: &[&str], data: &[&str]) {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let direct = Project::new(&emulator.endpoint, "test");
    let (plan, apply) = (Policy::of(&direct, "plan", stack, variables), Policy::of(&direct, "apply", stack, variables));
    let shown = direct.json(&[&["plan", "--json", stack], variables].concat());
    assert_eq!(shown["account_id"], "123456789012");
    let more: Vec<&str> = apply.actions().difference(&declared(&shown, data)).copied().collect();
    assert!(more.is_empty(), "{more:?}");
    assert!(
        plan.actions().iter().all(|action| ["Describe", "Get", "List", "Simulate"].iter().any(|verb| action.contains(&format!(":{verb}"))))
    );
    assert!(!apply.actions().contains("secretsmanager:GetSecretValue"));
    assert!(plan.actions().is_subset(&apply.actions()));
    assert_eq!(plan.on("iam:SimulatePrincipalPolicy"), ["arn:aws:iam::123456789012:role/leoctl"]);
    let everyone = |on: &&str| on.contains(":role/*") || on.contains(":user/*");
    assert!(!plan.0.iter().flat_map(|(_, on)| on).any(|on| everyone(&on.as_str())), "{plan:?}");

    // Plans, with a proxy that refuses what the policy does not allow: nothing is refused, and nothing is changed.
    let allowed = plan.clone();
    let strict = move |call: &Call| (!allowed.allows(call)).then(|| Fault::refuse(403, "AccessDenied"));
    let guarded = Proxy::start(&emulator.endpoint, strict);
    let planned = |code: i32, more: &[&str]| {
        let mut command = direct.command(&[&["plan", "--detailed-exitcode", stack], variables, more].concat());
        let ran = crate::support::program::ran(command.env("AWS_ENDPOINT_URL", &guarded.endpoint).output().unwrap());
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    };
    let recorder = Proxy::recording(&emulator.endpoint);
    let applied = |arguments: &[&str]| {
        let mut command = direct.command(&[arguments, &[stack], variables].concat());
        let ran = crate::support::program::ran(command.env("AWS_ENDPOINT_URL", &recorder.endpoint).output().unwrap());
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    };
    planned(2, &[]);
    applied(&["apply", "-y"]);
    planned(0, &[]);
    planned(2, changed);
    // What AWS has chosen by now changes nothing in the policies.
    assert_eq!(Policy::of(&direct, "plan", stack, variables), plan);
    assert_eq!(Policy::of(&direct, "apply", stack, variables), apply);
    applied(&[&["apply", "-y"], changed].concat());
    applied(&["destroy", "-y"]);
    let calls = guarded.calls();
    assert!(calls.len() > 50 && calls.iter().all(|call| call.fault.is_none()), "{calls:#?}");
    all_allowed(&plan, &calls);
    all_allowed(&apply, &recorder.calls());
}

#[test]
fn leo_lives_within_its_policies() {
    whole_life("stacks/prod.toml", &["--var", "rollout=none"], &["--var", "project=other"], &["availability_zones", "ecr_image"]);
}

#[test]
fn the_agent_lives_within_its_policies() {
    whole_life("stacks/agent-prod.toml", &["--var", "rollout=none"], &["--var", "log_retention_days=3"], &["vpc", "subnets", "ecr_image"]);
}

/// A stand-in for docker, and one for the plugin of Session Manager.
fn tools(project: &Project) -> String {
    for (name, script) in
        [("docker", "#!/bin/sh\n[ \"$1\" != login ] || cat > /dev/null\n"), ("session-manager-plugin", "#!/bin/sh\necho 1.2.700.0\n")]
    {
        let path = format!("bin/{name}");
        project.write(&path, script);
        std::fs::set_permissions(project.path().join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}/bin:{}", project.path().display(), std::env::var("PATH").unwrap())
}

#[test]
fn every_command_that_operates_lives_within_its_policy() {
    // fakecloud's services never finish a rollout that nothing but a redeployment has begun.
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, OTHER_ACCOUNT);
    let (stack, variables) = ("stacks/dev.toml", ["--var", "rollout=none"]);
    let operate = Policy::of(&project, "operate", stack, &variables);
    project.expect(0, &[&["apply", "-y", stack], &variables[..]].concat());
    project.write(".env", "ANTHROPIC_API_KEY=one\nDATABASE_URL=two\n");
    let path = tools(&project);
    let recorder = Proxy::recording(endpoint);
    let mut said: Vec<String> = Vec::new();
    let mut run = |arguments: &[&str]| {
        let mut command = project.command(&[arguments, &variables[..]].concat());
        command.env("AWS_ENDPOINT_URL", &recorder.endpoint).env("PATH", &path);
        let ran = crate::support::program::ran(command.output().unwrap());
        said.push(format!("{arguments:?}: {} {}", ran.code, ran.stderr));
        ran
    };
    let listed = |of: &str| {
        let tasks = project.json(&[&["tasks", "list", of, "--json", "--stack", stack], &variables[..]].concat());
        tasks.as_array().or_else(|| tasks["tasks"].as_array()).unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned()).next()
    };
    for arguments in [
        &["secrets", "push", "-y", stack][..],
        &["secrets", "status", stack],
        &["status", stack],
        &["stats", stack],
        &["cost", stack],
        &["logs", "--stack", stack],
        &["tasks", "list", "--stack", stack],
        &["docker-login", stack],
        &["push", "web:v3", "app", "-y", "--stack", stack],
        &["exec", "app", "--stack", stack, "--", "true"],
        &["scale", "down", "-y", "--stack", stack],
        &["scale", "up", "--stack", stack],
        &["redeploy", "app", "-y", "--stack", stack],
        &["redeploy", "app", "-y", "--image", "v2", "--stack", stack],
        &["drift", stack],
        &["output", stack],
        &["state", "list", stack],
    ] {
        run(arguments);
    }
    // A task that is run is followed until it ends, which these never do.
    let mut command = project.command(&[&["run", "generator", "--stack", stack], &variables[..]].concat());
    let mut followed = command.env("AWS_ENDPOINT_URL", &recorder.endpoint).spawn().unwrap();
    while followed.try_wait().unwrap().is_none() {
        let calls = recorder.calls();
        let begun = calls.iter().position(|call| call.operation == "RunTask");
        if begun.is_some_and(|begun| calls.iter().skip(begun).any(|call| call.operation == "DescribeTasks")) {
            break;
        }
        std::thread::yield_now();
    }
    drop(followed.kill());
    followed.wait().unwrap();
    if let Some(id) = listed("app") {
        run(&["tasks", "stop", &id, "-y", "--stack", stack]);
    }
    let calls = recorder.calls();
    all_allowed(&operate, &calls);
    let called: BTreeSet<String> = calls.iter().map(action).collect();
    for needed in [
        "secretsmanager:PutSecretValue",
        "ecs:UpdateService",
        "ecs:RunTask",
        "ecs:ListTasks",
        "ecs:StopTask",
        "logs:FilterLogEvents",
        "ecr:GetAuthorizationToken",
    ] {
        assert!(called.contains(needed), "{needed} was not called:\n{}", said.join("\n"));
    }
    // It makes and deletes nothing that the stack is made of.
    for action in operate.actions() {
        let (_, name) = action.split_once(':').unwrap();
        assert!(!["Create", "Delete", "Terminate", "Attach", "Detach"].iter().any(|verb| name.starts_with(verb)), "{action}");
    }
}

#[test]
fn names_are_exact_before_anything_has_been_made() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let apply = Policy::of(&project, "apply", "stacks/prod.toml", &[]);
    assert_eq!(apply.on("ecs:UpdateService"), ["arn:aws:ecs:us-east-1:123456789012:service/leo-saas-cluster/LeoSaasService"]);
    let roles = ["generator-task", "orchestrator-task", "task-execution"].map(|role| format!("arn:aws:iam::123456789012:role/leo-{role}"));
    assert_eq!(apply.on("iam:PassRole"), roles);
    assert!(apply.actions().iter().all(|action| !action.starts_with("kms:")), "the stack names no key");
}

/// A role, a topic in a region of its own, and a log group that stays in AWS when it goes.
const GOING: &str = r#"
[stack]
name = "going"
region = "us-east-1"
[vars.v]
default = "1"
[vars.region]
default = "us-east-1"
[resource.iam_role.n]
name = "N-${vars.v}"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.sns_topic.news]
name = "news"
region = "${vars.region}"
[resource.cloudwatch_log_group.kept]
name = "/going/${vars.v}"
lifecycle = { deletion_policy = "retain" }
"#;

#[test]
fn what_goes_is_allowed_by_its_own_name() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "420000000018");
    let stack = "stacks/going.toml";
    project.write(stack, GOING);
    project.expect(0, &["apply", "-y", stack]);
    let has = |policy: &Policy, action: &str, arns: &[&str]| {
        let found: BTreeSet<&str> = policy.on(action).into_iter().map(|arn| arn.split(":::").last().unwrap_or(arn)).collect();
        for arn in arns {
            assert!(found.iter().any(|pattern| matches(pattern, arn)), "{action} on {arn}: {found:?}");
        }
    };
    let role = |v: &str| format!("arn:aws:iam::420000000018:role/N-{v}");
    let topic = |region: &str| format!("arn:aws:sns:{region}:420000000018:news");
    let both = |policy: &Policy, action: &str, arns: [String; 2]| has(policy, action, &[&arns[0], &arns[1]]);
    let changed = ["--var", "v=2", "--var", "region=eu-west-1"];
    // What a replacement deletes, in the region that it is in.
    for of in ["plan", "apply"] {
        let policy = Policy::of(&project, of, stack, &changed);
        both(&policy, "iam:GetRole", [role("1"), role("2")]);
        both(&policy, "sns:GetTopicAttributes", [topic("us-east-1"), topic("eu-west-1")]);
    }
    let apply = Policy::of(&project, "apply", stack, &changed);
    both(&apply, "iam:DeleteRole", [role("1"), role("2")]);
    both(&apply, "sns:DeleteTopic", [topic("us-east-1"), topic("eu-west-1")]);
    // What stays in AWS is read, and not deleted.
    let deletes = apply.on("logs:DeleteLogGroup");
    assert!(deletes.iter().any(|arn| arn.contains("/going/2")) && !deletes.iter().any(|arn| arn.contains("/going/1")), "{deletes:?}");
    // What an interrupted replacement has left.
    let refusing = Proxy::start(endpoint, |call| (call.operation == "DeleteRole").then(|| Fault::refuse(403, "AccessDenied")));
    let mut command = project.command(&[&["apply", "-y", stack], &changed[..]].concat());
    let left = crate::support::program::ran(command.env("AWS_ENDPOINT_URL", &refusing.endpoint).output().unwrap());
    assert_eq!(left.code, 1, "{}", left.stderr);
    both(&Policy::of(&project, "apply", stack, &changed), "iam:DeleteRole", [role("1"), role("2")]);
    // Once it is gone, nothing is allowed on it.
    project.expect(0, &[&["apply", "-y", stack], &changed[..]].concat());
    assert_eq!(Policy::of(&project, "apply", stack, &changed).on("iam:DeleteRole"), [role("2")]);
    // What is not in the file any more.
    project.write(stack, "[stack]\nname = 'going'\nregion = 'us-east-1'\n");
    assert_eq!(Policy::of(&project, "apply", stack, &[]).on("iam:DeleteRole"), [role("2")]);
}

#[test]
fn what_is_too_long_for_one_policy_is_several() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let names: Vec<String> = (0..150).map(|n| format!("'a-secret-with-a-rather-long-name-{n:03}'")).collect();
    let resource = format!("[resource.secretsmanager_secret.s]\nfor_each = \"${{[{}]}}\"\nname = \"${{each.value}}\"\n", names.join(", "));
    project.write("stacks/many.toml", &format!("[stack]\nname = \"many\"\nregion = \"us-east-1\"\n{resource}"));
    let ran = project.expect(0, &["iam-policy", "plan", "stacks/many.toml"]);
    assert!(ran.stderr.contains("policies in a list"), "{}", ran.stderr);
    let policy = Policy::of(&project, "plan", "stacks/many.toml", &[]);
    assert_eq!(policy.on("secretsmanager:DescribeSecret").len(), 150);
}

#[test]
fn without_credentials_that_may_ask_it_is_said_what_is_missing() {
    let refusing = Proxy::start("http://127.0.0.1:9", |_| Some(Fault::refuse(403, "AccessDenied")));
    let ran = Project::new(&refusing.endpoint, "test").expect(1, &["iam-policy", "plan", "stacks/prod.toml"]);
    assert!(ran.stderr.contains("sts:GetCallerIdentity") && ran.stdout.is_empty(), "{}", ran.stderr);
}
