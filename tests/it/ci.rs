//! `leoctl init`, and the scripts that the workflows it writes run: those very files, in the environment that GitHub and
//! GitLab give them, against an emulator. The forges are stood in for by `gh` and `curl` of our own (`ci/`), which speak
//! their documented APIs and keep what they are told.

mod claims;
mod comments;
mod merged;
pub mod written;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::sdk;

const WEB: &str = "stacks/web.toml";

/// A stack of one log group, kept for so many days.
fn group(name: &str, days: u32) -> String {
    format!(
        "[stack]\nname = \"{name}\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nname = \"/ci/{name}\"\nretention_in_days = {days}\n"
    )
}

/// A repository with workflows, and the forge it is on.
struct Ci {
    project: Project,
    forge: PathBuf,
    forge_folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    /// Where the project is in the repository.
    folder: &'static str,
}

impl Ci {
    fn new(endpoint: &str, forge: &str) -> Self {
        let project = Project::new(endpoint, "test");
        std::fs::remove_dir_all(project.path().join("stacks")).unwrap();
        project.write(WEB, &group("web", 7));
        project.write("stacks/api.toml", &group("api", 7));
        project.write("README.md", "");
        project.expect(0, &["init", "--ci", forge]);
        let forge_folder = tempfile::tempdir().unwrap();
        let file = forge_folder.path().join(format!("{forge}.json"));
        let ci = Self { project, forge: file, forge_folder, environment: Vec::new(), folder: "" };
        ci.program("gh", include_str!("ci/gh"));
        ci.program("curl", include_str!("ci/curl"));
        ci.git(&["init", "--quiet", "--initial-branch", "main"]);
        ci.git(&["init", "--quiet", "--bare", &ci.file("origin")]);
        ci.git(&["remote", "add", "origin", &ci.file("origin")]);
        ci.commit();
        ci
    }

    fn github(endpoint: &str) -> Self {
        let mut ci = Self::new(endpoint, "github");
        ci.environment = vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_REPOSITORY", "acme/shop".to_owned()),
            ("GITHUB_REF", "refs/pull/7/merge".to_owned()),
            ("GITHUB_STEP_SUMMARY", ci.file("summary.md")),
            ("GITHUB_OUTPUT", ci.file("outputs")),
            ("GH_TOKEN", "token".to_owned()),
            ("LEOCTL_STACKS", "stacks/*.toml".to_owned()),
        ];
        ci
    }

    fn gitlab(endpoint: &str) -> Self {
        let mut ci = Self::new(endpoint, "gitlab");
        ci.environment = vec![
            ("GITLAB_CI", "true".to_owned()),
            ("CI_API_V4_URL", "https://gitlab.example/api/v4".to_owned()),
            ("CI_PROJECT_ID", "42".to_owned()),
            ("LEOCTL_GITLAB_TOKEN", "glpat-secret".to_owned()),
        ];
        ci
    }

    /// A program of ours, found before any other of its name.
    fn program(&self, name: &str, text: &str) {
        let program = self.forge_folder.path().join("bin").join(name);
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.forge_folder.path().join(name).display().to_string()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]);
        let ran = ran(command.args(arguments).current_dir(self.project.path()).output().unwrap());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        ran.stdout.trim().to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "a change"]);
        self.git(&["push", "--quiet", "--force", "origin", "HEAD:refs/heads/main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs a script of the workflow.
    fn run(&self, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
        ran(self.script(arguments, more).output().unwrap())
    }

    /// A script of the workflow, ready to run.
    fn script(&self, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        let leoctl = self.project.command(&[]);
        let (script, arguments) = arguments.split_first().unwrap();
        let folders = [self.forge_folder.path().join("bin"), Path::new(env!("CARGO_BIN_EXE_leoctl")).parent().unwrap().to_owned()];
        let old = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&old))).unwrap();
        let (program, kind) = if matches!(*script, "claims" | "comment") { ("python3", "py") } else { ("bash", "sh") };
        let mut bash = Command::new(program);
        bash.arg(format!(".leoctl/ci/{script}.{kind}")).args(arguments).current_dir(self.project.path().join(self.folder)).env_clear();
        bash.envs(leoctl.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
        bash.env("FORGE", self.forge_folder.path()).envs(self.environment.iter().map(|(name, value)| (name, value)));
        bash.envs(more.iter().copied());
        bash
    }

    fn expect(&self, code: i32, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
        let ran = self.run(arguments, more);
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// What the forge holds.
    fn held(&self, name: &str) -> Vec<Json> {
        let text = std::fs::read_to_string(&self.forge).unwrap_or_else(|_| "{}".to_owned());
        let held: Json = serde_json::from_str(&text).unwrap();
        held[name].as_array().cloned().unwrap_or_default()
    }

    /// Gives the forge something to hold.
    fn hold(&self, name: &str, rows: Json) {
        let text = std::fs::read_to_string(&self.forge).unwrap_or_else(|_| "{}".to_owned());
        let mut held: Json = serde_json::from_str(&text).unwrap();
        held[name] = rows;
        std::fs::write(&self.forge, held.to_string()).unwrap();
    }

    /// The only comment of leoctl's among those the forge holds.
    fn comment(&self, name: &str) -> Json {
        let mut ours: Vec<Json> =
            self.held(name).into_iter().filter(|one| body(one).starts_with("<!-- leoctl plan default -->\n")).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        ours.remove(0)
    }

    fn outputs(&self) -> String {
        std::fs::read_to_string(self.file("outputs")).unwrap_or_default()
    }
}

fn body(comment: &Json) -> &str {
    comment["body"].as_str().unwrap()
}

const PLAN: &[(&str, &str)] = &[("LEOCTL_BASE", "HEAD^1"), ("LEOCTL_COMMENT", "true"), ("LEOCTL_COMMIT", "4f2a9c1")];

/// Where everybody who opens merge requests is trusted with a token.
const GITLAB_COMMENT: &[(&str, &str)] = &[("LEOCTL_COMMENT", "true"), ("LEOCTL_COMMENT_TOKEN", "glpat-secret")];

#[test]
fn a_pull_request_on_github_has_one_comment() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::github(&emulator.endpoint);
    // Somebody else's comments, more than fit on a page, stay as they are.
    let others: Vec<Json> = (0..120)
        .map(|id| json!({ "id": id, "issue": 7, "body": "see <!-- leoctl plan default -->", "edits": 0, "user": { "login": "a" } }))
        .collect();
    ci.hold("comments", json!(others));
    ci.project.write(WEB, &group("web", 14));
    ci.commit();

    ci.expect(0, &["plan"], PLAN);
    let first = ci.comment("comments");
    assert!(body(&first).contains("## leoctl plan of 4f2a9c1") && body(&first).contains("1 to create"), "{first}");
    assert!(!body(&first).contains("stacks/api.toml"), "only what the change is about is planned: {first}");
    assert_eq!(ci.held("comments").len(), 121);
    assert_eq!(std::fs::read_to_string(ci.file("summary.md")).unwrap(), body(&first));
    assert!(ci.outputs().contains("exit-code=2\nchanges=true\ncomment-file=leoctl-out/comment.md\n"), "{}", ci.outputs());

    ci.project.write(WEB, &group("web", 30));
    ci.git(&["add", "--all"]);
    ci.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    ci.expect(0, &["plan"], PLAN);
    let second = ci.comment("comments");
    assert_eq!((&second["id"], &second["edits"]), (&first["id"], &json!(1)));
    assert!(body(&second).contains("30"), "{second}");
}

#[test]
fn a_plan_that_changes_nothing_says_so_and_one_that_fails_is_said_too() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::github(&emulator.endpoint);
    // Nothing of the stacks is in the change: no comment is made about that.
    ci.project.write("README.md", "more");
    ci.commit();
    ci.expect(0, &["plan"], PLAN);
    assert!(ci.held("comments").is_empty());

    ci.project.expect(0, &["apply", "-y", WEB]);
    let same = [("LEOCTL_STACKS", WEB), ("LEOCTL_COMMENT", "true")];
    ci.expect(0, &["plan"], &same);
    assert!(body(&ci.comment("comments")).contains("No changes"), "{}", ci.comment("comments"));
    assert!(ci.outputs().contains("exit-code=0\nchanges=false\n"), "{}", ci.outputs());
    assert!(ci.expect(0, &["apply"], &[]).stdout.contains("nothing to apply"));

    // A stack that is gone, and one that cannot be planned beside one that can.
    std::fs::remove_file(ci.project.path().join(WEB)).unwrap();
    ci.project.write("stacks/bad.toml", &group("bad", 6));
    ci.project.write("stacks/api.toml", &group("api", 14));
    ci.commit();
    ci.expect(1, &["plan"], PLAN);
    let failed = ci.comment("comments");
    assert!(body(&failed).contains("`stacks/bad.toml`: no plan") && body(&failed).contains("1 to create"), "{failed}");
    assert!(body(&failed).contains("`stacks/web.toml`") && body(&failed).contains("stays in AWS"), "{failed}");

    // The change is taken back: the comment does not go on saying what it would do.
    std::fs::remove_file(ci.project.path().join("stacks/bad.toml")).unwrap();
    ci.commit();
    ci.project.write("README.md", "still more");
    ci.commit();
    ci.expect(0, &["plan"], PLAN);
    assert!(body(&ci.comment("comments")).contains("No stack is changed"));

    for script in ["plan", "drift"] {
        let none = ci.expect(1, &[script], &[("LEOCTL_STACKS", "infra/*.toml")]);
        assert!(none.stderr.contains("there is no stack file infra/*.toml"), "nothing found is not nothing to do: {}", none.stderr);
    }
    let forbidden = ci.expect(1, &["plan"], &[PLAN[1], ("GH_TOKEN", "wrong"), ("LEOCTL_STACKS", "stacks/api.toml")]);
    assert!(forbidden.stderr.contains("Bad credentials"), "a plan that nobody can see is no success: {}", forbidden.stderr);
}

#[test]
fn the_stacks_that_read_a_changed_file_are_planned() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::github(&emulator.endpoint);
    let planned = |change: &dyn Fn()| {
        change();
        ci.commit();
        ci.expect(0, &["plan"], &PLAN[..1]).stdout.matches("### `stacks/").count()
    };
    assert_eq!(planned(&|| ci.project.write("stacks/base/unused.toml", "")), 0);
    assert_eq!(planned(&|| ci.project.write("app/main.py", "")), 0);
    let extending = "[stack]\nname = \"api\"\nextends = ['base/log.toml']\n[env]\nfiles = ['../.env.defaults']\n";
    ci.project.write(".env.defaults", "");
    ci.project.write("stacks/base/log.toml", "[stack]\nextends = ['../../shared/deep.toml']\n");
    ci.project.write("shared/deep.toml", &group("deep", 7));
    assert_eq!(planned(&|| ci.project.write("stacks/api.toml", extending)), 1);
    assert_eq!(planned(&|| ci.project.write("shared/deep.toml", &group("deep", 14))), 1, "a base of a base, outside of their folder");
    assert_eq!(planned(&|| ci.project.write(".env.defaults", "A=b\n")), 1);
    assert_eq!(planned(&|| ci.project.write(WEB, &group("web", 14))), 1);
    ci.project.write("stacks/odd\nname.toml", &group("odd", 7));
    ci.commit();
    let odd = ci.expect(1, &["plan"], &PLAN[..1]);
    assert!(odd.stderr.contains("stacks/odd\\nname.toml") && odd.stderr.contains("control character"), "{}", odd.stderr);
    std::fs::remove_file(ci.project.path().join("stacks/odd\nname.toml")).unwrap();
    let lost = ci.expect(0, &["plan"], &[("LEOCTL_BASE", "0000000000000000000000000000000000000000")]);
    assert!(lost.stderr.contains("planning all stacks"), "{}", lost.stderr);
}

#[test]
fn a_project_may_be_in_a_folder_of_the_repository() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let mut ci = Ci::github(&emulator.endpoint);
    std::fs::create_dir(ci.project.path().join("infra")).unwrap();
    for part in ["stacks", ".leoctl"] {
        std::fs::rename(ci.project.path().join(part), ci.project.path().join("infra").join(part)).unwrap();
    }
    ci.folder = "infra";
    ci.project.write("common/base.toml", "[locals]\na = 1\n");
    ci.project.write("infra/stacks/api.toml", &group("api", 7).replace("[resource", "extends = ['../../common/base.toml']\n[resource"));
    ci.commit();
    let planned = || {
        ci.commit();
        let ran = ci.expect(0, &["plan"], &PLAN[..1]);
        [WEB, "stacks/api.toml"].map(|stack| ran.stdout.contains(&format!("### `{stack}`: Plan")))
    };
    ci.project.write("infra/stacks/web.toml", &group("web", 14));
    assert_eq!(planned(), [true, false]);
    ci.project.write("common/base.toml", "[locals]\na = 2\n");
    assert_eq!(planned(), [false, true], "a file outside of the folder");
    ci.project.write("stacks/web.toml", "");
    assert_eq!(planned(), [false, false], "another folder's file of the same name");
    std::fs::remove_file(ci.project.path().join("infra/stacks/web.toml")).unwrap();
    std::fs::remove_file(ci.project.path().join("stacks/web.toml")).unwrap();
    ci.commit();
    let gone = ci.expect(0, &["plan"], &PLAN[..1]).stdout;
    assert!(gone.matches("`stacks/web.toml`").count() == 1 && gone.contains("stays in AWS"), "{gone}");
}

#[test]
fn a_folder_that_looks_like_a_repository_is_none() {
    let mut ci = Ci::github("");
    ci.folder = "infra";
    for part in ["stacks", ".leoctl"] {
        std::fs::create_dir_all(ci.project.path().join("infra")).unwrap();
        std::fs::rename(ci.project.path().join(part), ci.project.path().join("infra").join(part)).unwrap();
    }
    let ran_here = "[core]\nbare = false\nworktree = ..\nfsmonitor = sh infra/notes.txt\n[protocol \"ext\"]\nallow = always\n\
                    [remote \"origin\"]\nurl = \"ext::sh infra/notes.txt\"\n";
    for (name, text) in [("HEAD", "ref: refs/heads/main\n"), ("config", ran_here), ("objects/.keep", ""), ("refs/.keep", "")] {
        ci.project.write(&format!("infra/{name}"), text);
    }
    ci.project.write("infra/notes.txt", "touch \"$FORGE/obeyed\"\n");
    let sha = ci.commit();
    let push = [("GITHUB_REF_NAME", "main"), ("GITHUB_SHA", sha.as_str()), ("LEOCTL_BEFORE", sha.as_str())];
    let apply = [("LEOCTL_STACK", WEB), ("LEOCTL_PLAN_ID", "00000000000000000000000000000000")];
    let claims = [("GITHUB_WORKFLOW_REF", "acme/shop/.github/workflows/leoctl.yml@refs/heads/main")];
    for (script, more) in [("plan", &PLAN[..1]), ("review", &[]), ("drift", &[]), ("apply", &apply), ("claims", &claims)] {
        drop(ci.run(&[script, "claims"], &[&push[..], more].concat()));
        assert!(!ci.forge_folder.path().join("obeyed").exists(), "{script}");
    }
}

#[tokio::test]
async fn drift_opens_an_issue_keeps_it_and_closes_it() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::github(&emulator.endpoint);
    for stack in [WEB, "stacks/api.toml"] {
        ci.project.expect(0, &["apply", "-y", stack]);
    }
    let nightly = [("LEOCTL_ISSUE", "true"), ("GITHUB_REF", "refs/heads/main")];
    assert!(ci.expect(0, &["drift"], &nightly).stdout.contains("Nothing, in 2 stacks"));
    assert!(ci.held("issues").is_empty());

    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    logs.put_retention_policy().log_group_name("/ci/web").retention_in_days(90).send().await.unwrap();
    let without = ci.expect(2, &["drift"], &[]);
    assert!(without.stdout.contains("retention_in_days") && without.stdout.contains("stacks/web.toml"), "{}", without.stdout);
    for _ in 0..2 {
        ci.expect(0, &["drift"], &nightly);
        let issues = ci.held("issues");
        assert_eq!(issues.len(), 1, "{issues:?}");
        assert!(
            body(&issues[0]).starts_with("<!-- leoctl drift -->\n") && body(&issues[0]).contains("retention_in_days = 7 → 90"),
            "{}",
            issues[0]
        );
        assert!(!body(&issues[0]).contains("stacks/api.toml"), "{}", issues[0]);
    }
    ci.project.expect(0, &["apply", "-y", WEB]);
    ci.expect(0, &["drift"], &nightly);
    assert_eq!(ci.held("issues")[0]["state"], "closed");

    ci.project.write("stacks/bad.toml", &group("bad", 6));
    ci.expect(1, &["drift"], &nightly);
    let issues = ci.held("issues");
    assert!(issues.len() == 2 && body(&issues[1]).contains("stacks/bad.toml"), "a stack that cannot be read is no peace: {issues:?}");
}

#[test]
fn a_merge_request_on_gitlab_has_one_note_where_that_is_switched_on() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ci = Ci::gitlab(&emulator.endpoint);
    let base = ci.git(&["rev-parse", "HEAD"]);
    ci.hold(
        "notes",
        json!((0..120).map(|id| json!({ "id": id, "body": "looks good", "edits": 0, "author": { "id": 5 } })).collect::<Vec<_>>()),
    );
    ci.project.write(WEB, &group("web", 14));
    let head = ci.commit();
    let pipeline = [("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str()), ("CI_COMMIT_SHA", head.as_str())];
    // As it is set up, nothing is said there: the plan is in the log and an artifact.
    assert!(ci.expect(0, &["plan"], &pipeline).stdout.contains("1 to create"));
    assert_eq!(ci.held("notes").len(), 120);
    let kept = std::fs::read_to_string(ci.project.path().join("leoctl-out/comment.md")).unwrap();
    assert!(kept.contains("1 to create"), "{kept}");
    // The token of the main branch is none to comment with, even where it is there.
    let quiet = ci.expect(0, &["plan"], &[&pipeline[..], &[("LEOCTL_COMMENT", "true")]].concat());
    assert!(quiet.stderr.contains("LEOCTL_COMMENT_TOKEN is not set"), "{}", quiet.stderr);
    assert_eq!(ci.held("notes").len(), 120);
    let request = [&pipeline[..], GITLAB_COMMENT].concat();
    ci.expect(0, &["plan"], &request);
    let first = ci.comment("notes");
    assert!(body(&first).contains(&head) && body(&first).contains("1 to create") && !body(&first).contains("api.toml"), "{first}");
    ci.expect(0, &["plan"], &request);
    let second = ci.comment("notes");
    assert_eq!((&second["id"], &second["edits"]), (&first["id"], &json!(1)));
    assert_eq!(ci.held("notes").len(), 121);
}

#[test]
fn a_saved_plan_is_carried_out_in_another_checkout_too() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let (one, other) = (Ci::github(&emulator.endpoint), Ci::github(&emulator.endpoint));
    one.project.expect(0, &["plan", "--out-dir", "plans", WEB, "stacks/api.toml"]);
    let plan = one.project.path().join("plans/stacks-web.plan");
    assert!(one.project.path().join("plans/stacks-api.plan").is_file());
    let mode = std::fs::metadata(&plan).unwrap().permissions().mode();
    assert_eq!(mode & 0o77, 0, "a plan is its owner's only");
    std::fs::copy(plan, other.project.path().join("web.plan")).unwrap();
    drop(one);
    other.project.expect(0, &["apply", "-y", "--plan", "web.plan"]);
    other.project.expect(0, &["plan", "--out-dir", "plans", WEB]);
    assert!(!other.project.path().join("plans").exists(), "what changes nothing is not saved");
    other.project.expect(0, &["plan", "--out-dir", "plans", WEB, "./stacks/web.toml"]);
    other.project.write("stacks-web.toml", "[stack]\nname = \"another\"\nregion = \"us-east-1\"\n");
    let both = other.project.expect(1, &["plan", "--out-dir", "plans", WEB, "stacks-web.toml"]);
    assert!(both.stderr.contains("the same name"), "{}", both.stderr);
}

#[test]
fn a_cancelled_apply_ends_in_order_and_begins_nothing_more() {
    let ci = Ci::github("");
    // A leoctl that is at something, and ends it when it is told to.
    let apply = "trap 'echo saved; exit 130' TERM\necho \"$@\" >> \"$FORGE/begun\"\nwhile :; do sleep 0.05; done\n";
    ci.program("leoctl", &format!("#!/bin/sh\n[ \"$1\" = apply ] || {{ printf '1 {WEB}\\n2 stacks/api.toml\\n'; exit; }}\n{apply}"));
    let child = ci.script(&["apply"], &[("GITHUB_REF_NAME", "main")]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = PathBuf::from(ci.file("begun"));
    while !begun.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // A job may have been started with SIGINT ignored, which no shell can trap then; SIGTERM follows it in any case.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("saved\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("Not carried out: stacks/web.toml stacks/api.toml"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(begun).unwrap().lines().count(), 1);
}
