"""Puts the peers into a folder of their own: pinned versions, from npm and the Python Package Index."""

import os
import pathlib
import subprocess
import sys

CDK = ["aws-cdk@2.1148.1", "aws-cdk-lib@2.276.0", "constructs@10.8.1"]
ANSIBLE = ["ansible==12.3.0", "ansible-core==2.19.14", "boto3==1.43.106"]


def folder():
    """Where everything is installed: outside the checkout, kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "leoctl-peers"


def python(name, packages):
    """The Python of a virtual environment with these packages."""
    place = folder() / name
    program = place / "bin" / "python"
    if once(place, packages):
        run([sys.executable, "-m", "venv", "--clear", place])
        run([program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        finished(place, packages)
    return program


def npm(name, packages):
    """A folder with these packages under `node_modules`."""
    place = folder() / name
    if once(place, packages):
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{ "private": true }\n')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *packages], cwd=place)
        finished(place, packages)
    return place


def once(place, packages):
    """Whether they are still to be installed."""
    complete = place / "complete"
    return not complete.is_file() or complete.read_text().split() != packages


def finished(place, packages):
    (place / "complete").write_text("\n".join(packages))


def run(command, **options):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout
