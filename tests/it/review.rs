//! What a review is about: the id of a plan, carrying out only the plan that has it, and which files a stack reads.

use serde_json::{Value as Json, json};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, ran};

const STACK: &str = "stacks/web.toml";

fn stack(days: u32) -> String {
    format!(
        "[stack]\nname = \"web\"\nregion = \"us-east-1\"\n[env]\nfiles = [\"../.env.defaults\", \"../.env\"]\n[vars.team]\ndefault = \"a\"\n[vars.key]\nsensitive = true\ndefault = \"k\"\n[resource.cloudwatch_log_group.a]\nname = \"/review/web\"\nretention_in_days = {days}\n[resource.cloudwatch_log_group.b]\nname = \"/review/b\"\nretention_in_days = 7\n"
    )
}

fn project(endpoint: &str, account: &str, days: u32) -> Project {
    let project = Project::new(endpoint, account);
    std::fs::remove_dir_all(project.path().join("stacks")).unwrap();
    project.write(".env.defaults", "LEVEL=info\n");
    project.write(STACK, &stack(days));
    project
}

fn id(project: &Project, more: &[&str]) -> String {
    let plan = project.json(&[&["plan", "--json", STACK], more].concat());
    plan["plan_id"].as_str().unwrap().to_owned()
}

#[test]
fn equal_plans_have_one_id_wherever_they_are_made_and_no_other_has_it() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let one = project(&emulator.endpoint, "111122223333", 7);
    let first = id(&one, &[]);
    assert_eq!(first.len(), 32);
    assert_eq!(first, id(&one, &["--parallelism", "1"]));
    let elsewhere = project(&emulator.endpoint, "111122223333", 7);
    // What is secret, or of this machine only, is not in it.
    elsewhere.write(".env", "TOKEN=hunter2\n");
    assert_eq!(first, id(&elsewhere, &["--var", "key=other"]));
    assert!(one.expect(0, &["plan", "--markdown", "--commit", "4f2a9c1", STACK]).stdout.contains(&first));

    // Nor which files are committed, but for one with secrets.
    one.write("listed", "100644 4f2a9c1 0\tstacks/web.toml\x00100644 4f2a9c1 0\t.env.defaults\0");
    assert_eq!(first, id(&one, &["--committed", "listed"]));
    one.write("listed", "100644 4f2a9c1 0\t.env\0");
    assert_ne!(first, id(&one, &["--committed", "listed"]));
    let mut seen = vec![first.clone()];
    let mut another = |what: &str, id: String| {
        assert!(!seen.contains(&id), "{what} leaves the id as it was");
        seen.push(id);
    };
    another("a target", id(&one, &["--target", "cloudwatch_log_group.a"]));
    another("an exclusion", id(&one, &["--exclude", "cloudwatch_log_group.a"]));
    another("destroy", id(&one, &["--destroy"]));
    another("what is not read", id(&one, &["--refresh", "false"]));
    another("scaling up", id(&one, &["--scale-up"]));
    another("a variable that nothing uses", id(&one, &["--var", "team=b"]));
    one.write(".env.defaults", "LEVEL=debug\n");
    another("an env file", id(&one, &[]));
    one.write(".env.defaults", "LEVEL=info\n");
    one.write(STACK, &stack(14));
    another("a value", id(&one, &[]));
    one.write(STACK, &format!("# A word.\n{}", stack(7)));
    another("the text of the file", id(&one, &[]));
    one.write(STACK, &stack(7));
    one.write("stacks/other.toml", &stack(7));
    let other = one.json(&["plan", "--json", "stacks/other.toml"]);
    another("the stack file", other["plan_id"].as_str().unwrap().to_owned());
    assert_eq!(first, id(&one, &[]));
    one.expect(0, &["apply", "-y", STACK]);
    another("what is there", id(&one, &[]));
    another("a replacement", id(&one, &["--replace", "cloudwatch_log_group.a"]));
}

#[test]
fn only_the_plan_of_that_id_is_carried_out() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    let reviewed = id(&project, &[]);
    project.write(STACK, &stack(14));
    let stale = project.expect(1, &["apply", "-y", STACK, "--plan-id", &reviewed]);
    assert!(stale.stderr.contains("stale") && stale.stderr.contains("14") && stale.stderr.contains(&id(&project, &[])), "{}", stale.stderr);
    project.write(STACK, &stack(7));
    let other_options = project.expect(1, &["apply", "-y", STACK, "--plan-id", &reviewed, "--target", "cloudwatch_log_group.a"]);
    assert!(other_options.stderr.contains("stale"), "{}", other_options.stderr);
    for short in ["", &reviewed[..12]] {
        let refused = project.expect(1, &["apply", "-y", STACK, "--plan-id", short]);
        assert!(refused.stderr.contains("no whole plan id"), "{}", refused.stderr);
    }
    assert!(project.expect(0, &["plan", STACK]).stdout.contains("2 to create"), "nothing was done until here");
    project.expect(0, &["apply", "-y", STACK, "--plan-id", &reviewed]);
    assert!(project.expect(0, &["plan", STACK]).stdout.contains("No changes"));
    assert!(project.expect(1, &["apply", "-y", STACK, "--plan-id", &reviewed]).stderr.contains("stale"));
}

#[test]
fn a_plan_that_was_carried_out_has_no_id_again_when_all_is_changed_back() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    project.expect(0, &["apply", "-y", STACK]);
    let planned = || {
        project.write(STACK, &stack(14));
        id(&project, &[])
    };
    let first = planned();
    assert_eq!(first, planned(), "planning leaves the state as it is");
    project.expect(0, &["apply", "-y", STACK, "--plan-id", &first]);
    project.write(STACK, &stack(7));
    project.expect(0, &["apply", "-y", STACK]);
    assert_ne!(first, planned());
    assert!(project.expect(1, &["apply", "-y", STACK, "--plan-id", &first]).stderr.contains("stale"));
}

#[test]
fn a_saved_plan_says_what_it_was_made_with_before_it_is_carried_out() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--destroy", "--target", "cloudwatch_log_group.a", "--var", "team=b", "--out", "x.plan", STACK]);
    let said = project.expect(0, &["apply", "--plan", "x.plan"]).stderr;
    let taken = "made with --destroy --target cloudwatch_log_group.a --var team\n";
    let (taken, plan) = (said.find(taken).expect(&said), said.find("1 to delete").expect(&said));
    assert!(taken < plan && said.contains("stacks/web.toml"), "{said}");
}

#[test]
fn a_review_lists_its_plans_and_is_compared_with_what_was_claimed() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    project.write("stacks/api.toml", &stack(7).replace("\"web\"", "\"api\"").replace("/review/", "/api/"));
    project.write("stacks/bad.toml", "[stack]\n");
    project.expect(0, &["apply", "-y", "stacks/api.toml"]);
    let plan = ["plan", "--commit", "4f2a9c1", "--review", "own.json", STACK, "stacks/api.toml"];
    project.expect(0, &plan);
    project.expect(1, &[&plan[..], &["stacks/bad.toml"]].concat());
    let own: Json = serde_json::from_str(&std::fs::read_to_string(project.path().join("own.json")).unwrap()).unwrap();
    assert_eq!((&own["format_version"], &own["commit"]), (&json!(1), &json!("4f2a9c1")));
    let ours = id(&project, &[]);
    let web = &own["stacks"][0];
    assert_eq!((&web["plan_id"], &web["stack_file"], &web["changes"]), (&json!(ours), &json!(STACK), &json!(true)));
    assert_eq!((&web["stack"], &web["region"], &web["options"]["destroy"]), (&json!("web"), &json!("us-east-1"), &json!(false)));
    let api = own["stacks"][1]["plan_id"].as_str().unwrap();
    assert_eq!(own["stacks"][1]["changes"], false);

    let listed = json!([{ "stack_file": STACK, "plan_id": ours }]);
    assert_eq!(project.json(&["review", "own.json", "--json"]), listed);
    assert_eq!(project.expect(0, &["review", "own.json"]).stdout, format!("{ours} {STACK}\n"));
    let odd = std::fs::read_to_string(project.path().join("own.json")).unwrap().replace(STACK, "a\\nb c.toml");
    project.write("odd.json", &odd);
    assert!(project.expect(1, &["review", "odd.json"]).stderr.contains("control character"), "a name is one line of the list");
    let refused = |why: &str| {
        let ran = project.expect(1, &["review", "own.json", "--claims", "claims", "--repository", "."]);
        assert!(ran.stderr.contains("nobody has reviewed this plan of\n  stacks/web.toml"), "{why}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("by hand"), "{why}: {}", ran.stderr);
    };
    std::fs::create_dir(project.path().join("claims")).unwrap();
    refused("no request of this push changes the stack");
    let claim = |plans: &[(&str, &str)]| {
        let plans: Vec<Json> =
            plans.iter().map(|(stack, id)| json!({ "plan_id": id, "stack_file": stack, "options": { "destroy": true } })).collect();
        json!({ "stacks": plans }).to_string()
    };
    project.write("claims/1.json", &claim(&[(STACK, &ours)]));
    refused("no request of this push changes the stack");
    project.write("claims/1.files", "README.md\0stacks/api.toml\0");
    refused("no request of this push changes the stack");
    project.write("claims/1.files", "README.md\0stacks/web.toml\0");
    let accepted = || assert_eq!(project.json(&["review", "own.json", "--json", "--claims", "claims", "--repository", "."]), listed);
    accepted();
    let more = "x".repeat(1 << 20);
    for (claimed, why) in [
        ("no JSON".to_owned(), "has shown no plan"),
        (claim(&[("stacks/api.toml", &ours)]), "has shown no plan"),
        (claim(&[(STACK, api)]), "has shown plan"),
        (claim(&[(STACK, api), (STACK, &ours)]), "claims more than one plan"),
        (format!("{}{more}", claim(&[(STACK, &ours)])), "has shown no plan"),
    ] {
        project.write("claims/1.json", &claimed);
        refused(why);
    }
    // One more that changes the same makes another plan of both.
    project.write("claims/1.json", &claim(&[(STACK, &ours)]));
    project.write("claims/2.files", "stacks/web.toml\0");
    refused("the requests 1, 2 change the stack together");
    project.write("claims/2.files", "stacks/api.toml\0");
    accepted();
}

#[test]
fn validate_says_which_files_a_stack_reads() {
    let project = project("", "test", 7);
    project.write("stacks/base/log.toml", "[stack]\nextends = '../../shared/deep.toml'\n");
    project.write("shared/deep.toml", "[locals]\na = 1\n");
    project.write(STACK, &stack(7).replace("[env]", "extends = ['base/log.toml']\n[env]"));
    let file = |path: &str, role: &str| json!({ "path": path, "role": role });
    let mut files = vec![file(STACK, "stack"), file("stacks/base/log.toml", "base"), file("shared/deep.toml", "base")];
    files.extend([file(".env.defaults", "env"), file(".env", "env")]);
    assert_eq!(project.json(&["validate", "--json", STACK])["files"], json!(files));

    std::fs::remove_file(project.path().join("shared/deep.toml")).unwrap();
    let broken = project.expect(1, &["validate", "--json", STACK]);
    let shown: Json = serde_json::from_str(&broken.stdout).unwrap();
    assert_eq!((&shown["valid"], &shown["files"]), (&json!(false), &json!(files)));
    assert!(shown["error"].as_str().unwrap().contains("deep.toml") && broken.stderr.contains("deep.toml"), "{shown}");

    project.write("stacks/api.toml", &stack(7));
    let both = project.expect(1, &["validate", "--json", STACK, "stacks/api.toml"]);
    let both: Json = serde_json::from_str(&both.stdout).unwrap();
    assert_eq!((&both[0]["valid"], &both[1]["valid"], &both[1]["stack_file"]), (&json!(false), &json!(true), &json!("stacks/api.toml")));
    let said = project.expect(1, &["validate", STACK, "stacks/api.toml"]);
    assert_eq!(said.stdout, "stacks/api.toml: web is valid: 2 resource blocks, 0 data sources.\n");
}

#[test]
fn a_change_concerns_the_stacks_that_read_what_it_changes() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    project.write("shared/deep.toml", "[locals]\na = 1\n");
    project.write("stacks/base/log.toml", "[stack]\nextends = ['../../shared/deep.toml']\n");
    project.write("stacks/api.toml", "[stack]\nname = 'api'\nregion = 'us-east-1'\nextends = ['linked/log.toml']\n");
    std::os::unix::fs::symlink("base", project.path().join("stacks/linked")).unwrap();
    let planned = |changes: &[&str]| {
        let names: String = changes.iter().map(|name| format!("{name}\0")).collect();
        project.write("changes", &names);
        let ran = project.run(&["plan", "--markdown", "--changed", "changes", STACK, "./stacks/api.toml", "stacks/broken.toml"]);
        [STACK, "stacks/api.toml", "stacks/broken.toml"].map(|stack| ran.stdout.contains(&format!("{stack}`:")))
    };
    assert_eq!(planned(&[]), [false, false, true], "what cannot be read is planned");
    project.write("stacks/broken.toml", "[stack]\nname = 'b'\nregion = 'us-east-1'\n");
    assert_eq!(planned(&["stacks/unused.toml", "README.md", "stack", "stacks/web"]), [false; 3]);
    assert_eq!(planned(&[STACK]), [true, false, false]);
    assert_eq!(planned(&["shared/deep.toml"]), [false, true, false], "a base of a base");
    assert_eq!(planned(&["stacks/linked"]), [false, true, false], "a link on the way");
    assert_eq!(planned(&["stacks/base/log.toml"]), [false, true, false], "what a link leads to");
    assert_eq!(planned(&[".env"]), [true, false, false], "a file that is gone");
    std::os::unix::fs::symlink("base", project.path().join("stacks/second")).unwrap();
    std::os::unix::fs::symlink("second", project.path().join("stacks/first")).unwrap();
    project.write("stacks/api.toml", "[stack]\nname = 'api'\nregion = 'us-east-1'\nextends = ['first/log.toml']\n");
    for link in ["stacks/first", "stacks/second"] {
        assert_eq!(planned(&[link]), [false, true, false], "every link of several, one behind the other");
    }
    std::fs::create_dir(project.path().join("folder")).unwrap();
    let below = [&["plan", "--markdown", "--changed", "../changes"][..], &["--repository", "..", "../stacks/api.toml"]].concat();
    project.write("changes", "shared/deep.toml\0");
    let below = ran(project.command(&below).current_dir(project.path().join("folder")).output().unwrap());
    assert!(below.stdout.contains("stacks/api.toml`:"), "names start from the folder that is named: {}{}", below.stdout, below.stderr);
    project.write("changes", "README.md\0");
    let none = project.expect(0, &["plan", "--markdown", "--changed", "changes", STACK]).stdout;
    assert!(none.starts_with("<!-- leoctl plan default -->\n") && none.contains("No stack is changed."), "{none}");
    let gone = project.expect(0, &["plan", "--markdown", "--deleted", "stacks/gone.toml"]).stdout;
    assert!(gone.contains("stacks/gone.toml") && gone.contains("stays in AWS") && !gone.contains("No stack"), "{gone}");
}

#[test]
fn what_a_stack_reads_is_what_is_listed_of_it_and_ends() {
    let project = project("", "test", 7);
    std::fs::create_dir_all(project.path().join("other/deep")).unwrap();
    std::os::unix::fs::symlink("../other/deep", project.path().join("stacks/link")).unwrap();
    project.write("other/base.toml", "[locals]\nhidden = 1\n");
    project.write("stacks/base.toml", "[resource.cloudwatch_log_group.listed]\nname = \"/review/listed\"\n");
    let extending = |name: &str| project.write(STACK, &stack(7).replace("[env]", &format!("extends = ['{name}']\n[env]")));
    extending("link/../base.toml");
    let read = project.json(&["validate", "--json", STACK]);
    assert_eq!((&read["resources"], &read["files"][1]["path"]), (&json!(3), &json!("stacks/base.toml")), "not what the link leads to");

    assert!(std::process::Command::new("mkfifo").arg(project.path().join("stacks/pipe")).status().unwrap().success());
    for (name, why) in [("/dev/zero", "no regular file"), ("pipe", "no regular file"), ("link", "it is a folder")] {
        extending(name);
        let refused = project.expect(1, &["validate", STACK]);
        assert!(refused.stderr.contains(why), "{name}: {}", refused.stderr);
    }
    project.write(STACK, &stack(7).replace("../.env\"", "pipe\""));
    assert!(project.expect(1, &["validate", STACK]).stderr.contains("no regular file"));
    project.write(STACK, &stack(7));
    for endless in [
        &["plan", "--changed", "/dev/zero", STACK][..],
        &["comment", "--title", "x", "/dev/zero"],
        &["validate", "--var-file", "/dev/zero", STACK],
    ] {
        assert!(project.expect(1, endless).stderr.contains("too large"), "{endless:?}");
    }
}

#[test]
fn what_only_the_state_says_is_reviewed_and_applied_like_any_other_change() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "test", 7);
    project.expect(0, &["apply", "-y", STACK]);
    let changes = |expected: bool| {
        let id = id(&project, &[]);
        let plan = project.expect(if expected { 2 } else { 0 }, &["plan", "--detailed-exitcode", STACK, "--review", "review.json"]).stdout;
        assert_eq!(plan.contains("Plan: only the state changes"), expected, "{plan}");
        let reviewed = project.expect(0, &["review", "review.json"]).stdout;
        assert_eq!(reviewed.contains(&id), expected, "{reviewed}");
        let comment = project.expect(0, &["plan", "--markdown", STACK]).stdout;
        assert!(comment.contains(&id) && comment.contains("In the state") == expected, "{comment}");
        (id, plan)
    };
    // Guards: one is refused by, the other stays.
    let guarded = stack(7)
        .replace("[resource.cloudwatch_log_group.b]\n", "[resource.cloudwatch_log_group.b]\nlifecycle = { deletion_policy = \"retain\" }\n")
        .replace("[resource.cloudwatch_log_group.a]\n", "[resource.cloudwatch_log_group.a]\nlifecycle = { prevent_destroy = true }\n");
    project.write(STACK, &guarded);
    let (id, plan) = changes(true);
    assert!(plan.contains("cloudwatch_log_group.a: what protects it"), "{plan}");
    // Nobody is there to agree to it.
    project.expect(1, &["apply", STACK]);
    project.expect(0, &["apply", "-y", STACK, "--plan-id", &id]);
    changes(false);
    let (before, _) = guarded.split_once("[resource").unwrap();
    project.write(STACK, before);
    assert!(project.expect(1, &["plan", STACK]).stderr.contains("`prevent_destroy` protects it"));
    // What has become sensitive leaves the state, though what it is does not change.
    project.write(STACK, &guarded.replace("default = \"a\"", "default = \"a\"\nsensitive = true"));
    let (id, _) = changes(true);
    let state = || std::fs::read_to_string(project.path().join("state/web.json")).unwrap();
    assert!(state().contains("\"vars.team\""), "{}", state());
    project.expect(0, &["apply", "-y", STACK, "--plan-id", &id]);
    assert!(!state().contains("\"vars.team\""), "{}", state());
    changes(false);
}
