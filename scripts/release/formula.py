"""The formula for Homebrew, from the archives of the release."""

import archive
import sums
import targets
from release import HOMEPAGE, SUMMARY, Broken


def make(release, given):
    parts = []
    for system in ("macos", "linux"):
        processors = [target for target in targets.TARGETS if target.brew[:1] == (system,)]
        there = [(target, given.out / archive.name(release, target)) for target in processors]
        blocks = [block(target, file, given.url.rstrip("/")) for target, file in there if file.is_file()]
        if blocks:
            parts.append(f"  on_{system} do\n{''.join(blocks)}  end\n")
    if not parts:
        raise Broken(f"there are no archives in {given.out}")
    file = given.out / "leoctl.rb"
    file.write_text(whole(release, "\n".join(parts)))
    return file


def block(target, file, url):
    return f"""    on_{target.brew[1]} do
      url "{url}/{file.name}"
      sha256 "{sums.of(file)}"
    end
"""


def whole(release, parts):
    licences = ", ".join(f'"{one}"' for one in release.licence.split(" OR "))
    return f"""# Written by `scripts/release formula`.
class Leoctl < Formula
  desc "{SUMMARY.split(":")[0].removeprefix("A ").capitalize().replace("aws", "AWS")}"
  homepage "{HOMEPAGE}"
  version "{release.version}"
  license any_of: [{licences}]

{parts}
  def install
    bin.install "leoctl"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/leoctl.bash" => "leoctl"
    fish_completion.install "completions/leoctl.fish"
    zsh_completion.install "completions/_leoctl"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/leoctl --version")
  end
end
"""
