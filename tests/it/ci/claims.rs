//! Whose claims count: what GitHub and GitLab answer about the requests of a push, and which of their artifacts are taken
//! for a review of it. The same cases for both.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Ci;
use crate::support::program::Ran;

/// The last commit of a request, at its merge.
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const WORKFLOW: &str = "acme/shop/.github/workflows/leoctl.yml@refs/heads/main";
/// That of another.
const NEXT: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
/// Why a plan that was made after the last approval claims nothing.
const UNSEEN: &str = "no approval that still counts is newer than the plan";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A request into a branch, as it stands after its merge.
#[derive(Clone)]
pub struct Request {
    pub number: u32,
    /// Who asked for it.
    pub author: u32,
    /// The commit that merged it.
    pub merged_by: String,
    /// The branch it was merged into.
    pub into: &'static str,
    pub fork: bool,
    pub state: &'static str,
    /// Its last commit.
    pub head: &'static str,
    /// The branch that it comes from.
    pub branch: String,
    /// The files that it changes.
    pub files: Vec<&'static str>,
    pub plans: Vec<Planned>,
    pub approvals: Vec<Approval>,
}

/// A run of the job that plans.
#[derive(Clone)]
pub struct Planned {
    /// The commit that was planned.
    pub head: &'static str,
    /// The request that its artifact is called after, and on GitLab the one that the pipeline was of.
    pub of: u32,
    /// The branch that the run was of.
    pub branch: String,
    /// The minute at which its artifact was made.
    pub at: u32,
    /// The minute at which its last job ended; nothing of one that goes on.
    pub ended: Option<u32>,
    pub event: &'static str,
    /// The workflow, or the job.
    pub by: &'static str,
    pub succeeded: bool,
    /// What is in the artifact; a text is no archive.
    pub content: Json,
}

/// An approval.
#[derive(Clone)]
pub struct Approval {
    pub by: u32,
    /// The minute.
    pub at: u32,
    pub head: &'static str,
    pub association: &'static str,
    pub bot: bool,
    /// What the review said, on GitHub.
    pub state: &'static str,
}

impl Request {
    /// One about the first stack that was planned, approved and merged, in this order.
    pub fn new(number: u32, merged_by: &str, review: &str) -> Self {
        let (content, branch) = (json!({ "review.json": review }), format!("branch-{number}"));
        let head = if number == 7 { HEAD } else { NEXT };
        let plan = Planned {
            head,
            of: number,
            branch: branch.clone(),
            at: 10,
            ended: Some(10),
            event: "pull_request",
            by: "leoctl",
            succeeded: true,
            content,
        };
        let approval = Approval { by: 2, at: 20, head, association: "MEMBER", bot: false, state: "APPROVED" };
        Self {
            number,
            author: 1,
            merged_by: merged_by.to_owned(),
            into: "main",
            fork: false,
            state: "merged",
            head,
            branch,
            files: vec![super::WEB],
            plans: vec![plan],
            approvals: vec![approval],
        }
    }

    /// How many files GitLab says it changes: a text, with a plus sign where it lists no more.
    fn changes_count(&self) -> String {
        let count = self.files.len();
        if count > 1000 { "1000+".to_owned() } else { count.to_string() }
    }

    /// One that changes these files.
    pub fn about(self, files: &[&'static str]) -> Self {
        Self { files: files.to_vec(), ..self }
    }
}

/// A minute of the hour in which all happens; the merge is at its half.
fn minute(at: u32) -> String {
    format!("2026-01-31T09:{at:02}:00Z")
}

/// The requests as GitHub answers about them.
pub fn on_github(ci: &Ci, requests: &[Request]) {
    let repository = |fork| json!({ "full_name": if fork { "mallory/shop" } else { "acme/shop" } });
    let user = |id: u32, bot| json!({ "login": format!("user-{id}"), "type": if bot { "Bot" } else { "User" } });
    let (mut pulls, mut runs, mut artifacts, mut reviews) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in requests {
        pulls.push(json!({
            "commits": [one.merged_by], "number": one.number, "user": user(one.author, false),
            "state": if one.state == "opened" { "open" } else { "closed" },
            "merged_at": if one.state == "merged" { json!(minute(30)) } else { Json::Null },
            "merge_commit_sha": one.merged_by, "base": { "ref": one.into, "repo": repository(false) },
            "head": { "sha": one.head, "ref": one.branch, "repo": repository(one.fork) },
            "files": one.files.iter().map(|name| json!({ "filename": name })).collect::<Vec<_>>(),
        }));
        for plan in &one.plans {
            let id = 900 + runs.len();
            runs.push(json!({
                "id": id, "head_sha": plan.head, "event": plan.event, "conclusion": if plan.succeeded { "success" } else { "failure" },
                "path": format!(".github/workflows/{}.yml@main", plan.by), "head_repository": repository(one.fork),
                // After a merge it names none, whichever it was of.
                "head_branch": plan.branch, "pull_requests": [], "ends": [plan.ended.map(minute)],
            }));
            let size = plan.content.to_string().len();
            artifacts.push(json!({
                "id": 100 + artifacts.len(), "run": id, "name": format!("leoctl-review-{}", plan.of), "size_in_bytes": size.min(4000),
                "expired": false, "created_at": minute(plan.at), "content": plan.content,
            }));
        }
        reviews.extend(one.approvals.iter().map(|approval| {
            json!({
                "pull": one.number, "state": approval.state, "user": user(approval.by, approval.bot), "commit_id": approval.head,
                "submitted_at": minute(approval.at), "author_association": approval.association,
            })
        }));
    }
    for (name, rows) in [("pulls", pulls), ("runs", runs), ("artifacts", artifacts), ("reviews", reviews)] {
        ci.hold(name, json!(rows));
    }
}

/// The requests as GitLab answers about them.
pub fn on_gitlab(ci: &Ci, requests: &[Request]) {
    let (mut merges, mut pipelines, mut jobs, mut approvals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in requests {
        merges.push(json!({
            "commits": [one.merged_by], "iid": one.number, "state": one.state, "author": { "id": one.author }, "sha": one.head,
            "changes_count": one.changes_count(),
            "diffs": one.files.iter().map(|name| json!({ "new_path": name, "old_path": name })).collect::<Vec<_>>(),
            "target_branch": one.into, "target_project_id": 42, "source_project_id": if one.fork { 43 } else { 42 },
            "merge_commit_sha": one.merged_by, "squash_commit_sha": null, "merged_at": minute(30).replace('Z', ".000Z"),
        }));
        for plan in &one.plans {
            let id = 900 + pipelines.len();
            let source = if plan.event == "pull_request" { "merge_request_event" } else { plan.event };
            let status = if plan.succeeded { "success" } else { "failed" };
            pipelines.push(json!({
                "request": plan.of, "id": id, "source": source, "sha": plan.head, "status": status,
                "ref": format!("refs/merge-requests/{}/head", plan.of),
            }));
            jobs.push(json!({
                "id": 100 + jobs.len(), "pipeline": id, "name": format!("{}-plan", plan.by), "status": status, "finished_at": minute(plan.at).replace('Z', ".000Z"),
                "content": plan.content,
            }));
        }
        approvals.extend(one.approvals.iter().map(|approval| {
            json!({ "request": one.number, "user": { "id": approval.by }, "approved_at": minute(approval.at).replace('Z', ".000Z") })
        }));
    }
    for (name, rows) in [("merge_requests", merges), ("pipelines", pipelines), ("jobs", jobs), ("approvals", approvals)] {
        ci.hold(name, json!(rows));
    }
}

/// A repository on a forge, with a push to look at.
pub struct Push {
    pub ci: Ci,
    pub before: String,
    pub sha: String,
    /// Has the forge answer about these.
    pub answer: fn(&Ci, &[Request]),
}

impl Push {
    /// On each forge, one commit that has come to the main branch.
    pub fn on_each(endpoint: &str) -> [Self; 2] {
        let of = |ci: Ci, answer| {
            let before = ci.git(&["rev-parse", "HEAD"]);
            let sha = ci.commit();
            Self { ci, before, sha, answer }
        };
        [of(Ci::github(endpoint), on_github), of(Ci::gitlab(endpoint), on_gitlab)]
    }

    pub fn hold(&self, requests: &[Request]) {
        (self.answer)(&self.ci, requests);
    }

    /// The environment of a job of this push.
    pub fn environment(&self) -> [(&'static str, &str); 8] {
        [
            ("LEOCTL_BEFORE", self.before.as_str()),
            ("GITHUB_SHA", self.sha.as_str()),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_WORKFLOW_REF", WORKFLOW),
            ("CI_COMMIT_SHA", self.sha.as_str()),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_BEFORE_SHA", self.before.as_str()),
        ]
    }

    /// The claims that are got, by request, and what is said.
    fn claims(&self) -> (BTreeMap<String, String>, Ran) {
        let folder = self.ci.project.path().join("claims");
        std::fs::create_dir_all(&folder).unwrap();
        let ran = self.ci.expect(0, &["claims", "claims"], &self.environment());
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let read =
            |path: std::path::PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap());
        let found = entries.filter(|path| path.extension() == Some("json".as_ref())).map(read).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        (found, ran)
    }

    /// What the request claims, which is all that is claimed.
    fn claimed(&self, requests: &[Request]) -> Vec<String> {
        self.hold(requests);
        self.claims().0.into_keys().collect()
    }

    fn refused(&self, request: &Request, why: &str) {
        self.hold(std::slice::from_ref(request));
        let (found, ran) = self.claims();
        assert!(found.is_empty() && ran.stderr.contains(why), "{why}: {found:?} {}", ran.stderr);
    }
}

#[test]
fn the_review_of_a_merged_request_is_its_claim() {
    for push in Push::on_each("") {
        let request = Request::new(7, &push.sha, "{}");
        assert_eq!(push.claimed(std::slice::from_ref(&request)), ["7.json"]);
        // Approved by nobody, it was seen until it was merged.
        let quiet = Request { approvals: Vec::new(), ..request.clone() };
        assert_eq!(push.claimed(&[quiet]), ["7.json"]);
        // A merge queue, or a rebase: several requests and commits in one push.
        let last = push.ci.commit();
        let several = Push { sha: last.clone(), ..push };
        let pair = [Request::new(7, &request.merged_by, "{}"), Request::new(8, &last, "{}")];
        assert_eq!(several.claimed(&pair), ["7.json", "8.json"]);
        let later = Push { before: request.merged_by.clone(), ..several };
        assert_eq!(later.claimed(&pair), ["8.json"], "what an earlier push has brought is none of this one");
    }
}

#[test]
fn where_not_every_request_of_a_push_is_known_nothing_is_claimed() {
    for push in Push::on_each("") {
        let request = Request::new(7, &push.sha, "{}");
        let claims = |before: &str, sha: &str| {
            push.hold(std::slice::from_ref(&request));
            std::fs::create_dir_all(push.ci.project.path().join("claims")).unwrap();
            let of = [("LEOCTL_BEFORE", before), ("GITHUB_SHA", sha), ("CI_COMMIT_SHA", sha), ("CI_COMMIT_BEFORE_SHA", before)];
            let rest = [("GITHUB_REF_NAME", "main"), ("CI_COMMIT_BRANCH", "main"), ("GITHUB_WORKFLOW_REF", WORKFLOW)];
            push.ci.expect(1, &["claims", "claims"], &[&of[..], &rest].concat()).stderr
        };
        // A new branch, a forced push, and a run without what it is compared with.
        for before in ["0".repeat(40), "f".repeat(40), String::new()] {
            assert!(claims(&before, &push.sha).contains("what the branch was at before the push is not known"));
        }
        (0..250).for_each(|_| drop(push.ci.git(&["commit", "--quiet", "--allow-empty", "--message", "another"])));
        assert!(claims(&push.before, &push.ci.git(&["rev-parse", "HEAD"])).contains("more than 250 commits"));
    }
}

#[test]
fn a_plan_may_be_of_any_request_from_its_branch() {
    let [push, _] = Push::on_each("");
    let request = Request::new(7, &push.sha, "{}");
    let from =
        |into, state, head| Request { into, state, head, plans: Vec::new(), branch: "branch-7".to_owned(), ..Request::new(66, "", "{}") };
    for rival in [from("evil", "opened", HEAD), from("evil", "closed", HEAD), from("main", "closed", HEAD), from("evil", "opened", OTHER)] {
        push.hold(&[request.clone(), rival]);
        let (found, ran) = push.claims();
        assert!(found.is_empty() && ran.stderr.contains("#66 is from the same branch"), "{found:?} {}", ran.stderr);
    }
    // A branch that is used again and again has requests of other commits.
    assert_eq!(push.claimed(&[request.clone(), from("release", "closed", OTHER)]), ["7.json"]);
    let fork = Request { fork: true, ..from("evil", "opened", HEAD) };
    assert_eq!(push.claimed(&[request, fork]), ["7.json"], "a branch of that name in a fork is another");
}

#[test]
fn a_run_that_goes_on_after_it_has_kept_its_plan_is_seen_when_it_has_ended() {
    let [push, _] = Push::on_each("");
    let request = Request::new(7, &push.sha, "{}");
    let ended = |ended| Request { plans: vec![Planned { ended, ..request.plans[0].clone() }], ..request.clone() };
    push.refused(&ended(Some(25)), UNSEEN);
    assert_eq!(push.claimed(&[ended(Some(15))]), ["7.json"]);
}

#[test]
fn a_request_that_was_not_merged_here_claims_nothing() {
    for push in Push::on_each("") {
        let request = Request::new(7, &push.sha, "{}");
        let into = Request { into: "release", ..request.clone() };
        push.refused(&into, "nothing in it has been reviewed");
        let open = Request { state: "opened", ..request.clone() };
        push.refused(&open, "nothing in it has been reviewed");
        let fork = Request { fork: true, ..request.clone() };
        push.refused(&fork, "comes from another");
        push.hold(&[]);
        assert!(push.claims().1.stderr.contains("merged by no request"));
    }
}

#[test]
fn only_the_plan_of_the_last_commit_counts() {
    for push in Push::on_each("") {
        let request = Request::new(7, &push.sha, "{}");
        let with = |change: fn(&mut Planned)| {
            let mut request = request.clone();
            change(&mut request.plans[0]);
            request
        };
        push.refused(&with(|plan| plan.head = OTHER), "there is no plan of aaaa");
        push.refused(&with(|plan| plan.succeeded = false), "there is no plan of aaaa");
        push.refused(&with(|plan| plan.event = "push"), "there is no plan of aaaa");
        push.refused(&with(|plan| plan.by = "other"), "there is no plan of aaaa");
        push.refused(&with(|plan| plan.of = 8), "there is no plan of aaaa");
        if push.ci.environment.iter().any(|(name, _)| *name == "GITHUB_ACTIONS") {
            push.refused(&with(|plan| plan.branch = "evil".to_owned()), "there is no plan of aaaa");
        }
        push.refused(&Request { plans: Vec::new(), ..request.clone() }, "there is no plan of aaaa");
        // Of the same commit in another request, into another branch: that plan is of another merge.
        let mut other = Request::new(8, &push.sha, "{}");
        other.into = "release";
        assert!(push.claimed(&[with(|plan| plan.of = 8), other]).is_empty());
    }
}

#[test]
fn on_gitlab_the_result_of_merging_the_last_commit_counts_too() {
    let [_, push] = Push::on_each("");
    push.hold(&[Request::new(7, &push.sha, "{}")]);
    let mut pipelines = push.ci.held("pipelines");
    pipelines[0]["sha"] = json!(OTHER);
    let claimed = |reference: &str, parents: Json| {
        let mut pipelines = pipelines.clone();
        pipelines[0]["ref"] = json!(reference);
        push.ci.hold("pipelines", json!(pipelines));
        push.ci.hold("parents", json!({ OTHER: parents }));
        !push.claims().0.is_empty()
    };
    assert!(claimed("refs/merge-requests/7/merge", json!(["cccc", HEAD])));
    assert!(!claimed("refs/merge-requests/7/merge", json!(["cccc", "dddd"])), "of an older commit");
    assert!(!claimed("refs/merge-requests/7/head", json!([HEAD])), "of a commit on top that is not merged");
}

#[test]
fn a_plan_that_was_made_after_its_approval_was_seen_by_nobody() {
    for push in Push::on_each("") {
        let request = Request::new(7, &push.sha, "{}");
        let planned_at = |at| Planned { at, ..request.plans[0].clone() };
        let again = |plans| Request { plans, ..request.clone() };
        push.refused(&again(vec![planned_at(25)]), UNSEEN);
        push.refused(&again(vec![planned_at(10), planned_at(25)]), UNSEEN);
        let approvals = [request.approvals[0].clone(), Approval { at: 27, ..request.approvals[0].clone() }].to_vec();
        assert_eq!(push.claimed(&[Request { approvals, ..again(vec![planned_at(25)]) }]), ["7.json"], "it was approved once more");
        // Nobody else's approval counts: then it has to be older than the merge.
        let own = Approval { by: 1, ..request.approvals[0].clone() };
        let unseen = Request { approvals: vec![own.clone()], ..again(vec![planned_at(25)]) };
        assert_eq!(push.claimed(&[unseen]), ["7.json"]);
        let late = Request { approvals: vec![own], ..again(vec![planned_at(31)]) };
        push.refused(&late, "made again after it was merged");
        // Nor can anybody approve what is merged.
        let afterwards = Approval { by: 3, at: 36, ..request.approvals[0].clone() };
        push.refused(&Request { approvals: vec![afterwards.clone()], ..again(vec![planned_at(35)]) }, "made again after it was merged");
        push.refused(&Request { approvals: vec![request.approvals[0].clone(), afterwards], ..again(vec![planned_at(25)]) }, UNSEEN);
    }
}

#[test]
fn a_request_with_the_last_commit_of_another_takes_the_claims_of_both() {
    for push in Push::on_each("") {
        let mut other = Request::new(8, &push.sha, "{}");
        (other.head, other.plans[0].head, other.approvals) = (HEAD, HEAD, Vec::new());
        assert!(push.claimed(&[Request::new(7, &push.sha, "{}"), other]).is_empty());
    }
}

#[test]
fn what_a_request_changes_is_known_whole_or_nothing_is_claimed() {
    for push in Push::on_each("") {
        push.hold(&[Request::new(7, &push.sha, "{}").about(&vec!["a"; 3000])]);
        std::fs::create_dir_all(push.ci.project.path().join("claims")).unwrap();
        let ran = push.ci.expect(1, &["claims", "claims"], &push.environment());
        assert!(ran.stderr.contains("7 changes more files than Git"), "{}", ran.stderr);
    }
}

#[test]
fn on_github_only_who_may_write_approves_and_only_what_he_saw() {
    let [push, _] = Push::on_each("");
    let request = Request::new(7, &push.sha, "{}");
    let first = request.approvals[0].clone();
    let late = Planned { at: 25, ..request.plans[0].clone() };
    push.ci.hold("permissions", json!({ "user-5": "read" }));
    let strangers = [
        Approval { at: 27, by: 5, ..first.clone() },
        Approval { at: 27, bot: true, ..first.clone() },
        Approval { at: 27, head: OTHER, ..first.clone() },
    ];
    for stranger in strangers {
        let request = Request { plans: vec![late.clone()], approvals: vec![first.clone(), stranger], ..request.clone() };
        push.refused(&request, UNSEEN);
    }
    // A member in private is none to the token of a job: who may write is a reviewer all the same.
    let unknown = Approval { association: "CONTRIBUTOR", ..first };
    push.refused(&Request { plans: vec![late], approvals: vec![unknown], ..request }, UNSEEN);
}

#[test]
fn on_github_what_a_reviewer_said_last_counts() {
    let [push, _] = Push::on_each("");
    let request = Request::new(7, &push.sha, "{}");
    let said = |by, at, state| Approval { by, at, state, ..request.approvals[0].clone() };
    let with = |approvals: &[Approval]| Request { approvals: approvals.to_vec(), ..request.clone() };
    for taken_back in ["CHANGES_REQUESTED", "DISMISSED"] {
        push.refused(&with(&[said(2, 20, "APPROVED"), said(2, 22, taken_back)]), UNSEEN);
        assert_eq!(push.claimed(&[with(&[said(2, 20, taken_back), said(2, 22, "APPROVED")])]), ["7.json"]);
        assert_eq!(push.claimed(&[with(&[said(2, 20, taken_back), said(3, 21, "APPROVED")])]), ["7.json"], "another has approved");
        push.refused(&with(&[said(2, 20, taken_back)]), UNSEEN);
    }
    assert_eq!(push.claimed(&[with(&[said(2, 20, "APPROVED"), said(2, 22, "COMMENTED")])]), ["7.json"]);
    push.refused(&with(&[said(2, 20, "APPROVED"), Approval { head: OTHER, ..said(2, 22, "APPROVED") }]), UNSEEN);
    // Who only reads has a plan that was made after the approval of one who writes approved by nobody.
    push.ci.hold("permissions", json!({ "user-3": "read", "user-4": "admin" }));
    let late = |by| Request {
        plans: vec![Planned { at: 25, ..request.plans[0].clone() }],
        ..with(&[said(2, 20, "APPROVED"), said(by, 27, "APPROVED")])
    };
    push.refused(&late(3), UNSEEN);
    assert_eq!(push.claimed(&[late(4)]), ["7.json"]);
}

#[test]
fn an_artifact_of_any_content_changes_nothing_but_what_is_claimed() {
    for push in Push::on_each("") {
        let request = |content: Json| {
            let mut request = Request::new(7, &push.sha, "");
            request.plans[0].content = content;
            request
        };
        let outside = push.ci.project.path().join("evil.json");
        push.refused(&request(json!({ "review.json": "x".repeat((1 << 20) + 1) })), "too large");
        push.refused(&request(json!({ "../../evil.json": "{}", "plans/evil.plan": "{}" })), "its artifact cannot be");
        push.hold(&[request(json!({ "review.json": "{}", "../evil.json": "{}", "evil.json": "{}", ".leoctl/ci/apply.sh": "true" }))]);
        let (found, _) = push.claims();
        assert_eq!(found, BTreeMap::from([("7.json".to_owned(), "{}".to_owned())]));
        assert!(!outside.exists() && push.ci.git(&["status", "--porcelain"]).is_empty());
    }
    let [github, _] = Push::on_each("");
    let mut request = Request::new(7, &github.sha, "");
    request.plans[0].content = json!("no archive");
    github.refused(&request, "its artifact cannot be read");
    // Some methods expand a thousand bytes to gigabytes before the first of them can be read.
    for method in ["bzip2", "lzma"] {
        request.plans[0].content = json!({ "method": method, "review.json": "x".repeat(1 << 24) });
        github.refused(&request, "compressed in a way that GitHub does not");
    }
}

#[test]
fn what_the_forge_does_not_answer_is_not_taken_for_no_claim() {
    for push in Push::on_each("") {
        push.hold(&[Request::new(7, &push.sha, "{}")]);
        std::fs::create_dir_all(push.ci.project.path().join("claims")).unwrap();
        let environment = push.environment();
        let mut wrong = environment.to_vec();
        wrong.extend([("GH_TOKEN", "wrong"), ("LEOCTL_GITLAB_TOKEN", "wrong")]);
        let ran = push.ci.expect(1, &["claims", "claims"], &wrong);
        assert!(ran.stderr.contains("what was reviewed cannot be found"), "{}", ran.stderr);
    }
}
