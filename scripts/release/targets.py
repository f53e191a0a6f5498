"""The platforms that there are packages for, and what each kind of package calls them."""

import dataclasses

from release import Broken


@dataclasses.dataclass(frozen=True)
class Target:
    """A platform."""

    # As Rust calls it.
    triple: str
    # `process.platform` and `process.arch` of Node.
    npm: tuple
    # The tag of a wheel.
    wheel: str
    # The architecture as Debian and as Fedora call it; none where there is no such package.
    deb: str = ""
    rpm: str = ""
    # How Ruby asks for it in a formula of Homebrew: the system and the processor.
    brew: tuple = ()
    # Whether releases have it. Windows is not built: the sources use what only Unix has, from terminals to locks.
    is_released: bool = True

    @property
    def is_windows(self):
        return "windows" in self.triple

    @property
    def program(self):
        """What the binary is called there."""
        return "leoctl.exe" if self.is_windows else "leoctl"


# A static binary runs with any C library, and says so.
LINUX_X64 = "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64"
LINUX_ARM64 = "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"

TARGETS = [
    Target("x86_64-unknown-linux-musl", ("linux", "x64"), LINUX_X64, "amd64", "x86_64", ("linux", "intel")),
    Target("aarch64-unknown-linux-musl", ("linux", "arm64"), LINUX_ARM64, "arm64", "aarch64", ("linux", "arm")),
    Target("x86_64-apple-darwin", ("darwin", "x64"), "macosx_11_0_x86_64", brew=("macos", "intel")),
    Target("aarch64-apple-darwin", ("darwin", "arm64"), "macosx_11_0_arm64", brew=("macos", "arm")),
    Target("x86_64-pc-windows-msvc", ("win32", "x64"), "win_amd64", is_released=False),
]


def named(triple):
    """The platform of this name."""
    for target in TARGETS:
        if target.triple == triple:
            return target
    raise Broken(f"there are no packages for {triple}: there are for {', '.join(target.triple for target in TARGETS)}")
