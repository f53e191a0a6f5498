"""The package for Debian and Ubuntu, by dpkg-deb."""

import os
import tempfile

import contents
import packing
import targets
from contents import Entry
from release import HOMEPAGE, ROOT, SUMMARY, Broken, run

MAINTAINER = "The leoctl authors <leoctl@users.noreply.github.com>"


def make(release, given):
    target = targets.named(given.target)
    if not target.deb:
        raise Broken(f"Debian does not run on {target.triple}")
    entries = contents.installed(given, packing.gzipped)
    entries += documents(release)
    size = sum(len(entry.data) for entry in entries) // 1024
    entries.append(Entry("DEBIAN/control", control(release, target, size).encode()))
    file = given.out / f"leoctl_{release.version}-1_{target.deb}.deb"
    with tempfile.TemporaryDirectory() as folder:
        packing.unfolded(entries, folder, release.epoch)
        level = ["-Zxz", f"-z{given.level}"] if given.level else ["-Znone"]
        # Without its cache of who is who: nothing of this machine gets in.
        run(["dpkg-deb", "--root-owner-group", *level, "--build", folder, file], env=release.environment())
    os.utime(file, (release.epoch, release.epoch))
    return file


def documents(release):
    """What Debian's policy asks for (sections 12.5 and 12.7)."""
    folder = "usr/share/doc/leoctl"
    own = ROOT.joinpath("LICENSE-MIT").read_text()
    copyright_ = f"leoctl is dual-licensed: {release.licence}, as you choose.\n\n{own}\nThe Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n"
    news = f"leoctl ({release.version}-1) stable; urgency=medium\n\n  * {HOMEPAGE}/blob/main/CHANGELOG.md\n\n -- {MAINTAINER}  {release.date('%a, %d %b %Y %H:%M:%S +0000')}\n"
    return [Entry(f"{folder}/copyright", copyright_.encode()), Entry(f"{folder}/changelog.Debian.gz", packing.gzipped(news.encode()))]


def control(release, target, size):
    # The binary is static. It trusts whom the system trusts, so that without certificates it reaches nobody.
    lines = [
        "Package: leoctl",
        f"Version: {release.version}-1",
        f"Architecture: {target.deb}",
        f"Maintainer: {MAINTAINER}",
        f"Installed-Size: {size}",
        "Depends: ca-certificates",
        "Section: admin",
        "Priority: optional",
        f"Homepage: {HOMEPAGE}",
        f"Description: {SUMMARY.split(':')[0]}",
        " A TOML stack file says what should exist. leoctl reads what does exist, shows the",
        " difference, and makes it so by calling the AWS APIs directly, in dependency order.",
    ]
    return "\n".join(lines) + "\n"
