"""The package for Fedora, Red Hat and SUSE, by rpmbuild."""

import pathlib
import shutil
import tempfile

import contents
import packing
import targets
from contents import Entry
from release import HOMEPAGE, LICENCES, SUMMARY, Broken, run

# What rpmbuild would do to a binary that is finished, and what of this machine it would write down.
AS_IT_IS = {
    "_build_id_links": "none",
    "_buildhost": "localhost",
    "clamp_mtime_to_source_date_epoch": "1",
    "debug_package": "%{nil}",
    "use_source_date_epoch_as_buildtime": "1",
    "__os_install_post": "%{nil}",
}


def make(release, given):
    target = targets.named(given.target)
    if not target.rpm:
        raise Broken(f"there is no rpm for {target.triple}")
    entries = contents.installed(given, packing.gzipped)
    entries = [moved(entry) for entry in entries]
    entries += [Entry(f"usr/share/licenses/leoctl/{file.name}", file.read_bytes()) for file in contents.licences()]
    with tempfile.TemporaryDirectory() as folder:
        root, top = pathlib.Path(folder, "files"), pathlib.Path(folder, "top")
        packing.unfolded(entries, root, release.epoch)
        spec = pathlib.Path(folder, "leoctl.spec")
        spec.write_text(described(release, entries, root))
        payload = "w19.zstdio" if given.level else "w.ufdio"
        macros = AS_IT_IS | {"_topdir": str(top), "_binary_payload": payload}
        defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        run(["rpmbuild", "-bb", "--quiet", "--target", f"{target.rpm}-linux", *defined, spec], env=release.environment())
        built = next(top.rglob("*.rpm"))
        return shutil.copy(built, given.out / built.name)


def moved(entry):
    """zsh looks elsewhere on Fedora than on Debian."""
    return Entry(entry.name.replace("zsh/vendor-completions", "zsh/site-functions"), entry.data, entry.mode)


def described(release, entries, root):
    files = "\n".join(line(entry) for entry in entries)
    return f"""Name: leoctl
Version: {release.version}
Release: 1
Summary: {SUMMARY.split(":")[0]}
License: {release.licence}
URL: {HOMEPAGE}
AutoReqProv: no
Requires: ca-certificates

%description
A TOML stack file says what should exist. leoctl reads what does exist, shows
the difference, and makes it so by calling the AWS APIs directly, in dependency
order.

%install
cp -a {root}/. %{{buildroot}}/

%files
{files}
"""


def line(entry):
    """A file of the package, as a spec says it."""
    name = entry.name.rsplit("/", 1)[-1]
    kind = "%license " if name in LICENCES else "%doc " if "/man/" in entry.name else ""
    return f"%attr({entry.mode:o}, root, root) {kind}/{entry.name}"
