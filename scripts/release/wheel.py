"""The wheel of a platform: the binary as a script of the environment that it is installed in."""

import base64
import hashlib

import contents
import packing
import targets
from contents import Entry
from release import HOMEPAGE, ROOT, SUMMARY


def make(release, given):
    target = targets.named(given.target)
    tag = f"py3-none-{target.wheel}"
    about = f"leoctl-{release.version}.dist-info"
    entries = [
        Entry(f"leoctl-{release.version}.data/scripts/{target.program}", given.binary.read_bytes(), 0o755),
        Entry(f"{about}/METADATA", metadata(release).encode()),
        Entry(f"{about}/WHEEL", tags(tag).encode()),
    ]
    entries += [Entry(f"{about}/licenses/{file.name}", file.read_bytes()) for file in contents.licences()]
    entries.append(Entry(f"{about}/RECORD", record(entries, f"{about}/RECORD").encode()))
    file = given.out / f"leoctl-{release.version}-{tag}.whl"
    file.write_bytes(packing.zipped(entries, release.epoch, given.level))
    return file


def metadata(release):
    """Core metadata, version 2.4."""
    lines = [
        "Metadata-Version: 2.4",
        "Name: leoctl",
        f"Version: {release.version}",
        f"Summary: {SUMMARY}",
        f"License-Expression: {release.licence}",
        *(f"License-File: {file.name}" for file in contents.licences()),
        "Requires-Python: >=3.8",
        f"Project-URL: Homepage, {HOMEPAGE}",
        "Description-Content-Type: text/markdown",
        "",
        ROOT.joinpath("README.md").read_text(),
    ]
    return "\n".join(lines)


def tags(tag):
    """A tag of several platforms is one line for each."""
    head, platforms = tag.rsplit("-", 1)
    return "".join(["Wheel-Version: 1.0\nGenerator: leoctl\nRoot-Is-Purelib: false\n", *(f"Tag: {head}-{one}\n" for one in platforms.split("."))])


def record(entries, own):
    lines = []
    for entry in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry.data).digest()).rstrip(b"=").decode()
        lines.append(f"{entry.name},sha256={digest},{len(entry.data)}\n")
    return "".join([*lines, f"{own},,\n"])
