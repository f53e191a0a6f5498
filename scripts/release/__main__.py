#!/usr/bin/env python3
"""Makes what a release of leoctl consists of, from a binary that is built already (scripts/release/build).

    python3 scripts/release extras  --leoctl BINARY --out EXTRAS               manual pages and completions
    python3 scripts/release archive --binary BINARY --target TRIPLE --extras EXTRAS --out DIST
    python3 scripts/release deb | rpm | npm | wheel | rootfs                   with the same options
    python3 scripts/release sbom --target TRIPLE --out DIST                    what is linked into the binary, as CycloneDX
    python3 scripts/release npm-main --out DIST                                the npm package that chooses one for the platform
    python3 scripts/release formula --url URL --out DIST                       for Homebrew, from the archives in DIST
    python3 scripts/release sums --out DIST                                    SHA256SUMS of everything in DIST

Each prints the file it has written. The same inputs give the same bytes; times in them are that of the commit, or
SOURCE_DATE_EPOCH. Needs Python and nothing from PyPI; `deb` needs dpkg-deb, `rpm` rpmbuild. docs/releasing.md says more.
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import archive  # noqa: E402
import deb  # noqa: E402
import extras  # noqa: E402
import formula  # noqa: E402
import npm  # noqa: E402
import rootfs  # noqa: E402
import rpm  # noqa: E402
import sbom  # noqa: E402
import sums  # noqa: E402
import wheel  # noqa: E402
from release import Broken, Release  # noqa: E402

# What is made of a binary for a platform.
PACKAGES = {"archive": archive.make, "deb": deb.make, "rpm": rpm.make, "npm": npm.make, "wheel": wheel.make, "rootfs": rootfs.make}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in PACKAGES:
        command = commands.add_parser(name)
        command.add_argument("--binary", type=pathlib.Path, required=True, help="the leoctl that is packed")
        command.add_argument("--target", required=True, help="what it was built for, as Rust calls it")
        command.add_argument("--extras", type=pathlib.Path, required=True, help="what `extras` wrote")
        command.add_argument("--level", type=int, default=9, help="how much is compressed, 0 to 9; tests take 0")
        if name == "rootfs":
            command.add_argument("--certificates", type=pathlib.Path, default="/etc/ssl/certs/ca-certificates.crt", help="whom the image trusts")
    commands.add_parser("extras").add_argument("--leoctl", type=pathlib.Path, required=True, help="one that runs here")
    commands.add_parser("sbom").add_argument("--target", required=True, help="what it was built for, as Rust calls it")
    commands.add_parser("npm-main").add_argument("--level", type=int, default=9)
    commands.add_parser("formula").add_argument("--url", required=True, help="the folder that the archives are downloaded from")
    commands.add_parser("sums")
    for command in commands.choices.values():
        command.add_argument("--out", type=pathlib.Path, required=True, help="the folder that is written to")
    return parser.parse_args()


def main():
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    release = Release()
    others = {"extras": extras.make, "sbom": sbom.make, "npm-main": npm.make_main, "formula": formula.make, "sums": sums.make}
    try:
        print((PACKAGES | others)[given.command](release, given))
    except Broken as broken:
        sys.exit(f"error: {broken}")


if __name__ == "__main__":
    main()
