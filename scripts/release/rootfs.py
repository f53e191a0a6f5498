"""All files of the container image, as a tar that the Dockerfile adds: the binary, whom it trusts, and a user without rights."""

import packing
import targets
import contents
from contents import Entry
from release import Broken

# As distroless images number theirs.
USER = 65532
TRUSTED = "etc/ssl/certs/ca-certificates.crt"


def make(release, given):
    target = targets.named(given.target)
    if "linux" not in target.triple:
        raise Broken(f"an image is of Linux, not of {target.triple}")
    if not given.certificates.is_file():
        raise Broken(f"there are no certificates in {given.certificates}: install ca-certificates, or name them with --certificates")
    entries = [
        Entry("etc/group", f"root:x:0:\nnonroot:x:{USER}:\n".encode()),
        Entry("etc/passwd", f"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/home/nonroot:/sbin/nologin\n".encode()),
        Entry(TRUSTED, given.certificates.read_bytes()),
        Entry("usr/bin/leoctl", given.binary.read_bytes(), 0o755),
        *(Entry(f"usr/share/licenses/leoctl/{file.name}", file.read_bytes()) for file in contents.licences()),
    ]
    # The image is run as other users as well, which read what is mounted into that home.
    folders = [("home/nonroot", 0o755, USER), ("tmp", 0o1777, 0), ("project", 0o755, USER)]
    # The name that the Dockerfile looks for: `docker build` says the processor as Debian does.
    file = given.out / f"rootfs-{target.deb}.tar"
    file.write_bytes(packing.tar(entries, release.epoch, folders))
    return file
