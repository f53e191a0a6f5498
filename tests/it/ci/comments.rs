//! The comment on a pull request, which a job of the main branch takes from the plan job's artifact: whose run counts, to
//! which pull request it speaks, and what an artifact may say. The plan job itself may write nothing.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::written::yaml;
use super::{Ci, body};
use crate::support::program::Ran;

/// The last commit of the pull request.
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const MARKER: &str = "<!-- leoctl plan default -->";
const JOB: &[(&str, &str)] =
    &[("LEOCTL_RUN", "900"), ("LEOCTL_ATTEMPT", "1"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_REF_NAME", "main")];

fn pull(number: u32, branch: &str) -> Json {
    let repository = json!({ "id": 1, "full_name": "acme/shop" });
    json!({
        "commits": [HEAD], "number": number, "state": "open",
        "head": { "sha": HEAD, "ref": branch, "repo": repository }, "base": { "ref": "main", "repo": repository },
    })
}

/// What GitHub holds after a plan job that kept this.
fn planned(content: Json) -> Json {
    let repository = json!({ "id": 1, "full_name": "acme/shop" });
    json!({
        "runs": [{
            "id": 900, "run_attempt": 1, "status": "completed", "conclusion": "success", "event": "pull_request",
            "path": ".github/workflows/leoctl.yml", "head_sha": HEAD, "head_branch": "days",
            "repository": repository, "head_repository": repository, "pull_requests": [],
        }],
        "pulls": [pull(7, "days")],
        "artifacts": [{ "id": 100, "run": 900, "name": "leoctl-comment-1", "size_in_bytes": 400, "expired": false, "content": content }],
        "comments": [],
    })
}

fn with_text(text: &str) -> Json {
    planned(json!({ "comment.md": text }))
}

fn ordinary() -> Json {
    with_text(&format!("{MARKER}\n## leoctl plan of 4f2a9c1\n\n1 to create\n"))
}

/// Has GitHub hold this, and runs the job.
fn run(ci: &Ci, held: &Json) -> Ran {
    held.as_object().unwrap().iter().for_each(|(name, rows)| ci.hold(name, rows.clone()));
    ci.expect(0, &["comment"], JOB)
}

fn says_nothing(ci: &Ci, held: &Json, why: &str) {
    let ran = run(ci, held);
    assert!(ran.stderr.contains("Nothing is said of run 900") && ran.stderr.contains(why), "{why}: {}", ran.stderr);
    assert_eq!(json!(ci.held("comments")), held["comments"], "{why}");
}

/// The one comment that is made where nothing was said before.
fn only_comment(ci: &Ci, held: &Json) -> Json {
    let ran = run(ci, held);
    let mut comments = ci.held("comments");
    assert_eq!(comments.len(), 1, "{} {}", ran.stdout, ran.stderr);
    comments.remove(0)
}

#[test]
fn the_plan_is_put_on_its_pull_request_once_and_says_where_it_is_from() {
    let ci = Ci::github("");
    let first = only_comment(&ci, &ordinary());
    assert_eq!(first["issue"], 7);
    let origin = format!("{MARKER}\n> From the plan job of {HEAD}, [run 900](https://github.com/acme/shop/actions/runs/900/attempts/1). ");
    assert!(body(&first).starts_with(&origin), "{first}");
    assert!(body(&first).contains("only as far as the review job plans the same again.\n\n## leoctl plan of 4f2a9c1\n"), "{first}");

    // With what it said before, and what others begin in the same way, or it says elsewhere.
    let others = json!([
        { "id": 1, "issue": 7, "edits": 0, "user": { "login": "mallory" }, "body": format!("{MARKER}\nNothing to see here.") },
        { "id": 2, "issue": 8, "edits": 0, "user": { "login": "github-actions[bot]" }, "body": format!("{MARKER}\nOf another.") },
        { "id": 3, "issue": 7, "edits": 0, "user": { "login": "github-actions[bot]" }, "body": "Of another workflow." },
    ]);
    let mut again = with_text(&format!("{MARKER}\n## leoctl plan\n\n2 to create\n"));
    again["comments"] = json!([&others.as_array().unwrap()[..], std::slice::from_ref(&first)].concat());
    run(&ci, &again);
    let after = ci.held("comments");
    assert_eq!(json!(after[..3]), others);
    assert_eq!((after.len(), &after[3]["id"], &after[3]["edits"]), (4, &first["id"], &json!(1)));
    assert!(body(&after[3]).contains("2 to create") && !body(&after[3]).contains("1 to create"), "{}", after[3]);

    // That nothing is changed is said only where something else was.
    let mut quiet = with_text(&format!("{MARKER}\n## leoctl plan\n\nNo stack is changed.\n"));
    run(&ci, &quiet);
    assert!(ci.held("comments").is_empty());
    quiet["comments"] = json!([first]);
    assert!(body(&only_comment(&ci, &quiet)).contains("No stack is changed."));
}

#[test]
fn a_run_of_anything_but_the_plan_workflow_here_says_nothing() {
    let ci = Ci::github("");
    let with = |name: &str, value: Json| {
        let mut held = ordinary();
        held["runs"][0][name] = value;
        held
    };
    let fork = json!({ "id": 2, "full_name": "mallory/shop" });
    says_nothing(&ci, &with("event", json!("push")), "none of .github/workflows/leoctl.yml");
    says_nothing(&ci, &with("path", json!(".github/workflows/evil.yml")), "none of .github/workflows/leoctl.yml");
    says_nothing(&ci, &with("head_repository", fork.clone()), "of another repository");
    says_nothing(&ci, &with("head_repository", Json::Null), "of another repository");
    says_nothing(&ci, &with("repository", fork), "of another repository");
    says_nothing(&ci, &with("run_attempt", json!(2)), "run again");
    says_nothing(&ci, &with("status", json!("in_progress")), "run again");
}

#[test]
fn only_the_one_open_pull_request_of_the_runs_branch_is_spoken_to() {
    let ci = Ci::github("");
    let with = |pulls: &[Json]| {
        let mut held = ordinary();
        held["pulls"] = json!(pulls);
        held
    };
    let changed = |pointer: &str, value: Json| {
        let mut pull = pull(7, "days");
        *pull.pointer_mut(pointer).unwrap() = value;
        with(&[pull])
    };
    says_nothing(&ci, &with(&[]), "of 0 open pull requests");
    says_nothing(&ci, &changed("/state", json!("closed")), "of 0 open pull requests");
    says_nothing(&ci, &changed("/head/sha", json!(OTHER)), "of 0 open pull requests");
    says_nothing(&ci, &changed("/head/repo", json!({ "id": 2, "full_name": "mallory/shop" })), "of 0 open pull requests");
    says_nothing(&ci, &changed("/base/repo", json!({ "id": 2, "full_name": "mallory/shop" })), "of 0 open pull requests");
    says_nothing(&ci, &with(&[pull(7, "days"), pull(8, "days")]), "of 2 open pull requests");
    // Somebody else's branch at the same commit is somebody else's.
    assert_eq!(only_comment(&ci, &with(&[pull(7, "days"), pull(8, "evil")]))["issue"], 7);
    says_nothing(&ci, &with(&[pull(8, "evil")]), "of 0 open pull requests");
    // One from the same branch into another is planned as the workflow there says: whose run it was is not known, whatever
    // GitHub names in it.
    let mut into = pull(8, "days");
    into["base"]["ref"] = json!("evil-base");
    let mut named = with(&[pull(7, "days"), into.clone()]);
    named["runs"][0]["pull_requests"] = json!([{ "number": 8, "base": { "repo": { "id": 1 } } }]);
    says_nothing(&ci, &named, "#8 is from the same branch");
    named["pulls"][1]["state"] = json!("closed");
    says_nothing(&ci, &named, "#8 is from the same branch");
    named["pulls"][1]["head"]["sha"] = json!(OTHER);
    assert_eq!(only_comment(&ci, &named)["issue"], 7, "it was closed at another commit");
    says_nothing(&ci, &with(&[into]), "of 0 open pull requests");
}

#[test]
fn an_artifact_of_any_content_is_text_in_one_comment_or_nothing() {
    let ci = Ci::github("");
    let evil = "::error::evil\n##[error]evil\n$(touch evil)`touch evil`\n@acme/team /close";
    // Text stays text: none of it is a word of a shell, a line of the log, or an output.
    let held = with_text(&format!("{MARKER}\n{evil}\n"));
    let ran = run(&ci, &held);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("evil"), "{}{}", ran.stdout, ran.stderr);
    assert!(body(&ci.comment("comments")).ends_with(&format!("\n\n{evil}\n")));

    let refused = |content: Json, why: &str| {
        let held = planned(content);
        says_nothing(&ci, &held, why);
        let ran = run(&ci, &held);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("evil"), "{}{}", ran.stdout, ran.stderr);
    };
    refused(json!({ "comment.md": format!("{MARKER}\n{}", "x".repeat(1 << 21)) }), "too large");
    refused(json!({ "comment.md": format!("{MARKER}\n{}", "x".repeat(65_001)) }), "longer than 65000 bytes");
    refused(json!({ "evil.md": evil, "review.json": "{}" }), "has no comment.md");
    refused(json!({ "../comment.md": evil, "../../evil": evil, "/tmp/comment.md": evil }), "has no comment.md");
    refused(json!({ "evil\n::error::evil": evil }), "has no comment.md");
    refused(json!(evil), "cannot be read");
    refused(json!(""), "cannot be read");
    refused(json!({ "comment.md": "" }), "does not begin as");
    refused(json!({ "comment.md": MARKER }), "does not begin as");
    refused(json!({ "comment.md": format!("{evil}\n{MARKER}\n") }), "does not begin as");
    refused(json!({ "comment.md": format!("{MARKER} \n{evil}") }), "does not begin as");
    refused(json!({ "comment.md": format!("<!-- leoctl drift -->\n{evil}") }), "does not begin as");
    refused(json!({ "comment.md": format!("{MARKER}\n{evil}\u{1b}[2J") }), "control characters");
    let others = json!({ "comment.md": format!("{MARKER}\n{evil}"), "../evil": evil, ".leoctl/ci/github.sh": "touch evil" });
    only_comment(&ci, &planned(others));
    assert!(ci.git(&["status", "--porcelain"]).is_empty() && ci.outputs().is_empty());

    let with = |name: &str, value: Json| {
        let mut held = ordinary();
        held["artifacts"][0][name] = value;
        held
    };
    says_nothing(&ci, &with("size_in_bytes", json!((1 << 20) + 1)), "too large");
    says_nothing(&ci, &with("expired", json!(true)), "kept no comment");
    says_nothing(&ci, &with("name", json!("leoctl-comment-2")), "kept no comment");
    says_nothing(&ci, &with("run", json!(901)), "kept no comment");
}

#[test]
fn a_comment_that_github_does_not_take_fails_the_job() {
    let ci = Ci::github("");
    run(&ci, &ordinary());
    let ran = ci.expect(1, &["comment"], &[JOB, &[("GH_TOKEN", "wrong")]].concat());
    assert!(ran.stderr.contains("error: there is no comment about run 900"), "{}", ran.stderr);
}

/// What the token of a job may write.
fn written(job: &Json) -> Vec<&str> {
    let permissions = job["permissions"].as_object().unwrap();
    permissions.iter().filter(|(_, access)| *access == "write").map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_job_that_runs_a_requests_code_has_no_token_that_writes() {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let workflow = yaml(&templates.join("github/leoctl.yml"));
    let plan = &workflow["jobs"]["plan"];
    assert!(written(&workflow).is_empty());
    assert_eq!(written(plan), ["id-token"], "{plan}");
    assert!(!plan.to_string().contains("GH_TOKEN") && !plan.to_string().contains("secrets."), "{plan}");
    // The other jobs are for the main branch only.
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let main = job["if"].as_str().unwrap().contains("default_branch") || job["needs"] == "review";
        assert!(name == "plan" || main, "{name}");
    }

    assert_eq!(workflow["true"]["pull_request"], json!({ "branches": ["main"] }), "of another branch, the code is somebody else's");
    // So is a job that writes, of a workflow that can be started on any branch.
    let drift = yaml(&templates.join("github/leoctl-drift.yml"));
    let only_main = json!("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)");
    assert_eq!(drift["jobs"]["drift"]["if"], only_main);
    assert!(workflow["jobs"]["review"]["if"].as_str().unwrap().ends_with(only_main.as_str().unwrap()), "a tag may be called main");

    // The job that writes has no code of the request, and nothing of AWS.
    let comment = yaml(&templates.join("github/leoctl-comment.yml"));
    assert_eq!(comment["permissions"], json!({}));
    assert_eq!(comment["true"], json!({ "workflow_run": { "workflows": [workflow["name"]], "types": ["completed"] } }));
    let job = &comment["jobs"]["comment"];
    assert_eq!(job["permissions"], json!({ "contents": "read", "actions": "read", "pull-requests": "write" }));
    assert_eq!(job["steps"][0]["with"]["ref"], "${{ github.event.repository.default_branch }}");
    assert!(!comment.to_string().contains("ROLE") && !comment.to_string().contains("download-artifact"), "{comment}");
    let kept: Vec<&Json> = plan["steps"].as_array().unwrap().iter().map(|step| &step["with"]).collect();
    assert!(kept.iter().any(|with| with["name"] == "leoctl-comment-${{ github.run_attempt }}" && with["path"] == "leoctl-out/comment.md"));

    let pipeline = yaml(&templates.join("gitlab-ci.yml"));
    assert!(!pipeline["leoctl-plan"].to_string().contains("TOKEN") && !pipeline["leoctl-plan"].to_string().contains("LEOCTL_COMMENT"));
    assert_eq!(pipeline["leoctl-plan"]["artifacts"]["expose_as"], "leoctl plan");
}
