#!/usr/bin/env python3
"""Puts what the plan job of a pull request has to say on that pull request, on GitHub: for a workflow that runs on the main
branch when the one that plans is done (`workflow_run`).

    LEOCTL_RUN        the id of the run that planned
    LEOCTL_ATTEMPT    which attempt of it is done
    LEOCTL_WORKFLOW   the file of the workflow that plans [leoctl.yml]
    GITHUB_REF_NAME   the branch, into which pull requests are planned
    LEOCTL_MARKER     tells the comment apart from those of other workflows [default]

The plan job runs the code of the pull request, so its token may write nothing, and here the comment is taken from its
artifact: leoctl-comment-ATTEMPT with a file comment.md. What that says was written by whoever could run code there. It
decides the text below a line of this script, and nothing else. Which pull request it goes to, GitHub says.

Exits with 0 when there is nothing to say, or nothing that may be said; the log says why.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

# The folder of the scripts is a checkout: nothing is left in it.
sys.dont_write_bytecode = True

from forge import Refused, Repository, Unknown, is_from, variable

# leoctl makes no longer comment, in bytes. GitHub takes 65536 characters.
LONGEST = 65000
FILE = "comment.md"


def planned(repository, run_id, attempt):
    """The run, if it is one of the plan workflow for a pull request of this repository."""
    run = repository.get(f"actions/runs/{run_id}")
    workflow = f".github/workflows/{os.environ.get('LEOCTL_WORKFLOW') or 'leoctl.yml'}"
    if run["event"] != "pull_request" or run["path"].split("@")[0] != workflow:
        raise Refused(f"it is none of {workflow} for a pull request")
    if not is_from(run["head_repository"], repository.name) or not is_from(run["repository"], repository.name):
        raise Refused("it is of another repository")
    if run["run_attempt"] != attempt or run["status"] != "completed":
        raise Refused("it is run again")
    if not re.fullmatch("[0-9a-f]{40,64}", run["head_sha"]):
        raise Unknown("GitHub names no commit")
    return run


def pull_request(repository, run):
    """The number of the one open pull request into this branch that has the commit of the run as its last, from the branch of
    the run. The pull requests that a run names are those that are open now and fit it, and not the one that started it."""
    branch = variable("GITHUB_REF_NAME")
    found = {
        int(one["number"])
        for one in repository.rows(f"commits/{run['head_sha']}/pulls?per_page=100")
        if (one["state"], one["head"]["sha"], one["head"]["ref"]) == ("open", run["head_sha"], run["head_branch"])
        and is_from(one["head"]["repo"], repository.name)
        and is_from(one["base"]["repo"], repository.name)
        and one["base"]["ref"] == branch
    }
    if len(found) != 1:
        raise Refused(f"its commit is the last of {len(found)} open pull requests, and not of one")
    (number,) = found
    if rivals := repository.rivals(number, run["head_branch"], run["head_sha"]):
        raise Refused(f"#{rivals[0]} is from the same branch: for which of the two the run was, is not known")
    return number


def text_of(repository, run, marker):
    """What the plan job says, without the line that marks it."""
    kept = repository.artifacts(run["id"], f"leoctl-comment-{run['run_attempt']}")
    if len(kept) != 1:
        raise Refused("it has kept no comment")
    content = repository.kept(kept[0], FILE)
    if len(content) > LONGEST:
        raise Refused(f"its comment is longer than {LONGEST} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Refused("its comment is not UTF-8") from error
    first, _, rest = text.partition("\n")
    if first != marker or not rest.strip():
        raise Refused("its comment does not begin as one of leoctl about plans")
    # leoctl shows these by their number.
    if re.search("[\x00-\x08\x0b-\x1f\x7f]", rest):
        raise Refused("its comment has control characters")
    return rest


def origin(repository, run):
    """The line that says whose words follow."""
    server = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
    number, attempt = int(run["id"]), int(run["run_attempt"])
    link = f"[run {number}]({server}/{repository.name}/actions/runs/{number}/attempts/{attempt})"
    return f"> From the plan job of {run['head_sha']}, {link}. What it says counts only as far as the review job plans the same again."


def put(number, text):
    """Writes the comment over ours, or as a new one. That nothing is changed is worth a word only where something else was
    said before."""
    how = "update" if "No stack is changed." in text.splitlines() else "create"
    script = pathlib.Path(__file__).resolve().parent / "github.sh"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / FILE
        file.write_bytes(text.encode())
        environment = {**os.environ, "LEOCTL_PULL_REQUEST": str(number)}
        if subprocess.run(["bash", script, "comment", file, how], env=environment, check=False).returncode != 0:
            raise Unknown(f"the comment cannot be put on #{number}")


def comment(run_id, attempt):
    repository = Repository()
    marker = f"<!-- leoctl plan {os.environ.get('LEOCTL_MARKER') or 'default'} -->"
    run = planned(repository, run_id, attempt)
    text = text_of(repository, run, marker)
    # Looked for last, when its last commit is still that of the run.
    number = pull_request(repository, run)
    put(number, f"{marker}\n{origin(repository, run)}\n\n{text}")
    print(f"The comment of run {run_id} is on #{number}.")


try:
    comment(int(variable("LEOCTL_RUN")), int(variable("LEOCTL_ATTEMPT")))
except Refused as why:
    print(f"Nothing is said of run {os.environ['LEOCTL_RUN']}: {why}.", file=sys.stderr)
except Unknown as why:
    sys.exit(f"error: there is no comment about run {os.environ.get('LEOCTL_RUN', '')}: {why}")
