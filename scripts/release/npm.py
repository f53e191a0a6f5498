"""The packages for npm: one with the binary for each platform, and `leoctl`, which runs the one that npm has chosen."""

import json
import pathlib

import contents
import packing
import targets
from contents import Entry
from release import HOMEPAGE, ROOT, SUMMARY

SCOPE = "@leoctl"
LAUNCHER = pathlib.Path(__file__).resolve().parent / "launcher.js"


def make(release, given):
    """The package of a platform."""
    target = targets.named(given.target)
    system, processor = target.npm
    about = described(release, f"{SCOPE}/{system}-{processor}") | {
        "os": [system],
        "cpu": [processor],
        "files": ["bin"],
        # The wrapper asks where the binary is; nothing else is to be found out.
        "preferUnplugged": True,
    }
    entries = [Entry(f"bin/{target.program}", given.binary.read_bytes(), 0o755)]
    return packed(release, given, about, entries)


def make_main(release, given):
    """The package that people install."""
    about = described(release, "leoctl") | {
        "bin": {"leoctl": "bin/leoctl.js"},
        "files": ["bin"],
        "engines": {"node": ">=18"},
        "optionalDependencies": {f"{SCOPE}/{'-'.join(target.npm)}": release.version for target in targets.TARGETS if target.is_released},
    }
    entries = [Entry("bin/leoctl.js", LAUNCHER.read_bytes(), 0o755), Entry("README.md", ROOT.joinpath("README.md").read_bytes())]
    return packed(release, given, about, entries)


def described(release, name):
    return {
        "name": name,
        "version": release.version,
        "description": SUMMARY,
        # As npm writes it; SPDX is the same.
        "license": f"({release.licence})",
        "homepage": HOMEPAGE,
        "repository": {"type": "git", "url": f"git+{HOMEPAGE}.git"},
    }


def packed(release, given, about, entries):
    entries = entries + [Entry("package.json", f"{json.dumps(about, indent=2)}\n".encode())]
    entries += [Entry(file.name, file.read_bytes()) for file in contents.licences()]
    entries = [Entry(f"package/{entry.name}", entry.data, entry.mode) for entry in sorted(entries, key=lambda entry: entry.name)]
    file = given.out / f"{about['name'].replace('@', '').replace('/', '-')}-{release.version}.tgz"
    file.write_bytes(packing.gzipped(packing.tar(entries, release.epoch), given.level))
    return file
