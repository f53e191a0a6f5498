//! From a change to its apply: what the jobs of a merge do with what was reviewed, on GitHub and on GitLab.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::claims::{Push, Request};
use super::{Ci, GITLAB_COMMENT, PLAN, WEB, body, group};
use crate::support::emulator::Emulator;
use crate::support::program::{Ran, ran};

const API: &str = "stacks/api.toml";

/// A change that was planned in a request: what its job has kept.
fn planned(ci: &Ci, change: &dyn Fn()) -> String {
    change();
    ci.commit();
    ci.expect(0, &["plan"], &PLAN[..1]);
    read(ci, "leoctl-out/review.json")
}

fn read(ci: &Ci, file: &str) -> String {
    std::fs::read_to_string(ci.project.path().join(file)).unwrap()
}

impl Push {
    /// Everything since `before` comes to the main branch at once.
    fn merge(self) -> Self {
        let sha = self.ci.commit();
        Self { sha, ..self }
    }

    fn is_github(&self) -> bool {
        self.ci.environment.iter().any(|(name, _)| *name == "GITHUB_ACTIONS")
    }

    /// Runs a job of the push, or one that somebody has started by hand with options.
    fn job(&self, script: &str, by_hand: Option<&[(&str, &str)]>) -> Ran {
        self.run(script, by_hand, &[("LEOCTL_COMMENT", "")])
    }

    fn run(&self, script: &str, by_hand: Option<&[(&str, &str)]>, more: &[(&str, &str)]) -> Ran {
        let event = match (self.is_github(), by_hand.is_some()) {
            (true, true) => ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            (true, false) => ("GITHUB_EVENT_NAME", "push"),
            (false, true) => ("CI_PIPELINE_SOURCE", "web"),
            (false, false) => ("CI_PIPELINE_SOURCE", "push"),
        };
        self.ci.run(&[script], &[&self.environment()[..], &[event], more, by_hand.unwrap_or_default()].concat())
    }

    /// Runs the job before the apply; what it hands on.
    fn reviewed(&self, by_hand: Option<&[(&str, &str)]>) -> Vec<(String, String)> {
        let ran = self.job("review", by_hand);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let plans = match self.is_github() {
            true => {
                let outputs = self.ci.outputs();
                let plans = outputs.lines().rev().find_map(|line| line.strip_prefix("plans=")).unwrap();
                serde_json::from_str::<Json>(plans).unwrap()
            }
            // There the file itself is handed on.
            false => {
                let own: Json = serde_json::from_str(&read(&self.ci, "leoctl-out/review.json")).unwrap();
                own["stacks"].as_array().unwrap().iter().filter(|one| one["changes"] == true).cloned().collect()
            }
        };
        plans.as_array().unwrap().iter().map(|one| (text(&one["stack_file"]), text(&one["plan_id"]))).collect()
    }

    /// Runs the job that applies one plan.
    fn apply(&self, (stack, id): &(String, String), by_hand: Option<&[(&str, &str)]>) -> Ran {
        self.run("apply", by_hand, &[("LEOCTL_STACK", stack), ("LEOCTL_PLAN_ID", id)])
    }

    fn unreviewed(&self, stack: &str) {
        let ran = self.job("review", None);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("nobody has reviewed this plan") && ran.stderr.contains(stack), "{}", ran.stderr);
        assert!(ran.stderr.contains("by hand"), "{}", ran.stderr);
    }

    fn is_as_the_file_says(&self, stack: &str) -> bool {
        self.ci.project.expect(0, &["plan", stack]).stdout.contains("No changes")
    }
}

#[test]
fn a_merge_applies_the_plan_that_was_reviewed_and_no_other() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        let review = planned(&push.ci, &|| push.ci.project.write(WEB, &group("web", 14)));
        let push = push.merge();
        push.hold(&[]);
        push.unreviewed(WEB);
        push.hold(&[Request::new(7, &push.sha, &review)]);
        let plans = push.reviewed(None);
        assert_eq!(plans.len(), 1, "{plans:?}");
        // What would be done with other options is another plan.
        let destroy: &[(&str, &str)] = &[("LEOCTL_DESTROY", "true")];
        assert!(push.apply(&plans[0], Some(destroy)).stderr.contains("stale"));
        assert_eq!(push.apply(&plans[0], None).code, 0);
        assert!(push.is_as_the_file_says(WEB));
        let stale = push.apply(&plans[0], None);
        assert!(
            stale.code == 1 && stale.stderr.contains("stale") && stale.stderr.contains("run this workflow by hand"),
            "{}",
            stale.stderr
        );
        assert!(push.reviewed(None).is_empty(), "what is applied needs no review");
        push.ci.project.expect(0, &["destroy", "-y", WEB]);
    }
}

#[test]
fn what_lies_outside_of_the_stacks_folder_is_planned_and_applied_too() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        push.ci.project.write("shared/deep.toml", &group("web", 7));
        push.ci.project.write("stacks/base/log.toml", "[stack]\nextends = ['../../shared/deep.toml']\n");
        push.ci.project.write(WEB, "[stack]\nname = 'web'\nextends = ['base/log.toml']\n");
        let before = push.ci.commit();
        push.ci.project.expect(0, &["apply", "-y", WEB]);
        let review = planned(&push.ci, &|| push.ci.project.write("shared/deep.toml", &group("web", 14)));
        let push = Push { before, ..push }.merge();
        push.hold(&[Request::new(7, &push.sha, &review).about(&["shared/deep.toml"])]);
        let plans = push.reviewed(None);
        assert_eq!(plans.len(), 1, "{plans:?}");
        assert_eq!(push.apply(&plans[0], None).code, 0);
        assert!(push.is_as_the_file_says(WEB));
        push.ci.project.expect(0, &["destroy", "-y", WEB]);
    }
}

#[test]
fn a_run_of_an_old_commit_does_nothing_about_a_stack_that_has_changed_since() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        let review = planned(&push.ci, &|| push.ci.project.write(WEB, &group("web", 14)));
        let push = push.merge();
        push.hold(&[Request::new(7, &push.sha, &review)]);
        let plans = push.reviewed(None);
        let main_goes_on = |change: &dyn Fn()| {
            change();
            push.ci.commit();
            push.ci.git(&["checkout", "--quiet", &push.sha]);
        };
        main_goes_on(&|| push.ci.project.write(WEB, &group("web", 7)));
        for by_hand in [None, Some(&[] as &[(&str, &str)])] {
            for ran in [push.job("review", by_hand), push.apply(&plans[0], by_hand)] {
                assert!(ran.code == 1 && ran.stderr.contains("the plan of stacks/web.toml is out of date"), "{}{}", ran.stdout, ran.stderr);
            }
        }
        push.ci.git(&["remote", "set-url", "origin", "nowhere"]);
        for ran in [push.job("review", None), push.apply(&plans[0], None)] {
            assert!(ran.code == 1 && ran.stderr.contains("cannot be fetched"), "{}{}", ran.stdout, ran.stderr);
        }
        push.ci.git(&["remote", "set-url", "origin", &push.ci.file("origin")]);
        main_goes_on(&|| push.ci.project.write(API, &group("api", 30)));
        assert_eq!(push.reviewed(None), plans, "another stack has changed");
        assert_eq!(push.apply(&plans[0], None).code, 0);
        push.ci.project.expect(0, &["destroy", "-y", WEB]);
    }
}

#[test]
fn another_version_of_a_committed_env_file_is_another_plan() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        let review = planned(&push.ci, &|| {
            secret(&push.ci, "one");
            let stack = group("web", 14).replace("[resource", "[env]\nfiles = ['../shared/prod.env']\n[resource");
            push.ci.project.write(WEB, &stack);
        });
        assert!(!review.contains("one"));
        let push = push.merge();
        push.hold(&[Request::new(7, &push.sha, &review)]);
        let plans = push.reviewed(None);
        // What git makes of the same version is another text.
        push.ci.project.write("shared/.gitattributes", "*.env working-tree-encoding=UTF-16LE-BOM\n");
        push.ci.commit();
        assert!(push.apply(&plans[0], None).stderr.contains("stale"));
        std::fs::remove_file(push.ci.project.path().join("shared/.gitattributes")).unwrap();
        secret(&push.ci, "two");
        let push = push.merge();
        push.hold(&[Request::new(7, &push.sha, &review).about(&["shared/prod.env"])]);
        push.unreviewed(WEB);
        assert!(push.apply(&plans[0], None).stderr.contains("stale"));
        secret(&push.ci, "one");
        push.ci.commit();
        assert_eq!(push.apply(&plans[0], None).code, 0);
        push.ci.project.expect(0, &["destroy", "-y", WEB]);
    }
}

fn secret(ci: &Ci, value: &str) {
    ci.project.write("shared/prod.env", &format!("KEY={value}\n"));
}

#[test]
fn several_requests_that_are_merged_at_once_each_have_their_plan() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        let web = planned(&push.ci, &|| push.ci.project.write(WEB, &group("web", 14)));
        push.ci.git(&["checkout", "--quiet", &push.sha]);
        let api = planned(&push.ci, &|| push.ci.project.write(API, &group("api", 14)));
        push.ci.project.write(WEB, &group("web", 14));
        let push = push.merge();
        push.hold(&[Request::new(7, &push.sha, &web)]);
        push.unreviewed(API);
        push.hold(&[Request::new(7, &push.sha, &web), Request::new(8, &push.sha, &api).about(&[API])]);
        let plans = push.reviewed(None);
        assert_eq!(plans.iter().map(|(stack, _)| stack.as_str()).collect::<Vec<_>>(), [API, WEB]);
        let crossed = (plans[0].0.clone(), plans[1].1.clone());
        assert!(push.apply(&crossed, None).stderr.contains("stale"), "an id is of its stack alone");
    }
}

#[test]
fn two_requests_about_one_stack_together_were_reviewed_by_nobody() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        let days = planned(&push.ci, &|| push.ci.project.write(WEB, &group("web", 14)));
        push.ci.git(&["checkout", "--quiet", &push.sha]);
        let more = "[resource.cloudwatch_log_group.b]\nname = \"/ci/b\"\n";
        let another = planned(&push.ci, &|| push.ci.project.write(WEB, &(group("web", 7) + more)));
        push.ci.project.write(WEB, &(group("web", 14) + more));
        let push = push.merge();
        push.hold(&[Request::new(7, &push.sha, &days), Request::new(8, &push.sha, &another)]);
        push.unreviewed(WEB);
        // Though one of them claims just that, which its code can have known before.
        push.ci.expect(0, &["plan"], &[("LEOCTL_BASE", push.before.as_str())]);
        let together = read(&push.ci, "leoctl-out/review.json");
        push.hold(&[Request::new(7, &push.sha, &together), Request::new(8, &push.sha, &another)]);
        push.unreviewed(WEB);
        // Nor does one speak of a stack that it does not change.
        push.hold(&[Request::new(7, &push.sha, &together).about(&["README.md"]), Request::new(8, &push.sha, &another)]);
        push.unreviewed(WEB);
        push.hold(&[Request::new(7, &push.sha, &together)]);
        assert_eq!(push.reviewed(None).len(), 1);
    }
}

#[test]
fn what_a_pull_request_brings_of_its_own_is_not_carried_out() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        push.ci.project.expect(0, &["apply", "-y", API]);
        push.ci.project.write("leoctl-out/evil.toml", &group("evil", 7));
        push.ci.project.expect(0, &["plan", "--review", "evil.json", "leoctl-out/evil.toml"]);
        push.ci.project.expect(0, &["plan", "--destroy", "--review", "destroy.json", API]);
        let (evil, destroy) = (read(&push.ci, "evil.json"), read(&push.ci, "destroy.json"));
        for file in ["evil.json", "destroy.json"] {
            std::fs::remove_file(push.ci.project.path().join(file)).unwrap();
        }
        push.ci.project.write(WEB, &group("web", 14));
        push.ci.project.write(API, &format!("{}# A word.\n", group("api", 7)));
        let push = push.merge();
        // The same steps, with options that main does not plan with.
        push.ci.project.expect(0, &["plan", "--target", "cloudwatch_log_group.a", "--review", "leoctl-out/target.json", WEB]);
        let target = read(&push.ci, "leoctl-out/target.json");
        for review in [evil, destroy, target] {
            push.hold(&[Request::new(7, &push.sha, &review).about(&[WEB, API, "leoctl-out/evil.toml"])]);
            push.unreviewed(WEB);
        }
        // Nor by its name, where a job was made to ask for it.
        let other = push.apply(&("leoctl-out/evil.toml".to_owned(), "0".repeat(32)), None);
        assert!(other.code == 1 && other.stderr.contains("none of the stack files"), "{}", other.stderr);
        push.ci.project.expect(0, &["destroy", "-y", API]);
    }
}

#[test]
fn a_run_by_hand_has_its_own_stacks_and_options_and_no_other_run_has_them() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    for push in Push::on_each(&emulator.endpoint) {
        for stack in [WEB, API] {
            push.ci.project.expect(0, &["apply", "-y", stack]);
        }
        let options: &[(&str, &str)] = &[("LEOCTL_DESTROY", "true"), ("LEOCTL_TARGETS", "cloudwatch_log_group.a"), ("LEOCTL_ONLY", WEB)];
        let pushed = push.ci.run(&["review"], &[&push.environment()[..], options].concat());
        assert_eq!(pushed.code, 0, "on a push, these are nobody's options: {}", pushed.stderr);
        let plans = push.reviewed(Some(options));
        assert_eq!(plans.len(), 1, "{plans:?}");
        assert!(push.apply(&plans[0], None).stderr.contains("stale"), "the options are given again");
        assert_eq!(push.apply(&plans[0], Some(options)).code, 0);
        assert!(push.ci.project.expect(0, &["plan", WEB]).stdout.contains("1 to create"));
        assert!(push.is_as_the_file_says(API));

        for (name, wrong, why) in [
            ("LEOCTL_ONLY", "leoctl-out/evil.toml", "none of the stack files"),
            ("LEOCTL_ONLY", "stacks/*", "none of the stack files"),
            ("LEOCTL_VARIABLES", "--destroy", "NAME=VALUE"),
            ("LEOCTL_VARIABLES", "a=1\n$(touch evil)=2", "NAME=VALUE"),
            ("LEOCTL_TARGETS", "--destroy", "--destroy"),
            ("LEOCTL_REPLACE", "$(touch evil)", "touch"),
        ] {
            let ran = push.job("review", Some(&[(name, wrong)]));
            assert!(ran.code == 1 && ran.stderr.contains(why), "{name}={wrong}: {}", ran.stderr);
        }
        assert!(!push.ci.project.path().join("evil").exists());
        push.ci.project.expect(0, &["destroy", "-y", API]);
    }
}

#[test]
fn a_merge_queue_plans_without_a_comment_and_without_a_claim() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let [push, _] = Push::on_each(&emulator.endpoint);
    push.ci.project.write(WEB, &group("web", 14));
    let push = push.merge();
    let queue = [("GITHUB_EVENT_NAME", "merge_group"), ("LEOCTL_BASE", push.before.as_str()), ("LEOCTL_COMMENT", "false")];
    push.ci.expect(0, &["plan"], &queue);
    assert!(push.ci.held("comments").is_empty());
    let mut request = Request::new(7, &push.sha, &read(&push.ci, "leoctl-out/review.json"));
    request.plans[0].event = "merge_group";
    push.hold(&[request]);
    push.unreviewed(WEB);
}

#[test]
fn a_comment_of_somebody_else_that_begins_as_ours_stays_as_it_is() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let foreign = "<!-- leoctl plan default -->\nNothing to see here.";
    for push in Push::on_each(&emulator.endpoint) {
        let (name, author) = if push.is_github() { ("comments", "user") } else { ("notes", "author") };
        push.ci.hold(name, json!([{ "id": 1, "issue": 7, "body": foreign, "edits": 0, author: { "id": 5, "login": "mallory" } }]));
        push.ci.project.write(WEB, &group("web", 14));
        push.ci.commit();
        let request = [PLAN, GITLAB_COMMENT, &[("CI_MERGE_REQUEST_IID", "7")]].concat();
        for edits in 0..2 {
            push.ci.expect(0, &["plan"], &request);
            let all = push.ci.held(name);
            assert_eq!(all.len(), 2, "{all:?}");
            assert_eq!((body(&all[0]), &all[0]["edits"], &all[1]["edits"]), (foreign, &json!(0), &json!(edits)));
        }
    }
    let [push, _] = Push::on_each("");
    let drift = "<!-- leoctl drift -->\nAll is well.";
    push.ci.hold("issues", json!([{ "number": 1, "state": "open", "body": drift, "user": { "login": "mallory" } }]));
    push.ci.project.write("report.md", "<!-- leoctl drift -->\nIt is not.");
    push.ci.expect(0, &["github", "issue", "report.md", "true"], &[]);
    push.ci.expect(0, &["github", "issue", "report.md", "false"], &[]);
    let issues = push.ci.held("issues");
    assert_eq!((body(&issues[0]), &issues[0]["state"], &issues[1]["state"]), (drift, &json!("open"), &json!("closed")));
}

#[test]
fn a_long_apply_on_github_has_a_new_token_whenever_it_needs_one() {
    let ci = Ci::github("");
    // A leoctl that goes on until the file has had three tokens.
    let text = "#!/bin/sh\ncase $1 in apply) : ;; *) exit 0 ;; esac\nwhile :; do\n  token=$(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\")\n  grep -qxF \"$token\" \"$FORGE/seen\" || echo \"$token\" >> \"$FORGE/seen\"\n  [ \"$token\" != 'token 3' ] || { echo \"$AWS_WEB_IDENTITY_TOKEN_FILE $AWS_ROLE_ARN\" > \"$FORGE/file\"; exit 0; }\ndone\n";
    ci.program("leoctl", text);
    std::fs::write(ci.file("seen"), "").unwrap();
    // A file of the repository that is called like one of Python's is data, and not run with the role.
    for module in ["json", "sys", "os", "zipfile"] {
        ci.project.write(&format!("{module}.py"), &format!("open({:?}, 'w')", ci.file("evil")));
    }
    let url = ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://tokens.example/?api-version=2.0");
    let job = [url, ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job"), ("AWS_ROLE_ARN", "arn:apply"), ("LEOCTL_RENEW", "0.01")];
    let one = [("LEOCTL_STACK", WEB), ("LEOCTL_PLAN_ID", "0"), ("GITHUB_REF_NAME", "main")];
    ci.expect(0, &["apply"], &[&job[..], &one].concat());
    assert_eq!(std::fs::read_to_string(ci.file("seen")).unwrap().lines().next(), Some("token 1"));
    let file = std::fs::read_to_string(ci.file("file")).unwrap();
    let (file, role) = file.trim().rsplit_once(' ').unwrap();
    assert_eq!(role, "arn:apply");
    assert!(!Path::new(&ci.file("evil")).exists());
    assert!(!Path::new(file).exists(), "the token goes with the job");
    let none = ci.expect(1, &["apply"], &[&[job[0], ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "wrong"), job[2]], &one[..]].concat());
    assert!(none.stderr.contains("id-token: write"), "{}", none.stderr);
}

/// A program that runs until the test is over.
struct Beside(std::process::Child);

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_role_is_taken_again_with_the_token_that_is_in_the_file_by_then() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::github(&emulator.endpoint);
    ci.program("sts", include_str!("sts"));
    std::fs::write(ci.file("token"), "token 1").unwrap();
    let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", ci.file("token"));
    let sts = Command::new(ci.file("bin/sts")).env("FORGE", ci.file("")).env(token.0, &token.1).stdout(Stdio::piped()).spawn();
    let mut sts = Beside(sts.unwrap());
    let mut port = String::new();
    std::io::BufReader::new(sts.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let endpoint = format!("http://127.0.0.1:{}", port.trim());
    let mut leoctl = ci.project.command(&["apply", "-y", WEB]);
    leoctl.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_EC2_METADATA_DISABLED", "true");
    leoctl.env(token.0, &token.1).env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r").env("AWS_ENDPOINT_URL_STS", endpoint);
    let ran = ran(leoctl.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let shown: BTreeSet<String> = std::fs::read_to_string(ci.file("shown")).unwrap().lines().map(str::to_owned).collect();
    assert!(shown.len() > 2 && shown.contains("token 1") && shown.contains("token 3"), "{shown:?}");
}
