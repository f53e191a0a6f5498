"""SHA256SUMS: the hash of everything that is published, as `sha256sum --check` reads it."""

import hashlib

FILE = "SHA256SUMS"


def of(file):
    """The hash of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def make(_, given):
    files = sorted(file for file in given.out.iterdir() if file.is_file() and not file.name.startswith(FILE))
    target = given.out / FILE
    target.write_text("".join(f"{of(file)}  {file.name}\n" for file in files))
    return target
