"""Which release it is: version, time, licences; and where its sources are."""

import os
import pathlib
import subprocess
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOMEPAGE = "https://github.com/leoctl/leoctl"
SUMMARY = "A declarative reconciler for AWS: one TOML stack file, one binary, no CloudFormation."
LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"]


class Broken(Exception):
    """What keeps a release from being made, in words."""


class Release:
    """The release that the checkout is of."""

    def __init__(self):
        workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
        self.version = workspace["version"]
        self.licence = workspace["license"]
        self.epoch = epoch()

    def date(self, form):
        """The day of the release."""
        return time.strftime(form, time.gmtime(self.epoch))

    def environment(self):
        """For programs that write times."""
        return {**os.environ, "SOURCE_DATE_EPOCH": str(self.epoch), "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def epoch():
    """The time that everything in a package has: that of the commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    shown = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode != 0:
        raise Broken("this is no checkout of git: set SOURCE_DATE_EPOCH to the time of the release")
    return int(shown.stdout)


def run(command, **more):
    """Runs a program, and says what it said when it fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    except FileNotFoundError as missing:
        raise Broken(f"{command[0]} is not installed") from missing
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
