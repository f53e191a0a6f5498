//! Markers that are given as secrets are in no byte that the program prints or writes, whatever it does and whatever
//! fails.

use std::path::Path;

use leoctl_core::model::{base64, percent};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::{Fault, refusal};

pub const STACK: &str = "stacks/hidden.toml";

/// In the env file, in a variable from the environment, in a variable's list, written for a sensitive attribute, and one
/// that is too short to be looked for inside of words.
pub const MARKERS: [&str; 6] = ["envM4rk3rOne", "varM4rk3rTwo", "listM4rk3rThree", "listM4rk3rFour", "writtenM4rk3rFive", "zQ7"];

const HEAD: &str = r#"
[stack]
name = "NAME"
region = "us-east-1"
tags = { Owner = "${env.SECRET}" }
[env]
files = ["../.env"]
[vars.token]
sensitive = true
[vars.list]
sensitive = true
default = ["listM4rk3rThree", "listM4rk3rFour"]
[vars.pin]
sensitive = true
default = "zQ7"
[locals]
joined = "x-${vars.token}"
"#;

pub const BODY: &str = r#"
[resource.iam_role.r]
name = "NAME-r"
description = "of ${vars.token}"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole"], Principal = { AWS = ["${env.ACCOUNT}"] }, Condition = { StringEquals = { "sts:ExternalId" = ["${vars.token}"] } } }] }
inline_policies = { p = { Version = "2012-10-17", Statement = { Effect = "Allow", Action = ["s3:PutObject", "s3:GetObject"], Resource = ["arn:aws:s3:::${env.SECRET}/*"] } } }
[resource.iam_policy.one]
name = "NAME-one"
policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:ListBucket", Resource = "arn:aws:s3:::${vars.list[0]}" }] }
[resource.ssm_parameter.plain]
name = "/NAME/plain"
value = "${vars.token}"
description = "${locals.joined}"
[resource.ssm_parameter.secure]
name = "/NAME/secure"
type = "SecureString"
secure_value = "writtenM4rk3rFive"
[resource.cloudwatch_log_group.l]
name = "/NAME/log"
retention_in_days = 7
tags = { Token = "${vars.token}", Plain = "p", Pin = "${vars.pin}" }
[resource.sns_topic.t]
name = "NAME-topic"
display_name = "${vars.token}"
[resource.ecs_task_definition.d]
family = "NAME-task"
cpu = 256
memory = 512
container_definitions = [{ name = "a", image = "nginx", environment = { TOKEN = "${vars.token}", SHOWN = "s", LIST = "${vars.list.join(',')}" } }, { name = "b", image = "${env.ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/hid:${vars.token}", command = ["run", "${env.SECRET}"] }]
[outputs]
hidden = { value = "${locals.joined}", sensitive = true }
made = "${ {'k': vars.list} }"
role = "${iam_role.r.arn}"
[checks.c]
assert = "${1 > 2}"
message = "never: ${vars.token}"
"#;

pub fn project(name: &str, endpoint: &str, account: &str, body: &str) -> Project {
    let project = Project::new(endpoint, account);
    project.write(STACK, &format!("{HEAD}{body}").replace("NAME", name));
    project.write(".env", &format!("SECRET={}\nACCOUNT={account}\n", MARKERS[0]));
    project
}

/// Runs the program with the secret variable in its environment, and looks at every byte it leaves.
fn run(project: &Project, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    command.env("LEOCTL_VAR_token", MARKERS[1]);
    let ran = ran(command.output().unwrap());
    let all = format!("{}{}", ran.stdout, ran.stderr);
    hidden(&all, &format!("{arguments:?}"));
    files(project.path());
    ran
}

fn expect(project: &Project, code: i32, arguments: &[&str]) -> Ran {
    let ran = run(project, arguments);
    assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    ran
}

/// That no marker is in a text.
pub fn hidden(text: &str, place: &str) {
    for marker in MARKERS {
        // As it is, in base64 at any place of it, and the beginning of it.
        let begun = marker.get(..10).unwrap_or(marker).to_owned();
        let encoded = base64::within(marker.as_bytes()).into_iter().filter(|encoded| encoded.len() > 5);
        for form in encoded.chain([marker.to_owned(), begun]) {
            let at = text.find(&form).map(|at| text.get(at.saturating_sub(200)..at + form.len()).unwrap_or(text));
            assert!(at.is_none(), "{place} shows {form}: …{}", at.unwrap_or_default());
        }
    }
}

/// Looks into every file but those that the secrets come from.
fn files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path);
        } else if !path.ends_with(".env") && !path.ends_with("hidden.toml") && !path.ends_with("given.toml") {
            hidden(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()), &path.display().to_string());
        }
    }
}

/// What looks at a stack and changes nothing.
const LOOKS: &[&[&str]] = &[
    &["plan", "--json", STACK],
    &["-vv", "plan", STACK],
    &["plan", "--markdown", STACK],
    &["plan", "--replace", "ecs_task_definition.d", "--out", "it.plan", STACK],
    &["state", "pull", STACK],
];

const MORE_LOOKS: &[&[&str]] = &[
    &["validate", STACK],
    &["plan", "--destroy", "--json", STACK],
    &["plan", "--refresh=false", "--json", STACK],
    &["plan", "--target", "sns_topic.t", "--json", STACK],
    &["drift", STACK],
    &["drift", "--json", STACK],
    &["output", STACK],
    &["output", "--json", STACK],
    &["output", STACK, "hidden"],
    &["show", STACK],
    &["show", "--json", STACK],
    &["state", "show", "iam_role.r", STACK],
    &["cost", STACK],
    &["iam-policy", "apply", STACK],
    &["status", STACK],
];

fn look(project: &Project) {
    for arguments in LOOKS {
        run(project, arguments);
    }
}

#[test]
fn secrets_are_in_nothing_that_is_printed_or_written() {
    let project = project("hid-life", Emulator::MiniStack.endpoint().unwrap(), "515151515151", BODY);
    look(&project);
    expect(&project, 0, &["-vv", "apply", "-y", STACK]);
    let again = expect(&project, 0, &["plan", "--detailed-exitcode", STACK]);
    assert!(again.stdout.contains("No changes"), "{}", again.stdout);
    for arguments in LOOKS.iter().chain(MORE_LOOKS) {
        run(&project, arguments);
    }
    // Other secrets, and one more of each kind.
    let changed = format!("{HEAD}{BODY}")
        .replace("NAME", "hid-life")
        .replace("[0]}", "[1]}")
        .replace("Token =", "Other = \"${vars.list[0]}\", Token =");
    project.write(STACK, &changed);
    look(&project);
    expect(&project, 0, &["apply", "-y", "--json", STACK]);
    assert!(expect(&project, 0, &["plan", STACK]).stdout.contains("No changes"));
    // The resources go, by the stack file and as a whole.
    project.write(STACK, &format!("{HEAD}[outputs]\nmade = \"x\"\n").replace("NAME", "hid-life"));
    look(&project);
    project.write(STACK, &changed);
    expect(&project, 0, &["-v", "destroy", "-y", STACK]);
}

/// A refusal that quotes what was sent, as AWS's do.
fn quoting(call: &Call) -> Option<Fault> {
    let found: Vec<&str> = MARKERS.into_iter().filter(|marker| call.request.contains(marker)).collect();
    if found.is_empty() || !call.mutates {
        return None;
    }
    let answer = String::from_utf8(refusal(call, 400, "ValidationException", "refused by the test")).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let forms = found.iter().map(|marker| {
        let (begun, document) = (marker.get(..11).unwrap_or_default(), format!("{{\"v\":\"{marker}\"}}"));
        let encoded = base64::encode(format!("x{marker}y").as_bytes());
        format!("'{marker}' ({begun}..., {encoded}, {})", percent::encode(&document))
    });
    let quoted = body.replace("refused by the test", &format!("{} is not valid here", forms.collect::<Vec<_>>().join(" and ")));
    let head = head.replace(&format!("Content-Length: {}", body.len()), &format!("Content-Length: {}", quoted.len()));
    Some(Fault::Raw(format!("{head}\r\n\r\n{quoted}").into_bytes()))
}

#[test]
fn what_aws_quotes_in_a_refusal_is_not_repeated() {
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), quoting);
    let project = project("hid-quote", &proxy.endpoint, "525252525252", BODY);
    for arguments in [&["apply", "-y", STACK][..], &["-vv", "apply", "-y", STACK], &["apply", "-y", "--json", STACK]] {
        let failed = expect(&project, 1, arguments);
        let said = format!("{}{}", failed.stdout, failed.stderr);
        assert!(said.contains("is not valid here") && said.contains("(sensitive)"), "{said}");
    }
    run(&project, &["destroy", "-y", STACK]);
}

#[test]
fn after_a_kill_nothing_shows_what_was_being_made() {
    for at in [0, 3] {
        let endpoint = Emulator::MiniStack.endpoint().unwrap();
        let proxy = Proxy::start(endpoint, move |call| (call.mutation == Some(at)).then_some(Fault::KillAfter));
        let account = format!("53535353535{at}");
        let project = project("hid-kill", &proxy.endpoint, &account, BODY);
        let child = project.command(&["apply", "-y", STACK]).env("LEOCTL_VAR_token", MARKERS[1]).spawn().unwrap();
        proxy.victim(child.id());
        child.wait_with_output().unwrap();
        files(project.path());
        let direct = self::project("hid-kill", endpoint, &account, BODY);
        copy(&project.path().join("state"), &direct.path().join("state"));
        look(&direct);
        direct.write(STACK, &HEAD.replace("NAME", "hid-kill"));
        look(&direct);
        run(&direct, &["apply", "-y", STACK]);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn no_mistake_in_a_stack_file_makes_it_show_a_secret() {
    let project = project("hid-wrong", "", "545454545454", "");
    let role = "[resource.iam_role.r]\nname = \"r\"\nassume_role_policy = {}\n";
    for body in [
        "[locals]\nx = \"${ {'small': 1}[vars.token] }\"\n",
        "[locals]\nx = \"${int(env.SECRET)}\"\n",
        "[locals]\nx = \"${cidrsubnet(vars.token, 8, 0)}\"\n",
        "[locals]\nx = \"${jsondecode(vars.token)}\"\n",
        "[locals]\nx = \"${vars.list[5]}\"\n",
        "[locals]\nx = \"${vars.token.nothing}\"\n",
        "[locals]\nk = \"${ {vars.token: 1} }\"\nx = \"${locals.k.none}\"\n",
        "[locals]\nx = \"a ${vars.list} b\"\n",
        "[resource.vpc.v]\ncidr_block = \"${vars.token}\"\n",
        "[resource.subnet.s]\nvpc_id = \"v\"\ncidr_block = \"${vars.token}\"\n",
        "[resource.sns_topic.t]\nname = \"${vars.token}\"\n",
        "[resource.s3_bucket.b]\nbucket = \"${env.SECRET}_\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\nretention_in_days = \"${size(vars.token)}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\nretention_in_days = \"${vars.token}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\nregion = \"${vars.token}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\nfor_each = \"${vars.list}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"${each.value}\"\nfor_each = \"${ {vars.token: 'x'} }\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"${each.value}\"\nfor_each = [\"a\", \"${env.SECRET}\"]\n",
        "[locals]\nx = \"${ {vars.token: 1, vars.token: 2} + 1 }\"\n",
        "[locals]\nx = \"${regex_find('x', '(' + vars.token)}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\nwhen = \"${vars.token}\"\n",
        "[resource.cloudwatch_log_group.l]\nname = \"l\"\ntags = \"${ {vars.token: vars.list} }\"\n",
        "[resource.ecs_task_definition.d]\nfamily = \"d\"\ncpu = 256\nmemory = 512\ncontainer_definitions = [{ name = \"${vars.token}\", image = \"i\" }, { name = \"${vars.token}\", image = \"i\" }]\n",
        "[resource.security_group.g]\nname = \"g\"\ndescription = \"${vars.token}'>\"\ningress = [{ ip_protocol = \"${vars.token}\", cidr_ipv4 = \"${vars.token}\" }]\n",
        "[checks.c]\nassert = \"${vars.token}\"\nmessage = \"${vars.token + 1}\"\n",
        "[outputs]\no = \"${vars.list.map(x, {'a': 1}[x])}\"\n",
        "[[import]]\nto = \"iam_role.r\"\nid = \"${vars.token}\"\nROLE",
        "[stack.backend.s3]\nbucket = \"${vars.token}\"\nkey = \"k\"\n",
    ] {
        project.write(STACK, &format!("{HEAD}{}", body.replace("ROLE", role)).replace("NAME", "hid-wrong"));
        expect(&project, 1, &["validate", STACK]);
        run(&project, &["plan", "--json", STACK]);
    }
    // The files that secrets come from.
    project.write(STACK, &HEAD.replace("NAME", "hid-wrong"));
    for given in [
        "token = \"varM4rk3rTwo\nlist = 3",
        "token = varM4rk3rTwo",
        "varM4rk3rTwo",
        "token = \"a\"\ntoken = 'varM4rk3rTwo'",
        "[token]\nvarM4rk3rTwo = 1",
    ] {
        project.write("given.toml", given);
        run(&project, &["validate", "--var-file", "given.toml", STACK]);
    }
    for env in ["envM4rk3rOne", "SECRET='envM4rk3rOne", "SECRET=\"a\" envM4rk3rOne\n", "SECRET envM4rk3rOne=1\n"] {
        project.write(".env", env);
        let failed = expect(&project, 1, &["validate", STACK]);
        assert!(failed.stderr.contains("line 1"), "{}", failed.stderr);
    }
}

/// Everything that plans and looks say of a stack whose variable was public when it was applied, whatever becomes of
/// what was made of it.
#[test]
fn what_was_applied_in_clear_and_goes_as_it_is_marked_is_not_shown() {
    let project = project("hid-gone", Emulator::MiniStack.endpoint().unwrap(), "565656565656", "");
    let made = "[resource.ssm_parameter.p]\nname = \"/hid-gone\"\nvalue = \"${vars.token}\"\n[resource.sns_topic.t]\nname = \"hid-gone\"\ntags = { T = \"x-${vars.token}\" }\n[outputs]\no = \"${vars.token}\"\n";
    let stack = |sensitive: bool, body: &str| {
        let head = "[stack]\nname = \"hid-gone\"\nregion = \"us-east-1\"\n[vars.token]\n";
        project.write(STACK, &format!("{head}sensitive = {sensitive}\ndefault = \"another\"\n{body}"));
    };
    stack(false, made);
    let mut apply = project.command(&["apply", "-y", STACK]);
    assert_eq!(ran(apply.env("LEOCTL_VAR_token", MARKERS[1]).output().unwrap()).code, 0);
    for body in [made, "[resource.sns_topic.t]\nname = \"hid-gone\"\n", ""] {
        stack(true, body);
        for arguments in LOOKS.iter().chain(MORE_LOOKS).filter(|arguments| !arguments.contains(&"iam_role.r")) {
            // What the last apply wrote is still in the state, and only there.
            let mut command = project.command(arguments);
            let ran = ran(command.output().unwrap());
            hidden(&format!("{}{}", ran.stdout, ran.stderr), &format!("{arguments:?}"));
        }
        let plan = project.path().join("it.plan");
        if plan.exists() {
            hidden(&std::fs::read_to_string(plan).unwrap(), "the saved plan");
        }
    }
    stack(true, "[resource.sns_topic.t]\nname = \"hid-gone\"\n");
    assert_eq!(ran(project.command(&["apply", "-y", STACK]).output().unwrap()).code, 0);
    files(project.path());
    assert_eq!(ran(project.command(&["destroy", "-y", STACK]).output().unwrap()).code, 0);
}

#[test]
fn what_a_plan_was_made_of_cannot_be_guessed_from_its_hash() {
    let project = project("hid-hash", Emulator::MiniStack.endpoint().unwrap(), "575757575757", "");
    let inputs = || {
        expect(&project, 0, &["plan", "--out", "it.plan", STACK]);
        let saved = std::fs::read_to_string(project.path().join("it.plan")).unwrap();
        serde_json::from_str::<serde_json::Value>(&saved).unwrap()["inputs"].clone()
    };
    assert_ne!(inputs(), inputs(), "two plans of the same have hashes of different salts");
    expect(&project, 0, &["apply", "-y", "--plan", "it.plan"]);
}

#[test]
fn an_output_that_has_become_sensitive_is_not_printed_any_more() {
    let project = project("hid-late", Emulator::MiniStack.endpoint().unwrap(), "555555555555", "");
    let stack = |sensitive: bool| {
        let head = format!("[stack]\nname = \"hid-late\"\nregion = \"us-east-1\"\n[vars.token]\nsensitive = {sensitive}\n");
        let body = "[resource.ssm_parameter.p]\nname = \"/hid-late\"\nvalue = \"${vars.token}\"\n[outputs]\no = \"x-${vars.token}\"\n";
        project.write(STACK, &format!("{head}{body}"));
    };
    stack(false);
    let mut apply = project.command(&["apply", "-y", STACK]);
    assert_eq!(ran(apply.env("LEOCTL_VAR_token", MARKERS[1]).output().unwrap()).code, 0);
    stack(true);
    for arguments in
        [&["output", STACK][..], &["output", "--json", STACK], &["plan", STACK], &["plan", "--json", STACK], &["plan", "--markdown", STACK]]
    {
        let mut command = project.command(arguments);
        let ran = ran(command.env("LEOCTL_VAR_token", MARKERS[1]).output().unwrap());
        hidden(&format!("{}{}", ran.stdout, ran.stderr), &format!("{arguments:?}"));
    }
    let mut apply = project.command(&["apply", "-y", STACK]);
    let applied = ran(apply.env("LEOCTL_VAR_token", MARKERS[1]).output().unwrap());
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    files(project.path());
    assert!(expect(&project, 0, &["plan", STACK]).stdout.contains("No changes"));
    let plan = |text: &str| {
        project.write(STACK, text);
        let mut command = project.command(&["plan", STACK]);
        ran(command.env("LEOCTL_VAR_token", MARKERS[1]).output().unwrap()).stdout
    };
    stack(true);
    let now = std::fs::read_to_string(project.path().join(STACK)).unwrap();
    assert!(plan(&now).starts_with("No changes"), "its name is remembered");
    let gone = plan(now.split("[outputs]").next().unwrap());
    assert!(gone.contains("Outputs\n  - o = (sensitive)\n"), "{gone}");
    let another = plan(&format!("{now}p = \"${{vars.token}}\"\n"));
    assert!(another.contains("Outputs\n  + p = (sensitive)\n"), "{another}");
    expect(&project, 0, &["destroy", "-y", STACK]);
}
