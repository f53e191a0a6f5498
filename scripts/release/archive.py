"""The archive of a platform: .tar.gz, for Windows .zip, with one folder in it."""

import dataclasses

import contents
import packing
import targets


def name(release, target):
    """What the archive is called."""
    return f"leoctl-{release.version}-{target.triple}.{'zip' if target.is_windows else 'tar.gz'}"


def make(release, given):
    target = targets.named(given.target)
    folder = f"leoctl-{release.version}-{target.triple}"
    entries = [dataclasses.replace(entry, name=f"{folder}/{entry.name}") for entry in contents.portable(given, target)]
    file = given.out / name(release, target)
    if target.is_windows:
        file.write_bytes(packing.zipped(entries, release.epoch, given.level))
    else:
        file.write_bytes(packing.gzipped(packing.tar(entries, release.epoch), given.level))
    return file
