"""The manual pages and completions, written by a leoctl that runs here: they are the same for every platform."""

from release import run

# The file of each shell's completions. None of them is called `leoctl`: what unpacks an archive looks for that.
SHELLS = {"bash": "leoctl.bash", "elvish": "leoctl.elv", "fish": "leoctl.fish", "powershell": "leoctl.ps1", "zsh": "_leoctl"}


def make(_, given):
    leoctl = given.leoctl.resolve()
    run([leoctl, "man", "--quiet", "--out", given.out / "man"])
    folder = given.out / "completions"
    folder.mkdir(exist_ok=True)
    for shell, name in SHELLS.items():
        (folder / name).write_text(run([leoctl, "completions", shell]))
    return given.out
