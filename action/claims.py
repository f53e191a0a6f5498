#!/usr/bin/env python3
"""Gets what is claimed to have been reviewed: of every pull or merge request that the commits of this push were merged by,
the names of the files it changes, as FOLDER/NUMBER.files with a NUL after each, and the file of its review, as
FOLDER/NUMBER.json.

    claims.py FOLDER

    LEOCTL_BEFORE   what the branch was at before the push

What a review says was written by whoever could run code in the job that made it. Only its ids are believed, and only to
have been claimed: `leoctl review` compares them with the plan that the main branch makes itself. So it matters whose file
it is, and when it was made: that of the last commit of a request into this branch, before it was approved and merged. Which
stacks a request may speak of is told by the files it changes, and these the forge names.

GitHub is asked with `gh`, whose token is GH_TOKEN; GitLab with curl and LEOCTL_GITLAB_TOKEN.
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

# The folder of the scripts is a checkout: nothing is left in it.
sys.dont_write_bytecode = True

from forge import LARGEST, Refused, Repository, Unknown, artifact, is_from, run, variable

# More commits than that in one push are not looked at one by one.
MOST = 250
# A folder with the names that a repository without a checkout has is none here: see stacks.sh.
GIT = ["git", "-c", "safe.bareRepository=explicit"]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def commits(after):
    """The commits that a push has brought to the branch, the last first."""
    before = os.environ.get("LEOCTL_BEFORE", "")
    known = subprocess.run([*GIT, "cat-file", "-e", f"{before}^{{commit}}"], stderr=subprocess.DEVNULL, check=False)
    # Of requests that are not looked at it is not known which stacks they change: none is alone with its stack then.
    if not before.strip("0") or known.returncode != 0:
        raise Unknown("what the branch was at before the push is not known")
    found = run([*GIT, "rev-list", f"--max-count={MOST + 1}", "--first-parent", f"{before}..{after}"]).decode().split()
    if len(found) > MOST:
        raise Unknown(f"the push has more than {MOST} commits")
    return found


def seen(made, reviewed, approvals, merged):
    """Refuses what nobody can have seen before it was merged. Where anybody has reviewed, one approval has to be newer than
    the plan."""
    if when(made) >= when(merged):
        raise Refused("the plan was made again after it was merged")
    if reviewed and not any(when(made) < when(at) <= when(merged) for at in approvals):
        raise Refused("no approval that still counts is newer than the plan")


class GitHub:
    sign = "#"

    def __init__(self):
        self.repository = Repository()
        self.branch = variable("GITHUB_REF_NAME")
        self.sha = variable("GITHUB_SHA")
        # OWNER/NAME/.github/workflows/FILE@REF
        self.workflow = variable("GITHUB_WORKFLOW_REF").split("@")[0].rsplit("/", 1)[1]

    def requests(self):
        shas, found = commits(self.sha), {}
        for sha in shas:
            for pull in self.repository.rows(f"commits/{sha}/pulls?per_page=100"):
                base = pull["base"]
                here = base["ref"] == self.branch and is_from(base["repo"], self.repository.name)
                if pull["merged_at"] and here and pull["merge_commit_sha"] in shas:
                    found[int(pull["number"])] = pull
        return found

    def head(self, pull):
        """The last commit of a request."""
        return pull["head"]["sha"]

    def files(self, number):
        """The names of the files that a request changes, old names among them."""
        rows = self.repository.rows(f"pulls/{number}/files?per_page=100")
        # GitHub lists no more: what else it changes is not known, and so not which stacks others may speak of.
        if len(rows) >= 3000:
            raise Unknown(f"#{number} changes more files than GitHub lists")
        return [name for row in rows for name in (row["filename"], row.get("previous_filename")) if name]

    def claim(self, number, pull):
        head = pull["head"]["sha"]
        if not is_from(pull["head"]["repo"], self.repository.name):
            raise Refused("it comes from another repository")

        if rivals := self.repository.rivals(number, pull["head"]["ref"], head):
            raise Refused(f"#{rivals[0]} is from the same branch: whose plan there is, is not known")

        # The pull requests that a run names are those that are open now and fit it, and not the one that started it.
        def counts(one):
            path = one["path"].split("@")[0]
            return (
                (one["head_sha"], one["event"], one["conclusion"]) == (head, "pull_request", "success")
                and one["head_branch"] == pull["head"]["ref"]
                and is_from(one["head_repository"], self.repository.name)
                and path == f".github/workflows/{self.workflow}"
            )

        query = f"head_sha={head}&event=pull_request&status=success&per_page=100"
        runs = self.repository.rows(f"actions/workflows/{self.workflow}/runs?{query}", "workflow_runs")
        name = f"leoctl-review-{number}"
        all_kept = [(kept, one) for one in runs if counts(one) for kept in self.repository.artifacts(one["id"], name)]
        if not all_kept:
            raise Refused(f"there is no plan of {head}: it failed, or is too old")
        newest, made_by = max(all_kept, key=lambda kept: when(kept[0]["created_at"]))
        said = self.reviews(number, pull)
        made = max([newest["created_at"], *self.ends(made_by)], key=when)
        seen(made, said, self.approvals(said, pull), pull["merged_at"])
        return self.repository.kept(newest, "review.json")

    def ends(self, run):
        """When the jobs of a run ended. One that has kept its artifact may go on, and nobody sees the plan before it is
        done."""
        jobs = self.repository.rows(f"actions/runs/{int(run['id'])}/jobs?per_page=100", "jobs")
        return [job["completed_at"] for job in jobs if job["completed_at"]]

    def reviews(self, number, pull):
        """What each person who may write here, and is not its author, has said last. A comment takes nothing back. What
        GitHub calls an association is no answer: a member who is one in private has none."""
        states = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
        said = [
            one
            for one in self.repository.rows(f"pulls/{number}/reviews?per_page=100")
            if one["state"] in states
            and one["user"]
            and one["user"]["type"] == "User"
            and one["user"]["login"] != pull["user"]["login"]
        ]
        last = {one["user"]["login"]: one for one in sorted(said, key=lambda one: when(one["submitted_at"]))}
        return [one for login, one in last.items() if self.writes(login)]

    def writes(self, login):
        """Whether somebody may write to the repository: who can only read it approves nothing."""
        held = self.repository.get(f"collaborators/{urllib.parse.quote(login, safe='')}/permission")
        return held["permission"] in ("write", "maintain", "admin")

    def approvals(self, reviews, pull):
        """When its last commit was approved."""
        return [one["submitted_at"] for one in reviews if (one["state"], one["commit_id"]) == ("APPROVED", pull["head"]["sha"])]


class GitLab:
    sign = "!"

    def __init__(self):
        self.project = int(variable("CI_PROJECT_ID"))
        self.branch = variable("CI_COMMIT_BRANCH")
        self.sha = variable("CI_COMMIT_SHA")
        if not os.environ.get("LEOCTL_GITLAB_TOKEN"):
            raise Unknown("LEOCTL_GITLAB_TOKEN is not set")

    def get(self, path, most=64 * LARGEST):
        # The token is not among the arguments, which other processes can see; and as `Authorization` it is not sent on to
        # where an answer redirects.
        words = ["curl", "-fsSL", "--max-filesize", str(most), "--header", "@/dev/stdin"]
        header = f"Authorization: Bearer {os.environ['LEOCTL_GITLAB_TOKEN']}\n".encode()
        return run([*words, f"{os.environ['CI_API_V4_URL']}/projects/{self.project}/{path}"], input=header)

    def rows(self, path):
        rows, page = [], 1
        while len(rows) == 100 * (page - 1):
            rows += json.loads(self.get(f"{path}?per_page=100&page={page}"))
            page += 1
        return rows

    def requests(self):
        shas, found = commits(self.sha), {}
        for sha in shas:
            for request in self.rows(f"repository/commits/{sha}/merge_requests"):
                here = (request["target_project_id"], request["target_branch"]) == (self.project, self.branch)
                made = {request["merge_commit_sha"], request["squash_commit_sha"], request["sha"]}
                if request["state"] == "merged" and here and made & set(shas):
                    found[int(request["iid"])] = request
        return found

    def head(self, request):
        """The last commit of a request."""
        return request["sha"]

    def files(self, iid):
        """The names of the files that a request changes, old names among them."""
        # A number with a plus sign: GitLab lists no more.
        if not str(json.loads(self.get(f"merge_requests/{iid}"))["changes_count"]).isdecimal():
            raise Unknown(f"!{iid} changes more files than GitLab lists")
        rows = self.rows(f"merge_requests/{iid}/diffs")
        return [name for row in rows for name in (row["new_path"], row["old_path"])]

    def claim(self, iid, request):
        if request["source_project_id"] != self.project:
            raise Refused("it comes from another project")
        head = request["sha"]
        pipelines = [one for one in self.rows(f"merge_requests/{iid}/pipelines") if self.is_of(one, iid, head)]
        newest = max(pipelines, key=lambda one: one["id"], default=None)
        jobs = self.rows(f"pipelines/{int(newest['id'])}/jobs") if newest and newest["status"] == "success" else []
        jobs = [one for one in jobs if (one["name"], one["status"]) == ("leoctl-plan", "success")]
        if not jobs:
            raise Refused(f"there is no plan of {head}: its pipeline failed, or is too old")
        job = max(jobs, key=lambda one: one["id"])
        said = json.loads(self.get(f"merge_requests/{iid}/approvals"))["approved_by"]
        others = [one for one in said if one["user"]["id"] != request["author"]["id"]]
        # Those that were taken back are not among them.
        approvals = [one["approved_at"] for one in others if one.get("approved_at")]
        seen(job["finished_at"], approvals, approvals, request["merged_at"])
        if ((job.get("artifacts_file") or {}).get("size") or 0) > LARGEST:
            raise Refused("its artifact is too large")
        text = artifact(lambda: self.get(f"jobs/{int(job['id'])}/artifacts/leoctl-out/review.json", LARGEST))
        if len(text) > LARGEST:
            raise Refused("its artifact is too large")
        return text

    def is_of(self, pipeline, iid, head):
        """Whether a pipeline is of the request's last commit, or of what merging that would result in."""
        if pipeline.get("source") != "merge_request_event":
            return False
        if pipeline["sha"] == head:
            return True
        result = pipeline["ref"] == f"refs/merge-requests/{iid}/merge"
        return result and head in json.loads(self.get(f"repository/commits/{pipeline['sha']}"))["parent_ids"]


def collect(folder):
    forge = GitLab() if os.environ.get("GITLAB_CI") == "true" else GitHub()
    requests = forge.requests()
    if not requests:
        print("This push was merged by no request: nothing in it has been reviewed.", file=sys.stderr)
    heads = [forge.head(request) for request in requests.values()]
    for number, request in sorted(requests.items()):
        try:
            names = forge.files(number)
            (folder / f"{number}.files").write_bytes(b"".join(name.encode() + b"\0" for name in names))
            # Who opens one with the last commit of another has it merged together with that, reviewed by nobody.
            if heads.count(forge.head(request)) > 1:
                raise Refused("another request of this push has the same last commit")
            (folder / f"{number}.json").write_bytes(forge.claim(number, request))
        except Refused as why:
            print(f"{forge.sign}{number} claims nothing: {why}", file=sys.stderr)


try:
    collect(pathlib.Path(sys.argv[1]))
except Unknown as unknown:
    sys.exit(f"error: what was reviewed cannot be found: {unknown}")
