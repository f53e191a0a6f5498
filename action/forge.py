"""Read by claims.py and comment.py: asking GitHub with `gh`, whose token is GH_TOKEN, and reading what a job has kept that
others may run code in. Nothing that such a job chose is part of a message: GitHub takes lines of the log for commands.
"""

import io
import json
import os
import subprocess
import urllib.parse
import zipfile

# The largest artifact, and the largest file in one, that is taken, in bytes.
LARGEST = 1 << 20


class Refused(Exception):
    """Why a request gets nothing of what it wants."""


class Unknown(Exception):
    """Why it cannot be known what a request wants."""


def variable(name):
    """A variable that the forge sets in every job."""
    value = os.environ.get(name)
    if not value:
        raise Unknown(f"the variable {name} is not set: this is for a job of the forge")
    return value


def run(words, **more):
    """What a program prints, as bytes."""
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        raise Unknown(f"`{' '.join(words)}` failed")
    return done.stdout


def artifact(get):
    """The bytes of an artifact. One that cannot be had is refused: its job chose what is in it."""
    try:
        return get()
    except Unknown as why:
        raise Refused(f"its artifact cannot be had: {why}") from why


def unpacked(archive, name):
    """The file of this name in an artifact, or its beginning if it is too large. No other is unpacked, and nothing is
    written where the archive says."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            # Of the other methods some expand a whole block, of any size, before the first byte can be read.
            if files.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Refused("its artifact is compressed in a way that GitHub does not")
            with files.open(name) as file:
                return file.read(LARGEST + 1)
    except Refused:
        raise
    except Exception as error:
        # Whatever fails, the job has made the archive so. The error may have names of the archive in it.
        raise Refused(f"its artifact cannot be read, or has no {name}: {type(error).__name__}") from error


class Repository:
    """The repository on GitHub whose workflow this is."""

    def __init__(self):
        self.name = variable("GITHUB_REPOSITORY")

    def get(self, path):
        """What an answer says."""
        return json.loads(run(["gh", "api", f"repos/{self.name}/{path}"]))

    def rows(self, path, key=None):
        """What all pages of an answer list, under a key where it is an object."""
        text = run(["gh", "api", "--paginate", f"repos/{self.name}/{path}"]).decode()
        rows, at, decoder = [], 0, json.JSONDecoder()
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            page, at = decoder.raw_decode(text, at)
            rows += page[key] if key else page
        return rows

    def rivals(self, number, branch, sha):
        """The other pull requests that a run of this branch and commit may have been for. GitHub runs the workflow as it is
        in the branch that a request goes into: what one into another branch has kept, its author chose."""
        head = f"{self.name.split('/')[0]}:{branch}"
        query = urllib.parse.urlencode({"head": head, "state": "all", "per_page": 100})
        others = [one for one in self.rows(f"pulls?{query}") if int(one["number"]) != number and one["head"]["ref"] == branch]
        return [int(one["number"]) for one in others if one["state"] == "open" or one["head"]["sha"] == sha]

    def artifacts(self, run_id, name):
        """The artifacts of this name that a run has kept."""
        rows = self.rows(f"actions/runs/{int(run_id)}/artifacts?name={name}&per_page=100", "artifacts")
        return [kept for kept in rows if kept["name"] == name and not kept["expired"]]

    def kept(self, one, name):
        """The file of this name in an artifact, neither of them larger than LARGEST."""
        if one["size_in_bytes"] > LARGEST:
            raise Refused("its artifact is too large")
        archive = artifact(lambda: run(["gh", "api", f"repos/{self.name}/actions/artifacts/{int(one['id'])}/zip"]))
        text = unpacked(archive, name)
        if len(text) > LARGEST:
            raise Refused("its artifact is too large")
        return text


def is_from(repository, name):
    """Whether this is the repository of that name; one that is deleted is none."""
    return (repository or {}).get("full_name") == name
