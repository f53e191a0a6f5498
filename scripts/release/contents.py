"""What is in a package: files with their names in it, their modes and their bytes."""

import dataclasses

from release import LICENCES, ROOT


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of a package."""

    name: str
    data: bytes
    mode: int = 0o644


# Where a shell of the system looks for completions, by the file in EXTRAS.
COMPLETIONS = {
    "leoctl.bash": "usr/share/bash-completion/completions/leoctl",
    "_leoctl": "usr/share/zsh/vendor-completions/_leoctl",
    "leoctl.fish": "usr/share/fish/vendor_completions.d/leoctl.fish",
}


def pages(extras):
    """The manual pages."""
    return sorted((extras / "man").iterdir())


def completions(extras):
    """The completions of all shells."""
    return sorted((extras / "completions").iterdir())


def licences():
    return [ROOT / name for name in LICENCES]


def portable(given, target):
    """As in an archive: one folder for each kind."""
    entries = [Entry(target.program, given.binary.read_bytes(), 0o755)]
    entries += [Entry(f"man/{page.name}", page.read_bytes()) for page in pages(given.extras)]
    entries += [Entry(f"completions/{file.name}", file.read_bytes()) for file in completions(given.extras)]
    entries += [Entry(file.name, file.read_bytes()) for file in [*licences(), ROOT / "README.md", ROOT / "CHANGELOG.md"]]
    return sorted(entries, key=lambda entry: entry.name)


def installed(given, pack):
    """As on a system of Linux: each file where it is looked for. `pack` compresses a page as the system has them."""
    entries = [Entry("usr/bin/leoctl", given.binary.read_bytes(), 0o755)]
    entries += [Entry(f"usr/share/man/man1/{page.name}.gz", pack(page.read_bytes())) for page in pages(given.extras)]
    there = {file.name: file.read_bytes() for file in completions(given.extras)}
    entries += [Entry(place, there[name]) for name, place in COMPLETIONS.items()]
    return sorted(entries, key=lambda entry: entry.name)
